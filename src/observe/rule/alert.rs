//! How far every alert is: rules evaluated group by group over scraped series, and the states they lead to. The order of
//! things and their times are those of Prometheus 2.42: within a group one rule after the other, at one time.
//! <https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/>

mod state;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::labels::NAME;
use crate::model::{Alert, AlertState, Labels};
use crate::observe::metric::series::{ABSENT, Store};

use super::expr::Value;
use super::file::{Does, Group, Rule, Rules};
use super::template::Given;

use state::{Active, Standing};

/// Between two evaluations of a group whose file does not say. Prometheus' own default is a minute, but everybody sets it
/// to how often is scraped, which is 15 s unless told.
pub const EVERY: Duration = Duration::from_secs(15);

/// Alerts or series one rule may give, whatever its group allows.
const MOST: usize = 2_000;

/// An alert that has come to another state.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub at: Timestamp,
    /// As it is now.
    pub alert: Arc<Alert>,
    pub was: AlertState,
}

/// Rules at work.
#[derive(Debug, Default)]
pub struct Evaluation {
    groups: Vec<Running>,
}

/// A group at work.
#[derive(Debug)]
struct Running {
    group: Arc<Group>,
    /// When it is evaluated next, milliseconds since 1970; `None` before the first time.
    next_ms: Option<i64>,
    /// One for each of its rules.
    kept: Vec<Kept>,
}

/// What is remembered of a rule.
#[derive(Debug, Default)]
struct Kept {
    standing: Standing,
    /// Series it has written at its last evaluation.
    written: BTreeSet<Labels>,
    /// Why its last evaluation gave nothing.
    trouble: Option<Arc<str>>,
}

impl Evaluation {
    /// These rules, none of which has been evaluated.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let mut new = Self::default();
        new.reload(rules);
        new
    }

    /// Puts other rules in place of these. A rule of the same name and labels in the same group goes on where it is.
    pub fn reload(&mut self, rules: &Rules) {
        let mut old: BTreeMap<Identity, VecDeque<Kept>> = BTreeMap::new();
        let mut nexts: BTreeMap<Named, (Duration, Option<i64>)> = BTreeMap::new();
        for running in std::mem::take(&mut self.groups) {
            let group = running.group;
            nexts.insert((group.file.clone(), group.name.clone()), (every(&group), running.next_ms));
            for (rule, kept) in group.rules.iter().zip(running.kept) {
                old.entry(identity(&group, rule)).or_default().push_back(kept);
            }
        }
        let run = |group: &Arc<Group>| {
            let known = nexts.get(&(group.file.clone(), group.name.clone())).filter(|(span, _)| *span == every(group));
            let mut kept = |rule: &Rule| old.get_mut(&identity(group, rule)).and_then(VecDeque::pop_front).unwrap_or_default();
            let kept = group.rules.iter().map(&mut kept).collect();
            Running { group: group.clone(), next_ms: known.and_then(|(_, next)| *next), kept }
        };
        let groups: Vec<Running> = { rules.groups.iter().map(run).collect() };
        self.groups = groups;
    }

    /// Whether a group is to be evaluated by now.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> bool {
        self.groups.iter().any(|group| group.is_due(now.as_millisecond()))
    }

    /// When the next group is to be evaluated; `None` where there is none, or one has never been.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let next = self.groups.iter().map(|group| group.next_ms).min()??;
        Timestamp::from_millisecond(next).ok()
    }

    /// Evaluates every group that is due, and tells what has come to another state. What groups record goes into the store,
    /// the series `ALERTS` among it. An evaluation that is missed is not made up for.
    pub fn evaluate(&mut self, store: &mut Store, now: Timestamp) -> Vec<Change> {
        let now_ms = now.as_millisecond();
        let mut changes = Vec::new();
        for running in self.groups.iter_mut().filter(|group| group.is_due(now_ms)) {
            running.evaluate(store, now, &mut changes);
            let every = i64::try_from(every(&running.group).as_millis()).unwrap_or(i64::MAX).max(1);
            let due = running.next_ms.unwrap_or(now_ms);
            // In step with what it was, however late this one is.
            let missed = (now_ms - due) / every;
            running.next_ms = Some(due.saturating_add(every.saturating_mul(missed + 1)));
        }
        changes
    }

    /// Every alert there is, and an inactive one for each alerting rule without any.
    #[must_use]
    pub fn alerts(&self) -> Vec<Arc<Alert>> {
        let mut alerts = Vec::new();
        for (rule, kept) in self.groups.iter().flat_map(|g| g.group.rules.iter().zip(&g.kept)) {
            if let Does::Alert(_) = rule.does {
                let before = alerts.len();
                alerts.extend(kept.standing.alerts().cloned());
                if alerts.len() == before {
                    alerts.push(Arc::new(inactive(rule, kept.trouble.clone())));
                }
            }
        }
        alerts
    }

    /// Rules that gave nothing when last evaluated, or are not evaluated at all, and why.
    #[must_use]
    pub fn troubles(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let all = self.groups.iter().flat_map(|g| g.group.rules.iter().zip(&g.kept));
        all.filter_map(|(rule, kept)| Some((rule.name.clone(), why(rule, kept)?))).collect()
    }
}

/// Why nothing is known of a rule.
fn why(rule: &Rule, kept: &Kept) -> Option<Arc<str>> {
    rule.expr.as_ref().err().cloned().or_else(|| kept.trouble.clone())
}

/// A rule nothing is active of. Its labels are those it gives whatever its expression finds.
fn inactive(rule: &Rule, trouble: Option<Arc<str>>) -> Alert {
    let fixed = rule.labels.iter().filter(|(_, template)| !template.text.contains("{{"));
    let labels = Labels::new(fixed.map(|(name, template)| (name.clone(), state::safe(&template.text))));
    Alert {
        name: rule.name.clone(),
        state: AlertState::Inactive,
        since: None,
        value: None,
        expression: rule.expression.clone(),
        labels: labels.with("alertname", rule.name.clone()),
        annotations: Labels::default(),
        source: crate::model::AlertSource::Rules,
        silence: None,
        trouble: rule.expr.as_ref().err().cloned().or(trouble),
    }
}

/// A group by its file and name.
type Named = (Arc<str>, Arc<str>);

/// A rule by its group, name and labels.
type Identity = (Arc<str>, Arc<str>, Arc<str>, Vec<(Arc<str>, Arc<str>)>);

fn identity(group: &Group, rule: &Rule) -> Identity {
    let labels = rule.labels.iter().map(|(name, template)| (name.clone(), template.text.clone())).collect();
    (group.file.clone(), group.name.clone(), rule.name.clone(), labels)
}

fn every(group: &Group) -> Duration {
    group.interval.unwrap_or(EVERY)
}

impl Running {
    fn is_due(&self, now_ms: i64) -> bool {
        self.next_ms.is_none_or(|next| next <= now_ms)
    }

    fn evaluate(&mut self, store: &mut Store, now: Timestamp, changes: &mut Vec<Change>) {
        let offset = i64::try_from(self.group.offset.as_millis()).unwrap_or(i64::MAX);
        let at_ms = now.as_millisecond().saturating_sub(offset);
        let limit = if self.group.limit == 0 { MOST } else { self.group.limit.min(MOST) };
        for (rule, kept) in self.group.rules.iter().zip(&mut self.kept) {
            let Ok(expr) = &rule.expr else { continue };
            let vector = expr.at(store, at_ms).map(|value| match value {
                Value::Scalar(value) => vec![(Labels::default(), value)],
                Value::Vector(vector) => vector,
            });
            let series = vector.and_then(|vector| match &rule.does {
                Does::Alert(alerting) => {
                    let active = activate(rule, &alerting.annotations, vector)?;
                    kept.standing.step(alerting, active, now, limit, changes)?;
                    Ok(kept.standing.series())
                }
                Does::Record => record(rule, vector, limit),
            });
            match series {
                Ok(series) => {
                    kept.trouble = None;
                    write(store, &mut kept.written, series, at_ms);
                }
                // What was written before grows old by itself.
                Err(trouble) => kept.trouble = Some(trouble),
            }
        }
    }
}

/// The alerts a vector stands for, each with its labels and annotations.
fn activate(
    rule: &Rule,
    annotations: &[(Arc<str>, super::template::Template)],
    vector: Vec<(Labels, f64)>,
) -> Result<BTreeMap<Labels, Active>, Arc<str>> {
    let mut active = BTreeMap::new();
    for (found, value) in vector {
        let given = Given { labels: &found, value };
        let filled = rule.labels.iter().map(|(name, template)| (name.clone(), state::safe(&template.fill(given))));
        let own = found.iter().filter(|(name, _)| ***name != *NAME).map(|(name, value)| (name.clone(), value.clone()));
        let named = [(Arc::from("alertname"), rule.name.clone())];
        let labels = Labels::new(own.chain(filled).chain(named));
        let annotations = Labels::new(annotations.iter().map(|(name, t)| (name.clone(), state::safe(&t.fill(given)))));
        let one = Active { name: rule.name.clone(), expression: rule.expression.clone(), annotations, value };
        if active.insert(labels, one).is_some() {
            return Err("two results have the same labels once those of the rule are put on".into());
        }
    }
    Ok(active)
}

/// The series a recording rule writes.
fn record(rule: &Rule, vector: Vec<(Labels, f64)>, limit: usize) -> Result<Vec<(Labels, f64)>, Arc<str>> {
    if vector.len() > limit {
        return Err(format!("it gives {} series, {limit} are allowed", vector.len()).into());
    }
    let mut seen = BTreeSet::new();
    let mut series = Vec::with_capacity(vector.len());
    for (found, value) in vector {
        let given = Given { labels: &found, value };
        let filled = rule.labels.iter().map(|(name, template)| (name.clone(), state::safe(&template.fill(given))));
        let own = found.iter().map(|(name, value)| (name.clone(), value.clone()));
        let labels = Labels::new(own.chain(filled).chain([(Arc::from(NAME), rule.name.clone())]));
        if !seen.insert(labels.clone()) {
            return Err("two results have the same labels once those of the rule are put on".into());
        }
        series.push((labels, value));
    }
    Ok(series)
}

/// Appends what a rule has written, and ends what it does not write any more.
fn write(store: &mut Store, written: &mut BTreeSet<Labels>, series: Vec<(Labels, f64)>, at_ms: i64) {
    let mut now = BTreeSet::new();
    for (labels, value) in series {
        store.append(&labels, at_ms, value);
        now.insert(labels);
    }
    for gone in written.difference(&now) {
        store.append(gone, at_ms, ABSENT);
    }
    *written = now;
}

#[cfg(test)]
mod tests;
