//! Connections to an address: from here, the name resolved and the first of its addresses that answers taken; or through an
//! engine, to a port of an instance.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::engine::{Dialled, Engine, EngineError};
use crate::model::InstanceId;

/// Why an address could not be connected to.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) why: String,
}

impl Fault {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }

    pub(super) fn late(limit: Duration) -> Self {
        Self::new(format!("no answer within {}", super::seconds(limit)))
    }
}

/// What an instance is called in an address that is reached through its engine.
pub(super) const INSIDE: &str = "localhost";

/// How an address is reached.
#[derive(Clone)]
pub(super) enum Way {
    /// From this machine.
    Direct,
    /// By this instance's engine; of the address only the port counts.
    Through(Arc<dyn Engine>, InstanceId),
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("Direct"),
            Self::Through(_, instance) => write!(f, "Through({instance})"),
        }
    }
}

impl Way {
    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct)
    }

    /// Connects; tells how long that took.
    pub(super) async fn open(&self, address: &str, limit: Duration) -> Result<(Dialled, Duration), Fault> {
        match self {
            Self::Direct => open(address, limit).await.map(|(stream, took)| (Box::new(stream) as Dialled, took)),
            Self::Through(engine, instance) => {
                let begun = Instant::now();
                let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
                let port = port.ok_or_else(|| Fault::new("it is no host:port"))?;
                let dialled = tokio::time::timeout(limit, engine.dial(instance.clone(), port)).await;
                let stream = dialled.map_err(|_| Fault::late(limit))?.map_err(|error| refused(&error))?;
                Ok((stream, begun.elapsed()))
            }
        }
    }
}

/// Why an engine made no connection: its own reason, without saying again what was wanted of it.
fn refused(error: &EngineError) -> Fault {
    match error {
        EngineError::TimedOut { seconds, .. } => Fault::late(Duration::from_secs(*seconds)),
        EngineError::Unmet { why, .. } | EngineError::Unsupported { why, .. } | EngineError::Forbidden { why, .. } => {
            Fault::new(why.as_ref())
        }
        EngineError::NotFound { .. } => Fault::new("the instance is gone"),
        EngineError::Unreachable { .. }
        | EngineError::Ssh { .. }
        | EngineError::Permission { .. }
        | EngineError::Tls { .. }
        | EngineError::TooOld { .. }
        | EngineError::Conflict { .. }
        | EngineError::Rejected { .. }
        | EngineError::Config { .. }
        | EngineError::Protocol { .. } => Fault::new(error.to_string()),
    }
}

/// Connects to `host:port`; tells how long that took.
pub(super) async fn open(address: &str, limit: Duration) -> Result<(TcpStream, Duration), Fault> {
    let begun = Instant::now();
    let address = address.strip_prefix("tcp://").unwrap_or(address);
    if !address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
        return Err(Fault::new("it is no host:port"));
    }
    match tokio::time::timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            drop(stream.set_nodelay(true));
            Ok((stream, begun.elapsed()))
        }
        Ok(Err(error)) => Err(fault(&error)),
        Err(_) => Err(Fault::late(limit)),
    }
}

fn fault(error: &std::io::Error) -> Fault {
    Fault::new(match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to it from here".to_owned(),
        ErrorKind::TimedOut => "no answer".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "the connection broke off".to_owned(),
        // The resolver's failures have no kind of their own.
        _ if error.raw_os_error().is_none() => "its name cannot be resolved".to_owned(),
        _ => error.to_string(),
    })
}

/// `host` and port of `host:port`; the brackets of an IPv6 address are left out.
pub(super) fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
