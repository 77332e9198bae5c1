//! What services print while all is well: access logs, JSON events, checkpoints, and a stack trace now and then.

use jiff::Timestamp;
use serde_json::json;

use super::dice::Dice;
use super::journal::Said;
use super::moment::shift;
use super::recipe::{Recipe, Voice};
use crate::model::WorkloadKind;

/// Clients, from the ranges set aside for documentation.
const CLIENTS: &[&str] =
    &["203.0.113.17", "203.0.113.42", "198.51.100.9", "198.51.100.77", "203.0.113.201", "2001:db8::1f3a", "198.51.100.130"];
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "okhttp/4.12.0",
];
/// What is asked of the front door of each stack.
const LMS_PAGES: &[&str] = &[
    "GET / HTTP/1.1",
    "GET /api/courses?page=2 HTTP/1.1",
    "GET /api/lessons/1184 HTTP/1.1",
    "GET /api/lessons/1185 HTTP/1.1",
    "POST /api/ai/answers HTTP/1.1",
    "GET /assets/app-5f2c1d.js HTTP/1.1",
    "GET /api/me HTTP/1.1",
];
const CHAT_PAGES: &[&str] = &[
    "POST /chat HTTP/1.1",
    "POST /chat HTTP/1.1",
    "GET /chat/history?limit=50 HTTP/1.1",
    "GET / HTTP/1.1",
    "GET /static/widget.js HTTP/1.1",
];
const STORE_PAGES: &[&str] = &[
    "GET /read/cart:1041 HTTP/1.1",
    "GET /read/cart:1377 HTTP/1.1",
    "POST /write/cart:1041/3 HTTP/1.1",
    "POST /write/cart:1502/1 HTTP/1.1",
    "GET /circuit-breaker HTTP/1.1",
];
/// Method, path and status of what the backend answers.
const ANSWERS: &[(&str, &str, u16)] = &[
    ("GET", "/api/courses", 200),
    ("GET", "/api/courses", 200),
    ("GET", "/api/lessons/1184", 200),
    ("GET", "/api/lessons/1184", 304),
    ("GET", "/api/lessons/9", 404),
    ("GET", "/api/me", 200),
    ("GET", "/api/me", 200),
    ("GET", "/api/me", 401),
    ("POST", "/api/ai/answers", 201),
    ("POST", "/api/submissions", 201),
];

/// One thing a replica of this service says on an ordinary day.
#[must_use]
pub fn usual(recipe: &Recipe, dice: &mut Dice, at: Timestamp) -> Said {
    match recipe.voice {
        Voice::Nginx => nginx(recipe, dice, at, 1.0),
        Voice::Structlog => structlog(dice, at),
        Voice::Python => python(recipe, dice, at),
        Voice::Node => node(dice, at),
        Voice::Logfmt => logfmt(dice, at),
        Voice::Redis => redis(dice, at),
        Voice::Postgres => postgres(recipe, dice, at),
    }
}

/// An access line; `well` is the share of answers that are no server error.
pub fn nginx(recipe: &Recipe, dice: &mut Dice, at: Timestamp, well: f64) -> Said {
    let stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000");
    let pod = recipe.kind == WorkloadKind::Deployment;
    if dice.chance(0.05) && recipe.probe.is_some() {
        let (from, agent) = if pod { ("10.42.0.1", "kube-probe/1.30") } else { ("127.0.0.1", "curl/8.9.1") };
        return Said::out(format!(r#"{from} - - [{stamp}] "GET /health HTTP/1.1" 200 2 "-" "{agent}" 0.000"#));
    }
    let pages = match recipe.name {
        "lb" => STORE_PAGES,
        "nginx" => CHAT_PAGES,
        _ => LMS_PAGES,
    };
    let (client, page, agent) = (dice.pick(CLIENTS), dice.pick(pages), dice.pick(AGENTS));
    let (page, status) = match () {
        () if !dice.chance(well) => (page, dice.pick(&[502, 502, 502, 504])),
        () if dice.chance(0.015) => ("GET /favicon.ico HTTP/1.1", 404),
        () if page.starts_with("POST") => (page, dice.pick(&[200, 201])),
        () if dice.chance(0.15) => (page, 304),
        () => (page, 200),
    };
    let bytes = match status {
        304 => 0,
        200 | 201 => 120 + dice.below(18_000),
        _ => 157,
    };
    let seconds = if status == 504 { 60.0 } else { dice.between(0.002, 0.240) };
    Said::out(format!(r#"{client} - - [{stamp}] "{page}" {status} {bytes} "-" "{agent}" {seconds:.3}"#))
}

fn structlog(dice: &mut Dice, at: Timestamp) -> Said {
    let (session, user) = (format!("s-{}", 1000 + dice.below(400)), format!("u-{}", 100 + dice.below(90)));
    let line = match dice.below(200) {
        0..=99 => json!({"event": "message_received", "session_id": session, "user_id": user,
            "message_length": 4 + dice.below(600), "timestamp": at, "level": "info"}),
        100..=169 => json!({"event": "answer_sent", "session_id": session, "user_id": user,
            "tokens": 40 + dice.below(800), "latency_ms": 300 + dice.below(2400), "timestamp": at, "level": "info"}),
        170..=187 => json!({"event": "retrieval", "session_id": session, "documents": 1 + dice.below(8),
            "score": (dice.between(0.55, 0.97) * 1000.0).round() / 1000.0, "timestamp": at, "level": "debug"}),
        188..=196 => json!({"event": "db_slow", "session_id": session, "latency_ms": 500 + dice.below(700),
            "statement": "SELECT … ORDER BY embedding <=> $1 LIMIT 8", "timestamp": at, "level": "warning"}),
        197..=198 => json!({"event": "rate_limited", "user_id": user, "tenant": "acme", "timestamp": at, "level": "warning"}),
        _ => {
            return Said::err(
                json!({"event": "unhandled_exception", "session_id": session, "timestamp": at, "level": "error",
                "exception": "Traceback (most recent call last):\n  File \"/app/app/chat.py\", line 118, in answer\n    \
                tenant = ctx[\"tenant\"]\nKeyError: 'tenant'"})
                .to_string(),
            );
        }
    };
    Said::out(line.to_string())
}

fn python(recipe: &Recipe, dice: &mut Dice, at: Timestamp) -> Said {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S,%3f");
    let (name, key) = (recipe.name, format!("cart:{}", 1000 + dice.below(900)));
    let node = dice.pick(&["g1", "g2"]);
    match dice.below(240) {
        0..=109 => Said::out(format!(
            "{stamp} INFO {name}.store write key={key} node={node} version={} latency_ms={}",
            8000 + dice.below(2000),
            1 + dice.below(9)
        )),
        110..=219 => Said::out(format!(
            "{stamp} INFO {name}.store read key={key} node={node} staleness_ms={} latency_ms={}",
            dice.below(90),
            1 + dice.below(6)
        )),
        220..=229 => Said::out(format!(r#"{stamp} INFO {name}.http 172.22.0.1 "GET /metrics" 200"#)),
        230..=238 => Said::out(format!("{stamp} WARNING {name}.replication node={node} behind by {} ms", 200 + dice.below(600))),
        _ => Said::err(format!(
            "{stamp} ERROR {name}.http GET /read/{key} failed\nTraceback (most recent call last):\n  \
             File \"/srv/{name}.py\", line 201, in read\n    value = self.codec.decode(raw)\n  \
             File \"/srv/codec.py\", line 44, in decode\n    return json.loads(raw)[\"v\"]\nKeyError: 'v'"
        )),
    }
}

fn node(dice: &mut Dice, at: Timestamp) -> Said {
    let request = format!("r-{:08x}", dice.below(0xffff_ffff));
    let (method, path, status) = dice.pick(ANSWERS);
    let line = match dice.below(150) {
        0..=119 => json!({"level": "info", "time": at, "msg": "request", "method": method, "path": path, "status": status,
            "ms": 3 + dice.below(180), "request_id": request}),
        120..=139 => {
            json!({"level": "info", "time": at, "msg": "ai answer", "model": dice.pick(&["gpt-4o-mini", "gemini-1.5-flash"]),
            "tokens": 80 + dice.below(1200), "cost_usd": (dice.between(0.0002, 0.009) * 10_000.0).round() / 10_000.0,
            "request_id": request})
        }
        140..=147 => json!({"level": "warn", "time": at, "msg": "slow query", "ms": 400 + dice.below(900),
            "table": dice.pick(&["lesson_progress", "submissions"]), "request_id": request}),
        _ => json!({"level": "error", "time": at, "msg": "ai provider answered 429, trying the next one",
            "provider": "openai", "request_id": request}),
    };
    Said::out(line.to_string())
}

fn logfmt(dice: &mut Dice, at: Timestamp) -> Said {
    let provider = dice.pick(&["openai", "gemini"]);
    match dice.below(60) {
        0..=51 => Said::err(format!(
            "time={at:.3} level=info msg=routed provider={provider} tokens={} ms={} cache={}",
            60 + dice.below(900),
            280 + dice.below(1900),
            dice.pick(&["hit", "miss", "miss"])
        )),
        52..=57 => {
            Said::err(format!("time={at:.3} level=info msg=\"budget\" month_usd={:.2} limit_usd=150", dice.between(88.0, 89.0)))
        }
        _ => Said::err(format!(
            "time={at:.3} level=warn msg=\"provider slow, hedging\" provider={provider} ms={}",
            4000 + dice.below(3000)
        )),
    }
}

/// A background save, from its cause to its end.
fn redis(dice: &mut Dice, at: Timestamp) -> Said {
    let (child, cow) = (200 + dice.below(9000), dice.below(3));
    let stamp = |seconds: f64| shift(at, seconds).strftime("%d %b %Y %H:%M:%S.%3f").to_string();
    let saved = dice.between(0.02, 0.09);
    Said::out(
        [
            format!("1:M {} * 100 changes in 300 seconds. Saving...", stamp(0.0)),
            format!("1:M {} * Background saving started by pid {child}", stamp(0.001)),
            format!("{child}:C {} * DB saved on disk", stamp(saved)),
            format!("{child}:C {} * Fork CoW for RDB: current {cow} MB, peak {cow} MB, average 0 MB", stamp(saved + 0.001)),
            format!("1:M {} * Background saving terminated with success", stamp(0.1)),
        ]
        .join("\n"),
    )
}

fn postgres(recipe: &Recipe, dice: &mut Dice, at: Timestamp) -> Said {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S.%3f UTC");
    let backend = 40 + dice.below(4000);
    let statement = if recipe.name == "postgres" {
        "SELECT id, body FROM chunks WHERE tenant_id = $1 ORDER BY embedding <=> $2 LIMIT 8"
    } else {
        "SELECT * FROM submissions WHERE course_id = $1 ORDER BY submitted_at DESC"
    };
    Said::err(match dice.below(20) {
        0..=1 => {
            let buffers = 12 + dice.below(600);
            let write = buffers as f64 * 0.1;
            format!(
                "{stamp} [27] LOG:  checkpoint complete: wrote {buffers} buffers ({:.1}%); 0 WAL file(s) added, 0 removed, \
                 1 recycled; write={write:.3} s, sync=0.012 s, total={:.3} s",
                buffers as f64 / 163.84,
                write + 0.05
            )
        }
        2..=3 => format!(
            "{stamp} [{}] LOG:  automatic vacuum of table \"{}.public.sessions\": index scans: 1",
            200 + dice.below(900),
            if recipe.name == "postgres" { "chatbot" } else { "lms" }
        ),
        4..=16 => format!("{stamp} [{backend}] LOG:  duration: {:.3} ms  statement: {statement}", dice.between(500.0, 1900.0)),
        17..=18 => format!("{stamp} [{backend}] LOG:  could not receive data from client: Connection reset by peer"),
        _ => format!(
            "{stamp} [{backend}] ERROR:  duplicate key value violates unique constraint \"users_login_key\"\n\
             {stamp} [{backend}] DETAIL:  Key (login)=(u-{}) already exists.",
            100 + dice.below(90)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::stacks::STACKS;
    use super::*;
    use crate::observe::log::Level;

    #[test]
    fn every_service_speaks_and_mostly_of_nothing_bad() {
        let at: Timestamp = "2026-11-14T14:03:19.123Z".parse().unwrap();
        for recipe in STACKS.iter().flat_map(|s| s.recipes) {
            let mut dice = Dice::of(7, recipe.name);
            let mut bad = 0;
            for _ in 0..1000 {
                let said = usual(recipe, &mut dice, at);
                assert!(!said.text.is_empty() && said.text.len() < 1500, "{}", said.text);
                bad += usize::from(said.text.lines().next().and_then(Level::detect).is_some_and(|l| l >= Level::Error));
            }
            assert!(bad < 100, "{} complains {bad} times in a thousand", recipe.name);
        }
    }

    #[test]
    fn the_lines_look_like_the_real_thing() {
        let at: Timestamp = "2026-11-14T14:03:19.123Z".parse().unwrap();
        let front = &STACKS[1].recipes[2];
        let db = &STACKS[1].recipes[1];
        let all = |voice: &dyn Fn(&mut Dice, Timestamp) -> Said| {
            let mut dice = Dice::of(7, "voice");
            let lines = (0..400).map(|_| voice(&mut dice, at).text).collect::<Vec<_>>();
            lines.iter().flat_map(|l| l.lines().map(str::to_owned)).collect::<Vec<_>>()
        };
        let access = all(&|d, t| nginx(front, d, t, 1.0));
        assert!(access.iter().all(|l| l.contains("[14/Nov/2026:14:03:19 +0000]") && !l.contains(" 502 ")));
        assert!(all(&|d, t| nginx(front, d, t, 0.0)).iter().any(|l| l.contains(" 502 ")));
        for line in all(&structlog).iter().chain(&all(&node)) {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
        }
        assert!(all(&redis).iter().all(|l| l.contains("14 Nov 2026 14:03:19.") && l.contains(" * ")));
        assert!(all(&|d, t| postgres(db, d, t)).iter().all(|l| l.starts_with("2026-11-14 14:03:19.123 UTC [")));
        assert!(all(&logfmt).iter().all(|l| l.starts_with("time=2026-11-14T14:03:19.123Z level=")), "{}", all(&logfmt)[0]);
    }
}
