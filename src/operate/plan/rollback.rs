//! Going back to what ran before: a deploy of a recorded revision, pinned by its content, and itself a revision.

use crate::model::{Revision, Workload};
use crate::operate::refusal::Refusal;

use super::draft::{self, Draft};
use super::replace::{self, Wanted};
use super::targets::{Chosen, subject};
use super::{around, blue_green, controlled, declared, words};

/// Replaces every replica of the chosen workloads by one of the earlier revision.
pub fn rollback(draft: &mut Draft<'_>, chosen: &[Chosen], to: Option<u64>) -> Result<String, Refusal> {
    let mut old = Vec::new();
    for one in chosen {
        let wanted = wanted(draft, &one.workload, to)?;
        let target = target(&one.workload, to)?;
        let kept = blue_green::back(draft, &one.workload, &target)?;
        old.extend(match kept {
            Some(old) => old,
            None => replace::replace(draft, &one.workload, &wanted, None)?,
        });
    }
    replace::clear(draft, old);
    around::notify(draft, chosen);
    title(chosen, to)
}

/// Tells the engine to go back, and follows the rollout to its end.
pub fn declared(draft: &mut Draft<'_>, chosen: &[Chosen], to: Option<u64>) -> Result<String, Refusal> {
    for one in chosen {
        let wanted = wanted(draft, &one.workload, to)?;
        declared::set_image(draft, &one.workload, &wanted, None)?;
    }
    around::notify(draft, chosen);
    title(chosen, to)
}

fn wanted(draft: &mut Draft<'_>, workload: &Workload, to: Option<u64>) -> Result<Wanted, Refusal> {
    let target = target(workload, to)?;
    if controlled::is_here(draft) {
        // The whole template of then is given back, image and all.
    } else if target.digest.is_none() {
        draft.warn(format!("the content of revision {} is not recorded: its tag {} decides", target.number, target.image));
    } else if target.digest == workload.digest {
        draft.warn(format!("revision {} of {} is the very content that runs now", target.number, workload.id));
    }
    Ok(Wanted {
        container: None,
        image: target.image.clone(),
        digest: target.digest.clone(),
        cause: format!("roll back to {}", target.number).into(),
        from: Some(target.number),
    })
}

/// The revision meant: the named one, or the newest before the current.
fn target(workload: &Workload, to: Option<u64>) -> Result<Revision, Refusal> {
    let recorded = draft::recorded(workload);
    let current = draft::current(workload);
    let known: Vec<u64> = recorded.iter().map(|r| r.number).collect();
    let name = workload.id.0.clone();
    match to {
        Some(number) if number == current => Err(Refusal::Nothing(format!("{name} is at revision {number} already").into())),
        Some(wanted) => {
            recorded.into_iter().find(|r| r.number == wanted).ok_or(Refusal::UnknownRevision { workload: name, wanted, known })
        }
        None => recorded
            .into_iter()
            .filter(|r| r.number < current)
            .max_by_key(|r| r.number)
            .ok_or(Refusal::NoPrevious { workload: name, known }),
    }
}

fn title(chosen: &[Chosen], to: Option<u64>) -> Result<String, Refusal> {
    let [one] = chosen else { return Ok(format!("roll back {}", subject(chosen))) };
    let target = target(&one.workload, to)?;
    let step = words::from_to(&one.workload.image, &target.image);
    Ok(format!("roll back {} to revision {} ({step})", one.workload.id, target.number))
}
