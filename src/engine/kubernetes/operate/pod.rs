//! Pods taken away: evicted, as their budgets allow, or deleted at once. Their controller makes others.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::call::{create, delete, pod, text, within};
use crate::engine::kubernetes::client::Client;
use crate::engine::{EngineError, Report};
use crate::model::InstanceId;
use crate::operate::Accepted;

/// How often a pod that is ending is looked at, and how much longer than its own grace it may take.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const BEYOND_GRACE: Duration = Duration::from_secs(15);

/// What a server says to an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Evicted,
    Gone,
    /// A budget does not allow it now: why.
    NotNow(String),
}

/// Asks for the eviction of a pod.
pub(super) async fn evict(client: &Client, namespace: &str, name: &str) -> Result<Said, EngineError> {
    let path = format!("{}/eviction", within("/api/v1", namespace, "pods", name));
    let body = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "name": name, "namespace": namespace },
    });
    match create(client, &format!("Evicting pod {namespace}/{name}"), &path, &body).await {
        Ok(_) => Ok(Said::Evicted),
        Err(EngineError::NotFound { .. }) => Ok(Said::Gone),
        Err(EngineError::Rejected { status: 429, message, .. }) => Ok(Said::NotNow(message.to_string())),
        Err(other) => Err(other),
    }
}

/// Takes a pod away and waits until it is gone; `force`: at once, whatever its budget says and without its grace.
///
/// # Errors
/// [`EngineError::Unmet`] when its budget does not allow it, with the budget's numbers; what the server refused.
pub(super) async fn remove(
    client: &Client,
    instance: &InstanceId,
    force: bool,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let (namespace, name) = pod(instance)?;
    let path = within("/api/v1", namespace, "pods", name);
    let what = format!("Pod {namespace}/{name}");
    let there: Value = match client.get(&what, &path).await {
        Ok(there) => there,
        Err(EngineError::NotFound { .. }) => return Ok(Accepted::AlreadySo),
        Err(other) => return Err(other),
    };
    let uid = text(&there, "/metadata/uid");
    if force {
        // By its identity: what has its name by now is another one.
        let options = json!({ "gracePeriodSeconds": 0, "preconditions": { "uid": uid } });
        if !delete(client, &what, &path, &options).await? {
            return Ok(Accepted::AlreadySo);
        }
    } else {
        match evict(client, namespace, name).await? {
            Said::Evicted => {}
            Said::Gone => return Ok(Accepted::AlreadySo),
            Said::NotNow(why) => {
                let why = format!("{why}; wait until more are healthy, or kill it, which asks no budget").into();
                return Err(EngineError::Unmet { what: what.into(), why });
            }
        }
    }
    let grace = there.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_u64).unwrap_or(30);
    let limit = BEYOND_GRACE + Duration::from_secs(if force { 0 } else { grace });
    report(format!("waiting for {namespace}/{name} to end"));
    if !is_gone(client, &path, &uid, limit).await {
        report(format!("{namespace}/{name} is still ending after {} s", limit.as_secs()));
    }
    Ok(Accepted::Done)
}

/// Waits until the pod with this uid is gone; another one may have its name by then.
async fn is_gone(client: &Client, path: &str, uid: &str, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        match client.get::<Value>("A pod that is ending", path).await {
            Err(EngineError::NotFound { .. }) => return true,
            Ok(now) if text(&now, "/metadata/uid") != uid => return true,
            Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    false
}

/// A signal to a pod: only the one that kills can be told from outside.
///
/// # Errors
/// [`EngineError::Unsupported`] for any other signal; else as [`remove`].
pub(super) async fn kill(client: &Client, instance: &InstanceId, signal: &str, report: &Report) -> Result<Accepted, EngineError> {
    if matches!(signal, "KILL" | "SIGKILL" | "9") {
        return remove(client, instance, true, report).await;
    }
    let what = format!("Sending {signal} to pod {instance}").into();
    Err(EngineError::Unsupported { what, why: "the server passes no signals on; run `kill` in the pod instead".into() })
}
