//! The plan in words, and the guard's question to a person at a terminal.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::operate::Plan;
use crate::operate::guard::Question;

use super::super::output::say;
use super::super::{Exit, Failure, Result};

/// The plan as a person reads it.
pub(super) fn words(plan: &Plan) -> String {
    let mut text = format!("{}\n{} · guard {}\n", plan.title, plan.endpoint, plan.guard);
    for change in &plan.changes {
        let _ = writeln!(text, "  {}  {} → {}", change.path, change.before, change.after);
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "  ! {warning}");
    }
    for (number, (name, call)) in plan.calls().iter().enumerate() {
        let _ = writeln!(text, "  {:>2} {name}   {call}", number + 1);
    }
    text
}

/// Asks on standard error and reads the answer from standard input; `None` when there is nobody to ask. A no comes back
/// as what was typed.
pub(super) fn person(plan: &Plan, question: &Question) -> Option<String> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    say(words(plan).trim_end());
    let prompt = match question {
        Question::Yes => "Start it? [y/N] ".to_owned(),
        Question::Type(name) => format!("Type {name} to start, anything else to leave: "),
    };
    line(&prompt)
}

/// Asks a person at the terminal for everything the plan wants a person to say and no flag has said.
///
/// # Errors
/// A refusal: nobody is there to say it, or somebody says no.
pub(super) fn unticked(plan: &Plan, ticked: &mut BTreeSet<Arc<str>>) -> Result<()> {
    for text in plan.asked() {
        if ticked.contains(text) {
            continue;
        }
        let refused = |why: String| Failure { exit: Exit::Refused, text: why };
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(refused(format!("a person must say first that this is so: {text} (--tick '{text}', or --tick all)")));
        }
        let said = line(&format!("{text} [y/N] ")).unwrap_or_default();
        if !matches!(said.as_str(), "y" | "Y" | "yes" | "Yes") {
            return Err(refused(format!("nobody says that this is so: {text}; nothing was changed")));
        }
        ticked.insert(text.clone());
    }
    Ok(())
}

/// A line from the terminal after a prompt on standard error.
fn line(prompt: &str) -> Option<String> {
    let mut terminal = io::stderr().lock();
    drop(terminal.write_all(prompt.as_bytes()).and_then(|()| terminal.flush()));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}
