//! The store: order, bounds, what is counted.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{ChunkBuilder, Hint, Level, Marker, Stream};
use super::*;
use crate::observe::redact::Redaction;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn batch(instance: &str, lines: &[(i64, &str)]) -> LogBatch {
    let mut builder = ChunkBuilder::new();
    for (second, text) in lines {
        builder.line(at(*second), Stream::Stdout, text.as_bytes());
    }
    LogBatch::new(instance.into(), Arc::new(builder.finish()))
}

fn texts(store: &Store) -> Vec<String> {
    (0..store.len()).map(|i| store.get(i).unwrap().text.to_owned()).collect()
}

#[test]
fn instances_are_merged_by_time_and_equal_lines_all_stay() {
    let mut store = Store::new(1 << 20);
    store.push(&batch("a", &[(1, "a1"), (3, "same"), (3, "same")]));
    store.push(&batch("b", &[(2, "b2"), (3, "same"), (4, "b4")]));
    store.push(&batch("a", &[(5, "a5")]));
    assert_eq!(texts(&store), ["a1", "b2", "same", "same", "same", "b4", "a5"]);
    for index in 0..store.len() {
        assert_eq!(store.index_of(store.get(index).unwrap().seq), Some(index));
    }
}

#[test]
fn the_oldest_goes_first_and_is_counted() {
    let mut store = Store::new(64 * 1024);
    let long = "x".repeat(1000);
    for second in 0..1000 {
        store.push(&batch("a", &[(second, &long)]));
    }
    assert!(store.bytes() <= 64 * 1024, "{}", store.bytes());
    assert_eq!(store.dropped() + store.len() as u64, 1000);
    assert_eq!(store.get(store.len() - 1).unwrap().at, at(999));
    assert_eq!(store.index_of(0), None);
}

#[test]
fn levels_streams_and_markers_come_back_as_they_went_in() {
    let mut builder = ChunkBuilder::new();
    builder.line(at(1), Stream::Stderr, b"ERROR x\x1b[0m");
    builder.marker(at(2), Marker::Reconnected("lost for 2 s, nothing lost".into()));
    builder.line(at(1), Stream::Stdout, b"\xff");
    builder.marker(at(3), Marker::Dropped(7));
    let mut store = Store::new(1 << 20);
    store.push(&LogBatch::new("a".into(), Arc::new(builder.finish())));
    let first = store.get(0).unwrap();
    assert_eq!((first.level, first.stream, first.text), (Some(Level::Error), Stream::Stderr, "ERROR x"));
    assert_eq!(store.get(1).unwrap().marker.unwrap().word(), "reconnected");
    assert_eq!((store.get(2).unwrap().text, store.get(2).unwrap().at), ("\u{fffd}", at(2)));
    assert_eq!(store.get(3).unwrap().marker, Some(&Marker::Dropped(7)));
}

#[test]
fn a_line_of_a_megabyte_is_cut_and_says_so() {
    let mut builder = ChunkBuilder::new();
    builder.line(at(1), Stream::Stdout, &vec![b'a'; 1 << 20]);
    let chunk = builder.finish();
    assert!(chunk.get(0).unwrap().text.ends_with("(cut: the line has 1048576 bytes)"));
}

#[test]
fn a_line_costs_at_most_24_bytes_beside_its_text() {
    let mut builder = ChunkBuilder::new();
    for n in 0..10_000 {
        builder.line(at(n), Stream::Stdout, b"0123456789");
    }
    let mut store = Store::new(1 << 30);
    store.push(&LogBatch::new("a".into(), Arc::new(builder.finish())));
    assert!(store.bytes() <= 10_000 * (10 + 24) + 1024, "{}", store.bytes());
}

#[test]
fn an_older_page_goes_before_lines_of_the_same_time() {
    let mut store = Store::new(1 << 20);
    store.push(&batch("a", &[(2, "c"), (2, "d"), (3, "e")]));
    store.push(&batch("b", &[(2, "other")]));
    let page = LogBatch { older: true, ..batch("a", &[(1, "a"), (2, "b")]) };
    store.push(&page);
    let texts: Vec<&str> = (0..store.len()).filter_map(|i| store.get(i)).map(|l| l.text).collect();
    assert_eq!(texts, ["a", "b", "c", "d", "other", "e"]);
}

#[test]
fn a_reader_of_old_pages_keeps_them_and_what_comes_after_a_cut_is_counted() {
    let mut store = Store::new(64 * 1024);
    let long = "x".repeat(1000);
    store.push(&batch("a", &[(1000, &long), (1001, &long)]));
    store.keep_oldest(true);
    for second in (0..100).rev() {
        store.push(&LogBatch { older: true, ..batch("a", &[(second, &long)]) });
        store.push(&batch("a", &[(1100 - second, &long)]));
        assert!(store.bytes() <= 64 * 1024, "{}", store.bytes());
        assert_eq!(store.get(0).unwrap().at, at(second));
    }
    assert_eq!((store.dropped(), store.cut() + store.len() as u64), (0, 202));
    let times: Vec<i64> = (0..store.len()).map(|i| store.get(i).unwrap().at.as_second()).collect();
    assert_eq!(times, (0..).take(store.len()).collect::<Vec<i64>>(), "no gap within");
    let cut = store.cut();
    store.push(&batch("a", &[(2000, "late")]));
    assert_eq!((store.cut(), store.newest().count()), (cut + 1, 0));
    store.keep_oldest(false);
    store.push(&batch("a", &[(2001, "end")]));
    assert_eq!(store.get(store.len() - 1).unwrap().text, "end");
}

#[test]
fn a_line_keeps_the_looks_it_gave_itself_unless_something_was_masked() {
    let mut builder = ChunkBuilder::new();
    builder.line(at(1), Stream::Stdout, b"\x1b[31mred\x1b[0m plain \x1b[1mbold");
    builder.line(at(2), Stream::Stdout, b"plain again");
    builder.line(at(3), Stream::Stdout, b"\x1b[31mpassword=hunter2");
    let batch = LogBatch::new("a".into(), Arc::new(builder.finish()));
    let looks = |n: usize| -> Vec<(std::ops::Range<usize>, bool)> {
        batch.line(n).unwrap().looks.iter().map(|(range, look)| (range, look.bold)).collect()
    };
    assert_eq!(looks(0), [(0..3, false), (10..14, true)]);
    assert!(looks(1).is_empty() && looks(2).is_empty());
    assert_eq!(batch.line(2).unwrap().text, "password=••••••");
}

#[test]
fn a_private_key_is_masked_over_its_lines_and_chunks() {
    let lines = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADAN", "BgkqhkiG9w0B", "-----END PRIVATE KEY-----", "after"];
    let read = |redaction: &Arc<Redaction>| -> Vec<String> {
        let mut hint = Hint::default();
        let mut told = Vec::new();
        for line in lines {
            let mut builder = ChunkBuilder::new().with(redaction.clone()).after(hint);
            builder.line(at(1), Stream::Stdout, line.as_bytes());
            hint = builder.hint();
            told.push(LogBatch::new("a".into(), Arc::new(builder.finish())).line(0).unwrap().text.to_owned());
        }
        told
    };
    assert_eq!(read(&Arc::default()), ["••••••", "••••••", "••••••", "-----END PRIVATE KEY-----", "after"]);
    assert_eq!(read(&Arc::new(Redaction::none())), lines);
}

proptest! {
    #[test]
    fn whatever_comes_in_the_order_is_by_time_and_every_line_is_there_or_counted(
        batches in prop::collection::vec((0u8..3, prop::collection::vec(0i64..50, 1..20)), 0..40),
        bound in 500usize..20_000,
    ) {
        let mut store = Store::new(bound);
        let mut pushed = 0;
        for (instance, mut seconds) in batches {
            seconds.sort_unstable();
            let lines: Vec<(i64, &str)> = seconds.iter().map(|s| (*s, "line")).collect();
            pushed += lines.len() as u64;
            store.push(&batch(&format!("i{instance}"), &lines));
        }
        prop_assert_eq!(store.len() as u64 + store.dropped(), pushed);
        let times: Vec<Timestamp> = (0..store.len()).map(|i| store.get(i).unwrap().at).collect();
        prop_assert!(times.is_sorted());
        for index in 0..store.len() {
            prop_assert_eq!(store.index_of(store.get(index).unwrap().seq), Some(index));
        }
    }
}
