//! The definitions of an environment, looked at once to be judged: the newest container of each workload, and of Swarm
//! services what their manager knows beside it.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _, stream};

use super::client::Client;
use super::convert::makeup::{Inspected, image, of_container, of_service, published};
use super::swarm;
use super::wire::segment;
use crate::engine::EngineError;
use crate::model::{EnvironmentId, Instance, InstanceState, Workload, WorkloadKind};
use crate::observe::hygiene::{Makeup, Survey};

/// Containers looked at at a time.
const AT_ONCE: usize = 8;

/// A workload's name, and what was seen of it.
type Seen = (Arc<str>, Result<Option<Makeup>, EngineError>);

/// Looks at every workload of an environment.
///
/// # Errors
/// When the inventory is not followed, or does not hold the environment. A workload that cannot be looked at is told in
/// the answer.
pub(super) async fn survey(client: &Client, environment: &EnvironmentId) -> Result<Survey, EngineError> {
    let waiting = || EngineError::TimedOut { what: "The list of containers".into(), seconds: 0 };
    let inventory = client.known().inventory().ok_or_else(waiting)?;
    let snapshot = inventory.environments.iter().find(|s| &s.environment.id == environment);
    let snapshot = snapshot.ok_or_else(|| EngineError::NotFound { what: environment.to_string().into() })?;
    let workloads: Vec<Arc<Workload>> =
        snapshot.workloads.iter().filter(|w| w.kind != WorkloadKind::Dependency).cloned().collect();
    let looks: Vec<_> =
        workloads.into_iter().map(|workload| look(client.clone(), environment.clone(), workload).boxed()).collect();
    let seen: Vec<Seen> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let mut survey = Survey::default();
    for (name, found) in seen {
        match found {
            Ok(makeup) => survey.makeups.extend(makeup),
            Err(error) => survey.unseen.push(format!("{name} could not be looked at: {error}").into()),
        }
    }
    Ok(survey)
}

async fn look(client: Client, environment: EnvironmentId, workload: Arc<Workload>) -> Seen {
    let found = match swarm::operate::aim(&client, &environment, &workload.id) {
        Some(aim) => service(&client, &aim, &workload).await.map(Some),
        None => container(&client, &workload).await,
    };
    (workload.id.0.clone(), found)
}

/// The newest container of a workload; none where only its file knows it.
async fn container(client: &Client, workload: &Workload) -> Result<Option<Makeup>, EngineError> {
    let newest = workload.replicas().max_by_key(|i| (i.state == InstanceState::Running, i.revision, i.created_at, i.number));
    let Some(newest) = newest else { return Ok(None) };
    let inspected = inspect(client, newest.id.as_str()).await?;
    let ports = newest.ports.iter().filter(|port| port.host.is_some()).cloned().collect();
    Ok(Some(of_container(workload.id.clone(), &inspected, ports, is_meant_to_stay(newest))))
}

/// A service: a task of it on this node says what its image brought along, its definition everything else.
async fn service(client: &Client, aim: &swarm::operate::Aim<'_>, workload: &Workload) -> Result<Makeup, EngineError> {
    let (raw, _) = swarm::operate::find(aim).await?;
    let is_job = raw["Spec"]["Mode"].as_object().is_some_and(|mode| mode.keys().any(|key| key.ends_with("Job")));
    let here = workload.replicas().filter(|i| i.state == InstanceState::Running);
    let mut containers = here.filter_map(|i| client.container(&i.id).ok());
    let Some(container) = containers.next() else { return Ok(of_service(workload.id.clone(), &raw, !is_job)) };
    let inspected = inspect(client, &container).await?;
    let makeup = of_container(workload.id.clone(), &inspected, published(&raw), !is_job);
    Ok(Makeup { image: image(&raw).into(), ..makeup })
}

async fn inspect(client: &Client, id: &str) -> Result<Inspected, EngineError> {
    let short = id.get(..12).unwrap_or(id);
    client.get_json(&format!("Container {short}"), &format!("/containers/{}/json", segment(id))).await
}

/// Whether it runs on and on, as far as can be told from what it does.
fn is_meant_to_stay(instance: &Instance) -> bool {
    !matches!(instance.state, InstanceState::Exited | InstanceState::Created)
}
