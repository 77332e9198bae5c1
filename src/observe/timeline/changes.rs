//! What somebody changed between two looks at an environment, as timeline items: images, revisions, replicas, locks,
//! whoever did it and with whatever tool. Health is told apart from this.

use std::sync::Arc;

use crate::model::{Instance, Item, LockHolder, Revision, Snapshot, Source, Workload, WorkloadKind};

/// The changes from one snapshot of an environment to the next, in order of workloads.
#[must_use]
pub fn changes(old: &Snapshot, new: &Snapshot) -> Vec<Item> {
    let mut items = Vec::new();
    let mut tell = |subject: &Arc<str>, what: &str, detail: String| {
        items.push(Item {
            at: new.at,
            environment: new.environment.id.clone(),
            subject: subject.clone(),
            source: Source::Engine,
            what: what.into(),
            detail: detail.into(),
        });
    };
    if let Some((what, detail)) = lock(old.lock.as_deref(), new.lock.as_deref()) {
        tell(&new.environment.id.name, what, detail);
    }
    // What is not listed to its end is not gone, and what comes with the rest of the list is not new.
    let whole = old.is_listed() && new.is_listed();
    for workload in &new.workloads {
        match old.workload(&workload.id) {
            Some(was) if Arc::ptr_eq(was, workload) => {}
            Some(was) => of_workload(was, workload, &mut tell),
            None if whole => tell(&workload.id.0, "new", format!("{} {}", workload.kind, workload.image)),
            None => {}
        }
    }
    for was in old.workloads.iter().filter(|w| whole && new.workload(&w.id).is_none()) {
        tell(&was.id.0, "gone", was.image.to_string());
    }
    items
}

fn of_workload(was: &Workload, now: &Workload, tell: &mut impl FnMut(&Arc<str>, &str, String)) {
    if now.kind == WorkloadKind::Dependency {
        return;
    }
    let subject = &now.id.0;
    let revision = now.revision.filter(|r| was.revision.is_some_and(|w| w != *r));
    let made = revision.and_then(|number| now.revisions.iter().find(|r| r.number == number));
    if !was.image.is_empty() && !now.image.is_empty() && was.image != now.image {
        tell(subject, "image", format!("{}{}", between(&was.image, &now.image), made.map(by).unwrap_or_default()));
    } else if let Some(number) = revision {
        let from = was.revision.map(|r| format!(" (was {r})")).unwrap_or_default();
        tell(subject, "revision", format!("{number}{from}{}", made.map(by).unwrap_or_default()));
    } else if let (Some(before), Some(after)) = (&was.digest, &now.digest)
        && before != after
    {
        let text = format!("{} is another one: {} → {}", now.image, short(before), short(after));
        tell(subject, "image", text);
    }
    let counts = !matches!(now.kind, WorkloadKind::Job | WorkloadKind::CronJob | WorkloadKind::Container);
    if counts && was.desired != now.desired {
        let scaler = now.controller.as_ref().and_then(|c| c.scaler.as_ref()).filter(|s| s.desired == now.desired);
        let why = scaler.map(|s| format!(" (autoscaler {}: {})", s.name, s.targets.join(", "))).unwrap_or_default();
        tell(subject, "scaled", format!("{} → {}{why}", was.desired, now.desired));
    }
    if let (Some(before), Some(after)) = (bounds(was), bounds(now))
        && before != after
    {
        tell(subject, "autoscaler", format!("bounds {}–{} → {}–{}", before.0, before.1, after.0, after.1));
    }
    let paused = |w: &Workload| w.controller.as_ref().map(|c| c.paused);
    if let (Some(before), Some(after)) = (paused(was), paused(now))
        && before != after
    {
        tell(subject, if after { "paused" } else { "resumed" }, "its controller".to_owned());
    }
    if was.drift != now.drift {
        let text = now.drift.as_ref().map_or_else(|| "as its file again".to_owned(), |d| format!("from its file: {d}"));
        tell(subject, "drift", text);
    }
    for instance in now.replicas() {
        let before = was.instances.iter().find(|i| i.id == instance.id);
        if let Some(before) = before.filter(|b| b.restarts < instance.restarts && instance.pod.is_some()) {
            tell(&instance.name, "restarted", restart(before, instance));
        }
    }
}

/// Least and most replicas of an autoscaler.
fn bounds(workload: &Workload) -> Option<(u32, u32)> {
    workload.controller.as_ref()?.scaler.as_ref().map(|s| (s.min, s.max))
}

/// How the run before ended, and how often that was.
fn restart(before: &Instance, now: &Instance) -> String {
    let containers = now.pod.iter().flat_map(|p| &p.containers);
    let old = |name: &str| before.pod.iter().flat_map(|p| &p.containers).find(|c| &*c.name == name).map_or(0, |c| c.restarts);
    let ends: Vec<String> = containers
        .filter(|c| c.restarts > old(&c.name))
        .filter_map(|c| c.last.as_ref().map(|last| format!("{}: {last}", c.name)))
        .collect();
    let how = if ends.is_empty() { "it ended".to_owned() } else { ends.join(", ") };
    format!("{how}; restart {}", now.restarts)
}

/// ` by ops@bastion-1: deploy`.
fn by(revision: &Revision) -> String {
    let by = revision.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let cause = revision.cause.as_ref().filter(|c| !c.is_empty()).map(|c| format!(": {c}")).unwrap_or_default();
    format!("{by}{cause}")
}

/// `backend 1.4.2 → 1.5.0`, or both whole where they are of different names.
#[must_use]
pub fn between(before: &str, after: &str) -> String {
    let split = |image: &str| -> Option<(String, String)> {
        let slash = image.rfind('/').map_or(0, |i| i + 1);
        let colon = image[slash..].rfind(':').map(|i| slash + i)?;
        Some((image[..colon].to_owned(), image[colon + 1..].to_owned()))
    };
    match (split(before), split(after)) {
        (Some((a, from)), Some((b, to))) if a == b && !from.contains('@') && !to.contains('@') => {
            format!("{} {from} → {to}", a.rsplit('/').next().unwrap_or(&a))
        }
        (_, _) => format!("{before} → {after}"),
    }
}

fn short(digest: &str) -> String {
    digest.rsplit(':').next().unwrap_or(digest).chars().take(12).collect()
}

fn lock(was: Option<&LockHolder>, now: Option<&LockHolder>) -> Option<(&'static str, String)> {
    match (was, now) {
        (None, Some(lock)) => Some(("locked", format!("by {}: {}", lock.by, lock.why))),
        (Some(was), Some(lock)) if (&was.by, was.since) != (&lock.by, lock.since) => {
            Some(("locked", format!("by {}: {} (was {})", lock.by, lock.why, was.by)))
        }
        (Some(was), None) => Some(("unlocked", format!("was {}: {}", was.by, was.why))),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests;
