//! Where the run of now begins in a log that holds all runs of its container.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::inspect;
use crate::engine::docker::client::Client;
use crate::engine::docker::convert::time;
use crate::engine::docker::events::Event;
use crate::engine::docker::wire::segment;
use crate::engine::{EngineError, LogQuery};

/// How long before its noted beginning a run may have printed, where nothing tells when the one before ended.
const EARLY: Duration = Duration::from_millis(20);
/// How far back an engine is asked for the end of the run before; it knows its last 256 events.
const MEMORY: Duration = Duration::from_secs(7 * 24 * 3600);

/// The last moment that is wanted: what is before the run of now belongs to the runs before.
pub(super) async fn until(client: &Client, query: &LogQuery) -> Result<Option<Timestamp>, EngineError> {
    if !query.previous {
        return Ok(query.until);
    }
    let run = inspect(client, &query.instance).await?.state;
    let moment = |text: &Option<String>| text.as_deref().and_then(time);
    let began = moment(&run.started_at).unwrap_or(Timestamp::UNIX_EPOCH);
    // A run may print long before the engine notes that it began, but not before the one before it was said to be over.
    let last = match (died(client, query, began).await, moment(&run.finished_at)) {
        (Some(died), _) => died,
        (None, Some(ended)) if ended < began => ended.checked_add(began.duration_since(ended) / 2).unwrap_or(began),
        (None, Some(_) | None) => began.checked_sub(EARLY).unwrap_or(began),
    };
    Ok(Some(query.until.map_or(last, |until| until.min(last))))
}

/// When the engine said that the run before was over: it has its last lines by then. None once the engine forgot.
async fn died(client: &Client, query: &LogQuery, began: Timestamp) -> Option<Timestamp> {
    let filters = json!({ "container": [query.instance.as_str()], "event": ["die"], "type": ["container"] }).to_string();
    let since = began.checked_sub(MEMORY).ok()?;
    let path = format!("/events?since={}&until={}&filters={}", super::stamp(since), super::stamp(began), segment(&filters));
    let told = client.get_bytes("The end of the run before", &path).await.ok()?;
    let events = serde_json::Deserializer::from_slice(&told).into_iter::<Event>();
    let at = events.map_while(Result::ok).map(|event| event.at_ns()).max()?;
    Timestamp::from_nanosecond(i128::from(at)).ok()
}
