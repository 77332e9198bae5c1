//! What an operation has done outside the engine: looks at the world around it, commands of this machine, messages. Data
//! only; [`crate::probe`] does it.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{EnvironmentId, ProbeSpec, ServerSpec, Silence};
use crate::observe::load::Load;

use super::action::InstanceRef;

/// Something done outside the engine. A look changes nothing and may be repeated; a command is run once. When it is done,
/// every instance in it is [`InstanceRef::Known`].
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// The file has every one of these keys, none of them empty or a placeholder such as `change_me`.
    EnvFile { path: Arc<str>, required: Vec<Arc<str>> },
    /// `host:port` takes connections within `timeout`.
    Tcp { address: Arc<str>, timeout: Duration },
    /// The certificate at `host:port` is valid for the host and for so many days more.
    Certificate { address: Arc<str>, days: u32, timeout: Duration },
    /// A probe answers as it should; with `{instance}` in its address, at each of these instances. An `exec` probe is an
    /// [`super::Action::Exec`] instead.
    Probe { probe: Arc<ProbeSpec>, instances: Vec<InstanceRef> },
    /// A figure is within its limit. Without `limit` it is only read.
    Metric { metric: Box<Metric>, limit: Option<Limit> },
    /// This Prometheus server says that the alert (or, without a name, any alert) does not fire.
    Alerts { prometheus: Arc<ServerSpec>, name: Option<Arc<str>> },
    /// A command of this machine, away from the terminal; the pinned target is in its environment (`QD_ENVIRONMENT`,
    /// `QD_WORKLOAD`, `QD_IMAGE`, `QD_OPERATION`, `DOCKER_HOST`).
    /// `folder` is where it runs; `None` is the working directory.
    Command { argv: Vec<Arc<str>>, folder: Option<Arc<str>>, timeout: Duration, variables: Vec<(Arc<str>, Arc<str>)> },
    /// Sends many requests, until its time is up or too many fail.
    Load(Box<Load>),
    /// A request whose answer must be a 2xx.
    Http { method: Arc<str>, url: Arc<str>, body: Option<Arc<str>>, timeout: Duration },
    /// Makes a silence of an environment's alerts.
    Silence { keeper: Keeper, silence: Box<Silence> },
    /// Ends one.
    Unsilence { keeper: Keeper, id: Arc<str> },
}

/// Who keeps the silences of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// A file of this user's, for the alerts of this environment: what is shown here is silenced, nothing else.
    File { path: Arc<str>, environment: Arc<str> },
    /// An Alertmanager: everybody it tells is told nothing.
    Alertmanager(Arc<ServerSpec>),
}

/// Where a figure comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// As it was written: `cpu`, `memory`, `error_rate`, `requests`, `p95`, a family's name, or an expression of Prometheus.
    pub name: Arc<str>,
    pub environment: EnvironmentId,
    pub source: MetricSource,
    /// Over how long a rate is measured.
    pub window: Duration,
}

/// Who knows a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricSource {
    /// The engine's own statistics: mean over these instances.
    Engine { figure: EngineFigure, instances: Vec<InstanceRef> },
    /// Exposition text at these addresses, summed; `{instance}` in an address stands for each of these instances.
    Scrape { urls: Vec<Arc<str>>, instances: Vec<InstanceRef> },
    /// An instant query of a Prometheus server; `name` is the expression.
    Prometheus { server: Arc<ServerSpec> },
}

/// What the engine measures itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFigure {
    /// Cores busy, mean per instance.
    Cpu,
    /// Memory used, as a part (0 to 1) of the limit; mean per instance.
    Memory,
}

/// A bound of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Above(f64),
    Below(f64),
}

impl Limit {
    /// Whether `value` is on the side it must be on. What is no number is on neither.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::Above(bound) => value > bound,
            Self::Below(bound) => value < bound,
        }
    }

    /// `< 0.05`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Above(bound) => format!("> {bound}"),
            Self::Below(bound) => format!("< {bound}"),
        }
    }
}

impl Errand {
    /// The instances it is about, to be put in once they are made.
    pub fn instances(&mut self) -> &mut [InstanceRef] {
        match self {
            Self::Probe { instances, .. } => instances,
            Self::Metric { metric, .. } => match &mut metric.source {
                MetricSource::Engine { instances, .. } | MetricSource::Scrape { instances, .. } => instances,
                MetricSource::Prometheus { .. } => &mut [],
            },
            Self::EnvFile { .. }
            | Self::Tcp { .. }
            | Self::Certificate { .. }
            | Self::Alerts { .. }
            | Self::Command { .. }
            | Self::Load(_)
            | Self::Http { .. }
            | Self::Silence { .. }
            | Self::Unsilence { .. } => &mut [],
        }
    }

    /// Whether it only looks: then it may be done again, and nothing need be said when it is given up.
    #[must_use]
    pub fn is_look(&self) -> bool {
        match self {
            Self::EnvFile { .. }
            | Self::Tcp { .. }
            | Self::Certificate { .. }
            | Self::Probe { .. }
            | Self::Metric { .. }
            | Self::Alerts { .. } => true,
            Self::Command { .. } | Self::Load(_) | Self::Http { .. } | Self::Silence { .. } | Self::Unsilence { .. } => false,
        }
    }
}
