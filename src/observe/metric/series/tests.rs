//! Scrapes taken in, read back, ended, aged and crowded out.

use proptest::prelude::*;

use super::super::scan::Scanner;
use super::*;
use crate::model::labels::NAME;

const STEP: i64 = 15_000;

fn target(id: &str, labels: &[(&str, &str)]) -> Target {
    Target { id: TargetId::from(id), labels: Labels::new(labels.iter().copied()) }
}

fn named(store: &Store, name: &str) -> Vec<Series> {
    store.select(&[Matcher { label: NAME.into(), must: Must::Be(name.into()) }])
}

fn all(store: &Store, name: &str) -> Vec<(String, Vec<(i64, f64)>)> {
    let mut samples = Vec::new();
    let of = |series: Series| {
        store.samples(series, i64::MIN, i64::MAX, &mut samples);
        (store.labels(series).to_string(), samples.clone())
    };
    named(store, name).into_iter().map(of).collect()
}

#[test]
fn what_was_scraped_is_read_back_across_packed_and_unpacked_times() {
    let mut store = Store::new(1 << 24);
    let api = target("api", &[("instance", "api:80"), ("job", "api")]);
    let mut scanner = Scanner::default();
    for n in 0..100 {
        let text = format!("requests{{path=\"/a\"}} {}\nload 0.{n:02}\n", 7 * n);
        store.record(&api, n * STEP, 0.25, &scanner.scan(&text));
    }
    let series = all(&store, "requests");
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].0, "requests{instance=\"api:80\",job=\"api\",path=\"/a\"}");
    assert_eq!(series[0].1, (0..100).map(|n| (n * STEP, (7 * n) as f64)).collect::<Vec<_>>());
    let one = named(&store, "load")[0];
    for (from, to, seen) in [
        (0, 0, Some((0, 0.0))),
        (0, 10 * STEP + 1, Some((10 * STEP, 0.1))),
        (0, i64::MAX, Some((99 * STEP, 0.99))),
        (10 * STEP + 1, 11 * STEP - 1, None),
        (i64::MIN, -1, None),
        (99 * STEP + 1, i64::MAX, None),
    ] {
        assert_eq!(store.last(one, from, to), seen, "{from} {to}");
    }
    let mut samples = Vec::new();
    store.samples(one, 20 * STEP, 30 * STEP, &mut samples);
    assert_eq!(samples.iter().map(|(at, _)| at / STEP).collect::<Vec<_>>(), (20..=30).collect::<Vec<_>>());
    for (name, value) in [("up", 1.0), ("scrape_duration_seconds", 0.25), ("scrape_samples_scraped", 2.0)] {
        let seen = all(&store, name);
        assert_eq!((seen.len(), seen[0].1.last()), (1, Some(&(99 * STEP, value))), "{name}");
    }
    let stats = store.stats();
    assert_eq!((stats.targets, stats.series, stats.samples, stats.oldest_ms), (1, 6, 600, Some(0)));
}

#[test]
fn a_series_that_is_not_shown_or_could_not_be_scraped_ends() {
    let mut store = Store::new(1 << 24);
    let api = target("api", &[("job", "api")]);
    let mut scanner = Scanner::default();
    let both = scanner.scan("a 1\nb NaN\n");
    let one = scanner.scan("a 1\n");
    store.record(&api, STEP, 0.0, &both);
    store.record(&api, 2 * STEP, 0.0, &one);
    let (a, b) = (named(&store, "a")[0], named(&store, "b")[0]);
    let seen = |store: &Store, series, at| store.last(series, at - LOOKBACK_MS, at).map(|(at, _)| at / STEP);
    assert_eq!((seen(&store, a, 2 * STEP), seen(&store, b, 2 * STEP - 1), seen(&store, b, 2 * STEP)), (Some(2), Some(1), None));
    store.failed(&api, 3 * STEP, 5.0);
    assert_eq!(seen(&store, a, 4 * STEP), None);
    assert_eq!(all(&store, "up")[0].1, [(STEP, 1.0), (2 * STEP, 1.0), (3 * STEP, 0.0)]);
    store.record(&api, 4 * STEP, 0.0, &both);
    assert_eq!((seen(&store, a, 4 * STEP), seen(&store, b, 4 * STEP)), (Some(4), Some(4)));
    assert_eq!(seen(&store, a, 4 * STEP + LOOKBACK_MS + 1), None, "nobody scrapes it any more");
    store.record(&api, 3 * STEP, 0.0, &both);
    assert_eq!(all(&store, "a")[0].1.len(), 3, "what comes late is left out");
    store.ended(&api.id, 5 * STEP);
    assert_eq!(seen(&store, named(&store, "up")[0], 5 * STEP), None);
    store.forget(&api.id);
    assert_eq!((store.stats(), store.names().count()), (Stats::default(), 0));
}

#[test]
fn the_labels_of_the_target_are_believed() {
    let mut store = Store::new(1 << 24);
    let api = target("api", &[("job", "api")]);
    let scan = Scanner::default().scan("a{job=\"own\",exported_job=\"x\"} 1\na{job=\"\"} 2\n");
    store.record(&api, STEP, 0.0, &scan);
    let seen: Vec<String> = all(&store, "a").into_iter().map(|(labels, _)| labels).collect();
    assert_eq!(seen, ["a{exported_exported_job=\"own\",exported_job=\"x\",job=\"api\"}", "a{job=\"api\"}"]);
    store.record(&target("api", &[("job", "other")]), 2 * STEP, 0.0, &scan);
    assert_eq!(all(&store, "a")[1].0, "a{job=\"other\"}", "called otherwise, it is another");
}

#[test]
fn matchers_pick() {
    let mut store = Store::new(1 << 24);
    for (id, job) in [("1", "api"), ("2", "db")] {
        let scan = Scanner::default().scan("a{code=\"200\"} 1\na{code=\"503\"} 1\na 1\nab 1\n");
        store.record(&target(id, &[("job", job)]), STEP, 0.0, &scan);
    }
    let fit = |pattern: &str| regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
    for (matchers, found) in [
        (vec![(NAME, Must::Be("a".into()))], 6),
        (vec![(NAME, Must::Be("a".into())), (NAME, Must::NotBe("a".into()))], 0),
        (vec![(NAME, Must::Fit(fit("a.*")))], 8),
        (vec![(NAME, Must::Be("a".into())), ("job", Must::NotBe("api".into()))], 3),
        (vec![(NAME, Must::Be("a".into())), ("job", Must::Be("api".into())), ("code", Must::Fit(fit("5..")))], 1),
        (vec![(NAME, Must::Be("a".into())), ("code", Must::Be("".into()))], 2),
        (vec![("code", Must::NotFit(fit("2..|"))), ("job", Must::NotFit(fit("d")))], 2),
        (vec![("job", Must::Be("db".into()))], 4 + SAID.len()),
        (vec![(NAME, Must::Be("none".into()))], 0),
    ] {
        let matchers: Vec<Matcher> = matchers.into_iter().map(|(label, must)| Matcher { label: label.into(), must }).collect();
        assert_eq!(store.select(&matchers).len(), found, "{matchers:?}");
    }
}

#[test]
fn an_hour_is_kept_and_what_there_is_no_room_for_is_counted() {
    let api = target("api", &[("job", "api")]);
    let text = |n: i64| (0..100).map(|s| format!("a{{s=\"{s}\"}} {}\n", 0.1 + 0.7 * (n * s) as f64)).collect::<String>();
    let mut wide = Store::new(1 << 24);
    let mut narrow = Store::new(100_000);
    let mut scanner = Scanner::default();
    for n in 0..500 {
        let scan = scanner.scan(&text(n));
        wide.record(&api, n * STEP, 0.0, &scan);
        narrow.record(&api, n * STEP, 0.0, &scan);
        assert!(narrow.stats().bytes <= 100_000, "{:?}", narrow.stats());
    }
    let stats = wide.stats();
    let oldest = stats.oldest_ms.unwrap();
    assert!((499 * STEP - KEPT_MS - 24 * STEP..=499 * STEP - KEPT_MS).contains(&oldest), "{stats:?}");
    assert_eq!((stats.dropped, stats.dropped_until_ms), (0, None));
    let stats = narrow.stats();
    assert!(stats.dropped > 0 && stats.dropped_until_ms > Some(0) && stats.left_out == 0, "{stats:?}");
    assert_eq!(all(&narrow, "a").len(), 100);
    let mut tiny = Store::new(20_000);
    tiny.record(&api, STEP, 0.0, &scanner.scan(&text(1)));
    let stats = tiny.stats();
    assert!(stats.left_out > 0 && stats.bytes <= 20_000 && !all(&tiny, "a").is_empty(), "{stats:?}");
}

#[test]
fn series_that_are_long_gone_make_room() {
    let mut store = Store::new(1 << 24);
    let api = target("api", &[]);
    let mut scanner = Scanner::default();
    for n in 0..1_000 {
        let text: String = (0..10).map(|s| format!("a{{s=\"{}\"}} {n}\n", n / 50 * 10 + s)).collect();
        store.record(&api, n * STEP, 0.0, &scanner.scan(&text));
    }
    let series = all(&store, "a");
    assert!(series.len() < 150, "{}", series.len());
    let last = &series.iter().find(|(labels, _)| labels.contains("\"199\"")).unwrap().1;
    assert_eq!((last.len(), last.last()), (50, Some(&(999 * STEP, 999.0))));
    assert_eq!(last[0], (950 * STEP, 950.0));
    store.append(&Labels::new([(NAME, "other")]), 2_000 * STEP, 1.0);
    store.append(&Labels::new([(NAME, "other")]), 2_000 * STEP + KEPT_MS, 2.0);
    assert_eq!((store.stats().series, store.stats().targets), (1, 0), "an hour later nothing is left of the target");
}

proptest! {
    #[test]
    fn any_scrapes_are_read_back(rows in prop::collection::vec(prop::collection::vec(0..4u8, 1..6), 1..90)) {
        let mut store = Store::new(1 << 24);
        let mut scanner = Scanner::default();
        let mut wanted: BTreeMap<usize, Vec<(i64, f64)>> = BTreeMap::new();
        for (at, row) in (1..).zip(&rows) {
            let shown = || row.iter().enumerate().filter(|(_, v)| **v != 0);
            let text: String = shown().map(|(s, v)| format!("a{{s=\"{s}\"}} {v}.5\n")).collect();
            shown().for_each(|(s, v)| wanted.entry(s).or_default().push((at, f64::from(*v) + 0.5)));
            store.record(&target("t", &[("s", "t")]), at, 0.0, &scanner.scan(&text));
        }
        let seen: BTreeMap<String, Vec<(i64, f64)>> = all(&store, "a").into_iter().collect();
        let wanted = wanted.into_iter().map(|(s, v)| (format!("a{{exported_s=\"{s}\",s=\"t\"}}"), v)).collect();
        prop_assert_eq!(seen, wanted);
    }
}
