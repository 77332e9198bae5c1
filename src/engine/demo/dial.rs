//! A connection to a port of a replica: behind those that speak HTTP is a server that answers as the world is.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};

use super::recipe::Probe;
use super::traffic;
use super::unit::Unit;
use super::world::World;
use crate::engine::EngineError;
use crate::model::{Health, InstanceId, InstanceState};

/// Bytes on their way in each direction.
const BUFFER: usize = 64 << 10;
/// Lines of a request's head that are read.
const HEAD: usize = 100;

/// Whether something listens on this port of a replica.
///
/// # Errors
/// [`EngineError::Unmet`] when the replica does not run, or nothing listens there.
pub fn listens(world: &World, instance: &InstanceId, port: u16) -> Result<(), EngineError> {
    let unmet = |why: &str| EngineError::Unmet { what: format!("port {port} of {instance}").into(), why: why.into() };
    let unit = world.unit(instance).ok_or_else(|| unmet("there is no such instance"))?;
    let open = unit.recipe.ports.iter().any(|(_, inside)| *inside == port);
    let up = unit.state == InstanceState::Running && unit.check.health != Health::Starting;
    if up && open { Ok(()) } else { Err(unmet("nothing listens there")) }
}

/// Opens it: `look` asks the world for the answer to a path.
pub fn open(look: impl Fn(&str) -> Answer + Send + 'static) -> DuplexStream {
    let (ours, theirs) = duplex(BUFFER);
    tokio::spawn(async move {
        // Whoever asked has gone: there is nobody to tell.
        drop(serve(ours, look).await);
    });
    theirs
}

/// Status, kind and body.
pub type Answer = (u16, &'static str, String);

/// What a replica answers to a path.
#[must_use]
pub fn answer(world: &World, instance: &InstanceId, path: &str) -> Answer {
    let Some(unit) = world.unit(instance) else { return (502, "text/plain", "gone\n".to_owned()) };
    let path = path.split('?').next().unwrap_or(path);
    match path {
        "/metrics" => match traffic::metrics(unit, &world.moment()) {
            Some(text) => (200, "text/plain; version=0.0.4", text),
            None => (404, "text/plain", "not found\n".to_owned()),
        },
        path if is_health(unit, path) => {
            let status = if unit.check.health == Health::Unhealthy { 503 } else { 200 };
            (status, "application/json", unit.check.output.to_string())
        }
        _ => (404, "text/plain", "not found\n".to_owned()),
    }
}

fn is_health(unit: &Unit, path: &str) -> bool {
    matches!(unit.recipe.probe, Some(Probe::Http { path: its, .. }) if its == path)
}

/// HTTP/1.1, one request after another, as far as a look needs it.
async fn serve(stream: DuplexStream, look: impl Fn(&str) -> Answer) -> std::io::Result<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut read = BufReader::new(read);
    loop {
        let (mut first, mut close) = (String::new(), false);
        if read.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        for _ in 0..HEAD {
            let mut line = String::new();
            if read.read_line(&mut line).await? == 0 || line.trim().is_empty() {
                break;
            }
            close |= line.to_ascii_lowercase().starts_with("connection: close");
        }
        let (status, kind, body) = look(first.split(' ').nth(1).unwrap_or("/"));
        let words = if status == 200 { "OK" } else { "No" };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} {words}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        write.write_all(head.as_bytes()).await?;
        if !first.starts_with("HEAD ") {
            write.write_all(body.as_bytes()).await?;
        }
        write.flush().await?;
        if close {
            return write.shutdown().await;
        }
    }
}
