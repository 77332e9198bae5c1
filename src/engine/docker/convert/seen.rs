//! A container as the list tells it, in our words and compact: kept between lists, so that an inspection can be added
//! without asking for the list again.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::details::{Details, StateKey};
use super::{Group, Interner};
use crate::engine::docker::labels;
use crate::engine::docker::wire::{Listed, ListedPort};
use crate::model::{Health, InstanceId, InstanceState, LockHolder, OperationId, Port, Revision};
use crate::observe::redact;

/// Longest label value kept, characters.
const LABEL_LIMIT: usize = 512;
/// Revisions kept of a workload.
const REVISIONS: usize = 10;
/// Linux hands out ephemeral host ports from here on.
const EPHEMERAL: u16 = 32768;

/// A container as the list tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: InstanceId,
    pub name: Arc<str>,
    pub group: Group,
    /// The service, or the name of a container without one: what the workload is called.
    pub workload: Arc<str>,
    pub number: u32,
    pub state: InstanceState,
    /// Of its HEALTHCHECK; `None` without one, and while it does not run.
    pub health: Option<Health>,
    /// From the status text (`Exited (137) 5 minutes ago`).
    pub exit_code: Option<i64>,
    pub image: Arc<str>,
    pub image_id: Option<Arc<str>>,
    pub created_at: Option<Timestamp>,
    pub ports: Vec<Port>,
    pub ip: Option<Arc<str>>,
    pub set_aside: bool,
    pub one_off: bool,
    pub fixed_name: bool,
    pub revision: Option<u64>,
    /// From its label, newest first; empty where quarterdeck did not make it.
    pub history: Vec<Revision>,
    pub made_by: Option<OperationId>,
    /// The Swarm task it is of.
    pub task: Option<Arc<str>>,
    /// It is no replica but a lock.
    pub lock: Option<Arc<LockHolder>>,
    pub labels: Arc<BTreeMap<Arc<str>, Arc<str>>>,
}

impl Seen {
    /// A listed container; none when it cannot be addressed. Labels never change, so those of `before` are taken over.
    #[must_use]
    pub fn new(listed: &Listed, before: Option<&Self>, interner: &mut Interner) -> Option<Self> {
        if listed.id.is_empty() {
            return None;
        }
        let label = |name: &str| listed.labels.get(name).map(String::as_str).filter(|v| !v.is_empty());
        let name = name_of(listed);
        let (set_aside, bare_name) = set_aside(name);
        let service = label(labels::PROJECT).zip(label(labels::SERVICE));
        let number = label(labels::NUMBER).and_then(|n| n.parse().ok()).unwrap_or(1);
        let one_off = label(labels::ONE_OFF).is_some_and(|v| v.eq_ignore_ascii_case("true"));
        let fixed_name = service.is_some_and(|(project, service)| {
            !one_off && ["_", "-"].iter().all(|s| bare_name != format!("{project}{s}{service}{s}{number}"))
        });
        let created = listed.created.and_then(|s| Timestamp::from_second(s).ok());
        let lock = label(labels::LOCK).map(|_| Arc::new(lock_holder(&listed.labels, created.unwrap_or_default())));
        let group = match (label(labels::LOCK), service) {
            (Some(labels::LOOSE), _) | (None, None) => Group::Loose,
            (Some(scope), _) => Group::Project(interner.text(scope)),
            (None, Some((project, _))) => Group::Project(interner.text(project)),
        };
        let (health, exit_code) = read_status(&listed.status);
        Some(Self {
            id: before.map_or_else(|| InstanceId(interner.text(&listed.id)), |b| b.id.clone()),
            name: interner.text(name),
            group,
            workload: interner.text(service.map_or(bare_name, |(_, service)| service)),
            number,
            state: super::state(&listed.state),
            health,
            exit_code,
            image: interner.text(&listed.image),
            image_id: Some(listed.image_id.as_str()).filter(|i| !i.is_empty()).map(|i| interner.text(i)),
            created_at: created,
            ports: ports(&listed.ports, interner),
            ip: listed
                .network_settings
                .networks
                .values()
                .flatten()
                .filter_map(|n| n.ip.as_deref())
                .find(|ip| !ip.is_empty())
                .map(|ip| interner.text(ip)),
            set_aside,
            one_off,
            fixed_name,
            revision: label(labels::REVISION).and_then(|n| n.parse().ok()),
            history: before
                .map_or_else(|| label(labels::HISTORY).map(|h| history(h, interner)).unwrap_or_default(), |b| b.history.clone()),
            made_by: label(labels::OPERATION).map(|o| OperationId(interner.text(o))),
            task: label(labels::TASK).map(|task| interner.text(task)),
            lock,
            labels: before.map_or_else(|| Arc::new(shown_labels(listed, interner)), |b| b.labels.clone()),
        })
    }

    /// What an inspection would be outdated by.
    #[must_use]
    pub fn key(&self) -> StateKey {
        StateKey { state: self.state, health: self.health, exit_code: self.exit_code }
    }

    /// Whether it looks as if a person would want to know more at once.
    #[must_use]
    pub fn looks_wrong(&self) -> bool {
        matches!(self.health, Some(Health::Unhealthy))
            || matches!(self.state, InstanceState::Restarting | InstanceState::Dead | InstanceState::Unknown)
            || (self.state == InstanceState::Exited && self.exit_code != Some(0))
    }

    /// The image as it was asked for: when its tag has moved on, the list only tells the id.
    #[must_use]
    pub fn image_name(&self, details: Option<&Details>) -> Arc<str> {
        details.and_then(|d| d.image.clone()).unwrap_or_else(|| self.image.clone())
    }

    /// Before an inspection says which host ports are in the definition: those that are not from the ephemeral range.
    #[must_use]
    pub fn guess_fixed_ports(&self) -> Vec<u16> {
        let hosts = self.ports.iter().filter_map(|p| p.host.as_ref().map(|(_, port)| *port));
        let mut ports: Vec<u16> = hosts.filter(|port| *port < EPHEMERAL).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

/// The container's own name (other names are links of others to it), else its short id.
fn name_of(listed: &Listed) -> &str {
    let names = listed.names.iter().map(|n| n.strip_prefix('/').unwrap_or(n)).filter(|n| !n.is_empty());
    let own = names.clone().find(|n| !n.contains('/')).or_else(|| names.clone().next());
    own.unwrap_or_else(|| listed.id.get(..12).unwrap_or(&listed.id))
}

/// `0123456789ab_web_1` is `web_1`, renamed out of the way by a deployment.
fn set_aside(name: &str) -> (bool, &str) {
    match name.split_once('_') {
        Some((id, rest))
            if id.len() == 12 && !rest.is_empty() && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) =>
        {
            (true, rest)
        }
        Some(_) | None => (false, name),
    }
}

/// Health and exit code out of the status text: `Up 2 minutes (unhealthy)`, `Restarting (1) 4 seconds ago`.
fn read_status(status: &str) -> (Option<Health>, Option<i64>) {
    let health = match () {
        () if status.contains("(healthy)") => Some(Health::Healthy),
        () if status.contains("(unhealthy)") => Some(Health::Unhealthy),
        () if status.contains("(health: starting)") => Some(Health::Starting),
        () => None,
    };
    let ended = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("));
    (health, ended.and_then(|rest| rest.split(')').next()?.parse().ok()))
}

/// Published on IPv4 and IPv6 alike is one port.
fn ports(listed: &[ListedPort], interner: &mut Interner) -> Vec<Port> {
    let mut out: Vec<Port> = Vec::new();
    for port in listed {
        let Some(container) = port.private else { continue };
        let protocol = interner.text(port.protocol.as_deref().unwrap_or("tcp"));
        let host = port.public.filter(|p| *p > 0).map(|p| (interner.text(port.ip.as_deref().unwrap_or("0.0.0.0")), p));
        let doubled = |other: &Port| {
            other.container == container
                && other.protocol == protocol
                && matches!((&other.host, &host), (Some((a, p)), Some((b, q))) if p == q && is_any(a) && is_any(b))
        };
        if !out.iter().any(doubled) {
            out.push(Port { host, container, protocol });
        }
    }
    out.sort();
    out
}

fn is_any(address: &str) -> bool {
    matches!(address, "0.0.0.0" | "::" | "")
}

/// The labels for people: values masked and cut, without the long ones of our own that are shown in other ways.
fn shown_labels(listed: &Listed, interner: &mut Interner) -> BTreeMap<Arc<str>, Arc<str>> {
    let shown = listed.labels.iter().filter(|(name, _)| !matches!(name.as_str(), labels::HISTORY | labels::LOCK_REQUEST));
    shown
        .map(|(name, value)| {
            let value = if redact::is_secret_name(name) && !value.is_empty() { redact::MASK.into() } else { redact::text(value) };
            let cut = value.char_indices().nth(LABEL_LIMIT).map_or(value.as_ref(), |(end, _)| &value[..end]);
            (interner.text(name), interner.text(cut))
        })
        .collect()
}

/// The revisions a label tells; a label that cannot be read tells none.
fn history(label: &str, interner: &mut Interner) -> Vec<Revision> {
    let revisions: Vec<Revision> = serde_json::from_str(label).unwrap_or_default();
    let cleaned = revisions.into_iter().take(REVISIONS).map(|r| Revision {
        image: interner.text(&r.image),
        digest: r.digest.map(|d| interner.text(&d)),
        by: r.by.map(|by| interner.text(&by)),
        cause: r.cause.map(|cause| interner.text(&cause)),
        ..r
    });
    cleaned.collect()
}

/// What the labels of a lock that was made then say of its holder.
pub fn lock_holder(written: &BTreeMap<String, String>, created: Timestamp) -> LockHolder {
    let text = |name: &str| -> Arc<str> { crate::observe::text::clean(written.get(name).map_or("", String::as_str)).into() };
    let some = |name: &str| Some(text(name)).filter(|t| !t.is_empty());
    let number = |name: &str| written.get(name).and_then(|v| v.parse::<u64>().ok()).unwrap_or(0);
    LockHolder {
        by: text(labels::LOCK_BY),
        host: text(labels::LOCK_HOST),
        pid: u32::try_from(number(labels::LOCK_PID)).unwrap_or(0),
        pid_started: number(labels::LOCK_PID_STARTED),
        why: text(labels::LOCK_WHY),
        since: text(labels::LOCK_SINCE).parse().unwrap_or(created),
        operation: some(labels::LOCK_OPERATION).map(OperationId),
        // Read by a program, not by people: it stays as it is.
        request: written.get(labels::LOCK_REQUEST).filter(|r| !r.is_empty()).map(|r| r.as_str().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_text_tells_health_and_exit_code() {
        for (status, health, exit) in [
            ("Up 2 minutes", None, None),
            ("Up 2 minutes (healthy)", Some(Health::Healthy), None),
            ("Up 2 minutes (unhealthy)", Some(Health::Unhealthy), None),
            ("Up 1 second (health: starting)", Some(Health::Starting), None),
            ("Exited (137) 5 minutes ago", None, Some(137)),
            ("Restarting (1) 4 seconds ago", None, Some(1)),
            ("Exited (", None, None),
            ("", None, None),
        ] {
            assert_eq!(read_status(status), (health, exit), "{status}");
        }
    }

    #[test]
    fn only_twelve_hexadecimal_digits_set_aside() {
        for (name, expected) in [
            ("0123456789ab_web_1", (true, "web_1")),
            ("0123456789ab_", (false, "0123456789ab_")),
            ("0123456789AB_web_1", (false, "0123456789AB_web_1")),
            ("web_1", (false, "web_1")),
            ("", (false, "")),
        ] {
            assert_eq!(set_aside(name), expected, "{name}");
        }
    }
}
