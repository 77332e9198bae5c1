//! A connection to a port of a container, by the address it has on its network.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::client::Client;
use crate::engine::{Dialled, EngineError};
use crate::model::InstanceId;

/// How long the container may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects to `port` of a container. Its address is only reached from the engine's own machine.
///
/// # Errors
/// When the engine is elsewhere, the container has no address, or nothing listens.
pub(super) async fn dial(client: &Client, instance: &InstanceId, port: u16) -> Result<Dialled, EngineError> {
    let what: Arc<str> = format!("Port {port} of {instance}").into();
    let cannot = |why: &str| EngineError::Unsupported { what: what.clone(), why: why.into() };
    if !client.is_local() {
        return Err(cannot(
            "a container's address is only reached from its engine's own machine; publish the port, or use ssh -L",
        ));
    }
    let inventory = client.known().inventory().ok_or_else(|| cannot("its address is not known yet"))?;
    let ip = inventory.environments.iter().find_map(|s| s.instance(instance)).and_then(|(_, i)| i.ip.clone());
    let ip = ip.ok_or_else(|| cannot("it has no address of its own"))?;
    let unmet = |why: String| EngineError::Unmet { what: what.clone(), why: why.into() };
    match tokio::time::timeout(PATIENCE, TcpStream::connect((&*ip, port))).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(unmet(error.to_string())),
        Err(_) => Err(EngineError::TimedOut { what, seconds: PATIENCE.as_secs() }),
    }
}
