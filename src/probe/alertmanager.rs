//! An Alertmanager: its silences listed, made and ended.
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::http::{Answer, percent_encoded};
use super::{ASKED, safe, server};
use crate::model::{Labels, Matcher, ServerSpec, Silence};
use crate::observe::rule::silence::Silences;

/// Silences taken of one answer; what is more is counted.
const MOST: usize = 2_000;
/// Silenced alerts looked at.
const ALERTS: usize = 10_000;

/// A silence as the server has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    matchers: Vec<WrittenMatcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: String,
    comment: String,
    #[serde(default, skip_serializing)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    state: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMatcher {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct WrittenAlert {
    labels: BTreeMap<String, String>,
    status: AlertStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertStatus {
    #[serde(default)]
    silenced_by: Vec<String>,
}

/// The silences in force or still to come, and which alerts the server says are silenced by them.
///
/// # Errors
/// A sentence when the server cannot be asked.
pub async fn silences(alertmanager: &ServerSpec) -> Result<Silences, String> {
    let written: Vec<Written> = ask(alertmanager, Method::GET, "/api/v2/silences", None).await?;
    let alerts: Vec<WrittenAlert> = ask(alertmanager, Method::GET, "/api/v2/alerts?active=false&inhibited=false", None).await?;
    Ok(read(&written, &alerts))
}

fn read(written: &[Written], alerts: &[WrittenAlert]) -> Silences {
    let standing: Vec<&Written> = written.iter().filter(|w| w.status.state != "expired").collect();
    let all = standing.iter().take(MOST).map(|w| Arc::new(silence(w))).collect();
    let labels = |of: &WrittenAlert| Labels::new(of.labels.iter().map(|(name, value)| (safe(name), safe(value))));
    let said = alerts.iter().take(ALERTS).filter_map(|a| Some((labels(a), safe(a.status.silenced_by.first()?)))).collect();
    Silences { all, said, dropped: standing.len().saturating_sub(MOST) }
}

fn silence(written: &Written) -> Silence {
    let matcher =
        |m: &WrittenMatcher| Matcher { label: safe(&m.name), value: safe(&m.value), regex: m.is_regex, equal: m.is_equal };
    Silence {
        id: safe(written.id.as_deref().unwrap_or_default()),
        matchers: written.matchers.iter().map(matcher).collect(),
        why: safe(&written.comment),
        by: safe(&written.created_by),
        from: written.starts_at,
        until: written.ends_at,
    }
}

/// Makes a silence; answers with the name the server gives it. That of `silence` is not used.
///
/// # Errors
/// A sentence when the server cannot be asked or does not want it.
pub async fn create(alertmanager: &ServerSpec, silence: &Silence) -> Result<Arc<str>, String> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(rename = "silenceID")]
        id: String,
    }
    let matcher = |m: &Matcher| WrittenMatcher {
        name: m.label.to_string(),
        value: m.value.to_string(),
        is_regex: m.regex,
        is_equal: m.equal,
    };
    let written = Written {
        id: None,
        matchers: silence.matchers.iter().map(matcher).collect(),
        starts_at: silence.from,
        ends_at: silence.until,
        created_by: silence.by.to_string(),
        comment: silence.why.to_string(),
        status: Status::default(),
    };
    let body = serde_json::to_string(&written).map_err(|error| error.to_string())?;
    let made: Made = ask(alertmanager, Method::POST, "/api/v2/silences", Some(&body)).await?;
    Ok(safe(&made.id))
}

/// Ends a silence.
///
/// # Errors
/// A sentence when the server cannot be asked, or has no such silence.
pub async fn expire(alertmanager: &ServerSpec, id: &str) -> Result<(), String> {
    let path = format!("/api/v2/silence/{}", percent_encoded(id));
    match send(alertmanager, Method::DELETE, &path, None).await? {
        answer if answer.status == 200 => Ok(()),
        answer if answer.status == 404 => Err(format!("it has no silence {id}")),
        answer => Err(refused(&answer)),
    }
}

async fn ask<T: DeserializeOwned>(
    alertmanager: &ServerSpec,
    method: Method,
    path: &str,
    body: Option<&str>,
) -> Result<T, String> {
    let answer = send(alertmanager, method, path, body).await?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| format!("what answers {} at {alertmanager} is no Alertmanager (API v2)", answer.status))
}

async fn send(alertmanager: &ServerSpec, method: Method, path: &str, body: Option<&str>) -> Result<Answer, String> {
    const LIMIT: Duration = ASKED;
    server::send(alertmanager, method, path, body, LIMIT).await.map_err(|why| format!("Alertmanager at {alertmanager}: {why}"))
}

/// What the server says against it: a JSON string, or what stands there.
fn refused(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let said = serde_json::from_str::<String>(&text).unwrap_or_else(|_| text.lines().next().unwrap_or_default().to_owned());
    let said: String = said.chars().take(200).collect();
    if said.is_empty() { format!("Alertmanager answers {}", answer.status) } else { format!("Alertmanager says: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_is_read_and_what_has_ended_is_not() {
        let silence = |id: &str, state: &str| {
            format!(
                r#"{{"id":"{id}","status":{{"state":"{state}"}},"updatedAt":"2026-11-21T10:00:00Z","comment":"known\u001b","createdBy":"ann",
                "startsAt":"2026-11-21T10:00:00Z","endsAt":"2026-11-21T12:00:00.5Z",
                "matchers":[{{"name":"alertname","value":"Down","isRegex":false}},{{"name":"job","value":"a.*","isRegex":true,"isEqual":false}}]}}"#
            )
        };
        let text = format!("[{},{},{}]", silence("a", "active"), silence("b", "expired"), silence("c", "pending"));
        let written: Vec<Written> = serde_json::from_str(&text).unwrap();
        let alerts: Vec<WrittenAlert> =
            serde_json::from_str(r#"[{"labels":{"alertname":"Up"},"status":{"state":"suppressed","silencedBy":["a"]}}]"#)
                .unwrap();
        let read = read(&written, &alerts);
        let ids: Vec<&str> = read.all.iter().map(|s| &*s.id).collect();
        assert_eq!((ids, read.dropped, read.said.len()), (vec!["a", "c"], 0, 1));
        let first = &read.all[0];
        assert!(!first.why.contains('\u{1b}'));
        let matchers: Vec<(bool, bool)> = first.matchers.iter().map(|m| (m.regex, m.equal)).collect();
        assert_eq!(matchers, [(false, true), (true, false)]);
    }
}
