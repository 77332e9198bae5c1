//! Connections to an address: the name resolved, the first of its addresses that answers taken.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

/// Why an address could not be connected to.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) why: String,
    /// Nothing came back at all: there may be no way from here to there.
    pub(super) silent: bool,
}

impl Fault {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), silent: false }
    }

    pub(super) fn late(limit: Duration) -> Self {
        Self { why: format!("no answer within {}", super::seconds(limit)), silent: true }
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
    let silent = matches!(error.kind(), ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut);
    let why = match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to it from here".to_owned(),
        ErrorKind::TimedOut => "no answer".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "the connection broke off".to_owned(),
        // The resolver's failures have no kind of their own.
        _ if error.raw_os_error().is_none() => "its name cannot be resolved".to_owned(),
        _ => error.to_string(),
    };
    Fault { why, silent }
}

/// `host` and port of `host:port`; the brackets of an IPv6 address are left out.
pub(super) fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
