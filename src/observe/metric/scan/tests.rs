//! Scrapes that come again, change, grow and shrink.

use super::*;

fn seen(scan: &Scan) -> Vec<String> {
    let shown = |(labels, value): (&Labels, &f64)| (!is_absent(*value)).then(|| format!("{labels} {value}"));
    scan.layout.series.iter().zip(scan.values.iter()).filter_map(shown).collect()
}

#[test]
fn a_scrape_that_comes_again_keeps_its_slots_and_its_layout() {
    let mut scanner = Scanner::default();
    let first = scanner.scan("# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n");
    let again = scanner.scan("# TYPE a counter\na{x=\"1\"} 4\na{x=\"2\"} 5\nb 6\n# EOF\nc 1\n");
    assert!(Arc::ptr_eq(&first.layout, &again.layout), "nothing is made anew");
    assert_eq!(seen(&again), ["a{x=\"1\"} 4", "a{x=\"2\"} 5", "b 6"]);
    let other = scanner.scan("b 7\nnew 1\na{ x=\"2\", } 8\n");
    assert_eq!(seen(&other), ["a{x=\"2\"} 8", "b 7", "new 1"], "a series keeps its slot, however it is written");
    assert_eq!(other.layout.series[..3], first.layout.series[..]);
    assert_eq!((other.samples, other.unread, other.left_out), (3, 0, 0));
    assert_eq!(other.layout.kinds.get("a"), Some(&Kind::Counter));
}

#[test]
fn what_is_too_much_or_nothing_is_counted() {
    let mut scanner = Scanner::new(2);
    for _ in 0..2 {
        let scan = scanner.scan("a 1\nb 2\na 9\nc 3\n<html>\n9x 1\nlate{x=1} 2\n");
        assert_eq!(seen(&scan), ["a 1", "b 2"]);
        assert_eq!((scan.samples, scan.left_out, scan.unread), (2, 1, 4));
    }
    let long = format!("a{{x=\"{}\"}} 1\nb 1\n", "y".repeat(LABEL + 1));
    let scan = scanner.scan(&long);
    assert_eq!((seen(&scan), scan.left_out), (vec!["b 1".to_owned()], 1));
}

#[test]
fn text_is_sanitised_and_masked_and_no_two_series_become_one() {
    let mut scanner = Scanner::default();
    let text = "a{m=\"x\\ny\"} 1\nlogin{user=\"ann@example.com\"} 1\nlogin{user=\"bob@example.com\"} 2\n";
    for _ in 0..2 {
        let scan = scanner.scan(text);
        let seen = seen(&scan);
        assert_eq!((scan.samples, scan.unread), (3, 0), "{seen:?}");
        assert!(!seen.concat().contains(['\n', '@']) && !seen.concat().contains("\\n"), "{seen:?}");
        assert!(seen[2].contains("masked=\"2\""), "{seen:?}");
    }
}

#[test]
fn a_target_that_always_shows_others_does_not_grow() {
    let mut scanner = Scanner::new(1_000);
    for round in 0..200 {
        let text: String = (0..50).map(|n| format!("request{{id=\"{}\"}} 1\n", round * 50 + n)).collect();
        let scan = scanner.scan(&text);
        assert_eq!((scan.samples, scan.left_out), (50, 0), "round {round}");
        assert!(scan.layout.series.len() <= 3 * 50 + FEW && scanner.slots.len() <= 4_000);
    }
}
