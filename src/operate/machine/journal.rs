//! What is written to the audit journal, and when: the start with the plan, every step's end, the end with its outcome.

use std::sync::Arc;

use jiff::Timestamp;

use crate::operate::audit::{ChangeText, Phase as Told, PlanText, Record, StepText};

use crate::operate::plan::words;

use super::{Effect, Machine, Outcome, StepState, elapsed};

impl Machine {
    fn record(&self, now: Timestamp, phase: Told) -> Record {
        Record {
            at: now,
            by: self.actor.user.clone(),
            host: self.actor.host.clone(),
            ssh: self.actor.ssh.clone(),
            operation: self.plan.id.0.clone(),
            kind: self.plan.request.operation.verb().word().into(),
            environment: self.plan.request.environment.name.clone(),
            endpoint: self.plan.endpoint.clone(),
            target: self.plan.target.clone(),
            phase,
            plan: None,
            step: None,
            outcome: None,
            detail: None,
            duration_ms: None,
        }
    }

    pub(super) fn journal_start(&mut self, now: Timestamp) {
        let steps = self.plan.calls().into_iter().map(|(name, call)| format!("{name}: {call}").into()).collect();
        let changes = self.plan.changes.iter().map(ChangeText::from).collect();
        let plan = PlanText { title: self.plan.title.clone(), steps, changes };
        let record = Record { plan: Some(plan), ..self.record(now, Told::Started) };
        self.out.push(Effect::Journal(record));
    }

    pub(super) fn journal_step(&mut self, now: Timestamp, index: usize) {
        let (step, progress) = (&self.plan.steps[index], &self.progress[index]);
        let text = StepText {
            name: step.name.clone(),
            call: step.call.clone(),
            state: progress.state,
            detail: progress.detail.clone(),
            output: progress.output.clone(),
            load: progress.load.clone(),
        };
        let took = progress.began.map(|began| millis(now, began));
        let record = Record { step: Some(text), duration_ms: took, ..self.record(now, Told::Step) };
        self.out.push(Effect::Journal(record));
    }

    pub(super) fn journal_undo(&mut self, now: Timestamp, index: usize) {
        let undo = &self.undo_progress[index];
        let text = StepText {
            name: format!("undo: {}", undo.name).into(),
            call: undo.call.clone(),
            state: undo.progress.state,
            detail: undo.progress.detail.clone(),
            output: undo.progress.output.clone(),
            load: None,
        };
        let took = undo.progress.began.map(|began| millis(now, began));
        let record = Record { step: Some(text), duration_ms: took, ..self.record(now, Told::Step) };
        self.out.push(Effect::Journal(record));
    }

    /// A hook was told; `failed` says why it was not.
    pub(super) fn journal_told(&mut self, now: Timestamp, url: &str, failed: Option<Arc<str>>) {
        let host = words::host_of(url);
        let text = StepText {
            name: format!("notify {host}").into(),
            call: format!("POST {host}").into(),
            state: if failed.is_none() { StepState::Done } else { StepState::Failed },
            detail: failed.unwrap_or_default(),
            output: None,
            load: None,
        };
        let record = Record { step: Some(text), ..self.record(now, Told::Step) };
        self.out.push(Effect::Journal(record));
    }

    pub(super) fn journal_end(&mut self, now: Timestamp, outcome: Outcome) {
        let detail: Arc<str> = self.detail.clone();
        let record = Record {
            outcome: Some(outcome),
            detail: Some(detail),
            duration_ms: Some(millis(now, self.began)),
            ..self.record(now, Told::Ended)
        };
        self.out.push(Effect::Journal(record));
    }
}

fn millis(now: Timestamp, since: Timestamp) -> u64 {
    u64::try_from(elapsed(now, since).as_millis()).unwrap_or(u64::MAX)
}
