//! The definition of a service or task as its manager has it, with what stands around it. Secrets are masked by whoever
//! shows it; what never may be shown is left out here.

use serde_json::{Map, Value, json};

use super::operate::Aim;
use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::engine::docker::known::Whereabouts;
use crate::engine::docker::labels;
use crate::engine::docker::wire::segment;
use crate::model::{EnvironmentId, InstanceId};

/// A service, and the networks, secrets (by name) and nodes of its environment.
///
/// # Errors
/// When there is no such service, or the manager cannot be asked.
pub async fn service(aim: &Aim<'_>, environment: &EnvironmentId) -> Result<Value, EngineError> {
    let (mut raw, _) = super::operate::find(aim).await?;
    for spec in ["Spec", "PreviousSpec"] {
        if let Some(labels) = raw.get_mut(spec).and_then(|spec| spec["Labels"].as_object_mut()) {
            leave_out(labels);
        }
    }
    let inventory = aim.client.known().inventory();
    let facts = inventory.iter().flat_map(|i| &i.environments).find(|s| &s.environment.id == environment).map(|s| &s.facts);
    // As sentences: under their own key the names of secrets would be masked like secrets.
    let around: Vec<String> = facts.into_iter().flatten().map(|(what, words)| format!("{what}: {words}")).collect();
    Ok(json!({ "Service": raw, "Around": around }))
}

/// Earlier definitions may hold secrets in places that are not known by name.
fn leave_out(labels: &mut Map<String, Value>) {
    labels.retain(|key, _| !key.starts_with(labels::TEMPLATE));
}

/// A task, with its container where that is on this node.
///
/// # Errors
/// As [`service`].
pub async fn task(client: &Client, id: &InstanceId, place: &Whereabouts) -> Result<Value, EngineError> {
    let task: Value = client.get_json(&format!("Task {id}"), &format!("/tasks/{}", segment(id.as_str()))).await?;
    let Some(container) = &place.container else { return Ok(json!({ "Task": task })) };
    let path = format!("/containers/{}/json", segment(container));
    match client.get_json::<Value>(&format!("Container {container}"), &path).await {
        Ok(container) => Ok(json!({ "Task": task, "Container": container })),
        Err(EngineError::NotFound { .. }) => Ok(json!({ "Task": task })),
        Err(other) => Err(other),
    }
}
