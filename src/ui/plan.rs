//! A plan as it is read before anything happens: the same lines on the console and from `--plan`.

use std::fmt::Write as _;

use ratatui::text::{Line, Span};

use crate::app::state::Previews;
use crate::model::{Guard, Tier};
use crate::operate::plan::{Change, Gate, Plan, Step, Work};
use crate::operate::policy::OnFailure;
use crate::theme::{Role, Theme};

use super::widget::text::{cells, wrap};

/// Column the contents of a section begin in.
const INDENT: u16 = 11;
/// A step's name takes no more of the line than this.
const NAME: u16 = 34;

/// A run of text and what it is for.
pub struct Part {
    pub text: String,
    pub role: Role,
}

/// The plan's lines, broken to `width`: title and target, what to know first, what changes, every call, what if not.
#[must_use]
pub fn parts(plan: &Plan, ahead: &Previews, environment: &str, tier: Tier, width: u16) -> Vec<Vec<Part>> {
    lay(plan, ahead, environment, tier, width).lines
}

fn lay(plan: &Plan, ahead: &Previews, environment: &str, tier: Tier, width: u16) -> Sections {
    let mut page = Sections { lines: Vec::new(), starts: vec![0], width };
    page.lines.push(vec![part(&headline(&plan.title), Role::Strong)]);
    page.section("on", Role::Text, &format!("{environment} ({tier})  {}", plan.endpoint));
    for warning in &plan.warnings {
        page.section("take care", Role::Warn, warning);
    }
    for (at, change) in plan.changes.iter().enumerate() {
        page.change(if at == 0 { "changes" } else { "" }, change);
    }
    page.lines.push(Vec::new());
    let name = plan.steps.iter().map(|s| cells(&s.name)).max().unwrap_or(0).min(NAME);
    let before = plan.before();
    for (at, step) in plan.steps.iter().enumerate() {
        let section = match at {
            0 if before > 0 => "before",
            _ if at == before => "then",
            _ => "",
        };
        let mark = if at < before { mark(plan, step, ahead.get(&at)) } else { number(at - before + 1) };
        let call = match (ahead.get(&at), &step.work) {
            (Some((_, words)), _) => words.to_string(),
            (None, Work::Await(Gate::Person { .. })) => "space says that it is so".to_owned(),
            (None, Work::Await(gate)) if step.call.is_empty() => super::details::waits(gate),
            (None, Work::Act(_) | Work::Await(_)) => step.call.to_string(),
        };
        let role = if ahead.get(&at).is_some_and(|(well, _)| !well) { Role::Bad } else { Role::Dim };
        page.step(section, mark, (&step.name, name), (&call, role));
    }
    page.lines.push(Vec::new());
    page.section("if not", Role::Text, otherwise(plan));
    page
}

/// The line a thing of the plan begins on: the title, the target, each warning, change and step, and what if not. A plan
/// is scrolled by these, however many lines they take.
#[must_use]
pub fn line_of(plan: &Plan, ahead: &Previews, environment: &str, tier: Tier, width: u16, thing: usize) -> usize {
    let page = lay(plan, ahead, environment, tier, width);
    page.starts.get(thing).or(page.starts.last()).copied().unwrap_or(0)
}

/// Cells of a line of the plan on a screen of this width.
#[must_use]
pub fn inner_width(screen_width: u16) -> u16 {
    screen_width.min(130).saturating_sub(4)
}

/// The plan as styled lines.
#[must_use]
pub fn plan_lines(plan: &Plan, environment: &str, tier: Tier, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let line =
        |parts: Vec<Part>| Line::from(parts.into_iter().map(|p| Span::styled(p.text, theme.style(p.role))).collect::<Vec<_>>());
    parts(plan, &Previews::new(), environment, tier, width).into_iter().map(line).collect()
}

/// The plan as plain text, every line ended, with what its guard asks at the end.
#[must_use]
pub fn plan_text(plan: &Plan, environment: &str, tier: Tier, width: u16) -> String {
    let mut out = String::new();
    for line in parts(plan, &Previews::new(), environment, tier, width) {
        let text: String = line.iter().map(|p| p.text.as_str()).collect();
        out.push_str(text.trim_end());
        out.push('\n');
    }
    let asks = match plan.guard {
        Guard::Open if !plan.destructive => "nothing".to_owned(),
        Guard::Open | Guard::Confirm => "--yes".to_owned(),
        Guard::Type => format!("--confirm {environment}"),
        Guard::ReadOnly => "refused: this environment is read-only".to_owned(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{:<width$}{asks}", "guard", width = usize::from(INDENT));
    out
}

/// The title with its verb in capitals: `DEPLOY backend 1.4.2 → 1.5.0`.
fn headline(title: &str) -> String {
    match title.split_once(' ') {
        Some((verb, rest)) => format!("{} {rest}", verb.to_uppercase()),
        None => title.to_uppercase(),
    }
}

/// The number of a step.
fn number(number: usize) -> Part {
    part(&format!("{number:>2} "), Role::Dim)
}

/// How a check before stands: looked at, being looked at, to be said by a person.
fn mark(plan: &Plan, step: &Step, ahead: Option<&(bool, std::sync::Arc<str>)>) -> Part {
    match (&step.work, ahead) {
        (Work::Await(Gate::Person { text }), _) if plan.confirmed.contains(text) => part(" ☑ ", Role::Good),
        (Work::Await(Gate::Person { .. }), _) => part(" ☐ ", Role::Warn),
        (_, Some((true, _))) => part(" ✔ ", Role::Good),
        (_, Some((false, _))) => part(" ✖ ", Role::Bad),
        (_, None) => part(" ○ ", Role::Dim),
    }
}

/// What happens when a step fails.
fn otherwise(plan: &Plan) -> &'static str {
    let undone = plan.steps.iter().any(|s| !s.undo.is_empty());
    match plan.on_failure {
        OnFailure::Auto | OnFailure::Ask if !undone => "stop and say so; nothing of this needs undoing",
        OnFailure::Auto => "go back by itself: every step begun is undone, the last one first",
        OnFailure::Ask => "stop and ask whether to go back",
        OnFailure::Never => "stop and leave everything as it is then",
    }
}

fn part(text: &str, role: Role) -> Part {
    Part { text: crate::observe::text::clean(text).into_owned(), role }
}

struct Sections {
    lines: Vec<Vec<Part>>,
    /// The lines things begin on.
    starts: Vec<usize>,
    width: u16,
}

impl Sections {
    /// Begins a line with a section's name, or with as many blanks.
    fn begin(&mut self, name: &str) -> &mut Vec<Part> {
        let lead = format!("{name:<width$}", width = usize::from(INDENT));
        self.lines.push(vec![Part { text: lead, role: Role::Dim }]);
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn room(&self, from: u16) -> usize {
        usize::from(self.width.saturating_sub(from).max(16))
    }

    fn section(&mut self, name: &str, role: Role, text: &str) {
        self.starts.push(self.lines.len());
        let text = crate::observe::text::clean(text);
        let room = self.room(INDENT);
        for (at, piece) in wrap(&text, room, 6).into_iter().enumerate() {
            self.begin(if at == 0 { name } else { "" }).push(part(piece, role));
        }
    }

    fn change(&mut self, name: &str, change: &Change) {
        self.starts.push(self.lines.len());
        let whole = format!("{}  {} → {}", change.path, change.before, change.after);
        if usize::from(cells(&whole)) <= self.room(INDENT) {
            self.begin(name).extend([
                part(&format!("{}  ", change.path), Role::Text),
                part(&change.before, Role::Dim),
                part(" → ", Role::Dim),
                part(&change.after, Role::Strong),
            ]);
            return;
        }
        self.begin(name).push(part(&change.path, Role::Text));
        for (sign, text, role) in [("- ", &change.before, Role::Dim), ("+ ", &change.after, Role::Strong)] {
            let text = crate::observe::text::clean(text);
            let room = self.room(INDENT + 4);
            for (at, piece) in wrap(&text, room, 4).into_iter().enumerate() {
                self.begin("").extend([
                    part(if at == 0 { "  " } else { "    " }, role),
                    part(if at == 0 { sign } else { "" }, role),
                    part(piece, role),
                ]);
            }
        }
    }

    fn step(&mut self, name: &str, mark: Part, (step, wide): (&str, u16), (call, role): (&str, Role)) {
        self.starts.push(self.lines.len());
        let pad = wide.saturating_sub(cells(step));
        let from = INDENT + 3 + wide + 2;
        // A call that does not fit beside its step goes below it.
        let beside = usize::from(cells(call)) <= usize::from(self.width.saturating_sub(from));
        let line = self.begin(name);
        line.extend([mark, part(step, Role::Text)]);
        if beside {
            line.extend([part(&" ".repeat(usize::from(pad) + 2), Role::Dim), part(call, role)]);
            return;
        }
        let call = crate::observe::text::clean(call);
        let room = self.room(INDENT + 5);
        for piece in wrap(&call, room, 4) {
            self.begin("").push(part(&format!("     {piece}"), role));
        }
    }
}
