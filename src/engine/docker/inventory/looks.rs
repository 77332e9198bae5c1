//! When a Swarm is looked at: at once where an event says so, every second while tasks move (they move without events),
//! seldom else; never while a look is under way, and a slow manager less.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::LIST_REST;
use crate::engine::docker::client::Client;
use crate::engine::docker::swarm::{Look, Membership};

type Running = Pin<Box<dyn Future<Output = Option<Look>> + Send>>;

/// The looks at a Swarm, one at a time.
pub(super) struct Looks {
    client: Client,
    running: Option<(Instant, Running)>,
    due: Option<Instant>,
    /// The next look is at everything.
    whole: bool,
    /// No look before this.
    rested: Instant,
}

impl Looks {
    pub(super) fn new(client: Client) -> Self {
        let now = Instant::now();
        Self { client, running: None, due: Some(now), whole: true, rested: now }
    }

    /// Looks at everything at once: the engine was away.
    pub(super) fn begin_again(&mut self) {
        self.running = None;
        self.due = Some(Instant::now());
        self.whole = true;
    }

    /// Something happened: looks soon.
    pub(super) fn soon(&mut self, whole: bool) {
        let soon = (Instant::now() + self.client.pace().debounce).max(self.rested);
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        self.whole |= whole;
    }

    /// The next look; `None` where the engine could not be asked. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Look> {
        if self.running.is_none() {
            match self.due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
            self.due = None;
            let whole = std::mem::take(&mut self.whole);
            let look = Look::take(self.client.clone(), whole);
            self.running = Some((Instant::now(), Box::pin(look)));
        }
        let Some((begun, running)) = &mut self.running else { return None };
        let look = running.await;
        let now = Instant::now();
        self.rested = now + (now - *begun) * LIST_REST;
        self.running = None;
        look
    }

    /// Decides when to look again, by what was seen.
    pub(super) fn plan_next(&mut self, membership: &Membership) {
        let pace = self.client.pace();
        let (pause, whole) = match membership {
            Membership::Unknown | Membership::Lost { .. } => (pace.swarm_lost, true),
            Membership::Manager(cluster) if cluster.is_moving() => (pace.swarm_moving, false),
            // On one node every task that ends tells so by its container.
            Membership::Manager(cluster) if cluster.nodes.len() > 1 => (pace.swarm_idle, false),
            Membership::Manager(_) | Membership::Outside | Membership::Worker => (pace.resync, true),
        };
        self.wait_at_most(pause, whole);
    }

    fn wait_at_most(&mut self, pause: Duration, whole: bool) {
        let at = (Instant::now() + pause).max(self.rested);
        match self.due {
            Some(due) if due <= at => {}
            Some(_) | None => {
                self.due = Some(at);
                self.whole |= whole;
            }
        }
    }
}
