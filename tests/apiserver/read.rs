//! Reading: lists and their pages, selectors, watches, and the faults in between.

use std::time::Duration;

use serde_json::{Value, json};

use crate::apiserver::{About, Answer, ApiServer, Pace, World};
use crate::client::{get, open};

fn config(name: &str, tier: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "lms-ai", "labels": { "tier": tier } } })
}

/// Five config maps, a to e, and bookmarks as often as may be.
fn server() -> ApiServer {
    let pace = Pace { bookmark: Duration::from_millis(20), ..Pace::default() };
    let world = ["a", "b", "c", "d", "e"].iter().fold(World::empty().still().pace(pace), |w, n| w.with(config(n, "back")));
    ApiServer::start(world.with(config("f", "front")))
}

const MAPS: &str = "/api/v1/namespaces/lms-ai/configmaps";

fn names(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|i| i["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pages_are_of_one_moment_until_it_is_forgotten() {
    let server = server();
    let first = get(&server, &format!("{MAPS}?limit=2")).json();
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["a".into(), "b".into()], &json!(4)));
    server.remove("configmaps", "lms-ai", "c");
    server.put(config("cc", "back"));
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = get(&server, &format!("{MAPS}?limit=2&continue={token}")).json();
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    server.compact();
    let gone = get(&server, &format!("{MAPS}?limit=2&continue={token}"));
    assert_eq!(gone.code, 410);
    let again = gone.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    assert_eq!(names(&get(&server, &format!("{MAPS}?continue={again}")).json()), ["cc", "d", "e", "f"]);
}

#[test]
fn selectors_choose() {
    let server = server();
    for (query, want) in [
        ("labelSelector=tier%3Dfront", "f"),
        ("labelSelector=tier!%3Dback", "f"),
        ("labelSelector=tier%20in%20(front,x)", "f"),
        ("labelSelector=!tier", ""),
        ("labelSelector=tier,tier%20notin%20(front)", "a b c d e"),
        ("fieldSelector=metadata.name%3Db", "b"),
        ("fieldSelector=metadata.name!%3Db,metadata.namespace%3Dlms-ai", "a c d e f"),
    ] {
        assert_eq!(names(&get(&server, &format!("{MAPS}?{query}")).json()).join(" "), want, "{query}");
    }
}

#[test]
fn a_watch_tells_what_changes_after_its_version() {
    let server = server();
    let version = server.version();
    let mut watch =
        open(&server, "GET", &format!("{MAPS}?watch=true&resourceVersion={version}&labelSelector=tier%3Dback"), &[], "");
    server.put(config("g", "back"));
    server.put(config("h", "front"));
    server.put(config("g", "front"));
    server.put(config("f", "back"));
    server.remove("configmaps", "lms-ai", "f");
    for (kind, name, tier) in [("ADDED", "g", "back"), ("DELETED", "g", "back"), ("ADDED", "f", "back"), ("DELETED", "f", "back")]
    {
        let event = watch.event().unwrap();
        let told = (&event["type"], &event["object"]["metadata"]["name"], &event["object"]["metadata"]["labels"]["tier"]);
        assert_eq!(told, (&json!(kind), &json!(name), &json!(tier)));
        assert_eq!(event["object"]["kind"], "ConfigMap");
    }
}

#[test]
fn a_streaming_list_ends_with_its_bookmark_and_bookmarks_follow() {
    let server = server();
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = open(&server, "GET", &format!("{MAPS}?{query}"), &[], "");
    for name in ["a", "b", "c", "d", "e", "f"] {
        let event = watch.event().unwrap();
        assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!("ADDED"), &json!(name)));
    }
    let end = watch.event().unwrap();
    assert_eq!(
        (&end["type"], &end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"]),
        (&json!("BOOKMARK"), &json!("true"))
    );
    assert_eq!(watch.event().unwrap()["type"], "BOOKMARK");
    server.faults().no_watch_list(true);
    assert_eq!(get(&server, &format!("{MAPS}?{query}")).code, 422);
}

#[test]
fn a_watch_ends_when_its_time_is_over_with_bookmarks_or_without() {
    let server = server();
    let bookmarks = || {
        let query = format!("watch=true&resourceVersion={}&allowWatchBookmarks=true&timeoutSeconds=1", server.version());
        get(&server, &format!("{MAPS}?{query}")).lines().len()
    };
    assert!(bookmarks() > 0);
    server.faults().no_bookmarks(true);
    assert_eq!(bookmarks(), 0);
}

#[test]
fn versions_of_the_past_and_of_the_future() {
    let server = server();
    server.compact();
    let old = get(&server, &format!("{MAPS}?watch=true&resourceVersion=2")).lines();
    assert_eq!((&old[0]["type"], &old[0]["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(get(&server, &format!("{MAPS}?resourceVersion=2&resourceVersionMatch=Exact")).code, 410);
    assert_eq!(get(&server, &format!("{MAPS}?resourceVersion=999999")).code, 504);
    assert_eq!(get(&server, &format!("{MAPS}?resourceVersion=abc")).code, 400);
    let mut open = open(&server, "GET", &format!("{MAPS}?watch=true&resourceVersion={}", server.version()), &[], "");
    server.put(config("g", "back"));
    assert_eq!(open.event().unwrap()["type"], "ADDED");
    server.expire_watches();
    assert_eq!((open.event().unwrap()["object"]["reason"].clone(), open.event()), (json!("Expired"), None));
}

#[test]
fn who_may_not_is_told_so() {
    let server = server();
    let as_user = |token: &str, path: &str| open(&server, "GET", path, &[("Authorization", token)], "").read();
    assert_eq!(as_user("Bearer nope", MAPS).code, 401);
    assert_eq!(as_user("", MAPS).code, 403);
    assert_eq!(as_user("Bearer viewer-token", MAPS).code, 200);
    assert_eq!(as_user("Bearer viewer-token", "/api/v1/nodes").code, 403);
    server.faults().forbid("list", "configmaps");
    assert_eq!(get(&server, MAPS).code, 403);
    server.faults().allow("list", "configmaps");
    assert_eq!(get(&server, MAPS).code, 200);
}

#[test]
fn faults_hold_until_they_are_taken_back() {
    let server = server();
    let faults = server.faults();
    faults.answer(About::path("/configmaps").times(1), Answer::Busy(3));
    let busy = get(&server, MAPS);
    assert_eq!((busy.code, busy.head.to_lowercase().contains("retry-after: 3")), (429, true));
    assert_eq!(get(&server, MAPS).code, 200);
    faults.answer(About::path("/configmaps"), Answer::Broken("no".into()));
    let broken = get(&server, MAPS);
    assert_eq!((broken.code, broken.json()["reason"].is_null()), (500, true));
    faults.heal();
    faults.answer(About::path("").method("GET"), Answer::Plain(503, "service unavailable\n".into()));
    assert_eq!((get(&server, MAPS).code, get(&server, MAPS).text()), (503, "service unavailable\n".into()));
    faults.heal();
    faults.answer(About::path("/configmaps").times(1), Answer::Garbage("<html>".into()));
    assert_eq!(get(&server, MAPS).text(), "<html>");
    faults.halve(About::path("/configmaps").times(1));
    let half = get(&server, MAPS).text();
    assert!(half.starts_with("{\"kind\"") && serde_json::from_str::<Value>(&half).is_err(), "{half}");
    assert_eq!(get(&server, MAPS).json()["kind"], "ConfigMapList");
    let mut watch = open(&server, "GET", &format!("{MAPS}?watch=true&resourceVersion={}", server.version()), &[], "");
    faults.stall(true);
    server.put(config("g", "back"));
    faults.stall(false);
    assert_eq!(watch.event().unwrap()["type"], "ADDED");
    faults.cut();
    assert!(watch.event().is_none());
    assert!(server.asked("watch=true") == 1 && server.requests()[0].user == "lms-admin");
}

#[test]
fn a_large_cluster_changes_at_a_steady_rate() {
    let server = ApiServer::start(World::large(20, 5));
    let pods = get(&server, "/api/v1/namespaces/lms-ai/pods?limit=60").json();
    assert_eq!((pods["items"].as_array().unwrap().len(), &pods["metadata"]["remainingItemCount"]), (60, &json!(40)));
    assert!(pods["items"][0].to_string().len() > 4000, "as long as a real one: {}", pods["items"][0]);
    let version = &pods["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch = open(&server, "GET", &format!("/api/v1/pods?watch=true&resourceVersion={version}"), &[], "");
    let churn = server.churn(1000);
    for _ in 0..200 {
        assert_eq!(watch.event().unwrap()["type"], "MODIFIED");
    }
    assert!(churn.made() >= 200);
}
