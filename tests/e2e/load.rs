//! `qd load` from the outside, on a server of this process; and the hygiene in `qd doctor`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::command::{command, lines, run};

/// A web server that keeps connections and answers `ok`; its address.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                drop(stream.set_nodelay(true));
                let mut writer = stream.try_clone().unwrap();
                // An empty line ends a request.
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if line.is_empty() && writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// `qd` with these arguments where a configuration says this of its environment.
fn with(environment: &str, arguments: &[&str]) -> (tempfile::TempDir, Output) {
    let (home, mut command) = command(arguments);
    let text = format!("[[environment]]\nname = \"cap\"\nengine = \"demo\"\nproject = \"local\"\n{environment}\n");
    std::fs::write(home.path().join("quarterdeck.toml"), text).unwrap();
    let output = command.output().unwrap();
    (home, output)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_load_test_is_told_as_it_goes_and_is_on_record() {
    let url = server();
    let load = format!("tier = \"local\"\n[environment.load]\nallowed = true\ntargets = [\"{url}\"]");
    let (home, output) = with(&load, &["load", "cap", "--rate", "100", "--users", "4", "--duration", "2s", "-o", "ndjson"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let lines = lines(&output);
    let last = lines.last().unwrap();
    assert_eq!((&last["outcome"], &last["kind"]), (&"done".into(), &"load".into()));
    assert_eq!((last["load"]["sent"].as_u64(), last["load"]["answered"].as_u64()), (Some(200), Some(200)));
    assert!(last["load"]["latency"]["p99_us"].as_u64() > Some(0), "{last}");
    assert!(lines.iter().any(|line| line["load"]["elapsed_ms"].is_u64() && line["outcome"].is_null()), "{lines:?}");
    let journal = std::fs::read_to_string(home.path().join("quarterdeck/audit.jsonl")).unwrap();
    let step: Value = serde_json::from_str(journal.lines().find(|l| l.contains(r#""phase":"step""#)).unwrap()).unwrap();
    assert_eq!(step["step"]["load"]["sent"].as_u64(), Some(200));
}

#[test]
fn a_load_test_is_refused_where_nobody_allowed_it_and_asks_as_the_guard_wants() {
    let url = server();
    let allowed = format!("[environment.load]\nallowed = true\ntargets = [\"{url}\"]");
    let production = format!("tier = \"production\"\n{allowed}");
    for (environment, arguments, code, part) in [
        ("tier = \"production\"", vec!["load", "cap", "--url", &url], 4, "the configuration does not allow it"),
        (&*production, vec!["load", "cap"], 4, "wants the environment's name typed"),
        (&*production, vec!["load", "cap", "--url", "http://127.0.0.2:1/", "--confirm", "cap"], 4, "neither one of its targets"),
        (&*production, vec!["load", "cap", "--users", "9000", "--confirm", "cap"], 2, "at most 5000 users"),
        (&*production, vec!["load", "cap", "--read-only", "--confirm", "cap"], 4, "--read-only"),
    ] {
        let (_home, output) = with(environment, &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(part), "{arguments:?}: {}", said(&output));
    }
    let (_home, output) = with(&production, &["load", "cap", "--scenario", "100", "--plan", "-o", "json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["operation"], "load");
    assert!(plan["steps"][0]["call"].as_str().unwrap().contains("100 users for 30 s, 5 s of it ramp"), "{plan}");
}

#[test]
fn an_interrupt_ends_a_load_test_with_what_it_has() {
    let url = server();
    let (home, mut command) = command(&["load", "cap", "--users", "2", "--think", "50ms", "--duration", "10m", "-o", "ndjson"]);
    let text = format!(
        "[[environment]]\nname = \"cap\"\nengine = \"demo\"\nproject = \"local\"\ntier = \"local\"\n[environment.load]\nallowed = true\ntargets = [\"{url}\"]\n"
    );
    std::fs::write(home.path().join("quarterdeck.toml"), text).unwrap();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    while !told.next().expect("it goes on").unwrap().contains("elapsed_ms") {}
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<Value> = told.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let last = rest.last().unwrap();
    assert_eq!((&last["outcome"], &last["load"]["end"]), (&"failed".into(), &"stopped".into()));
    assert!(last["load"]["answered"].as_u64() > Some(0), "{last}");
}

#[test]
fn doctor_tells_the_hygiene_of_what_is_shown() {
    let output = run(&["doctor", "--demo", "-e", "production", "-o", "json"]);
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let find = |check: &str| rows.iter().find(|row| row["check"] == check);
    let plain = find("secrets in plain env in production/backend").unwrap_or_else(|| panic!("{rows:#?}"));
    assert_eq!(plain["state"], "warn");
    assert!(plain["detail"].as_str().unwrap().contains("JWT_SECRET"), "{plain}");
    assert!(plain["hint"].as_str().unwrap().contains("secretKeyRef"), "{plain}");
    assert!(rows.iter().any(|row| row["check"] == "hygiene of production" && row["state"] == "ok"), "{rows:#?}");
    assert!(!rows.iter().any(|row| row["check"].as_str().unwrap().contains("staging")), "only what is named");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("p4ss"), "no value is ever told");
}
