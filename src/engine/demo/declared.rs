//! What makes the wanted state of production so, pod by pod: one more than wanted at most, none fewer.

use super::moment::Moment;
use super::place::{Place, Service};
use super::recipe::Recipe;
use super::unit::{Told, Unit};
use crate::model::{Health, InstanceState, WorkloadKind};

/// Seconds a pod takes to end.
const GRACE: f64 = 2.0;

/// Whether its pods have names of their own and are replaced in place.
#[must_use]
pub fn is_stateful(recipe: &Recipe) -> bool {
    recipe.kind == WorkloadKind::StatefulSet
}

/// Brings every service one small step nearer to what is wanted.
pub fn reconcile(place: &mut Place, moment: &Moment, told: &mut Vec<Told>) {
    for service in &mut place.services {
        service.units.retain(|u| u.gone_at.is_none_or(|at| at > moment.now));
        adopt(service);
        if wants_one_more(service) {
            let number = (1..=u32::MAX).find(|n| service.units.iter().all(|u| u.number != *n)).unwrap_or(1);
            let mut unit = place.maker.unit(service, number, moment.now);
            unit.revision = service.template.revision;
            unit.unpulled = !exists(service.recipe, unit.tag());
            told.push(Told { subject: unit.name.clone(), what: "create", detail: unit.image.to_string() });
            if !unit.unpulled {
                unit.start(moment, told);
            }
            service.units.push(unit);
        } else if let Some(unit) = one_too_many(service) {
            end(unit, moment, told);
        }
    }
}

/// Begins to end a pod.
pub fn end(unit: &mut Unit, moment: &Moment, told: &mut Vec<Told>) {
    unit.state = InstanceState::Removing;
    unit.wanted = false;
    unit.gone_at = Some(moment.later(GRACE));
    told.push(Told { subject: unit.name.clone(), what: "stop", detail: String::new() });
}

/// Whether there is such an image: what the stacks were made from, and whatever looks like a version of it.
#[must_use]
pub fn exists(recipe: &Recipe, tag: &str) -> bool {
    let version = tag.strip_prefix('v').unwrap_or(tag).starts_with(|c: char| c.is_ascii_digit());
    version || recipe.versions.iter().any(|v| v.tag == tag) || tag == "latest" || tag.contains("broken") || tag.contains("crash")
}

/// Pods that match the template are of its revision, whichever made them: going back finds the old ones still there.
fn adopt(service: &mut Service) {
    for unit in service.units.iter_mut().filter(|u| u.template == service.template.hash) {
        unit.revision = service.template.revision;
    }
}

fn is_ready(unit: &Unit) -> bool {
    unit.state == InstanceState::Running && matches!(unit.check.health, Health::Healthy | Health::Degraded)
}

fn wants_one_more(service: &Service) -> bool {
    let desired = service.desired as usize;
    let staying = service.units.iter().filter(|u| u.gone_at.is_none());
    let (mut current, mut all) = (0, 0);
    for unit in staying {
        all += 1;
        current += usize::from(unit.template == service.template.hash);
    }
    if is_stateful(service.recipe) {
        return service.units.len() < desired;
    }
    let surge = usize::from(current < all);
    current < desired && all < desired + surge
}

/// A pod that may go without leaving fewer ready ones than wanted.
fn one_too_many(service: &mut Service) -> Option<&mut Unit> {
    let desired = service.desired as usize;
    let hash = service.template.hash.clone();
    let stateful = is_stateful(service.recipe);
    let ending = service.units.iter().any(|u| u.gone_at.is_some());
    let staying = || service.units.iter().filter(|u| u.gone_at.is_none());
    let (all, ready) = (staying().count(), staying().filter(|u| is_ready(u)).count());
    let current = staying().filter(|u| u.template == hash).count();
    let old = all - current;
    let choice = if old > 0 {
        let spare = ready > desired || (stateful && !ending);
        staying()
            .filter(|u| u.template != hash && (spare || (all > desired && !is_ready(u))))
            .max_by_key(|u| (!is_ready(u), u.number))
            .map(|u| u.number)
    } else if current > desired {
        staying().max_by_key(|u| (!is_ready(u), u.number)).map(|u| u.number)
    } else {
        None
    };
    let number = choice?;
    service.units.iter_mut().find(|u| u.gone_at.is_none() && u.number == number)
}
