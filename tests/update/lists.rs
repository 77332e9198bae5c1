//! Lists: selection by identity, marks, filters, sorting.

use std::sync::Arc;

use quarterdeck::app::rows::{self, Column};
use quarterdeck::app::state::{Direction, RowId, Screen};
use quarterdeck::app::{Command, Msg};
use quarterdeck::engine::Update;
use quarterdeck::model::{Guard, Health, Sample, Snapshot, Tier};

use crate::fixture::{Deck, at, environment, instance, snapshot, unwell, workload};

fn names(names: &[&str]) -> Snapshot {
    snapshot(environment("here", "shop", Tier::Local, Guard::Open), names.iter().map(|n| workload(n, 1)).collect())
}

#[test]
fn the_selection_is_a_thing_and_not_a_place() {
    let mut deck = Deck::new(&["here"]);
    deck.live("here").holds("here", vec![names(&["b", "d", "f"])]).press("j");
    assert_eq!(deck.selected().as_deref(), Some("shop/d"));
    // what is there now, what is selected then
    let table: &[(&[&str], &str)] = &[
        (&["a", "b", "c", "d", "e", "f"], "shop/d"),
        (&["d"], "shop/d"),
        (&["a", "b", "c", "d"], "shop/d"),
        (&["a", "b", "c", "z"], "shop/z"),
        (&["a", "b"], "shop/b"),
        (&["x"], "shop/x"),
    ];
    for (there, selected) in table {
        deck.holds("here", vec![names(there)]);
        assert_eq!(deck.selected().as_deref(), Some(*selected), "{there:?}");
    }
    deck.holds("here", vec![names(&[])]);
    assert_eq!(deck.selected(), None);
    deck.holds("here", vec![names(&["m", "n"])]);
    assert_eq!(deck.selected().as_deref(), Some("shop/m"));
}

#[test]
fn filtering_keeps_the_selection_while_it_is_shown() {
    let mut deck = Deck::new(&["here"]);
    deck.live("here").holds("here", vec![names(&["aa", "ab", "bb"])]).press("j/b");
    assert_eq!((deck.rows(), deck.selected().as_deref()), (vec!["ab".into(), "bb".into()], Some("shop/ab")));
    deck.press("b");
    assert_eq!(deck.selected().as_deref(), Some("shop/bb"));
    deck.press("<esc>");
    assert_eq!((deck.rows().len(), deck.selected().as_deref()), (3, Some("shop/bb")), "leaving takes the filter away");
    deck.press("/a<enter><esc>");
    assert_eq!(deck.rows().len(), 3, "so does going back");
    deck.press("/x<backspace><backspace>");
    assert!(deck.state.overlays.is_empty(), "backspace over nothing leaves");
}

#[test]
fn filters_say_what_they_mean() {
    let mut deck = Deck::new(&["here"]);
    let mut canary = workload("api-canary", 1);
    canary.image = "registry:5000/team/api:2.0".into();
    let mut cache = workload("cache", 1);
    Arc::make_mut(&mut cache.instances[0]).restarts = 4;
    let stopped = unwell(workload("jobs", 1), Health::Stopped, "");
    let web = unwell(workload("web", 2), Health::Unhealthy, "down");
    let env = environment("here", "shop", Tier::Local, Guard::Open);
    deck.live("here").holds("here", vec![snapshot(env, vec![workload("api", 1), canary, cache, stopped, web])]);
    let table: &[(&str, &[&str])] = &[
        ("", &["api", "api-canary", "cache", "jobs", "web"]),
        ("api", &["api", "api-canary"]),
        ("API", &["api", "api-canary"]),
        ("api !canary", &["api"]),
        ("!name:canary a", &["api", "cache"]),
        ("health:unhealthy", &["web"]),
        ("health:healthy", &["api", "api-canary", "cache"]),
        ("!health:healthy", &["jobs", "web"]),
        ("health:un", &["web"]),
        ("image:team/api:2", &["api-canary"]),
        ("image:\"api:2.0\"", &["api-canary"]),
        ("label:app=web", &["web"]),
        ("label:app=cache restarts:>3", &["cache"]),
        ("restarts:4", &["cache"]),
        ("restarts:<1", &["api", "api-canary", "jobs", "web"]),
        ("kind:serv env:shop tier:local", &["api", "api-canary", "cache", "jobs", "web"]),
        ("state:running", &["api", "api-canary", "cache", "jobs", "web"]),
        ("\"api-\"", &["api-canary"]),
        ("health:", &["api", "api-canary", "cache", "jobs", "web"]),
        ("nosuchthing", &[]),
    ];
    for (filter, expected) in table {
        deck.state.nav.view_mut().table.filter = (*filter).into();
        assert_eq!(rows::filter_error(deck.state.nav.view()), None, "{filter}");
        assert_eq!(deck.rows(), *expected, "{filter}");
    }
    // What makes no sense is told; the rest still holds.
    let mistakes: &[(&str, &str)] =
        &[("helth:unhealthy", "perhaps health"), ("pods:3 api", "no column \"pods\" here"), ("restarts:many", "wants a number")];
    for (filter, error) in mistakes {
        deck.state.nav.view_mut().table.filter = (*filter).into();
        let said = rows::filter_error(deck.state.nav.view()).unwrap_or_default();
        assert!(said.contains(error), "{filter}: {said}");
    }
    deck.state.nav.view_mut().table.filter = "pods:3 api".into();
    assert_eq!(deck.rows(), ["api", "api-canary"]);
}

#[test]
fn names_are_sorted_the_way_people_count() {
    let mut deck = Deck::new(&["here"]);
    deck.live("here").holds("here", vec![names(&["web-10", "web-9", "Alpha", "beta", "web-1"])]);
    assert_eq!(deck.rows(), ["Alpha", "beta", "web-1", "web-9", "web-10"]);
    deck.press("O");
    assert_eq!(deck.rows(), ["web-10", "web-9", "web-1", "beta", "Alpha"]);
}

#[test]
fn every_column_of_every_list_can_be_sorted_by_both_ways() {
    for screen in Screen::ALL {
        for spec in rows::columns(screen) {
            let mut deck = Deck::fleet();
            deck.press("<enter>").send(Msg::Run(Command::Go(screen)));
            let before = deck.rows();
            for direction in [Direction::Up, Direction::Down] {
                deck.state.nav.view_mut().table.sort = Some((spec.column, direction));
                let (mut sorted, mut was) = (deck.rows(), before.clone());
                sorted.sort();
                was.sort();
                assert_eq!(sorted, was, "{screen:?} by {:?}: nothing is lost", spec.column);
            }
        }
    }
}

fn sample(instance: &str, second: i64, cpu: f64, memory: u64) -> Sample {
    Sample {
        instance: instance.into(),
        at: at(second),
        cpu_cores: Some(cpu),
        memory_bytes: Some(memory),
        memory_limit_bytes: Some(1000),
        net_rx_bytes: Some(0),
        net_tx_bytes: Some(0),
        block_read_bytes: None,
        block_write_bytes: None,
        pids: Some(3),
    }
}

#[test]
fn figures_sort_from_the_top_and_what_is_not_known_comes_last_either_way() {
    let mut deck = Deck::new(&["here"]);
    deck.live("here").holds("here", vec![names(&["a", "b", "c"])]);
    deck.update("here", Update::Samples(vec![sample("a-1-id", 1, 0.1, 10), sample("c-1-id", 1, 0.9, 5)]));
    for (column, down, up) in
        [(Column::Cpu, ["c", "a", "b"], ["a", "c", "b"]), (Column::Memory, ["a", "c", "b"], ["c", "a", "b"])]
    {
        deck.state.nav.view_mut().table.sort = Some((column, Direction::Down));
        assert_eq!(deck.rows(), down, "{column:?}");
        deck.state.nav.view_mut().table.sort = Some((column, Direction::Up));
        assert_eq!(deck.rows(), up, "{column:?}");
    }
    // A list in order of figures moves with them.
    deck.state.nav.view_mut().table.sort = Some((Column::Cpu, Direction::Down));
    deck.update("here", Update::Samples(vec![sample("a-1-id", 2, 2.0, 10)]));
    assert_eq!(deck.rows(), ["a", "c", "b"]);
}

#[test]
fn the_sort_menu_sorts_and_sorting_again_turns_round() {
    let mut deck = Deck::new(&["here"]);
    deck.live("here").holds("here", vec![names(&["a", "b"])]);
    deck.press("ojj").press("<enter>");
    let (column, first) = deck.state.nav.view().table.sort.unwrap();
    deck.press("o<enter>");
    let (same, second) = deck.state.nav.view().table.sort.unwrap();
    assert!(column == same && first != second, "the menu opens on the column in force");
}

#[test]
fn a_sum_of_some_says_that_it_is_an_estimate() {
    let mut deck = Deck::shop(Guard::Open);
    let cell = |deck: &Deck| {
        let row = RowId::Workload(quarterdeck::model::EnvironmentId::new("here", "shop"), "api".into());
        rows::cell(&deck.state, &row, Column::Cpu).text
    };
    assert_eq!(cell(&deck), "–");
    deck.update("here", Update::Samples(vec![sample("api-1-id", 1, 0.2, 1), sample("api-2-id", 1, 0.4, 1)]));
    assert_eq!(cell(&deck), "~0.90");
    deck.update("here", Update::Samples(vec![sample("api-3-id", 1, 0.3, 1)]));
    assert_eq!(cell(&deck), "0.90");
}

#[test]
fn marks_stay_on_things_and_go_with_them() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("<space>j<space>");
    assert_eq!(deck.state.nav.view().table.marks.len(), 2);
    let mut fewer = crate::fixture::shop(Guard::Open);
    fewer.workloads.retain(|w| w.id.as_str() != "api");
    deck.holds("here", vec![fewer]);
    assert_eq!(deck.state.nav.view().table.marks.len(), 1);
    deck.press("*");
    assert_eq!(deck.state.nav.view().table.marks.len(), 2);
    deck.press("<esc>");
    assert!(deck.state.nav.view().table.marks.is_empty());
    let mut deck = Deck::fleet();
    deck.press("<space>");
    assert_eq!(deck.state.nav.view().table.marks.len(), 1, "environments too, for their logs");
}

#[test]
fn health_shows_the_worst_first() {
    let mut deck = Deck::new(&["here"]);
    let mut bad = unwell(workload("m", 2), Health::Degraded, "one is down");
    Arc::make_mut(&mut bad.instances[1]).verdict = quarterdeck::model::Verdict::because(Health::Unhealthy, "down");
    let gone = unwell(workload("z", 1), Health::Unhealthy, "crash");
    let env = environment("here", "shop", Tier::Local, Guard::Open);
    deck.live("here")
        .holds("here", vec![snapshot(env, vec![workload("a", 1), bad, gone, unwell(workload("s", 1), Health::Stopped, "")])]);
    deck.press("5");
    assert_eq!(deck.rows(), ["m-2", "z", "m", "m-1", "s", "a"]);
}

#[test]
fn every_cell_of_every_row_is_a_line_of_safe_text() {
    let mut deck = Deck::fleet();
    deck.update("here", Update::Samples(vec![sample("api-1-id", 1, 0.2, 990)]));
    deck.press("<enter>");
    for screen in Screen::ALL {
        deck.send(Msg::Run(Command::Go(screen)));
        for row in crate::fixture::ids(&deck.state).iter() {
            for spec in rows::columns(screen) {
                let cell = rows::cell(&deck.state, row, spec.column);
                assert!(!cell.text.contains(char::is_control), "{screen:?} {:?}: {:?}", spec.column, cell.text);
            }
            let _ = rows::note(&deck.state, row);
        }
    }
}

#[test]
fn five_thousand_rows_are_listed_once_per_change() {
    let mut deck = Deck::new(&["here"]);
    let mut big = workload("big", 0);
    big.instances = (0..5000).map(|n| Arc::new(instance("big", n))).collect();
    let env = environment("here", "shop", Tier::Local, Guard::Open);
    deck.live("here").holds("here", vec![snapshot(env, vec![big])]).press("<enter>");
    let first = crate::fixture::ids(&deck.state);
    assert_eq!(first.len(), 5000);
    deck.press("GkkG");
    assert!(Arc::ptr_eq(&first, &crate::fixture::ids(&deck.state)), "moving makes nothing anew");
    assert_eq!(deck.selected().as_deref(), Some("shop/big/big-4999"));
    assert!(deck.state.nav.view().table.offset > 4900);
}
