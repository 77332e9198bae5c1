//! Autoscaling on a real stack: the engine's own figures, a policy that acts, its numbers on record; a lock stops it.

use crate::desk::Desk;
use crate::real_engine::real_engine;

/// Whatever a container uses is more than nothing: there is always a reason to scale.
fn policy(mode: &str) -> String {
    format!(
        "[[environment.autoscale]]\nworkload = \"cache\"\nmetric = \"memory\"\nabove = -1.0\nfor = \"1s\"\nmin = 1\nmax = 2\ncooldown = \"5m\"\nmode = \"{mode}\""
    )
}

fn told(desk: &Desk, seconds: &str) -> Vec<String> {
    let ran = desk.qd(&["autoscale", "shop", "--for", seconds, "-o", "ndjson"]);
    assert_eq!(ran.code, Some(0), "{}", ran.told);
    ran.lines.iter().map(|l| format!("{}: {}", l["what"].as_str().unwrap(), l["detail"].as_str().unwrap())).collect()
}

#[test]
fn a_policy_recommends_then_acts_and_stops_at_a_lock() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("more");
    let desk = Desk::at(&stack, &policy("recommend"));
    let lines = told(&desk, "6s");
    assert!(lines.iter().any(|l| l.starts_with("reading: memory 0.")), "{lines:?}");
    assert!(lines.iter().any(|l| l.contains("1 → 2 (recommended)")), "{lines:?}");
    assert_eq!(stack.ids("cache").len(), 1);
    let desk = Desk::at(&stack, &policy("act"));
    desk.qd(&["lock", "shop", "--why", "maintenance", "--yes"]);
    let lines = told(&desk, "6s");
    assert!(lines.iter().any(|l| l.contains("not done: locked by")), "{lines:?}");
    assert_eq!(stack.ids("cache").len(), 1);
    desk.qd(&["unlock", "shop", "--yes"]);
    let lines = told(&desk, "10s");
    assert!(lines.iter().any(|l| l.starts_with("autoscale: memory ") && l.ends_with("for 1 s: 1 → 2")), "{lines:?}");
    assert!(lines.iter().any(|l| l.starts_with("done: create cache-2")), "{lines:?}");
    assert_eq!(stack.ids("cache").len(), 2);
    let audit = desk.qd(&["audit", "-o", "ndjson"]);
    assert!(audit.lines.iter().any(|l| l["kind"] == "scale" && l["outcome"] == "done"), "{:?}", audit.lines);
}
