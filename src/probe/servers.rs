//! The alerts and silences of servers, and of the file on this machine, asked for again and again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use tokio::time::Instant;

use super::pace::Pace;
use super::{alertmanager, prometheus, safe, silences};
use crate::observe::rule::silence::Silences;
use crate::observe::watch::{Asked, ServerWatch, SilencesWatch, Told};

/// Between two questions.
const EVERY: Duration = Duration::from_secs(15);
/// What is added to it, at most, where nobody answers.
const MORE: Duration = Duration::from_secs(45);
/// Between two looks at the file.
const LOOK: Duration = Duration::from_secs(2);

/// A question that is asked by its own rhythm, less and less often while nobody answers.
struct Question<W> {
    watch: W,
    pace: Pace,
    failed: u32,
}

impl<W> Question<W> {
    fn new(watch: W) -> Self {
        Self { watch, pace: Pace::new(EVERY), failed: 0 }
    }

    async fn turn(&mut self) {
        self.pace.turn().await;
        // The rhythm has waited once already.
        let more = EVERY.saturating_mul((1 << self.failed.min(3)) - 1).min(MORE);
        if !more.is_zero() {
            tokio::time::sleep_until(Instant::now() + more).await;
        }
    }

    fn asked<T>(&mut self, read: Result<T, String>) -> Asked<T> {
        // The first failure is asked about again soon: a server that restarts is back by then.
        self.failed = if read.is_ok() { 0 } else { self.failed + 1 };
        Asked { at: Timestamp::now(), read: read.map(Arc::new).map_err(|why| safe(&why)) }
    }
}

/// The alerts of a Prometheus server.
pub(super) fn prometheus(watch: ServerWatch) -> impl Stream<Item = Asked<Told>> + Send {
    stream::unfold(Question::new(watch), |mut question| async move {
        question.turn().await;
        let read = prometheus::alerts(&question.watch.server).await;
        Some((question.asked(read), question))
    })
}

/// The silences of an Alertmanager.
pub(super) fn alertmanager(watch: ServerWatch) -> impl Stream<Item = Asked<Silences>> + Send {
    stream::unfold(Question::new(watch), |mut question| async move {
        question.turn().await;
        let read = alertmanager::silences(&question.watch.server).await;
        Some((question.asked(read), question))
    })
}

/// The silences made on this machine: told at once, and again whenever they have changed.
pub(super) fn file(watch: SilencesWatch) -> impl Stream<Item = Asked<Silences>> + Send {
    stream::unfold((watch, None::<Result<Silences, String>>), |(watch, mut last)| async move {
        loop {
            if last.is_some() {
                tokio::time::sleep(LOOK).await;
            }
            let (path, environment, now) = (watch.path.clone(), watch.environment.name.clone(), Timestamp::now());
            let look = tokio::task::spawn_blocking(move || silences::read(&path, &environment, now));
            let read = look.await.unwrap_or_else(|error| Err(error.to_string()));
            if last.as_ref() != Some(&read) {
                last = Some(read.clone());
                let asked = Asked { at: now, read: read.map(Arc::new).map_err(|why| safe(&why)) };
                return Some((asked, (watch, last)));
            }
        }
    })
}
