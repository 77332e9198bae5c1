//! A Prometheus server asked over its HTTP API: what an expression gives now and over time, its alerts, and its rules.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>

mod alerts;
mod query;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{safe, server};
use crate::model::{Labels, ServerSpec};

pub use alerts::alerts;
pub use query::{Course, Courses, range};

pub(super) use alerts::silent;
pub(super) use query::single;

/// Prometheus' own envelope.
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    error: Option<String>,
}

/// Asks a Prometheus server.
async fn ask<T: DeserializeOwned>(prometheus: &ServerSpec, path: &str, limit: Duration) -> Result<T, String> {
    let answer = server::get(prometheus, path, limit).await.map_err(|why| format!("Prometheus at {prometheus}: {why}"))?;
    let envelope: Result<Envelope<T>, _> = serde_json::from_slice(&answer.body);
    match envelope {
        Ok(Envelope { status, data: Some(data), .. }) if status == "success" => Ok(data),
        Ok(Envelope { error: Some(error), .. }) => Err(format!("Prometheus says: {error}")),
        Ok(_) | Err(_) => Err(format!("what answers {} at {prometheus} is no Prometheus", answer.status)),
    }
}

/// A figure as Prometheus writes it in JSON: a string, so that it can be no number.
fn figure(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        other => other.parse().ok(),
    }
}

/// Labels or annotations of somebody else's, safe to be shown.
fn labels(of: &BTreeMap<String, String>) -> Labels {
    Labels::new(of.iter().map(|(name, value)| (safe(name), safe(value))))
}
