//! The proof under load: a stack is deployed to, scaled and deployed to wrongly while people read from it, and nobody notices.

use crate::desk::{CAP, Desk, LMS, published, running};
use crate::load::{Load, SLOW};
use crate::real_engine::{real_engine, with_stack_images};

/// Short holds: what is proven does not need long ones.
const BRISK: &str = "[environment.deploy]\nhold = \"1s\"\nhealthy_within = \"30s\"";
const PAGES: &[&str] = &["/courses", "/answers"];

#[test]
fn a_rolling_deploy_loses_no_request() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("roll", LMS);
    let desk = Desk::at(&stack, BRISK);
    let load = Load::start(published(&stack, "frontend", 80), PAGES, SLOW);
    desk.deploy("backend", "qd-test/backend:2").done();
    load.wait("the new version alone", |_| running(&stack, "backend") == ["qd-test/backend:2"; 3]);
    let tally = load.stop("rolling deploy of backend ×3");
    tally.nothing_lost();
    assert!(tally.of("1") > 0 && tally.of("2") > 0, "both versions were seen: {tally}");
}

#[test]
fn scaling_up_and_down_loses_no_request() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("grow", LMS);
    let desk = Desk::at(&stack, BRISK);
    let load = Load::start(published(&stack, "frontend", 80), PAGES, SLOW);
    for replicas in ["5", "3"] {
        desk.change(&["scale", "shop/backend", replicas]).done();
        assert_eq!(stack.ids("backend").len().to_string(), replicas);
    }
    let tally = load.stop("scale backend 3 → 5 → 3");
    tally.nothing_lost();
}

#[test]
fn a_version_that_never_gets_healthy_is_rolled_back_and_loses_no_request() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("sick", LMS);
    let desk = Desk::at(&stack, "[environment.deploy]\nhold = \"1s\"\nhealthy_within = \"6s\"");
    let load = Load::start(published(&stack, "frontend", 80), PAGES, SLOW);
    let before = stack.ids("backend");
    desk.deploy("backend", "qd-test/backend:sick").rolled_back();
    assert_eq!(stack.ids("backend"), before, "the same containers as before");
    let tally = load.stop("deploy of a version that never gets healthy, rolled back");
    tally.nothing_lost();
    assert_eq!(tally.of("sick"), 0, "{tally}");
}

#[test]
fn a_store_is_deployed_one_mode_after_the_other_and_loses_no_request() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("cap", CAP);
    let desk = Desk::at(&stack, BRISK);
    let gateway = published(&stack, "gateway", 80);
    let load = Load::start(gateway, &["/cp/read/k", "/ap/circuit-breaker"], &["/cp/report", "/ap/report"]);
    for app in ["app_cp", "app_ap"] {
        desk.deploy(app, "qd-test/backend:2").done();
        assert_eq!(running(&stack, app), ["qd-test/backend:2"]);
    }
    let tally = load.stop("deploy of app_cp, then app_ap, one replica each");
    tally.nothing_lost();
}
