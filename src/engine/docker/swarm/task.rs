//! A task as an instance: what the manager says of it, and what its container says where that is on this node.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::template;
use super::wire::Task;
use crate::engine::docker::convert::{Details, Interner, Seen, container_verdict, time};
use crate::model::{Health, Instance, InstanceId, InstanceState, Port, Verdict};
use crate::observe::redact;
use crate::observe::text::fit;

/// Cells of a check's output that fit into a reason.
const OUTPUT_CELLS: usize = 160;

/// One attempt at a replica, compact.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub id: InstanceId,
    pub slot: Option<u32>,
    pub node: Arc<str>,
    pub state: Arc<str>,
    pub desired: Arc<str>,
    pub message: Arc<str>,
    /// Why it is not what it should be; masked.
    pub error: Arc<str>,
    pub exit_code: Option<i64>,
    pub container: Option<Arc<str>>,
    pub created_at: Option<Timestamp>,
    /// Since when it is in its state.
    pub since: Option<Timestamp>,
    pub print: u64,
    pub forced: u64,
    pub image: Arc<str>,
    pub digest: Option<Arc<str>>,
    pub health_check: Option<bool>,
    pub memory_limit: Option<u64>,
    pub ip: Option<Arc<str>>,
    /// Of a job: which of its runs.
    pub iteration: Option<u64>,
}

impl Attempt {
    /// From the manager's words.
    #[must_use]
    pub fn new(task: &Task, interner: &mut Interner) -> Self {
        let (image, digest) = template::image(&task.spec);
        let status = &task.status;
        let container = Some(status.container_status.container_id.as_str()).filter(|id| !id.is_empty());
        let address = task.networks_attachments.iter().flat_map(|a| &a.addresses).next();
        Self {
            id: InstanceId(interner.text(&task.id)),
            slot: task.slot.filter(|slot| *slot > 0),
            node: interner.text(&task.node_id),
            state: interner.text(&status.state),
            desired: interner.text(&task.desired_state),
            message: interner.text(&status.message),
            error: interner.text(&redact::text(status.err.trim())),
            exit_code: status.container_status.exit_code,
            container: container.map(|id| interner.text(id)),
            created_at: task.created_at.as_deref().and_then(time),
            since: status.timestamp.as_deref().and_then(time),
            print: template::fingerprint(&task.spec),
            forced: template::forced(&task.spec),
            image: interner.text(image),
            digest: digest.map(|d| interner.text(d)),
            health_check: template::health_check(&task.spec),
            memory_limit: template::memory_limit(&task.spec),
            ip: address.map(|ip| interner.text(ip.split('/').next().unwrap_or(ip))),
            iteration: task.job_iteration.as_ref().map(|version| version.index),
        }
    }

    /// Its place among the others of its service: a slot, or a node for what runs once on each.
    #[must_use]
    pub fn place(&self) -> (u32, Arc<str>) {
        self.slot.map_or_else(|| (0, self.node.clone()), |slot| (slot, "".into()))
    }

    /// Whether the manager wants it to run (or to run to its end).
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !matches!(&*self.desired, "shutdown" | "remove")
    }

    /// Whether it has a process.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(&*self.state, "running" | "starting")
    }

    /// Whether it ended as it should not: what is to be kept running, by itself too, however well.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        match &*self.state {
            "failed" | "rejected" | "orphaned" => true,
            "complete" => self.iteration.is_none(),
            _ => false,
        }
    }

    /// Whether it is on its way into another state.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        match (&*self.state, self.is_wanted()) {
            ("running", true) | ("complete" | "shutdown" | "failed" | "rejected" | "remove" | "orphaned", _) => false,
            (_, true) => true,
            (_, false) => self.is_up(),
        }
    }
}

/// What an instance gets from its service and from its container.
pub struct Setting<'a> {
    /// `shop_web.1`.
    pub name: String,
    pub number: u32,
    pub revision: Option<u64>,
    pub node: Option<Arc<str>>,
    /// Attempts before it in its place that failed.
    pub failures: u32,
    pub container: Option<(&'a Seen, Option<&'a Details>)>,
    pub host_ports: &'a [Port],
    pub now: Timestamp,
}

/// The instance a task is.
#[must_use]
pub fn instance(task: &Attempt, setting: &Setting<'_>) -> Instance {
    let (seen, details) = setting.container.map_or((None, None), |(seen, details)| (Some(seen), details));
    let state = state(task, seen);
    let current = seen.and_then(|seen| details.filter(|d| d.key == seen.key()));
    let ended = !task.is_up();
    // Without its container at hand, the time of its state is all there is.
    let told_since = task.since.filter(|_| state == InstanceState::Running);
    let elsewhere = || -> Arc<str> {
        let node = setting.node.as_deref().unwrap_or("another node");
        format!("it runs on {node}, and this is the engine of another node: connect to that one").into()
    };
    Instance {
        id: task.id.clone(),
        name: setting.name.as_str().into(),
        number: setting.number,
        state,
        verdict: verdict(task, state, setting),
        has_healthcheck: task
            .health_check
            .unwrap_or_else(|| seen.is_some_and(|seen| seen.health.is_some()) || details.is_some_and(|d| d.has_healthcheck)),
        checks: current.and_then(|d| d.check.clone()).into_iter().collect(),
        image: task.image.clone(),
        digest: task.digest.clone().or_else(|| seen.and_then(|seen| seen.image_id.clone())),
        revision: setting.revision,
        made_by: None,
        set_aside: false,
        one_off: false,
        fixed_name: false,
        fixed_ports: setting.host_ports.iter().filter_map(|p| p.host.as_ref().map(|(_, port)| *port)).collect(),
        restarts: setting.failures,
        exit_code: if ended { task.exit_code.filter(|_| task.container.is_some()) } else { None },
        oom_killed: current.is_some_and(|d| d.oom_killed),
        node: setting.node.clone(),
        elsewhere: (seen.is_none() && task.is_up()).then(elsewhere),
        pod: None,
        ip: task.ip.clone(),
        ports: setting.host_ports.to_vec(),
        created_at: task.created_at,
        started_at: if seen.is_some() { current.and_then(|d| d.started_at) } else { told_since },
        finished_at: if ended { current.and_then(|d| d.finished_at).or(task.since.filter(|_| task.has_failed())) } else { None },
        memory_limit_bytes: task.memory_limit.or_else(|| details.and_then(|d| d.memory_limit)),
        labels: seen.map(|seen| seen.labels.clone()).unwrap_or_default(),
    }
}

/// The manager's word in ours. What its container does is nearer to the truth where it can be seen.
fn state(task: &Attempt, seen: Option<&Seen>) -> InstanceState {
    match (&*task.state, task.is_wanted()) {
        ("running" | "starting", false) | ("remove", _) => InstanceState::Removing,
        ("running" | "starting", true) => match seen.map(|seen| seen.state) {
            Some(InstanceState::Removing) | None => InstanceState::Running,
            Some(state) => state,
        },
        ("new" | "pending" | "allocated" | "assigned" | "accepted" | "preparing" | "ready", _) => InstanceState::Created,
        ("complete" | "shutdown" | "failed" | "rejected", _) => InstanceState::Exited,
        _ => InstanceState::Unknown,
    }
}

fn verdict(task: &Attempt, state: InstanceState, setting: &Setting<'_>) -> Verdict {
    let error = Some(&*task.error).filter(|e| !e.is_empty());
    match state {
        InstanceState::Removing => Verdict::because(Health::Stopped, "told to end"),
        InstanceState::Created => match error {
            // `no suitable node (…)`: it waits, perhaps for ever.
            Some(error) => Verdict::because(Health::Unhealthy, error),
            None => Verdict::because(Health::Starting, waiting(task)),
        },
        InstanceState::Running | InstanceState::Paused | InstanceState::Restarting | InstanceState::Dead => {
            match setting.container {
                Some((seen, details)) => container_verdict(seen, details, setting.now),
                None if &*task.state == "starting" => Verdict::because(Health::Starting, "its health check has not passed yet"),
                None => Verdict::healthy(),
            }
        }
        InstanceState::Exited => match (task.has_failed(), &*task.state) {
            (true, _) => Verdict::because(Health::Unhealthy, error.map_or_else(|| ended(task, setting), ToOwned::to_owned)),
            (false, "complete") => Verdict::because(Health::Stopped, "done"),
            (false, _) => Verdict::because(Health::Stopped, "ended"),
        },
        InstanceState::Unknown => {
            let why = error.map_or_else(|| format!("the engine calls it {}", task.state), ToOwned::to_owned);
            Verdict::because(Health::Unknown, why)
        }
    }
}

fn waiting(task: &Attempt) -> String {
    let word = match &*task.state {
        "ready" => "waits for the one before it to end",
        "preparing" => "its image is being fetched",
        "pending" => "waits for a node",
        _ => "on its way to a node",
    };
    word.to_owned()
}

fn ended(task: &Attempt, setting: &Setting<'_>) -> String {
    let check = setting.container.and_then(|(_, details)| details?.check.as_ref());
    if &*task.state == "complete" {
        let code = task.exit_code.unwrap_or(0);
        // An unhealthy container that ends well when told to leaves no other trace.
        return match check.filter(|check| check.health == Health::Unhealthy) {
            Some(check) => format!("was unhealthy and ended with exit code {code}: {}", fit(&check.output, OUTPUT_CELLS)),
            None => format!("ended by itself with exit code {code}"),
        };
    }
    match (task.exit_code, &*task.message) {
        (Some(code), _) if task.container.is_some() => format!("ended with exit code {code}"),
        (_, "") => "failed".to_owned(),
        (_, message) => message.to_owned(),
    }
}

/// The ports a task holds on its node.
#[must_use]
pub fn host_ports(ports: &[super::wire::Port]) -> Vec<Port> {
    let of = |port: &super::wire::Port| {
        let protocol = if port.protocol.is_empty() { "tcp" } else { &port.protocol };
        Some(Port {
            host: Some(("0.0.0.0".into(), port.published_port?)),
            container: port.target_port?,
            protocol: protocol.into(),
        })
    };
    ports.iter().filter(|port| port.publish_mode == "host").filter_map(of).collect()
}

/// A template's image where no task tells one.
#[must_use]
pub fn image_of(template: &Value) -> (Arc<str>, Option<Arc<str>>) {
    let (image, digest) = template::image(template);
    let said = |text: &str| crate::observe::text::clean(text).into();
    (said(image), digest.map(said))
}
