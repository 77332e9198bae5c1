//! The alerts of a Prometheus server, and what it answers in general.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::http::Ask;
use super::{ASKED, good, unmet};
use crate::engine::EngineError;
use crate::operate::Accepted;

/// Prometheus' own envelope (HTTP API v1).
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    labels: std::collections::BTreeMap<String, String>,
    state: String,
}

/// Whether the alert `name`, or any alert, does not fire.
pub(super) async fn silent(prometheus: &str, name: Option<&str>) -> Result<Accepted, EngineError> {
    let what = name.unwrap_or("alerts");
    let answer: Alerts = ask(prometheus, "/api/v1/alerts", ASKED).await.map_err(|why| unmet(what, &why))?;
    judge(&answer, name).map(|words| good(None, words)).map_err(|why| unmet(what, &why))
}

fn judge(answer: &Alerts, name: Option<&str>) -> Result<String, String> {
    let name_of = |alert: &Alert| alert.labels.get("alertname").cloned().unwrap_or_default();
    let mut firing: Vec<String> = answer
        .alerts
        .iter()
        .filter(|alert| alert.state == "firing" && name.is_none_or(|name| name_of(alert) == name))
        .map(name_of)
        .collect();
    let times = firing.len();
    firing.sort();
    firing.dedup();
    match name {
        _ if firing.is_empty() => Ok(name.map_or_else(|| "no alert fires".to_owned(), |name| format!("{name} does not fire"))),
        Some(_) if times == 1 => Err("it fires".to_owned()),
        Some(_) => Err(format!("it fires {times} times")),
        None => Err(format!("{} {}", firing.join(", "), if firing.len() == 1 { "fires" } else { "fire" })),
    }
}

/// Asks a Prometheus server.
pub(super) async fn ask<T: DeserializeOwned>(server: &str, path: &str, limit: Duration) -> Result<T, String> {
    let url = format!("{}{path}", server.trim_end_matches('/'));
    let answer = Ask::get(&url)
        .send(limit)
        .await
        .map_err(|fault| format!("Prometheus at {}: {}", super::http::shown(server), fault.why))?;
    let envelope: Result<Envelope<T>, _> = serde_json::from_slice(&answer.body);
    match envelope {
        Ok(Envelope { status, data: Some(data), .. }) if status == "success" => Ok(data),
        Ok(Envelope { error: Some(error), .. }) => Err(format!("Prometheus says: {error}")),
        Ok(_) | Err(_) => Err(format!("what answers {} at {} is no Prometheus", answer.status, super::http::shown(server))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fires_is_told() {
        let text = r#"{"status":"success","data":{"alerts":[
            {"labels":{"alertname":"HighLatency"},"annotations":{},"state":"pending","value":"6"},
            {"labels":{"alertname":"ServiceDown","instance":"a"},"state":"firing","activeAt":"2026-11-21T10:00:00Z","value":"0"},
            {"labels":{"alertname":"ServiceDown","instance":"b"},"state":"firing","value":"0"}]}}"#;
        let answer: Envelope<Alerts> = serde_json::from_str(text).unwrap();
        let answer = answer.data.unwrap();
        for (name, expected) in [
            (Some("HighLatency"), Ok("HighLatency does not fire")),
            (Some("ServiceDown"), Err("it fires 2 times")),
            (Some("Other"), Ok("Other does not fire")),
            (None, Err("ServiceDown fires")),
        ] {
            assert_eq!(judge(&answer, name).as_deref().map_err(String::as_str), expected, "{name:?}");
        }
        assert_eq!(judge(&Alerts { alerts: Vec::new() }, None).as_deref(), Ok("no alert fires"));
    }
}
