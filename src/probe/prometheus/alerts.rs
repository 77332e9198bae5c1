//! Alerts of a Prometheus server: every alerting rule with what is active of it; and whether one fires, for gates.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::{ask, figure, labels};
use crate::engine::EngineError;
use crate::model::{Alert, AlertSource, AlertState, Labels, ServerSpec};
use crate::observe::watch::Told;
use crate::operate::Accepted;
use crate::probe::{ASKED, good, safe, unmet};

/// Alerts taken of one answer; what is more is counted.
const MOST: usize = 2_000;

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    query: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    last_error: String,
    #[serde(default)]
    alerts: Vec<Active>,
}

#[derive(Deserialize)]
struct Active {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    state: String,
    #[serde(rename = "activeAt")]
    since: Option<Timestamp>,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Active>,
}

/// Every alert of a server: one for each active set of labels, and an inactive one for a rule without any.
///
/// # Errors
/// A sentence when the server cannot be asked.
pub async fn alerts(prometheus: &ServerSpec) -> Result<Told, String> {
    Ok(told(ask(prometheus, "/api/v1/rules?type=alert", ASKED).await?))
}

fn told(groups: Groups) -> Told {
    let mut told = Told::default();
    for rule in groups.groups.into_iter().flat_map(|g| g.rules).filter(|r| r.kind == "alerting") {
        if !rule.last_error.is_empty() {
            told.troubles.push((safe(&rule.name), safe(&rule.last_error)));
        }
        let room = MOST.saturating_sub(told.alerts.len());
        let active = rule.alerts.len().max(1);
        told.dropped += active.saturating_sub(room);
        if rule.alerts.is_empty() && room > 0 {
            told.alerts.push(Arc::new(inactive(&rule)));
        }
        told.alerts.extend(rule.alerts.iter().take(room).map(|active| Arc::new(of(&rule, active))));
    }
    told
}

fn inactive(rule: &Rule) -> Alert {
    Alert {
        name: safe(&rule.name),
        state: AlertState::Inactive,
        since: None,
        value: None,
        expression: safe(&rule.query),
        labels: named(&rule.labels, &rule.name),
        annotations: labels(&rule.annotations),
        source: AlertSource::Prometheus,
        silence: None,
        trouble: (!rule.last_error.is_empty()).then(|| safe(&rule.last_error)),
    }
}

fn of(rule: &Rule, active: &Active) -> Alert {
    let state = match active.state.as_str() {
        "firing" => AlertState::Firing,
        "pending" => AlertState::Pending,
        _ => AlertState::Inactive,
    };
    let (labels, annotations) = (named(&active.labels, &rule.name), labels(&active.annotations));
    Alert { state, since: active.since, value: figure(&active.value), labels, annotations, ..inactive(rule) }
}

fn named(of: &BTreeMap<String, String>, name: &str) -> Labels {
    labels(of).with("alertname", safe(name))
}

/// Whether the alert `name`, or any alert, does not fire.
pub(in crate::probe) async fn silent(prometheus: &ServerSpec, name: Option<&str>) -> Result<Accepted, EngineError> {
    let what = name.unwrap_or("alerts");
    let answer: Alerts = ask(prometheus, "/api/v1/alerts", ASKED).await.map_err(|why| unmet(what, &why))?;
    judge(&answer, name).map(|words| good(None, words)).map_err(|why| unmet(what, &why))
}

fn judge(answer: &Alerts, name: Option<&str>) -> Result<String, String> {
    let name_of = |alert: &Active| alert.labels.get("alertname").cloned().unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::super::Envelope;
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

    #[test]
    fn rules_are_told_with_what_is_active_of_them() {
        let text = r#"{"groups":[{"name":"g","file":"f","rules":[
            {"type":"alerting","name":"Down","query":"up == 0","duration":60,"labels":{"severity":"page"},
             "annotations":{"summary":"{{ $labels.job }} is down"},"state":"firing","health":"ok","alerts":[
              {"labels":{"alertname":"Down","job":"a","severity":"page"},"annotations":{"summary":"a is down\u001b[31m"},
               "state":"firing","activeAt":"2026-11-21T10:00:00.123Z","value":"0e+00"}]},
            {"type":"alerting","name":"Calm","query":"1 > 2","labels":{},"annotations":{},"alerts":[],"lastError":"boom"},
            {"type":"recording","name":"a:b","query":"1"}]}]}"#;
        let told = told(serde_json::from_str(text).unwrap());
        let seen: Vec<(&str, AlertState, Option<f64>, String)> =
            told.alerts.iter().map(|a| (&*a.name, a.state, a.value, a.labels.to_string())).collect();
        let down = r#"{alertname="Down",job="a",severity="page"}"#.to_owned();
        assert_eq!(
            seen,
            [
                ("Down", AlertState::Firing, Some(0.0), down),
                ("Calm", AlertState::Inactive, None, r#"{alertname="Calm"}"#.to_owned()),
            ]
        );
        assert!(told.alerts[0].since.is_some() && !told.alerts[0].annotations.get("summary").contains('\u{1b}'));
        assert_eq!(told.troubles, [("Calm".into(), "boom".into())]);
    }
}
