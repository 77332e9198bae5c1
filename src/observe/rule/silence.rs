//! The silences of an environment, and which of them lies over an alert.

use std::sync::Arc;

use jiff::Timestamp;
use regex::RegexBuilder;

use crate::model::{Alert, Labels, Matcher, Silence};

/// Bound of a compiled matcher, bytes.
const COMPILED: usize = 1 << 20;

/// What whoever keeps silences says of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silences {
    /// Those in force and those still to come.
    pub all: Vec<Arc<Silence>>,
    /// Labels of alerts the keeper itself says are silenced, and by which silence: its alerts may carry labels (a
    /// Prometheus server's external ones) that are not seen here.
    pub said: Vec<(Labels, Arc<str>)>,
    /// Silences that were left out.
    pub dropped: usize,
}

impl Silences {
    /// Those of `other` as well.
    pub fn add(&mut self, other: &Self) {
        self.all.extend(other.all.iter().cloned());
        self.said.extend(other.said.iter().cloned());
        self.dropped += other.dropped;
    }

    /// The silence over an alert of these labels; of several the one that lasts longest.
    #[must_use]
    pub fn over(&self, labels: &Labels, now: Timestamp) -> Option<&Arc<Silence>> {
        let stands = |silence: &&Arc<Silence>| silence.from <= now && now < silence.until;
        let said = |silence: &Silence| {
            self.said.iter().any(|(of, id)| *id == silence.id && labels.iter().all(|(name, value)| of.get(name) == &**value))
        };
        let over = self.all.iter().filter(stands).filter(|s| fits(&s.matchers, labels) || said(s));
        over.max_by_key(|silence| silence.until)
    }

    /// Puts on every alert the silence over it. What does not hold is not silenced.
    pub fn lay(&self, alerts: &mut [Alert], now: Timestamp) {
        for alert in alerts {
            alert.silence = if alert.state.is_active() { self.over(&alert.labels, now).cloned() } else { None };
        }
    }

    /// The silence of this name.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<&Arc<Silence>> {
        self.all.iter().find(|silence| *silence.id == *id)
    }
}

/// Whether labels are as every matcher wants them. A label that is not there is empty. No matcher fits nothing.
#[must_use]
pub fn fits(matchers: &[Matcher], labels: &Labels) -> bool {
    !matchers.is_empty() && matchers.iter().all(|matcher| fits_one(matcher, labels))
}

fn fits_one(matcher: &Matcher, labels: &Labels) -> bool {
    let value = labels.get(&matcher.label);
    if !matcher.regex {
        return (value == &*matcher.value) == matcher.equal;
    }
    let whole = RegexBuilder::new(&format!("^(?:{})$", matcher.value)).size_limit(COMPILED).dot_matches_new_line(true).build();
    // What cannot be read silences nothing.
    whole.is_ok_and(|regex| regex.is_match(value) == matcher.equal)
}

/// `alertname=Down, job=~a.*`.
#[must_use]
pub fn words(matchers: &[Matcher]) -> String {
    let one = |m: &Matcher| {
        let sign = match (m.regex, m.equal) {
            (false, true) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (true, false) => "!~",
        };
        format!("{}{sign}{}", m.label, m.value)
    };
    matchers.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(text: &str) -> Matcher {
        for (sign, regex, equal) in [("!~", true, false), ("=~", true, true), ("!=", false, false), ("=", false, true)] {
            if let Some((label, value)) = text.split_once(sign) {
                return Matcher { label: label.into(), value: value.into(), regex, equal };
            }
        }
        panic!("{text}")
    }

    fn silence(id: &str, matchers: &[&str], from: i64, until: i64) -> Arc<Silence> {
        Arc::new(Silence {
            id: id.into(),
            matchers: matchers.iter().map(|m| matcher(m)).collect(),
            why: "known".into(),
            by: "ann".into(),
            from: Timestamp::from_second(from).unwrap(),
            until: Timestamp::from_second(until).unwrap(),
        })
    }

    #[test]
    fn every_matcher_must_fit_the_whole_label() {
        let labels = Labels::new([("alertname", "Down"), ("job", "api")]);
        for (matchers, expected) in [
            (&["alertname=Down"][..], true),
            (&["alertname=Down", "job=db"], false),
            (&["alertname=~D.*", "job!=db"], true),
            (&["job=~ap"], false),
            (&["job!~ap"], true),
            (&["zone="], true),
            (&["zone!=a"], true),
            (&["job=~("], false),
            (&[], false),
        ] {
            let matchers: Vec<Matcher> = matchers.iter().map(|m| matcher(m)).collect();
            assert_eq!(fits(&matchers, &labels), expected, "{}", words(&matchers));
        }
    }

    #[test]
    fn the_longest_one_that_stands_lies_over_an_alert() {
        let all = vec![
            silence("ended", &["alertname=Down"], 0, 10),
            silence("short", &["alertname=Down"], 0, 30),
            silence("long", &["job=api"], 0, 40),
            silence("later", &["job=api"], 25, 90),
            silence("external", &["cluster=eu"], 0, 99),
        ];
        let said = vec![(Labels::new([("alertname", "Up"), ("cluster", "eu")]), Arc::from("external"))];
        let silences = Silences { all, said, dropped: 0 };
        let (down, up) = (Labels::new([("alertname", "Down"), ("job", "api")]), Labels::new([("alertname", "Up")]));
        for (labels, now, expected) in
            [(&down, 9, Some("long")), (&down, 26, Some("later")), (&down, 90, None), (&up, 5, Some("external"))]
        {
            let found = silences.over(labels, Timestamp::from_second(now).unwrap()).map(|s| &*s.id);
            assert_eq!(found, expected, "{labels} at {now}");
        }
    }
}
