//! A replica's definition from that of a sister: what its author asked for, without what its image, its engine and its
//! old self put in. Pure: inspect answers in, create body out.

use std::collections::HashMap;

use bollard::models::{
    ContainerConfig, ContainerCreateBody, ContainerInspectResponse, HealthConfig, HostConfig, ImageConfig, NetworkingConfig,
};

use super::name;
use super::network::{self, Endpoint};
use super::volume;
use crate::engine::docker::labels;
use crate::model::Revision;

/// How many revisions a container carries.
const HISTORY_LENGTH: usize = 10;

/// What the new replica has of its own.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) name: String,
    /// Its container number, written where its sister has one.
    pub(super) number: Option<u32>,
    /// What the engine is told to make it from: a reference, or an id where the reference means something else by now.
    pub(super) image: String,
    pub(super) image_id: String,
    pub(super) operation: &'a str,
    pub(super) slot: u32,
    pub(super) revisions: Option<&'a [Revision]>,
    /// It takes its sister's place, and with it the volumes that have no name of their own.
    pub(super) replaces: bool,
    /// Nobody finds it under its service's names yet.
    pub(super) hidden: bool,
}

/// All that is needed to make a replica.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) body: ContainerCreateBody,
    /// Networks it is connected to after it is created: engines before API 1.44 take only one at creation.
    pub(super) further: Vec<Endpoint>,
}

/// The definition of a replica like `like`, whose image's own configuration is `defaults` (`None` when that image is
/// gone: then nothing can be told apart, and all is kept).
pub(super) fn draft(like: &ContainerInspectResponse, defaults: Option<&ImageConfig>, wanted: Wanted<'_>) -> Draft {
    let nothing = ImageConfig::default();
    let defaults = defaults.unwrap_or(&nothing);
    let config = like.config.clone().unwrap_or_default();
    let mut host = like.host_config.clone().unwrap_or_default();
    let old_name = name::proper(like.id.as_deref().unwrap_or_default(), like.name.as_deref().unwrap_or_default());

    let mut endpoints = network::endpoints(like, old_name, &wanted.name);
    let kept_back = wanted.hidden.then(|| network::hide(&mut endpoints));
    let first = network::take_first(&mut host, &mut endpoints);
    host_config(&mut host);
    if wanted.replaces {
        volume::carry_over(&mut host, like.mounts.as_deref().unwrap_or_default());
    }

    let mut labels = labels_of(&config, defaults, &wanted);
    if let Some(names) = kept_back {
        labels.insert(labels::NAMES.to_owned(), serde_json::to_string(&names).unwrap_or_else(|_| "{}".to_owned()));
    }
    let mut body = own_config(config, defaults, &host);
    body.hostname = body.hostname.filter(|hostname| keeps_hostname(hostname, like, &host));
    body.image = Some(wanted.image);
    body.labels = Some(labels);
    body.host_config = Some(host);
    body.networking_config =
        first.map(|endpoint| NetworkingConfig { endpoints_config: Some(HashMap::from([(endpoint.network, endpoint.settings)])) });
    Draft { name: wanted.name, body, further: endpoints }
}

/// The configuration without what came from the image: equal values are the image's, so that another image's apply.
fn own_config(config: ContainerConfig, image: &ImageConfig, host: &HostConfig) -> ContainerCreateBody {
    let (entrypoint, cmd) = own_command(&config, image);
    let bound: Vec<&String> = host.port_bindings.iter().flatten().map(|(port, _)| port).collect();
    let image_ports = image.exposed_ports.as_deref().unwrap_or_default();
    let image_volumes = image.volumes.as_deref().unwrap_or_default();
    let image_env = image.env.as_deref().unwrap_or_default();
    ContainerCreateBody {
        hostname: config.hostname,
        domainname: config.domainname,
        user: own(config.user, image.user.as_ref()),
        attach_stdin: config.attach_stdin,
        attach_stdout: config.attach_stdout,
        attach_stderr: config.attach_stderr,
        exposed_ports: own_list(config.exposed_ports, |port| bound.contains(&port) || !image_ports.contains(port)),
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        env: own_list(config.env, |entry| !image_env.contains(entry)),
        cmd,
        healthcheck: config.healthcheck.and_then(|check| own_healthcheck(check, image.healthcheck.as_ref())),
        volumes: own_list(config.volumes, |path| !image_volumes.contains(path)),
        working_dir: own(config.working_dir, image.working_dir.as_ref()),
        entrypoint,
        network_disabled: config.network_disabled,
        stop_signal: own(config.stop_signal, image.stop_signal.as_ref()),
        stop_timeout: config.stop_timeout,
        shell: config.shell.filter(|shell| image.shell.as_ref() != Some(shell)),
        ..ContainerCreateBody::default()
    }
}

/// `value`, unless it is empty or the image's.
fn own(value: Option<String>, image: Option<&String>) -> Option<String> {
    value.filter(|v| !v.is_empty() && Some(v) != image)
}

fn own_list(values: Option<Vec<String>>, keep: impl Fn(&String) -> bool) -> Option<Vec<String>> {
    let mut values = values?;
    values.retain(keep);
    (!values.is_empty()).then_some(values)
}

/// Entrypoint and command. They belong together: the engine takes the image's command only where the entrypoint is the
/// image's too, and an entrypoint taken away on purpose is told as one empty word.
fn own_command(config: &ContainerConfig, image: &ImageConfig) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let words = |list: &Option<Vec<String>>| list.clone().filter(|words| !words.is_empty());
    let (entrypoint, cmd) = (words(&config.entrypoint), words(&config.cmd));
    let (image_entrypoint, image_cmd) = (words(&image.entrypoint), words(&image.cmd));
    if entrypoint != image_entrypoint {
        return (Some(entrypoint.unwrap_or_else(|| vec![String::new()])), cmd);
    }
    match cmd {
        // The same entrypoint without the image's command: it was named, and that dropped the command.
        None if image_cmd.is_some() => (entrypoint, None),
        cmd if cmd == image_cmd => (None, None),
        cmd => (None, cmd),
    }
}

/// The parts of a health check that are not the image's: the engine fills each missing part from the image.
fn own_healthcheck(check: HealthConfig, image: Option<&HealthConfig>) -> Option<HealthConfig> {
    let Some(image) = image else { return Some(check) };
    if check == *image {
        return None;
    }
    Some(HealthConfig {
        test: check.test.filter(|test| image.test.as_ref() != Some(test)),
        interval: check.interval.filter(|v| image.interval != Some(*v)),
        timeout: check.timeout.filter(|v| image.timeout != Some(*v)),
        retries: check.retries.filter(|v| image.retries != Some(*v)),
        start_period: check.start_period.filter(|v| image.start_period != Some(*v)),
        start_interval: check.start_interval.filter(|v| image.start_interval != Some(*v)),
    })
}

/// Whether a host name was given rather than made by the engine from the id or copied from the network's owner.
fn keeps_hostname(hostname: &str, like: &ContainerInspectResponse, host: &HostConfig) -> bool {
    let borrowed = |mode: Option<&str>| mode.is_some_and(|m| m == "host" || m.starts_with("container:"));
    !hostname.is_empty()
        && hostname != name::short(like.id.as_deref().unwrap_or_default())
        && !borrowed(host.network_mode.as_deref())
        && !borrowed(host.uts_mode.as_deref())
}

/// What inspect shows in another form than create takes, or what is no wish but a trace.
fn host_config(host: &mut HostConfig) {
    host.container_id_file = None;
    if let Some(links) = host.links.as_mut() {
        // Shown as `/db:/web/database`, taken as `db:database`.
        for link in links {
            if let Some((source, alias)) = link.split_once(':') {
                *link = format!("{}:{}", source.trim_start_matches('/'), alias.rsplit('/').next().unwrap_or(alias));
            }
        }
    }
}

/// The labels: the author's and Compose's, with the replica's own number, revision and origin.
fn labels_of(config: &ContainerConfig, image: &ImageConfig, wanted: &Wanted<'_>) -> HashMap<String, String> {
    /// Compose's trace of the container one replaced.
    const REPLACE: &str = "com.docker.compose.replace";
    let from_image = |key: &str, value: &str| {
        // Images built by Compose carry its labels too; the container's place in its project is never the image's.
        !key.starts_with("com.docker.compose.")
            && !key.starts_with("dev.quarterdeck.")
            && image.labels.as_ref().and_then(|labels| labels.get(key)).is_some_and(|v| v == value)
    };
    let mut labels: HashMap<String, String> = config
        .labels
        .iter()
        .flatten()
        .filter(|(key, value)| !matches!(key.as_str(), REPLACE | labels::NAMES) && !from_image(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(number) = wanted.number
        && let Some(label) = labels.get_mut(labels::NUMBER)
    {
        *label = number.to_string();
    }
    if let Some(label) = labels.get_mut(labels::IMAGE) {
        label.clone_from(&wanted.image_id);
    }
    labels.insert(labels::OPERATION.to_owned(), wanted.operation.to_owned());
    labels.insert(labels::SLOT.to_owned(), wanted.slot.to_string());
    if let Some([newest, ..]) = wanted.revisions {
        let kept: Vec<&Revision> = wanted.revisions.into_iter().flatten().take(HISTORY_LENGTH).collect();
        labels.insert(labels::REVISION.to_owned(), newest.number.to_string());
        // Plain data: writing it cannot fail; were it to, the number alone is still true.
        labels.insert(labels::HISTORY.to_owned(), serde_json::to_string(&kept).unwrap_or_else(|_| "[]".to_owned()));
    }
    labels
}
