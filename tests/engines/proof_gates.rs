//! A version that looks well and answers wrongly, under load: a gate finds it out, and no request ever meets it.

use crate::desk::{BY_NAME, Desk, LMS, published};
use crate::load::{Load, SLOW};
use crate::real_engine::{real_engine, with_stack_images};

/// What a gate looks at is not what the containers' own health check looks at: that one is content.
#[test]
fn a_version_that_answers_500_fails_its_gate_and_no_request_meets_it() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("bad", LMS);
    let smoke = format!(
        "for id in $(docker ps -q --filter ancestor=$QD_IMAGE --filter label=com.docker.compose.project={}); do \
         docker exec $id wget -q -O /dev/null http://127.0.0.1:3000/courses || exit 1; done",
        stack.project
    );
    let gates = [
        ("500", "probe = \"courses\", within = \"3s\"".to_owned()),
        ("ai_error_ratio: it is", "metric = \"ai_error_ratio\", below = 0.05, within = \"3s\"".to_owned()),
        ("500 Internal Server Error", format!("command = [\"sh\", \"-c\", '''{smoke}''']")),
    ];
    let load = Load::start(published(&stack, "frontend", 80), &["/courses", "/answers", "POST /progress"], SLOW);
    let before = stack.ids("backend");
    for (why, gate) in gates {
        let more = BY_NAME.replace("probe = \"courses\", within = \"10s\"", &gate)
            + "\n[[environment.scrape]]\nworkload = \"backend\"\nport = 3000\npath = \"/metrics\"\n";
        let ran = Desk::at(&stack, &more).deploy("backend", "qd-test/backend:failing");
        ran.rolled_back();
        assert!(ran.outcome().contains(why), "the gate says what it saw: {}", ran.outcome());
        assert_eq!(stack.ids("backend"), before, "the same containers as before");
    }
    let tally = load.stop("blue-green deploy of a version that answers 500, taken back by its gate, three times");
    tally.nothing_lost();
    assert_eq!(tally.of("failing"), 0, "{tally}");
}
