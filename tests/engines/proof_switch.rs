//! Blue-green under load: people read and write all the time while the traffic goes from blue to green and back, and
//! nobody notices. A green that fails a gate never gets a request.

use crate::desk::{BY_NAME, Desk, LMS, published, running};
use crate::load::{Load, SLOW};
use crate::real_engine::{Stack, real_engine, with_stack_images};

/// By a file the proxy reads: it names green, and blue is stopped when nobody uses it any more.
const BY_PROXY: &str = r#"
[environment.deploy]
strategy = "blue-green"
hold = "1s"
healthy_within = "30s"
drain = "3s"

[environment.deploy.switch]
proxy = "frontend"
file = "/etc/nginx/upstreams/backend.conf"
text = """
upstream pool {
{servers}
}
map "" $backend { default pool; }
"""
server = "    server {instance}:3000;"
test = ["nginx", "-t", "-c", "/etc/nginx/frontend.conf"]
reload = ["nginx", "-s", "reload", "-c", "/etc/nginx/frontend.conf"]
"#;

/// Deploys, and goes back to what was kept: the very containers.
fn there_and_back(stack: &Stack<'_>, desk: &Desk, load: &Load) {
    let blue = stack.ids("backend");
    desk.deploy("backend", "qd-test/backend:2").done();
    assert_eq!(running(stack, "backend"), ["qd-test/backend:2"; 3]);
    let before = load.so_far().of("2");
    load.wait("the new version", |tally| tally.of("2") > before + 50);
    desk.change(&["rollback", "shop/backend"]).done();
    assert_eq!(running(stack, "backend"), ["qd-test/backend:1"; 3]);
    let kept = stack.ids("backend");
    assert!(blue.iter().all(|id| kept.contains(id)), "what was kept runs again: {blue:?}, {kept:?}");
}

#[test]
fn a_switch_by_name_loses_no_request() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("name", LMS);
    let desk = Desk::at(&stack, BY_NAME);
    let load = Load::start(published(&stack, "frontend", 80), &["/courses", "/answers"], SLOW);
    there_and_back(&stack, &desk, &load);
    load.stop("blue-green switch of backend ×3 by network name, and back").nothing_lost();
}

#[test]
fn a_switch_by_the_proxy_loses_no_request_and_no_post() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("file", LMS);
    let desk = Desk::at(&stack, BY_PROXY);
    let load = Load::start(published(&stack, "frontend", 80), &["/courses", "/answers", "POST /progress"], SLOW);
    there_and_back(&stack, &desk, &load);
    load.stop("blue-green switch of backend ×3 by a proxy's file, and back, writes too").nothing_lost();
}
