//! What services print while all is well: access logs, JSON events, checkpoints, and a stack trace now and then.

use jiff::Timestamp;
use serde_json::json;

use super::dice::Dice;
use super::journal::Said;
use super::recipe::{Recipe, Voice};

/// Clients, from the ranges set aside for documentation.
const CLIENTS: &[&str] =
    &["203.0.113.17", "203.0.113.42", "198.51.100.9", "198.51.100.77", "203.0.113.201", "2001:db8::1f3a", "198.51.100.130"];
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "okhttp/4.12.0",
];
const PAGES: &[&str] = &[
    "GET / HTTP/1.1",
    "GET /api/courses?page=2 HTTP/1.1",
    "GET /api/lessons/1184 HTTP/1.1",
    "POST /api/ai/answers HTTP/1.1",
    "GET /assets/app-5f2c1d.js HTTP/1.1",
    "GET /api/me HTTP/1.1",
    "POST /api/chat HTTP/1.1",
    "GET /favicon.ico HTTP/1.1",
];

/// One thing a replica of this service says on an ordinary day.
#[must_use]
pub fn usual(recipe: &Recipe, dice: &mut Dice, at: Timestamp) -> Said {
    match recipe.voice {
        Voice::Nginx => nginx(dice, at, 1.0),
        Voice::Structlog => structlog(dice, at),
        Voice::Python => python(recipe, dice, at),
        Voice::Node => node(dice, at),
        Voice::Logfmt => logfmt(dice, at),
        Voice::Redis => redis(dice, at),
        Voice::Postgres => postgres(dice, at),
    }
}

/// An access line; `well` is the share of answers that are no server error.
pub fn nginx(dice: &mut Dice, at: Timestamp, well: f64) -> Said {
    let stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000");
    if dice.chance(0.05) {
        return Said::out(format!(r#"10.42.0.1 - - [{stamp}] "GET /health HTTP/1.1" 200 2 "-" "kube-probe/1.30" 0.000"#));
    }
    let (client, page, agent) = (dice.pick(CLIENTS), dice.pick(PAGES), dice.pick(AGENTS));
    let status = if !dice.chance(well) {
        dice.pick(&[502, 502, 504])
    } else if page.contains("favicon") || dice.chance(0.01) {
        404
    } else if page.starts_with("POST") {
        dice.pick(&[200, 201, 201])
    } else {
        dice.pick(&[200, 200, 200, 200, 304])
    };
    let bytes = if status == 304 { 0 } else { 120 + dice.below(18_000) };
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
    let request = format!("r-{}", dice.below(0xffff_ffff));
    let line = match dice.below(150) {
        0..=119 => json!({"level": "info", "time": at, "msg": "request",
            "method": dice.pick(&["GET", "GET", "GET", "POST"]),
            "path": dice.pick(&["/api/courses", "/api/lessons/1184", "/api/me", "/api/ai/answers"]),
            "status": dice.pick(&[200, 200, 200, 200, 201, 304, 404]),
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

fn redis(dice: &mut Dice, at: Timestamp) -> Said {
    let stamp = at.strftime("%d %b %Y %H:%M:%S.%3f");
    let child = 200 + dice.below(9000);
    Said::out(match dice.below(5) {
        0 => format!("1:M {stamp} * 100 changes in 300 seconds. Saving..."),
        1 => format!("1:M {stamp} * Background saving started by pid {child}"),
        2 => format!("{child}:C {stamp} * DB saved on disk"),
        3 => format!("{child}:C {stamp} * Fork CoW for RDB: current {} MB, peak {0} MB, average 0 MB", dice.below(3)),
        _ => format!("1:M {stamp} * Background saving terminated with success"),
    })
}

fn postgres(dice: &mut Dice, at: Timestamp) -> Said {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S.%3f UTC");
    let backend = 40 + dice.below(4000);
    Said::err(match dice.below(20) {
        0..=5 => format!("{stamp} [27] LOG:  checkpoint starting: time"),
        6..=11 => {
            let buffers = 12 + dice.below(600);
            format!(
                "{stamp} [27] LOG:  checkpoint complete: wrote {buffers} buffers ({:.1}%); 0 WAL file(s) added, 0 removed, 1 recycled; \
                 write={:.3} s, sync=0.012 s, total={:.3} s",
                buffers as f64 / 163.84,
                buffers as f64 * 0.1,
                buffers as f64 * 0.1 + 0.05
            )
        }
        12..=17 => format!(
            "{stamp} [{backend}] LOG:  duration: {:.3} ms  statement: SELECT * FROM submissions WHERE course_id = $1 ORDER BY at DESC",
            dice.between(500.0, 1900.0)
        ),
        18 => format!("{stamp} [{backend}] ERROR:  duplicate key value violates unique constraint \"users_login_key\""),
        _ => format!("{stamp} [{backend}] LOG:  could not receive data from client: Connection reset by peer"),
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
        let all = |voice: fn(&mut Dice, Timestamp) -> Said| {
            let mut dice = Dice::of(7, "voice");
            (0..400).map(|_| voice(&mut dice, at).text).collect::<Vec<_>>()
        };
        assert!(all(|d, t| nginx(d, t, 1.0)).iter().all(|l| l.contains("[14/Nov/2026:14:03:19 +0000]") && !l.contains(" 502 ")));
        assert!(all(|d, t| nginx(d, t, 0.0)).iter().any(|l| l.contains(" 502 ")));
        for line in all(structlog).iter().chain(&all(node)) {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
        }
        assert!(all(redis).iter().all(|l| l.contains("14 Nov 2026 14:03:19.123 * ")));
        assert!(all(postgres).iter().all(|l| l.starts_with("2026-11-14 14:03:19.123 UTC [")));
        assert!(all(logfmt).iter().all(|l| l.starts_with("time=2026-11-14T14:03:19.123Z level=")), "{}", all(logfmt)[0]);
    }
}
