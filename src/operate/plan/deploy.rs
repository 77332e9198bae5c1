//! Deploying an image.

use std::sync::Arc;

use crate::model::Workload;
use crate::operate::image::malformed;
use crate::operate::refusal::Refusal;
use crate::operate::request::{Operation, Strategy};

use super::draft::Draft;
use super::replace::{self, Wanted};
use super::targets::{Chosen, subject};
use super::{around, controlled, declared, mirrored, words};

/// Replaces every replica of the chosen workloads by one of `image`.
pub fn deploy(draft: &mut Draft<'_>, chosen: &[Chosen], image: &Arc<str>, strategy: Option<Strategy>) -> Result<String, Refusal> {
    let wanted = wanted(draft, image)?;
    around::before(draft, chosen)?;
    let mut old = Vec::new();
    for one in chosen {
        again(draft, &one.workload, image);
        old.extend(replace::replace(draft, &one.workload, &wanted, strategy)?);
    }
    replace::clear(draft, old);
    forget(draft, chosen);
    around::notify(draft, chosen);
    Ok(title(chosen, image))
}

/// Tells the engine that `image` is wanted, and follows the rollout to its end.
pub fn declared(
    draft: &mut Draft<'_>,
    chosen: &[Chosen],
    image: &Arc<str>,
    strategy: Option<Strategy>,
) -> Result<String, Refusal> {
    around::before(draft, chosen)?;
    for one in chosen {
        let wanted = controlled::settle(draft, &one.workload, wanted(draft, image)?)?;
        again(draft, &one.workload, image);
        around::migrate(draft, &one.workload, &wanted)?;
        if mirrored::is_meant(draft, &one.workload, strategy) {
            controlled::may_roll(draft, &one.workload)?;
            mirrored::deploy(draft, &one.workload, &wanted)?;
            continue;
        }
        declared::set_image(draft, &one.workload, &wanted, strategy)?;
        // The engine goes from batch to batch by itself: what is asked between them is asked after the last.
        let policy = draft.policy(&one.workload);
        around::conditions(draft, &one.workload, &policy.gate, &[])?;
        around::conditions(draft, &one.workload, &policy.verify, &[])?;
    }
    forget(draft, chosen);
    around::notify(draft, chosen);
    Ok(title(chosen, image))
}

fn wanted(draft: &Draft<'_>, image: &Arc<str>) -> Result<Wanted, Refusal> {
    if let Some(why) = malformed(image) {
        return Err(Refusal::NotAnImage { image: image.clone(), why });
    }
    let container = container(&draft.request.operation);
    Ok(Wanted { image: image.clone(), digest: None, cause: format!("deploy {image}").into(), container, from: None })
}

/// What migrations have left goes at the very end.
fn forget(draft: &mut Draft<'_>, chosen: &[Chosen]) {
    for one in chosen {
        if let Some(forget) = around::forget(draft, &one.workload) {
            draft.tidy(forget);
        }
    }
}

/// The container a deploy names.
pub fn container(operation: &Operation) -> Option<Arc<str>> {
    if let Operation::Deploy { container, .. } = operation { container.clone() } else { None }
}

fn again(draft: &mut Draft<'_>, workload: &Workload, image: &Arc<str>) {
    if workload.image == *image && !controlled::is_here(draft) {
        draft.warn(format!("{} runs {image} already: it is made anew, and only differs if the tag has moved", workload.id));
    }
}

fn title(chosen: &[Chosen], image: &Arc<str>) -> String {
    match chosen {
        [one] if one.workload.image == *image => format!("deploy {} {image} again", one.workload.id),
        [one] => format!("deploy {} {}", one.workload.id, words::from_to(&one.workload.image, image)),
        _ => format!("deploy {} {image}", subject(chosen)),
    }
}
