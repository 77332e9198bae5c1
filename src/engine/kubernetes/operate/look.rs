//! Looks before a change: what the nodes have of an image, and whether their disks are full. A registry cannot be asked
//! from here: the nodes fetch what they need by themselves.

use serde_json::Value;

use super::call::{items, text};
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::operate::Accepted;

/// What the nodes have of an image.
///
/// # Errors
/// None for an image nobody has: that is told when a pod cannot be started.
pub(super) async fn image(client: &Client, image: &str) -> Result<Accepted, EngineError> {
    let words = match nodes(client).await {
        Ok(nodes) => on_nodes(&nodes, image),
        // Who may not look at nodes may deploy all the same.
        Err(EngineError::Forbidden { .. }) => "the nodes fetch it when they need it".to_owned(),
        Err(other) => return Err(other),
    };
    Ok(Accepted::Reading { value: None, words: words.into() })
}

fn on_nodes(nodes: &Value, image: &str) -> String {
    let has = |node: &&Value| {
        let images = node.pointer("/status/images").and_then(Value::as_array).into_iter().flatten();
        let names = images.flat_map(|one| one.get("names").and_then(Value::as_array).into_iter().flatten());
        names.filter_map(Value::as_str).any(|name| is_it(name, image))
    };
    let (having, all) = (items(nodes).filter(has).count(), items(nodes).count());
    if having == all && all > 0 {
        return format!("on all {all} nodes");
    }
    // A kubelet lists only its fifty largest: what is not in a list may be there.
    format!("known to be on {having} of {all} nodes; the others fetch it when they need it")
}

/// A kubelet names images in full, a person does not.
fn is_it(name: &str, image: &str) -> bool {
    name == image
        || name.strip_prefix("docker.io/").is_some_and(|rest| rest == image || rest.strip_prefix("library/") == Some(image))
}

/// Whether no node's disk is as full as its kubelet allows.
///
/// # Errors
/// [`EngineError::Unmet`] naming those whose is.
pub(super) async fn disk(client: &Client) -> Result<Accepted, EngineError> {
    let nodes = match nodes(client).await {
        Ok(nodes) => nodes,
        Err(EngineError::Forbidden { why, .. }) => {
            let words = format!("not known: {why}").into();
            return Ok(Accepted::Reading { value: None, words });
        }
        Err(other) => return Err(other),
    };
    let full: Vec<String> = items(&nodes).filter(|node| presses(node)).map(|node| text(node, "/metadata/name")).collect();
    if !full.is_empty() {
        let why = format!("{} has DiskPressure", full.join(", ")).into();
        return Err(EngineError::Unmet { what: "The disks of the nodes".into(), why });
    }
    Ok(Accepted::Reading { value: None, words: "no node has DiskPressure; how much is free they do not say".into() })
}

fn presses(node: &Value) -> bool {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    conditions.into_iter().any(|one| text(one, "/type") == "DiskPressure" && text(one, "/status") == "True")
}

async fn nodes(client: &Client) -> Result<Value, EngineError> {
    client.get("Listing nodes", "/api/v1/nodes").await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nodes_have_is_told_and_what_they_do_not_is_no_failure() {
        let node = |names: &[&str]| json!({ "status": { "images": [{ "names": names }] } });
        let nodes = json!({ "items": [node(&["docker.io/library/redis:7", "docker.io/lms/api:1"]), node(&["lms/api:1"])] });
        for (image, expected) in [
            ("lms/api:1", "on all 2 nodes"),
            ("redis:7", "known to be on 1 of 2 nodes; the others fetch it when they need it"),
            ("redis:8", "known to be on 0 of 2 nodes; the others fetch it when they need it"),
        ] {
            assert_eq!(on_nodes(&nodes, image), expected, "{image}");
        }
    }

    #[test]
    fn pressure_is_what_a_kubelet_says() {
        let node = |status: &str| json!({ "status": { "conditions": [{ "type": "DiskPressure", "status": status }] } });
        assert!(presses(&node("True")) && !presses(&node("False")) && !presses(&json!({})));
    }
}
