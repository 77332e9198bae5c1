//! Queries read and held against lines of every kind.

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::observe::log::{ChunkBuilder, LogBatch};

const LINES: &[(Stream, &str)] = &[
    (
        Stream::Stdout,
        r#"{"event":"request_done","level":"warning","status":503,"latency_ms":812.5,"http":{"path":"/api/Courses"},"user":"Bob"}"#,
    ),
    (
        Stream::Stdout,
        r#"{"event":"request_done","level":"info","status":200,"latency_ms":12,"http":{"path":"/api/me"},"note":"a \"quoted\" word"}"#,
    ),
    (Stream::Stderr, "2026-11-21 14:03:22 ERROR app.db: Connection refused by db:5432"),
    (Stream::Stdout, r#"10.0.0.1 - - [21/Nov/2026:14:03:22 +0000] "GET /api/me HTTP/1.1" 502 10 "-" "curl/8.1""#),
    (Stream::Stdout, r#"level=debug msg="cache miss" key=user:1 took=17ms"#),
    (Stream::Stdout, "plain words, nothing more"),
];

/// The lines a query holds for, by number.
fn check(text: &str) -> Vec<usize> {
    let mut builder = ChunkBuilder::new();
    for (stream, line) in LINES {
        builder.line(Timestamp::UNIX_EPOCH, *stream, line.as_bytes());
    }
    let batch = LogBatch { instance: "i".into(), chunk: Arc::new(builder.finish()), older: false };
    let query = Query::parse(text).unwrap();
    (0..LINES.len()).filter(|n| query.matches(&batch.line(*n).unwrap(), "lms-api-2")).collect()
}

#[test]
fn terms_choose_lines() {
    let table: &[(&str, &[usize])] = &[
        ("", &[0, 1, 2, 3, 4, 5]),
        ("connection", &[2]),
        ("Connection", &[2]),
        ("CONNECTION", &[]),
        ("\"refused by\"", &[2]),
        ("refused by", &[2]),
        ("by refused", &[2]),
        ("/re[fq]u/", &[0, 1, 2]),
        ("/api/me", &[1, 3]),
        ("!/re[fq]u/ !plain", &[3, 4]),
        ("level>=warn", &[0, 2, 3]),
        ("level:error", &[2, 3]),
        ("level!=error", &[0, 1, 4]),
        ("level<info", &[4]),
        ("!level:error", &[0, 1, 4, 5]),
        ("stream:stderr", &[2]),
        ("instance:api-2 stream:stderr", &[2]),
        ("instance:web", &[]),
        ("format:json", &[0, 1]),
        ("status:5..", &[0, 3]),
        ("status=200", &[1]),
        ("status!=200", &[0, 3]),
        ("status>=500", &[0, 3]),
        ("latency_ms>500", &[0]),
        ("latency_ms<=12", &[1]),
        ("took>16", &[4]),
        ("took<16", &[]),
        ("path:/api", &[0, 1, 3]),
        ("http.path:courses", &[0]),
        ("tp.path:courses", &[]),
        ("path=/api/me", &[1, 3]),
        ("user:bob", &[0]),
        ("user=bo", &[]),
        ("note:\"a \\\"quoted\"", &[1]),
        ("msg:cache", &[4]),
        ("logger:app.db", &[2]),
        ("nothing:here", &[]),
        ("db:5432", &[]),
        ("\"db:5432\"", &[2]),
        ("14:03", &[2, 3]),
        ("level>=warn status:5.. api", &[0, 3]),
    ];
    for (text, expected) in table {
        assert_eq!(check(text), *expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let table: &[(&str, usize, &str)] = &[
        ("a \"open", 2, "this quote is not closed"),
        ("a /(/", 3, "unclosed group"),
        ("level>=", 7, "a value is wanted here"),
        ("level>=loud", 7, "levels are trace, debug, info, warn, error and fatal"),
        ("x stream:both", 9, "streams are stdout and stderr"),
        ("stream>stderr", 6, "`stream` takes `:`"),
        ("latency_ms>much", 11, "a number is compared here"),
        ("user:\"open", 5, "this quote is not closed"),
    ];
    for (text, at, message) in table {
        let error = Query::parse(text).unwrap_err();
        assert_eq!((error.at, error.message.as_str()), (*at, *message), "{text}");
    }
}

#[test]
fn what_must_be_there_is_lit_up() {
    let query = Query::parse("level>=warn timeout !healthz /conn.*/ \"Two words\"").unwrap();
    let lit: Vec<String> = query
        .highlights()
        .map(|h| match h {
            Highlight::Word { text, cased } => format!("{text} {cased}"),
            Highlight::Regex(regex) => regex.to_string(),
        })
        .collect();
    assert_eq!(lit, ["timeout false", "Two words true", "conn.*"]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_within_itself(text in "[a-z:=<>!/\"\\\\ é.*()0-9]{0,24}") {
        match Query::parse(&text) {
            Ok(query) => {
                let _ = query.highlights().count();
            }
            Err(error) => proptest::prop_assert!(text.is_char_boundary(error.at)),
        }
    }
}
