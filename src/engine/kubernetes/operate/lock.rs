//! The lock of an environment: a Lease, made or replaced in one call, so that of two who want it one gets it. A `ConfigMap`
//! of the same name where leases are forbidden.

use http::Method;
use serde_json::{Value, json};

use super::call::{annotation, create, delete, managed, text, within};
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::lock_note::{self, ANNOTATION, NAME, is_of};
use crate::model::{EnvironmentId, LockHolder, OperationId};
use crate::operate::Accepted;

/// How often taking is tried when the lock changes hands between the refusal and the look at who holds it.
const TRIES: u32 = 3;

/// What a lock is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Lease,
    ConfigMap,
}

impl Form {
    const ALL: [Self; 2] = [Self::Lease, Self::ConfigMap];

    fn other(self) -> Self {
        match self {
            Self::Lease => Self::ConfigMap,
            Self::ConfigMap => Self::Lease,
        }
    }

    fn path(self, namespace: &str, name: &str) -> String {
        match self {
            Self::Lease => within("/apis/coordination.k8s.io/v1", namespace, "leases", name),
            Self::ConfigMap => within("/api/v1", namespace, "configmaps", name),
        }
    }

    fn body(self, namespace: &str, holder: &LockHolder) -> Value {
        let (version, kind) = match self {
            Self::Lease => ("coordination.k8s.io/v1", "Lease"),
            Self::ConfigMap => ("v1", "ConfigMap"),
        };
        let mut body = json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": { "name": NAME, "namespace": namespace, "annotations": { ANNOTATION: lock_note::print(holder) } },
        });
        match self {
            Self::Lease => {
                body["spec"] = json!({ "holderIdentity": &*holder.by, "acquireTime": format!("{:.6}", holder.since) });
            }
            Self::ConfigMap => body["data"] = json!({ "holder": &*holder.by, "why": &*holder.why }),
        }
        body
    }
}

/// Takes the lock of an environment.
///
/// # Errors
/// [`EngineError::Conflict`] naming who holds it; what the server refused.
pub(super) async fn take(
    client: &Client,
    environment: &EnvironmentId,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    let namespace = lock_note::namespace(client.namespace(environment).await?.as_ref());
    let what = format!("the lock of {environment}");
    match take_as(client, Form::Lease, &namespace, &what, holder, replaces).await {
        Err(EngineError::Forbidden { .. }) => take_as(client, Form::ConfigMap, &namespace, &what, holder, replaces).await,
        other => other,
    }
}

async fn take_as(
    client: &Client,
    form: Form,
    namespace: &str,
    what: &str,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    // Somebody who may do less, or more, has it in the other form.
    if let Some(other) = seen(client, form.other(), namespace, what).await? {
        match written(&other) {
            Some(now) if is_of(&now, holder) => return Ok(Accepted::AlreadySo),
            Some(now) if replaces.is_some_and(|old| is_of(&now, old)) => {
                give_back(client, form.other(), namespace, what, &other).await?;
            }
            Some(_) => return Err(held(&other, what)),
            None => {}
        }
    }
    let body = form.body(namespace, holder);
    for _ in 0..TRIES {
        match create(client, what, &form.path(namespace, ""), &body).await {
            Ok(_) => return Ok(Accepted::Done),
            Err(EngineError::Conflict { .. }) => {}
            Err(other) => return Err(other),
        }
        let Some(there) = found(client, form, namespace, what).await? else { continue };
        let now = written(&there);
        if now.as_ref().is_some_and(|now| is_of(now, holder)) {
            return Ok(Accepted::AlreadySo);
        }
        if !now.as_ref().is_some_and(|now| replaces.is_some_and(|old| is_of(now, old))) {
            return Err(held(&there, what));
        }
        let mut next = body.clone();
        next["metadata"]["resourceVersion"] = there.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
        let path = managed(&form.path(namespace, NAME));
        let sent = next.to_string().into_bytes();
        match client.ask::<Value>(what, Method::PUT, &path, sent, Some("application/json")).await {
            Ok(_) => return Ok(Accepted::Done),
            Err(EngineError::Conflict { .. } | EngineError::NotFound { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Err(EngineError::Conflict { what: what.into(), cause: "it is taken and given back all the time".into() })
}

/// The lock of this form, where there is one.
async fn found(client: &Client, form: Form, namespace: &str, what: &str) -> Result<Option<Value>, EngineError> {
    match client.get(what, &form.path(namespace, NAME)).await {
        Ok(there) => Ok(Some(there)),
        Err(EngineError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// As [`found`]; one that may not be seen is none.
async fn seen(client: &Client, form: Form, namespace: &str, what: &str) -> Result<Option<Value>, EngineError> {
    match found(client, form, namespace, what).await {
        Err(EngineError::Forbidden { .. }) => Ok(None),
        other => other,
    }
}

fn written(raw: &Value) -> Option<LockHolder> {
    annotation(raw, ANNOTATION).and_then(lock_note::parse)
}

/// Somebody else holds the lock, or something else has its name.
fn held(raw: &Value, what: &str) -> EngineError {
    let cause = match written(raw) {
        Some(holder) if holder.why.is_empty() => format!("{} has held it since {}", holder.by, holder.since),
        Some(holder) => format!("{} has held it since {}: {}", holder.by, holder.since, holder.why),
        None => format!("{} {NAME} has its name and is no lock", text(raw, "/kind")),
    };
    EngineError::Conflict { what: what.into(), cause: cause.into() }
}

/// Gives the lock of an environment back; with an operation, only if that one holds it.
///
/// # Errors
/// What the server refused.
pub(super) async fn release(
    client: &Client,
    environment: &EnvironmentId,
    operation: Option<&OperationId>,
) -> Result<Accepted, EngineError> {
    let namespace = lock_note::namespace(client.namespace(environment).await?.as_ref());
    let what = format!("the lock of {environment}");
    let mut answer = Accepted::AlreadySo;
    for form in Form::ALL {
        let Some(there) = seen(client, form, &namespace, &what).await? else { continue };
        let Some(holder) = written(&there) else { continue };
        if operation.is_none_or(|operation| holder.operation.as_ref() == Some(operation))
            && give_back(client, form, &namespace, &what, &there).await?
        {
            answer = Accepted::Done;
        }
    }
    Ok(answer)
}

/// Deletes exactly the lock that was seen: were it given back and taken by somebody else meanwhile, theirs is another one.
async fn give_back(client: &Client, form: Form, namespace: &str, what: &str, there: &Value) -> Result<bool, EngineError> {
    let version = there.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
    let options = json!({ "preconditions": { "uid": text(there, "/metadata/uid"), "resourceVersion": version } });
    match delete(client, what, &form.path(namespace, NAME), &options).await {
        Err(EngineError::Conflict { .. }) => Ok(false),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn holder() -> LockHolder {
        LockHolder {
            by: "ada@desk".into(),
            host: "desk".into(),
            pid: 7,
            pid_started: 99,
            why: "deploy api".into(),
            since: Timestamp::from_second(0).unwrap(),
            operation: Some("op-1".into()),
            request: None,
        }
    }

    #[test]
    fn either_form_says_who_holds_it() {
        for form in Form::ALL {
            let body = form.body("shop", &holder());
            assert_eq!(written(&body), Some(holder()));
            let error = held(&body, "the lock of shop").to_string();
            assert_eq!(error, "the lock of shop is in the way: ada@desk has held it since 1970-01-01T00:00:00Z: deploy api");
        }
        let lease = Form::Lease.body("shop", &holder());
        assert_eq!(lease["spec"], json!({ "holderIdentity": "ada@desk", "acquireTime": "1970-01-01T00:00:00.000000Z" }));
        let foreign = json!({ "kind": "Lease", "metadata": {} });
        let error = held(&foreign, "the lock of shop").to_string();
        assert_eq!(error, "the lock of shop is in the way: Lease quarterdeck-lock has its name and is no lock");
    }
}
