//! Which series are meant: matchers on labels, as Prometheus has them.
//! <https://prometheus.io/docs/prometheus/latest/querying/basics/#time-series-selectors>

use std::sync::Arc;

use regex::Regex;

use crate::model::labels::NAME;

use super::{Series, Store};

/// What a label must be. A label that is not there is empty.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub label: Arc<str>,
    pub must: Must,
}

/// How a label is held against what is wanted.
#[derive(Clone, Debug)]
pub enum Must {
    Be(Arc<str>),
    NotBe(Arc<str>),
    /// Anchored on both sides.
    Fit(Regex),
    NotFit(Regex),
}

impl Must {
    /// Whether a value is as it must be.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Be(wanted) => **wanted == *value,
            Self::NotBe(other) => **other != *value,
            Self::Fit(pattern) => pattern.is_match(value),
            Self::NotFit(pattern) => !pattern.is_match(value),
        }
    }
}

impl Store {
    /// The series all matchers fit, those of one target together.
    #[must_use]
    pub fn select(&self, matchers: &[Matcher]) -> Vec<Series> {
        let (names, others): (Vec<&Matcher>, Vec<&Matcher>) = matchers.iter().partition(|m| *m.label == *NAME);
        let mut found = Vec::new();
        let exact = names.iter().find_map(|m| if let Must::Be(name) = &m.must { Some(name) } else { None });
        let fits = |name: &str| names.iter().all(|m| m.must.holds(name));
        match exact {
            Some(name) if fits(name) => {
                if let Some(series) = self.names.get(name) {
                    self.filter(series, &others, &mut found);
                }
            }
            Some(_) => {}
            None => {
                for (_, series) in self.names.iter().filter(|(name, _)| fits(name)) {
                    self.filter(series, &others, &mut found);
                }
            }
        }
        found
    }

    fn filter(&self, series: &[Series], matchers: &[&Matcher], found: &mut Vec<Series>) {
        // What a whole target is called is looked at once.
        let mut last: Option<(u32, bool, Vec<&Matcher>)> = None;
        for one in series {
            if last.as_ref().is_none_or(|(source, ..)| *source != one.source) {
                let Some(source) = self.source(*one) else { continue };
                let (shared, own): (Vec<&Matcher>, Vec<&Matcher>) =
                    matchers.iter().copied().partition(|m| source.shared.has(&m.label));
                last = Some((one.source, shared.iter().all(|m| m.must.holds(source.shared.get(&m.label))), own));
            }
            let Some((_, true, matchers)) = &last else { continue };
            let fits = matchers.is_empty()
                || self
                    .source(*one)
                    .and_then(|s| s.own.get(one.slot as usize))
                    .is_some_and(|own| matchers.iter().all(|m| m.must.holds(own.get(&m.label))));
            if fits {
                found.push(*one);
            }
        }
    }
}
