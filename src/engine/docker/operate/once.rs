//! A command in a container of its own, made from a workload's definition: seen by nobody's traffic, run once, read to its
//! end, kept until it is forgotten. Asked again for the same slot of the same operation, the first one's end is read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{
    ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, HealthConfig, HostConfigLogConfig, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder};

use super::definition::{self, Draft, Wanted};
use super::exec;
use super::wire::{LONG, SHORT, Wire};
use super::{life, name, replica};
use crate::engine::command::{cannot_start, code_of, finished, is_no_program, words};
use crate::engine::docker::labels;
use crate::engine::{EngineError, Report};
use crate::model::OperationId;
use crate::observe::capture::Capture;
use crate::observe::text::clean;
use crate::operate::action::Replica;
use crate::operate::{Accepted, Output};

/// Log drivers whose logs the engine can read back.
const READABLE: &[&str] = &["json-file", "local", "journald"];
/// Between two looks at a container whose log has ended before it.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What is to be run.
pub(super) struct Once<'a> {
    pub(super) operation: &'a OperationId,
    pub(super) replica: &'a Replica,
    pub(super) command: &'a [Arc<str>],
    pub(super) timeout: Duration,
}

/// Runs the command and waits for its end.
pub(super) async fn run(wire: &Wire, once: Once<'_>, report: &Report) -> Result<Accepted, EngineError> {
    let found = there(wire, once.operation, once.replica.slot).await?;
    let id = match found {
        Some(id) if !is_fresh(wire, &id).await? => id,
        found => match prepare(wire, &once, found, report).await? {
            Ok(id) => id,
            Err(output) => return Ok(Accepted::Output(Box::new(output))),
        },
    };
    let what = format!("{} in a container of its own", words(once.command));
    let mut capture = Capture::new(wire.redaction().clone());
    match tokio::time::timeout(once.timeout, follow(wire, &id, &what, &mut capture, report)).await {
        Ok(Ok(code)) => Ok(Accepted::Output(Box::new(said(capture, code, once.command)))),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let ended = life::stop(wire, &id, None).await;
            let how = if ended.is_ok() { "was stopped" } else { "could not be stopped" };
            let what = format!("{what} (which {how})");
            Err(EngineError::TimedOut { what: what.into(), seconds: once.timeout.as_secs() })
        }
    }
}

/// Removes the container with what it alone had: volumes without a name. Named ones are never touched.
pub(super) async fn forget(wire: &Wire, operation: &OperationId, slot: u32) -> Result<Accepted, EngineError> {
    let Some(id) = there(wire, operation, slot).await? else { return Ok(Accepted::AlreadySo) };
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let what = super::wire::container_words(&id);
    match wire.call(&what, LONG, |docker| async move { docker.remove_container(&id, Some(options)).await }).await {
        Ok(()) => Ok(Accepted::Done),
        Err(EngineError::NotFound { .. }) => Ok(Accepted::AlreadySo),
        Err(EngineError::Conflict { cause, .. }) if cause.contains("already in progress") => Ok(Accepted::AlreadySo),
        Err(other) => Err(other),
    }
}

/// The container of this slot, where one was made.
async fn there(wire: &Wire, operation: &OperationId, slot: u32) -> Result<Option<String>, EngineError> {
    let wanted = vec![
        format!("{}={operation}", labels::OPERATION),
        format!("{}={slot}", labels::SLOT),
        format!("{}=True", labels::ONE_OFF),
    ];
    let filters = HashMap::from([("label".to_owned(), wanted)]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let found = wire.call("the one-off container", SHORT, |docker| async move { docker.list_containers(Some(options)).await });
    Ok(found.await?.into_iter().find_map(|container| container.id))
}

/// Whether it was made and never begun.
async fn is_fresh(wire: &Wire, id: &str) -> Result<bool, EngineError> {
    let state = wire.container(id).await?.state.unwrap_or_default();
    Ok(state.status == Some(ContainerStateStatusEnum::CREATED))
}

/// Makes the container where it is not there, and starts it. A program that cannot be started is an end, not an error.
async fn prepare(
    wire: &Wire,
    once: &Once<'_>,
    found: Option<String>,
    report: &Report,
) -> Result<Result<String, Output>, EngineError> {
    let like = wire.container(once.replica.like.as_str()).await?;
    let draft = draft(wire, &like, once, report).await?;
    let id = match found {
        Some(id) => id,
        None => match replica::make(wire, &draft).await {
            Ok(id) => id,
            // Another asking was quicker: the name is made of the operation and the slot.
            Err(error @ EngineError::Conflict { .. }) => there(wire, once.operation, once.replica.slot).await?.ok_or(error)?,
            Err(other) => return Err(other),
        },
    };
    replica::connect(wire, &id, &draft).await?;
    report(format!("running {} as {}", words(once.command), clean(&draft.name)));
    match life::start(wire, &id).await {
        Ok(_) => Ok(Ok(id)),
        Err(EngineError::Rejected { message, .. }) if is_no_program(&message) => {
            let mut capture = Capture::new(wire.redaction().clone());
            let code = code_of(&message);
            capture.remark(&cannot_start(code, once.command, &format!("a container of {}", once.replica.workload)));
            Ok(Err(finished(capture, code)))
        }
        Err(other) => Err(other),
    }
}

/// Takes what it prints from its beginning to its end, and what it ended with.
async fn follow(wire: &Wire, id: &str, what: &str, capture: &mut Capture, report: &Report) -> Result<i64, EngineError> {
    let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).tail("all").build();
    let docker = wire.docker.clone();
    let log = docker.logs(id, Some(options));
    exec::listen(wire, what, Box::pin(log), capture, report).await?;
    loop {
        let state = wire.container(id).await?.state.unwrap_or_default();
        if let Some(code) = ended(&state) {
            return Ok(code);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What it ended with, when it has.
fn ended(state: &ContainerState) -> Option<i64> {
    let over = matches!(state.status, Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD));
    over.then(|| state.exit_code.unwrap_or(0))
}

fn said(mut capture: Capture, code: i64, command: &[Arc<str>]) -> Output {
    if code == 127 && capture.last_line().is_none() {
        capture.remark(&cannot_start(code, command, "its container"));
    }
    finished(capture, code)
}

/// Its definition: the sister's, without what would let anything reach it, watch it or start it again.
async fn draft(wire: &Wire, like: &ContainerInspectResponse, once: &Once<'_>, report: &Report) -> Result<Draft, EngineError> {
    let image = replica::settle_image(wire, like, once.replica).await?;
    let defaults = replica::defaults(wire, like, &image, report).await?;
    let wanted = Wanted {
        name: name_of(like, once.operation, once.replica.slot),
        number: None,
        image: image.reference,
        image_id: image.id,
        operation: once.operation.as_str(),
        slot: once.replica.slot,
        revisions: None,
        replaces: false,
        hidden: false,
    };
    let mut draft = definition::draft(like, defaults.as_ref(), wanted);
    set_apart(&mut draft, once.command);
    Ok(draft)
}

/// Takes from a replica's definition what makes it one of its workload's.
fn set_apart(draft: &mut Draft, command: &[Arc<str>]) {
    let body = &mut draft.body;
    body.cmd = Some(command.iter().map(ToString::to_string).collect());
    body.hostname = None;
    body.healthcheck = Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() });
    (body.tty, body.open_stdin, body.stdin_once) = (Some(false), Some(false), Some(false));
    let labels = body.labels.get_or_insert_default();
    labels.insert(labels::ONE_OFF.to_owned(), "True".to_owned());
    // It is of no revision: what runs in it is a command, and it is gone soon.
    labels.remove(labels::REVISION);
    labels.remove(labels::HISTORY);
    // Nor a task of the manager's.
    labels.retain(|label, _| !label.starts_with("com.docker.swarm."));
    if let Some(host) = body.host_config.as_mut() {
        host.port_bindings = None;
        host.publish_all_ports = Some(false);
        host.auto_remove = Some(false);
        host.restart_policy = Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None });
        let readable = host.log_config.as_ref().and_then(|log| log.typ.as_deref()).is_none_or(|kind| READABLE.contains(&kind));
        if !readable {
            host.log_config = Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: None });
        }
    }
    // Without its service's names and fixed addresses: nothing that looks for the service may find it.
    let first = body.networking_config.iter_mut().flat_map(|config| config.endpoints_config.iter_mut().flatten());
    let settings = first.map(|(_, settings)| settings).chain(draft.further.iter_mut().map(|endpoint| &mut endpoint.settings));
    for endpoint in settings {
        endpoint.aliases = None;
        endpoint.ipam_config = None;
    }
}

/// `<project>_<service>_run_<short>`, the same whenever it is asked for.
fn name_of(like: &ContainerInspectResponse, operation: &OperationId, slot: u32) -> String {
    let label = |key: &str| like.config.as_ref()?.labels.as_ref()?.get(key).filter(|value| !value.is_empty());
    let stem = match (label(labels::PROJECT), label(labels::SERVICE)) {
        (Some(project), Some(service)) => format!("{project}_{service}"),
        _ => name::proper(like.id.as_deref().unwrap_or_default(), like.name.as_deref().unwrap_or_default()).to_owned(),
    };
    // FNV-1a, 64 bits (RFC draft-eastlake-fnv): stable over versions, which a hasher of the library is not.
    let hash = format!("{operation}/{slot}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{stem}_run_{:012x}", hash & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use bollard::models::EndpointSettings;

    use super::*;

    const CONTAINER: &str = include_str!("../../../../tests/engines/recorded/container-20.10-compose-1.29.json");

    #[test]
    fn nothing_finds_it_and_nothing_starts_it_again() {
        let like: ContainerInspectResponse = serde_json::from_str(CONTAINER).unwrap();
        let wanted = Wanted {
            name: name_of(&like, &"op-1".into(), 3),
            number: None,
            image: "qd-test/app:2".into(),
            image_id: "sha256:22".into(),
            operation: "op-1",
            slot: 3,
            revisions: None,
            replaces: false,
            hidden: false,
        };
        let mut draft = definition::draft(&like, None, wanted);
        let env = draft.body.env.clone();
        assert!(draft.body.host_config.as_ref().unwrap().port_bindings.is_some(), "the recorded one publishes ports");
        set_apart(&mut draft, &["npx".into(), "migrate".into()]);
        let body = draft.body;
        let host = body.host_config.unwrap();
        assert_eq!(body.cmd.unwrap(), ["npx", "migrate"]);
        assert_eq!((body.env, body.hostname), (env, None));
        assert_eq!(body.healthcheck.unwrap().test.unwrap(), ["NONE"]);
        assert!(host.port_bindings.is_none() && host.binds.is_some());
        assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::NO));
        let labels = body.labels.unwrap();
        assert_eq!(labels[labels::ONE_OFF], "True");
        assert!(labels.contains_key(labels::SERVICE) && !labels.contains_key(labels::REVISION));
        let first = body.networking_config.unwrap().endpoints_config.unwrap();
        let all: Vec<&EndpointSettings> = first.values().chain(draft.further.iter().map(|e| &e.settings)).collect();
        assert!(!all.is_empty() && all.iter().all(|e| e.aliases.is_none() && e.ipam_config.is_none()));
    }

    #[test]
    fn its_name_is_the_same_whenever_it_is_asked_for() {
        let like: ContainerInspectResponse = serde_json::from_str(CONTAINER).unwrap();
        let name = name_of(&like, &"op-1".into(), 0);
        assert_eq!(name, name_of(&like, &"op-1".into(), 0));
        assert_ne!(name, name_of(&like, &"op-1".into(), 1));
        assert!(name.contains("_run_"), "{name}");
    }
}
