//! Habits of a stack that are regretted later: default passwords, containers as root, databases open to everybody, logs
//! that fill the disk. Judged from what its engine knows of each definition; an environment variable's value never comes
//! here, it is judged where it is read ([`env::suspicious`]) and only its name goes on.

pub mod env;
mod mend;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{EngineKind, Port, Tier, WorkloadId};

pub use env::{Why, is_placeholder, suspicious};

/// Ports databases and their like listen on, and whose they are.
const DATABASES: &[(u16, &str)] = &[
    (5432, "PostgreSQL"),
    (3306, "MySQL"),
    (6379, "Redis"),
    (27017, "MongoDB"),
    (9200, "Elasticsearch"),
    (2181, "ZooKeeper"),
    (9092, "Kafka"),
    (1433, "SQL Server"),
    (11211, "Memcached"),
];

/// Who a container's first process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum User {
    Root,
    Other,
    /// The definition leaves it to the image, whatever that says.
    OfImage,
    #[default]
    Unknown,
}

impl User {
    /// As a definition writes it (`user:group`, by name or number); empty is what an engine makes root of.
    #[must_use]
    pub fn of(written: &str) -> Self {
        match written.split(':').next().unwrap_or_default().trim() {
            "" | "0" | "root" => Self::Root,
            _ => Self::Other,
        }
    }
}

/// What is known of one container's definition, as far as it is judged. What an engine cannot tell is `None` and is not
/// held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Makeup {
    pub workload: WorkloadId,
    /// Which container of a pod; `None` where an instance is one container.
    pub container: Option<Arc<str>>,
    /// It is meant to run on and on. What runs to its end needs no health check.
    pub serves: bool,
    /// As it was asked for.
    pub image: Arc<str>,
    pub user: User,
    pub privileged: bool,
    /// Kubernetes: a process may gain more rights than its parent. The cluster's own default is yes.
    pub escalates: Option<bool>,
    /// It shares its machine's network.
    pub host_network: bool,
    /// Sockets of container engines mounted into it, by their path on the machine.
    pub sockets: Vec<Arc<str>>,
    /// Where it can be reached from outside its network.
    pub ports: Vec<Port>,
    /// Whether its log is kept within bounds, and by which driver.
    pub log: Option<LogKept>,
    /// It has a health signal of its own (HEALTHCHECK, readiness probe).
    pub checked: Option<bool>,
    /// Kubernetes: something starts it again when it hangs (liveness probe).
    pub revived: Option<bool>,
    pub memory_limited: Option<bool>,
    pub cpu_limited: Option<bool>,
    /// Environment variables whose values are not as they should be, by name.
    pub keys: Vec<(Arc<str>, Why)>,
}

/// How an engine keeps a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKept {
    pub driver: Arc<str>,
    /// It has an end: old lines make room.
    pub bounded: bool,
}

impl LogKept {
    /// What a Docker log driver does with these options: `json-file` keeps everything unless `max-size` is set, the others
    /// bound what they keep or keep nothing themselves (<https://docs.docker.com/engine/logging/configure/>).
    #[must_use]
    pub fn by(driver: &str, has_max_size: bool) -> Self {
        Self { driver: driver.into(), bounded: driver != "json-file" || has_max_size }
    }
}

impl Makeup {
    /// A container nothing is known of yet.
    #[must_use]
    pub fn new(workload: WorkloadId, image: impl Into<Arc<str>>) -> Self {
        Self {
            workload,
            container: None,
            serves: true,
            image: image.into(),
            user: User::Unknown,
            privileged: false,
            escalates: None,
            host_network: false,
            sockets: Vec::new(),
            ports: Vec::new(),
            log: None,
            checked: None,
            revived: None,
            memory_limited: None,
            cpu_limited: None,
            keys: Vec::new(),
        }
    }
}

/// What was looked at in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub makeups: Vec<Makeup>,
    /// What could not be looked at, and why; whole sentences.
    pub unseen: Vec<Arc<str>>,
}

/// Whether a path of the machine is the socket of what runs its containers.
#[must_use]
pub fn is_engine_socket(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(name, "docker.sock" | "containerd.sock" | "crio.sock" | "podman.sock")
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    Passwords,
    Placeholders,
    EmptySecrets,
    PlainSecrets,
    Databases,
    Privileges,
    EngineSocket,
    HostNetwork,
    Root,
    Escalation,
    Logs,
    Health,
    Limits,
    Tags,
}

impl Check {
    /// Every check, what hurts most first.
    pub const ALL: [Self; 14] = [
        Self::Passwords,
        Self::Placeholders,
        Self::EmptySecrets,
        Self::PlainSecrets,
        Self::Databases,
        Self::Privileges,
        Self::EngineSocket,
        Self::HostNetwork,
        Self::Root,
        Self::Escalation,
        Self::Logs,
        Self::Health,
        Self::Limits,
        Self::Tags,
    ];

    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passwords => "default passwords",
            Self::Placeholders => "placeholder values",
            Self::EmptySecrets => "empty secrets",
            Self::PlainSecrets => "secrets in plain env",
            Self::Databases => "published databases",
            Self::Privileges => "privileged",
            Self::EngineSocket => "engine socket",
            Self::HostNetwork => "host network",
            Self::Root => "runs as root",
            Self::Escalation => "privilege escalation",
            Self::Logs => "log rotation",
            Self::Health => "health checks",
            Self::Limits => "limits",
            Self::Tags => "image tags",
        }
    }

    /// Whether it means something to an engine.
    #[must_use]
    pub fn applies(self, engine: EngineKind) -> bool {
        match self {
            Self::PlainSecrets | Self::Escalation => engine == EngineKind::Kubernetes,
            // The kubelet rotates what containers print; a Swarm service can be given neither privileges nor the host's
            // network by most definitions, but its tasks are looked at all the same.
            Self::Logs => engine != EngineKind::Kubernetes,
            Self::Passwords
            | Self::Placeholders
            | Self::EmptySecrets
            | Self::Databases
            | Self::Privileges
            | Self::EngineSocket
            | Self::HostNetwork
            | Self::Root
            | Self::Health
            | Self::Limits
            | Self::Tags => true,
        }
    }

    /// Whether it must not be so where it would hurt most.
    fn fails(self, tier: Tier) -> bool {
        tier == Tier::Production && matches!(self, Self::Passwords | Self::Databases)
    }
}

/// Something that is not as it should be, of one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub check: Check,
    pub workload: WorkloadId,
    /// It must not stay so, rather than better not.
    pub grave: bool,
    /// What is so, in words; never a secret's value.
    pub detail: String,
    /// A line for the stack's own definition that mends it.
    pub mend: String,
}

/// Judges an environment: one finding a check and workload, in the order of the checks.
#[must_use]
pub fn judge(makeups: &[Makeup], tier: Tier, engine: EngineKind) -> Vec<Finding> {
    let mut found: BTreeMap<(Check, &WorkloadId), Vec<(&Makeup, String)>> = BTreeMap::new();
    for makeup in makeups {
        for check in Check::ALL.into_iter().filter(|check| check.applies(engine)) {
            if let Some(words) = look(check, makeup, tier) {
                found.entry((check, &makeup.workload)).or_default().push((makeup, words));
            }
        }
    }
    let finding = |((check, workload), told): ((Check, &WorkloadId), Vec<(&Makeup, String)>)| {
        let first = told.first().map(|(makeup, _)| *makeup)?;
        Some(Finding {
            check,
            workload: workload.clone(),
            grave: check.fails(tier),
            detail: words(&told),
            mend: mend::line(check, first, engine),
        })
    };
    found.into_iter().filter_map(finding).collect()
}

/// The checks that found nothing.
#[must_use]
pub fn clear(findings: &[Finding], engine: EngineKind) -> Vec<Check> {
    let found = |check: &Check| findings.iter().any(|finding| finding.check == *check);
    Check::ALL.into_iter().filter(|check| check.applies(engine) && !found(check)).collect()
}

/// What several containers of a workload have in common is said once.
fn words(told: &[(&Makeup, String)]) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (makeup, words) in told {
        let container = makeup.container.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| known == words) {
            Some((_, containers)) if !containers.contains(&container) => containers.push(container),
            Some(_) => {}
            None => groups.push((words, vec![container])),
        }
    }
    let said = groups.iter().map(|(words, containers)| {
        let named: Vec<&str> = containers.iter().copied().filter(|name| !name.is_empty()).collect();
        if named.is_empty() { (*words).to_owned() } else { format!("{}: {words}", named.join(", ")) }
    });
    said.collect::<Vec<_>>().join("; ")
}

/// What a check has to say of one container; nothing when all is well or cannot be told.
fn look(check: Check, makeup: &Makeup, tier: Tier) -> Option<String> {
    let said = |holds: bool, words: &str| holds.then(|| words.to_owned());
    match check {
        Check::Passwords => keys(makeup, &[Why::Default, Why::LetsAnybodyIn]),
        Check::Placeholders => keys(makeup, &[Why::Placeholder]),
        Check::EmptySecrets => keys(makeup, &[Why::Empty]),
        Check::PlainSecrets => keys(makeup, &[Why::Plain]),
        Check::Databases => databases(makeup),
        Check::Privileges => said(makeup.privileged, "it may do everything its machine can (privileged)"),
        Check::EngineSocket => (!makeup.sockets.is_empty())
            .then(|| format!("{} is mounted: whoever is in it rules the machine", makeup.sockets.join(", "))),
        Check::HostNetwork => said(makeup.host_network, "it shares its machine's network"),
        Check::Root => match makeup.user {
            User::Root => Some("its process is root".to_owned()),
            User::OfImage => Some("nothing keeps its process from being root: its image decides".to_owned()),
            User::Other | User::Unknown => None,
        },
        Check::Escalation => said(makeup.escalates == Some(true), "a process of it may gain more rights than its parent has"),
        Check::Logs => makeup
            .log
            .as_ref()
            .filter(|log| !log.bounded)
            .map(|log| format!("the log driver {} keeps everything until the disk is full", log.driver)),
        Check::Health => health(makeup),
        Check::Limits => match (makeup.memory_limited, makeup.cpu_limited) {
            (Some(false), Some(false)) => Some("neither memory nor CPU is limited".to_owned()),
            (Some(false), _) => Some("memory is not limited".to_owned()),
            (_, Some(false)) => Some("CPU is not limited".to_owned()),
            (_, _) => None,
        },
        Check::Tags => tag(&makeup.image, tier),
    }
}

/// The variables that are so.
fn keys(makeup: &Makeup, wanted: &[Why]) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for why in wanted {
        let mut keys: Vec<&str> = makeup.keys.iter().filter(|(_, is)| is == why).map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.is_empty() {
            said.push(format!("{} {}", keys.join(", "), why.words(keys.len())));
        }
    }
    (!said.is_empty()).then(|| said.join("; "))
}

fn databases(makeup: &Makeup) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for port in &makeup.ports {
        let Some((host, number)) = &port.host else { continue };
        let Some((_, whose)) = DATABASES.iter().find(|(known, _)| *known == port.container || known == number) else { continue };
        if !is_loopback(host) {
            let words = format!("{whose} can be reached from outside on {host}:{number}");
            if !said.contains(&words) {
                said.push(words);
            }
        }
    }
    (!said.is_empty()).then(|| said.join(", "))
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || matches!(address, "::1" | "[::1]" | "localhost")
}

fn health(makeup: &Makeup) -> Option<String> {
    if !makeup.serves {
        return None;
    }
    match (makeup.checked, makeup.revived) {
        (Some(false), Some(false)) => Some("it has neither a readiness nor a liveness probe".to_owned()),
        (Some(false), Some(true)) => Some("it has no readiness probe: traffic comes before it can answer".to_owned()),
        (Some(true), Some(false)) => Some("it has no liveness probe: one that hangs is not started again".to_owned()),
        (Some(false), None) => Some("nothing tells whether it is well: it has no health check".to_owned()),
        (_, _) => None,
    }
}

/// What is wrong with how an image is named.
fn tag(image: &str, tier: Tier) -> Option<String> {
    if image.is_empty() || image.contains('@') || image.starts_with("sha256:") {
        return None;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':').map(|(_, tag)| tag) {
        None => Some(format!("{image} has no tag: that is latest, whatever it is by then")),
        Some("latest") => Some(format!("{image} is whatever was pushed last")),
        Some(_) if tier == Tier::Production => Some(format!("{image} is not pinned by a digest: the tag may be moved")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
