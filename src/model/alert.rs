//! An alert: a rule with a state, and the silence that may lie over it.

use std::sync::Arc;

use jiff::Timestamp;

use super::labels::{Labels, NAME};

/// How far an alert is, ordered from calm to loud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Its rule is known and does not hold.
    #[default]
    Inactive,
    /// It fired and does not any more; shown for a while.
    Resolved,
    /// Its rule holds, but not for long enough yet.
    Pending,
    Firing,
}

impl AlertState {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Resolved => "resolved",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }

    /// Whether its rule holds.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            Self::Pending | Self::Firing => true,
            Self::Inactive | Self::Resolved => false,
        }
    }

    /// Its one-cell symbol: state is never shown by colour alone.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Inactive => "○",
            Self::Resolved => "✔",
            Self::Pending => "△",
            Self::Firing => "▲",
        }
    }
}

/// Who evaluates an alert's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertSource {
    /// quarterdeck, from rule files and what it scrapes.
    Rules,
    /// A Prometheus server.
    Prometheus,
}

impl AlertSource {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Prometheus => "prometheus",
        }
    }
}

/// One alert: a rule and, where it holds, one set of labels. Text is sanitised.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    pub name: Arc<str>,
    pub state: AlertState,
    /// When its rule began to hold; of a resolved one, when it ceased to.
    pub since: Option<Timestamp>,
    /// What the expression last gave.
    pub value: Option<f64>,
    pub expression: Arc<str>,
    /// With `alertname`, as Prometheus has it.
    pub labels: Labels,
    pub annotations: Labels,
    pub source: AlertSource,
    pub silence: Option<Arc<Silence>>,
    /// Why its rule could not be evaluated: then its state is only what was last known.
    pub trouble: Option<Arc<str>>,
}

/// How much an alert matters, by its `severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// `info`, `none`: told, but nothing is wrong.
    Info,
    /// Everything else.
    Warning,
    /// `critical`, `page`, `emergency`.
    Critical,
}

impl Alert {
    /// What tells it apart in its environment: its name and labels.
    #[must_use]
    pub fn key(&self) -> Arc<str> {
        self.labels.with(NAME, self.name.clone()).to_string().into()
    }

    /// Whether somebody should look: it fires, and nobody has silenced it.
    #[must_use]
    pub fn is_loud(&self) -> bool {
        self.state == AlertState::Firing && self.silence.is_none()
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.labels.get("severity").to_ascii_lowercase().as_str() {
            "info" | "information" | "none" | "notice" => Severity::Info,
            "critical" | "page" | "emergency" | "fatal" => Severity::Critical,
            _ => Severity::Warning,
        }
    }

    /// How loudly it asks for somebody: the greatest first.
    #[must_use]
    pub fn rank(&self) -> (bool, AlertState, Severity) {
        (self.is_loud(), self.state, self.severity())
    }

    /// What it is about, in a sentence: its summary or description, else its labels; of one that is inactive its rule.
    #[must_use]
    pub fn words(&self) -> String {
        if self.state == AlertState::Inactive {
            return self.expression.to_string();
        }
        for name in ["summary", "description", "message"] {
            if self.annotations.has(name) {
                return self.annotations.get(name).to_owned();
            }
        }
        self.labels.only(|name| name != "alertname" && name != "severity").to_string()
    }
}

/// Says that alerts of these labels are known of and need nobody, until it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// As whoever keeps it names it.
    pub id: Arc<str>,
    pub matchers: Vec<Matcher>,
    pub why: Arc<str>,
    pub by: Arc<str>,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// What a label must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    pub label: Arc<str>,
    pub value: Arc<str>,
    /// `value` is an expression that must fit the whole label.
    pub regex: bool,
    /// It must be so; otherwise it must not.
    pub equal: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Alert {
        Alert {
            name: "Down".into(),
            state: AlertState::Firing,
            since: None,
            value: None,
            expression: "up == 0".into(),
            labels: Labels::new(labels.iter().copied()),
            annotations: Labels::new(annotations.iter().copied()),
            source: AlertSource::Rules,
            silence: None,
            trouble: None,
        }
    }

    #[test]
    fn an_alert_says_what_it_is_about_and_how_much_it_matters() {
        for (labels, annotations, severity, words) in [
            (&[("severity", "Critical"), ("job", "a")][..], &[][..], Severity::Critical, "{job=\"a\"}"),
            (&[("severity", "none")], &[("description", "d"), ("summary", "s")], Severity::Info, "s"),
            (&[], &[], Severity::Warning, "{}"),
        ] {
            let alert = alert(labels, annotations);
            assert_eq!((alert.severity(), alert.words().as_str()), (severity, words));
        }
        assert_eq!(&*alert(&[("job", "a")], &[]).key(), "Down{job=\"a\"}");
    }
}
