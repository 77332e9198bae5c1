//! Reading logs: following, pausing, joining and leaving, searching, saving.

use std::sync::Arc;

use quarterdeck::app::state::{LogView, Screen};
use quarterdeck::app::{Effect, Msg};
use quarterdeck::engine::{Topic, Update};
use quarterdeck::model::{Guard, Snapshot};
use quarterdeck::observe::log::{ChunkBuilder, LogBatch, Marker, Stream};
use quarterdeck::observe::redact::Redaction;

use crate::fixture::{Deck, at, instance, screen, shop};

pub fn logs(deck: &Deck) -> &LogView {
    deck.state.logs.as_ref().expect("a log is open")
}

fn sources(deck: &Deck) -> Vec<&str> {
    logs(deck).sources.iter().map(|s| s.instance.as_str()).collect()
}

/// A log of 200 lines on a screen of 20.
pub fn long() -> Deck {
    let mut deck = Deck::shop(Guard::Open);
    deck.send(Msg::Resize(75, 23)).press("jl");
    for n in 0..200 {
        deck.clock = n;
        deck.log("db-1-id", &[&format!("line {n}{}", if n % 50 == 7 { " Needle" } else { "" })]);
    }
    deck
}

fn bottom(deck: &Deck) -> String {
    let view = logs(deck);
    let line = if view.follow { view.store.get(view.store.len() - 1) } else { view.store.line(view.anchor) };
    line.unwrap().text.to_owned()
}

/// The line the reader is at.
pub fn reader(deck: &Deck) -> String {
    let view = logs(deck);
    view.line(view.at()).map(|l| l.text.to_owned()).unwrap_or_default()
}

#[test]
fn a_log_is_of_what_is_selected_marked_or_looked_at() {
    let table: &[(&str, &str, &[&str])] = &[
        ("l", "api", &["api-1-id", "api-2-id", "api-3-id"]),
        ("j<enter>l", "db-1", &["db-1-id"]),
        ("<enter>jl", "api-2", &["api-2-id"]),
        ("<enter>j<enter>", "api-2", &["api-2-id"]),
        ("j<space><space>l", "db + web", &["db-1-id", "web-1-id", "web-2-id"]),
        ("<enter><space><space>l", "2 marked instances", &["api-1-id", "api-2-id"]),
        ("1l", "all of shop", &["api-1-id", "api-2-id", "api-3-id", "db-1-id", "web-1-id", "web-2-id"]),
    ];
    for (keys, title, expected) in table {
        let mut deck = Deck::shop(Guard::Open);
        deck.press(keys);
        assert_eq!(screen(&deck), Screen::Logs, "{keys}");
        assert_eq!((&*logs(&deck).title, sources(&deck)), (*title, expected.to_vec()), "{keys}");
    }
}

#[test]
fn leaving_the_log_ends_it_and_switching_away_from_it_does_not() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("l5");
    assert!(deck.state.logs.is_some());
    deck.press("4");
    assert_eq!(screen(&deck), Screen::Logs);
    deck.press("<esc>");
    assert!(deck.state.logs.is_none());
}

#[test]
fn scrolling_up_pauses_and_the_end_follows_again() {
    let mut deck = long();
    assert_eq!(bottom(&deck), "line 199");
    deck.press("k");
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str(), logs(&deck).follow), ("line 199", "line 198", false));
    deck.log("db-1-id", &["line 200", "line 201"]);
    assert_eq!((bottom(&deck).as_str(), logs(&deck).new_lines), ("line 199", 2), "nothing moves while it is read");
    deck.press("<pgup>");
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str()), ("line 181", "line 180"), "a page with a line in common");
    deck.press("<pgdn>");
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str()), ("line 199", "line 198"));
    deck.press(&"k".repeat(18));
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str()), ("line 198", "line 180"), "scrolls no further than it must");
    deck.send(Msg::Wheel(-3));
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str()), ("line 195", "line 177"), "the reader stays in sight");
    for keys in ["G", "f", "<end>"] {
        deck.press("kk").press(keys);
        assert!(logs(&deck).follow && logs(&deck).new_lines == 0, "{keys}");
    }
    deck.press("g");
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str()), ("line 18", "line 0"), "the first page: 19 lines");
    deck.press("k<pgup>");
    assert_eq!((bottom(&deck).as_str(), reader(&deck).as_str()), ("line 18", "line 0"));
    deck.press("G").press("f");
    assert!(!logs(&deck).follow, "f pauses too");
    deck.press("j");
    assert!(logs(&deck).follow, "down past the end follows");
}

#[test]
fn replicas_join_and_leave_while_following() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl");
    let topics = |deck: &Deck| {
        let all = quarterdeck::app::subscription::subscriptions(&deck.state);
        all.into_iter()
            .filter_map(|(_, t)| if let Topic::Logs(q) = t { Some((q.instance.to_string(), q.tail, q.since)) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(topics(&deck), [("db-1-id".into(), Some(100), None)]);
    let scaled = |numbers: &[u32]| -> Snapshot {
        let mut snapshot = shop(Guard::Open);
        let instances = numbers.iter().map(|n| Arc::new(instance("db", *n))).collect();
        Arc::make_mut(&mut snapshot.workloads[1]).instances = instances;
        snapshot
    };
    deck.holds("here", vec![scaled(&[1, 2])]);
    // The one that joined is asked for everything since it began; the first is left as it was.
    assert_eq!(topics(&deck), [("db-1-id".into(), Some(100), None), ("db-2-id".into(), None, Some(at(-3600)))]);
    deck.log("db-2-id", &["hello"]).holds("here", vec![scaled(&[2])]);
    assert_eq!(topics(&deck).len(), 2, "its last lines are on their way");
    deck.wait(12);
    assert_eq!(topics(&deck), [("db-2-id".into(), None, Some(at(-3600)))]);
    assert_eq!(sources(&deck), ["db-1-id", "db-2-id"], "it keeps its place and colour");
    deck.holds("here", vec![scaled(&[2, 3])]);
    assert_eq!(sources(&deck), ["db-1-id", "db-2-id", "db-3-id"]);
}

#[test]
fn a_stale_feed_takes_nobody_out_of_the_log() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("l").stale("here").wait(60);
    assert!(logs(&deck).sources.iter().all(|s| !s.ended));
    assert_eq!(deck.state.log_link().map(quarterdeck::model::Link::word), Some("stale"));
}

#[test]
fn lines_of_others_are_not_taken_in() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl").log("api-1-id", &["not mine"]);
    assert_eq!(logs(&deck).store.len(), 0);
}

#[test]
fn the_lines_in_sight_may_be_dropped_under_ones_eyes() {
    let mut settings = crate::fixture::settings();
    settings.log_bytes = 4096;
    let mut deck = Deck::shop_with(settings, Guard::Open);
    deck.press("jl").log("db-1-id", &["first"]).press("f");
    let flood = |deck: &mut Deck, from: i64| {
        for n in from..from + 200 {
            deck.clock = n;
            deck.log("db-1-id", &[format!("{n:0>100}").as_str()]);
        }
    };
    flood(&mut deck, 0);
    let view = logs(&deck);
    assert!(view.store.dropped() > 0 && view.store.line(view.anchor).is_some());
    assert!(!view.follow && view.store.bytes() < 10_000);
    // Whoever reads upward keeps what is read; the newest go, and following reads the end again.
    deck.press("g");
    let first = reader(&deck);
    flood(&mut deck, 200);
    let view = logs(&deck);
    assert!(view.is_cut() && view.store.bytes() < 10_000);
    assert_eq!(reader(&deck), first);
    let followed = |deck: &Deck| {
        let all = quarterdeck::app::subscription::subscriptions(&deck.state);
        all.iter().any(|(_, t)| matches!(t, Topic::Logs(q) if q.follow))
    };
    assert!(!followed(&deck), "newer lines are not asked for while there is no room");
    deck.press("G");
    assert!(followed(&deck) && logs(&deck).is_empty() && !logs(&deck).is_cut());
}

#[test]
fn the_log_can_be_saved_and_copied_as_shown() {
    let mut deck = long();
    deck.press("<ctrl-s>");
    deck.press("<enter>");
    let Some(Effect::Save { name, content }) = deck.effects.pop() else { panic!("{:?}", deck.state.overlays) };
    assert!(name.starts_with("db-") && name.strip_suffix(".log").is_some(), "{name}");
    assert_eq!(content.lines().count(), 200);
    assert!(content.lines().next().unwrap().ends_with("Z line 0"), "{:?}", content.lines().next());
    deck.press("tttt").press("<ctrl-s><enter>");
    let Some(Effect::Save { content, .. }) = deck.effects.pop() else { panic!() };
    assert_eq!(content.lines().next(), Some("line 0"), "without stamps when none are shown");
    deck.press("<ctrl-s><ctrl-u>../x<enter>");
    assert!(deck.effects.is_empty(), "only into the working directory");
    deck.press("c");
    let Some(Effect::Copy(text)) = deck.effects.pop() else { panic!() };
    assert_eq!((text.lines().count(), text.lines().last()), (19, Some("line 199")));
    deck.press("/needle<enter>c");
    assert_eq!(deck.effects.pop(), Some(Effect::Copy("line 157 Needle".into())));
}

#[test]
fn a_revealed_log_is_read_anew_on_record_and_leaves_masked() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl").log("db-1-id", &["one"]).press("V");
    let Some(Effect::Journal(record)) = deck.effects.pop() else { panic!("it is on record") };
    assert_eq!((&*record.kind, &*record.environment, &*record.target), ("reveal", "shop", "db"));
    assert!(logs(&deck).is_empty() && logs(&deck).sources.iter().all(|s| s.query.reveal));
    let mut chunk = ChunkBuilder::new().with(Arc::new(Redaction::none()));
    chunk.line(at(1), Stream::Stdout, b"password=hunter2 token=abcdef");
    let batch = LogBatch::new("db-1-id".into(), Arc::new(chunk.finish()));
    deck.update("here", Update::Logs(batch)).press("fc");
    assert_eq!(logs(&deck).line(0).map(|l| l.text), Some("password=hunter2 token=abcdef"));
    let Some(Effect::Copy(text)) = deck.effects.pop() else { panic!("copied") };
    assert!(!text.contains("hunter2") && !text.contains("abcdef"), "{text}");
    deck.press("V");
    assert!(deck.effects.is_empty() && logs(&deck).sources.iter().all(|s| !s.query.reveal));
    let mut deck = Deck::shop(Guard::ReadOnly);
    deck.press("jlV");
    assert!(deck.effects.is_empty() && !logs(&deck).reveal, "read-only holds everywhere");
}

#[test]
fn older_pages_are_asked_for_at_the_top_and_only_there() {
    let mut deck = long();
    let pages = |deck: &Deck| -> Vec<(i64, u64, u64)> {
        let all = quarterdeck::app::subscription::subscriptions(&deck.state);
        let before = |t| if let Topic::Logs(q) = t { q.before } else { None };
        all.into_iter().filter_map(|(_, t)| before(t)).map(|b| (b.at.as_second() - at(0).as_second(), b.same, b.held)).collect()
    };
    deck.press("kk<pgup>");
    assert!(pages(&deck).is_empty(), "nothing is asked for that is not looked at");
    deck.press("g");
    assert_eq!(pages(&deck), [(0, 1, 200)]);
    deck.press("k<pgup>");
    assert_eq!(pages(&deck).len(), 1, "once");
    let page = |first: i64, begin: bool| {
        let mut chunk = ChunkBuilder::new();
        if begin {
            chunk.marker(at(first), Marker::Begin);
        }
        for n in first..first + 30 {
            chunk.line(at(n), Stream::Stdout, format!("older {n}").as_bytes());
        }
        Update::Logs(LogBatch { instance: "db-1-id".into(), chunk: Arc::new(chunk.finish()), older: true })
    };
    deck.update("here", page(-30, false));
    assert_eq!((reader(&deck).as_str(), logs(&deck).store.len(), logs(&deck).new_lines), ("line 0", 230, 0), "the reader stays");
    assert!(pages(&deck).is_empty());
    deck.press("<pgup><pgup>");
    assert_eq!(pages(&deck), [(-30, 1, 230)]);
    deck.update("here", page(-60, true)).press("g<pgup>");
    assert!(pages(&deck).is_empty(), "there is nothing before the beginning");
    assert_eq!(logs(&deck).line(1).map(|l| l.text), Some("older -60"));
}

#[test]
fn several_environments_are_one_log() {
    let mut deck = Deck::fleet();
    deck.press("<space><space>l");
    let view = logs(&deck);
    let of: std::collections::BTreeSet<_> = view.sources.iter().map(|s| s.environment.to_string()).collect();
    assert_eq!((&*view.title, of.len()), ("2 environments", 2), "{of:?}");
    let mut deck = Deck::fleet();
    deck.press("<space><space>L");
    assert!(deck.look().contains("several environments are marked"), "{}", deck.look());
}

#[test]
fn the_run_before_is_asked_for_and_does_not_follow() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jp");
    let query = &logs(&deck).sources[0].query;
    assert!(query.previous && !query.follow);
}
