//! Where the lines of an instance come from: its container, or for a Swarm task of another node its manager.

use std::sync::Arc;

use super::{Look, short};
use crate::engine::docker::client::Client;
use crate::engine::docker::swarm::wire::Task;
use crate::engine::docker::wire::segment;
use crate::engine::{EngineError, LogQuery};
use crate::model::InstanceId;
use crate::observe::redact;
use crate::observe::text::clean;

/// Where to ask.
pub(super) enum Source {
    Container(Arc<str>),
    /// Its manager hands the log through; it can be followed, but not cut off at a time.
    Task(Arc<str>),
}

impl Source {
    /// Of this instance now: a task has no container before it starts.
    pub(super) fn of(client: &Client, id: &InstanceId) -> Self {
        match client.known().whereabouts(id) {
            Some(task) => task.container.map_or_else(|| Self::Task(id.0.clone()), Self::Container),
            None => Self::Container(id.0.clone()),
        }
    }

    /// The path of its log.
    pub(super) fn path(&self) -> String {
        let (kind, id) = match self {
            Self::Container(id) => ("containers", id),
            Self::Task(id) => ("tasks", id),
        };
        format!("/{kind}/{}/logs?stdout=true&stderr=true&timestamps=true", segment(id))
    }

    /// The path of what is known of it.
    pub(super) fn inspection(&self) -> String {
        match self {
            Self::Container(id) => format!("/containers/{}/json", segment(id)),
            Self::Task(id) => format!("/tasks/{}", segment(id)),
        }
    }
}

/// What is to be read: a task ends once and is never started again, so the run before it is the attempt before it in its
/// place. `None` where there was none.
pub(super) fn meant(client: &Client, query: &LogQuery) -> Option<(InstanceId, LogQuery)> {
    let task = client.known().whereabouts(&query.instance).filter(|_| query.previous);
    match task {
        None => Some((query.instance.clone(), query.clone())),
        Some(task) => Some((task.before?, LogQuery { previous: false, follow: false, ..query.clone() })),
    }
}

/// How a task is, by its manager.
pub(super) async fn look(client: &Client, id: &str) -> Result<Look, EngineError> {
    let source = Source::Task(id.into());
    let found: Task = match client.get_json(&format!("Task {}", short(id)), &source.inspection()).await {
        Ok(found) => found,
        Err(EngineError::NotFound { .. }) => return Ok(Look::Gone),
        Err(error) => return Err(error),
    };
    let error = found.status.err.trim();
    let why = if error.is_empty() { String::new() } else { format!(": {}", redact::text(&clean(error))) };
    Ok(match found.status.state.as_str() {
        "complete" | "shutdown" => Look::Ended("the task has ended".into()),
        "failed" | "rejected" | "orphaned" | "remove" => Look::Ended(format!("the task has failed{why}")),
        _ => Look::Runs,
    })
}
