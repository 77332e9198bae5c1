//! Around an operation: what is looked at while its plan is read, what a person says, and what scales by itself.

use std::time::Duration;

use quarterdeck::app::state::Overlay;
use quarterdeck::app::{Command, Effect, Msg};
use quarterdeck::engine::EngineError;
use quarterdeck::model::{EnvironmentId, Guard, Verb};
use quarterdeck::operate::autoscale::{Autoscale, Mode};
use quarterdeck::operate::policy::{Asked, Before, Condition, DeployPolicy, Policy};
use quarterdeck::operate::runbook::{Runbook, RunbookStep};
use quarterdeck::operate::{Accepted, Action};

use crate::fixture::{Deck, lock, settings, shop};

fn deck(policy: Policy) -> Deck {
    let (guard, mut settings) = (policy.guard, settings());
    settings.policies.insert(EnvironmentId::new("here", "shop"), policy);
    Deck::shop_with(settings, guard)
}

fn careful(guard: Guard) -> Policy {
    let person = Condition { asked: Asked::Person("Backup verified".into()), within: Duration::ZERO, hold: Duration::ZERO };
    let env_file = Before::EnvFile { path: "/srv/.env".into(), required: vec!["KEY".into()] };
    let deploy = DeployPolicy { before: vec![env_file, Before::Condition(person)], ..DeployPolicy::default() };
    Policy { deploy, ..Policy::of(guard) }
}

fn executed(deck: &Deck) -> Vec<&Action> {
    let mut actions = Vec::new();
    for effect in &deck.effects {
        if let Effect::Execute { action, .. } = effect {
            actions.push(action);
        }
    }
    actions
}

fn confirm(deck: &Deck) -> &quarterdeck::app::state::Confirm {
    let Some(Overlay::Confirm(confirm)) = deck.state.overlays.last() else { panic!("{:?}", deck.state.overlays) };
    confirm
}

#[test]
fn a_plan_is_looked_ahead_at_and_ticked() {
    // Even where the guard lets it pass: a person must say something.
    let mut deck = deck(careful(Guard::Open));
    deck.press("D1.1<enter>");
    let looks: Vec<_> = deck
        .effects
        .iter()
        .filter_map(|e| if let Effect::Preview { plan, step, .. } = e { Some((plan.clone(), *step)) } else { None })
        .collect();
    assert_eq!(looks.iter().map(|(_, step)| *step).collect::<Vec<_>>(), [0, 2], "the file and the image");
    let plan = looks[0].0.clone();
    let bad = Err(EngineError::Unmet { what: "/srv/.env".into(), why: "KEY is empty".into() });
    deck.send(Msg::Previewed { plan: plan.clone(), step: 0, result: bad });
    deck.send(Msg::Previewed { plan: "another".into(), step: 2, result: Ok(Accepted::Done) });
    let seen = confirm(&deck);
    assert_eq!(seen.previews.len(), 1, "of another plan nothing is kept");
    assert_eq!(seen.previews[&0], (false, "/srv/.env: KEY is empty".into()));
    deck.press("<enter>");
    assert_eq!(confirm(&deck).refusal.as_deref(), Some("say first that it is so (space): Backup verified"));
    assert!(executed(&deck).is_empty());
    deck.press("<space><space><space><enter>");
    assert!(deck.state.overlays.is_empty(), "{:?}", deck.state.overlays);
    assert!(matches!(executed(&deck)[..], [Action::TakeLock { .. }]), "{:?}", executed(&deck));
}

#[test]
fn the_fast_path_is_a_key_and_starts_nothing_by_itself() {
    let mut deck = deck(careful(Guard::Open));
    deck.press("D1.1<enter>");
    let with = confirm(&deck).plan.steps.len();
    deck.press("<tab>");
    assert_eq!(confirm(&deck).plan.steps.len(), with - 2);
    assert!(executed(&deck).is_empty() && confirm(&deck).plan.warnings.iter().any(|w| w.contains("fast path")));
    deck.press("<tab>");
    assert_eq!(confirm(&deck).plan.steps.len(), with);
    deck.press("<tab><enter>");
    assert!(matches!(executed(&deck)[..], [Action::TakeLock { .. }]));
}

#[test]
fn what_gives_no_signal_is_deployed_only_knowingly() {
    let mut deck = deck(Policy::of(Guard::Confirm));
    let mut snapshot = shop(Guard::Confirm);
    for workload in &mut snapshot.workloads {
        for instance in &mut std::sync::Arc::make_mut(workload).instances {
            std::sync::Arc::make_mut(instance).has_healthcheck = false;
        }
    }
    deck.holds("here", vec![snapshot]).press("D1.1<enter>");
    assert!(matches!(deck.state.overlays.last(), Some(Overlay::Menu(m)) if m.title.contains("nothing would tell")));
    deck.press("<enter>");
    assert!(deck.state.overlays.is_empty(), "leaving it is what comes first");
    deck.press("D1.1<enter>j<enter>");
    assert!(confirm(&deck).plan.warnings.iter().any(|w| w.contains("only watched to run")));
}

#[test]
fn a_runbook_waits_for_a_person_and_asks_once_by_itself() {
    let steps = vec![
        RunbookStep::Confirm("Writes are stopped".into()),
        RunbookStep::Exec { workload: "db".into(), command: vec!["true".into()], timeout: None },
    ];
    let runbook = Runbook { name: "restore".into(), about: None, tiers: Vec::new(), steps };
    let mut deck = deck(Policy { runbooks: vec![runbook], ..Policy::of(Guard::Confirm) });
    deck.press("X<enter>");
    deck.press("<space><enter>");
    // Ticked on its plan, it is not asked again.
    assert!(deck.state.operations.running[0].asks().is_none());
}

fn scaled(mode: Mode, guard: Guard) -> Deck {
    let scale = Autoscale {
        workload: "api".into(),
        metric: "cpu".into(),
        above: Some(0.8),
        below: None,
        during: Duration::from_secs(3),
        step: 1,
        min: 1,
        max: 5,
        cooldown: Duration::from_secs(60),
        mode,
    };
    let mut deck = deck(Policy { autoscale: vec![scale], ..Policy::of(guard) });
    deck.state.autoscalers.at_work = true;
    deck
}

/// Readings a second apart, as they are asked for.
fn hot(deck: &mut Deck, seconds: i64) {
    for _ in 0..seconds {
        deck.effects.clear();
        deck.wait(1);
        let asked: Vec<_> = deck
            .effects
            .iter()
            .filter_map(|e| {
                if let Effect::Measure { environment, policy, .. } = e { Some((environment.clone(), *policy)) } else { None }
            })
            .collect();
        for (environment, policy) in asked {
            let result = Ok(Accepted::Reading { value: Some(0.9), words: "cpu 0.9".into() });
            deck.send(Msg::Measured { environment, policy, result });
        }
        if !deck.state.operations.running.is_empty() {
            return;
        }
    }
}

fn told(deck: &Deck) -> Vec<String> {
    deck.state.timeline.iter().filter(|(_, i)| &*i.what == "autoscale").map(|(_, i)| i.detail.to_string()).collect()
}

#[test]
fn a_policy_recommends_or_acts_and_says_its_numbers() {
    let mut deck = scaled(Mode::Recommend, Guard::Type);
    hot(&mut deck, 10);
    assert_eq!(told(&deck), ["cpu 0.90 > 0.8 for 3 s: 3 → 4 (recommended)"]);
    assert!(executed(&deck).is_empty() && deck.state.operations.running.is_empty());
    // Told to act, its mode is the answer to the guard.
    let mut deck = scaled(Mode::Act, Guard::Type);
    hot(&mut deck, 10);
    assert_eq!(told(&deck), ["cpu 0.90 > 0.8 for 3 s: 3 → 4"]);
    assert_eq!(&*deck.state.operations.running[0].plan.title, "scale api 3 → 4");
    assert_eq!(deck.state.autoscaler_of(&EnvironmentId::new("here", "shop"), &"api".into()).unwrap(), "cpu 0.90, 1 to 5 (act)");
}

#[test]
fn a_policy_changes_nothing_against_a_lock_an_operation_or_read_only() {
    let mut locked = shop(Guard::Open);
    locked.lock = Some(lock(7, "maintenance", None));
    let mut deck = scaled(Mode::Act, Guard::Open);
    deck.holds("here", vec![locked]);
    hot(&mut deck, 10);
    assert_eq!(told(&deck).len(), 1);
    assert!(told(&deck)[0].contains("not done: locked by"), "{:?}", told(&deck));
    let mut deck = scaled(Mode::Act, Guard::ReadOnly);
    hot(&mut deck, 10);
    assert!(told(&deck)[0].contains("not done: it is read-only") && executed(&deck).is_empty(), "{:?}", told(&deck));
    let mut deck = scaled(Mode::Act, Guard::Open);
    deck.send(Msg::Run(Command::Operate(Verb::Restart)));
    assert_eq!(deck.state.operations.running.len(), 1);
    for _ in 0..10 {
        let result = Ok(Accepted::Reading { value: Some(0.9), words: "".into() });
        let environment = EnvironmentId::new("here", "shop");
        deck.wait(1).send(Msg::Measured { environment, policy: 0, result });
    }
    assert!(told(&deck)[0].contains("is under way"), "{:?}", told(&deck));
    assert_eq!(deck.state.operations.running.len(), 1);
    // What only looks once never scales.
    let mut deck = scaled(Mode::Act, Guard::Open);
    deck.state.autoscalers.at_work = false;
    hot(&mut deck, 10);
    assert!(told(&deck).is_empty() && deck.effects.iter().all(|e| !matches!(e, Effect::Measure { .. })));
}
