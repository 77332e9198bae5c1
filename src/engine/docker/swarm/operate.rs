//! The operating half of Swarm: a manager is told what a service is to be. Every change reads the service, changes the
//! little it is about and writes all of it back, as it came, at the version that was read.

mod change;
mod digest;
mod lock;
mod pace;

use serde_json::{Value, json};

use self::change::{Told, change, change_with};
use super::history::History;
use super::wire::Service;
use crate::engine::docker::client::Client;
use crate::engine::docker::convert::Group;
use crate::engine::docker::labels;
use crate::engine::{EngineError, Report};
use crate::model::{EnvironmentId, InstanceId, LockHolder, OperationId, Revision, WorkloadId};
use crate::operate::{Accepted, Pacing};

/// What is changed: a service of a stack, over one connection.
pub struct Aim<'a> {
    pub client: &'a Client,
    pub group: Group,
    pub workload: &'a WorkloadId,
}

/// The aim of an action where its environment is of Swarm's; none where quarterdeck makes the instances itself.
#[must_use]
pub fn aim<'a>(client: &'a Client, environment: &EnvironmentId, workload: &'a WorkloadId) -> Option<Aim<'a>> {
    let group = client.group(environment);
    group.is_swarm().then_some(Aim { client, group, workload })
}

/// Sets the number of replicas; what a stopped one had is remembered for its start.
///
/// # Errors
/// [`EngineError::Conflict`] when somebody else changes that number meanwhile; what the manager refused.
pub async fn set_replicas(aim: &Aim<'_>, replicas: u32) -> Result<Accepted, EngineError> {
    let number = |spec: &Value| spec["Mode"]["Replicated"]["Replicas"].as_u64();
    change(aim, number, |_, spec| {
        let Some(before) = number(spec) else {
            return Err(EngineError::Unsupported {
                what: format!("scaling {}", aim.workload).into(),
                why: "it has no number of replicas".into(),
            });
        };
        if before == u64::from(replicas) {
            return Ok(Told::Already);
        }
        spec["Mode"]["Replicated"]["Replicas"] = json!(replicas);
        let resting = (replicas == 0).then(|| before.to_string());
        change::label(spec, labels::RESTING, resting.as_deref());
        Ok(Told::Changed)
    })
    .await
}

/// Has every task replaced by a fresh one of the same definition.
///
/// # Errors
/// As [`set_replicas`].
pub async fn roll_out(aim: &Aim<'_>, operation: &OperationId, pacing: Option<&Pacing>) -> Result<Accepted, EngineError> {
    change(aim, forced, |service, spec| {
        if service.spec.labels.get(labels::OPERATION).is_some_and(|o| o == operation.as_str()) {
            return Ok(Told::Already);
        }
        spec["TaskTemplate"]["ForceUpdate"] = json!(forced(spec).unwrap_or(0) + 1);
        change::label(spec, labels::OPERATION, Some(operation.as_str()));
        pace::set(spec, pacing);
        Ok(Told::Changed)
    })
    .await
}

fn forced(spec: &Value) -> Option<u64> {
    spec["TaskTemplate"]["ForceUpdate"].as_u64()
}

/// Gives a service the image of `revision`, pinned by the digest its registry tells now where it tells one.
///
/// # Errors
/// [`EngineError::NotFound`] when the registry surely has no such image; else as [`set_replicas`].
pub async fn set_image(
    aim: &Aim<'_>,
    revision: &Revision,
    pacing: Option<&Pacing>,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let pinned = digest::resolve(aim.client, &revision.image, revision.digest.as_deref(), report).await?;
    let answer = change_with(aim, pinned.credentials.as_deref(), template, |service, spec| {
        let history = History::of(service);
        if is_there(&history, revision) {
            return Ok(Told::Already);
        }
        let image = &mut spec["TaskTemplate"]["ContainerSpec"]["Image"];
        let again = *image == json!(pinned.reference);
        *image = json!(pinned.reference);
        if again {
            // The same words for what may be another content: made anew all the same.
            spec["TaskTemplate"]["ForceUpdate"] = json!(forced(spec).unwrap_or(0) + 1);
        }
        // Where it can run is the image's to say, not the one's before.
        if let Some(placement) = spec["TaskTemplate"]["Placement"].as_object_mut() {
            placement.remove("Platforms");
        }
        let recorded = Revision { digest: pinned.digest.clone(), ..revision.clone() };
        record(spec, history, recorded);
        pace::set(spec, pacing);
        Ok(Told::Changed)
    });
    answer.await
}

/// Gives a service the whole definition of an earlier revision back.
///
/// # Errors
/// [`EngineError::NotFound`] when that is not on record; else as [`set_replicas`].
pub async fn revert(aim: &Aim<'_>, to: u64, revision: &Revision, pacing: Option<&Pacing>) -> Result<Accepted, EngineError> {
    change(aim, template, |service, spec| {
        let history = History::of(service);
        if is_there(&history, revision) {
            return Ok(Told::Already);
        }
        let Some(old) = history.template(to).cloned() else {
            let what = format!("the definition of revision {to} of {}", aim.workload);
            return Err(EngineError::NotFound { what: what.into() });
        };
        spec["TaskTemplate"] = old;
        record(spec, history, revision.clone());
        pace::set(spec, pacing);
        Ok(Told::Changed)
    })
    .await
}

/// Gives a service its own update settings back.
///
/// # Errors
/// As [`set_replicas`].
pub async fn unpace(aim: &Aim<'_>) -> Result<Accepted, EngineError> {
    let update = |spec: &Value| spec["UpdateConfig"].clone();
    change(aim, update, |_, spec| Ok(if pace::give_back(spec) { Told::Changed } else { Told::Already })).await
}

/// The template apart from forced restarts: somebody else's change of it is in the way, a restart is not.
fn template(spec: &Value) -> u64 {
    super::template::fingerprint(&spec["TaskTemplate"])
}

fn is_there(history: &History, revision: &Revision) -> bool {
    history.current().is_some_and(|now| now.number == revision.number && now.at == revision.at && now.by == revision.by)
}

/// Writes the new revision, and what was before it, on the service.
fn record(spec: &mut Value, history: History, revision: Revision) {
    let template = spec["TaskTemplate"].clone();
    change::relabel(spec, &history.with(revision, template));
}

/// Takes a task away: its container is stopped (or killed), and the manager makes another one.
///
/// # Errors
/// [`EngineError::Unsupported`] for a task of another node.
pub fn container(client: &Client, task: &InstanceId) -> Result<InstanceId, EngineError> {
    client.container(task).map(InstanceId)
}

/// Takes the lock of a stack.
///
/// # Errors
/// [`EngineError::Conflict`] when somebody else holds it.
pub async fn take_lock(
    client: &Client,
    scope: &str,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    lock::take(client, scope, holder, replaces).await
}

/// Gives the lock of a stack back; with an operation, only if that one holds it.
///
/// # Errors
/// What the manager refused.
pub async fn release_lock(client: &Client, scope: &str, operation: Option<&OperationId>) -> Result<Accepted, EngineError> {
    lock::release(client, scope, operation).await
}

/// The service meant, as the manager has it now: raw, to be written back, and read.
pub(in crate::engine::docker) async fn find(aim: &Aim<'_>) -> Result<(Value, Service), EngineError> {
    let filter = match &aim.group {
        Group::Stack(stack) => json!({ "label": [format!("{}={stack}", labels::STACK)] }),
        Group::NoStack | Group::Project(_) | Group::Loose => json!({}),
    };
    let path = format!("/services?filters={}", crate::engine::docker::wire::segment(&filter.to_string()));
    let all: Vec<Value> = aim.client.get_json("Listing services", &path).await?;
    let mut interner = crate::engine::docker::convert::Interner::default();
    for raw in all {
        let Ok(service) = serde_json::from_value::<Service>(raw.clone()) else { continue };
        let held = super::cluster::Held::new(service, &mut interner);
        if held.group == aim.group && held.name == aim.workload.0 {
            return Ok((raw, held.wire));
        }
    }
    Err(EngineError::NotFound { what: format!("service {}", aim.workload).into() })
}
