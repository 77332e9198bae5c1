//! One call to the engine: bounded in time, and its failure said in our words, about the thing it was for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ImageInspect};

use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::observe::redact::Redaction;
use crate::observe::text::clean;

/// Bound of a call that only looks something up or notes something down.
pub(in crate::engine::docker) const SHORT: Duration = Duration::from_secs(20);
/// Bound of a call that makes or starts something.
pub(in crate::engine::docker) const LONG: Duration = Duration::from_secs(60);

/// The connection an action is done over.
#[derive(Clone)]
pub(in crate::engine::docker) struct Wire {
    client: Client,
    pub(in crate::engine::docker) docker: Docker,
}

impl Wire {
    /// Over this client, the API version agreed on.
    pub(in crate::engine::docker) async fn of(client: &Client) -> Result<Self, EngineError> {
        Ok(Self { client: client.clone(), docker: client.docker().await? })
    }

    /// What is masked in what is read over it.
    pub(in crate::engine::docker) fn redaction(&self) -> &Arc<Redaction> {
        self.client.redaction()
    }

    /// The pinned target, for messages.
    pub(in crate::engine::docker) fn endpoint(&self) -> Arc<str> {
        self.client.endpoint()
    }

    /// Runs one call that is given up after `limit`; `what` names the thing it is about.
    pub(in crate::engine::docker) async fn call<T, F, A>(&self, what: &str, limit: Duration, call: F) -> Result<T, EngineError>
    where
        F: FnOnce(Docker) -> A,
        A: Future<Output = Result<T, Error>>,
    {
        // The client's own bound is for its other calls; a stop may take as long as its grace.
        let docker = self.docker.clone().with_timeout(limit + SHORT);
        match tokio::time::timeout(limit, call(docker)).await {
            Ok(answer) => answer.map_err(|error| self.failure(what, error)),
            Err(_) => Err(EngineError::TimedOut { what: clean(what).into(), seconds: limit.as_secs() }),
        }
    }

    /// The engine's failure about `what`, in our words.
    pub(in crate::engine::docker) fn failure(&self, what: &str, error: Error) -> EngineError {
        let refusal = match &error {
            Error::DockerResponseServerError { status_code, message } => answered(what, *status_code, message),
            _ => None,
        };
        refusal.unwrap_or_else(|| self.client.fail(&clean(what), error))
    }

    /// A container's definition and state.
    pub(in crate::engine::docker) async fn container(&self, id: &str) -> Result<ContainerInspectResponse, EngineError> {
        self.call(&container_words(id), SHORT, |docker| async move { docker.inspect_container(id, None).await }).await
    }

    /// An image, by reference or id; `None` when it is not there.
    pub(in crate::engine::docker) async fn image(&self, image: &str) -> Result<Option<ImageInspect>, EngineError> {
        let answer = self.call(&format!("image {image}"), SHORT, |docker| async move { docker.inspect_image(image).await }).await;
        match answer {
            Err(EngineError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }
}

/// How a container is named in messages when nothing but its id (or name) is at hand.
pub(in crate::engine::docker) fn container_words(id: &str) -> String {
    let is_id = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    format!("container {}", if is_id { super::name::short(id) } else { id })
}

/// What the engine's words tell beyond its status, when they do.
fn answered(what: &str, status: u16, message: &str) -> Option<EngineError> {
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let what: Arc<str> = clean(what).into();
    let message: Arc<str> = clean(message.trim()).into();
    if says(&["port is already allocated", "address already in use", "ports are not available"]) {
        return Some(EngineError::Conflict { what, cause: message });
    }
    if status != 404 {
        return None;
    }
    // A missing network or program answers 404 too: only a missing container or image is the thing itself.
    Some(if says(&["no such container", "no such image", "no such exec"]) {
        EngineError::NotFound { what }
    } else {
        EngineError::Rejected { what, status, message }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_sorted_by_what_can_be_done_about_it() {
        for (status, message, expected) in [
            (404, "No such container: 4f1c", Some("container web does not exist")),
            (404, "network shop_back not found", Some("container web was rejected (404): network shop_back not found")),
            (
                500,
                "Bind for 0.0.0.0:80 failed: port is already allocated",
                Some("container web is in the way: Bind for 0.0.0.0:80 failed: port is already allocated"),
            ),
            (409, "removal is in progress", None),
            (500, "something else", None),
        ] {
            assert_eq!(answered("container web", status, message).map(|e| e.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn a_long_id_is_cut_in_messages_and_a_name_is_not() {
        assert_eq!(container_words(&"ab".repeat(32)), "container abababababab");
        assert_eq!(container_words("shop_web_1"), "container shop_web_1");
    }
}
