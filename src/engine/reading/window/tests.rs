//! Paging through made-up logs, as the engine would send them.

use proptest::prelude::*;

use super::*;

fn at(ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).unwrap()
}

/// The lines before a place, of a reply that begins at the line `from`.
fn page(log: &[(i64, String)], from: usize, before: &Before, wanted: usize) -> Found {
    let mut window = Window::new(before, wanted, None, from == 0);
    for (ns, text) in &log[from..] {
        window.take(Line { at: Some(at(*ns)), stream: Stream::Stdout, bytes: text.as_bytes() });
    }
    window.find()
}

fn texts(found: &Found) -> Vec<String> {
    found.lines.iter().map(|l| String::from_utf8_lossy(&l.bytes).into_owned()).collect()
}

fn numbered(times: &[i64]) -> Vec<(i64, String)> {
    times.iter().enumerate().map(|(n, t)| (*t, n.to_string())).collect()
}

#[test]
fn the_lines_just_before_what_is_held() {
    // Times, the place as time and lines held of it, lines wanted: what is found, and whether it begins there.
    type Row = (&'static [i64], (i64, u64), usize, &'static [&'static str], bool);
    let table: &[Row] = &[
        (&[1, 2, 3, 4, 5], (4, 1), 2, &["1", "2"], false),
        (&[1, 2, 3, 4, 5], (4, 1), 3, &["0", "1", "2"], true),
        (&[1, 2, 3, 4, 5], (4, 1), 9, &["0", "1", "2"], true),
        (&[1, 4, 4, 4, 5], (4, 1), 9, &["0", "1", "2"], true),
        (&[1, 4, 4, 4, 5], (4, 3), 9, &["0"], true),
        (&[4, 4, 4, 4], (4, 4), 9, &[], true),
        // Nothing of that time is held, or it has gone from the log.
        (&[1, 2, 3, 4, 5], (4, 0), 2, &["1", "2"], false),
        (&[1, 2, 3, 5, 6], (4, 1), 2, &["1", "2"], false),
        (&[5, 6], (4, 1), 2, &[], true),
        (&[], (4, 1), 2, &[], true),
        // A line was written a little early: it was not held, and is not lost.
        (&[1, 7, 5, 6, 8], (5, 1), 9, &["0", "1"], true),
        // One held was written a little late, and counts with the one before it.
        (&[1, 5, 4, 6, 7], (5, 2), 9, &["0"], true),
    ];
    for (times, (ns, same), wanted, expected, begins) in table {
        let before = Before { at: at(*ns), same: *same, held: 0 };
        let found = page(&numbered(times), 0, &before, *wanted);
        assert_eq!((texts(&found), found.begins), (expected.iter().map(|t| (*t).to_owned()).collect(), *begins), "{times:?}");
    }
}

#[test]
fn a_reply_that_begins_in_the_middle_of_a_line_is_not_used_from_there() {
    let before = Before { at: at(9), same: 1, held: 1 };
    let mut window = Window::new(&before, 3, None, false);
    let mut take = |ns, stream, text: &str| window.take(Line { at: Some(at(ns)), stream, bytes: text.as_bytes() });
    take(2, Stream::Stdout, "the rest of a long line");
    take(3, Stream::Stdout, "whole");
    take(1, Stream::Stderr, "the rest of another");
    take(4, Stream::Stdout, "sure");
    take(5, Stream::Stderr, "this too");
    take(9, Stream::Stdout, "held");
    let found = window.find();
    assert_eq!(texts(&found), ["sure", "this too"]);
    assert!(!found.is_whole(), "there may be more before it");
}

#[test]
fn nothing_older_than_what_is_wanted_is_in_a_page_and_it_begins_there() {
    let before = Before { at: at(9), same: 1, held: 1 };
    let mut window = Window::new(&before, 10, Some(at(3)), false);
    for (ns, text) in numbered(&[1, 2, 3, 3, 5, 9]) {
        window.take(Line { at: Some(at(ns)), stream: Stream::Stdout, bytes: text.as_bytes() });
    }
    let found = window.find();
    assert_eq!((texts(&found), found.begins), (vec!["2".to_owned(), "3".into(), "4".into()], true));
}

#[test]
fn long_lines_make_a_page_short_and_not_large() {
    let mut window = Window::new(&Before { at: at(999), same: 1, held: 1 }, 500, None, true);
    for n in 0..200 {
        window.take(Line { at: Some(at(n)), stream: Stream::Stdout, bytes: &vec![b'x'; 1 << 20] });
        assert!(window.bytes <= BYTES + (2 << 20), "{}", window.bytes);
    }
    let found = window.find();
    assert!(found.is_whole() && !found.begins && (16..64).contains(&found.lines.len()), "{}", found.lines.len());
}

proptest! {
    /// Paged up from any place in pages of any size, looking back too near or too far: every line once, in order.
    #[test]
    fn every_line_comes_once(
        steps in prop::collection::vec(0_i64..4, 1..300),
        pages in prop::collection::vec((1_usize..40, 0_usize..60), 1..40),
        start in 0_usize..300,
    ) {
        let mut ns = 0;
        let log: Vec<(i64, String)> = steps.iter().enumerate().map(|(n, step)| {
            ns += i64::from(*step == 3);
            (ns, n.to_string())
        }).collect();
        let mut oldest = log.len() - 1 - start.min(log.len() - 1);
        let mut pages = pages.into_iter().cycle();
        loop {
            let (wanted, slack) = pages.next().unwrap();
            let time = log[oldest].0;
            let same = log[oldest..].iter().take_while(|(t, _)| *t == time).count() as u64;
            let before = Before { at: at(time), same, held: 0 };
            let mut tail = wanted + slack;
            let found = loop {
                let from = log.len().saturating_sub(tail + log.len() - oldest);
                let found = page(&log, from, &before, wanted);
                if found.is_whole() {
                    break found;
                }
                prop_assert!(from > 0, "a whole log has an answer");
                tail *= 2;
            };
            let got = texts(&found);
            let expected: Vec<String> = log[oldest - got.len()..oldest].iter().map(|(_, t)| t.clone()).collect();
            prop_assert_eq!(&got, &expected);
            oldest -= got.len();
            if found.begins {
                prop_assert_eq!(oldest, 0);
                break;
            }
            prop_assert_eq!(got.len(), wanted);
        }
    }
}
