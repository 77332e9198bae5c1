//! Topics as streams: a topic is written as a plain loop that hands over updates; whoever polls the stream drives it, so
//! nothing runs ahead of its reader and dropping the stream stops everything.

use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use crate::engine::Update;

/// Updates handed over before the loop has to wait for its reader.
const AHEAD: usize = 4;

/// Where a topic's loop puts its updates.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Outlet {
    sender: mpsc::Sender<Update>,
}

impl Outlet {
    /// Hands an update over, waiting until there is room. False when nobody reads any more.
    pub(in crate::engine) async fn send(&self, update: Update) -> bool {
        self.sender.send(update).await.is_ok()
    }
}

/// The stream of what `run` hands over; it ends when `run` does.
pub(in crate::engine) fn drive<F, Fut>(run: F) -> BoxStream<'static, Update>
where
    F: FnOnce(Outlet) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let loop_ = stream::once(run(Outlet { sender })).filter_map(|()| std::future::ready(None));
    let updates = stream::poll_fn(move |context| receiver.poll_recv(context));
    stream::select(updates, loop_).boxed()
}
