//! Replies of a Swarm manager as it gave them, made into environments: services whose tasks run, fail, wait for a node or
//! are done, an update that was paused, a lock, networks and nodes.

use std::collections::HashMap;
use std::fmt::Write as _;

use expect_test::expect;
use jiff::Timestamp;
use quarterdeck::engine::docker::convert::{Interner, Places, Seen, list};
use quarterdeck::engine::docker::swarm::look::{Answer, Around, Look};
use quarterdeck::engine::docker::swarm::{Membership, environments};
use quarterdeck::model::{Health, RolloutState, Snapshot, Verb};
use serde::de::DeserializeOwned;
use std::sync::Arc;

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/engines/recorded/swarm-20.10/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn places() -> Places {
    Places {
        connection: "local".into(),
        endpoint: "unix:///d.sock".into(),
        specs: Vec::new().into(),
        discover: true,
        projects: std::collections::BTreeSet::new(),
    }
}

fn now() -> Timestamp {
    "2026-11-21T16:43:34Z".parse().unwrap()
}

fn manager() -> Look {
    let around = Around { nodes: read("nodes"), networks: read("networks"), configs: read("configs") };
    Look { at: now(), answer: Answer::Manager { services: read("services"), tasks: read("tasks"), around: Some(around) } }
}

fn shown(membership: &Membership, seen: &[Seen]) -> Vec<Arc<Snapshot>> {
    environments(membership, &places(), (seen, &HashMap::new()), None, now())
}

fn containers(interner: &mut Interner) -> Vec<Seen> {
    let path = format!("{}/tests/engines/recorded/swarm-20.10/containers.json", env!("CARGO_MANIFEST_DIR"));
    let mut seen = Vec::new();
    list::read(&std::fs::read(path).unwrap(), |listed| seen.extend(Seen::new(listed, None, interner))).unwrap();
    seen
}

fn say(snapshots: &[Arc<Snapshot>]) -> String {
    let mut out = String::new();
    for snapshot in snapshots {
        let environment = &snapshot.environment;
        writeln!(out, "{} ({} · {})", environment.id.name, environment.engine, environment.endpoint).unwrap();
        for (what, words) in &snapshot.facts {
            writeln!(out, "  {what}: {words}").unwrap();
        }
        if let Some(lock) = &snapshot.lock {
            writeln!(out, "  locked by {}: {}", lock.by, lock.why).unwrap();
        }
        for note in &snapshot.notes {
            writeln!(out, "  note: {note}").unwrap();
        }
        for w in &snapshot.workloads {
            let verdict = w.verdict.health;
            writeln!(out, "  {} {} {}/{} {verdict} {} rev {:?}", w.kind, w.id, w.ready, w.desired, w.image, w.revision).unwrap();
            for reason in &w.verdict.reasons {
                writeln!(out, "    because {reason}").unwrap();
            }
            if let Some(rollout) = &w.rollout {
                writeln!(out, "    rollout {:?}, {} outdated", rollout.state, rollout.outdated).unwrap();
            }
            for i in &w.instances {
                let node = i.node.as_deref().unwrap_or("no node");
                let health = i.verdict.health;
                write!(out, "    {} {} {} {health} on {node}, rev {:?}", i.number, i.name, i.state, i.revision).unwrap();
                let exit = i.exit_code.map(|code| format!(", exit {code}")).unwrap_or_default();
                let ports = if i.fixed_ports.is_empty() { String::new() } else { format!(", holds {:?}", i.fixed_ports) };
                let far = if i.elsewhere.is_some() { ", elsewhere" } else { "" };
                writeln!(out, ", {} failed before{exit}{ports}{far}", i.restarts).unwrap();
            }
        }
    }
    out
}

#[test]
fn a_manager_tells_services_and_tasks() {
    let mut interner = Interner::default();
    let seen = containers(&mut interner);
    let mut membership = Membership::default();
    membership.take(manager(), &mut interner);
    expect![[r#"
        shop (swarm · unix:///d.sock · stack shop)
          networks: ingress (overlay, not encrypted, ingress), sealed (overlay, encrypted), shop_back (overlay, not encrypted)
          ingress ports: 18091->8080/tcp
          secrets: shop_db_password
          nodes: vm (leader, ready)
          locked by ada@desk: deploy web
          Service api 2/2 degraded 127.0.0.1:1/none:2 rev Some(2)
            because the update is paused: update paused due to failure or early termination of task u4nfgy656z7i35fka7ilmjuic
            because shop_api.1: No such image: 127.0.0.1:1/none:2
            rollout Paused, 2 outdated
            1 shop_api.1 exited unhealthy on vm, rev Some(2), 2 failed before
            1 shop_api.1 running healthy on vm, rev Some(1), 0 failed before
            2 shop_api.2 running healthy on vm, rev Some(1), 0 failed before
          Service every 1/1 healthy qd-test/app:1 rev Some(1)
            1 shop_every.vm running healthy on vm, rev Some(1), 0 failed before
          Service web 1/2 degraded qd-test/app:1 rev Some(1)
            because shop_web.2: no suitable node (host-mode port already in use on 1 node)
            1 shop_web.1 running healthy on vm, rev Some(1), 0 failed before, holds [18090]
            2 shop_web.2 created unhealthy on no node, rev Some(1), 0 failed before, holds [18090]
        swarm (swarm · unix:///d.sock · services without a stack)
          nodes: vm (leader, ready)
          Service crash 0/1 unhealthy qd-test/app:1 rev Some(1)
            because crash.1: task: non-zero exit (3)
            because crash.1: waits for the one before it to end
            1 crash.1 created starting on vm, rev Some(1), 1 failed before
            1 crash.1 exited unhealthy on vm, rev Some(1), 0 failed before, exit 3
          Job job 0/0 stopped qd-test/app:1 rev Some(1)
            1 job.vm exited stopped on vm, rev Some(1), 0 failed before, exit 0
          Service none 0/1 unhealthy 127.0.0.1:1/none:1 rev Some(1)
            because No such image: 127.0.0.1:1/none:1
            1 none.1 exited unhealthy on vm, rev Some(1), 1 failed before
          Service nowhere 0/1 unhealthy qd-test/app:1 rev Some(1)
            because no suitable node (scheduling constraints not satisfied on 1 node)
            1 nowhere.1 created unhealthy on no node, rev Some(1), 0 failed before
    "#]]
    .assert_eq(&say(&shown(&membership, &seen)));
}

#[test]
fn tasks_of_other_nodes_are_shown_and_not_entered() {
    let mut interner = Interner::default();
    let mut membership = Membership::default();
    membership.take(manager(), &mut interner);
    let snapshots = shown(&membership, &[]);
    let shop = snapshots.iter().find(|s| &*s.environment.id.name == "shop").unwrap();
    let every = shop.workload(&"every".into()).unwrap();
    let why = every.instances[0].elsewhere.as_deref().unwrap();
    assert_eq!(why, "it runs on vm, and this is the engine of another node: connect to that one");
    assert!(every.capabilities.denied[&Verb::Shell].contains("none of it runs on this node"));
    assert!(every.instances[0].started_at.is_some(), "since when is all that is known");
}

#[test]
fn what_is_lost_is_said_and_not_emptied() {
    let mut interner = Interner::default();
    let mut membership = Membership::default();
    membership.take(manager(), &mut interner);
    let whole = shown(&membership, &[]);
    let lost = Look { at: now(), answer: Answer::Trouble("The swarm does not have a leader.".into()) };
    membership.take(lost.clone(), &mut interner);
    let kept = shown(&membership, &[]);
    assert_eq!(kept.len(), whole.len());
    for (kept, whole) in kept.iter().zip(&whole) {
        for (kept, whole) in kept.workloads.iter().zip(&whole.workloads) {
            assert_eq!(kept.instances, whole.instances);
            assert_eq!(kept.verdict.health, whole.verdict.health.max(Health::Unknown), "nobody knows how it is now");
        }
        let note = &kept.notes[0];
        assert_eq!(
            &**note,
            "the Swarm has not answered since 16:43:34 UTC: what is shown is from before (The swarm does not have a leader)"
        );
    }
    // Never seen before: its place is there, and says why it is empty.
    let mut fresh = Membership::default();
    fresh.take(lost, &mut interner);
    assert!(!fresh.shows_tasks(), "the containers of its tasks are shown by themselves");
    let snapshots = shown(&fresh, &[]);
    assert_eq!((snapshots.len(), &*snapshots[0].environment.id.name), (1, "swarm"));
    assert!(snapshots[0].notes[0].contains("does not have a leader"));
    for (answer, shows) in [(Answer::Outside, false), (Answer::Worker, false)] {
        let mut membership = Membership::default();
        membership.take(Look { at: now(), answer }, &mut interner);
        assert_eq!((shown(&membership, &[]).len(), membership.shows_tasks()), (0, shows));
    }
}

#[test]
fn what_did_not_change_is_shared_and_an_update_is_followed() {
    let mut interner = Interner::default();
    let mut membership = Membership::default();
    membership.take(manager(), &mut interner);
    let first = shown(&membership, &[]);
    let inventory = quarterdeck::model::Inventory {
        at: now(),
        engine: "Docker".into(),
        basis: "".into(),
        environments: first.clone(),
        drills: Vec::new(),
    };
    membership.take(manager(), &mut interner);
    let again = environments(&membership, &places(), (&[], &HashMap::new()), Some(&inventory), now());
    assert!(first.iter().zip(&again).all(|(a, b)| Arc::ptr_eq(a, b)));
    let mut look = manager();
    let Answer::Manager { services, .. } = &mut look.answer else { unreachable!() };
    let api = services.iter_mut().find(|s| s.spec.name == "shop_api").unwrap();
    for (word, state) in [
        ("updating", Some(RolloutState::Running)),
        ("rollback_started", Some(RolloutState::GoingBack)),
        ("rollback_paused", Some(RolloutState::Paused)),
        ("rollback_completed", Some(RolloutState::GoneBack)),
    ] {
        api.update_status.as_mut().unwrap().state = word.into();
        let mut membership = Membership::default();
        let Answer::Manager { tasks, .. } = manager().answer else { unreachable!() };
        let services = vec![api.clone()];
        membership.take(Look { at: now(), answer: Answer::Manager { services, tasks, around: None } }, &mut interner);
        let seen = shown(&membership, &[]);
        assert_eq!(seen[0].workloads[0].rollout.as_ref().map(|r| r.state), state, "{word}");
        let moving = membership.cluster().is_some_and(quarterdeck::engine::docker::swarm::Cluster::is_moving);
        assert!(moving || !matches!(state, Some(RolloutState::Running | RolloutState::GoingBack)), "{word}");
    }
}
