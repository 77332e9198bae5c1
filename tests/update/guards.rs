//! Every command × every guard × both faces: what may reach an engine, and what it takes.

use quarterdeck::app::command::COMMANDS;
use quarterdeck::app::msg::Answer;
use quarterdeck::app::operations::Refused;
use quarterdeck::app::state::{Overlay, Screen};
use quarterdeck::app::{Command, Effect, Msg};
use quarterdeck::model::{
    Alert, AlertSource, AlertState, Controller, Deviation, Drift, DriftKind, EngineKind, EnvironmentId, FileState, Guard, Labels,
    Mechanics, Node, Scaler, Silence, Snapshot, StackFile, Verb, Verdict, WorkloadKind,
};
use quarterdeck::observe::load::Shape;
use quarterdeck::operate::guard::Question;
use quarterdeck::operate::policy::{LoadPolicy, Policy};
use quarterdeck::operate::request::Ending;
use quarterdeck::operate::runbook::{Runbook, RunbookStep};
use quarterdeck::operate::{Operation, Request, Target};

use crate::fixture::{Deck, lock, settings, shop};

/// What reaches the outside to change something.
fn changes(effects: &[Effect]) -> usize {
    effects.iter().filter(|e| matches!(e, Effect::Execute { .. } | Effect::Shell { .. })).count()
}

/// The shop behind a guard, in the state the verb applies to.
fn deck(guard: Guard, read_only: bool, verb: Option<Verb>) -> Deck {
    let mut settings = settings();
    settings.read_only = read_only;
    let exec = RunbookStep::Exec { workload: "api".into(), command: vec!["true".into()], timeout: None };
    let backup = Runbook { name: "backup".into(), about: None, tiers: Vec::new(), steps: vec![exec] };
    let load = LoadPolicy { allowed: true, targets: vec!["http://shop.example/".into()], ..LoadPolicy::default() };
    let silences = Some("/nowhere/silences.json".into());
    let policy = Policy { runbooks: vec![backup], load, silences, ..Policy::of(guard) };
    settings.policies.insert(EnvironmentId::new("here", "shop"), policy);
    let mut deck = Deck::shop_with(settings, guard);
    let mut snapshot = shop(guard);
    match verb {
        Some(Verb::Unlock) => snapshot.lock = Some(lock(7, "maintenance", None)),
        Some(Verb::Recover) => snapshot.lock = Some(lock(99, "deploy api", Some("0000000000001-desk-99-1"))),
        Some(Verb::Up) => {
            let state = FileState::Read { call: vec!["docker-compose".into()] };
            snapshot.file = Some(StackFile { names: "docker-compose.yml".into(), state }.into());
            let deviation = Deviation { path: "image".into(), running: None, wanted: None };
            let drift = Drift { kind: DriftKind::Changed, deviations: vec![deviation], replicas: None };
            for workload in &mut snapshot.workloads {
                std::sync::Arc::make_mut(workload).drift = Some(drift.clone().into());
            }
        }
        Some(Verb::Start | Verb::Unpause) => {
            let state = if verb == Some(Verb::Start) {
                quarterdeck::model::InstanceState::Exited
            } else {
                quarterdeck::model::InstanceState::Paused
            };
            for workload in &mut snapshot.workloads {
                for instance in &mut std::sync::Arc::make_mut(workload).instances {
                    std::sync::Arc::make_mut(instance).state = state;
                }
            }
        }
        Some(Verb::Trigger | Verb::Bounds | Verb::Cordon | Verb::Uncordon | Verb::Drain) => cluster(&mut snapshot, verb),
        Some(_) | None => {}
    }
    deck.holds("here", vec![snapshot]);
    if let Some(Verb::Silence | Verb::Unsilence) = verb {
        alert(&mut deck, verb == Some(Verb::Unsilence));
    }
    deck.effects.clear();
    deck.state.overlays.clear();
    deck
}

/// An alert of the shop, silenced or not, is selected.
fn alert(deck: &mut Deck, silenced: bool) {
    let now = deck.state.now;
    let silence = Silence {
        id: "here-1".into(),
        matchers: Vec::new(),
        why: "known".into(),
        by: "ann@desk".into(),
        from: now,
        until: now.checked_add(jiff::SignedDuration::from_hours(2)).expect("not the end of time"),
    };
    let alert = Alert {
        name: "Down".into(),
        state: AlertState::Firing,
        since: Some(now),
        value: Some(0.0),
        expression: "up == 0".into(),
        labels: Labels::new([("alertname", "Down")]),
        annotations: Labels::default(),
        source: AlertSource::Rules,
        silence: silenced.then(|| silence.into()),
        trouble: None,
    };
    deck.state.watched.alerts.insert(EnvironmentId::new("here", "shop"), vec![alert.into()]);
    deck.send(Msg::Run(Command::Go(Screen::Alerts)));
}

/// Makes the shop one of a cluster: its workloads have schedules and autoscalers, and there is a node.
fn cluster(snapshot: &mut Snapshot, verb: Option<Verb>) {
    let mut environment = (*snapshot.environment).clone();
    (environment.engine, environment.mechanics) = (EngineKind::Kubernetes, Mechanics::Declared);
    snapshot.environment = environment.into();
    let scaler = Scaler { name: "api".into(), min: 3, max: 10, current: 3, desired: 3, targets: Vec::new(), trouble: None };
    for workload in &mut snapshot.workloads {
        let workload = std::sync::Arc::make_mut(workload);
        workload.kind = WorkloadKind::CronJob;
        workload.controller = Some(Controller { scaler: Some(scaler.clone()), ..Controller::default() }.into());
    }
    snapshot.nodes = vec![std::sync::Arc::new(Node {
        name: "node-1".into(),
        verdict: Verdict::healthy(),
        cordoned: verb == Some(Verb::Uncordon),
        roles: Vec::new(),
        version: "v1.36.2".into(),
        cpu_milli: 2000,
        memory_bytes: 1 << 30,
        pods_max: 110,
        pods: 7,
        cpu_requested_milli: 700,
        memory_requested_bytes: 1 << 29,
        created_at: None,
    })];
}

/// Answers everything that is asked, short of what the guard asks: values, menus.
fn fill_in(deck: &mut Deck) {
    for _ in 0..4 {
        match deck.state.overlays.last() {
            Some(Overlay::Prompt(prompt)) if prompt.title.contains("shell") => return,
            Some(Overlay::Prompt(prompt)) => {
                let more = match () {
                    () if prompt.title.contains("load test") => "<enter>",
                    () if prompt.title.starts_with("silence") => "known<enter>",
                    () if prompt.title.contains("least") => "<ctrl-u>2 5<enter>",
                    () if prompt.input.text.ends_with(':') => "2.0<enter>",
                    () => "5<enter>",
                };
                deck.press(more);
            }
            Some(Overlay::Menu(menu)) if menu.title.starts_with("unfinished") => {
                deck.press("j<enter>");
            }
            Some(Overlay::Menu(_)) => {
                deck.press("<enter>");
            }
            Some(_) | None => return,
        }
    }
}

#[test]
fn read_only_lets_no_command_through_on_the_console() {
    for (guard, read_only) in [(Guard::ReadOnly, false), (Guard::Open, true), (Guard::Type, true)] {
        for info in COMMANDS {
            for keys in ["", "y", "<enter>", "5<enter>", "shop<enter>", "j<enter>", "<enter>shop<enter>"] {
                let verb = if let Command::Operate(verb) = info.command { Some(verb) } else { None };
                for mark in [false, true] {
                    let mut deck = deck(guard, read_only, verb);
                    if mark {
                        deck.press("*");
                    }
                    deck.send(Msg::Run(info.command)).press(keys).wait(2);
                    assert_eq!(changes(&deck.effects), 0, "{} behind {guard}, then {keys}", info.name);
                    assert!(deck.state.operations.running.is_empty());
                }
            }
        }
    }
}

#[test]
fn every_verb_behind_every_guard_on_the_console() {
    for verb in Verb::ALL {
        for guard in [Guard::Open, Guard::Confirm, Guard::Type] {
            let mut deck = deck(guard, false, Some(verb));
            if verb == Verb::Recover {
                deck.wait(1).send(Msg::Alive(vec![]));
                deck.state.overlays.clear();
                deck.effects.clear();
            }
            deck.send(Msg::Run(Command::Operate(verb)));
            fill_in(&mut deck);
            let said = format!("{verb} behind {guard}: {:?} {:?}", deck.state.messages, deck.state.overlays);
            let free = guard == Guard::Open && !verb.is_destructive();
            assert_eq!(changes(&deck.effects) > 0, free, "before any answer: {said}");
            if free {
                continue;
            }
            // The wrong answer changes nothing.
            let wrong = if guard == Guard::Type { "shp<enter>" } else { "x" };
            deck.press(wrong);
            assert_eq!(changes(&deck.effects), 0, "after a wrong answer: {said}");
            deck.press(if guard == Guard::Type { "<ctrl-u>shop<enter>" } else { "<enter>" });
            assert!(changes(&deck.effects) > 0, "after the right answer: {said} {:?}", deck.state.messages);
        }
    }
}

fn operation(verb: Verb) -> Option<Operation> {
    Some(match verb {
        Verb::Scale => Operation::Scale { to: 5 },
        Verb::Restart => Operation::Restart,
        Verb::Stop => Operation::Stop,
        Verb::Start => Operation::Start,
        Verb::Pause => Operation::Pause,
        Verb::Unpause => Operation::Unpause,
        Verb::Kill => Operation::Kill { signal: "SIGKILL".into() },
        Verb::Remove => Operation::Remove,
        Verb::Deploy => {
            Operation::Deploy { image: "api:2.0".into(), container: None, strategy: None, fast: false, unwatched: false }
        }
        Verb::Rollback => Operation::Rollback { to: None },
        Verb::Up => Operation::Up,
        Verb::Lock => Operation::Lock { why: "x".into() },
        Verb::Unlock => Operation::Unlock,
        Verb::Recover => Operation::Recover { ending: Ending::Undo },
        Verb::Run => Operation::Run { runbook: "backup".into(), variables: Vec::new() },
        Verb::Drill => Operation::Drill { name: "breaker-open".into() },
        Verb::Load => Operation::Load { url: None, shape: Shape::default() },
        Verb::Trigger => Operation::Trigger,
        Verb::Bounds => Operation::Bounds { min: 2, max: 5 },
        Verb::Cordon => Operation::Cordon { node: "node-1".into() },
        Verb::Uncordon => Operation::Uncordon { node: "node-1".into() },
        Verb::Drain => Operation::Drain { node: "node-1".into() },
        Verb::Silence => {
            let span = std::time::Duration::from_secs(7200);
            Operation::Silence { alert: "Down".into(), labels: Vec::new(), span, why: "known".into() }
        }
        Verb::Unsilence => Operation::Unsilence { id: "here-1".into() },
        Verb::Shell => return None,
    })
}

#[test]
fn every_verb_behind_every_guard_on_the_command_face() {
    for verb in Verb::ALL {
        let Some(operation) = operation(verb) else { continue };
        let about = !quarterdeck::app::operations::is_about_environment(verb);
        let request = Request {
            environment: EnvironmentId::new("here", "shop"),
            targets: about.then(|| Target { workload: "api".into(), instance: None }).into_iter().collect(),
            operation,
        };
        for guard in Guard::ALL {
            for read_only in [false, true] {
                for (yes, typed) in [(false, None), (true, None), (false, Some("shop")), (true, Some("shp"))] {
                    let mut deck = deck(guard, read_only, Some(verb));
                    if verb == Verb::Recover {
                        deck.wait(1).send(Msg::Alive(vec![]));
                        deck.effects.clear();
                    }
                    let answer =
                        Answer { yes, typed: typed.map(Into::into), take_over: false, ticked: std::collections::BTreeSet::new() };
                    deck.send(Msg::Ask(request.clone(), answer));
                    let allowed = !read_only
                        && match guard {
                            Guard::Open => !verb.is_destructive() || yes || typed == Some("shop"),
                            Guard::Confirm => yes || typed == Some("shop"),
                            Guard::Type => typed == Some("shop"),
                            Guard::ReadOnly => false,
                        };
                    let asked = deck.state.operations.asked.as_ref().expect("every request is answered");
                    let said = format!("{verb} behind {guard}, read-only {read_only}, {yes} {typed:?}: {asked:?}");
                    assert_eq!(changes(&deck.effects) > 0, allowed, "{said}");
                    assert_eq!(asked.is_ok(), allowed, "{said}");
                    assert!(
                        deck.state.overlays.iter().all(|o| !matches!(o, Overlay::Confirm(_))),
                        "no question is put on a screen: {said}"
                    );
                    match asked {
                        Err(Refused::Ask { question, .. }) => {
                            assert_eq!(*question == Question::Type("shop".into()), guard == Guard::Type, "{said}");
                        }
                        Err(refused) => assert!(refused.is_guard(), "{said}"),
                        Ok(_) => {}
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_changed_on_what_is_stale() {
    for verb in Verb::ALL {
        let mut deck = deck(Guard::Open, false, Some(verb));
        deck.stale("here");
        deck.send(Msg::Run(Command::Operate(verb)));
        fill_in(&mut deck);
        deck.press("<enter>");
        let executed = deck.effects.iter().filter(|e| matches!(e, Effect::Execute { .. })).count();
        assert_eq!(executed, 0, "{verb}");
    }
}

#[test]
fn a_shell_is_on_record_before_it_opens() {
    let mut deck = deck(Guard::Open, false, Some(Verb::Shell));
    deck.press("s");
    let wanted = deck.wanted();
    assert!(wanted[0].starts_with("journal Ended shell api-1") && wanted[1].starts_with("Shell"), "{wanted:?}");
}
