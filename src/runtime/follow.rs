//! Topics are followed while they are wanted: the difference to before is started and stopped, and what arrives late
//! from a topic no longer wanted is dropped. Logs that nobody reads on are held: their streams are not asked for more, so
//! that it waits where it is, in the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::app::Msg;
use crate::engine::{Engine, Topic, Update};
use crate::model::{ConnectionId, Link};

use super::Incoming;

/// What is wanted: a topic of a connection.
pub(super) type Wanted = BTreeSet<(ConnectionId, Topic)>;
/// The engines by connection.
pub(super) type Engines = Arc<BTreeMap<ConnectionId, Arc<dyn Engine>>>;

/// The topics being followed.
#[derive(Default)]
pub(super) struct Following {
    running: BTreeMap<(ConnectionId, Topic), Running>,
    current: BTreeSet<u64>,
    last: u64,
    held: watch::Sender<bool>,
}

struct Running {
    id: u64,
    task: AbortHandle,
}

impl Following {
    /// Stops what is no longer wanted and starts what is newly wanted.
    pub(super) fn settle(&mut self, wanted: Wanted, engines: &Engines, handle: &Handle, inbox: &Sender<Incoming>) {
        let gone: Vec<_> = self.running.keys().filter(|key| !wanted.contains(*key)).cloned().collect();
        for key in gone {
            self.stop(&key);
        }
        for key in wanted {
            if self.running.contains_key(&key) {
                continue;
            }
            let Some(engine) = engines.get(&key.0) else { continue };
            self.last += 1;
            let id = self.last;
            let task = handle.spawn(follow(id, key.clone(), engine.clone(), inbox.clone(), self.held.subscribe())).abort_handle();
            self.current.insert(id);
            self.running.insert(key, Running { id, task });
        }
    }

    /// Stops what tells of a connection's inventory, so that the next [`Self::settle`] asks again.
    pub(super) fn ask_again(&mut self, connection: &ConnectionId) {
        self.stop(&(connection.clone(), Topic::Inventory));
    }

    /// Holds the logs that are followed, or lets them go on. Pages of history come all the same.
    pub(super) fn hold(&self, on: bool) {
        self.held.send_if_modified(|held| std::mem::replace(held, on) != on);
    }

    /// Whether what carries this id is still wanted.
    pub(super) fn is_current(&self, id: u64) -> bool {
        self.current.contains(&id)
    }

    fn stop(&mut self, key: &(ConnectionId, Topic)) {
        if let Some(running) = self.running.remove(key) {
            running.task.abort();
            self.current.remove(&running.id);
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.task.abort();
        }
    }
}

/// Follows one topic to its end, which for most is never. A fault of ours ends in words on the screen, not in a feed
/// that silently says nothing any more.
async fn follow(
    id: u64,
    (connection, topic): (ConnectionId, Topic),
    engine: Arc<dyn Engine>,
    inbox: Sender<Incoming>,
    mut held: watch::Receiver<bool>,
) {
    let inventory = topic == Topic::Inventory;
    let waits = matches!(&topic, Topic::Logs(query) if query.before.is_none());
    let stream = async {
        let mut stream = engine.subscribe(topic);
        loop {
            // Nobody holds it any more when the session has ended; then the inbox is closed too.
            if waits && held.wait_for(|held| !held).await.is_err() {
                return;
            }
            let Some(update) = stream.next().await else { return };
            let message = Incoming::Update { id, connection: connection.clone(), update };
            if inbox.send(message).await.is_err() {
                return;
            }
        }
    };
    if AssertUnwindSafe(stream).catch_unwind().await.is_ok() {
        return;
    }
    let error = "a fault in quarterdeck itself ended this feed; please report it (--log-file says more)";
    let message = if inventory {
        let update = Update::Link(Link::Failed {
            since: Timestamp::now(),
            error: error.into(),
            hint: "refresh to follow again".into(),
            retry_at: None,
        });
        Incoming::Update { id, connection, update }
    } else {
        Incoming::Msg(Msg::Note { ok: false, text: error.into() })
    };
    // Nobody is left to tell when it is closed.
    drop(inbox.send(message).await);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::BoxFuture;
    use futures_util::stream::{self, BoxStream};

    use super::*;
    use crate::engine::{Attached, Before, EngineError, LogQuery, Report, Shell};
    use crate::observe::log::{ChunkBuilder, LogBatch, Stream};
    use crate::operate::{Accepted, Action};

    /// Says each topic once and then nothing more, but logs without end; panics on descriptions.
    #[derive(Default)]
    struct Fake(Mutex<Vec<Topic>>);

    fn line() -> Update {
        let mut chunk = ChunkBuilder::new();
        chunk.line(Timestamp::UNIX_EPOCH, Stream::Stdout, b"line");
        Update::Logs(LogBatch::new("a".into(), Arc::new(chunk.finish())))
    }

    impl Engine for Fake {
        fn subscribe(&self, topic: Topic) -> BoxStream<'static, Update> {
            assert!(!matches!(topic, Topic::Describe(_)), "on purpose");
            self.0.lock().unwrap().push(topic.clone());
            if let Topic::Logs(query) = topic {
                let page = query.before.is_some();
                return stream::repeat_with(line).take(if page { 1 } else { usize::MAX }).boxed();
            }
            stream::once(async { Update::Events(Vec::new()) }).chain(stream::pending()).boxed()
        }

        fn execute(&self, _: Action, _: Report) -> BoxFuture<'static, Result<Accepted, EngineError>> {
            async { Ok(Accepted::Done) }.boxed()
        }

        fn attach(&self, _: Shell) -> BoxFuture<'static, Result<Attached, EngineError>> {
            async { Err(EngineError::NotFound { what: "x".into() }) }.boxed()
        }
    }

    fn stats(instance: &str) -> (ConnectionId, Topic) {
        let instances = BTreeSet::from([instance.into()]);
        ("c".into(), Topic::Stats { instances, every: std::time::Duration::from_secs(1) })
    }

    #[tokio::test]
    async fn only_the_difference_is_started_and_the_late_are_dropped() {
        let fake = Arc::new(Fake::default());
        let engines: Engines = Arc::new(BTreeMap::from([("c".into(), fake.clone() as Arc<dyn Engine>)]));
        let (sender, mut inbox) = tokio::sync::mpsc::channel(8);
        let mut following = Following::default();
        let inventory = (ConnectionId::from("c"), Topic::Inventory);
        let here = Handle::current();
        following.settle(BTreeSet::from([inventory.clone(), stats("a")]), &engines, &here, &sender);
        let mut first = Vec::new();
        inbox.recv_many(&mut first, 1).await;
        inbox.recv_many(&mut first, 1).await;
        following.settle(BTreeSet::from([inventory.clone(), stats("b")]), &engines, &here, &sender);
        let Some(Incoming::Update { id, .. }) = inbox.recv().await else { panic!("the new topic speaks") };
        assert!(following.is_current(id));
        assert_eq!(fake.0.lock().unwrap().len(), 3, "what was wanted before is not asked for again");
        let late = first.iter().filter(|m| matches!(m, Incoming::Update { id, .. } if !following.is_current(*id))).count();
        assert_eq!(late, 1, "of the two first only the inventory is still wanted");
        following.ask_again(&inventory.0);
        following.settle(BTreeSet::from([inventory, stats("b")]), &engines, &here, &sender);
        assert!(inbox.recv().await.is_some());
        assert_eq!(fake.0.lock().unwrap().len(), 4);
    }

    #[tokio::test]
    async fn a_held_log_is_not_read_on_and_a_page_of_it_comes() {
        let engines: Engines = Arc::new(BTreeMap::from([("c".into(), Arc::new(Fake::default()) as Arc<dyn Engine>)]));
        let (sender, mut inbox) = tokio::sync::mpsc::channel(4);
        let mut following = Following::default();
        let log = LogQuery { follow: true, ..LogQuery::of("a".into()) };
        let before = Some(Before { at: Timestamp::UNIX_EPOCH, same: 1, held: 1 });
        let page = LogQuery { before, follow: false, ..log.clone() };
        let wanted = |query: &LogQuery| (ConnectionId::from("c"), Topic::Logs(query.clone()));
        let here = Handle::current();
        following.settle(BTreeSet::from([wanted(&log)]), &engines, &here, &sender);
        assert!(inbox.recv().await.is_some());
        following.hold(true);
        // What was on its way still comes: the inbox full and one in hand.
        let mut late = 0;
        loop {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            match inbox.try_recv() {
                Ok(_) => late += 1,
                Err(_) => break,
            }
        }
        assert!(late <= 6, "{late} batches came");
        following.settle(BTreeSet::from([wanted(&log), wanted(&page)]), &engines, &here, &sender);
        let Some(Incoming::Update { id, .. }) = inbox.recv().await else { panic!("a page") };
        assert_eq!(id, 2, "the page comes, the log waits");
        following.hold(false);
        assert!(matches!(inbox.recv().await, Some(Incoming::Update { id: 1, .. })), "and goes on");
    }

    #[tokio::test]
    async fn a_fault_of_ours_is_told() {
        let engines: Engines = Arc::new(BTreeMap::from([("c".into(), Arc::new(Fake::default()) as Arc<dyn Engine>)]));
        let (sender, mut inbox) = tokio::sync::mpsc::channel(8);
        let mut following = Following::default();
        let describe = (ConnectionId::from("c"), Topic::Describe(crate::engine::Subject::Instance("a".into())));
        following.settle(BTreeSet::from([describe]), &engines, &Handle::current(), &sender);
        let told = inbox.recv().await;
        assert!(matches!(told, Some(Incoming::Msg(Msg::Note { ok: false, .. }))), "{told:?}");
    }
}
