//! An operation step by step: under way, with what it waits for, or as it went.

use jiff::Timestamp;
use ratatui::style::Style;

use crate::app::format::{clock, seconds_since};
use crate::app::state::Past;
use crate::observe::load::Figures;
use crate::operate::audit::{Phase as Told, Record};
use crate::operate::machine::{Machine, Outcome, Phase, StepProgress, StepState};
use crate::operate::plan::{Gate, Work};
use crate::theme::Role;

use super::super::format::elapsed;
use super::super::scene::Scene;
use super::super::widget::Page;
use super::super::widget::spark::{bar, spark};
use super::super::widget::text::cells;

/// Lines shown of what a command printed; the journal keeps it whole.
const OUTPUT: usize = 8;

/// The symbol and style of a step's state.
fn mark(scene: &Scene<'_>, state: StepState) -> (&'static str, Style) {
    match state {
        StepState::Waiting => ("○", scene.style(Role::Dim)),
        StepState::Running => ("●", scene.style(Role::Accent)),
        StepState::Done => ("✔", scene.style(Role::Good)),
        StepState::Failed => ("✖", scene.style(Role::Bad)),
        StepState::Skipped => ("–", scene.style(Role::Dim)),
        StepState::Undone => ("↶", scene.style(Role::Warn)),
    }
}

pub fn running(scene: &Scene<'_>, machine: &Machine, (width, height): (u16, u16), page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let total = machine.plan.steps.len();
    let done = machine.progress.iter().filter(|p| matches!(p.state, StepState::Done | StepState::Skipped)).count();
    let part = if total == 0 { 0.0 } else { done as f64 / total as f64 };
    page.line().add(bar(part, 20), scene.style(Role::Accent)).add(format!("  {done} of {total} steps"), text);
    let until = machine.ended.unwrap_or(scene.state.now);
    page.add(format!("  {} elapsed{}", elapsed(since(until, machine.began)), to_go(scene, machine)), dim);
    page.add(format!("  {}", phase(&machine.phase)), scene.style(Role::Strong));
    let name = machine.plan.steps.iter().map(|s| cells(&s.name)).max().unwrap_or(0).clamp(12, 40) + 2;
    // All of it where there is room, else from a little before the step it is at.
    let room = usize::from(height).saturating_sub(2 + machine.undo_progress.len());
    let first = current(machine).saturating_sub(2).min(total.saturating_sub(room));
    if !machine.detail.is_empty() {
        page.wrapped(&machine.detail, scene.style(Role::Warn), 0, width, 4);
    }
    // Going back, the way back is what matters.
    for undo in &machine.undo_progress {
        step_line(scene, &undo.name, None, &undo.progress, name, page);
    }
    for (step, progress) in machine.plan.steps.iter().zip(&machine.progress).skip(first) {
        let gate = match &step.work {
            Work::Await(gate) => Some(gate),
            Work::Act(_) => None,
        };
        step_line(scene, &step.name, gate, progress, name, page);
        if let Some(load) = &progress.load {
            figures(scene, load, page);
        }
        if let (StepState::Failed | StepState::Running, Some(printed)) = (progress.state, &progress.output) {
            output(scene, printed, width, page);
        }
    }
    for warning in &machine.plan.warnings {
        page.wrapped(warning, scene.style(Role::Warn), 0, width, 2);
    }
}

fn step_line(scene: &Scene<'_>, step: &str, gate: Option<&Gate>, progress: &StepProgress, name: u16, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let (symbol, style) = mark(scene, progress.state);
    page.line().add(format!("{symbol} "), style);
    page.column(step, if progress.state == StepState::Waiting { dim } else { text }, name + 2);
    page.column(&took(scene.state.now, progress), dim, name + 12);
    if !progress.readings.is_empty() {
        page.add(format!("{} ", spark(&progress.readings, 8, 0.0)), scene.style(Role::Accent));
    }
    match gate {
        Some(gate) if progress.detail.is_empty() => page.add(waits(gate), dim),
        Some(_) | None => {
            page.add(progress.detail.as_ref(), if progress.state == StepState::Failed { scene.style(Role::Bad) } else { dim })
        }
    };
}

/// How long it will still take, as far as those before tell.
fn to_go(scene: &Scene<'_>, machine: &Machine) -> String {
    let forward = matches!(machine.phase, Phase::Locking | Phase::Running(_));
    let Some(usual) = scene.state.usual_ms(machine).filter(|_| forward) else { return String::new() };
    let usual = i64::try_from(usual / 1000).unwrap_or(i64::MAX);
    match usual - since(scene.state.now, machine.began) {
        left if left > 0 => format!(", about {} to go", elapsed(left)),
        _ => format!(", longer than the usual {}", elapsed(usual)),
    }
}

/// How a load test stands, or how it went.
fn figures(scene: &Scene<'_>, load: &Figures, page: &mut Page) {
    for line in load.lines() {
        page.line().add(format!("      {line}"), scene.style(Role::Text));
    }
}

/// The last lines a command printed.
fn output(scene: &Scene<'_>, printed: &str, width: u16, page: &mut Page) {
    let lines: Vec<&str> = printed.lines().filter(|l| !l.trim().is_empty()).collect();
    for line in &lines[lines.len().saturating_sub(OUTPUT)..] {
        page.wrapped(line, scene.style(Role::Dim), 6, width, 2);
    }
}

/// The step it is at: what is in sight begins a little before it.
fn current(machine: &Machine) -> usize {
    machine.progress.iter().position(|p| matches!(p.state, StepState::Running | StepState::Waiting)).unwrap_or(0)
}

fn since(now: Timestamp, then: Timestamp) -> i64 {
    i64::try_from(seconds_since(now, then)).unwrap_or(i64::MAX)
}

fn took(now: Timestamp, progress: &StepProgress) -> String {
    progress.began.map_or_else(String::new, |began| elapsed(since(progress.ended.unwrap_or(now), began)))
}

fn phase(phase: &Phase) -> &'static str {
    match phase {
        Phase::Locking => "taking the lock",
        Phase::Running(_) => "running",
        Phase::Asking(_) => "failed: go on, go back or leave it?",
        Phase::Undoing => "going back to the old state",
        Phase::Unlocking => "giving the lock back",
        Phase::Telling(_) => "telling who is to be notified",
        Phase::Ended(outcome) => ended(outcome),
    }
}

fn ended(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::RolledBack => "rolled back: the old state is there again",
        Outcome::Refused => "refused: nothing was changed",
        Outcome::Unknown => "unfinished: recover it",
    }
}

/// What a gate asks, in words.
pub fn waits(gate: &Gate) -> String {
    match gate {
        Gate::Healthy { within, hold, .. } => {
            format!("healthy within {} s and for {} s", within.as_secs(), hold.as_secs())
        }
        Gate::RolledOut { replicas, within, hold, .. } => {
            format!("{replicas} at the new revision, healthy within {} s and for {} s", within.as_secs(), hold.as_secs())
        }
        Gate::Wait { hold } => format!("{} s", hold.as_secs()),
        Gate::Reading { within, hold, .. } if hold.is_zero() => format!("good within {} s", within.as_secs()),
        Gate::Reading { within, hold, .. } => format!("good within {} s and for {} s", within.as_secs(), hold.as_secs()),
        Gate::Person { .. } => "a person says so".to_owned(),
    }
}

pub fn past(scene: &Scene<'_>, past: &Past, width: u16, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    if let Some(first) = past.records.first() {
        page.line().add(format!("{}@{}", first.by, first.host), text);
        if let Some(ssh) = &first.ssh {
            page.add(format!(" from {ssh}"), dim);
        }
        page.add(format!("  {} {}  {}", first.environment, first.target, first.endpoint), dim);
    }
    let name = past.records.iter().filter_map(|r| r.step.as_ref()).map(|s| cells(&s.name)).max().unwrap_or(0).clamp(12, 40) + 2;
    for record in &past.records {
        told(scene, record, (width, name), page);
    }
}

fn told(scene: &Scene<'_>, record: &Record, (width, name): (u16, u16), page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    match record.phase {
        Told::Started => {
            for change in record.plan.iter().flat_map(|p| &p.changes) {
                page.line().add(format!("{}  {} → {}", change.path, change.before, change.after), text);
            }
        }
        Told::Step => {
            let Some(step) = &record.step else { return };
            // A step is told when it begins and again when it ends; its end says all.
            if step.state == StepState::Running {
                return;
            }
            let (symbol, style) = mark(scene, step.state);
            page.line().add(clock(record.at, 0), dim).add(format!("  {symbol} "), style);
            page.column(&step.name, text, name + 12);
            page.add(step.detail.as_ref(), if step.state == StepState::Failed { scene.style(Role::Bad) } else { dim });
            if let Some(load) = &step.load {
                figures(scene, load, page);
            }
            if let Some(printed) = &step.output {
                output(scene, printed, width, page);
            }
        }
        Told::Ended => {
            let outcome = record.outcome.as_ref().map_or("ended", ended);
            page.line().add(clock(record.at, 0), dim).add(format!("  {outcome}"), scene.style(Role::Strong));
            if let Some(detail) = &record.detail {
                page.wrapped(detail, text, 10, width, 6);
            }
        }
    }
}
