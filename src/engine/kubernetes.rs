//! The Kubernetes engine: one context of a kubeconfig, its namespaces as environments. The wire's types stop here.

pub mod attach;
pub mod client;
pub mod convert;
pub mod copy;
pub mod describe;
pub mod dial;
pub mod exec;
pub mod file;
mod hygiene;
pub mod inventory;
pub mod known;
pub mod kubeconfig;
pub mod lock_note;
pub mod logs;
pub mod metrics;
pub mod object;
pub mod once;
pub mod operate;
mod pace;
pub mod permissions;
pub mod place;
mod script;
pub mod watch;
pub mod wire;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use self::client::Client;
use super::{Attached, Dialled, Engine, EngineError, Report, Shell, Topic, Update};
use crate::config::ConnectionSpec;
use crate::model::{EnvironmentId, InstanceId};
use crate::observe::hygiene::Survey;
use crate::observe::redact::Redaction;
use crate::operate::{Accepted, Action};

/// The engine of `spec`, its context pinned now. Never blocks and never fails: what is wrong comes as a
/// [`crate::model::Link`] of the inventory, which goes on trying.
#[must_use]
pub fn connect(spec: &ConnectionSpec) -> Arc<dyn Engine> {
    Arc::new(Kubernetes { client: Client::new(spec) })
}

struct Kubernetes {
    client: Client,
}

impl Engine for Kubernetes {
    fn subscribe(&self, topic: Topic) -> BoxStream<'static, Update> {
        let client = self.client.clone();
        match topic {
            Topic::Inventory => inventory::follow(client),
            Topic::Stats { instances, every } => metrics::follow(client, instances, every),
            Topic::Logs(query) => logs::follow(client, query),
            Topic::Describe(subject) => describe::follow(client, subject),
        }
    }

    fn execute(&self, action: Action, report: Report) -> BoxFuture<'static, Result<Accepted, EngineError>> {
        self.client.known().acted();
        operate::execute(self.client.clone(), action, report).boxed()
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
