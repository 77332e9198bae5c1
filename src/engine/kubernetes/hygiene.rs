//! The templates of an environment, listed once to be judged, and the Services that open them to the outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::client::Client;
use super::convert::makeup::{of_template, opened, selects};
use super::place::{Place, encoded};
use super::watch::Kind;
use crate::engine::EngineError;
use crate::model::{EnvironmentId, Port, Workload, WorkloadId, WorkloadKind};
use crate::observe::hygiene::Survey;

/// Objects of a page.
const PAGE: usize = 250;
/// Pages of a kind, at most; what lies behind them is told of.
const PAGES: usize = 40;
/// Pods of no controller known here that are looked at, at most.
const BARE: usize = 50;

/// The kinds templates are in.
const KINDS: [(WorkloadKind, Kind); 5] = [
    (WorkloadKind::Deployment, Kind::Deployment),
    (WorkloadKind::StatefulSet, Kind::StatefulSet),
    (WorkloadKind::DaemonSet, Kind::DaemonSet),
    (WorkloadKind::CronJob, Kind::CronJob),
    (WorkloadKind::Job, Kind::Job),
];

/// What a workload is called, by its kind, namespace and name.
type Called = BTreeMap<(&'static str, Arc<str>, Arc<str>), WorkloadId>;

/// Looks at every workload of an environment.
///
/// # Errors
/// When the inventory is not followed, or does not hold the environment. A kind that may not be listed is told in the
/// answer.
pub(super) async fn survey(client: &Client, environment: &EnvironmentId) -> Result<Survey, EngineError> {
    let waiting = || EngineError::TimedOut { what: "The list of workloads".into(), seconds: 0 };
    let inventory = client.known().inventory().ok_or_else(waiting)?;
    let snapshot = inventory.environments.iter().find(|s| &s.environment.id == environment);
    let snapshot = snapshot.ok_or_else(|| EngineError::NotFound { what: environment.to_string().into() })?;
    let namespace = client.namespace(environment).await?;
    let named = |w: &Arc<Workload>| {
        let controller = w.controller.as_ref()?;
        Some(((w.kind.word(), controller.namespace.clone(), controller.name.clone()), w.id.clone()))
    };
    let called: Called = snapshot.workloads.iter().filter_map(named).collect();
    let mut survey = Survey::default();
    let doors = doors(client, namespace.as_deref(), &mut survey).await;
    for (kind, listed) in KINDS.into_iter().filter(|(kind, _)| snapshot.workloads.iter().any(|w| w.kind == *kind)) {
        for object in list(client, listed, namespace.as_deref(), &mut survey).await {
            let text = |at: &str| -> Arc<str> { object.pointer(at).and_then(Value::as_str).unwrap_or_default().into() };
            // What is not in the inventory is of something that is: a job of a schedule.
            if let Some(id) = called.get(&(kind.word(), text("/metadata/namespace"), text("/metadata/name"))) {
                judge(kind, id, &object, &doors, &mut survey);
            }
        }
    }
    let bare: Vec<&Arc<Workload>> = snapshot.workloads.iter().filter(|w| w.kind == WorkloadKind::Container).collect();
    for workload in bare.iter().take(BARE) {
        let Some(place) = workload.instances.first().and_then(|pod| Place::of(&pod.id).ok()) else { continue };
        match client.get(&format!("Pod {}", place.words()), &place.path("")).await {
            Ok(pod) => judge(WorkloadKind::Container, &workload.id, &pod, &doors, &mut survey),
            Err(error) => survey.unseen.push(format!("{} could not be looked at: {error}", workload.id).into()),
        }
    }
    if bare.len() > BARE {
        survey.unseen.push(format!("{} more pods of no controller known here were not looked at", bare.len() - BARE).into());
    }
    Ok(survey)
}

/// An open door: its namespace, the labels of the pods behind it, and the ports.
type Door = (String, BTreeMap<String, String>, Vec<Port>);

async fn doors(client: &Client, namespace: Option<&str>, survey: &mut Survey) -> Vec<Door> {
    let services = list(client, Kind::Service, namespace, survey).await;
    let door = |service: &Value| {
        let (selector, ports) = opened(service)?;
        Some((service["metadata"]["namespace"].as_str().unwrap_or_default().to_owned(), selector, ports))
    };
    services.iter().filter_map(door).collect()
}

/// Every object of a kind, page by page; what cannot be listed is told of.
async fn list(client: &Client, kind: Kind, namespace: Option<&str>, survey: &mut Survey) -> Vec<Value> {
    let mut all = Vec::new();
    let mut from = String::new();
    for _ in 0..PAGES {
        let path = format!("{}?limit={PAGE}{from}", kind.path(namespace));
        let page: Value = match client.get(&format!("Listing {}", kind.plural()), &path).await {
            Ok(page) => page,
            Err(error) => {
                survey.unseen.push(format!("{} could not be looked at: {error}", kind.plural()).into());
                return all;
            }
        };
        all.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["metadata"]["continue"].as_str().filter(|mark| !mark.is_empty()) {
            Some(mark) => from = format!("&continue={}", encoded(mark)),
            None => return all,
        }
    }
    survey.unseen.push(format!("only the first {} {} were looked at", all.len(), kind.plural()).into());
    all
}

fn judge(kind: WorkloadKind, id: &WorkloadId, object: &Value, doors: &[Door], survey: &mut Survey) {
    let template = match kind {
        WorkloadKind::CronJob => &object["spec"]["jobTemplate"]["spec"]["template"],
        WorkloadKind::Container => object,
        WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::Job
        | WorkloadKind::Service
        | WorkloadKind::Dependency => &object["spec"]["template"],
    };
    let opened = doors
        .iter()
        .filter(|(namespace, selector, _)| object["metadata"]["namespace"] == **namespace && selects(selector, template));
    let ports: Vec<Port> = opened.flat_map(|(_, _, ports)| ports.iter().cloned()).collect();
    let serves = !matches!(kind, WorkloadKind::Job | WorkloadKind::CronJob);
    survey.makeups.extend(of_template(id, template, &ports, serves));
}
