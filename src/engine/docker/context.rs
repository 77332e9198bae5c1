//! Where the engine is: `DOCKER_HOST`, docker contexts and default sockets, resolved once into an address that never changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::ssh::SshAddress;
use crate::config::DockerTarget;
use crate::engine::EngineError;
use crate::observe::text::clean;

/// Where an endpoint is, pinned: nothing later looks at an environment variable or a context again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As a person would check it: `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376`. Sanitised.
    pub text: Arc<str>,
    pub address: Address,
}

/// How to get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
    /// `host:port`, and where the certificates are.
    Tls(String, TlsFiles),
    Ssh(SshAddress),
}

impl Endpoint {
    /// How it is reached, in words.
    #[must_use]
    pub fn way(&self) -> String {
        match &self.address {
            Address::Unix(_) => "a unix socket".to_owned(),
            Address::Tcp(_) => "TCP, not encrypted".to_owned(),
            Address::Tls(_, files) => {
                let trust = files.ca.as_ref().map_or_else(|| "the system's".to_owned(), |ca| ca.display().to_string());
                let own = if files.pair.is_some() { "with" } else { "without" };
                format!("TLS, trusting {trust} authorities, {own} a certificate of its own")
            }
            Address::Ssh(ssh) => {
                let socket = ssh.socket.as_deref().unwrap_or("the socket found there");
                format!("one ssh connection to {}, forwarding {socket}", ssh.destination())
            }
        }
    }
}

/// Certificates in PEM. Without a CA the system's roots are trusted; without a pair none is shown to the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    pub ca: Option<PathBuf>,
    /// Certificate and its key.
    pub pair: Option<(PathBuf, PathBuf)>,
}

/// What the resolution looks at, so that a test can bring its own.
pub struct Surroundings<'a> {
    /// An environment variable; an empty one counts as unset.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub home: Option<PathBuf>,
    /// The sockets every user shares, tried first and last: Docker's and Podman's.
    pub system_sockets: (PathBuf, PathBuf),
}

/// The address `target` means in this process's surroundings.
///
/// # Errors
/// A context that is not defined, an address of a kind that is not spoken, certificates that are not there.
pub fn resolve(target: &DockerTarget) -> Result<Endpoint, EngineError> {
    let variable = |name: &str| std::env::var(name).ok();
    let home = variable("HOME").map(PathBuf::from);
    let system_sockets = (PathBuf::from("/var/run/docker.sock"), PathBuf::from("/run/podman/podman.sock"));
    resolve_in(target, &Surroundings { variable: &variable, home, system_sockets })
}

/// The address `target` means in these surroundings.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_in(target: &DockerTarget, around: &Surroundings<'_>) -> Result<Endpoint, EngineError> {
    match target {
        DockerTarget::Host(host) => from_host(host, around),
        DockerTarget::Context(name) => from_context(name, around),
        DockerTarget::Ambient => ambient(around),
    }
}

/// The docker client's own order: `DOCKER_HOST`, `DOCKER_CONTEXT`, `currentContext`, then the sockets that are there.
fn ambient(around: &Surroundings<'_>) -> Result<Endpoint, EngineError> {
    if let Some(host) = around.get("DOCKER_HOST") {
        return from_host(&host, around);
    }
    match around.get("DOCKER_CONTEXT").or_else(|| current_context(around)) {
        Some(name) => from_context(&name, around),
        None => Ok(default_socket(around)),
    }
}

impl Surroundings<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// `DOCKER_CONFIG`, else `~/.docker`.
    fn docker_directory(&self) -> Option<PathBuf> {
        self.get("DOCKER_CONFIG").map(PathBuf::from).or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
    }
}

fn current_context(around: &Surroundings<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "currentContext")]
        current_context: Option<String>,
    }
    let text = std::fs::read(around.docker_directory()?.join("config.json")).ok()?;
    let config: Config = serde_json::from_slice(&text).ok()?;
    config.current_context.filter(|name| !name.is_empty())
}

/// The first socket that is there; with none, Docker's own, so that its absence can be told.
fn default_socket(around: &Surroundings<'_>) -> Endpoint {
    let (docker, podman) = &around.system_sockets;
    let mut candidates = vec![docker.clone()];
    let run = around.get("XDG_RUNTIME_DIR").map(PathBuf::from);
    candidates.extend(run.as_ref().map(|run| run.join("docker.sock")));
    if let Some(home) = &around.home {
        candidates.extend([home.join(".docker/run/docker.sock"), home.join(".docker/desktop/docker.sock")]);
    }
    candidates.extend(run.map(|run| run.join("podman/podman.sock")));
    candidates.push(podman.clone());
    let path = candidates.into_iter().find(|path| path.exists()).unwrap_or_else(|| docker.clone());
    unix(path)
}

fn unix(path: PathBuf) -> Endpoint {
    Endpoint { text: clean(&format!("unix://{}", path.display())).into(), address: Address::Unix(path) }
}

/// An address given by hand or by `DOCKER_HOST`; TLS as the docker client's variables say.
fn from_host(host: &str, around: &Surroundings<'_>) -> Result<Endpoint, EngineError> {
    let verify = around.get("DOCKER_TLS_VERIFY").is_some();
    if !verify && around.get("DOCKER_TLS").is_some() && !is_private(host) {
        return Err(unverified(host));
    }
    let files = || {
        let directory = around.get("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| around.docker_directory());
        directory.map(|d| tls_files(&d)).unwrap_or_default()
    };
    parse(host, verify.then(files), &files)
}

/// Takes an address apart. `tls` is set when it is wanted anyway; `files` tells where an `https://` finds its own.
fn parse(host: &str, tls: Option<TlsFiles>, files: &dyn Fn() -> TlsFiles) -> Result<Endpoint, EngineError> {
    let unsupported =
        |why: &str| Err(EngineError::Unsupported { what: format!("Connecting to {}", clean(host)).into(), why: why.into() });
    let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
    let tls = match scheme {
        "unix" => return Ok(unix(PathBuf::from(rest))),
        "tcp" => tls,
        "http" => None,
        "https" => Some(tls.unwrap_or_else(files)),
        "ssh" => {
            return match SshAddress::parse(rest) {
                Ok(ssh) => Ok(Endpoint { text: clean(&ssh.text()).into(), address: Address::Ssh(ssh) }),
                Err(why) => unsupported(why),
            };
        }
        _ => return unsupported("the address must begin with unix://, tcp://, https:// or ssh://"),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return unsupported("the address needs a host and a port, like tcp://10.0.0.5:2376");
    }
    let has_port =
        authority.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let port = if tls.is_some() { 2376 } else { 2375 };
    let authority = if has_port { authority.to_owned() } else { format!("{}:{port}", authority.trim_end_matches(':')) };
    let text = clean(&format!("tcp://{authority}")).into();
    let address = match tls {
        Some(files) => Address::Tls(authority, files),
        None => Address::Tcp(authority),
    };
    Ok(Endpoint { text, address })
}

/// Whether TLS has nothing to do with the address.
fn is_private(host: &str) -> bool {
    host.starts_with("unix://") || host.starts_with("ssh://")
}

fn unverified(what: &str) -> EngineError {
    EngineError::Unsupported {
        what: format!("Connecting to {}", clean(what)).into(),
        why: "it asks for TLS without checking the engine's certificate; set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH".into(),
    }
}

/// The files of a certificate directory that are there.
fn tls_files(directory: &Path) -> TlsFiles {
    let there = |name: &str| Some(directory.join(name)).filter(|path| path.exists());
    TlsFiles { ca: there("ca.pem"), pair: there("cert.pem").zip(there("key.pem")) }
}

/// A context's meta file, as far as it matters here.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: std::collections::BTreeMap<String, MetaEndpoint>,
}

#[derive(Deserialize)]
struct MetaEndpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// The context `name`. Its directory is named by a hash of the name; looking into each spares computing it.
fn from_context(name: &str, around: &Surroundings<'_>) -> Result<Endpoint, EngineError> {
    if name == "default" {
        return match around.get("DOCKER_HOST") {
            Some(host) => from_host(&host, around),
            None => Ok(default_socket(around)),
        };
    }
    let unknown = |cause: String| EngineError::Unreachable {
        endpoint: format!("The docker context {}", clean(name)).into(),
        cause: clean(&cause).into(),
    };
    let Some(contexts) = around.docker_directory().map(|d| d.join("contexts")) else {
        return Err(unknown("there is no home directory to look for it".into()));
    };
    let (directory, meta) = find_meta(&contexts.join("meta"), name)
        .ok_or_else(|| unknown(format!("{} does not define it (docker context ls shows what is there)", contexts.display())))?;
    let Some((host, skip)) = meta.endpoints.get("docker").and_then(|e| Some((e.host.clone()?, e.skip_tls_verify))) else {
        return Err(unknown("it names no docker endpoint".into()));
    };
    let tls = contexts.join("tls").join(directory).join("docker");
    if skip && !is_private(&host) {
        return Err(unverified(&format!("the docker context {name}")));
    }
    let files = || tls_files(&tls);
    parse(&host, tls.is_dir().then(files), &files)
}

fn find_meta(directory: &Path, name: &str) -> Option<(std::ffi::OsString, Meta)> {
    std::fs::read_dir(directory).ok()?.flatten().find_map(|entry| {
        let text = std::fs::read(entry.path().join("meta.json")).ok()?;
        let meta: Meta = serde_json::from_slice(&text).ok()?;
        (meta.name == name).then(|| (entry.file_name(), meta))
    })
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
