//! The figures a person feels, measured from outside on a real engine: start-up, idling, keys, bytes, logs, a stalled and
//! a cut engine, hostile text. Prints them with the budget beside each; judges nothing.
//!
//! `benches/run [SECTION…]`, sections: startup idle keys follow flat history command stall hostile

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_cmp,
    clippy::too_many_lines,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::needless_pass_by_value,
    clippy::many_single_char_names,
    clippy::type_complexity,
    reason = "a test or a measurement says what it needs, and stops where it is not so"
)]

#[path = "console/engine.rs"]
mod engine;
#[path = "console/process.rs"]
mod process;
#[path = "console/proxy.rs"]
mod proxy;
#[path = "console/pty.rs"]
mod pty;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::{Engine, PREFIX};
use proxy::Proxy;
use pty::Screen;

const QD: &str = env!("CARGO_BIN_EXE_qd");

fn main() {
    let Some(engine) = Engine::given() else {
        eprintln!("NOT MEASURED: no engine is given. Run: benches/run");
        return;
    };
    let chosen: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|c| c == name);
    engine.image();
    for count in [10, 100, 300] {
        if wanted("startup") || wanted("idle") || (count == 100 && wanted("keys")) {
            engine.fleet(count);
        }
        if wanted("startup") {
            startup(&engine, count);
        }
        if wanted("idle") {
            idle(&engine, count);
        }
        if count == 100 && wanted("keys") {
            keys(&engine);
        }
    }
    engine.fleet(10);
    if wanted("follow") {
        follow(&engine, 10_000);
        follow(&engine, 0);
    }
    if wanted("flat") {
        flat(&engine);
    }
    if wanted("command") {
        command(&engine);
    }
    if wanted("history") {
        history(&engine);
    }
    if wanted("stall") {
        stall(&engine);
    }
    if wanted("hostile") {
        hostile(&engine);
    }
    engine.fleet(0);
}

fn say(what: &str, figure: &str, budget: &str) {
    println!("{what:<58} {figure:<44} budget {budget}");
}

fn open(engine: &Engine, arguments: &[&str]) -> Screen {
    let home = std::env::temp_dir().join("qd-bench-home");
    drop(std::fs::create_dir_all(&home));
    let home = home.to_string_lossy().into_owned();
    let mut all = vec!["-H", engine.host.as_str()];
    all.extend(arguments);
    Screen::spawn(QD, &all, &[("HOME", &home), ("XDG_CONFIG_HOME", &home), ("XDG_DATA_HOME", &home), ("XDG_STATE_HOME", &home)])
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Median, 95th percentile and maximum.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN);
    (at(0.5), at(0.95), at(1.0))
}

fn startup(engine: &Engine, count: usize) {
    let (mut paints, mut names) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let mut screen = open(engine, &[]);
        let started = screen.started;
        if let Some(at) = screen.wait(Duration::from_secs(5), |s| s.contains(PREFIX)) {
            names.push(millis(at.duration_since(started)));
        }
        paints.extend(screen.first_paint.map(|at| millis(at.duration_since(started))));
    }
    let (paint, ..) = spread(paints);
    let (median, _, worst) = spread(names);
    let budget = match count {
        10 => "15 ms",
        100 => "20 ms",
        _ => "30 ms",
    };
    say(&format!("{count} containers: exec to first paint"), &format!("{paint:.1} ms"), "10 ms");
    say(&format!("{count} containers: exec to first name"), &format!("{median:.1} ms (worst {worst:.1})"), budget);
}

fn idle(engine: &Engine, count: usize) {
    const SECONDS: u64 = 20;
    let engine_pids = process::engine();
    let engine_cpu = || engine_pids.iter().map(|p| process::cpu_seconds(*p)).sum::<f64>();
    let before = engine_cpu();
    std::thread::sleep(Duration::from_secs(SECONDS));
    let base = engine_cpu() - before;
    let mut screen = open(engine, &[]);
    let pid = screen.pid();
    screen.watch(Duration::from_secs(8));
    let (own, caused, bytes) = (process::cpu_seconds(pid), engine_cpu(), screen.bytes);
    screen.watch(Duration::from_secs(SECONDS));
    let per_second = |figure: f64| figure / SECONDS as f64;
    let own = per_second(process::cpu_seconds(pid) - own) * 100.0;
    let caused = per_second(engine_cpu() - caused - base) * 100.0;
    say(&format!("{count} containers idle: own CPU"), &format!("{own:.2} %"), "0.7 %");
    say(&format!("{count} containers idle: engine CPU caused"), &format!("{caused:.1} %"), "5 %");
    say(
        &format!("{count} containers idle: to the terminal"),
        &format!("{:.0} B/s", per_second((screen.bytes - bytes) as f64)),
        "80 B/s",
    );
    let rss = process::rss_mib(pid);
    say(
        &format!("{count} containers idle: RSS, open files"),
        &format!("{rss:.1} MiB, {}", process::files(pid)),
        "10 / 12 / 16 MiB",
    );
}

/// Key latencies of so many cursor moves, unevenly apart, and the bytes they cost each.
fn moves(screen: &mut Screen, count: u32) -> (Vec<f64>, f64) {
    let (mut times, mut bytes) = (Vec::new(), 0);
    for n in 0..count {
        screen.watch(Duration::from_millis(120 + u64::from(n * 37 % 160)));
        let before = screen.bytes;
        let key: &[u8] = if n / 4 % 2 == 0 { b"j" } else { b"k" };
        if let Some(took) = screen.key(key) {
            times.push(millis(took));
        }
        bytes += screen.bytes - before;
    }
    (times, bytes as f64 / f64::from(count))
}

fn keys(engine: &Engine) {
    let mut screen = open(engine, &[]);
    screen.wait(Duration::from_secs(5), |s| s.contains(PREFIX));
    screen.send(b"2");
    screen.watch(Duration::from_secs(3));
    let (times, bytes) = moves(&mut screen, 100);
    let seen = times.len();
    let (median, p95, worst) = spread(times);
    say(
        "100 containers: key to changed screen",
        &format!("{median:.1} / {p95:.1} / {worst:.1} ms ({seen} of 100)"),
        "1.5 / 5 / 16 ms",
    );
    say("100 containers: bytes a key", &format!("{bytes:.0} B"), "500 B");
}

fn stamp_micros() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1e6)
}

/// The largest `T=` stamp on the screen, microseconds since 1970.
fn newest_stamp(text: &str) -> Option<f64> {
    text.split("T=").skip(1).filter_map(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).reduce(f64::max)
}

fn open_log(engine: &Engine) -> Screen {
    let mut screen = open(engine, &["-e", "bench-log"]);
    screen.wait(Duration::from_secs(5), |s| s.contains("bench-spam"));
    screen.watch(Duration::from_millis(300));
    screen.send(b"l");
    screen
}

fn follow(engine: &Engine, rate: u32) {
    const SECONDS: u64 = 15;
    let name = if rate == 0 { "as fast as it goes".to_owned() } else { format!("{rate} lines/s") };
    engine.run("bench-spam", &["logspam", &rate.to_string(), "0", "100"]);
    let mut screen = open_log(engine);
    let pid = screen.pid();
    screen.wait(Duration::from_secs(10), |s| newest_stamp(s).is_some());
    screen.watch(Duration::from_secs(3));
    let cpu = process::cpu_seconds(pid);
    let (mut lags, mut helps) = (Vec::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs(SECONDS);
    while Instant::now() < end {
        screen.watch(Duration::from_millis(250));
        if let Some(stamp) = newest_stamp(&screen.text()) {
            lags.push((stamp_micros() - stamp) / 1e6);
        }
        if lags.len() % 8 == 0 {
            let sent = Instant::now();
            screen.send(b"?");
            if let Some(at) = screen.wait(Duration::from_secs(3), |s| s.contains("Moving")) {
                helps.push(millis(at.saturating_duration_since(sent)));
            }
            screen.send(b"\x1b");
            screen.wait(Duration::from_secs(3), |s| !s.contains("Moving"));
        }
    }
    let used = (process::cpu_seconds(pid) - cpu) / SECONDS as f64 * 100.0;
    let (lag, _, worst) = spread(lags);
    let (help, _, slowest) = spread(helps);
    say(&format!("follow {name}: lag"), &format!("{lag:.2} s (worst {worst:.2})"), "0.2 s at 10,000 lines/s");
    say(&format!("follow {name}: own CPU"), &format!("{used:.1} %"), "10 % at 10,000 lines/s");
    say(&format!("follow {name}: help pop-up"), &format!("{help:.1} ms (worst {slowest:.1})"), "16 ms");
    say(&format!("follow {name}: RSS"), &format!("{:.1} MiB", process::rss_mib(pid)), "store bound 64 + 20 MiB");
    engine.remove("bench-spam");
}

/// Memory while 50,000 lines a second come in, from when the store is full on.
fn flat(engine: &Engine) {
    engine.run("bench-spam", &["logspam", "50000", "0", "100"]);
    let mut screen = open_log(engine);
    let pid = screen.pid();
    screen.watch(Duration::from_secs(25));
    let mut figures = Vec::new();
    for _ in 0..8 {
        figures.push(process::rss_mib(pid));
        screen.watch(Duration::from_secs(5));
    }
    let told: Vec<String> = figures.iter().map(|mib| format!("{mib:.0}")).collect();
    say("follow 50000 lines/s: RSS every 5 s", &format!("{} MiB", told.join(" ")), "flat; store bound 64 + 20 MiB");
    engine.remove("bench-spam");
}

/// A finished log of so many lines.
fn finished(engine: &Engine, lines: u32) {
    engine.run("bench-spam", &["logspam", "0", &lines.to_string(), "100"]);
    let end = Instant::now() + Duration::from_secs(300);
    while !engine.docker(&["logs", "--tail", "1", "bench-spam"]).contains("S=END") && Instant::now() < end {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// `qd logs` beside `docker logs`, both to nowhere, in turn.
fn command(engine: &Engine) {
    finished(engine, 1_000_000);
    let timed = |program: &str, arguments: &[&str]| {
        let began = Instant::now();
        let mut command = std::process::Command::new(program);
        command.args(["-H", &engine.host]).args(arguments).env("HOME", std::env::temp_dir());
        let ended = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
        assert!(ended.is_ok_and(|s| s.success()), "{program} {arguments:?}");
        began.elapsed().as_secs_f64()
    };
    let (mut ours, mut theirs, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    let here = ["logs", "-e", "bench-log", "bench-spam", "--tail", "all"];
    for _ in 0..3 {
        theirs.push(timed("docker", &["logs", "--timestamps", "bench-spam"]));
        ours.push(timed(QD, &here));
        objects.push(timed(QD, &[&here[..], &["-o", "ndjson"]].concat()));
    }
    let best = |times: Vec<f64>| times.into_iter().fold(f64::INFINITY, f64::min);
    let theirs = best(theirs);
    say("1,000,000 lines: qd logs --tail all", &format!("{:.2} s", best(ours)), &format!("docker logs: {theirs:.2} s"));
    say(
        "1,000,000 lines: qd logs --tail all -o ndjson",
        &format!("{:.2} s", best(objects)),
        &format!("docker logs: {theirs:.2} s"),
    );
    engine.remove("bench-spam");
}

fn history(engine: &Engine) {
    finished(engine, 5_000_000);
    let mut screen = open(engine, &["-e", "bench-log"]);
    screen.wait(Duration::from_secs(5), |s| s.contains("bench-spam"));
    screen.watch(Duration::from_secs(1));
    let sent = Instant::now();
    screen.send(b"l");
    let shown = screen.wait(Duration::from_secs(30), |s| s.contains("S=END"));
    let took = shown.map_or("never".to_owned(), |at| format!("{:.3} s", at.duration_since(sent).as_secs_f64()));
    say("open a log of 5,000,000 lines: end on screen", &took, "0.05 s");
    screen.watch(Duration::from_secs(2));
    say("open a log of 5,000,000 lines: RSS", &format!("{:.1} MiB", process::rss_mib(screen.pid())), "20 MiB");
    engine.remove("bench-spam");
}

fn stall(engine: &Engine) {
    let listen = std::env::temp_dir().join("qd-bench-proxy.sock");
    let proxy = Proxy::start(&listen, &engine.socket());
    let through = Engine { host: format!("unix://{}", listen.display()) };
    let mut screen = open(&through, &[]);
    screen.wait(Duration::from_secs(5), |s| s.contains(PREFIX));
    screen.watch(Duration::from_secs(3));
    for (what, seconds) in [("stalls", 10), ("is cut", 5)] {
        let began = Instant::now();
        if what == "stalls" {
            proxy.stall();
        } else {
            proxy.cut();
        }
        let marked = screen.wait(Duration::from_secs(seconds), |s| s.contains("stale since"));
        let marked = marked.map_or("never".to_owned(), |at| format!("{:.1} s", at.duration_since(began).as_secs_f64()));
        say(&format!("engine {what} {seconds} s: marked stale after"), &marked, "3 s");
        let (times, _) = moves(&mut screen, 8);
        let seen = times.len();
        let (median, _, worst) = spread(times);
        say(
            &format!("engine {what}: key to changed screen"),
            &format!("{median:.1} ms (worst {worst:.1}, {seen} of 8)"),
            "1.5 / 16 ms",
        );
        screen.watch((began + Duration::from_secs(seconds)).saturating_duration_since(Instant::now()));
        proxy.pass();
        let back = Instant::now();
        let live = screen.wait(Duration::from_secs(15), |s| s.contains("live") && !s.contains("stale since"));
        let live = live.map_or("never".to_owned(), |at| format!("{:.1} s", at.saturating_duration_since(back).as_secs_f64()));
        say(&format!("engine {what}: live again after"), &live, "2 s");
        screen.watch(Duration::from_secs(2));
    }
}

fn hostile(engine: &Engine) {
    // Each would change the title, the colours, the cursor or the screen if it came through.
    let sequences = r"\033]0;OWNED\007 \033[2J \033[?1049l \033[31m \033P$q\033\\ \033_x\033\\ \302\2332J \033c \342\200\256rtl \342\200\213zw \010\010 \377\376 END\n";
    engine.run("bench-spam", &["sh", "-c", &format!("while :; do printf '{sequences}'; sleep 1; done")]);
    let mut screen = open_log(engine);
    let shown = screen.wait(Duration::from_secs(5), |s| s.contains("END")).is_some();
    screen.watch(Duration::from_secs(2));
    let text = screen.text();
    let through = ["OWNED", "\u{202e}", "\u{200b}"].iter().filter(|s| text.contains(**s)).count();
    say(
        "hostile log lines: sequences that came through",
        &format!("{through} (log shown: {shown}, screen kept: {})", text.contains("live")),
        "0",
    );
    engine.remove("bench-spam");
}
