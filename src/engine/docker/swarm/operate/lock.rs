//! The lock of a stack: a config object, whose name the managers give out once in the whole cluster and whose labels say
//! who holds it, why, and since when. No service uses it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::engine::docker::labels;
use crate::engine::docker::operate::lock_labels::{TRIES, held, is_of, labels_of};
use crate::engine::docker::wire::segment;
use crate::model::{LockHolder, OperationId};
use crate::operate::Accepted;

/// Names of configs are at most so long.
const NAME_LIMIT: usize = 64;
/// What it holds; it may not be empty. `quarterdeck` in base64.
const CONTENT: &str = "cXVhcnRlcmRlY2s=";

/// The name of a scope's lock; of a long one, its beginning and a number made from all of it.
fn name(scope: &str) -> String {
    let name = labels::lock_name(scope);
    if name.len() <= NAME_LIMIT {
        return name;
    }
    let number = crate::engine::docker::swarm::template::fingerprint(&Value::from(scope));
    let cut: String = name.chars().take(NAME_LIMIT - 17).collect();
    format!("{cut}-{number:016x}")
}

/// Takes the lock of `scope`, taking exactly the lock `replaces` away first.
pub(super) async fn take(
    client: &Client,
    scope: &str,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    let (name, words) = (name(scope), format!("the lock of {scope}"));
    let body = json!({ "Name": name, "Labels": labels_of(scope, holder), "Data": CONTENT });
    for _ in 0..TRIES {
        match client.post_json(&words, "/configs/create", &body, None).await {
            Ok(_) => return Ok(Accepted::Done),
            Err(EngineError::Conflict { .. }) => {}
            Err(other) => return Err(other),
        }
        let Some((id, written)) = find(client, &words, &name).await? else { continue };
        if is_of(&written, holder) {
            return Ok(Accepted::AlreadySo);
        }
        if !replaces.is_some_and(|old| is_of(&written, old)) {
            return Err(held(&written, &words, &format!("config {name}")));
        }
        give_back(client, &words, &id).await?;
    }
    Err(EngineError::Conflict { what: words.into(), cause: "it is taken and given back all the time".into() })
}

/// Gives the lock of `scope` back; with an operation, only if that one holds it.
pub(super) async fn release(client: &Client, scope: &str, operation: Option<&OperationId>) -> Result<Accepted, EngineError> {
    let words = format!("the lock of {scope}");
    let Some((id, written)) = find(client, &words, &name(scope)).await? else { return Ok(Accepted::AlreadySo) };
    let is_ours = operation.is_none_or(|op| written.get(labels::LOCK_OPERATION).is_some_and(|held| held == op.as_str()));
    if !written.contains_key(labels::LOCK) || !is_ours {
        return Ok(Accepted::AlreadySo);
    }
    // By id: were it given back and taken by somebody else meanwhile, theirs has another one.
    give_back(client, &words, &id).await
}

/// The config of this name: its id and labels.
async fn find(client: &Client, words: &str, name: &str) -> Result<Option<(String, HashMap<String, String>)>, EngineError> {
    let found: Value = match client.get_json(words, &format!("/configs/{}", segment(name))).await {
        Ok(found) => found,
        Err(EngineError::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    let labels = serde_json::from_value(found["Spec"]["Labels"].clone()).unwrap_or_default();
    Ok(Some((found["ID"].as_str().unwrap_or(name).to_owned(), labels)))
}

async fn give_back(client: &Client, words: &str, id: &str) -> Result<Accepted, EngineError> {
    match client.delete(words, &format!("/configs/{}", segment(id))).await {
        Ok(()) => Ok(Accepted::Done),
        Err(EngineError::NotFound { .. }) => Ok(Accepted::AlreadySo),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_room_for_every_scope_and_none_is_anothers() {
        assert_eq!(name("shop"), "quarterdeck-lock-shop");
        let (one, two) = (name(&format!("{}1", "s".repeat(60))), name(&format!("{}2", "s".repeat(60))));
        assert_eq!((one.len(), two.len()), (NAME_LIMIT, NAME_LIMIT));
        assert_ne!(one, two);
    }
}
