//! Telling the world how it ended: the notification hooks of a deploy. One that fails is noted and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::operate::action::Action;
use crate::operate::errand::Errand;

use super::{Fault, Machine, Outcome, Phase};

/// How long a hook may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a hook is told, as JSON. `text` is what chat systems show of it.
#[derive(Serialize)]
struct Notice<'a> {
    text: String,
    operation: &'a str,
    kind: &'a str,
    environment: &'a str,
    target: &'a str,
    outcome: &'a Outcome,
    detail: &'a str,
    by: &'a str,
    host: &'a str,
    began: Timestamp,
    ended: Timestamp,
    duration_ms: u64,
}

impl Machine {
    /// Tells the hooks, one after the other, then ends for good.
    pub(super) fn tell(&mut self, now: Timestamp, outcome: Outcome) {
        let begun = self.progress.iter().any(|p| p.began.is_some());
        self.untold = if begun { self.plan.notify.iter().rev().cloned().collect() } else { Vec::new() };
        self.phase = Phase::Telling(outcome.clone());
        self.tell_next(now, outcome);
    }

    fn tell_next(&mut self, now: Timestamp, outcome: Outcome) {
        let Some(url) = self.untold.pop() else {
            self.phase = Phase::Ended(outcome);
            // What was seen is no longer needed; the machine may be kept for the screen.
            self.last = None;
            return;
        };
        let body = self.notice(now, &outcome);
        self.telling = Some(url.clone());
        let errand = Errand::Http { method: "POST".into(), url, body: Some(body), timeout: PATIENCE };
        self.fly(now, Action::Errand(Box::new(errand)));
    }

    /// A hook was told, or could not be.
    pub(super) fn told(&mut self, now: Timestamp, outcome: Outcome, result: Result<(), Fault>) {
        if let Some(url) = self.telling.take() {
            self.journal_told(now, &url, result.err().map(|fault| fault.why));
        }
        self.tell_next(now, outcome);
    }

    fn notice(&self, now: Timestamp, outcome: &Outcome) -> Arc<str> {
        let environment = &self.plan.request.environment.name;
        let word = match outcome {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::RolledBack => "rolled back",
            Outcome::Refused => "refused",
            Outcome::Unknown => "unfinished",
        };
        let by = &self.actor.user;
        let ended = self.ended.unwrap_or(now);
        let notice = Notice {
            text: format!("{environment}: {} by {by}@{}: {word}", self.plan.title, self.actor.host),
            operation: &self.plan.id.0,
            kind: self.plan.request.operation.verb().word(),
            environment,
            target: &self.plan.target,
            outcome,
            detail: &self.detail,
            by,
            host: &self.actor.host,
            began: self.began,
            ended,
            duration_ms: u64::try_from(super::elapsed(ended, self.began).as_millis()).unwrap_or(u64::MAX),
        };
        serde_json::to_string(&notice).map_or_else(|_| "{}".into(), Into::into)
    }
}
