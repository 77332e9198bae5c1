//! A connection to a port of a container: by the address it has on its network where that is reached from here, else by
//! where the port is published.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use super::client::Client;
use crate::engine::{Dialled, EngineError, Update};
use crate::model::{InstanceId, InstanceState, Inventory, Link, Port};

/// How long the container may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A way that has not answered so soon is tried beside the next one: a virtual machine's or a rootless engine's containers
/// have addresses that lead nowhere from here.
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// Connects to `port` of a container.
///
/// # Errors
/// When there is no way to it, it does not run, or nothing listens.
pub(super) async fn dial(client: &Client, instance: &InstanceId, port: u16) -> Result<Dialled, EngineError> {
    let what: Arc<str> = format!("Port {port} of {instance}").into();
    let cannot = |why: &str| EngineError::Unsupported { what: what.clone(), why: why.into() };
    let inventory = tokio::time::timeout(PATIENCE, inventory(client)).await.ok().flatten();
    let inventory = inventory.ok_or_else(|| cannot("its engine does not tell where it is"))?;
    let found = inventory.environments.iter().find_map(|snapshot| snapshot.instance(instance)).map(|(_, found)| found);
    let found = found.ok_or_else(|| EngineError::NotFound { what: format!("the instance {instance}").into() })?;
    if matches!(found.state, InstanceState::Created | InstanceState::Exited | InstanceState::Dead) {
        return Err(cannot("it does not run"));
    }
    let machine = client.machine();
    let ways = ways(machine.as_deref(), found.ip.as_deref(), &found.ports, port).map_err(|why| cannot(&why))?;
    match tokio::time::timeout(PATIENCE, first(ways)).await {
        Ok(Ok(stream)) => {
            drop(stream.set_nodelay(true));
            Ok(Box::new(stream))
        }
        Ok(Err(error)) => Err(EngineError::Unmet { what, why: words(&error).into() }),
        Err(_) => Err(EngineError::TimedOut { what, seconds: PATIENCE.as_secs() }),
    }
}

/// What the engine holds: as it is followed already, else asked for.
async fn inventory(client: &Client) -> Option<Arc<Inventory>> {
    if let Some(known) = client.known().inventory() {
        return Some(known);
    }
    let mut updates = super::inventory::follow(client.clone());
    while let Some(update) = updates.next().await {
        match update {
            Update::Inventory(inventory) => return Some(inventory),
            Update::Link(Link::Failed { .. } | Link::Stale { .. }) => return None,
            Update::Link(Link::Connecting | Link::Live { .. })
            | Update::Events(_)
            | Update::Samples(_)
            | Update::Logs(_)
            | Update::Description(_) => {}
        }
    }
    None
}

/// The addresses at which a container's port may be reached, the straight one first. `machine` is the engine's, where that is
/// not this one.
fn ways(machine: Option<&str>, ip: Option<&str>, ports: &[Port], port: u16) -> Result<Vec<(String, u16)>, String> {
    let mut ways: Vec<(String, u16)> = Vec::new();
    if machine.is_none() {
        ways.extend(ip.map(|ip| (ip.to_owned(), port)));
    }
    let of_port = ports.iter().filter(|p| p.container == port && &*p.protocol == "tcp");
    for (address, published) in of_port.filter_map(|p| p.host.as_ref()) {
        let everywhere = matches!(&**address, "" | "0.0.0.0" | "::");
        let alone = address.starts_with("127.") || &**address == "::1";
        let way = match machine {
            Some(_) if alone => continue,
            Some(machine) if everywhere => machine.to_owned(),
            None if everywhere => "127.0.0.1".to_owned(),
            Some(_) | None => address.to_string(),
        };
        if !ways.contains(&(way.clone(), *published)) {
            ways.push((way, *published));
        }
    }
    match machine {
        _ if !ways.is_empty() => Ok(ways),
        Some(_) => Err(format!(
            "its engine is on another machine and port {port} is not published there: publish it, or use an exec probe or ssh -L"
        )),
        None => Err(format!("it has no address of its own, and port {port} is not published")),
    }
}

/// The first of them that answers; the first one's trouble when none does.
async fn first(ways: Vec<(String, u16)>) -> Result<TcpStream, Error> {
    let attempts = (0_u32..).zip(ways).map(|(nth, (host, port))| async move {
        tokio::time::sleep(NEXT_AFTER * nth).await;
        (nth, TcpStream::connect((host.as_str(), port)).await)
    });
    let mut attempts: FuturesUnordered<_> = attempts.collect();
    let mut trouble = Error::from(ErrorKind::NotConnected);
    while let Some((nth, attempt)) = attempts.next().await {
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) if nth == 0 => trouble = error,
            Err(_) => {}
        }
    }
    Err(trouble)
}

fn words(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to it from here".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(host: Option<(&str, u16)>, container: u16, protocol: &str) -> Port {
        Port { host: host.map(|(address, port)| (address.into(), port)), container, protocol: protocol.into() }
    }

    #[test]
    fn a_port_is_reached_by_its_own_address_else_by_where_it_is_published() {
        let everywhere = [port(Some(("0.0.0.0", 8080)), 80, "tcp"), port(Some(("::", 8080)), 80, "tcp")];
        let alone = [port(Some(("127.0.0.1", 8080)), 80, "tcp")];
        let other = [port(Some(("0.0.0.0", 8080)), 81, "tcp"), port(Some(("0.0.0.0", 53)), 80, "udp"), port(None, 80, "tcp")];
        let bound = [port(Some(("10.1.1.1", 8080)), 80, "tcp")];
        let ip = Some("172.17.0.2");
        for (machine, ip, ports, expected) in [
            (None, ip, &everywhere[..], Ok("172.17.0.2:80 127.0.0.1:8080")),
            (None, ip, &other[..], Ok("172.17.0.2:80")),
            (None, None, &alone[..], Ok("127.0.0.1:8080")),
            (None, None, &other[..], Err("it has no address of its own, and port 80 is not published")),
            (Some("prod-1"), ip, &everywhere[..], Ok("prod-1:8080")),
            (Some("prod-1"), ip, &bound[..], Ok("10.1.1.1:8080")),
            (Some("prod-1"), ip, &alone[..], Err("its engine is on another machine and port 80 is not published there")),
            (Some("prod-1"), ip, &other[..], Err("its engine is on another machine and port 80 is not published there")),
        ] {
            let ways = ways(machine, ip, ports, 80);
            let told = ways.map(|all| all.iter().map(|(host, port)| format!("{host}:{port}")).collect::<Vec<_>>().join(" "));
            match (told, expected) {
                (Ok(told), Ok(expected)) => assert_eq!(told, expected),
                (Err(told), Err(expected)) => assert!(told.starts_with(expected), "{told}"),
                (told, expected) => panic!("{told:?}, not {expected:?}"),
            }
        }
    }

    #[tokio::test]
    async fn the_first_way_that_answers_is_taken() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = ("127.0.0.1".to_owned(), listener.local_addr().unwrap().port());
        let bad = ("127.0.0.1".to_owned(), std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        assert_eq!(first(vec![bad.clone(), good.clone()]).await.unwrap().peer_addr().unwrap().port(), good.1);
        assert_eq!(words(&first(vec![bad]).await.unwrap_err()), "nothing listens there");
    }
}
