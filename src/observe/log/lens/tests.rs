//! The lens against the plain way: every line of the store asked one by one.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{ChunkBuilder, Found, Hint, LineView, LogBatch, Stream, find};
use super::*;

fn names(_: &InstanceId) -> &'static str {
    "api"
}

fn batch(instance: &str, lines: &[(i64, &str)], hint: Hint, older: bool) -> LogBatch {
    let mut builder = ChunkBuilder::new().after(hint);
    for (second, text) in lines {
        builder.line(Timestamp::from_second(*second).unwrap(), Stream::Stdout, text.as_bytes());
    }
    LogBatch { older, ..LogBatch::new(instance.into(), Arc::new(builder.finish())) }
}

fn filled(lines: &[&str]) -> Store {
    let lines: Vec<(i64, &str)> = lines.iter().zip(0..).map(|(l, n)| (n, *l)).collect();
    let mut store = Store::new(1 << 20);
    store.push(&batch("a", &lines, Hint::default(), false));
    store
}

fn shown(lens: &Lens, store: &Store) -> Vec<String> {
    (0..lens.len(store)).map(|i| store.line(lens.seq(store, i).unwrap()).unwrap().text.to_owned()).collect()
}

fn check(query: &str, fold: bool, context: u16, slice: usize) -> (Vec<String>, usize) {
    let store = filled(&[
        "INFO: start",
        "ERROR: failed",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 1, in f",
        "ValueError: no number",
        "INFO: next",
        "INFO: end",
    ]);
    let query = (!query.is_empty()).then(|| Query::parse(query).unwrap());
    let mut lens = Lens::new(query, fold, context);
    lens.reset(&store);
    while lens.work(&store, &names, slice) {}
    (shown(&lens, &store), lens.matches(&store))
}

#[test]
fn traces_are_folded_and_match_as_a_whole() {
    for slice in 1..9 {
        assert_eq!(check("", false, 0, slice).0.len(), 7);
        assert_eq!(check("", true, 0, slice).0, ["INFO: start", "ERROR: failed", "INFO: next", "INFO: end"]);
        assert_eq!(check("valueerror", true, 0, slice), (vec!["ERROR: failed".to_owned()], 1));
        let (whole, matches) = check("valueerror", false, 0, slice);
        assert_eq!((whole.len(), matches), (4, 1));
        assert_eq!(check("level:error", false, 0, slice).0.len(), 4);
        assert_eq!(check("next", true, 1, slice).0, ["INFO: next", "INFO: end"]);
        assert_eq!(check("next", false, 1, slice).0, ["ValueError: no number", "INFO: next", "INFO: end"]);
        assert_eq!(check("absent", true, 3, slice).0.len(), 0);
    }
}

#[test]
fn a_trace_is_opened_and_closed_where_it_stands() {
    let store = filled(&["INFO: a", "ERROR: b", "  more", "  and more", "INFO: c"]);
    let mut lens = Lens::new(None, true, 0);
    lens.reset(&store);
    lens.work(&store, &names, 100);
    let head = lens.seq(&store, 1).unwrap();
    assert_eq!((lens.len(&store), lens.under(&store, head), lens.is_open(head)), (3, 2, false));
    lens.toggle(&store, &names, head);
    assert_eq!(shown(&lens, &store), ["INFO: a", "ERROR: b", "  more", "  and more", "INFO: c"]);
    let under = lens.seq(&store, 3).unwrap();
    assert_eq!(lens.head_of(&store, under), Some(head));
    lens.toggle(&store, &names, head);
    assert_eq!((lens.len(&store), lens.shows(&store, under), lens.index_of(&store, under)), (3, false, Some(2)));
}

#[test]
fn without_anything_to_choose_nothing_is_kept() {
    let store = filled(&["INFO: a", "INFO: b"]);
    let mut lens = Lens::new(None, true, 0);
    lens.reset(&store);
    assert!(lens.is_complete() && lens.shown.capacity() == 0);
    assert_eq!((lens.len(&store), lens.matches(&store)), (2, 2));
    assert_eq!(lens.index_of(&store, lens.seq(&store, 1).unwrap()), Some(1));
}

#[test]
fn the_last_lines_are_known_after_a_slice_of_work() {
    let lines: Vec<String> = (0..1000).map(|n| if n % 10 == 0 { format!("hit {n}") } else { format!("miss {n}") }).collect();
    let store = filled(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut lens = Lens::new(Some(Query::parse("hit").unwrap()), true, 0);
    lens.reset(&store);
    assert!(lens.work(&store, &names, 100));
    assert_eq!((lens.len(&store), shown(&lens, &store)[9].as_str()), (10, "hit 990"));
    assert!(!lens.work(&store, &names, 900) && lens.is_complete());
    assert_eq!(lens.matches(&store), 100);
}

const TEXTS: &[&str] = &["INFO: hit", "INFO: miss", "ERROR: miss", "  under hit", "  under", "Caused by: x"];

#[derive(Clone, Debug)]
struct Push {
    instance: u8,
    from: i64,
    lines: Vec<(i64, usize)>,
    older: bool,
    work: usize,
}

fn pushes() -> impl Strategy<Value = Vec<Push>> {
    let lines = prop::collection::vec((0i64..3, 0..TEXTS.len()), 1..12);
    let push = (0u8..3, 0i64..30, lines, prop::bool::weighted(0.2), 0usize..20)
        .prop_map(|(instance, from, lines, older, work)| Push { instance, from, lines, older, work });
    prop::collection::vec(push, 1..25)
}

proptest! {
    #[test]
    fn however_lines_come_in_and_go_the_lens_shows_what_one_made_now_would(
        pushes in pushes(), rules in (0usize..4, any::<bool>(), 0u16..3), bound in prop_oneof![Just(1usize << 20), 1500usize..6000],
        keep in prop::bool::weighted(0.2),
    ) {
        let (query, fold, context) = rules;
        let query = [None, Some("hit"), Some("level>=error"), Some("!under")][query].map(|q| Query::parse(q).unwrap());
        let mut store = Store::new(bound);
        let mut lens = Lens::new(query.clone(), fold, context);
        let mut own = Lens::matching(Query::parse("hit").unwrap());
        store.keep_oldest(keep);
        // An instance's own lines come in their order; its older pages go back page by page.
        let mut held = [(0i64, 0i64); 3];
        for push in pushes {
            let (first, last) = &mut held[usize::from(push.instance)];
            let mut at = if push.older { *first - 40 } else { push.from.max(*last) };
            let lines: Vec<(i64, &str)> = push.lines.iter().map(|(step, text)| { at += step; (at, TEXTS[*text]) }).collect();
            if push.older { *first -= 40 } else { *last = at }
            store.push(&batch(&format!("i{}", push.instance), &lines, Hint::default(), push.older));
            for lens in [&mut lens, &mut own] {
                lens.pushed(&store, &names);
                lens.work(&store, &names, push.work);
            }
        }
        while lens.work(&store, &names, 7) {}
        while own.work(&store, &names, 7) {}
        let hits = (0..store.len()).filter(|i| store.get(*i).unwrap().text.contains("hit")).count();
        prop_assert_eq!((own.matches(&store), own.len(&store)), (hits, hits));
        // What stood around a line, or led its trace, may have gone with another chunk: the line stays as it was chosen.
        if store.dropped() + store.cut() > 0 {
            return Ok(());
        }
        let mut fresh = Lens::new(query, fold, context);
        fresh.reset(&store);
        fresh.work(&store, &names, usize::MAX);
        prop_assert_eq!(shown(&lens, &store), shown(&fresh, &store));
        prop_assert_eq!(lens.matches(&store), fresh.matches(&store));
        for index in 0..lens.len(&store) {
            prop_assert_eq!(lens.index_of(&store, lens.seq(&store, index).unwrap()), Some(index));
        }
    }
}

#[test]
fn what_is_shown_is_counted_over_time() {
    let store = filled(&["INFO: hit", "ERROR: hit", "  hit under", "ERROR: miss", "INFO: hit", "FATAL: hit"]);
    let mut lens = Lens::new(Some(Query::parse("hit").unwrap()), true, 0);
    lens.reset(&store);
    lens.work(&store, &names, 100);
    let at = |second| Timestamp::from_second(second).unwrap();
    let told = |from, to, count| -> Vec<(u64, u64)> {
        lens.buckets(&store, at(from), at(to), count).unwrap().iter().map(|b| (b.lines, b.errors)).collect()
    };
    assert_eq!(told(0, 6, 2), [(2, 1), (2, 1)]);
    assert_eq!(told(0, 6, 6), [(1, 0), (1, 1), (0, 0), (0, 0), (1, 0), (1, 1)]);
    assert_eq!((told(5, 5, 1), told(7, 9, 1)), (vec![(1, 1)], vec![(0, 0)]));
    assert_eq!(Lens::new(None, true, 0).buckets(&store, at(0), at(6), 2), None);
}

#[test]
fn a_search_goes_both_ways_and_stops_when_its_budget_is_spent() {
    let lines: Vec<String> = (0..100).map(|n| format!("line {n:02}")).collect();
    let store = filled(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let lens = Lens::new(None, true, 0);
    let seq = |n: usize| lens.seq(&store, n).unwrap();
    let wanted = |line: &LineView<'_>| line.text.ends_with('5');
    let table: &[(Option<usize>, bool, usize, Found)] = &[
        (Some(10), true, 50, Found::At(seq(15))),
        (Some(15), true, 50, Found::At(seq(25))),
        (Some(15), false, 50, Found::At(seq(5))),
        (None, true, 50, Found::At(seq(5))),
        (None, false, 50, Found::At(seq(95))),
        (Some(96), true, 50, Found::Nothing),
        (Some(5), true, 3, Found::More(seq(8))),
        (Some(4), false, 50, Found::Nothing),
    ];
    for (from, forward, budget, expected) in table {
        let from = from.map(seq);
        assert_eq!(find(&store, &lens, from, *forward, &wanted, *budget), *expected, "{from:?} {forward}");
    }
}
