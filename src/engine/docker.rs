//! The Docker engine: Compose projects, loose containers, and Swarm services where the engine is a manager.

pub mod attach;
pub mod client;
pub mod compose;
pub mod context;
pub mod convert;
pub mod describe;
mod dial;
pub mod events;
mod hygiene;
mod inventory;
mod known;
pub mod labels;
pub mod logs;
pub mod operate;
pub mod ssh;
pub mod stats;
pub mod swarm;
pub mod wire;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use self::client::{Client, Pace};
use super::{Attached, Dialled, Engine, EngineError, Report, Shell, Topic, Update};
use crate::config::ConnectionSpec;
use crate::model::{EnvironmentId, InstanceId};
use crate::observe::hygiene::Survey;
use crate::observe::redact::Redaction;
use crate::operate::{Accepted, Action};

/// The engine of `spec`, its address pinned now. Never blocks and never fails: what is wrong comes as a
/// [`crate::model::Link`] of the inventory, which goes on trying. Only the inventory tells the link; the other topics
/// are silent while the engine is away and go on by themselves.
#[must_use]
pub fn connect(spec: &ConnectionSpec) -> Arc<dyn Engine> {
    connect_at(spec, Pace::default())
}

/// As [`connect`], at another pace.
#[must_use]
pub fn connect_at(spec: &ConnectionSpec, pace: Pace) -> Arc<dyn Engine> {
    Arc::new(Docker { client: Client::with_pace(spec, pace) })
}

/// Leaves nothing of the ways to engines behind: called once, at the end of the program.
pub fn leave() {
    ssh::leave();
}

struct Docker {
    client: Client,
}

impl Engine for Docker {
    fn subscribe(&self, topic: Topic) -> BoxStream<'static, Update> {
        let client = self.client.clone();
        match topic {
            Topic::Inventory => inventory::follow(client),
            Topic::Stats { instances, every } => stats::follow(client, instances, every),
            Topic::Logs(query) => logs::follow(client, query),
            Topic::Describe(subject) => describe::follow(client, subject),
        }
    }

    fn execute(&self, action: Action, report: Report) -> BoxFuture<'static, Result<Accepted, EngineError>> {
        let client = self.client.clone();
        async move { operate::execute(&client, action, report).await }.boxed()
    }

    fn redaction(&self) -> Arc<Redaction> {
        self.client.redaction().clone()
    }

    fn dial(&self, instance: InstanceId, port: u16) -> BoxFuture<'static, Result<Dialled, EngineError>> {
        let client = self.client.clone();
        async move { dial::dial(&client, &instance, port).await }.boxed()
    }

    fn survey(&self, environment: EnvironmentId) -> BoxFuture<'static, Result<Survey, EngineError>> {
        let client = self.client.clone();
        async move { hygiene::survey(&client, &environment).await }.boxed()
    }

    fn attach(&self, shell: Shell) -> BoxFuture<'static, Result<Attached, EngineError>> {
        let client = self.client.clone();
        async move { attach::attach(&client, shell).await }.boxed()
    }
}
