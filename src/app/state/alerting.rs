//! What is known of the alerts of one environment, before it is put together: what a server tells, what is evaluated here,
//! and the silences of both.

use std::sync::Arc;

use jiff::Timestamp;

use crate::observe::rule::alert::Evaluation;
use crate::observe::rule::file::Rules;
use crate::observe::rule::silence::Silences;
use crate::observe::watch::Told;

/// Something that is asked again and again: what it last said, and why it does not now.
#[derive(Clone, Debug)]
pub struct Heard<T> {
    pub last: Option<Arc<T>>,
    pub at: Option<Timestamp>,
    /// Since when it does not answer, and why.
    pub trouble: Option<(Timestamp, Arc<str>)>,
}

impl<T> Default for Heard<T> {
    fn default() -> Self {
        Self { last: None, at: None, trouble: None }
    }
}

impl<T> Heard<T> {
    /// Takes in an answer, or why there is none.
    pub fn take(&mut self, at: Timestamp, read: Result<Arc<T>, Arc<str>>) {
        match read {
            Ok(read) => (self.last, self.at, self.trouble) = (Some(read), Some(at), None),
            Err(why) => {
                let since = self.trouble.as_ref().map_or(at, |(since, _)| *since);
                self.trouble = Some((since, why));
            }
        }
    }

    /// Whether it has answered, or has failed to.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.last.is_some() || self.trouble.is_some()
    }
}

/// The alerts of one environment and their silences, by where they come from.
#[derive(Debug, Default)]
pub struct Alerting {
    /// What the Prometheus server says.
    pub prometheus: Heard<Told>,
    /// Silences of the Alertmanager, and of the file on this machine.
    pub alertmanager: Heard<Silences>,
    pub file: Heard<Silences>,
    /// Where there is no server: the rules at work, and those they were made of.
    pub evaluation: Evaluation,
    pub rules: Arc<Rules>,
}

impl Alerting {
    /// Whether any silence is known.
    #[must_use]
    pub fn has_silences(&self) -> bool {
        [&self.alertmanager.last, &self.file.last].into_iter().flatten().any(|kept| !kept.all.is_empty())
    }

    /// Everything that does not answer, in words.
    #[must_use]
    pub fn troubles(&self) -> Vec<Arc<str>> {
        let said = [&self.prometheus.trouble, &self.alertmanager.trouble, &self.file.trouble];
        said.into_iter().flatten().map(|(_, why)| why.clone()).collect()
    }
}
