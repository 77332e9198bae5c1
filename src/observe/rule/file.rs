//! Prometheus rule files, read as they are: groups of rules, with the place of everything that is wrong.
//! <https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/>

mod read;
mod span;

use std::sync::Arc;
use std::time::Duration;

use crate::model::Problem;

use super::expr::Expr;
use super::template::Template;

pub use read::read;
pub use span::{parse_span, spell_span};

/// The rules of an environment, out of all of its files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    pub groups: Vec<Arc<Group>>,
    /// What is wrong in the files, or not evaluated here.
    pub problems: Vec<Problem>,
}

impl Rules {
    /// Takes in the rules of another file.
    pub fn add(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.problems.extend(other.problems);
    }

    /// Every rule, in order.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }

    /// Whether there is nothing to evaluate and nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.problems.is_empty()
    }
}

/// Rules that are evaluated one after the other, at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The file it stands in, for people.
    pub file: Arc<str>,
    pub name: Arc<str>,
    /// Between two evaluations; `None` where the file leaves it to the server.
    pub interval: Option<Duration>,
    /// So many alerts or series one rule may give; 0 is no limit.
    pub limit: usize,
    /// The expressions are evaluated so much before the time of the evaluation.
    pub offset: Duration,
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Of the alert, or of the series that is recorded.
    pub name: Arc<str>,
    /// As it was written, sanitised.
    pub expression: Arc<str>,
    /// Or why it is not evaluated: a sentence.
    pub expr: Result<Expr, Arc<str>>,
    pub labels: Vec<(Arc<str>, Template)>,
    pub does: Does,
    /// Line of the file, from 1.
    pub line: usize,
}

/// What a rule does with what its expression gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    Alert(Alerting),
    Record,
}

/// What only alerting rules have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// It must hold for so long before it fires (`for`).
    pub after: Duration,
    /// It goes on firing for so long when it does not hold any more.
    pub keep: Duration,
    pub annotations: Vec<(Arc<str>, Template)>,
}

#[cfg(test)]
mod tests;
