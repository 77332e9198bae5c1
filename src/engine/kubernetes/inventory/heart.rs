//! Signs of life of the server: one cheap request after the other, each with a limit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::engine::EngineError;
use crate::engine::kubernetes::client::{ANSWER_WITHIN, Client};
use crate::engine::kubernetes::pace::{PING_EVERY, PING_LOST, PING_WITHIN};
use crate::engine::kubernetes::wire::wire;

/// Pauses between attempts where only a person can help.
const HOPELESS: Duration = Duration::from_secs(4);

/// Whether the server answered.
pub enum Beat {
    Alive { latency_ms: u64, server: Arc<str> },
    Lost(EngineError),
}

wire! {
    Version { git_version: String }
}

/// Asks again and again, until nobody listens.
pub async fn beat(client: Client, sender: mpsc::Sender<Beat>) {
    let mut path = "/readyz";
    loop {
        let beat = once(&client, &mut path).await;
        let pause = match &beat {
            Beat::Alive { .. } => PING_EVERY,
            Beat::Lost(error) if error.is_transient() => PING_LOST,
            Beat::Lost(_) => HOPELESS,
        };
        if sender.send(beat).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

async fn once(client: &Client, path: &mut &'static str) -> Beat {
    // Making the client may take its time: a plugin is run for its credentials.
    let server = match timeout(ANSWER_WITHIN, client.place()).await {
        Ok(Ok((server, _))) => server,
        Ok(Err(error)) => return Beat::Lost(error),
        Err(_) => return Beat::Lost(silent(client, ANSWER_WITHIN)),
    };
    let begun = Instant::now();
    let latency = |begun: Instant| u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match timeout(PING_WITHIN, client.get_text("Asking whether it is ready", path)).await {
        Ok(Ok(_)) => Beat::Alive { latency_ms: latency(begun), server },
        Ok(Err(
            EngineError::Forbidden { .. } | EngineError::NotFound { .. } | EngineError::Rejected { status: 404 | 429, .. },
        )) => {
            // A refusal is an answer, too.
            *path = "/version";
            Beat::Alive { latency_ms: latency(begun), server }
        }
        Ok(Err(error)) => Beat::Lost(error),
        Err(_) => Beat::Lost(silent(client, PING_WITHIN)),
    }
}

fn silent(client: &Client, within: Duration) -> EngineError {
    let cause = format!("no answer within {:.1} s", within.as_secs_f64());
    EngineError::Unreachable { endpoint: client.endpoint(), cause: cause.into() }
}

/// What the server calls itself.
pub async fn version(client: &Client) -> Option<Arc<str>> {
    let version: Version = client.get("Asking for the version", "/version").await.ok()?;
    let word = crate::observe::text::clean(&version.git_version).into_owned();
    Some(if word.is_empty() { "Kubernetes".into() } else { format!("Kubernetes {word}").into() })
}
