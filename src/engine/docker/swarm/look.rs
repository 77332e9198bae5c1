//! One look at what a manager knows, and what the answer says about this node.

use std::sync::Arc;

use futures_util::future::try_join3;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::{Config, Network, Node, Service, Task};
use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::engine::docker::labels;
use crate::engine::docker::wire::segment;

/// What is asked for less often: it tells by events when it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    pub nodes: Vec<Node>,
    pub networks: Vec<Network>,
    /// Only the locks.
    pub configs: Vec<Config>,
}

/// What a look has shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The engine is in no Swarm.
    Outside,
    Worker,
    Manager {
        services: Vec<Service>,
        tasks: Vec<Task>,
        around: Option<Around>,
    },
    /// The Swarm does not answer: no quorum, locked, or the engine is away.
    Trouble(Arc<str>),
}

/// A look, as old as the question.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    pub at: Timestamp,
    pub answer: Answer,
}

impl Look {
    /// Looks now; `whole` asks for nodes, networks and locks, too.
    /// `None` where the engine itself is away: that says nothing of the Swarm.
    pub async fn take(client: Client, whole: bool) -> Option<Self> {
        let at = Timestamp::now();
        match ask(&client, whole).await {
            Ok(answer) => Some(Self { at, answer }),
            Err(
                EngineError::Unreachable { .. }
                | EngineError::Permission { .. }
                | EngineError::Tls { .. }
                | EngineError::Ssh { .. },
            ) => None,
            Err(error) => Some(Self { at, answer: membership(&error) }),
        }
    }
}

async fn ask(client: &Client, whole: bool) -> Result<Answer, EngineError> {
    // First alone: an engine outside any Swarm says so at once, and nothing else is asked.
    let services = list(client, "Listing services", "/services").await?;
    let tasks = list(client, "Listing tasks", "/tasks");
    if !whole {
        return Ok(Answer::Manager { services, tasks: tasks.await?, around: None });
    }
    let networks = format!("/networks?filters={}", segment(r#"{"scope":["swarm"]}"#));
    let names = serde_json::json!({ "name": [labels::lock_name("")] }).to_string();
    let configs = format!("/configs?filters={}", segment(&names));
    let around = try_join3(
        list(client, "Listing nodes", "/nodes"),
        list(client, "Listing networks", &networks),
        list(client, "Listing locks", &configs),
    );
    let (tasks, (nodes, networks, configs)) = futures_util::future::try_join(tasks, around).await?;
    Ok(Answer::Manager { services, tasks, around: Some(Around { nodes, networks, configs }) })
}

/// A list; an odd entry is passed over.
async fn list<T: DeserializeOwned>(client: &Client, what: &str, path: &str) -> Result<Vec<T>, EngineError> {
    let entries: Option<Vec<Value>> = client.get_json(what, path).await?;
    let entries = entries.unwrap_or_default();
    let all = entries.len();
    let read: Vec<T> = entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
    if read.len() < all {
        tracing::warn!(odd = all - read.len(), what, "entries could not be read");
    }
    Ok(read)
}

/// What a refusal says about this node, by the engine's words (its status is 503 for all of them).
#[must_use]
pub fn membership(error: &EngineError) -> Answer {
    if let EngineError::NotFound { .. } = error {
        return Answer::Outside;
    }
    let EngineError::Rejected { status, message, .. } = error else { return Answer::Trouble(error.to_string().into()) };
    if message.contains("Worker nodes can't") {
        Answer::Worker
    } else if message.contains("not a swarm manager") || matches!(status, 501 | 405 | 403) {
        Answer::Outside
    } else {
        Answer::Trouble(message.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_the_node_is() {
        let of = |message: &str| {
            membership(&EngineError::Rejected { what: "Listing services".into(), status: 503, message: message.into() })
        };
        let outside = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";
        assert_eq!(of(outside), Answer::Outside);
        let worker = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.";
        assert_eq!(of(worker), Answer::Worker);
        let lost = "rpc error: code = Unknown desc = The swarm does not have a leader.";
        assert_eq!(of(lost), Answer::Trouble(lost.into()));
        assert_eq!(membership(&EngineError::NotFound { what: "services".into() }), Answer::Outside);
        assert!(matches!(membership(&EngineError::TimedOut { what: "x".into(), seconds: 20 }), Answer::Trouble(_)));
    }
}
