//! Several streams of lines to one, by time. A stream is asked for more only when all it gave has been taken.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, timeout_at};

use crate::engine::Update;
use crate::model::Link;
use crate::observe::log::{LineView, LogBatch};

/// While following, how long a line waits for an older one of another instance.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whose lines they are, in words.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// In the order they joined: gives the colour.
    pub number: usize,
    pub environment: String,
    pub workload: String,
    pub instance: String,
}

/// The streams and what each has given that is not taken yet.
pub(super) struct Merge {
    inputs: Vec<Input>,
    sources: Vec<Source>,
    follow: bool,
    /// Until then lines wait for older ones.
    patient_until: Option<Instant>,
}

struct Input {
    source: usize,
    stream: BoxStream<'static, Update>,
    batch: Option<LogBatch>,
    next: usize,
    ended: bool,
}

/// One line, held together with the memory it lies in.
pub(super) struct Line {
    batch: LogBatch,
    index: usize,
}

impl Line {
    /// The line itself.
    pub(super) fn view(&self) -> Option<LineView<'_>> {
        self.batch.line(self.index)
    }
}

impl Input {
    fn at(&self) -> Option<jiff::Timestamp> {
        self.batch.as_ref()?.line(self.next).map(|l| l.at)
    }

    fn is_empty(&self) -> bool {
        self.at().is_none()
    }
}

impl Merge {
    pub(super) fn new(follow: bool) -> Self {
        Self { inputs: Vec::new(), sources: Vec::new(), follow, patient_until: None }
    }

    /// Adds a stream.
    pub(super) fn add(&mut self, source: Source, stream: BoxStream<'static, Update>) {
        self.sources.push(source);
        self.inputs.push(Input { source: self.sources.len() - 1, stream, batch: None, next: 0, ended: false });
    }

    /// Whether every stream has ended and all was taken.
    pub(super) fn is_over(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Forgets the streams that have nothing more to say.
    pub(super) fn sweep(&mut self) {
        self.inputs.retain(|i| !(i.ended && i.is_empty()));
    }

    /// The oldest line, once no older one can come, or none came in time.
    pub(super) fn next(&mut self) -> Option<(&Source, Line)> {
        let waiting = self.inputs.iter().any(|i| i.is_empty() && !i.ended);
        let impatient = self.patient_until.is_some_and(|until| Instant::now() >= until);
        if waiting && !impatient {
            if self.follow && self.patient_until.is_none() && self.inputs.iter().any(|i| !i.is_empty()) {
                self.patient_until = Some(Instant::now() + PATIENCE);
            }
            return None;
        }
        let (index, _) =
            self.inputs.iter().enumerate().filter_map(|(n, i)| i.at().map(|at| (n, at))).min_by_key(|(_, at)| *at)?;
        let input = self.inputs.get_mut(index)?;
        let line = Line { batch: input.batch.clone()?, index: input.next };
        input.next += 1;
        if self.inputs.iter().all(Input::is_empty) {
            self.patient_until = None;
        }
        let input = self.inputs.get(index)?;
        Some((self.sources.get(input.source)?, line))
    }

    /// Waits until a stream that was taken from whole has more, or lines have waited long enough. Answers with trouble a
    /// stream has.
    pub(super) async fn more(&mut self) -> Option<String> {
        let until = self.patient_until;
        let inputs = &mut self.inputs;
        let news = poll_fn(|cx| {
            let mut trouble = None;
            let mut moved = false;
            for input in inputs.iter_mut().filter(|i| i.is_empty() && !i.ended) {
                // A feed may say much without saying a line.
                loop {
                    match input.stream.poll_next_unpin(cx) {
                        Poll::Pending => break,
                        Poll::Ready(None) => {
                            input.ended = true;
                            moved = true;
                            break;
                        }
                        Poll::Ready(Some(Update::Logs(batch))) => {
                            input.batch = Some(batch);
                            input.next = 0;
                            if !input.is_empty() {
                                moved = true;
                                break;
                            }
                        }
                        Poll::Ready(Some(Update::Link(Link::Stale { error, .. } | Link::Failed { error, .. }))) => {
                            trouble = Some(error.to_string());
                            moved = true;
                        }
                        Poll::Ready(Some(
                            Update::Link(Link::Connecting | Link::Live { .. })
                            | Update::Inventory(_)
                            | Update::Events(_)
                            | Update::Samples(_)
                            | Update::Description(_),
                        )) => {}
                    }
                }
            }
            if moved { Poll::Ready(trouble) } else { Poll::Pending }
        });
        match until {
            Some(until) => timeout_at(until, news).await.unwrap_or(None),
            None => news.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use jiff::Timestamp;

    use super::*;
    use crate::observe::log::{ChunkBuilder, Stream};

    fn source(name: &str) -> Source {
        Source { number: 0, environment: "e".into(), workload: "w".into(), instance: name.into() }
    }

    fn batch(name: &str, lines: &[(i64, &str)]) -> Update {
        let mut chunk = ChunkBuilder::new();
        for (second, text) in lines {
            chunk.line(Timestamp::from_second(*second).unwrap(), Stream::Stdout, text.as_bytes());
        }
        Update::Logs(LogBatch::new(name.into(), Arc::new(chunk.finish())))
    }

    async fn all(merge: &mut Merge) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            while let Some((source, line)) = merge.next() {
                let text = line.view().unwrap().text.to_owned();
                seen.push(format!("{}:{text}", source.instance));
            }
            merge.sweep();
            if merge.is_over() {
                return seen;
            }
            merge.more().await;
        }
    }

    #[tokio::test]
    async fn lines_of_several_instances_come_in_order_of_time() {
        let mut merge = Merge::new(false);
        merge.add(source("a"), stream::iter([batch("a", &[(1, "1"), (4, "4")]), batch("a", &[(5, "5")])]).boxed());
        merge.add(source("b"), stream::iter([batch("b", &[(2, "2"), (3, "3"), (9, "9")])]).boxed());
        merge.add(source("c"), stream::empty().boxed());
        assert_eq!(all(&mut merge).await, ["a:1", "b:2", "b:3", "a:4", "a:5", "b:9"]);
    }

    #[tokio::test]
    async fn while_following_a_silent_instance_does_not_hold_up_the_others() {
        let mut merge = Merge::new(true);
        merge.add(source("a"), stream::iter([batch("a", &[(1, "1"), (2, "2")])]).chain(stream::pending()).boxed());
        merge.add(source("b"), stream::pending().boxed());
        assert!(merge.next().is_none());
        merge.more().await;
        assert!(merge.next().is_none(), "an older line of b may still come");
        assert!(merge.patient_until.is_some());
        merge.patient_until = Some(Instant::now());
        assert!(merge.next().is_some(), "it did not");
        assert!(merge.next().is_some());
        assert!(merge.next().is_none());
    }

    #[tokio::test]
    async fn trouble_of_a_stream_is_told() {
        let failed = Link::Failed { since: Timestamp::UNIX_EPOCH, error: "gone".into(), hint: "".into(), retry_at: None };
        let mut merge = Merge::new(false);
        merge.add(source("a"), stream::iter([Update::Link(failed)]).boxed());
        assert_eq!(merge.more().await.as_deref(), Some("gone"));
    }
}
