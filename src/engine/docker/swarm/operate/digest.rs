//! What exactly a tag means now: nodes fetch images one by one, and a tag may move between the first and the last.

use std::sync::Arc;

use serde::Deserialize;

use crate::engine::docker::client::Client;
use crate::engine::docker::operate::{encoded_credentials, registry_of};
use crate::engine::docker::wire::{or_default, segment};
use crate::engine::{EngineError, Report};
use crate::observe::text::clean;

/// An image to be run.
pub(super) struct Pinned {
    /// As nodes are told: `reg.example/web:2@sha256:…`, or without digest where none could be learnt.
    pub reference: String,
    /// The registry's digest; else the content on this node, where it is there.
    pub digest: Option<Arc<str>>,
    /// What nodes need to fetch it, encoded for the engine.
    pub credentials: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Distribution {
    #[serde(deserialize_with = "or_default")]
    descriptor: Descriptor,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Descriptor {
    #[serde(deserialize_with = "or_default")]
    digest: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Local {
    id: Option<String>,
}

/// Asks the image's registry what `image` is now.
pub(super) async fn resolve(client: &Client, image: &str, digest: Option<&str>, report: &Report) -> Result<Pinned, EngineError> {
    let credentials = encoded_credentials(registry_of(image)).await;
    if image.contains('@') {
        let digest = image.split_once('@').map(|(_, digest)| digest.into());
        return Ok(Pinned { reference: image.to_owned(), digest, credentials });
    }
    let path = format!("/distribution/{}/json", image.split('/').map(segment).collect::<Vec<_>>().join("/"));
    let what = format!("image {image}");
    let asked = client.get_json_with::<Distribution>(&what, &path, credentials.as_deref()).await;
    match asked.map(|found| found.descriptor.digest) {
        Ok(found) if found.starts_with("sha256:") => {
            report(format!("{} is {}", clean(image), clean(&found)));
            return Ok(Pinned { reference: format!("{image}@{found}"), digest: Some(found.into()), credentials });
        }
        // Not there, says the registry itself; one that cannot be asked says nothing.
        Err(EngineError::Rejected { message, .. }) if is_missing(&message) && !is_local(client, image).await => {
            return Err(EngineError::NotFound {
                what: format!("image {} (so its registry says: {message})", clean(image)).into(),
            });
        }
        Ok(_) | Err(_) => {}
    }
    report(format!("the registry of {} tells no digest: each node takes what the tag means to it", clean(image)));
    let local = local(client, image).await;
    let digest = digest.map(Into::into).or(local);
    Ok(Pinned { reference: image.to_owned(), digest, credentials })
}

fn is_missing(message: &str) -> bool {
    let lower = message.to_lowercase();
    ["manifest unknown", "name unknown"].iter().any(|words| lower.contains(words))
}

async fn is_local(client: &Client, image: &str) -> bool {
    local(client, image).await.is_some()
}

/// The content of the image on this node.
async fn local(client: &Client, image: &str) -> Option<Arc<str>> {
    let path = format!("/images/{}/json", image.split('/').map(segment).collect::<Vec<_>>().join("/"));
    let found: Local = client.get_json("Looking at an image", &path).await.ok()?;
    found.id.map(|id| clean(&id).into())
}
