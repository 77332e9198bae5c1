//! What stands around a deploy: checks, migration, gates, verification, notification, freezes; and runbooks.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;

use crate::model::*;
use crate::operate::errand::{Errand, Limit};
use crate::operate::machine::Outcome;
use crate::operate::policy::{Asked, Before, Condition, DeployPolicy, Freeze, Migration, Place, Policy};
use crate::operate::request::Operation;
use crate::operate::runbook::{Runbook, RunbookStep};
use crate::operate::{Action, Refusal};

use super::drive::{Run, Weather, ask, deploy, on, policy, run, shape};
use super::reading::text;
use super::world::{World, at};

pub fn probe() -> Arc<ProbeSpec> {
    Arc::new(ProbeSpec {
        workload: Some("backend".into()),
        ..ProbeSpec::of("api", ProbeKind::Http("http://{instance}:3000/health".into()))
    })
}

fn asked(asked: Asked, within: u64, hold: u64) -> Condition {
    Condition { asked, within: Duration::from_secs(within), hold: Duration::from_secs(hold) }
}

fn surrounded() -> Policy {
    let deploy = DeployPolicy {
        before: vec![
            Before::EnvFile { path: "/srv/.env".into(), required: vec!["DB_PASSWORD".into()] },
            Before::Certificate { address: "lms.example:443".into(), days: 14 },
            Before::Condition(asked(Asked::Person("Backup verified".into()), 0, 0)),
        ],
        gate: vec![asked(Asked::Probe(probe()), 20, 2)],
        migrate: Some(Migration { exec: vec!["migrate".into()], timeout: Duration::from_secs(60), place: Place::OneOff }),
        verify: vec![
            asked(Asked::Metric { name: "error_rate".into(), limit: Limit::Below(0.05) }, 30, 6),
            asked(Asked::Command { argv: vec!["npm".into(), "run".into()], timeout: Duration::from_secs(60) }, 0, 0),
        ],
        notify: vec!["https://hooks.example/secret-path".into()],
        ..policy().deploy
    };
    let scrape = ScrapeSpec {
        workload: Some("backend".into()),
        url: "http://{instance}:3000/metrics".into(),
        interval: Duration::from_secs(15),
        job: "backend".into(),
    };
    let scrapes = vec![Arc::new(scrape)];
    Policy { deploy, scrapes, probes: vec![probe()], ..policy() }
}

fn go(world: World, policy: &Policy, weather: &Weather) -> Run {
    let mut plan = ask(&world, &on("backend", deploy("backend:1.5.0")), policy, "op-1").unwrap();
    plan.confirmed.insert("Backup verified".into());
    run(world, plan, weather, "backend")
}

#[test]
fn the_whole_plan() {
    let plan = ask(&World::compose(), &on("backend", deploy("backend:1.5.0")), &surrounded(), "op-1").unwrap();
    assert_eq!(plan.before(), 3);
    assert_eq!(plan.previews().len(), 3, "two checks and the image: {:?}", plan.previews());
    assert_eq!(plan.asked().map(|t| &**t).collect::<Vec<_>>(), ["Backup verified"]);
    expect![[r#"
        deploy backend 1.4.2 → 1.5.0
          check .env: read /srv/.env: DB_PASSWORD set and no placeholder
          certificate of lms.example:443: TLS with lms.example:443: valid for 14 days more
          Backup verified: a person says that it is so
          have image backend:1.5.0: POST /images/create?fromImage=backend:1.5.0 (unless present)
          migrate backend: POST /containers/create and start: migrate in backend:1.5.0 (at most 60 s)   <- remove the one-off container
          set aside old backend-1: POST /containers/0001ffffffff/rename (out of the way)   <- bring back old backend-1
          create backend-1: POST /containers/create?name=lms_backend_1   <- remove backend-1
          start backend-1: POST /containers/lms_backend_1/start   <- stop backend-1
          wait for backend-1: wait: healthy within 20 s and for 5 s
          gate probe api: GET http://{instance}:3000/health: good within 20 s and for 2 s
          stop old backend-1: POST /containers/0001ffffffff/stop   <- start old backend-1, wait for old backend-1
          set aside old backend-2: POST /containers/0002ffffffff/rename (out of the way)   <- bring back old backend-2
          create backend-2: POST /containers/create?name=lms_backend_2   <- remove backend-2
          start backend-2: POST /containers/lms_backend_2/start   <- stop backend-2
          wait for backend-2: wait: healthy within 20 s and for 5 s
          gate probe api: GET http://{instance}:3000/health: good within 20 s and for 2 s
          stop old backend-2: POST /containers/0002ffffffff/stop   <- start old backend-2, wait for old backend-2
          set aside old backend-3: POST /containers/0003ffffffff/rename (out of the way)   <- bring back old backend-3
          create backend-3: POST /containers/create?name=lms_backend_3   <- remove backend-3
          start backend-3: POST /containers/lms_backend_3/start   <- stop backend-3
          wait for backend-3: wait: healthy within 20 s and for 5 s
          gate probe api: GET http://{instance}:3000/health: good within 20 s and for 2 s
          stop old backend-3: POST /containers/0003ffffffff/stop   <- start old backend-3, wait for old backend-3
          gate error_rate < 0.05: GET http://{instance}:3000/metrics: error_rate < 0.05: good within 30 s and for 6 s
          run npm run here: npm run on this machine (at most 60 s)
          look at all new ones again: wait: a fresh look shows them still healthy
          remove old backend-1: DELETE /containers/0001ffffffff (tidy)
          remove old backend-2: DELETE /containers/0002ffffffff (tidy)
          remove old backend-3: DELETE /containers/0003ffffffff (tidy)
          remove the one-off container: DELETE the one-off container (tidy)
          ~ backend.image: backend:1.4.2 => backend:1.5.0
          ~ backend.digest: sha256:backend:1.4. => as the tag says when it is pulled
          ~ backend.revision: 1 => 2
          ~ backend-1: 0001ffffffff (running) => a new container; the old one is removed once it held
          ~ backend-2: 0002ffffffff (running) => a new container; the old one is removed once it held
          ~ backend-3: 0003ffffffff (running) => a new container; the old one is removed once it held
          ! the migration (migrate) is not taken back by a roll back: what it changed stays
    "#]]
    .assert_eq(&text(&plan));
}

#[test]
fn it_goes_through_and_who_is_to_know_is_told() {
    let run = go(World::compose(), &surrounded(), &Weather::default());
    assert_eq!(run.outcome(), Outcome::Done, "{}", run.machine.detail);
    let told = run.journal.last().unwrap().step.clone().unwrap();
    assert_eq!((&*told.name, &*told.call), ("notify https://hooks.example", "POST https://hooks.example"), "no path on record");
    assert_eq!(run.world.hands.runs["POST https://hooks.example"], 1);
    let migration = run.journal.iter().filter_map(|r| r.step.as_ref()).find(|s| &*s.name == "migrate backend").unwrap();
    assert_eq!(migration.output.as_deref(), Some("all well"));
    assert!(run.world.hands.once.is_empty());
    assert!(run.machine.progress.iter().any(|p| !p.readings.is_empty()), "figures are kept for the screen");
}

#[test]
fn what_fails_stops_it_where_nothing_was_changed_or_takes_it_back() {
    let before = shape(&World::compose(), "backend");
    for (failing, outcome, says) in [
        ("check .env", Outcome::Failed, "check .env: it is not so; nothing was changed"),
        ("certificate of", Outcome::Failed, "nothing was changed"),
        ("run migrate", Outcome::Failed, "migrate backend: ended with 1: it broke"),
        ("probe api", Outcome::RolledBack, "gate probe api: "),
        ("error_rate", Outcome::RolledBack, "gate error_rate < 0.05: "),
    ] {
        let mut world = World::compose();
        world.hands.failing.insert(failing.into());
        let run = go(world, &surrounded(), &Weather::default());
        assert_eq!(run.outcome(), outcome, "{failing}: {}", run.machine.detail);
        assert!(run.machine.detail.contains(says), "{failing}: {}", run.machine.detail);
        assert_eq!(shape(&run.world, "backend"), before, "{failing}");
        assert!(run.world.hands.once.is_empty() && run.world.lock.is_none(), "{failing}");
        assert!(run.fewest >= 3, "{failing}");
        if outcome == Outcome::RolledBack {
            assert!(run.machine.detail.contains("what stays: migrate backend"), "{failing}: {}", run.machine.detail);
        }
    }
}

#[test]
fn a_hook_that_fails_fails_nothing() {
    let mut world = World::compose();
    world.hands.failing.insert("POST https://hooks.example".into());
    let run = go(world, &surrounded(), &Weather::default());
    assert_eq!(run.outcome(), Outcome::Done, "{}", run.machine.detail);
}

#[test]
fn the_fast_path_leaves_the_checks_out_and_goes_through_a_freeze() {
    let mut frozen = surrounded();
    frozen.deploy.freeze = vec![Freeze { from: at(-10), to: at(100), why: Some("holidays".into()) }];
    let refusal = ask(&World::compose(), &on("backend", deploy("backend:1.5.0")), &frozen, "op-1").unwrap_err();
    assert!(refusal.to_string().contains("holidays") && matches!(refusal, Refusal::Frozen { .. }), "{refusal}");
    let fast = Operation::Deploy { image: "backend:1.5.0".into(), container: None, strategy: None, fast: true, unwatched: false };
    let plan = ask(&World::compose(), &on("backend", fast), &frozen, "op-1").unwrap();
    assert_eq!(plan.before(), 0);
    assert!(plan.warnings.iter().any(|w| w.contains("goes through it")));
    assert!(plan.steps.iter().any(|s| &*s.name == "migrate backend"), "only the checks are left out");
    frozen.deploy.freeze[0].to = at(-1);
    assert!(ask(&World::compose(), &on("backend", deploy("backend:1.5.0")), &frozen, "op-1").is_ok());
}

#[test]
fn a_figure_nobody_knows_and_a_migration_that_cannot_be_are_refused() {
    let mut policy = surrounded();
    policy.scrapes.clear();
    let refusal = ask(&World::compose(), &on("backend", deploy("backend:2")), &policy, "op-1").unwrap_err();
    assert!(refusal.to_string().contains("nothing knows the figure error_rate of backend"), "{refusal}");
}

#[test]
fn what_nothing_tells_well_from_ill_is_deployed_only_knowingly() {
    let deploy =
        |unwatched| Operation::Deploy { image: "postgres:16".into(), container: None, strategy: None, fast: true, unwatched };
    let world = World::compose();
    let refusal = ask(&world, &on("db", deploy(false)), &policy(), "op-1").unwrap_err();
    assert!(matches!(refusal, Refusal::NoSignal { .. }) && refusal.to_string().contains("--unwatched"), "{refusal}");
    assert!(ask(&world, &on("db", deploy(true)), &policy(), "op-1").is_ok());
    let mut verified = policy();
    verified.deploy.verify = vec![asked(Asked::Probe(probe()), 10, 0)];
    assert!(ask(&world, &on("db", deploy(false)), &verified, "op-1").is_ok(), "a probe tells");
    verified.deploy.verify = vec![asked(Asked::Person("looks fine".into()), 0, 0)];
    assert!(ask(&world, &on("db", deploy(false)), &verified, "op-1").is_err(), "a person says it too late to be told");
}

/// Until it was good once, time counts; from then on bad ones in a row.
#[test]
fn a_gate_has_patience() {
    let mut world = World::compose();
    world.hands.failing.insert("probe api".into());
    let began = world.now;
    let run = go(world, &surrounded(), &Weather::default());
    let took = run.world.now.duration_since(began).as_secs();
    assert!((20..60).contains(&took), "20 s are given it, and not more: {took}");
}

fn runbooks() -> Policy {
    let exec = |workload: &str, command: &[&str]| RunbookStep::Exec {
        workload: workload.into(),
        command: command.iter().map(|c| (*c).into()).collect(),
        timeout: None,
    };
    let restore = Runbook {
        name: "restore".into(),
        about: Some("Puts a dump back.".into()),
        tiers: vec![Tier::Local],
        steps: vec![
            RunbookStep::Confirm("Write traffic to {env} is stopped".into()),
            RunbookStep::Stop { workload: "db".into() },
            RunbookStep::CopyIn { workload: "db".into(), from: "backups/{file}".into(), to: "/data/dump.rdb".into() },
            RunbookStep::Start { workload: "db".into() },
            exec("db", &["check", "{instance}"]),
            RunbookStep::Sleep(Duration::from_secs(2)),
        ],
    };
    let seed =
        Runbook { name: "seed".into(), about: None, tiers: vec![Tier::Staging], steps: vec![exec("backend/2", &["seed"])] };
    Policy { runbooks: vec![restore, seed], ..policy() }
}

fn run_book(world: &World, name: &str, variables: &[(&str, &str)]) -> Result<crate::operate::Plan, Refusal> {
    let variables = variables.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let mut request = on("x", Operation::Run { runbook: name.into(), variables });
    request.targets.clear();
    ask(world, &request, &runbooks(), "op-1")
}

#[test]
fn a_runbook_is_a_plan() {
    let plan = run_book(&World::compose(), "restore", &[("file", "a.rdb")]).unwrap();
    expect![[r#"
        run restore
          Write traffic to lms is stopped: a person says that it is so
          stop db-1: POST /containers/0005ffffffff/stop   <- start db-1, wait for db-1
          copy dump.rdb into db-1: PUT /containers/0005ffffffff/archive backups/a.rdb → /data/dump.rdb
          start db-1: POST /containers/0005ffffffff/start
          wait for db-1: wait: healthy within 20 s and for 2 s
          run check lms_db_1 in db-1: POST /containers/0005ffffffff/exec check lms_db_1 (at most 600 s)
          wait 2 s: wait 2 s
          ~ lms_db_1.state: running => exited
          ~ lms_db_1:/data/dump.rdb: as it is => backups/a.rdb of this machine
          ~ lms_db_1.state: stopped => running
          ! Puts a dump back.
    "#]]
    .assert_eq(&text(&plan));
}

#[test]
fn what_a_runbook_stopped_is_started_again_when_it_fails() {
    for (failing, outcome) in [("run check", Outcome::RolledBack), ("nothing", Outcome::Done)] {
        let mut world = World::compose();
        let before = shape(&world, "db");
        world.hands.failing.insert(failing.into());
        let mut plan = run_book(&world, "restore", &[("file", "a.rdb")]).unwrap();
        plan.confirmed.insert("Write traffic to lms is stopped".into());
        let run = run(world, plan, &Weather::default(), "db");
        assert_eq!(run.outcome(), outcome, "{}", run.machine.detail);
        assert_eq!(shape(&run.world, "db"), before, "{failing}");
        if outcome == Outcome::RolledBack {
            assert!(run.machine.detail.contains("what stays: copy dump.rdb into db-1"), "{}", run.machine.detail);
        }
    }
}

#[test]
fn a_runbook_says_what_it_lacks() {
    let world = World::compose();
    let table = [
        ("restore", vec![], "the runbook restore needs a value for {file} in `backups/{file}`: give it with --set file=VALUE"),
        ("seed", vec![], "run of seed is not possible: it may run on staging only, and this is local"),
        ("resotre", vec![], "there is no runbook resotre in lms (did you mean restore?)"),
    ];
    for (name, variables, says) in table {
        assert_eq!(run_book(&world, name, &variables).unwrap_err().to_string(), says);
    }
}

#[test]
fn every_errand_names_instances_that_are_there() {
    let run = go(World::compose(), &surrounded(), &Weather::default());
    let named = |action: &Action| match action {
        Action::Errand(errand) => match &**errand {
            Errand::Probe { instances, .. } => Some(instances.len()),
            _ => None,
        },
        _ => None,
    };
    // Each batch's gate asks the new instance of that batch.
    let gates: Vec<usize> = run
        .machine
        .plan
        .steps
        .iter()
        .filter_map(|s| match &s.work {
            crate::operate::Work::Await(crate::operate::Gate::Reading { look, .. }) => named(look),
            _ => None,
        })
        .collect();
    assert_eq!(gates, [1, 1, 1]);
}
