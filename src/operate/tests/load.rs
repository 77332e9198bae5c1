//! Load tests: where they may go, how big they may be, and that they end when a person wants them to.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;

use crate::model::*;
use crate::observe::load::{End, Figures, Shape};
use crate::operate::Action;
use crate::operate::action::Accepted;
use crate::operate::errand::Errand;
use crate::operate::machine::{Effect, Event, Machine, Outcome, StepState};
use crate::operate::policy::{LoadPolicy, Policy};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Operation, Request};

use super::drive::{ask, me, on, policy};
use super::reading::text;
use super::world::{World, at};

fn load(url: Option<&str>, shape: Shape) -> Operation {
    Operation::Load { url: url.map(Into::into), shape }
}

fn shape() -> Shape {
    Shape { users: 100, ramp: Duration::from_secs(5), ..Shape::default() }
}

/// The environment's policy with this about load tests.
fn allowing(targets: &[&str]) -> Policy {
    let targets = targets.iter().map(|target| Arc::from(*target)).collect();
    Policy { load: LoadPolicy { allowed: true, targets, ..LoadPolicy::default() }, ..policy() }
}

fn whole(operation: Operation) -> Request {
    Request { targets: Vec::new(), ..on("backend", operation) }
}

#[test]
fn a_plan_says_what_is_sent_where_and_for_how_long() {
    let world = World::compose();
    let plan =
        ask(&world, &on("backend", load(None, shape())), &allowing(&["http://me:x@lms.example/api?token=1"]), "op-1").unwrap();
    expect![[r#"
        load test of backend: 100 users for 30 s, 5 s of it ramp
          load on http://lms.example: GET http://lms.example/api: 100 users for 30 s, 5 s of it ramp; ends by itself above 50 % failures
          ~ load on http://lms.example/api: as it is => 100 users for 30 s, 5 s of it ramp
          ! who uses it meanwhile gets what is left
    "#]]
    .assert_eq(&text(&plan));
    assert_eq!(plan.lock, None, "it changes no definition");
    assert!(plan.basis.workloads.is_empty(), "what it is about may change meanwhile");
}

#[test]
fn nothing_is_sent_where_nobody_said_so() {
    let world = World::compose();
    let shop = &["https://lms.example/shop"][..];
    let small = Policy { load: LoadPolicy { max_users: 50, max_rate: 100, ..allowing(shop).load }, ..policy() };
    let rate = |rate| Shape { rate: Some(rate), users: 10, ..Shape::default() };
    let unsaid = policy();
    let table: &[(&Policy, Operation, &str)] = &[
        (&unsaid, load(Some("https://lms.example/shop"), shape()), "takes no load test: the configuration does not allow it"),
        (&allowing(&[]), load(None, shape()), "nothing says where to"),
        (
            &allowing(&["http://a/", "http://b/"]),
            load(None, shape()),
            "say with --url which of its targets is meant: http://a/, http://b/",
        ),
        (&allowing(shop), load(Some("https://lms.example/admin"), shape()), "neither one of its targets nor a port"),
        (&allowing(shop), load(Some("https://evil.example/shop"), shape()), "its targets are https://lms.example/shop"),
        (&allowing(shop), load(Some("https://lms.example/shop/../admin"), shape()), "no address of a web server"),
        (&allowing(shop), load(None, Shape { users: 5001, ..shape() }), "at most 5000 users"),
        (&allowing(shop), load(None, rate(20_001)), "at most 20000 requests a second"),
        (&small, load(None, shape()), "at most 50 users are allowed there"),
        (&small, load(None, rate(101)), "at most 100 requests a second are allowed there"),
    ];
    for (policy, operation, part) in table {
        let refused = ask(&world, &on("backend", operation.clone()), policy, "op-1").unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
        assert!(matches!(refused, Refusal::NoLoad { .. } | Refusal::BadLoad(_)));
    }
    let below = load(Some("https://lms.example/shop/cart?id=1"), shape());
    assert!(ask(&world, &whole(below), &allowing(shop), "op-1").is_ok());
}

#[test]
fn production_asks_for_its_name_as_for_any_change() {
    let mut world = World::compose();
    let environment = Environment { tier: Tier::Production, guard: Guard::Type, ..(*world.environment).clone() };
    world.environment = Arc::new(environment);
    let request = whole(load(None, shape()));
    assert!(ask(&world, &request, &policy(), "op-1").is_err(), "and is never sent to by default");
    let plan = ask(&world, &request, &allowing(&["https://lms.example/"]), "op-1").unwrap();
    assert_eq!(plan.guard, Guard::Type);
}

/// A machine whose test is under way, and what it was told to execute.
fn under_way() -> (Machine, crate::operate::machine::Ticket) {
    let world = World::compose();
    let plan = ask(&world, &whole(load(None, shape())), &allowing(&["https://lms.example/"]), "op-1").unwrap();
    let (machine, effects) = Machine::new(plan, &me(), world.now);
    let sent = effects.iter().find_map(|effect| match effect {
        Effect::Execute(ticket, Action::Errand(errand)) if matches!(**errand, Errand::Load(_)) => Some(*ticket),
        _ => None,
    });
    (machine, sent.expect("no lock, no look: the first step at once"))
}

fn figures(end: Option<End>) -> Arc<Figures> {
    Arc::new(Figures { elapsed_ms: 3000, sent: 12, answered: 10, failed: 2, end, ..Figures::default() })
}

#[test]
fn how_it_stands_is_shown_and_how_it_went_is_on_record() {
    let (mut machine, ticket) = under_way();
    machine.on(at(1), Event::Figures(ticket, figures(None)));
    assert_eq!(machine.progress[0].load, Some(figures(None)));
    assert!(machine.progress[0].detail.contains("10 answered"), "{}", machine.progress[0].detail);
    let effects = machine.on(at(3), Event::Done(ticket, Ok(Accepted::Load(figures(Some(End::Done))))));
    assert_eq!(machine.outcome(), Some(&Outcome::Done));
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Journal(record) => record.step.as_ref()?.load.clone(),
        _ => None,
    });
    assert_eq!(told, Some(figures(Some(End::Done))));
}

#[test]
fn a_person_ends_it_and_keeps_what_it_has_measured() {
    let (mut machine, ticket) = under_way();
    let effects = machine.on(at(1), Event::Abort);
    assert_eq!(effects, [Effect::Stop(ticket)]);
    let effects = machine.on(at(2), Event::Done(ticket, Ok(Accepted::Load(figures(Some(End::Stopped))))));
    assert_eq!((machine.outcome(), &*machine.detail), (Some(&Outcome::Failed), "aborted; nothing was changed"));
    assert_eq!(machine.progress[0].load, Some(figures(Some(End::Stopped))));
    assert!(effects.iter().any(|e| matches!(e, Effect::Journal(r) if r.step.as_ref().is_some_and(|s| s.load.is_some()))));
}

#[test]
fn one_that_ended_itself_has_failed_and_says_why() {
    let (mut machine, ticket) = under_way();
    machine.on(at(7), Event::Done(ticket, Ok(Accepted::Load(figures(Some(End::Failing))))));
    assert_eq!(machine.outcome(), Some(&Outcome::Failed));
    assert_eq!(machine.progress[0].state, StepState::Failed);
    assert!(machine.detail.contains("ended early: 17 % of the requests failed"), "{}", machine.detail);
}
