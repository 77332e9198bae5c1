//! What logs cost before they are seen: taking lines in, keeping them, searching and filtering them. Prints the figures with the
//! budget beside each; judges nothing.
//!
//! `cargo bench --bench ingest`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a measurement says what it needs, and stops where it is not so"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quarterdeck::model::InstanceId;
use quarterdeck::observe::log::{ChunkBuilder, Lens, LogBatch, Patterns, Query, Rates, Store, Stream};

const LINES: usize = 1_000_000;
/// Lines of a chunk, about what an engine hands over at speed.
const CHUNK: usize = 4000;

fn main() {
    for (name, budget, line) in [
        ("plain", "≥ 1.0 M/s", plain as fn(usize) -> String),
        ("python", "≥ 1.0 M/s", python),
        ("json", "≥ 0.4 M/s", json),
        ("access", "", access),
        ("coloured", "", coloured),
        ("with secrets", "", secret),
    ] {
        ingest(name, budget, line);
    }
    let store = filled(|n| if n.is_multiple_of(3) { json(n) } else { python(n) });
    for (name, budget, query) in [
        ("literal, rare", "≤ 100 ms", "zanzibar"),
        ("literal, common letters", "≤ 100 ms", "rating"),
        ("literal, cased", "≤ 100 ms", "\"Zanzibar one\""),
        ("pattern", "≤ 300 ms", "/took \\d{4,} ms/"),
        ("pattern, any case", "≤ 300 ms", "/(?i)timeout|refused/"),
        ("level", "", "level>=error"),
        ("field", "", "status:5.."),
        ("field, number", "", "latency_ms>500 level>=warn"),
    ] {
        filter(&store, name, budget, query);
    }
    let traced = filled(|n| if n % 100 > 95 { "Caused by: java.io.IOException: closed".to_owned() } else { python(n) });
    filter(&traced, "literal, with traces", "≤ 100 ms", "zanzibar");
    filter(&traced, "none but folded traces", "", "");
    let started = Instant::now();
    let mut rates = Rates::default();
    (0..store.len()).filter_map(|i| store.get(i)).for_each(|line| rates.add(&line));
    row("rates of 1 M lines", &ms(started.elapsed()), "");
    let started = Instant::now();
    let mut patterns = Patterns::new(&store);
    patterns.work(&store, &|_| true, LINES);
    row("patterns of 1 M lines", &format!("{}, {} shapes", ms(started.elapsed()), patterns.sorted(None).len()), "");
}

fn row(what: &str, measured: &str, budget: &str) {
    println!("{what:<34} {measured:<34} {budget}");
}

/// Time this thread has had on a core, where the kernel tells.
fn on_core() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn ms(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

fn at(n: usize) -> Timestamp {
    Timestamp::from_millisecond(1_795_250_000_000 + n as i64).unwrap()
}

fn plain(n: usize) -> String {
    format!("worker {} has finished item {n} of the queue, {} left, everything as it should be so far, next", n % 16, n % 977)
}

fn python(n: usize) -> String {
    let (level, word) = if n.is_multiple_of(50) { ("ERROR", "refused") } else { ("INFO", "answered") };
    format!("2026-11-21 14:03:22,{:03} {level} app.views: request {n} {word} after rating, took {} ms", n % 1000, n % 1500)
}

fn json(n: usize) -> String {
    let (level, status) = if n.is_multiple_of(40) { ("error", 503) } else { ("info", 200) };
    format!(
        r#"{{"event":"request_done","level":"{level}","timestamp":"2026-11-21T14:03:22.{:06}Z","logger":"app.http","method":"GET","path":"/api/lessons/{n}","status":{status},"latency_ms":{}.5,"request_id":"{:08x}-5fea-4df0-a8a7-c4d3f1f1e8a1"}}"#,
        n % 1_000_000,
        n % 900,
        n
    )
}

fn access(n: usize) -> String {
    let status = if n.is_multiple_of(30) { 502 } else { 200 };
    format!(
        r#"10.0.{}.{} - - [21/Nov/2026:14:03:22 +0000] "GET /api/lessons/{n} HTTP/1.1" {status} 5120 "-" "curl/8.11.0""#,
        n % 8,
        n % 250
    )
}

fn coloured(n: usize) -> String {
    format!("\x1b[2m14:03:22.{:03}\x1b[0m \x1b[32mINFO\x1b[0m \x1b[1mapp\x1b[0m: item {n} is done and put away", n % 1000)
}

fn secret(n: usize) -> String {
    format!("2026-11-21 14:03:22 INFO app: login of ann{n}@example.com with password=hunter{n} is fine")
}

/// Takes lines in as a feed does: chunk by chunk, into a store that holds them all.
fn take_in(raw: &[String]) -> Store {
    let mut store = Store::new(1 << 40);
    let mut hint = quarterdeck::observe::log::Hint::default();
    for (number, lines) in raw.chunks(CHUNK).enumerate() {
        let mut builder = ChunkBuilder::new().after(hint);
        for (n, line) in lines.iter().enumerate() {
            builder.line(at(number * CHUNK + n), Stream::Stdout, line.as_bytes());
        }
        hint = builder.hint();
        store.push(&LogBatch::new(InstanceId::from("api-1"), Arc::new(builder.finish())));
    }
    store
}

fn filled(line: impl Fn(usize) -> String) -> Store {
    take_in(&(0..LINES).map(line).collect::<Vec<_>>())
}

fn ingest(name: &str, budget: &str, line: fn(usize) -> String) {
    let raw: Vec<String> = (0..LINES / 2).map(line).collect();
    let bytes: usize = raw.iter().map(String::len).sum();
    drop(take_in(&raw[..CHUNK]));
    let (started, before) = (Instant::now(), on_core());
    let store = take_in(&raw);
    // Where others want the core too, the time on it is what is said.
    let took = on_core().zip(before).map_or_else(|| started.elapsed(), |(now, then)| now.saturating_sub(then));
    let rate = raw.len() as f64 / took.as_secs_f64();
    let text: usize = (0..store.len()).filter_map(|i| store.get(i)).map(|l| l.text.len()).sum();
    let beside = (store.bytes() - text) as f64 / store.len() as f64;
    let figures = format!("{:.2} M/s of {} bytes", rate / 1e6, bytes / raw.len());
    row(&format!("ingest, {name}"), &figures, budget);
    row("  beside the text", &format!("{beside:.1} bytes a line"), "≤ 24");
}

fn filter(store: &Store, name: &str, budget: &str, query: &str) {
    let names = |_: &InstanceId| "api-1";
    let mut lens = Lens::new(Some(Query::parse(query).unwrap()), true, 0);
    let started = Instant::now();
    lens.reset(store);
    lens.work(store, &names, 20_000);
    let first = started.elapsed();
    while lens.work(store, &names, 20_000) {}
    let figures = format!("{}, first {}, {} found", ms(started.elapsed()), ms(first), lens.matches(store));
    row(&format!("filter 1 M, {name}"), &figures, budget);
}
