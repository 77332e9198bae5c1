//! Every incident shows in health and in the logs, goes on, and is mended the way a person would mend it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::incident::Incident;
use super::still::Still;
use super::world_tests::{lines, logs_of, noon, query};
use crate::engine::{EngineError, LogQuery, Topic, Update};
use crate::model::{Health, Instance, InstanceState, Item, Revision, Workload};
use crate::operate::action::{Accepted, Action, InstanceRef, Replica};

fn workload(still: &Still, environment: &str, name: &str) -> Arc<Workload> {
    let inventory = still.inventory();
    let snapshot = inventory.environments.iter().find(|s| &*s.environment.id.name == environment).unwrap();
    snapshot.workload(&name.into()).unwrap().clone()
}

fn health(still: &Still, environment: &str, name: &str) -> Health {
    workload(still, environment, name).verdict.health
}

fn first(still: &Still, environment: &str, name: &str) -> Arc<Instance> {
    workload(still, environment, name).instances[0].clone()
}

fn known(instance: &Instance) -> InstanceRef {
    InstanceRef::Known(instance.id.clone())
}

fn all_well(still: &Still) -> bool {
    still.inventory().environments.iter().flat_map(|s| &s.workloads).all(|w| w.verdict.health == Health::Healthy)
}

fn begun(incident: Incident, seconds: u64) -> (Still, Vec<Item>) {
    let mut still = Still::new(7, Some(incident.name()), noon()).unwrap();
    let mut updates = still.follow(&BTreeSet::from([Topic::Inventory]));
    updates.extend(still.advance(Duration::from_secs(seconds)));
    let items = updates.into_iter().filter_map(|(_, u)| if let Update::Events(items) = u { Some(items) } else { None });
    (still, items.flatten().collect())
}

fn happened(items: &[Item], what: &str) -> usize {
    items.iter().filter(|i| &*i.what == what && i.at >= noon()).count()
}

#[test]
fn a_bad_deploy_crash_loops_beside_the_old_pods_and_a_roll_back_mends_it() {
    let (mut still, items) = begun(Incident::BadDeploy, 40);
    let backend = workload(&still, "production", "backend");
    assert_eq!((backend.ready, backend.desired, backend.verdict.health), (3, 3, Health::Degraded), "{backend:#?}");
    assert_eq!(backend.instances.len(), 4, "one more than wanted, none fewer");
    let bad = backend.instances.iter().find(|i| i.revision == backend.revision).unwrap();
    assert_eq!(bad.state, InstanceState::Restarting);
    let reason = &bad.verdict.reasons[0];
    assert!(reason.starts_with("CrashLoopBackOff: exit 1 (3 times in a row), last line: GOOGLE_API_KEY is not set"), "{reason}");
    assert!(happened(&items, "deploy") == 1 && happened(&items, "die") >= 2, "{items:#?}");
    let log = logs_of(&mut still, &bad.id, None);
    assert!(
        log.iter().any(|l| l.contains("GOOGLE_API_KEY is not set")) && log.iter().any(|l| l.starts_with("[exited 1")),
        "{log:#?}"
    );
    let previous = Topic::Logs(LogQuery { previous: true, ..query(&bad.id, None) });
    assert!(lines(&still.follow(&BTreeSet::from([previous]))).iter().any(|l| l.contains("is not set")));

    let good = backend.revisions[1].clone();
    let revision = Revision { number: backend.revisions[0].number + 1, by: Some("lan@bastion-1".into()), ..good.clone() };
    let environment = still.inventory().environments[1].environment.id.clone();
    let revert = Action::Revert { environment, workload: "backend".into(), to: good.number, revision, pacing: None };
    still.execute(&revert).unwrap();
    still.advance(Duration::from_secs(10));
    let backend = workload(&still, "production", "backend");
    assert_eq!((backend.ready, backend.instances.len(), backend.verdict.health), (3, 3, Health::Healthy), "{backend:#?}");
    assert_eq!(backend.image, good.image);
    assert!(backend.instances.iter().all(|i| i.revision == backend.revision && i.restarts == 0), "the old pods never went");
    assert!(still.world().playing.is_empty());
}

#[test]
fn an_open_breaker_complains_until_the_slow_node_is_restarted() {
    let (mut still, _) = begun(Incident::BreakerOpen, 25);
    let app = workload(&still, "local", "app_ap");
    assert_eq!((app.verdict.health, app.ready), (Health::Unhealthy, 0));
    let check = &app.instances[0].checks[0];
    assert!(check.health == Health::Unhealthy && check.output.contains(r#""circuit_breaker":"OPEN""#), "{check:?}");
    assert_eq!(health(&still, "local", "db_g2"), Health::Degraded);
    assert_eq!(health(&still, "local", "app_cp"), Health::Healthy);
    assert!(
        logs_of(&mut still, &app.instances[0].id, Some(20))
            .iter()
            .any(|l| l.contains("ERROR") && l.contains("circuit breaker OPEN"))
    );

    still.execute(&Action::Restart { instance: known(&app.instances[0]), grace: None }).unwrap();
    still.advance(Duration::from_secs(20));
    assert_eq!(health(&still, "local", "app_ap"), Health::Unhealthy, "restarting the symptom does not help for long");

    let node = first(&still, "local", "db_g2");
    still.execute(&Action::Restart { instance: known(&node), grace: None }).unwrap();
    still.advance(Duration::from_secs(30));
    assert!(all_well(&still) && still.world().playing.is_empty());
}

#[test]
fn a_leak_ends_in_out_of_memory_again_and_again_until_another_image_runs() {
    let (mut still, items) = begun(Incident::MemoryLeak, 300);
    let app = workload(&still, "staging", "app");
    assert!(app.restarts() >= 4, "{} restarts", app.restarts());
    assert!(happened(&items, "oom") >= 4 && happened(&items, "degraded") >= 2);
    assert!(items.iter().any(|i| &*i.what == "die" && i.detail.contains("137")));
    assert!(logs_of(&mut still, &app.instances[0].id, None).iter().any(|l| l.contains("memory above 85 %")));

    let image: Arc<str> = app.revisions[1].image.clone();
    for (slot, old) in (0..).zip(&app.instances) {
        still.execute(&Action::SetAside { instance: known(old) }).unwrap();
        let replica = Replica {
            environment: still.inventory().environments[2].environment.id.clone(),
            workload: "app".into(),
            like: old.id.clone(),
            slot,
            number: None,
            image: Some(image.clone()),
            digest: None,
            revisions: None,
            hidden: false,
        };
        let made = still.execute(&Action::Create { operation: "op".into(), replica: Box::new(replica) });
        let Ok(Accepted::Made(id)) = made else { panic!("{made:?}") };
        still.execute(&Action::Start { instance: InstanceRef::Known(id) }).unwrap();
        still.execute(&Action::Remove { instance: known(old), force: true }).unwrap();
    }
    still.advance(Duration::from_mins(4));
    assert!(all_well(&still) && still.world().playing.is_empty());
    assert_eq!(workload(&still, "staging", "app").restarts(), 0);
}

#[test]
fn a_database_that_is_down_takes_its_dependents_along_and_starting_it_mends_them() {
    let (mut still, items) = begun(Incident::DbDown, 20);
    let db = workload(&still, "staging", "postgres");
    assert_eq!((db.verdict.health, db.ready, db.desired), (Health::Unhealthy, 0, 1));
    assert!(db.verdict.reasons[0].contains("No space left on device"), "{:?}", db.verdict);
    let app = workload(&still, "staging", "app");
    assert_eq!(app.verdict.health, Health::Degraded);
    assert!(app.verdict.reasons.iter().all(|r| r.contains("postgres does not answer")), "{:?}", app.verdict);
    assert!(logs_of(&mut still, &app.instances[0].id, Some(30)).iter().any(|l| l.contains("postgres: connection refused")));
    assert_eq!(happened(&items, "die"), 1, "it does not come back by itself");

    still.execute(&Action::Start { instance: known(&db.instances[0]) }).unwrap();
    still.advance(Duration::from_secs(30));
    assert!(all_well(&still) && still.world().playing.is_empty());
}

#[test]
fn playing_an_incident_again_ends_it() {
    for incident in Incident::ALL {
        let (mut still, items) = begun(incident, 30);
        assert!(!all_well(&still) || incident == Incident::MemoryLeak, "{incident}");
        assert_eq!(happened(&items, "drill"), 1);
        still.execute(&Action::Drill { name: incident.name().into() }).unwrap();
        still.advance(Duration::from_secs(60));
        assert!(all_well(&still), "{incident} has ended: {:#?}", still.inventory().environments);
        still.execute(&Action::Drill { name: incident.name().into() }).unwrap();
        assert_eq!(still.world().playing.len(), 1, "{incident} begins anew");
    }
}

#[test]
fn several_incidents_go_on_side_by_side() {
    let (mut still, _) = begun(Incident::DbDown, 5);
    for incident in [Incident::BadDeploy, Incident::BreakerOpen, Incident::MemoryLeak] {
        still.execute(&Action::Drill { name: incident.name().into() }).unwrap();
    }
    still.advance(Duration::from_secs(120));
    let sick: Vec<_> =
        still.inventory().environments.iter().map(|s| s.workloads.iter().any(|w| w.verdict.health > Health::Starting)).collect();
    assert_eq!(sick, [true, true, true]);
}

#[test]
fn an_unknown_incident_is_refused_with_the_known_ones() {
    let error = Still::new(7, Some("meteor"), noon()).unwrap_err();
    assert!(matches!(error, EngineError::Unsupported { .. }));
    for incident in Incident::ALL {
        assert!(error.to_string().contains(incident.name()), "{error}");
    }
}
