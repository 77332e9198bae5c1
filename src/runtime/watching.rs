//! Watches are followed while they are wanted, as topics are ([`super::follow`]): the difference to before is started and
//! stopped, and what comes late from one no longer wanted is dropped.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::task::AbortHandle;

use crate::app::Msg;
use crate::model::ConnectionId;
use crate::observe::watch::Watch;
use crate::probe;

use super::Incoming;
use super::follow::Engines;

/// The watches being followed.
#[derive(Default)]
pub(super) struct Watching {
    running: BTreeMap<(ConnectionId, Watch), AbortHandle>,
}

impl Watching {
    /// Stops what is no longer wanted and starts what is newly wanted.
    pub(super) fn settle(
        &mut self,
        wanted: BTreeSet<(ConnectionId, Watch)>,
        engines: &Engines,
        handle: &Handle,
        inbox: &Sender<Incoming>,
    ) {
        self.running.retain(|key, task| {
            let stays = wanted.contains(key);
            if !stays {
                task.abort();
            }
            stays
        });
        for key in wanted {
            if self.running.contains_key(&key) {
                continue;
            }
            let (engine, inbox, watch) = (engines.get(&key.0).cloned(), inbox.clone(), key.1.clone());
            let task = handle.spawn(async move {
                let mut sightings = probe::watch::follow(engine, watch.clone());
                while let Some(sighting) = sightings.next().await {
                    let message = Incoming::Msg(Msg::Sighted { watch: Box::new(watch.clone()), sighting });
                    if inbox.send(message).await.is_err() {
                        return;
                    }
                }
            });
            self.running.insert(key, task.abort_handle());
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        for task in self.running.values() {
            task.abort();
        }
    }
}
