//! The states of one rule's alerts: pending, firing, resolved. The transitions and their order are those of `AlertingRule.Eval`
//! of Prometheus 2.42.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::labels::NAME;
use crate::model::{Alert, AlertSource, AlertState, Labels};
use crate::observe::redact;
use crate::observe::rule::file::Alerting;
use crate::observe::text::clean;

use super::Change;

/// A resolved alert is shown for so long.
const RETENTION: Duration = Duration::from_secs(15 * 60);

/// What an evaluation found of one set of labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Active {
    pub(super) name: Arc<str>,
    pub(super) expression: Arc<str>,
    pub(super) annotations: Labels,
    pub(super) value: f64,
}

/// One alert, and since when it is only kept firing.
#[derive(Debug)]
struct One {
    alert: Arc<Alert>,
    /// When its rule began to hold.
    active: Timestamp,
    keeping: Option<Timestamp>,
}

/// Every alert of a rule.
#[derive(Debug, Default)]
pub(super) struct Standing {
    all: BTreeMap<Labels, One>,
}

impl Standing {
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.all.values().map(|one| &one.alert)
    }

    /// The `ALERTS` series of what is pending or fires.
    pub(super) fn series(&self) -> Vec<(Labels, f64)> {
        let active = self.all.iter().filter(|(_, one)| one.alert.state.is_active());
        let named = |(labels, one): (&Labels, &One)| {
            let all = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
            let own: [(Arc<str>, Arc<str>); 2] =
                [(NAME.into(), "ALERTS".into()), ("alertstate".into(), one.alert.state.word().into())];
            (Labels::new(all.chain(own)), 1.0)
        };
        active.map(named).collect()
    }

    /// Takes in what an evaluation found.
    ///
    /// # Errors
    /// More alerts than allowed: then all of them are forgotten, as Prometheus does.
    pub(super) fn step(
        &mut self,
        alerting: &Alerting,
        found: BTreeMap<Labels, Active>,
        now: Timestamp,
        limit: usize,
        changes: &mut Vec<Change>,
    ) -> Result<(), Arc<str>> {
        let told = changes.len();
        let mut gone: Vec<Labels> = self.all.keys().filter(|labels| !found.contains_key(*labels)).cloned().collect();
        gone.retain(|labels| self.all.get_mut(labels).is_none_or(|one| one.miss(alerting, now, changes)));
        for labels in gone {
            self.all.remove(&labels);
        }
        for (labels, active) in found {
            let standing = self.all.get_mut(&labels).filter(|one| one.alert.state.is_active());
            if let Some(one) = standing {
                one.see(&active);
                one.rise(alerting, now, changes);
            } else {
                let mut one = One::new(labels.clone(), active, now);
                changes.push(Change { at: now, alert: one.alert.clone(), was: AlertState::Inactive });
                one.rise(alerting, now, changes);
                self.all.insert(labels, one);
            }
        }
        let active = self.all.values().filter(|one| one.alert.state.is_active()).count();
        if active > limit {
            self.all.clear();
            changes.truncate(told);
            return Err(format!("it gives {active} alerts, {limit} are allowed").into());
        }
        Ok(())
    }
}

impl One {
    fn new(labels: Labels, active: Active, now: Timestamp) -> Self {
        let alert = Alert {
            name: active.name,
            state: AlertState::Pending,
            since: Some(now),
            value: Some(active.value),
            expression: active.expression,
            labels,
            annotations: active.annotations,
            source: AlertSource::Rules,
            silence: None,
            trouble: None,
        };
        Self { alert: Arc::new(alert), active: now, keeping: None }
    }

    /// It still holds.
    fn see(&mut self, active: &Active) {
        self.keeping = None;
        let same =
            self.alert.value.map(f64::to_bits) == Some(active.value.to_bits()) && self.alert.annotations == active.annotations;
        if !same {
            let alert = Arc::make_mut(&mut self.alert);
            alert.value = Some(active.value);
            alert.annotations = active.annotations.clone();
        }
    }

    /// It fires when it has held for long enough.
    fn rise(&mut self, alerting: &Alerting, now: Timestamp, changes: &mut Vec<Change>) {
        if self.alert.state == AlertState::Pending && span(self.active, now) >= alerting.after {
            self.turn(AlertState::Firing, self.active, now, changes);
        }
    }

    /// It does not hold any more. Tells whether it is to be forgotten.
    fn miss(&mut self, alerting: &Alerting, now: Timestamp, changes: &mut Vec<Change>) -> bool {
        match self.alert.state {
            // It never fired: nobody is told that it is over.
            AlertState::Pending => {
                self.turn(AlertState::Inactive, now, now, changes);
                true
            }
            AlertState::Firing => {
                let since = *self.keeping.get_or_insert(now);
                if alerting.keep.is_zero() || span(since, now) >= alerting.keep {
                    self.turn(AlertState::Resolved, now, now, changes);
                }
                false
            }
            AlertState::Resolved | AlertState::Inactive => self.alert.since.is_none_or(|over| span(over, now) > RETENTION),
        }
    }

    fn turn(&mut self, state: AlertState, since: Timestamp, now: Timestamp, changes: &mut Vec<Change>) {
        let was = self.alert.state;
        let alert = Arc::make_mut(&mut self.alert);
        alert.state = state;
        alert.since = Some(since);
        changes.push(Change { at: now, alert: self.alert.clone(), was });
    }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Text made of somebody's labels, safe to be shown.
pub(super) fn safe(text: &str) -> Arc<str> {
    redact::text(&clean(text)).as_ref().into()
}
