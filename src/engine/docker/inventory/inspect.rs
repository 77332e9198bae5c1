//! Inspections in the background: what looks wrong first, a few at a time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::engine::docker::wire::{Inspected, segment};
use crate::model::InstanceId;

/// Inspections under way at once.
const AT_ONCE: usize = 4;

type Answer = (InstanceId, Result<Inspected, EngineError>);

/// What is to be inspected and what is being.
pub(super) struct Inspections {
    client: Client,
    queue: VecDeque<InstanceId>,
    queued: HashSet<InstanceId>,
    /// Under way; true when it has to be asked again, because something happened meanwhile.
    asked: HashMap<InstanceId, bool>,
    running: FuturesUnordered<Pin<Box<dyn Future<Output = Answer> + Send>>>,
}

impl Inspections {
    pub(super) fn new(client: Client) -> Self {
        Self { client, queue: VecDeque::new(), queued: HashSet::new(), asked: HashMap::new(), running: FuturesUnordered::new() }
    }

    /// Adds these; the urgent go first. What waits already keeps its place.
    pub(super) fn want(&mut self, ids: Vec<(InstanceId, bool)>) {
        for (id, urgent) in ids {
            if let Some(again) = self.asked.get_mut(&id) {
                *again = true;
            } else if self.queued.insert(id.clone()) {
                if urgent { self.queue.push_front(id) } else { self.queue.push_back(id) }
            }
        }
        self.fill();
    }

    fn fill(&mut self) {
        while self.running.len() < AT_ONCE {
            let Some(id) = self.queue.pop_front() else { return };
            self.queued.remove(&id);
            self.asked.insert(id.clone(), false);
            let client = self.client.clone();
            self.running.push(Box::pin(async move {
                let path = format!("/containers/{}/json", segment(id.as_str()));
                let answer = client.get_json("Inspecting a container", &path).await;
                (id, answer)
            }));
        }
    }

    /// The next answer; never when nothing is asked.
    pub(super) async fn next(&mut self) -> Answer {
        match self.running.next().await {
            Some((id, answer)) => {
                if self.asked.remove(&id) == Some(true) {
                    self.queued.insert(id.clone());
                    self.queue.push_front(id.clone());
                }
                self.fill();
                (id, answer)
            }
            None => std::future::pending().await,
        }
    }

    /// Whether everything asked is answered.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }
}
