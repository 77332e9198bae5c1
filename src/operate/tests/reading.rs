//! Plans and refusals as text, for tables.

use expect_test::Expect;

use crate::operate::plan::Plan;
use crate::operate::request::Request;

use super::drive::{ask, policy};
use super::world::World;

/// A plan as a person reads it.
pub fn text(plan: &Plan) -> String {
    let mut out = format!("{}\n", plan.title);
    for step in &plan.steps {
        let optional = if step.optional { " (tidy)" } else { "" };
        out += &format!("  {}: {}{optional}", step.name, step.call);
        let undo: Vec<String> = step.undo.iter().map(|w| crate::operate::plan::words::name(w, &plan.names).to_string()).collect();
        if !undo.is_empty() {
            out += &format!("   <- {}", undo.join(", "));
        }
        out += "\n";
    }
    for change in &plan.changes {
        out += &format!("  ~ {}: {} => {}\n", change.path, change.before, change.after);
    }
    for warning in &plan.warnings {
        out += &format!("  ! {warning}\n");
    }
    out
}

/// Plans the request, and compares the plan's text or the refusal's sentence.
pub fn check(world: &World, request: &Request, expected: Expect) {
    let said = match ask(world, request, &policy(), "op-1") {
        Ok(plan) => text(&plan),
        Err(refusal) => format!("{refusal}\n"),
    };
    expected.assert_eq(&said);
}
