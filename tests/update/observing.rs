//! Observations: what is kept, what is told, and what is not told twice.

use std::sync::Arc;

use quarterdeck::app::rows::{self, Column};
use quarterdeck::app::state::RowId;
use quarterdeck::engine::Update;
use quarterdeck::model::{EnvironmentId, Guard, Health, Item, Link, Source};

use crate::fixture::{Deck, at, environment, settings, shop, snapshot, unwell, workload};

fn told(deck: &Deck) -> Vec<String> {
    deck.state.timeline.iter().map(|(_, i)| format!("{} {} {}", i.subject, i.what, i.detail)).collect()
}

#[test]
fn health_changes_are_told_once_whatever_the_feed_does() {
    let mut deck = Deck::shop(Guard::Open);
    assert!(told(&deck).is_empty(), "what is found at the start has not changed");
    let mut bad = shop(Guard::Open);
    bad.workloads[1] = Arc::new(unwell(workload("db", 1), Health::Unhealthy, "exit 137"));
    deck.holds("here", vec![bad.clone()]);
    assert_eq!(told(&deck), ["db unhealthy was healthy: exit 137"]);
    deck.stale("here").live("here").holds("here", vec![bad]);
    assert_eq!(told(&deck).len(), 1, "a reconnect is no change");
    deck.holds("here", vec![shop(Guard::Open)]);
    assert_eq!(told(&deck)[1..], ["db healthy was unhealthy"]);
}

#[test]
fn of_several_instances_the_one_that_changed_is_named() {
    let mut deck = Deck::shop(Guard::Open);
    let mut bad = shop(Guard::Open);
    bad.workloads[0] = Arc::new(unwell(workload("api", 3), Health::Degraded, "api-1: slow"));
    deck.holds("here", vec![bad]);
    assert_eq!(told(&deck), ["api degraded was healthy: api-1: slow", "api-1 degraded was healthy: api-1: slow"]);
}

#[test]
fn unreachable_is_never_shown_as_empty() {
    let mut deck = Deck::shop(Guard::Open);
    deck.stale("here");
    assert_eq!(deck.rows(), ["api", "db", "web"]);
    deck.press("1");
    let row = RowId::Environment(EnvironmentId::new("here", "shop"));
    let feed = rows::cell(&deck.state, &row, Column::Feed).text;
    assert!(feed.contains("stale since"), "{feed}");
    assert!(rows::note(&deck.state, &row).is_some_and(|n| n.contains("connection reset")));
    let mut deck = Deck::new(&["gone"]);
    let failed =
        Link::Failed { since: at(0), error: "permission denied".into(), hint: "join the docker group".into(), retry_at: None };
    deck.update("gone", Update::Link(failed));
    assert_eq!(deck.rows(), ["gone"], "an endpoint that was never reached has a row");
    assert_eq!(
        rows::note(&deck.state, &RowId::Connection("gone".into())).as_deref(),
        Some("permission denied: join the docker group")
    );
}

#[test]
fn events_are_kept_in_order_and_shown_newest_first() {
    let mut deck = Deck::shop(Guard::Open);
    let item = |n: i64| Item {
        at: at(n),
        environment: EnvironmentId::new("here", "shop"),
        subject: "db-1".into(),
        source: Source::Engine,
        what: format!("start{n}").into(),
        detail: "".into(),
    };
    deck.update("here", Update::Events(vec![item(1), item(2)])).update("here", Update::Events(vec![item(2), item(3)]));
    deck.press("8");
    let what: Vec<String> =
        crate::fixture::ids(&deck.state).iter().map(|r| rows::cell(&deck.state, r, Column::What).text).collect();
    assert_eq!(what, ["start3", "start2", "start1"]);
    // A new item does not move the selection off the one that is looked at.
    deck.press("j").update("here", Update::Events(vec![item(4)]));
    let selected = deck.state.nav.view().table.selected.clone().unwrap();
    assert_eq!(rows::cell(&deck.state, &selected, Column::What).text, "start2");
    deck.press("<enter>");
    assert_eq!(deck.selected().as_deref(), Some("shop/db"), "an item leads to what it is about");
}

#[test]
fn only_the_chosen_environment_is_shown() {
    let mut settings = settings();
    settings.only = Some("tools".into());
    let mut deck = Deck::with(settings, &["here"]);
    let tools = snapshot(environment("here", "tools", quarterdeck::model::Tier::Local, Guard::Open), vec![workload("cron", 1)]);
    deck.live("here").holds("here", vec![shop(Guard::Open), tools]);
    assert_eq!(deck.rows(), ["cron"]);
    deck.press("1");
    assert_eq!(deck.rows(), ["tools"]);
}

#[test]
fn messages_of_unknown_endpoints_and_operations_are_ignored() {
    let mut deck = Deck::shop(Guard::Open);
    deck.holds("elsewhere", vec![shop(Guard::Open)]).live("elsewhere");
    assert_eq!(deck.state.connections.len(), 1);
    deck.send(quarterdeck::app::Msg::Done {
        operation: "nobody".into(),
        ticket: quarterdeck::operate::machine::Ticket(1),
        result: Ok(quarterdeck::operate::Accepted::Done),
    });
    assert!(deck.wanted().is_empty());
}

#[test]
fn the_past_is_read_from_the_journal_behind_what_was_done_here() {
    use quarterdeck::operate::audit::{Phase, Record};
    use quarterdeck::operate::machine::Outcome;
    let record = |operation: &str, n: i64, phase, outcome| Record {
        at: at(n),
        by: "ann".into(),
        host: "desk".into(),
        ssh: None,
        operation: operation.into(),
        kind: "deploy".into(),
        environment: "shop".into(),
        endpoint: "unix:///x".into(),
        target: "api".into(),
        phase,
        plan: None,
        step: None,
        outcome,
        detail: None,
        duration_ms: Some(1200),
    };
    let mut deck = Deck::shop(Guard::Open);
    deck.send(quarterdeck::app::Msg::Journal(vec![
        record("1", -100, Phase::Started, None),
        record("1", -90, Phase::Ended, Some(Outcome::RolledBack)),
        record("2", -50, Phase::Started, None),
    ]));
    let past: Vec<_> = deck.state.operations.past.iter().map(|p| (p.id.as_str(), p.outcome_word())).collect();
    assert_eq!(past, [("2", "unfinished"), ("1", "rolled back")]);
    let row = RowId::Environment(EnvironmentId::new("here", "shop"));
    assert!(rows::cell(&deck.state, &row, Column::LastOperation).text.starts_with("deploy unfinished"));
}
