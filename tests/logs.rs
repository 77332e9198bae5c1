//! Lines as programs write them: each file of `logs/` is one format, each line begins with the level it has to be read as
//! (`-` for none, `>` for one that goes on with the line before).

#![allow(clippy::unwrap_used, reason = "a test stops where something is not so")]

use std::sync::Arc;

use jiff::Timestamp;
use quarterdeck::model::InstanceId;
use quarterdeck::observe::log::{ChunkBuilder, Format, Hint, Lens, LogBatch, Store, Stream, parse, parse_text, pretty};

/// The lines of a file with what is expected of them.
fn lines(name: &str) -> Vec<(String, String)> {
    let path = format!("{}/tests/logs/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|l| l.split_once('\t').map(|(e, l)| (e.to_owned(), l.to_owned())).unwrap()).collect()
}

/// All lines as one instance writes them, in chunks of this many.
fn batches(lines: &[(String, String)], chunk: usize) -> Vec<LogBatch> {
    let mut hint = Hint::default();
    let mut at = 0;
    let mut batch = |lines: &[(String, String)]| {
        let mut builder = ChunkBuilder::new().after(hint);
        for (_, line) in lines {
            at += 1;
            builder.line(Timestamp::from_second(at).unwrap(), Stream::Stderr, line.as_bytes());
        }
        hint = builder.hint();
        LogBatch::new(InstanceId::from("i"), Arc::new(builder.finish()))
    };
    lines.chunks(chunk).map(&mut batch).collect()
}

/// What a line is read as.
fn read(batch: &LogBatch, index: usize) -> (String, Format) {
    let line = batch.line(index).unwrap();
    let level = line.level.map_or("-", quarterdeck::observe::log::Level::word);
    (if line.continues { ">" } else { level }.to_owned(), line.format)
}

#[test]
fn levels_and_formats_are_read_right() {
    let mut wrong = Vec::new();
    for format in Format::ALL {
        let lines = lines(format.word());
        assert!(lines.len() >= 200, "{} has {} lines", format.word(), lines.len());
        let batch = &batches(&lines, lines.len())[0];
        let (mut levels, mut formats) = (Vec::new(), Vec::new());
        for (index, (expected, line)) in lines.iter().enumerate() {
            let (level, found) = read(batch, index);
            if level != *expected {
                levels.push(format!("{level} for {expected}: {line}"));
            }
            // A text that begins with a level has a head, if a short one.
            if found != format && !(format == Format::Plain && found == Format::Logger) {
                formats.push(format!("{} for {}: {line}", found.word(), format.word()));
            }
        }
        for found in [levels, formats] {
            if found.len() * 100 > lines.len() {
                wrong.push(format!("{}: {} of {} wrong\n  {}", format.word(), found.len(), lines.len(), found.join("\n  ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn traces_go_on_with_their_first_line_wherever_a_chunk_ends() {
    let lines = lines("traces");
    for chunk in [1, 2, 3, 7, lines.len()] {
        let batches = batches(&lines, chunk);
        let read = batches.iter().flat_map(|b| (0..b.chunk.len()).map(|n| read(b, n).0));
        for (found, (expected, line)) in read.zip(&lines) {
            assert_eq!(found, *expected, "{line} (chunks of {chunk})");
        }
        let mut store = Store::new(1 << 20);
        let mut lens = Lens::new(None, true, 0);
        for batch in &batches {
            store.push(batch);
            lens.pushed(&store, &|_| "");
            lens.work(&store, &|_| "", usize::MAX);
        }
        let heads = lines.iter().filter(|(expected, _)| expected != ">").count();
        assert_eq!(lens.len(&store), heads, "folded (chunks of {chunk})");
    }
}

#[test]
fn messages_stand_in_front_and_fields_keep_their_order() {
    let table: &[(Format, &str, &str, &str)] = &[
        (
            Format::Json,
            r#"{"event":"slow \"x\"","level":"warning","timestamp":"t","logger":"app","http":{"path":"/a","n":[1,2]}}"#,
            "slow \"x\"",
            "logger=app http.path=/a http.n=[1,2]",
        ),
        (Format::Json, r#"{"level":30,"time":1795250000000,"pid":7,"msg":"up","req":{}}"#, "up", "pid=7 req={}"),
        (Format::Json, r#"{"a":1,"b":null}"#, r#"{"a":1,"b":null}"#, "a=1 b=null"),
        (Format::Json, r#"{"msg":"bad \u001b[31mred\u0007 \ud83d\ude00"}"#, "bad red␇ 😀", ""),
        (Format::Json, r#"{"event":"e","message":"m"}"#, "m", "event=e"),
        (Format::Logfmt, r#"ts=1 level=info msg="two \"words\"" took=17ms path=/a"#, "two \"words\"", "took=17ms path=/a"),
        (
            Format::Klog,
            r#"E1121 14:03:22.000001       7 pod.go:12] "Sync failed" pod="a/b" err="x y""#,
            "Sync failed",
            "pid=7 logger=pod.go:12 pod=a/b err=x y",
        ),
        (
            Format::Access,
            r#"10.0.0.1 - ann [21/Nov/2026:14:03:22 +0000] "GET /a?b=1 HTTP/1.1" 502 10 "-" "curl/8" 0.120"#,
            "GET /a?b=1 502",
            "method=GET path=/a?b=1 status=502 bytes=10 agent=curl/8 latency=0.120 ip=10.0.0.1 user=ann protocol=HTTP/1.1",
        ),
        (Format::Redis, "1:M 21 Nov 2026 14:03:22.123 * DB saved on disk", "DB saved on disk", "pid=1 role=master"),
        (
            Format::Postgres,
            "2026-11-21 14:03:22.123 UTC [71] app@lms LOG:  duration: 12.5 ms  statement: SELECT 1",
            "duration: 12.5 ms  statement: SELECT 1",
            "pid=71 user=app database=lms duration_ms=12.5",
        ),
        (
            Format::Log4j,
            "[2026-11-21 14:03:22,123] WARN [Log x-0] Rolled (kafka.log.Log)",
            "Rolled",
            "thread=Log x-0 logger=kafka.log.Log",
        ),
        (
            Format::Syslog,
            "<34>1 2026-11-21T14:03:22Z web-1 sshd 17 - [a@1 x=\"y\"] hello",
            "hello",
            "host=web-1 logger=sshd pid=17 x=y",
        ),
        (Format::Syslog, "Nov 21 14:03:22 web-1 sshd[17]: hello", "hello", "host=web-1 logger=sshd pid=17"),
        (Format::Logger, "2026-11-21 14:03:22,123 - app.db - ERROR - lost user=17", "lost user=17", "logger=app.db user=17"),
        (Format::Logger, "2026-11-21 14:03:22.1  INFO 1 --- [main] c.e.App : up", "up", "pid=1 thread=main logger=c.e.App"),
        (Format::Plain, "a=b only here", "a=b only here", ""),
    ];
    for (format, line, message, fields) in table {
        let parsed = parse_text(*format, line);
        let read: Vec<String> = parsed.fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!((parsed.message.as_ref(), read.join(" ").as_str()), (*message, *fields), "{line}");
    }
}

#[test]
fn every_line_of_the_corpus_can_be_taken_apart() {
    for name in Format::ALL.map(Format::word).into_iter().chain(["traces"]) {
        let lines = lines(name);
        let batch = &batches(&lines, lines.len())[0];
        for index in 0..lines.len() {
            let line = batch.line(index).unwrap();
            let parsed = parse(&line);
            assert!(!parsed.message.is_empty() || line.text.is_empty() || line.text.len() < 200, "{}", line.text);
            assert!(!parsed.message.chars().any(char::is_control));
        }
    }
}

#[test]
fn an_object_is_laid_out_over_lines() {
    let line = r#"{"b":1,"a":{"x":[1,{"y":null}],"e":{},"f":[]},"stack":"Error: x\n\tat f\u0007","path":"C:\\new"}"#;
    let expected = [
        "{",
        "  \"b\": 1,",
        "  \"a\": {",
        "    \"x\": [",
        "      1,",
        "      {",
        "        \"y\": null",
        "      }",
        "    ],",
        "    \"e\": {},",
        "    \"f\": []",
        "  },",
        "  \"stack\": \"Error: x",
        "        at f\\u0007\",",
        "  \"path\": \"C:\\\\new\"",
        "}",
    ];
    assert_eq!(pretty(line).unwrap(), expected);
    for text in ["", "no object", "{\"a\":", "{\"a\":1} and more", "{\"a\" 1}"] {
        assert_eq!(pretty(text), None, "{text}");
    }
}
