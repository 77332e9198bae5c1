//! What the server says when it cannot, held to what a real one (1.36) said to the same request: code and body, word for word
//! but for numbers of versions and names that are made anew. Each entry of `recorded/refusals.json` names its recording.

use serde_json::{Value, json};

use crate::apiserver::{ApiServer, World, deployment};
use crate::client::{Answered, get, open, send};
use crate::held::differences;

const BACKEND: &str = "/apis/apps/v1/namespaces/lms-ai/deployments/lms-ai-backend";

fn pod(server: &ApiServer, stem: &str) -> String {
    let names = server
        .pods("lms-ai")
        .into_iter()
        .filter(|p| !p["spec"]["nodeName"].is_null() && p["metadata"]["deletionTimestamp"].is_null());
    let mut names = names.map(|p| p["metadata"]["name"].as_str().unwrap().to_owned());
    names.find(|n| n.starts_with(stem)).unwrap()
}

/// Numbers of versions and pages, which are another each time.
fn masked(value: &Value, names: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) if text.starts_with("eyJ") => json!("a token"),
        Value::String(text) => {
            let text = names.iter().fold(text.clone(), |text, (name, mask)| text.replace(name, mask));
            let mut said = String::new();
            let mut digits = String::new();
            for c in text.chars().chain(['\0']) {
                if c.is_ascii_digit() {
                    digits.push(c);
                    continue;
                }
                said.push_str(if digits.len() > 2 { "###" } else { &digits });
                digits.clear();
                said.push(c);
            }
            json!(said.trim_end_matches(['\0', '\n']))
        }
        Value::Array(items) => items.iter().map(|i| masked(i, names)).collect(),
        Value::Object(fields) => Value::Object(fields.iter().map(|(k, v)| (k.clone(), masked(v, names))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Does what has to be done before a request, and sends it.
fn ask(server: &ApiServer, case: &Value, names: &[(&str, String)]) -> Answered {
    let text = |name: &str| {
        names.iter().fold(case[name].as_str().unwrap().to_owned(), |t, (from, to)| t.replace(&format!("{{{from}}}"), to))
    };
    let mut body = text("body");
    match body.as_str() {
        "stale" => {
            body = get(server, BACKEND).json().to_string();
            send(
                server,
                "PATCH",
                BACKEND,
                "application/merge-patch+json",
                &json!({ "metadata": { "annotations": { "a": "b" } } }),
            );
        }
        "kubelet down" => server.node_ready("node-1", false),
        "metrics down" => server.faults().no_metrics(true),
        _ => {}
    }
    let headers: Vec<(&str, &str)> =
        case["headers"].as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
    let headers: Vec<(&str, &str)> =
        headers.into_iter().map(|(k, v)| (k, if v == "viewer" { "Bearer viewer-token" } else { v })).collect();
    let sent = if body.ends_with("down") { "" } else { &body };
    let answer = open(server, case["method"].as_str().unwrap(), &text("path"), &headers, sent).read();
    server.node_ready("node-1", true);
    server.faults().no_metrics(false);
    answer
}

#[test]
fn refusals_are_word_for_word_those_recorded() {
    let server = ApiServer::start(World::lms());
    server.settle();
    server.create(deployment("missing", "registry.invalid/lms/ai-backend:9.9.9", 1));
    server.wait("the pull to fail", |s| s.pods("lms-ai").iter().any(|p| p.to_string().contains("ImagePullBackOff")));
    let page = get(&server, "/api/v1/namespaces/lms-ai/pods?limit=3").json()["metadata"]["continue"].as_str().unwrap().to_owned();
    let names = [("log-agent", pod(&server, "log-agent")), ("missing", pod(&server, "missing")), ("continue", page)];
    server.compact();
    server.change("nodes", "", "node-1", |node| node["spec"]["unschedulable"] = json!(true));
    let recorded: Vec<Value> = serde_json::from_str(include_str!("recorded/refusals.json")).unwrap();
    let mut findings = Vec::new();
    for case in &recorded {
        let mut names = names.to_vec();
        names.push(("backend", pod(&server, "lms-ai-backend")));
        let answer = ask(&server, case, &names);
        let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
        let known = [("log-agent-bgj6k", "AGENT"), ("lms-ai-backend-5c5b595574-vht5z", "MISSING")];
        let made = [(names[0].1.as_str(), "AGENT"), (names[1].1.as_str(), "MISSING")];
        let (theirs, ours) = (masked(&case["answer"], &known), masked(&body, &made));
        if (&theirs, &case["code"]) != (&ours, &json!(answer.code)) {
            findings.push(format!("{}: {}\n    recorded {theirs}\n    here     {ours}", case["name"], answer.code));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// Held to `recorded/streams.json`: the end of a streaming list, a watch from a version that is gone, and bookmarks.
#[test]
fn streams_speak_as_recorded() {
    let recorded: Value = serde_json::from_str(include_str!("recorded/streams.json")).unwrap();
    let pace = crate::apiserver::Pace { bookmark: std::time::Duration::from_millis(20), ..crate::apiserver::Pace::default() };
    let server = ApiServer::start(World::empty().pace(pace));
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5";
    let end = open(&server, "GET", &format!("/api/v1/namespaces/lms-ai/pods?{query}"), &[], "").event().unwrap();
    assert_eq!(differences(&recorded["streaming-list"]["lines"][0], &end, &[]), Vec::<String>::new());
    for bookmark in recorded["bookmarks"]["lines"].as_array().unwrap() {
        let path = match bookmark["object"]["kind"].as_str().unwrap() {
            "Pod" => "/api/v1/pods",
            "Node" => "/api/v1/nodes",
            "Deployment" => "/apis/apps/v1/deployments",
            "ReplicaSet" => "/apis/apps/v1/replicasets",
            other => panic!("a bookmark of a {other}"),
        };
        let version = server.version();
        let told =
            open(&server, "GET", &format!("{path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}"), &[], "")
                .event();
        assert_eq!(masked(&told.unwrap(), &[])["object"]["spec"], bookmark["object"]["spec"]);
    }
    server.compact();
    let gone = get(&server, "/api/v1/namespaces/lms-ai/pods?watch=true&resourceVersion=1").lines();
    assert_eq!(differences(&recorded["expired"]["lines"][0], &gone[0], &[]), Vec::<String>::new());
    assert_eq!(gone[0]["object"]["message"], json!(format!("too old resource version: 1 ({})", server.version())));
}
