//! What cannot be done with a workload now: because of what it is, how it is, or because one may not.

use std::sync::Arc;

use super::pod::Maker;
use super::workload::Parts;
use crate::model::{Capabilities, Instance, InstanceState, Verb, WorkloadKind};

/// A verb of the server on a resource: what a change of ours needs.
type Needs = (&'static str, &'static str, &'static str);

/// Everything that is denied, each with a whole sentence.
#[must_use]
pub fn of(parts: &Parts<'_>, kind: WorkloadKind, desired: u32, instances: &[Arc<Instance>], revisions: usize) -> Capabilities {
    let mut caps = Capabilities::default();
    let mut deny = |verbs: &[Verb], why: &str| {
        for verb in verbs {
            caps.denied.entry(*verb).or_insert_with(|| why.into());
        }
    };
    by_kind(parts, kind, &mut deny);
    by_state(parts, kind, desired, instances, &mut deny);
    if revisions < 2 && has_history(kind) {
        deny(&[Verb::Rollback], "there is no earlier revision on record to go back to");
    }
    deny(&[Verb::Up], "a cluster has no compose file; deploy an image instead");
    deny(&[Verb::Drill], "a real engine plays no faults");
    for verb in Verb::ALL {
        let denied = needs(kind, verb).iter().find(|(does, group, resource)| !parts.rights.may(does, group, resource));
        if let Some((does, _, resource)) = denied {
            deny(&[verb], &format!("you may not {does} {resource} in {}", parts.namespace));
        }
    }
    caps
}

fn has_history(kind: WorkloadKind) -> bool {
    matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet)
}

fn by_kind(parts: &Parts<'_>, kind: WorkloadKind, deny: &mut impl FnMut(&[Verb], &str)) {
    let changing = [Verb::Scale, Verb::Restart, Verb::Stop, Verb::Start, Verb::Deploy, Verb::Rollback];
    match kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet => {}
        WorkloadKind::DaemonSet => {
            let why = "it runs once on every node that fits: their number decides, not a number of replicas";
            deny(&[Verb::Scale, Verb::Stop, Verb::Start], why);
        }
        WorkloadKind::CronJob => deny(&changing, "a schedule starts its jobs by itself; suspend it or start a job of it now"),
        WorkloadKind::Job => deny(&changing, "a job runs to its end and is not kept running"),
        WorkloadKind::Container | WorkloadKind::Service | WorkloadKind::Dependency => {
            let why = match parts.maker {
                Maker::Other(owner, _) if &**owner != "Pod" => format!("its pods belong to a {owner}: change that"),
                _ => "it is a pod that nothing puts back: it can only be removed".to_owned(),
            };
            deny(&changing, &why);
        }
    }
    if !matches!(kind, WorkloadKind::Deployment | WorkloadKind::CronJob) {
        deny(&[Verb::Pause, Verb::Unpause], "only a Deployment's rollout and a CronJob's schedule can be held");
    }
    if kind != WorkloadKind::CronJob {
        deny(&[Verb::Trigger], "it is not a schedule");
    }
    if parts.scaler.is_none() {
        deny(&[Verb::Bounds], "no autoscaler owns it");
    }
}

fn by_state(
    parts: &Parts<'_>,
    kind: WorkloadKind,
    desired: u32,
    instances: &[Arc<Instance>],
    deny: &mut impl FnMut(&[Verb], &str),
) {
    let paused = parts.declared.is_some_and(|d| d.paused);
    if matches!(kind, WorkloadKind::Deployment | WorkloadKind::CronJob) {
        if paused {
            deny(&[Verb::Pause], "it is held already");
        } else {
            deny(&[Verb::Unpause], "it is not held");
        }
    }
    if matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet) {
        if desired == 0 {
            deny(&[Verb::Stop, Verb::Restart], "it is stopped");
        } else {
            deny(&[Verb::Start], "it is started already");
        }
    }
    if !instances.iter().any(|i| i.state == InstanceState::Running) {
        deny(&[Verb::Kill, Verb::Shell], "nothing of it is running");
    }
}

/// What the server must allow for it.
fn needs(kind: WorkloadKind, verb: Verb) -> &'static [Needs] {
    match verb {
        Verb::Scale | Verb::Stop | Verb::Start => match kind {
            WorkloadKind::StatefulSet => &[("patch", "apps", "statefulsets/scale")],
            _ => &[("patch", "apps", "deployments/scale")],
        },
        Verb::Restart | Verb::Deploy | Verb::Rollback => match kind {
            WorkloadKind::StatefulSet => &[("patch", "apps", "statefulsets")],
            WorkloadKind::DaemonSet => &[("patch", "apps", "daemonsets")],
            _ => &[("patch", "apps", "deployments")],
        },
        Verb::Pause | Verb::Unpause => match kind {
            WorkloadKind::CronJob => &[("patch", "batch", "cronjobs")],
            _ => &[("patch", "apps", "deployments")],
        },
        Verb::Kill => &[("delete", "", "pods")],
        Verb::Remove => &[("create", "", "pods/eviction")],
        Verb::Shell => &[("create", "", "pods/exec")],
        Verb::Trigger => &[("create", "batch", "jobs")],
        Verb::Bounds => &[("patch", "autoscaling", "horizontalpodautoscalers")],
        Verb::Cordon | Verb::Uncordon | Verb::Drain => &[("patch", "", "nodes")],
        Verb::Up
        | Verb::Lock
        | Verb::Unlock
        | Verb::Recover
        | Verb::Drill
        | Verb::Run
        | Verb::Load
        | Verb::Silence
        | Verb::Unsilence => &[],
    }
}
