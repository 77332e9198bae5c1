//! What a stack of the demo world is made of, as plain data: services, versions, ports, needs, figures.

use crate::model::{EngineKind, Mechanics, Tier, WorkloadKind};

/// How a service talks in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// nginx's combined access log.
    Nginx,
    /// structlog's JSON, one object a line (`FastAPI`).
    Structlog,
    /// Python's logging with a level, and a traceback now and then.
    Python,
    /// pino-like JSON of a Node service.
    Node,
    /// `level=info msg=…`.
    Logfmt,
    Redis,
    Postgres,
}

/// How a service is asked whether it is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `GET path` on a port; the body it answers when all is well.
    Http { port: u16, path: &'static str, well: &'static str },
    /// `redis-cli ping`.
    RedisPing,
    /// `pg_isready`.
    PgIsReady,
}

/// One version a service has had.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    pub tag: &'static str,
    pub hours_ago: u32,
    pub by: &'static str,
    pub cause: &'static str,
}

/// What a replica uses when the day is at its busiest.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub cpu_cores: f64,
    pub memory_mib: f64,
    pub limit_mib: u64,
    pub rx_kib: f64,
    pub tx_kib: f64,
    pub read_kib: f64,
    pub write_kib: f64,
    pub pids: u64,
    /// Things it says a second; some take several lines.
    pub lines: f64,
}

/// A service: what its replicas are made from.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub name: &'static str,
    pub kind: WorkloadKind,
    /// The image without its tag.
    pub repository: &'static str,
    /// Oldest first; the last runs when the world begins.
    pub versions: &'static [Version],
    pub replicas: u32,
    pub voice: Voice,
    pub probe: Option<Probe>,
    /// Services of the same stack it cannot do its work without.
    pub needs: &'static [&'static str],
    /// Host port, where published, and container port.
    pub ports: &'static [(Option<u16>, u16)],
    /// The volume its data lies in: why there can be only one of it.
    pub volume: Option<&'static str>,
    /// Seconds from start to the first passed check.
    pub warm: f64,
    pub env: &'static [&'static str],
    pub command: &'static str,
    pub figures: Figures,
}

/// A stack in one place.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    pub name: &'static str,
    pub tier: Tier,
    pub engine: EngineKind,
    pub mechanics: Mechanics,
    /// The Compose project or the namespace.
    pub project: &'static str,
    pub recipes: &'static [Recipe],
}

impl Recipe {
    /// The image of one tag.
    #[must_use]
    pub fn image(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository)
    }
}
