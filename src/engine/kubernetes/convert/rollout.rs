//! How far a controller is with the definition it was told last, by the rules of `kubectl rollout status`.

use std::sync::Arc;

use super::declared::Declared;
use crate::model::{Rollout, RolloutState, WorkloadKind};

/// What a Deployment says when its pods do not come up in time.
const DEADLINE: &str = "ProgressDeadlineExceeded";
/// What it says once it is through; later losses are no rollout.
const THROUGH: &str = "NewReplicaSetAvailable";

/// The rollout under way or stuck, `None` when there is none. `older`: pods seen that are of another definition.
#[must_use]
pub fn of(declared: &Declared, older: u32) -> Option<Rollout> {
    let (state, message) = match declared.kind {
        WorkloadKind::Deployment => deployment(declared)?,
        WorkloadKind::StatefulSet => stateful(declared)?,
        WorkloadKind::DaemonSet => daemon(declared)?,
        WorkloadKind::Job
        | WorkloadKind::CronJob
        | WorkloadKind::Service
        | WorkloadKind::Container
        | WorkloadKind::Dependency => return None,
    };
    let progress = &declared.progress;
    let told = match declared.kind {
        // What is held back is not waited for.
        WorkloadKind::StatefulSet if declared.on_delete || declared.partition > 0 => 0,
        _ => progress.replicas.saturating_sub(progress.updated),
    };
    Some(Rollout { state, message, outdated: told.max(older.min(progress.replicas)) })
}

/// Pods that are ready and not yet for long enough.
fn settling(declared: &Declared) -> Option<Arc<str>> {
    let progress = &declared.progress;
    let young = progress.ready.saturating_sub(progress.available);
    (young > 0).then(|| format!("{young} ready for less than {} s", declared.min_ready_seconds).into())
}

fn unseen() -> (RolloutState, Arc<str>) {
    (RolloutState::Running, "the controller has not seen the last change yet".into())
}

fn deployment(declared: &Declared) -> Option<(RolloutState, Arc<str>)> {
    let progress = &declared.progress;
    let lag = lagging(declared);
    if declared.paused {
        return Some((RolloutState::Paused, "it is paused".into()));
    }
    if !progress.observed {
        return Some(unseen());
    }
    let progressing = declared.conditions.get("Progressing");
    if let Some(state) = progressing.filter(|c| !c.holds && &*c.reason == DEADLINE) {
        return Some((RolloutState::Paused, format!("{DEADLINE}: {}", state.message).into()));
    }
    if progressing.is_some_and(|c| &*c.reason == THROUGH) {
        return settling(declared).map(|words| (RolloutState::Running, words));
    }
    lag.map(|words| (RolloutState::Running, words))
}

/// What is still to be done, by kubectl's order of looking.
fn lagging(declared: &Declared) -> Option<Arc<str>> {
    let progress = &declared.progress;
    let (updated, wanted) = (progress.updated, declared.desired);
    if updated < wanted {
        return Some(format!("{updated} of {wanted} updated").into());
    }
    if progress.replicas > updated {
        return Some(format!("{} old ones still to go", progress.replicas - updated).into());
    }
    if progress.available < updated {
        return Some(settling(declared).unwrap_or_else(|| format!("{} of {updated} available", progress.available).into()));
    }
    None
}

fn stateful(declared: &Declared) -> Option<(RolloutState, Arc<str>)> {
    let progress = &declared.progress;
    if !progress.observed {
        return Some(unseen());
    }
    let moving = progress.update_revision != progress.current_revision && !progress.update_revision.is_empty();
    if declared.on_delete {
        let words = "pods are replaced only when they are deleted (OnDelete)";
        return (moving && progress.updated < declared.desired).then(|| (RolloutState::Paused, words.into()));
    }
    if !moving {
        return settling(declared).map(|words| (RolloutState::Running, words));
    }
    let wanted = declared.desired.saturating_sub(declared.partition);
    if declared.partition > 0 && progress.updated >= wanted {
        let words = format!("the first {} are held back (partition)", declared.partition.min(declared.desired));
        return Some((RolloutState::Paused, words.into()));
    }
    if progress.updated < wanted {
        return Some((RolloutState::Running, format!("{} of {wanted} updated", progress.updated).into()));
    }
    let words = settling(declared).unwrap_or_else(|| format!("{} of {} available", progress.available, declared.desired).into());
    Some((RolloutState::Running, words))
}

fn daemon(declared: &Declared) -> Option<(RolloutState, Arc<str>)> {
    let progress = &declared.progress;
    if !progress.observed {
        return Some(unseen());
    }
    if progress.updated < declared.desired {
        if declared.on_delete {
            let words = "pods are replaced only when they are deleted (OnDelete)";
            return Some((RolloutState::Paused, words.into()));
        }
        return Some((RolloutState::Running, format!("{} of {} updated", progress.updated, declared.desired).into()));
    }
    settling(declared).map(|words| (RolloutState::Running, words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::intern::Interner;
    use crate::engine::kubernetes::convert::Key;
    use crate::engine::kubernetes::convert::declared::object;
    use crate::engine::kubernetes::convert::object::Object;
    use crate::engine::kubernetes::watch::Kind;

    fn told(kind: Kind, json: &str) -> String {
        let wire = serde_json::from_str(json).unwrap();
        let Some(Object::Declared(declared)) = object(kind, &wire, &Key::default(), &mut Interner::default()) else { panic!() };
        of(&declared, 0).map_or_else(|| "through".into(), |r| format!("{:?} {}: {}", r.state, r.outdated, r.message))
    }

    #[test]
    fn a_deployment_is_through_when_kubectl_says_so() {
        let with = |spec: &str, status: &str| {
            format!(r#"{{"metadata":{{"generation":3}},"spec":{{"replicas":3{spec}}},"status":{{{status}}}}}"#)
        };
        let progressing = |status: &str, reason: &str| {
            format!(r#","conditions":[{{"type":"Progressing","status":"{status}","reason":"{reason}","message":"m"}}]"#)
        };
        let numbers = |observed: i64, replicas: u32, updated: u32, ready: u32, available: u32| {
            format!(
                r#""observedGeneration":{observed},"replicas":{replicas},"updatedReplicas":{updated},"readyReplicas":{ready},"availableReplicas":{available}"#
            )
        };
        let updating = progressing("True", "ReplicaSetUpdated");
        let through = progressing("True", THROUGH);
        let table = [
            ("", numbers(2, 3, 3, 3, 3) + &through, "Running 0: the controller has not seen the last change yet"),
            ("", numbers(3, 4, 1, 3, 3) + &updating, "Running 3: 1 of 3 updated"),
            ("", numbers(3, 4, 3, 3, 3) + &updating, "Running 1: 1 old ones still to go"),
            ("", numbers(3, 3, 3, 2, 2) + &updating, "Running 0: 2 of 3 available"),
            (r#","minReadySeconds":9"#, numbers(3, 3, 3, 3, 1) + &updating, "Running 0: 2 ready for less than 9 s"),
            ("", numbers(3, 3, 3, 3, 3) + &through, "through"),
            // A pod that is lost later is no rollout.
            ("", numbers(3, 3, 3, 2, 2) + &through, "through"),
            ("", numbers(3, 4, 1, 3, 3) + &progressing("False", DEADLINE), "Paused 3: ProgressDeadlineExceeded: m"),
            // The complaint is of the definition before.
            (
                "",
                numbers(2, 4, 1, 3, 3) + &progressing("False", DEADLINE),
                "Running 3: the controller has not seen the last change yet",
            ),
            (r#","paused":true"#, numbers(3, 3, 0, 3, 3), "Paused 3: it is paused"),
        ];
        for (spec, status, expected) in table {
            assert_eq!(told(Kind::Deployment, &with(spec, &status)), expected, "{spec} {status}");
        }
    }

    #[test]
    fn sets_that_hold_pods_back_say_so() {
        let stateful = |strategy: &str, updated: u32| {
            format!(
                r#"{{"metadata":{{"generation":2}},"spec":{{"replicas":3,"updateStrategy":{strategy}}},"status":{{"observedGeneration":2,
                "replicas":3,"readyReplicas":3,"availableReplicas":3,"updatedReplicas":{updated},"currentRevision":"a","updateRevision":"b"}}}}"#
            )
        };
        let table = [
            (r#"{"type":"RollingUpdate"}"#, 1, "Running 2: 1 of 3 updated"),
            (r#"{"type":"OnDelete"}"#, 1, "Paused 0: pods are replaced only when they are deleted (OnDelete)"),
            (r#"{"type":"RollingUpdate","rollingUpdate":{"partition":2}}"#, 1, "Paused 0: the first 2 are held back (partition)"),
            (r#"{"type":"RollingUpdate","rollingUpdate":{"partition":1}}"#, 1, "Running 0: 1 of 2 updated"),
        ];
        for (strategy, updated, expected) in table {
            assert_eq!(told(Kind::StatefulSet, &stateful(strategy, updated)), expected);
        }
    }
}
