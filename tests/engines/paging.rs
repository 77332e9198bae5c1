//! The promise of pages: going up through a log page by page, every line is met once, whatever is written meanwhile.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use quarterdeck::engine::{Before, Engine, LogQuery, Topic, Update};
use quarterdeck::model::InstanceId;
use quarterdeck::observe::log::{LogBatch, Marker, Store};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const PATIENCE: Duration = Duration::from_secs(60);

/// Opens the end of a log and pages up to its beginning while it is followed; answers the texts, in order. `meanwhile` is
/// done before every page.
pub async fn it_pages_up(engine: &Arc<dyn Engine>, instance: &InstanceId, page: u64, meanwhile: impl Fn()) -> Vec<String> {
    let end = LogQuery { tail: Some(page), follow: true, ..LogQuery::of(instance.clone()) };
    let mut following = follow(engine, end.clone());
    let mut store = Store::new(1 << 28);
    // All of the oldest time has come once something newer has.
    while store.len() < 2 || store.get(0).map(|l| l.at) == store.get(store.len() - 1).map(|l| l.at) {
        store.push(&later(&mut following).await);
    }
    let mut pages = 0;
    loop {
        meanwhile();
        let query = LogQuery { before: Some(oldest(&store)), follow: false, ..end.clone() };
        let mut topic = engine.subscribe(Topic::Logs(query));
        let batch = next(&mut topic).await.expect("a page");
        assert!(batch.older && next(&mut topic).await.is_none(), "a page is one batch");
        let begins = batch.line(0).is_some_and(|l| l.marker == Some(&Marker::Begin));
        let lines = (0..batch.chunk.len()).filter_map(|i| batch.line(i)).filter(|l| l.marker.is_none()).count();
        assert!(begins || lines as u64 == page, "page {pages} has {lines} lines");
        store.push(&batch);
        pages += 1;
        // What comes at the end goes on coming.
        while let Ok(batch) = following.try_recv() {
            store.push(&batch);
        }
        if begins {
            break;
        }
    }
    let mut whole = read_all(engine, instance).await;
    while texts(&store).len() < whole.len() {
        store.push(&later(&mut following).await);
    }
    let held = texts(&store);
    // Two streams may be written a little out of order: which lines are there is compared.
    let mut ours = held[..whole.len()].to_vec();
    ours.sort_unstable();
    whole.sort_unstable();
    let differs = ours.iter().zip(&whole).position(|(a, b)| a != b);
    assert_eq!(differs.map(|n| (n, &ours[n], &whole[n])), None, "of {} after {pages} pages", whole.len());
    held
}

fn follow(engine: &Arc<dyn Engine>, query: LogQuery) -> UnboundedReceiver<LogBatch> {
    let (sender, receiver) = unbounded_channel();
    let mut topic = engine.subscribe(Topic::Logs(query));
    tokio::spawn(async move {
        while let Some(update) = topic.next().await {
            if let Update::Logs(batch) = update
                && sender.send(batch).is_err()
            {
                return;
            }
        }
    });
    receiver
}

async fn later(following: &mut UnboundedReceiver<LogBatch>) -> LogBatch {
    tokio::time::timeout(PATIENCE, following.recv()).await.expect("nothing comes").expect("the log has ended")
}

/// The whole log of an instance, texts only.
pub async fn read_all(engine: &Arc<dyn Engine>, instance: &InstanceId) -> Vec<String> {
    let mut topic = engine.subscribe(Topic::Logs(LogQuery::of(instance.clone())));
    let mut store = Store::new(1 << 28);
    while let Some(batch) = next(&mut topic).await {
        store.push(&batch);
    }
    texts(&store)
}

/// What a reader who holds this asks with.
fn oldest(store: &Store) -> Before {
    let lines = || (0..store.len()).filter_map(|i| store.get(i)).filter(|l| l.marker.is_none());
    let at = lines().next().expect("something is held").at;
    Before { at, same: lines().take_while(|l| l.at == at).count() as u64, held: lines().count() as u64 }
}

fn texts(store: &Store) -> Vec<String> {
    (0..store.len()).filter_map(|i| store.get(i)).filter(|l| l.marker.is_none()).map(|l| l.text.to_owned()).collect()
}

/// The next batch; a test that waits in vain fails instead of hanging.
async fn next(topic: &mut BoxStream<'static, Update>) -> Option<LogBatch> {
    let wait = async {
        loop {
            match topic.next().await {
                Some(Update::Logs(batch)) => return Some(batch),
                Some(_) => {}
                None => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("nothing comes")
}
