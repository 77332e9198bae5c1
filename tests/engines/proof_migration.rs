//! A migration that fails, and one that works, under load: nothing is switched by the first, and nobody notices either.

use crate::desk::{Desk, LMS, published, running};
use crate::load::{Load, SLOW};
use crate::real_engine::{real_engine, with_stack_images};

/// What the operation's own record says a command printed.
fn printed(desk: &Desk, step: &str) -> String {
    let audit = desk.qd(&["audit", "-o", "ndjson"]);
    let texts: Vec<&str> =
        audit.lines.iter().filter(|l| l["plan"].is_null()).filter_map(|l| l["step"]["output"].as_str()).collect();
    assert!(!texts.is_empty(), "{step} left no output: {:?}", audit.lines);
    texts.join("\n")
}

#[test]
fn a_migration_that_fails_switches_nothing_and_one_that_works_is_on_record() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.stack_of("move", LMS);
    let more = "migrate = { exec = [\"/bin/migrate\"], timeout = \"30s\" }";
    let config = format!("[environment.deploy]\nhold = \"1s\"\nhealthy_within = \"30s\"\n{more}");
    let load = Load::start(published(&stack, "frontend", 80), &["/courses", "/answers"], SLOW);
    let before = stack.ids("backend");
    let desk = Desk::at(&stack, &config);
    let ran = desk.deploy("backend", "qd-test/backend:unmigrated");
    assert!(matches!(ran.code, Some(1 | 5)), "{ran:?}");
    assert!(ran.outcome().contains("ended with 1"), "{}", ran.outcome());
    assert_eq!(stack.ids("backend"), before, "the same containers as before, and nothing beside them");
    assert!(printed(&desk, "the migration").contains("has no column"));
    let tally = load.so_far();
    assert_eq!(tally.of("unmigrated"), 0, "{tally}");
    let desk = Desk::at(&stack, &config);
    desk.deploy("backend", "qd-test/backend:2").done();
    assert_eq!(running(&stack, "backend"), ["qd-test/backend:2"; 3]);
    assert!(printed(&desk, "the migration").contains("migrated to 2"));
    load.stop("deploy whose migration fails, then one whose migration works").nothing_lost();
}
