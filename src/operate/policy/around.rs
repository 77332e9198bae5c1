//! What is looked at, asked and done around the replacing of instances: before it, between its batches, after it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::ProbeSpec;
use crate::operate::errand::Limit;

/// A check before anything is changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Before {
    /// The file has every one of these keys, none empty or a placeholder.
    EnvFile { path: Arc<str>, required: Vec<Arc<str>> },
    /// `host:port` takes connections.
    Tcp(Arc<str>),
    /// The certificate at `host:port` is valid for so many days more.
    Certificate { address: Arc<str>, days: u32 },
    /// The engine has so many bytes of disk left.
    Disk(u64),
    /// This runbook has run.
    Runbook(Arc<str>),
    /// What also may be asked between and after.
    Condition(Condition),
}

/// What must be so, now or within a time, and for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub asked: Asked,
    /// It may take so long to become so.
    pub within: Duration,
    /// And must stay so for this long.
    pub hold: Duration,
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Probe(Arc<ProbeSpec>),
    Metric {
        name: Arc<str>,
        limit: Limit,
    },
    /// This alert (or, without a name, any) does not fire, as Prometheus says.
    Silent(Option<Arc<str>>),
    /// A command of this machine ends with 0; run once.
    Command {
        argv: Vec<Arc<str>>,
        timeout: Duration,
    },
    /// A person says so.
    Person(Arc<str>),
}

/// A command run once before instances are replaced. What it changed is never taken back by a roll back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    pub exec: Vec<Arc<str>>,
    pub timeout: Duration,
    pub place: Place,
}

/// Where a migration runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In a container of its own, of the new image.
    #[default]
    OneOff,
    /// In an instance that runs, of the old image.
    Instance,
}

/// A time in which nothing is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub from: Timestamp,
    pub to: Timestamp,
    pub why: Option<Arc<str>>,
}

/// How traffic goes from blue to green.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// By the names instances answer to on their networks: green gets these, blue loses them by stopping.
    Alias(Vec<Arc<str>>),
    /// By a file a proxy reads.
    Proxy(Proxy),
}

/// A proxy that is told where traffic goes by writing a file and reloading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// The workload that is the proxy; every instance of it is told.
    pub workload: Arc<str>,
    /// The file in it.
    pub file: Arc<str>,
    /// The file's whole text: `{servers}` is replaced by one `server` line an instance, each made from `server`.
    pub text: Arc<str>,
    /// One line an instance; `{instance}` is its name on the network.
    pub server: Arc<str>,
    /// A command in the proxy that checks the file; run before the reload.
    pub test: Option<Vec<Arc<str>>>,
    /// The command in the proxy that makes it read the file.
    pub reload: Vec<Arc<str>>,
}
