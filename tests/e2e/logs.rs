//! `qd logs` behind a pipe, on the demo world: what is picked, what is masked, and how it ends.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{command, lines, run};

#[test]
fn logs_are_data_and_a_closed_pipe_is_a_good_end() {
    let output = run(&["logs", "--demo", "staging/app", "--tail", "5", "-o", "ndjson"]);
    let lines = lines(&output);
    assert!(lines.iter().filter(|l| l["message"].is_string()).count() >= 5, "{lines:?}");
    let times: Vec<&str> = lines.iter().filter_map(|l| l["at"].as_str()).collect();
    assert!(times.is_sorted(), "merged by time: {times:?}");
    let (_home, mut command) = command(&["logs", "--demo", "--speed", "50", "staging", "-f", "--tail", "2"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut some).unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn several_environments_are_merged_and_lines_are_picked() {
    let all = lines(&run(&["logs", "--demo", "local", "staging/app", "--tail", "all", "-o", "ndjson"]));
    let of = |name: &str| all.iter().filter(|l| l["environment"] == name).count();
    assert!(of("local") > 100 && of("staging") > 100 && of("production") == 0);
    let times: Vec<&str> = all.iter().filter_map(|l| l["at"].as_str()).collect();
    assert!(times.is_sorted(), "merged by time");
    // Structured lines come with their message in front and their fields beside it.
    let event = all.iter().find(|l| l["message"] == "answer_sent").expect("a structured line");
    assert!(event["fields"]["latency_ms"].is_number() && event["fields"].get("event").is_none(), "{event}");
    assert_eq!(event["level"], "info");

    let picked = |arguments: &[&str]| {
        let fixed = ["logs", "--demo", "staging/app", "--tail", "all", "-o", "ndjson"];
        lines(&run(&[&fixed, arguments].concat()))
    };
    let slow = picked(&["--filter", "latency_ms>2000 answer_sent"]);
    assert!(!slow.is_empty() && slow.iter().all(|l| l["fields"]["latency_ms"].as_u64() > Some(2000)), "{slow:?}");
    let some = picked(&["--grep", "answer_sent", "--grep", "retrieval", "--exclude", "s-10"]);
    assert!(!some.is_empty() && some.iter().all(|l| l["message"] == "answer_sent" || l["message"] == "retrieval"));
    assert!(some.iter().all(|l| !l.to_string().contains("s-10")));
    let warned = picked(&["--level", "warn"]);
    assert!(!warned.is_empty() && warned.iter().all(|l| l["level"] != "info" && l["level"] != "debug"));
    let until = all.iter().filter(|l| l["environment"] == "staging").nth(200).and_then(|l| l["at"].as_str()).unwrap();
    let old = lines(&run(&["logs", "--demo", "staging/app", "--until", until, "--tail", "5", "-o", "ndjson"]));
    assert!(old.len() >= 5 && old.iter().all(|l| l["at"].as_str() <= Some(until)), "{old:?}");
    let wrong = run(&["logs", "--demo", "local", "--filter", "level>=wran"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--filter: column"));
}

#[test]
fn what_is_printed_behind_a_pipe_has_no_colours_and_names_whose_it_is() {
    let text = |arguments: &[&str]| String::from_utf8(run(&[&["logs", "--demo"], arguments].concat()).stdout).unwrap();
    let several = text(&["local", "staging", "--tail", "2"]);
    assert!(
        !several.contains('\u{1b}') && several.lines().all(|l| l.contains(" local/") || l.contains(" staging/")),
        "{several}"
    );
    assert!(!text(&["local/app_ap", "--tail", "2"]).contains("local/"));
    let raw = text(&["staging/app", "--raw", "--tail", "20"]);
    assert!(raw.lines().any(|l| l.starts_with('{')), "{raw}");
}

#[test]
fn revealing_is_put_on_record_and_refused_where_nothing_may_be_changed() {
    let (home, mut command) = command(&["logs", "--demo", "staging/app", "local", "--tail", "1", "--reveal"]);
    assert!(command.output().unwrap().status.success());
    let journal = std::fs::read_to_string(home.path().join("quarterdeck/audit.jsonl")).unwrap();
    let records: Vec<Value> = journal.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let told: Vec<(&str, &str)> = records.iter().map(|r| (r["kind"].as_str().unwrap(), r["target"].as_str().unwrap())).collect();
    assert_eq!(told, [("reveal", "app"), ("reveal", "all")]);
    let refused = run(&["logs", "--demo", "staging/app", "--reveal", "--read-only"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(refused.stdout.is_empty() && String::from_utf8_lossy(&refused.stderr).contains("read-only"));
}

#[test]
fn an_interrupt_ends_a_followed_log_with_a_whole_document() {
    let (_home, mut command) = command(&["logs", "--demo", "--speed", "50", "staging", "-f", "--tail", "2", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut some = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut some).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let document: Value = serde_json::from_slice(&[&some[..], &rest].concat()).unwrap();
    assert!(document.as_array().is_some_and(|lines| lines.len() >= 2));
}
