//! One action on its way: tickets, answers, and trying again while the engine cannot be reached.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::model::InstanceId;
use crate::observe::load::Figures;
use crate::operate::action::{Accepted, Action, InstanceRef};
use crate::operate::errand::Errand;

use super::{Doing, Effect, Fault, Machine, Phase, Ticket, elapsed};

/// How long an engine may be away before an action counts as failed.
const AWAY: Duration = Duration::from_secs(120);
/// How long an engine may answer with errors of its own.
const CONFUSED: Duration = Duration::from_secs(10);

/// An action whose answer is waited for, or that is to be tried again.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub ticket: Ticket,
    pub action: Action,
    pub attempts: u32,
    /// Set while waiting to try again.
    pub retry_at: Option<Timestamp>,
    /// A person wants to go back as soon as the answer is there.
    pub aborted: bool,
}

impl Flight {
    /// Whether the answer need not be waited for.
    pub(super) fn is_harmless(&self) -> bool {
        match &self.action {
            Action::EnsureImage { .. } | Action::LookAtImage { .. } | Action::LookAtDisk { .. } => true,
            Action::Errand(errand) => errand.is_look(),
            _ => false,
        }
    }

    /// Whether it can be told to end: then its answer comes at once.
    pub(super) fn can_be_stopped(&self) -> bool {
        matches!(self.action.errand(), Some(Errand::Load(_)))
    }

    /// Whether it may be sent again when its answer was lost: a command would run twice.
    fn may_repeat(&self) -> bool {
        match &self.action {
            Action::Exec { .. } => false,
            Action::Errand(errand) => errand.is_look(),
            _ => true,
        }
    }
}

impl Machine {
    /// Sends an action off.
    pub(super) fn fly(&mut self, now: Timestamp, action: Action) {
        if let Action::Start { instance: InstanceRef::Known(id) } | Action::Restart { instance: InstanceRef::Known(id), .. } =
            &action
            && let Some(started) = self.last.as_ref().and_then(|s| s.instance(id)).and_then(|(_, i)| i.started_at)
        {
            self.runs.insert(id.clone(), started);
        }
        let ticket = self.ticket();
        self.out.push(Effect::Execute(ticket, action.clone()));
        self.doing = Doing::Flight(Flight { ticket, action, attempts: 1, retry_at: None, aborted: false });
        self.issued = now;
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub(super) fn fly_again(&mut self) {
        let ticket = self.ticket();
        let Doing::Flight(flight) = &mut self.doing else { return };
        flight.ticket = ticket;
        flight.attempts += 1;
        flight.retry_at = None;
        self.out.push(Effect::Execute(ticket, flight.action.clone()));
    }

    pub(super) fn progressed(&mut self, ticket: Ticket, words: Arc<str>) {
        if matches!(&self.doing, Doing::Flight(f) if f.ticket == ticket) {
            self.say(words);
        }
    }

    /// A load test under way tells how it stands.
    pub(super) fn measured(&mut self, ticket: Ticket, figures: Arc<Figures>) {
        if matches!(&self.doing, Doing::Flight(f) if f.ticket == ticket) {
            self.say(figures.words().into());
            self.keep_figures(figures);
        }
    }

    fn keep_figures(&mut self, figures: Arc<Figures>) {
        if let Phase::Running(index) = self.phase {
            self.progress[index].load = Some(figures);
        }
    }

    pub(super) fn answered(&mut self, now: Timestamp, ticket: Ticket, result: Result<Accepted, EngineError>) {
        if self.looks(ticket) {
            self.looked(now, result);
            return;
        }
        let result = result.or_else(|error| if self.is_gone_anyway(&error) { Ok(Accepted::AlreadySo) } else { Err(error) });
        let Doing::Flight(flight) = &mut self.doing else { return };
        if flight.ticket != ticket || flight.retry_at.is_some() {
            return;
        }
        match result {
            Ok(accepted) => {
                let flight = flight.clone();
                self.outage = None;
                let failed = self.keep_output(&accepted);
                let words = self.note(&flight.action, accepted);
                self.say(words);
                self.landed(now, &flight, failed.map_or(Ok(()), |why| Err(Fault { why, uncertain: false })));
            }
            Err(error) if error.is_transient() && !flight.aborted && flight.may_repeat() => self.trouble(now, &error),
            Err(error) => {
                let fault = Fault { why: error.to_string().into(), uncertain: flight.attempts > 1 || error.is_transient() };
                let flight = flight.clone();
                self.landed(now, &flight, Err(fault));
            }
        }
    }

    /// On the way back, an instance that this operation made and somebody removed need not be stopped any more.
    fn is_gone_anyway(&self, error: &EngineError) -> bool {
        let Doing::Flight(Flight { action: Action::Stop { instance: InstanceRef::Known(id), .. }, .. }) = &self.doing else {
            return false;
        };
        self.phase == Phase::Undoing && matches!(error, EngineError::NotFound { .. }) && self.made.values().any(|made| made == id)
    }

    /// The engine is away or confused: the action is tried again until patience ends.
    fn trouble(&mut self, now: Timestamp, error: &EngineError) {
        let since = *self.outage.get_or_insert(now);
        let Doing::Flight(flight) = &mut self.doing else { return };
        let patience = if matches!(error, EngineError::Rejected { .. }) { CONFUSED } else { AWAY };
        let pause = backoff(flight.attempts);
        if elapsed(now, since) + pause > patience {
            let flight = flight.clone();
            self.landed(now, &flight, Err(Fault { why: error.to_string().into(), uncertain: true }));
            return;
        }
        flight.retry_at = Some(now.checked_add(pause).unwrap_or(now));
        self.say(format!("{error}; trying again in {} s", pause.as_secs()).into());
    }

    fn landed(&mut self, now: Timestamp, flight: &Flight, result: Result<(), Fault>) {
        if let (true, Phase::Running(index)) = (flight.aborted, &self.phase) {
            let index = *index;
            match result {
                // It was told to end, and has: it did not come to its own end.
                Ok(()) if flight.can_be_stopped() => {}
                Ok(()) => self.progress[index].state = super::StepState::Done,
                Err(fault) if fault.uncertain => {
                    self.uncertain.insert(index);
                }
                Err(_) => {}
            }
            self.abandon(now, index, "aborted".into());
            return;
        }
        if let (true, Phase::Locking) = (flight.aborted, &self.phase) {
            self.finished(now, Err(Fault { why: "aborted".into(), uncertain: true }));
            return;
        }
        self.finished(now, result);
    }

    /// Keeps what a command printed or a load test measured; says why, if it failed.
    fn keep_output(&mut self, accepted: &Accepted) -> Option<Arc<str>> {
        if let Accepted::Load(figures) = accepted {
            self.keep_figures(figures.clone());
            return figures.failure().map(|why| format!("{why} ({})", figures.words()).into());
        }
        let Accepted::Output(output) = accepted else { return None };
        let kept = if output.cut { format!("… {}", output.text).into() } else { output.text.clone() };
        match self.phase {
            Phase::Running(index) => self.progress[index].output = Some(kept),
            Phase::Undoing => {
                if let Some(undo) = self.undo_progress.iter_mut().find(|u| u.progress.state == super::StepState::Running) {
                    undo.progress.output = Some(kept);
                }
            }
            Phase::Locking | Phase::Asking(_) | Phase::Unlocking | Phase::Telling(_) | Phase::Ended(_) => {}
        }
        (output.code != 0).then(|| output.failure())
    }

    /// Keeps what an answer tells, and says it.
    fn note(&mut self, action: &Action, accepted: Accepted) -> Arc<str> {
        match accepted {
            Accepted::Done => "".into(),
            Accepted::AlreadySo => "was so already".into(),
            Accepted::Made(id) => {
                let words = format!("{} made", crate::operate::plan::words::short(&id));
                if let Action::Create { replica, .. } = action {
                    self.made.insert(replica.slot, id);
                }
                words.into()
            }
            Accepted::Image { digest, pulled } => {
                let content = digest.as_deref().map(crate::operate::plan::words::short_digest).unwrap_or_default();
                if let (Action::EnsureImage { image, .. }, Some(digest)) = (action, digest) {
                    self.digests.insert(image.clone(), digest);
                }
                let how = if pulled { "pulled" } else { "present" };
                format!("{how} {content}").trim_end().into()
            }
            Accepted::Reading { words, .. } => words,
            Accepted::Output(output) => output.last_line().into(),
            Accepted::Load(figures) => figures.words().into(),
        }
    }

    /// Puts in what earlier answers have told: the instances made, the content of images.
    pub(super) fn resolve(&self, action: &Action) -> Result<Action, Fault> {
        let mut action = action.clone();
        match &mut action {
            Action::SetAside { instance }
            | Action::BringBack { instance }
            | Action::Start { instance }
            | Action::Stop { instance, .. }
            | Action::Restart { instance, .. }
            | Action::Pause { instance }
            | Action::Unpause { instance }
            | Action::Kill { instance, .. }
            | Action::Exec { instance, .. }
            | Action::CopyIn { instance, .. }
            | Action::CopyOut { instance, .. }
            | Action::PutFile { instance, .. }
            | Action::RestoreFile { instance, .. }
            | Action::ForgetFile { instance, .. }
            | Action::Join { instance, .. }
            | Action::Remove { instance, .. } => {
                *instance = self.known(instance)?;
            }
            Action::Errand(errand) => {
                for instance in errand.instances() {
                    *instance = self.known(instance)?;
                }
            }
            Action::Create { replica, .. } | Action::RunOnce { replica, .. } => {
                let known = replica.image.as_ref().and_then(|i| self.digests.get(i)).cloned();
                if let Some(digest) = known {
                    replica.digest.get_or_insert_with(|| digest.clone());
                    if let Some(first) = replica.revisions.as_mut().and_then(|r| r.first_mut()) {
                        first.digest.get_or_insert(digest);
                    }
                }
            }
            Action::TakeLock { .. }
            | Action::ReleaseLock { .. }
            | Action::EnsureImage { .. }
            | Action::LookAtImage { .. }
            | Action::LookAtDisk { .. }
            | Action::ForgetOnce { .. }
            | Action::SetReplicas { .. }
            | Action::SetImage { .. }
            | Action::Rollout { .. }
            | Action::Unpace { .. }
            | Action::ComposeUp { .. }
            | Action::Drill { .. }
            | Action::Suspend { .. }
            | Action::Trigger { .. }
            | Action::SetBounds { .. }
            | Action::Cordon { .. }
            | Action::Drain { .. }
            | Action::Mirror { .. }
            | Action::SwitchTraffic { .. }
            | Action::ForgetMirror { .. }
            | Action::Revert { .. } => {}
        }
        Ok(action)
    }
}

impl Machine {
    /// The instance as the engine knows it.
    fn known(&self, instance: &InstanceRef) -> Result<InstanceRef, Fault> {
        match instance {
            InstanceRef::Known(_) => Ok(instance.clone()),
            InstanceRef::Made(slot) => {
                let id = self.made.get(slot).cloned();
                let id: InstanceId =
                    id.ok_or_else(|| Fault { why: "whether it was made is not known".into(), uncertain: false })?;
                Ok(InstanceRef::Known(id))
            }
        }
    }
}

/// The pause before trying again: 1, 2, 4, 8, then 15 s.
fn backoff(attempts: u32) -> Duration {
    Duration::from_secs(match attempts {
        0 | 1 => 1,
        2 => 2,
        3 => 4,
        4 => 8,
        _ => 15,
    })
}
