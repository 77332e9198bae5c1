//! Operations from key to record: prompts, plans, what is fed to them, how they end, quitting while they run.

use expect_test::{Expect, expect};
use quarterdeck::app::Effect;
use quarterdeck::app::Msg;
use quarterdeck::app::state::{Overlay, Screen};
use quarterdeck::engine::EngineError;
use quarterdeck::model::{Capabilities, EnvironmentId, Guard, Verb};
use quarterdeck::operate::Accepted;

use crate::fixture::{Deck, lock, screen, shop};

fn check(mut deck: Deck, keys: &str, expect: &Expect) {
    deck.press(keys);
    expect.assert_eq(&deck.look());
}

#[test]
fn what_is_missing_is_asked_for() {
    check(
        Deck::shop(Guard::Confirm),
        "S",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: replicas of api (now 3) > 3|
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "S<ctrl-u>x<enter>",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: replicas of api (now 3) > x| ✖ a whole number is wanted, 0 or more
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "D",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: deploy to api: image > registry:5000/api:|
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "D<enter>",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: deploy to api: image > registry:5000/api:| ✖ the tag is missing
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "D1.1<enter>",
        &expect![[r#"
            Workloads(here:shop)
            ▸ shop/api
              shop/db
              shop/web
            over: plan of 20 steps: deploy api 1.0 → 1.1
            wants: Preview { connection: ConnectionId("here"), plan: OperationId("1795269800000-desk-7-1"), step: 0, look: LookAtImage { environment: EnvironmentId { connection: ConnectionId("here"), name: "shop" }, image: "registry:5000/api:1.1", digest: None } }
        "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "B",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: menu roll api back to: 2  registry:5000/api:1.0, 12:03:20 by ann@desk(no) | ▸1  registry:5000/api:0.9, 12:03:20 by ann@desk
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "B<enter>",
        &expect![[r#"
            Workloads(here:shop)
            ▸ shop/api
              shop/db
              shop/web
            over: plan of 20 steps: roll back api to revision 1 (1.0 → 0.9)
            wants: Preview { connection: ConnectionId("here"), plan: OperationId("1795269800000-desk-7-1"), step: 0, look: LookAtImage { environment: EnvironmentId { connection: ConnectionId("here"), name: "shop" }, image: "registry:5000/api:0.9", digest: Some("sha256:aaa1") } }
        "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "L<enter>",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: lock shop: why > | ✖ say why, so that others know
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "I",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
        over: menu play a fault: ▸breaker-open: the breaker opens
    "#]],
    );
}

#[test]
fn marked_rows_are_meant_together() {
    check(
        Deck::shop(Guard::Confirm),
        "<space><space>r",
        &expect![[r#"
        Workloads(here:shop)
         ◆shop/api
         ◆shop/db
        ▸ shop/web
        over: plan of 8 steps: restart api, db
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "<space><space>D",
        &expect![[r#"
        Workloads(here:shop)
         ◆shop/api
         ◆shop/db
        ▸ shop/web
        says: the marked workloads run different images: deploy them one at a time
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "<space><space>S",
        &expect![[r#"
        Workloads(here:shop)
         ◆shop/api
         ◆shop/db
        ▸ shop/web
        over: replicas of 2 workloads > |
    "#]],
    );
}

#[test]
fn an_instance_stands_for_itself_or_its_workload() {
    check(
        Deck::shop(Guard::Confirm),
        "<enter>jx",
        &expect![[r#"
        Workloads(here:shop) > Instances(here:shop api)
          shop/api/api-1
        ▸ shop/api/api-2
          shop/api/api-3
        over: plan of 1 steps: stop api-2
    "#]],
    );
    check(
        Deck::shop(Guard::Confirm),
        "<enter>jS",
        &expect![[r#"
        Workloads(here:shop) > Instances(here:shop api)
          shop/api/api-1
        ▸ shop/api/api-2
          shop/api/api-3
        over: replicas of api (now 3) > 3|
    "#]],
    );
}

#[test]
fn the_menu_offers_what_can_be_done() {
    check(
        Deck::shop(Guard::ReadOnly),
        "m",
        &expect![[r#"
            Workloads(here:shop)
            ▸ shop/api
              shop/db
              shop/web
            over: menu shop/api: ▸open | logs | previous logs | describe | revisions | copy | restart(no) | scale(no) | deploy(no) | roll back(no) | bring up(no) | shell(no) | start(no) | pause(no) | unpause(no) | stop(no) | kill(no) | remove(no) | run(no) | load test(no) | lock(no) | unlock(no) | recover(no) | drill(no)
        "#]],
    );
    check(
        Deck::fleet(),
        "m",
        &expect![[r#"
            Fleet()
            ▸ here:shop
              tools
              prod-1:shop
            over: menu here:shop: ▸open | logs | copy | bring up(no) | run(no) | load test(no) | lock | unlock(no) | recover(no) | drill
        "#]],
    );
}

#[test]
fn what_the_engine_cannot_do_says_why() {
    let mut deck = Deck::new(&["here"]);
    let mut snapshot = shop(Guard::Open);
    std::sync::Arc::make_mut(&mut snapshot.workloads[0]).capabilities =
        Capabilities::default().deny(Verb::Scale, "api publishes port 80 itself");
    deck.live("here").holds("here", vec![snapshot]).press("S");
    assert!(deck.look().contains("says: scale: api publishes port 80 itself"));
}

#[test]
fn nothing_is_planned_on_a_definition_that_is_still_being_read() {
    let mut deck = Deck::new(&["here"]);
    let mut listed = shop(Guard::Open);
    let api = std::sync::Arc::make_mut(&mut listed.workloads[0]);
    std::sync::Arc::make_mut(&mut api.instances[0]).started_at = None;
    deck.live("here").holds("here", vec![listed]).press("r");
    assert!(deck.look().contains("says: the definition of api is still being read: try again in a moment"), "{}", deck.look());
    deck.holds("here", vec![shop(Guard::Open)]).press("r");
    assert!(deck.look().contains("says: restart api: started"), "{}", deck.look());
}

/// Answers whatever was asked of the engine with this.
fn answer(deck: &mut Deck, result: &Result<Accepted, EngineError>) -> usize {
    let effects = std::mem::take(&mut deck.effects);
    let mut count = 0;
    for effect in effects {
        if let Effect::Execute { operation, ticket, .. } = effect {
            deck.send(Msg::Done { operation, ticket, result: result.clone() });
            count += 1;
        }
    }
    count
}

#[test]
fn an_operation_runs_to_its_end_and_into_the_past() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jp").press("<esc>").press("z");
    assert_eq!(deck.state.operations.running.len(), 1, "{}", deck.look());
    let mut journal = Vec::new();
    for _ in 0..200 {
        journal.extend(deck.effects.iter().filter(|e| matches!(e, Effect::Journal(_))).cloned());
        deck.effects.retain(|e| matches!(e, Effect::Execute { .. }));
        let mut paused = shop(Guard::Open);
        for instance in &mut std::sync::Arc::make_mut(&mut paused.workloads[1]).instances {
            std::sync::Arc::make_mut(instance).state = quarterdeck::model::InstanceState::Paused;
        }
        if answer(&mut deck, &Ok(Accepted::Done)) == 0 {
            deck.holds("here", vec![paused]).wait(1);
        }
        if deck.state.operations.running.is_empty() {
            break;
        }
    }
    journal.extend(deck.effects.iter().filter(|e| matches!(e, Effect::Journal(_))).cloned());
    let past = &deck.state.operations.past[0];
    assert_eq!((past.outcome_word(), past.records.len()), ("done", journal.len()), "{past:?}");
    let what: Vec<&str> = deck.state.timeline.iter().map(|(_, i)| &*i.what).collect();
    assert_eq!(what, ["pause", "done"]);
    deck.press("9");
    assert_eq!((screen(&deck), deck.rows().len()), (Screen::Operations, 1));
}

#[test]
fn a_refused_lock_ends_it_and_says_so() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("r");
    let conflict = EngineError::Conflict { what: "the lock of shop".into(), cause: "ann has it".into() };
    for _ in 0..20 {
        answer(&mut deck, &Err(conflict.clone()));
        deck.wait(1);
    }
    assert!(deck.state.operations.running.is_empty(), "{:?}", deck.state.operations.running);
    assert_ne!(deck.state.operations.past[0].outcome_word(), "done");
}

#[test]
fn one_operation_an_environment() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("rjr");
    assert_eq!(deck.state.operations.running.len(), 1);
    assert!(deck.look().contains("says: shop is busy"));
}

#[test]
fn a_plan_that_changed_while_it_was_read_is_shown_again() {
    let mut deck = Deck::shop(Guard::Confirm);
    deck.press("r");
    let mut fewer = shop(Guard::Confirm);
    std::sync::Arc::make_mut(&mut fewer.workloads[0]).instances.pop();
    deck.holds("here", vec![fewer]).press("<enter>");
    let Some(Overlay::Confirm(confirm)) = deck.state.overlays.last() else { panic!("it is still asked") };
    assert!(confirm.refusal.as_deref().is_some_and(|r| r.contains("changed meanwhile")), "{confirm:?}");
    assert!(deck.state.operations.running.is_empty());
    deck.press("<enter>");
    assert_eq!(deck.state.operations.running.len(), 1, "the new plan can be agreed to");
}

#[test]
fn quitting_with_something_under_way_asks() {
    // keys, then: is it asked still, is the end wanted now, is it to end later
    let table = [
        ("", true, false, false),
        ("s", false, false, false),
        ("w", false, false, true),
        ("a", false, false, true),
        ("l", true, true, false),
    ];
    for (keys, asked, quits, later) in table {
        let mut deck = Deck::shop(Guard::Open);
        deck.press("r");
        deck.effects.clear();
        deck.press("q").press(keys);
        assert_eq!(deck.state.overlays.iter().any(|o| matches!(o, Overlay::Quit)), asked, "{keys}");
        assert_eq!(deck.effects.contains(&Effect::Quit), quits, "{keys}");
        assert_eq!(deck.state.quitting, later, "{keys}");
    }
}

#[test]
fn after_waiting_it_quits_by_itself() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("rqa");
    let gone = EngineError::Conflict { what: "lock".into(), cause: "taken".into() };
    for _ in 0..30 {
        answer(&mut deck, &Err(gone.clone()));
        deck.wait(1);
        if deck.effects.contains(&Effect::Quit) {
            return;
        }
    }
    panic!("still there: {:?}", deck.state.operations.running);
}

#[test]
fn what_a_dead_owner_left_is_found_told_and_offered_once() {
    let mut deck = Deck::new(&["here"]);
    let mut snapshot = shop(Guard::Type);
    snapshot.lock = Some(lock(99, "deploy api", Some("0000000000001-desk-99-1")));
    deck.live("here").holds("here", vec![snapshot.clone()]);
    assert_eq!(deck.wanted(), ["ProbeOwners([(99, 1)])"]);
    deck.send(Msg::Alive(vec![(99, 1)]));
    assert!(deck.state.overlays.is_empty(), "it lives");
    deck.wait(6);
    assert_eq!(deck.wanted(), ["ProbeOwners([(99, 1)])"], "asked again in time");
    deck.send(Msg::Alive(vec![]));
    let seen = deck.look();
    assert!(seen.contains("over: menu unfinished in shop: deploy api: ▸leave it for now | finish it"), "{seen}");
    deck.press("<enter>").holds("here", vec![snapshot]).send(Msg::Alive(vec![]));
    assert!(deck.state.overlays.is_empty(), "once is enough");
    deck.press("R");
    assert!(matches!(deck.state.overlays.last(), Some(Overlay::Menu(_))), "it can be asked for");
}

#[test]
fn a_pure_plan_changes_nothing() {
    let deck = Deck::shop(Guard::Type);
    let request = quarterdeck::operate::Request {
        environment: EnvironmentId::new("here", "shop"),
        targets: vec![quarterdeck::operate::Target { workload: "api".into(), instance: None }],
        operation: quarterdeck::operate::Operation::Scale { to: 5 },
    };
    let plan = quarterdeck::app::operations::plan_for(&deck.state, &request, false).unwrap();
    assert!(!plan.steps.is_empty() && deck.state.operations.count == 0);
}
