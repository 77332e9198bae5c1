//! The demo world by itself: the same from the same seed, however it is stepped, and lively.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::still::Still;
use super::view;
use super::world::{Terms, World};
use crate::config::EnvironmentSpec;
use crate::engine::{LogQuery, Subject, Topic, Update};
use crate::model::{EngineKind, Guard, Health, InstanceId, Link, Mechanics, Sample, Tier};
use crate::observe::log::Store;
use crate::operate::Policy;

pub(super) fn noon() -> Timestamp {
    "2026-11-14T14:03:00Z".parse().unwrap()
}

pub(super) fn query(instance: &InstanceId, tail: Option<u64>) -> LogQuery {
    LogQuery { tail, follow: true, ..LogQuery::of(instance.clone()) }
}

/// The lines of these updates in the order a log view has them, markers in brackets.
pub(super) fn lines(updates: &[(Timestamp, Update)]) -> Vec<String> {
    let mut store = Store::new(64 << 20);
    for (_, update) in updates {
        if let Update::Logs(batch) = update {
            store.push(batch);
        }
    }
    let views = (0..store.len()).filter_map(|i| store.get(i));
    views.map(|v| if v.marker.is_some() { format!("[{}]", v.text) } else { v.text.to_owned() }).collect()
}

pub(super) fn logs_of(still: &mut Still, id: &InstanceId, tail: Option<u64>) -> Vec<String> {
    lines(&still.follow(&BTreeSet::from([Topic::Logs(query(id, tail))])))
}

#[test]
fn the_same_seed_makes_the_same_world_and_another_seed_another() {
    let after = |seed| {
        let mut world = World::new(seed, noon());
        world.step(Duration::from_secs(60));
        format!("{world:?}")
    };
    assert_eq!(after(7), after(7));
    assert_ne!(after(7), after(8));
}

#[test]
fn time_in_pieces_is_time_at_once() {
    let mut at_once = World::new(7, noon());
    at_once.step(Duration::from_secs(30));
    let mut in_pieces = World::new(7, noon());
    for _ in 0..300 {
        in_pieces.step(Duration::from_millis(100));
    }
    assert_eq!(format!("{at_once:?}"), format!("{in_pieces:?}"));
}

#[test]
fn it_begins_with_everything_well_and_stays_so() {
    let mut still = Still::new(7, None, noon()).unwrap();
    for _ in 0..3 {
        let inventory = still.inventory();
        let names: Vec<&str> = inventory.environments.iter().map(|s| &*s.environment.id.name).collect();
        assert_eq!(names, ["local", "production", "staging"]);
        for snapshot in &inventory.environments {
            assert!(snapshot.workloads.len() >= 4);
            for workload in &snapshot.workloads {
                assert_eq!((workload.verdict.health, workload.ready), (Health::Healthy, workload.desired), "{}", workload.id);
                assert!(workload.revisions.len() >= 2 && workload.revision == workload.revisions.first().map(|r| r.number));
                assert!(workload.revisions.windows(2).all(|w| w[0].number > w[1].number && w[0].at > w[1].at));
            }
        }
        still.advance(Duration::from_mins(5));
    }
}

#[test]
fn the_environments_say_what_they_are() {
    let inventory = Still::new(7, None, noon()).unwrap().inventory();
    let table = [
        ("local", Tier::Local, EngineKind::Compose, Mechanics::Instances, Guard::Open),
        ("production", Tier::Production, EngineKind::Kubernetes, Mechanics::Declared, Guard::Type),
        ("staging", Tier::Staging, EngineKind::Compose, Mechanics::Instances, Guard::Confirm),
    ];
    for ((name, tier, engine, mechanics, guard), snapshot) in table.into_iter().zip(&inventory.environments) {
        let e = &snapshot.environment;
        assert_eq!((&*e.id.name, e.tier, e.engine, e.mechanics, e.guard), (name, tier, engine, mechanics, guard));
        assert!(e.endpoint.starts_with(&format!("demo://seed-7/{name}")), "{}", e.endpoint);
    }
    assert_eq!(inventory.drills.len(), 4);
}

#[test]
fn a_configured_environment_has_its_own_name_and_guard() {
    let guard = Guard::ReadOnly;
    let policy = Policy::of(guard);
    let spec = EnvironmentSpec {
        name: "acceptance".into(),
        tier: Tier::Production,
        guard,
        engine: EngineKind::Demo,
        project: "staging".into(),
        files: Vec::new(),
        env_file: None,
        policy,
    };
    let terms = Terms { environments: vec![spec], discover: false, ..Terms::default() };
    let world = World::with(&terms, noon());
    let inventory = view::inventory(&world, None);
    assert_eq!(inventory.environments.len(), 1);
    let e = &inventory.environments[0].environment;
    assert_eq!((&*e.id.name, e.tier, e.guard), ("acceptance", Tier::Production, guard));
}

#[test]
fn what_has_not_changed_is_shared() {
    let mut world = World::new(7, noon());
    let first = view::inventory(&world, None);
    let again = view::inventory(&world, Some(&first));
    assert!(view::is_same(&first, &again));
    world.step(Duration::from_secs(4));
    let later = view::inventory(&world, Some(&first));
    let (mut shared, mut new) = (0, 0);
    for (a, b) in first.environments.iter().zip(&later.environments) {
        for (v, w) in a.workloads.iter().zip(&b.workloads) {
            for (i, j) in v.instances.iter().zip(&w.instances) {
                if Arc::ptr_eq(i, j) { shared += 1 } else { new += 1 }
            }
        }
    }
    assert!(shared > 0 && new > 0, "{shared} shared, {new} checked meanwhile");
}

#[test]
fn every_instance_has_a_history_in_order_and_goes_on() {
    let mut still = Still::new(7, None, noon()).unwrap();
    let inventory = still.inventory();
    let instances: Vec<_> = inventory.environments.iter().flat_map(|s| &s.workloads).flat_map(|w| &w.instances).collect();
    for instance in instances {
        let before = logs_of(&mut still, &instance.id, None);
        assert!(before.len() >= 100, "{} has {} lines", instance.name, before.len());
        assert_eq!(logs_of(&mut still, &InstanceId::new("none"), None).len(), 1, "the one before is forgotten");
        assert_eq!(logs_of(&mut still, &instance.id, Some(5)).len(), 5, "{}", instance.name);
        let unit = still.world().unit(&instance.id).unwrap();
        let times: Vec<Timestamp> = unit.journal.from(0).1.map(|(_, l)| l.at).collect();
        assert!(times.is_sorted() && times.iter().all(|at| *at <= noon()), "{}", instance.name);
    }
    let busy = inventory.environments[2].workloads[0].instances[0].id.clone();
    let more = logs_of(&mut still, &busy, Some(0)).len() + lines(&still.advance(Duration::from_secs(30))).len();
    assert!((10..200).contains(&more), "{more} lines in 30 s");
}

#[test]
fn a_log_can_be_asked_for_from_a_moment_on_and_without_following() {
    let mut still = Still::new(7, None, noon()).unwrap();
    let id = still.inventory().environments[1].workloads[0].instances[0].id.clone();
    let since = super::moment::shift(noon(), -60.0);
    let topic = Topic::Logs(LogQuery { since: Some(since), follow: false, ..query(&id, None) });
    let recent = lines(&still.follow(&BTreeSet::from([topic.clone()])));
    assert!((10..200).contains(&recent.len()), "{}", recent.len());
    assert!(lines(&still.advance(Duration::from_secs(20))).is_empty(), "it has ended");
}

#[test]
fn figures_breathe_and_counters_only_grow() {
    let mut still = Still::new(7, None, noon()).unwrap();
    let inventory = still.inventory();
    let instances: BTreeSet<InstanceId> =
        inventory.environments.iter().flat_map(|s| &s.workloads).flat_map(|w| &w.instances).map(|i| i.id.clone()).collect();
    let count = instances.len();
    let mut updates = still.follow(&BTreeSet::from([Topic::Stats { instances, every: Duration::from_secs(2) }]));
    updates.extend(still.advance(Duration::from_mins(2)));
    let rounds: Vec<&Vec<Sample>> =
        updates.iter().filter_map(|(_, u)| if let Update::Samples(samples) = u { Some(samples) } else { None }).collect();
    assert_eq!(rounds.len(), 61);
    for pair in rounds.windows(2) {
        assert_eq!(pair[0].len(), count);
        for (a, b) in pair[0].iter().zip(pair[1]) {
            assert!(b.cpu_cores.unwrap() > 0.0 && b.cpu_cores.unwrap() < 2.0);
            assert!(b.memory_bytes < b.memory_limit_bytes);
            assert!(
                b.net_rx_bytes > a.net_rx_bytes && b.net_tx_bytes > a.net_tx_bytes && b.block_write_bytes >= a.block_write_bytes
            );
        }
    }
    let cpu: Vec<f64> = rounds.iter().filter_map(|r| r[0].cpu_cores).collect();
    let (low, high) = cpu.iter().fold((f64::MAX, 0.0_f64), |(l, h), c| (l.min(*c), h.max(*c)));
    assert!(high > low * 1.15, "a flat line is no life: {low} to {high}");
}

#[test]
fn a_definition_shows_no_secret() {
    let mut still = Still::new(7, None, noon()).unwrap();
    let inventory = still.inventory();
    for snapshot in &inventory.environments {
        for workload in &snapshot.workloads {
            let subjects = [
                Subject::Workload(snapshot.environment.id.clone(), workload.id.clone()),
                Subject::Instance(workload.instances[0].id.clone()),
            ];
            for subject in subjects {
                let updates = still.follow(&BTreeSet::from([Topic::Describe(subject.clone())]));
                let text = updates
                    .iter()
                    .find_map(|(_, u)| if let Update::Description(d) = u { Some(d.lines.join("\n")) } else { None });
                let text = text.unwrap_or_else(|| panic!("{subject:?} is described"));
                assert!(text.contains(&*workload.image), "{text}");
                let leaks = ["s3cr3t", "p4ss", "sk-demo", "AIza", "9f27c0ffee", "5d41402a", "demo-node-secret"];
                for secret in leaks {
                    assert!(!text.contains(secret), "{secret} in the definition of {}:\n{text}", workload.id);
                }
            }
        }
    }
}

#[test]
fn the_first_word_of_every_topic_is_that_it_is_live() {
    let mut still = Still::new(7, None, noon()).unwrap();
    let id = still.inventory().environments[0].workloads[0].instances[0].id.clone();
    for topic in [Topic::Inventory, Topic::Logs(query(&id, Some(1))), Topic::Describe(Subject::Instance(id.clone()))] {
        let updates = still.follow(&BTreeSet::from([topic]));
        assert!(matches!(&updates[0].1, Update::Link(Link::Live { latency_ms: Some(1..=20) })), "{updates:?}");
    }
}

#[test]
fn a_faster_world_prints_more_and_its_stamps_stay_true() {
    let lines_in = |speed_percent| {
        let terms = Terms { speed_percent, ..Terms::default() };
        let mut still = Still::with(&terms, None, noon()).unwrap();
        let id = still.inventory().environments[2].workloads[0].instances[0].id.clone();
        still.follow(&BTreeSet::from([Topic::Logs(query(&id, Some(0)))]));
        let count = lines(&still.advance(Duration::from_secs(20))).len();
        assert_eq!(still.now(), super::moment::shift(noon(), 20.0));
        count
    };
    assert!(lines_in(1000) > 4 * lines_in(100));
}

#[test]
fn a_world_that_slept_goes_on_where_it_was() {
    let mut world = World::new(7, noon());
    world.doze(Duration::from_secs(8 * 3600));
    world.step(Duration::from_secs(30));
    assert_eq!(world.now, super::moment::shift(noon(), 8.0 * 3600.0 + 30.0));
    let inventory = view::inventory(&world, None);
    assert!(inventory.environments.iter().flat_map(|s| &s.workloads).all(|w| w.verdict.health == Health::Healthy));
}
