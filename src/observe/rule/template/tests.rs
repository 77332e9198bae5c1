//! Templates against what Prometheus makes of them (`promtool test rules`, 2.42).

use super::*;
use crate::model::labels::NAME;

fn fill(text: &str, value: f64) -> String {
    let labels = Labels::new([(NAME, "up"), ("job", "api"), ("instance", "a.example:80")]);
    Template::parse(text).0.fill(Given { labels: &labels, value })
}

#[test]
fn figures_are_written_as_prometheus_writes_them() {
    for (text, value, expected) in [
        ("{{ $value }}", 1_000_000.0, "1e+06"),
        ("{{ .Value }}", 123_456_789.0, "1.23456789e+08"),
        ("{{ $value }}", 100_000.0, "100000"),
        ("{{ $value }}", 0.00001, "1e-05"),
        ("{{ $value }}", 0.05, "0.05"),
        ("{{ $value }}", f64::NAN, "NaN"),
        ("{{ $value }}", f64::INFINITY, "+Inf"),
        ("{{ printf \"%g\" $value }}", 123_456.7, "123456.7"),
        ("{{ printf \"%.4g\" $value }}", 0.000_012_345_67, "1.235e-05"),
        ("{{ printf \"%.4g\" $value }}", 123_456.7, "1.235e+05"),
        ("{{ $value | printf \"%.2f%%\" }}", 0.126, "0.13%"),
        ("{{ printf \"%d\" $value }}", 3.0, "%!d(float64=3)"),
        ("{{ printf \"%s\" $value }}", 3.0, "%!s(float64=3)"),
        ("{{ printf \"%5d|%-5s|%05.1f|%v\" 3 \"a\" $value $value }}", 3.0, "    3|a    |003.0|3"),
        ("{{ printf \"%s\" }}", 3.0, "%!s(MISSING)"),
        ("{{ printf \"x\" 1 }}", 3.0, "x%!(EXTRA int=1)"),
        ("{{ 1e21 }} {{ 1e6 }} {{ 3 }}", 0.0, "1e+21 1e+06 3"),
        ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
        ("{{ $value | humanize }}", 0.012, "12m"),
        ("{{ humanize $value }}", 0.0, "0"),
        ("{{ $value | humanize1024 }}", 1_048_576.0, "1Mi"),
        ("{{ $value | humanizePercentage }}", 0.056_78, "5.678%"),
        ("{{ $value | humanizeDuration }}", 93_784.0, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 62.5, "1m 2s"),
        ("{{ $value | humanizeDuration }}", 4.5, "4.5s"),
        ("{{ $value | humanizeDuration }}", 0.0015, "1.5ms"),
        ("{{ \"5\" | humanizeDuration }}", 0.0, "5s"),
        ("{{ $value | humanizeTimestamp }}", 123_456_789.0, "1973-11-29 21:33:09 +0000 UTC"),
    ] {
        assert_eq!(fill(text, value), expected, "{text} of {value}");
    }
}

#[test]
fn labels_conditions_and_trimming() {
    for (text, value, expected) in [
        ("{{ $labels.job }} of {{ .Labels.instance }}, {{$labels.gone}}.", 1.0, "api of a.example:80, ."),
        ("{{ $labels }}", 1.0, "map[__name__:up instance:a.example:80 job:api]"),
        ("{{ index $labels \"job\" }}", 1.0, "api"),
        ("{{ $externalLabels }}{{ $externalLabels.x }}{{ $externalURL }}", 1.0, "map[]"),
        ("a {{- if gt $value 1.0 }} yes {{- else }} no {{- end }} b", 2.0, "a yes b"),
        ("{{ if gt $value 1.0 }}yes{{ else }}no{{ end }}", 1.0, "no"),
        ("{{ if eq $labels.job \"db\" }}1{{ else if eq $labels.job \"api\" }}2{{ else }}3{{ end }}", 1.0, "2"),
        ("{{ if and $labels.job (not $labels.gone) }}ok{{ end }}", 1.0, "ok"),
        ("a\n{{- /* nothing */ -}}\n b", 1.0, "ab"),
        ("{{ $labels.job | toUpper | printf \"<%s>\" }}", 1.0, "<API>"),
        ("{{ \"a b-c\" | title }} {{ \"AbC\" | toLower }}", 1.0, "A B-C abc"),
        ("{{ $labels.instance | stripPort }} {{ stripDomain $labels.instance }}", 1.0, "a.example a:80"),
        ("{{ reReplaceAll \"(.)pi\" \"$1\" $labels.job }} {{ match \"^a\" $labels.job }}", 1.0, "a true"),
        ("{{ `}}` }} {{ \"}}\\\"\" }}", 1.0, "}} }}\""),
        ("{{ if gt $value 1 }}x{{ end }}", 2.0, "<error expanding template: incompatible types for comparison>"),
        ("{{ \"x\" | humanize }}", 2.0, "<error expanding template: parsing \"x\": invalid syntax>"),
    ] {
        assert_eq!(fill(text, value), expected, "{text}");
        assert_eq!(Template::parse(text).1, None, "{text}");
    }
}

#[test]
fn what_is_beyond_is_told_and_shown_as_it_was_written() {
    for (text, offset, message) in [
        ("a {{ $value", 2, "`{{` is never closed"),
        ("{{ range query \"up\" }}{{ end }}", 3, "`range` is not understood here"),
        ("{{ query \"up\" }}", 3, "the function `query` needs a Prometheus server"),
        ("{{ humanise $value }}", 3, "unknown function `humanise`, did you mean `humanize`?"),
        ("{{ $value | $labels }}", 12, "expected a function after `|`"),
        ("{{ if $value }}x", 3, "this `if` has no `end`"),
        ("{{ end }}", 0, "an `end` without its `if`"),
        ("{{ else }}", 3, "an `else` without its `if`"),
        ("{{ $x := 1 }}", 3, "`$x` is not understood here"),
        ("{{ .Foo }}", 3, "`.Foo` is not understood here"),
        ("{{ }}", 3, "`nothing` is not understood here"),
        ("{{ toUpper }}", 3, "`toUpper` does not take 0 arguments"),
        ("{{ (1 }}", 3, "this bracket is never closed"),
        ("{{ $value 3 }}", 10, "`3` is not understood here"),
        ("ä {{ \"x }}", 3, "`{{` is never closed"),
    ] {
        let (template, found) = Template::parse(text);
        let found = found.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(found.offset, offset, "{text}: {found:?}");
        assert!(found.message.starts_with(message), "{text}: {found:?}");
        assert_eq!(fill(text, 1.0), text);
        assert_eq!(&*template.text, text);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "[{}$a-z\\. \"`|()0-9-]{0,40}") {
        let _ = fill(&text, 1.0);
    }
}
