//! What scraped series cost: two hundred targets of five hundred series every fifteen seconds for an hour, and a hundred rules
//! over them. Prints the figures with the budget beside each; judges nothing.
//!
//! `cargo bench --bench series`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a measurement says what it needs, and stops where it is not so"
)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use quarterdeck::model::{Labels, TargetId};
use quarterdeck::observe::metric::scan::Scanner;
use quarterdeck::observe::metric::series::{Store, Target};
use quarterdeck::observe::rule::expr::Expr;

const TARGETS: usize = 200;
/// Services the targets are replicas of.
const JOBS: usize = 10;
const SCRAPES: usize = 240;
const STEP_MS: i64 = 15_000;
const BOUND: usize = 64 << 20;
const BUCKETS: [&str; 12] = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];

fn main() {
    let before = resident();
    let mut store = Store::new(BOUND);
    let mut targets: Vec<(Target, Scanner)> = (0..TARGETS).map(|n| (target(n), Scanner::default())).collect();
    let mut text = String::new();
    let (mut scanning, mut taking, mut bytes) = (Duration::ZERO, Duration::ZERO, 0);
    for scrape in 0..SCRAPES {
        for (n, (target, scanner)) in targets.iter_mut().enumerate() {
            text.clear();
            expose(n, scrape as u64, &mut text);
            bytes += text.len();
            let began = on_core();
            let scan = scanner.scan(&text);
            let scanned = on_core();
            store.record(target, scrape as i64 * STEP_MS + (n * 70) as i64, 0.01, &scan);
            scanning += scanned.saturating_sub(began);
            taking += on_core().saturating_sub(scanned);
        }
    }
    let stats = store.stats();
    let hour = (SCRAPES as f64) * STEP_MS as f64 / 1000.0;
    let share = |took: Duration| format!("{:.2} % of a core", took.as_secs_f64() / hour * 100.0);
    row("series, samples", &format!("{}, {:.1} M", stats.series, stats.samples as f64 / 1e6), "");
    row("text read", &format!("{:.0} MB an hour", bytes as f64 / 1e6), "");
    row("scanning and keeping", &share(scanning + taking), "≤ 3 %, fetching included");
    row("  scanning a sample", &each(scanning, stats.samples), "");
    row("  keeping a sample", &each(taking, stats.samples), "");
    row("memory, as counted", &format!("{:.1} MiB", mib(stats.bytes)), "≤ 64 MiB");
    row("memory, as the kernel sees it", &format!("{:.1} MiB", mib(resident().saturating_sub(before))), "≤ 64 MiB");
    row("  a series", &format!("{} bytes", stats.bytes / stats.series), "");
    row("  a sample, labels included", &format!("{:.2} bytes", stats.bytes as f64 / stats.samples as f64), "");
    row("dropped, left out", &format!("{}, {}", stats.dropped, stats.left_out), "0, 0");
    evaluate(&store);
}

fn evaluate(store: &Store) {
    let at = SCRAPES as i64 * STEP_MS;
    let rules = rules();
    let time = |rules: &[Expr]| {
        let mut least = Duration::MAX;
        for _ in 0..10 {
            let began = on_core();
            for rule in rules {
                rule.at(store, at).unwrap();
            }
            least = least.min(on_core().saturating_sub(began));
        }
        least
    };
    let all: Vec<Expr> = rules.iter().flat_map(|(_, rules)| rules.clone()).collect();
    row(&format!("evaluation of {} rules", all.len()), &ms(time(&all)), "≤ 10 ms");
    for (what, rules) in &rules {
        row(&format!("  {} {what}", rules.len()), &ms(time(rules)), "");
    }
}

/// What rules of ten services look like: most are about one of them, some about all.
fn rules() -> Vec<(&'static str, Vec<Expr>)> {
    let parse = |text: String| Expr::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    let job = |n: usize| format!("job=\"service-{}\"", n % JOBS);
    let errors = |n: usize, of: &str| {
        let family = format!("family{}_requests_total", n % 8);
        let failed = format!("sum by (job) (rate({family}{{{of}code=~\"5..\"}}[5m]))");
        format!("{failed} / sum by (job) (rate({family}{{{of}}}[5m])) > 0.05")
    };
    let slow = |n: usize, of: &str| {
        let family = format!("family{}_duration_seconds_bucket", n % 6);
        format!("histogram_quantile(0.95, sum by (job, le) (rate({family}{{{of}}}[5m]))) > 0.5")
    };
    vec![
        ("up, of one service each", (0..20).map(|n| parse(format!("up{{{}}} == 0", job(n)))).collect()),
        ("gauges of all", (0..20).map(|n| parse(format!("gauge{n} > 1e9"))).collect()),
        (
            "gauges over time, of one",
            (0..10).map(|n| parse(format!("max_over_time(gauge{n}{{{}}}[5m]) > 1e9", job(n)))).collect(),
        ),
        ("error rates of one", (0..25).map(|n| parse(errors(n, &format!("{},", job(n))))).collect()),
        ("error rates of all", (0..5).map(|n| parse(errors(n, ""))).collect()),
        ("latencies of one", (0..18).map(|n| parse(slow(n, &job(n)))).collect()),
        ("latencies of all", (0..2).map(|n| parse(slow(n, ""))).collect()),
    ]
}

fn target(n: usize) -> Target {
    let (job, instance) = (format!("service-{}", n % JOBS), format!("10.0.{}.{}:8080", n / 250, n % 250));
    Target { id: TargetId::new(instance.as_str()), labels: Labels::new([("job", job), ("instance", instance)]) }
}

/// Five hundred series: 80 counters of requests, 6 histograms of 4 routes, 84 gauges, of which a third change.
fn expose(target: usize, scrape: u64, text: &mut String) {
    let busy = |n: u64| (target as u64 * 31 + n * 17) % 10;
    for family in 0..8 {
        writeln!(text, "# TYPE family{family}_requests_total counter").unwrap();
        for kind in 0..10 {
            let (method, code) = (["GET", "POST"][kind % 2], ["200", "201", "404", "500", "503"][kind / 2]);
            let count = 1_000 + scrape * busy(kind as u64) * if code < "300" { 40 } else { 1 };
            writeln!(text, "family{family}_requests_total{{method=\"{method}\",code=\"{code}\"}} {count}").unwrap();
        }
    }
    for family in 0..6 {
        writeln!(text, "# TYPE family{family}_duration_seconds histogram").unwrap();
        let name = format!("family{family}_duration_seconds");
        for route in 0..4 {
            let (path, rate) = (format!("/api/v1/route{route}"), busy(family * 4 + route) / 2 * 3);
            for (nth, bound) in (1..).zip(BUCKETS) {
                let count = scrape * rate * nth / 12;
                writeln!(text, "{name}_bucket{{route=\"{path}\",le=\"{bound}\"}} {count}").unwrap();
            }
            let sum = (scrape * rate) as f64 * 0.087_312_345_678_9;
            writeln!(text, "{name}_sum{{route=\"{path}\"}} {sum}").unwrap();
            writeln!(text, "{name}_count{{route=\"{path}\"}} {}", scrape * rate).unwrap();
        }
    }
    for gauge in 0..84u64 {
        let value = match gauge % 6 {
            0 => 40_000_000 + (scrape * 7_919 + gauge * 104_729) % 1_000_000 * 4_096,
            1 => (scrape + gauge) % 25,
            _ => gauge * 1_000,
        };
        writeln!(text, "gauge{gauge} {value}").unwrap();
    }
}

fn row(what: &str, measured: &str, budget: &str) {
    println!("{what:<34} {measured:<34} {budget}");
}

fn each(took: Duration, samples: usize) -> String {
    format!("{:.0} ns", took.as_secs_f64() * 1e9 / samples as f64)
}

fn ms(took: Duration) -> String {
    format!("{:.2} ms", took.as_secs_f64() * 1000.0)
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Time this thread has had on a core, where the kernel tells; else the time of day.
fn on_core() -> Duration {
    use std::sync::OnceLock;
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|told| told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos));
    told.unwrap_or_else(|| BEGAN.get_or_init(Instant::now).elapsed())
}

/// Bytes of memory this process holds, where the kernel tells.
fn resident() -> usize {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    told.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4_096
}
