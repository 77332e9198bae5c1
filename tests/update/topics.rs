//! What is asked of the engines: only what is on screen, and steadily.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::app::rows;
use quarterdeck::app::state::{Opening, RowId};
use quarterdeck::app::subscription::{held, subscriptions};
use quarterdeck::engine::{Subject, Topic};
use quarterdeck::model::{ConnectionId, Guard, InstanceState, Tier};

use crate::fixture::{Deck, environment, shop, snapshot, workload};

fn stats(deck: &Deck) -> Vec<(String, BTreeSet<String>, Duration)> {
    subscriptions(&deck.state)
        .into_iter()
        .filter_map(|(connection, topic)| match topic {
            Topic::Stats { instances, every } => {
                Some((connection.to_string(), instances.iter().map(ToString::to_string).collect(), every))
            }
            Topic::Inventory | Topic::Logs(_) | Topic::Describe(_) => None,
        })
        .collect()
}

#[test]
fn every_endpoint_is_watched_whatever_is_on_screen() {
    let mut deck = Deck::fleet();
    for keys in ["", "<enter>", "l", "7", "?", ":"] {
        deck.press(keys);
        for id in ["here", "prod-1"] {
            assert!(subscriptions(&deck.state).contains(&(ConnectionId::from(id), Topic::Inventory)));
        }
    }
}

#[test]
fn a_cluster_is_asked_nothing_before_it_is_opened() {
    let mut deck = Deck::fleet();
    deck.state.offer(&"prod-eu".into(), "context prod-eu", Opening::OnDemand);
    deck.state.offer(&"prod-eu:*".into(), "context prod-eu", Opening::Aside);
    let followed = |deck: &Deck, id: &str| subscriptions(&deck.state).contains(&(id.into(), Topic::Inventory));
    let listed = |deck: &Deck| rows::order(&deck.state, deck.state.nav.view()).len();
    assert_eq!((followed(&deck, "prod-eu"), listed(&deck)), (false, 4), "three environments and what can be opened");
    deck.state.nav.view_mut().table.selected = Some(RowId::Connection("prod-eu".into()));
    deck.press("<enter>");
    assert!(followed(&deck, "prod-eu") && !followed(&deck, "prod-eu:*"));
    deck.press("A");
    assert!(followed(&deck, "prod-eu:*"), "all its namespaces, asked for by a key");
    assert_eq!(listed(&deck), 5);
}

#[test]
fn figures_are_asked_for_what_is_on_screen_and_runs() {
    let mut deck = Deck::shop(Guard::Open);
    let all = stats(&deck);
    assert_eq!((all.len(), all[0].1.len(), all[0].2), (1, 6, Duration::from_secs(2)));
    deck.press("j<enter>");
    assert_eq!(stats(&deck)[0].1, BTreeSet::from(["db-1-id".to_owned()]));
    deck.press("7");
    assert!(stats(&deck).is_empty(), "a timeline has no figures");
    let mut stopped = shop(Guard::Open);
    Arc::make_mut(&mut Arc::make_mut(&mut stopped.workloads[1]).instances[0]).state = InstanceState::Exited;
    deck.holds("here", vec![stopped]).press("2");
    assert_eq!(stats(&deck)[0].1.len(), 5);
}

#[test]
fn the_fleet_is_sampled_slowly_and_never_whole() {
    let mut deck = Deck::new(&["here"]);
    let many = |name: &str| {
        snapshot(environment("here", name, Tier::Local, Guard::Open), (0..50).map(|n| workload(&format!("w{n}"), 2)).collect())
    };
    deck.live("here").holds("here", vec![many("a"), many("b")]);
    let all = stats(&deck);
    assert!(all[0].1.len() <= 40 && all[0].2 >= Duration::from_secs(10), "{all:?}");
}

#[test]
fn scrolling_within_a_page_asks_for_nothing_new() {
    let mut deck = Deck::new(&["here"]);
    let env = environment("here", "shop", Tier::Local, Guard::Open);
    deck.live("here").holds("here", vec![snapshot(env, (0..300).map(|n| workload(&format!("w{n:03}"), 1)).collect())]);
    let mut sets = BTreeSet::new();
    for _ in 0..200 {
        deck.press("j");
        let asked = stats(&deck);
        let shown: Vec<String> = {
            let order = crate::fixture::ids(&deck.state);
            let list = quarterdeck::app::layout::list(&deck.state, deck.state.nav.view(), &order);
            list.seen.iter().map(|s| format!("w{:03}-1-id", s.index)).collect()
        };
        for id in shown {
            assert!(asked[0].1.contains(&id), "{id} is in sight");
        }
        assert!(asked[0].1.len() <= 60, "only what is about in sight: {}", asked[0].1.len());
        sets.insert(format!("{asked:?}"));
    }
    assert!(sets.len() <= 25, "{} different sets in 200 steps", sets.len());
    let before = stats(&deck);
    deck.wait(30).live("here");
    assert_eq!(stats(&deck), before, "nothing changes while nothing changes");
}

#[test]
fn a_definition_is_asked_for_while_it_is_shown() {
    let mut deck = Deck::shop(Guard::Open);
    let described = |deck: &Deck| {
        subscriptions(&deck.state).into_iter().find_map(|(_, t)| if let Topic::Describe(s) = t { Some(s) } else { None })
    };
    deck.press("d");
    let id = quarterdeck::model::EnvironmentId::new("here", "shop");
    assert_eq!(described(&deck), Some(Subject::Workload(id, "api".into())));
    deck.press("<esc><enter>jd");
    assert_eq!(described(&deck), Some(Subject::Instance("api-2-id".into())));
    deck.press("<esc>");
    assert_eq!(described(&deck), None);
}

#[test]
fn a_paused_log_takes_in_a_quarter_of_its_bound_and_then_waits() {
    let mut settings = crate::fixture::settings();
    settings.log_bytes = 64 << 10;
    let mut deck = Deck::shop_with(settings, Guard::Open);
    deck.press("jl");
    let held = |deck: &Deck| held(&deck.state);
    let spill = |deck: &mut Deck, lines: usize| {
        for _ in 0..lines {
            deck.log("db-1-id", &["x".repeat(100).as_str()]);
        }
    };
    spill(&mut deck, 200);
    assert!(!held(&deck), "followed, it is read as it comes");
    deck.press("k");
    spill(&mut deck, 10);
    assert!(!held(&deck));
    spill(&mut deck, 200);
    assert!(held(&deck), "nobody reads on");
    deck.press("G");
    assert!(!held(&deck), "it goes on with the reader");
}
