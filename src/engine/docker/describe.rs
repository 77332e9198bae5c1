//! The describe topic: a container's definition as the engine has it, secrets masked, again whenever it changes.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use serde_json::Value;
use tokio::time::sleep;

use super::client::Client;
use super::swarm;
use super::wire::segment;
use crate::engine::outlet::drive;
use crate::engine::{Description, EngineError, Subject, Update};
use crate::model::{InstanceId, Inventory};
use crate::observe::redact;
use crate::observe::text::clean;

/// Follows a definition. It waits for the inventory where it needs one to know the newest instance of a workload.
#[must_use]
pub fn follow(client: Client, subject: Subject) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let mut inventories = client.known().inventories();
        let mut last: Option<Arc<Description>> = None;
        loop {
            inventories.mark_unchanged();
            match describe(&client, &subject).await {
                Ok(lines) => {
                    let description = Arc::new(Description { subject: subject.clone(), lines });
                    if last.as_ref() != Some(&description) {
                        last = Some(description.clone());
                        if !outlet.send(Update::Description(description)).await {
                            return;
                        }
                    }
                }
                Err(error) if error.is_transient() => {
                    tokio::select! {
                        () = sleep(client.pace().retry_cap) => {}
                        _ = inventories.changed() => {}
                    }
                    continue;
                }
                Err(error) => {
                    let lines = vec![error.to_string().into(), error.hint().into()];
                    let description = Arc::new(Description { subject: subject.clone(), lines });
                    if last.as_ref() != Some(&description) {
                        last = Some(description.clone());
                        if !outlet.send(Update::Description(description)).await {
                            return;
                        }
                    }
                }
            }
            // The client lives as long as this loop, so that there is always somebody to wait for.
            let _: Result<(), _> = inventories.changed().await;
        }
    })
}

async fn describe(client: &Client, subject: &Subject) -> Result<Vec<Arc<str>>, EngineError> {
    let id = match subject {
        Subject::Revision(_, workload, number) | Subject::Between(_, workload, _, number) => {
            let what = format!("the definition of revision {number} of {workload}");
            return Err(EngineError::Unsupported {
                what: what.into(),
                why: "this engine keeps the image of a revision only".into(),
            });
        }
        Subject::Node(_, node) => {
            let what = format!("node {node}");
            return Err(EngineError::Unsupported { what: what.into(), why: "nodes are described on Kubernetes".into() });
        }
        Subject::Instance(id) => match client.known().whereabouts(id) {
            Some(place) => return Ok(lines(swarm::describe::task(client, id, &place).await?)),
            None => id.clone(),
        },
        Subject::Workload(environment, workload) => {
            if let Some(aim) = swarm::operate::aim(client, environment, workload) {
                return Ok(lines(swarm::describe::service(&aim, environment).await?));
            }
            let inventory = client.known().inventory();
            let what = || EngineError::NotFound { what: format!("{environment}/{workload}").into() };
            let waiting = || EngineError::TimedOut { what: "The list of containers".into(), seconds: 0 };
            newest(&*inventory.ok_or_else(waiting)?, subject).ok_or_else(what)?
        }
    };
    let short = id.as_str().get(..12).unwrap_or(id.as_str());
    let value: Value =
        client.get_json(&format!("Container {short}"), &format!("/containers/{}/json", segment(id.as_str()))).await?;
    Ok(lines(value))
}

/// The newest replica of a workload.
fn newest(inventory: &Inventory, subject: &Subject) -> Option<InstanceId> {
    let Subject::Workload(environment, workload) = subject else { return None };
    let snapshot = inventory.environments.iter().find(|s| &s.environment.id == environment)?;
    let workload = snapshot.workload(workload)?;
    let newest = workload.replicas().max_by_key(|i| (i.revision, i.created_at, i.number));
    newest.or(workload.instances.first()).map(|i| i.id.clone())
}

/// The lines of a definition: pretty JSON, sanitised and masked.
#[must_use]
pub fn lines(mut value: Value) -> Vec<Arc<str>> {
    mask(None, &mut value);
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    // JSON escapes control characters; what is left to do is what it lets through.
    text.lines().map(|line| clean(line).into()).collect()
}

/// Masks by the name a value goes under, as `KEY=value` in environments, and by its look everywhere.
fn mask(name: Option<&str>, value: &mut Value) {
    match value {
        Value::String(text) => {
            let secret = name.is_some_and(redact::is_secret_name) && !text.is_empty();
            let masked = if secret { redact::MASK.to_owned() } else { plain(text) };
            *text = masked;
        }
        Value::Array(list) => {
            for item in list {
                match item {
                    Value::String(entry) if name == Some("Env") => *entry = plain(&redact::env_entry(entry)),
                    Value::String(_) | Value::Array(_) | Value::Object(_) => mask(name, item),
                    Value::Null | Value::Bool(_) | Value::Number(_) => {}
                }
            }
        }
        Value::Object(map) => {
            // A label of ours may hold a whole request; the names of others are theirs.
            *map = std::mem::take(map)
                .into_iter()
                .map(|(key, mut value)| {
                    mask(Some(&key), &mut value);
                    (clean(&key).into_owned(), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn plain(text: &str) -> String {
    redact::text(&clean(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let value = serde_json::json!({
            "Name": "/web\u{1b}[31m\u{202e}",
            "Config": {
                "Env": ["DB_PASSWORD=hunter2", "PLAIN=x", "URL=postgres://a:hunter3@db"],
                "Cmd": ["serve", "--password=hunter4", "-v"],
                "Labels": { "traefik.basicauth.secret": "hunter5", "note": "ok", "odd\u{1b}[2J": "1" },
            },
            "HostConfig": { "Memory": 5, "Binds": null },
        });
        let text = lines(value).join("\n");
        assert!(!text.contains("hunter") && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        for kept in
            ["\"PLAIN=x\"", "DB_PASSWORD=••••••", "\"Name\": \"/web\"", "\"note\": \"ok\"", "\"odd\"", "\"Memory\": 5", "\"-v\""]
        {
            assert!(text.contains(kept), "{kept} in {text}");
        }
    }
}
