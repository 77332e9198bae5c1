//! Whatever is done in whatever order, the demo world stays sound.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::act_tests::{fresh, known as reference, revision};
use super::still::Still;
use crate::model::{Health, InstanceState, OperationId};
use crate::operate::action::{Action, Replica};

/// One of many things a person might do, chosen by numbers.
fn some_action(still: &Still, kind: u8, which: usize, n: u32) -> Action {
    let inventory = still.inventory();
    let workloads: Vec<_> = inventory.environments.iter().flat_map(|s| s.workloads.iter().map(move |w| (s, w))).collect();
    let (snapshot, workload) = workloads[which % workloads.len()];
    let environment = snapshot.environment.id.clone();
    let instance = workload.instances.get(n as usize % workload.instances.len().max(1));
    let id = instance.map_or_else(|| "none".into(), |i| i.id.clone());
    let i = || reference(&id);
    let next = workload.revisions.first().map_or(1, |r| r.number + 1);
    let id_of = |n: u32| OperationId::new(format!("op-{n}"));
    let image: Arc<str> =
        format!("{}:{}", workload.image.split(':').next().unwrap(), ["1.9", "2.0-broken", "3.0-crash"][n as usize % 3]).into();
    match kind % 16 {
        0 => Action::Start { instance: i() },
        1 => Action::Stop { instance: i(), grace: None },
        2 => Action::Restart { instance: i(), grace: None },
        3 => Action::Pause { instance: i() },
        4 => Action::Unpause { instance: i() },
        5 => Action::Kill { instance: i(), signal: "SIGKILL".into() },
        6 => Action::Remove { instance: i(), force: n.is_multiple_of(2) },
        7 => Action::SetAside { instance: i() },
        8 => Action::BringBack { instance: i() },
        9 => Action::SetReplicas { environment, workload: workload.id.clone(), replicas: n % 7 },
        10 => Action::SetImage {
            environment,
            workload: workload.id.clone(),
            container: None,
            revision: revision(next, &image),
            pacing: None,
        },
        11 => Action::Rollout { environment, workload: workload.id.clone(), operation: id_of(n), pacing: None },
        12 => Action::Drill { name: inventory.drills[n as usize % 4].0.clone() },
        13 => Action::EnsureImage { environment, image, digest: None },
        14 => Action::Revert {
            environment,
            workload: workload.id.clone(),
            to: u64::from(n % 4) + 1,
            revision: revision(next, ""),
            pacing: None,
        },
        _ => Action::Create {
            operation: id_of(n),
            replica: Box::new(Replica {
                environment,
                workload: workload.id.clone(),
                like: id.clone(),
                slot: n,
                number: Some(n % 12 + 1),
                image: None,
                digest: None,
                revisions: None,
                hidden: false,
            }),
        },
    }
}

fn check(still: &Still, at: Timestamp) -> Result<(), TestCaseError> {
    for snapshot in &still.inventory().environments {
        for w in &snapshot.workloads {
            let replicas = w.replicas().count();
            prop_assert!(w.ready as usize <= replicas, "{} has {} ready of {replicas} at {at}", w.id, w.ready);
            prop_assert!(w.instances.len() <= 60 && w.revisions.len() <= 10);
            prop_assert!(w.instances.is_sorted_by_key(|i| (i.number, i.id.clone())));
            prop_assert!(w.verdict.health != Health::Healthy || w.ready >= w.desired, "{w:?}");
            prop_assert!(w.verdict.health != Health::Healthy || w.verdict.reasons.is_empty());
            for i in &w.instances {
                prop_assert!(i.verdict.health == Health::Healthy || !i.verdict.reasons.is_empty(), "{i:?}");
                prop_assert!(
                    i.state == InstanceState::Running || !matches!(i.verdict.health, Health::Healthy | Health::Starting)
                );
            }
        }
        let mut ids: Vec<_> = snapshot.workloads.iter().flat_map(|w| &w.instances).map(|i| i.name.clone()).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count, "two instances of one name");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_the_world_stays_sound(deeds in proptest::collection::vec((0..16_u8, 0..64_usize, 0..24_u32, 0..20_u64), 1..40)) {
        let mut still = fresh();
        for (kind, which, n, quarters) in deeds {
            let action = some_action(&still, kind, which, n);
            let first = still.execute(&action);
            if first.is_ok() && !matches!(action, Action::Drill { .. }) {
                prop_assert!(still.execute(&action).is_ok(), "harmless when repeated: {:?}", action);
            }
            check(&still, still.now())?;
            still.advance(Duration::from_millis(250 * quarters));
            check(&still, still.now())?;
        }
    }
}
