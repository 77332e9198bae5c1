//! Blue-green by the selectors of Services: a second Deployment beside the first, of another image, which gets no traffic
//! before it is led there. While both stand, the Services of the workload name one of them exactly; what they named before
//! is kept on them, and put back in the end.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{annotation, create, delete, items, text, within};
use super::change::change_at;
use super::history::{self, HASH};
use super::template::{OPERATION, choose, record, template};
use super::way::{MIRROR, Way, before, led};
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::{Object, find};
use crate::model::WorkloadKind as Kind;
use crate::model::{EnvironmentId, OperationId, Revision, WorkloadId};
use crate::operate::{Accepted, mirror};

/// On a mirror: whose it is.
pub const MIRROR_OF: &str = "quarterdeck.io/mirror-of";

/// How long the pods of a mirror may take to be gone before its Services lead anywhere again, and how often they are
/// counted.
const GONE_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long its own pods may take to be ready before traffic is led back to them.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// A workload and the mirror of one operation.
pub(super) struct Pair<'a> {
    client: &'a Client,
    own: Object,
}

/// The pair of a workload.
///
/// # Errors
/// [`EngineError::Unsupported`] when it is no Deployment; as finding it.
pub(super) async fn pair<'a>(
    client: &'a Client,
    environment: &EnvironmentId,
    workload: &WorkloadId,
) -> Result<Pair<'a>, EngineError> {
    let own = find(client, environment, workload).await?;
    if own.kind != Kind::Deployment {
        let why = format!("a {} has no mirror", own.kind.word()).into();
        return Err(EngineError::Unsupported { what: format!("Blue-green of {own}").into(), why });
    }
    Ok(Pair { client, own })
}

impl Pair<'_> {
    fn mirror(&self, operation: &OperationId) -> Object {
        Object { name: mirror::beside(&self.own.name, operation).into(), ..self.own.clone() }
    }

    /// Makes the mirror; before, the Services are held to the pods there are.
    ///
    /// # Errors
    /// [`EngineError::Unmet`] when no Service leads to the workload or a rollout of it is under way.
    pub(super) async fn make(
        &self,
        operation: &OperationId,
        revision: &Revision,
        container: Option<&str>,
    ) -> Result<Accepted, EngineError> {
        let mirror = self.mirror(operation);
        let (container, _) = choose(&self.own, &self.own.value, container, revision)?;
        let body = self.body(operation, revision, &container);
        let unmet = |why: &str| EngineError::Unmet { what: self.own.to_string().into(), why: why.into() };
        let services = self.services().await?;
        if services.is_empty() {
            return Err(unmet("no Service leads to it, so there is no traffic to switch"));
        }
        let tag = mirror::tag(operation);
        let led = |service: &&Value| annotation(service, MIRROR).is_some_and(|now| now != tag);
        if let Some(other) = services.iter().find(led) {
            let name = text(other, "/metadata/name");
            let cause = format!("Service {name} is still held by another blue-green").into();
            return Err(EngineError::Conflict { what: self.own.to_string().into(), cause });
        }
        // Held to pods of one template, those of another would be cut off.
        if is_moving(&self.own.value) {
            return Err(unmet("its last rollout is not through: deploy it rolling, or take it back first"));
        }
        let Some(hash) = self.hash().await? else { return Err(unmet("which pods are its own is not known yet")) };
        for service in &services {
            self.lead(service, &Way::Own { hash: hash.clone(), tag: tag.clone() }).await?;
        }
        let path = within("/apis/apps/v1", &self.own.namespace, "deployments", "");
        match create(self.client, &mirror.to_string(), &path, &body).await {
            Ok(_) => Ok(Accepted::Done),
            Err(EngineError::Conflict { cause, .. }) => {
                let there: Value = self.client.get(&mirror.to_string(), &mirror.path()).await?;
                if annotation(&there, OPERATION) == Some(operation.as_str()) {
                    return Ok(Accepted::AlreadySo);
                }
                Err(EngineError::Conflict { what: mirror.to_string().into(), cause })
            }
            Err(other) => Err(other),
        }
    }

    /// The mirror: like the workload, with the new image, and a label more in its selector and on its pods.
    fn body(&self, operation: &OperationId, revision: &Revision, container: &str) -> Value {
        let tag = mirror::tag(operation);
        let mut spec = self.own.value.get("spec").cloned().unwrap_or_default();
        let mut pods = template(&self.own.value);
        pods["metadata"]["labels"][MIRROR] = json!(tag);
        for one in pods.pointer_mut("/spec/containers").and_then(Value::as_array_mut).into_iter().flatten() {
            if text(one, "/name") == container {
                one["image"] = json!(&*revision.image);
            }
        }
        spec["template"] = pods;
        spec["selector"]["matchLabels"][MIRROR] = json!(tag);
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("paused");
        }
        let mut labels = self.own.value.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
        labels[MIRROR] = json!(tag);
        let mut notes = record(revision);
        notes.retain(|_, value| !value.is_null());
        notes.insert(OPERATION.to_owned(), json!(operation.as_str()));
        notes.insert(MIRROR_OF.to_owned(), json!(&*self.own.name));
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": mirror::beside(&self.own.name, operation),
                "namespace": &*self.own.namespace,
                "labels": labels,
                "annotations": notes,
            },
            "spec": spec,
        })
    }

    /// Leads the traffic to the mirror of an operation, or to the workload's own pods. There it is held to them while a
    /// mirror of another image still stands; where there is none, or both are the same by now, everything is as before.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the mirror is not there; what the server refused.
    pub(super) async fn switch(&mut self, to_mirror: Option<&OperationId>) -> Result<Accepted, EngineError> {
        let services = self.services().await?;
        let way = if let Some(operation) = to_mirror {
            let mirror = self.mirror(operation);
            self.client.get::<Value>(&mirror.to_string(), &mirror.path()).await?;
            Way::Mirror { tag: mirror::tag(operation) }
        } else {
            let is_away = |service: &Value| service.pointer("/spec/selector").is_some_and(|s| s.get(MIRROR).is_some());
            if services.iter().any(is_away) {
                self.settle().await?;
            }
            self.own_way(&services).await?
        };
        let mut answer = Accepted::AlreadySo;
        for service in &services {
            if self.lead(service, &way).await? == Accepted::Done {
                answer = Accepted::Done;
            }
        }
        Ok(answer)
    }

    /// Waits until its own pods are all there and of one template: traffic is never led away from a mirror to nothing.
    async fn settle(&mut self) -> Result<(), EngineError> {
        let end = tokio::time::Instant::now() + READY_WITHIN;
        while is_moving(&self.own.value) {
            if tokio::time::Instant::now() >= end {
                let why = "its own pods are not ready, so the traffic stays with its mirror".into();
                return Err(EngineError::Unmet { what: self.own.to_string().into(), why });
            }
            tokio::time::sleep(LOOK_EVERY).await;
            self.own.value = self.client.get(&self.own.to_string(), &self.own.path()).await?;
        }
        Ok(())
    }

    async fn own_way(&self, services: &[Value]) -> Result<Way, EngineError> {
        let Some(tag) = services.iter().find_map(|service| annotation(service, MIRROR)) else { return Ok(Way::Free) };
        let Some(mirror) = self.standing(tag).await? else { return Ok(Way::Free) };
        if images(&mirror) == images(&self.own.value) {
            return Ok(Way::Free);
        }
        Ok(match self.hash().await? {
            Some(hash) => Way::Own { hash, tag: tag.to_owned() },
            None => Way::Free,
        })
    }

    /// The mirror of this tag, where it stands.
    async fn standing(&self, tag: &str) -> Result<Option<Value>, EngineError> {
        let path = within("/apis/apps/v1", &self.own.namespace, "deployments", "");
        let list: Value = self.client.get("Listing deployments", &format!("{path}?labelSelector={MIRROR}%3D{tag}")).await?;
        Ok(items(&list).find(|one| annotation(one, MIRROR_OF) == Some(&*self.own.name)).cloned())
    }

    /// Removes the mirror of an operation, and once its pods are gone lets the Services lead as before.
    ///
    /// # Errors
    /// What the server refused; [`EngineError::TimedOut`] when its pods do not go.
    pub(super) async fn forget(&mut self, operation: &OperationId) -> Result<Accepted, EngineError> {
        let (mirror, tag) = (self.mirror(operation), mirror::tag(operation));
        // Nothing may still lead there when it goes.
        self.switch(None).await?;
        let options = json!({ "propagationPolicy": "Background" });
        let was = delete(self.client, &mirror.to_string(), &mirror.path(), &options).await?;
        let held: Vec<Value> = self.services().await?.into_iter().filter(|s| annotation(s, MIRROR) == Some(&*tag)).collect();
        if !held.is_empty() {
            self.gone(&tag).await?;
        }
        for service in &held {
            self.lead(service, &Way::Free).await?;
        }
        Ok(if was || !held.is_empty() { Accepted::Done } else { Accepted::AlreadySo })
    }

    /// Waits until no pod of the mirror is left that could get traffic.
    async fn gone(&self, tag: &str) -> Result<(), EngineError> {
        let pods = within("/api/v1", &self.own.namespace, "pods", "");
        let path = format!("{pods}?labelSelector={MIRROR}%3D{tag}");
        let wait = async {
            loop {
                let list: Value = self.client.get("Pods of the mirror", &path).await?;
                // One that is ending is out of its Services already.
                if items(&list).all(|pod| pod.pointer("/metadata/deletionTimestamp").is_some()) {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let late = || EngineError::TimedOut { what: "Removing the mirror's pods".into(), seconds: GONE_WITHIN.as_secs() };
        tokio::time::timeout(GONE_WITHIN, wait).await.map_err(|_| late())?
    }

    /// The hash of the template its own pods have now.
    async fn hash(&self) -> Result<Option<String>, EngineError> {
        let set = history::current(self.client, &self.own, &self.own.value).await?;
        let hash = set.map(|set| text(&set, &format!("/metadata/labels/{HASH}")));
        Ok(hash.filter(|hash| !hash.is_empty()))
    }

    /// The Services that lead to the workload, or did before they were held.
    async fn services(&self) -> Result<Vec<Value>, EngineError> {
        let path = within("/api/v1", &self.own.namespace, "services", "");
        let list: Value = self.client.get("Listing services", &path).await?;
        let pods = template(&self.own.value);
        let labels = pods.pointer("/metadata/labels").and_then(Value::as_object).cloned().unwrap_or_default();
        let leads = |service: &&Value| {
            let selector = before(service);
            !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        Ok(items(&list).filter(leads).cloned().collect())
    }

    async fn lead(&self, service: &Value, way: &Way) -> Result<Accepted, EngineError> {
        let name = text(service, "/metadata/name");
        let path = within("/api/v1", &self.own.namespace, "services", &name);
        let what = format!("Service {}/{name}", self.own.namespace);
        change_at(self.client, &what, &path, before, |raw| Ok(led(raw, way))).await
    }
}

/// Whether a Deployment has pods of more than one template, or not all of the newest are ready.
fn is_moving(raw: &Value) -> bool {
    let number = |pointer: &str| raw.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let wanted = number("/spec/replicas");
    let is = |pointer: &str| number(pointer) == wanted;
    let through = is("/status/updatedReplicas") && is("/status/replicas") && is("/status/availableReplicas");
    number("/status/observedGeneration") < number("/metadata/generation") || !through
}

/// The images of a Deployment's containers.
fn images(raw: &Value) -> Vec<(String, String)> {
    let pods = template(raw);
    let list = pods.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    list.map(|one| (text(one, "/name"), text(one, "/image"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_under_way_is_seen() {
        let of = |generation: u64, updated: u64, all: u64| {
            json!({
                "metadata": { "generation": generation },
                "spec": { "replicas": 3 },
                "status": { "observedGeneration": 4, "updatedReplicas": updated, "replicas": all, "availableReplicas": updated },
            })
        };
        for (raw, expected) in [(of(4, 3, 3), false), (of(5, 3, 3), true), (of(4, 1, 4), true), (of(4, 3, 4), true)] {
            assert_eq!(is_moving(&raw), expected, "{raw}");
        }
    }
}
