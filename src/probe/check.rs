//! Configured probes: what is asked, and whether the answer is as it should be.

use std::time::Duration;

use serde_json::Value;

use super::certificate;
use super::http::Ask;
use super::place::{self, Place};
use super::stream::{self, Fault};
use super::{good, milliseconds, unmet};
use crate::engine::{Engine, EngineError};
use crate::model::probe::{Expect, Json, ProbeKind, ProbeSpec};
use crate::operate::Accepted;
use crate::operate::action::InstanceRef;

/// Asks at every place the probe is about; all of them must answer well.
pub(super) async fn probe(
    engine: Option<&dyn Engine>,
    probe: &ProbeSpec,
    instances: &[InstanceRef],
) -> Result<Accepted, EngineError> {
    let what = format!("probe {}", probe.name);
    let failed = |why: String| unmet(&what, &why);
    let address = match &probe.kind {
        ProbeKind::Http(address) | ProbeKind::Tcp(address) | ProbeKind::Tls(address) => address,
        ProbeKind::Exec(_) => return Err(failed("an exec probe is run in its instance, not from here".to_owned())),
    };
    let places = place::places(engine, address, instances).await.map_err(failed)?;
    let answers = futures_util::future::join_all(places.iter().map(|place| look(probe, place))).await;
    let count = answers.len();
    let mut worst: Option<(Duration, String)> = None;
    for (place, answer) in places.iter().zip(answers) {
        match answer {
            Ok((took, words)) if worst.as_ref().is_none_or(|(longest, _)| took > *longest) => worst = Some((took, words)),
            Ok(_) => {}
            Err(fault) if fault.silent => return Err(failed(place.silence(&fault.why))),
            Err(fault) => return Err(failed(place.says(&fault.why))),
        }
    }
    let (took, words) = worst.unwrap_or_default();
    let words = if count > 1 { format!("all {count}: {words} at most") } else { words };
    Ok(good(Some(took.as_secs_f64() * 1000.0), words))
}

/// How long it took, and what to say about it.
async fn look(probe: &ProbeSpec, place: &Place) -> Result<(Duration, String), Fault> {
    let (address, limit) = (&place.address, probe.timeout);
    match &probe.kind {
        ProbeKind::Http(_) => {
            let follow = probe.expect.status.is_none_or(|status| !(300..400).contains(&status));
            let ask = Ask { follow, whole: !probe.expect.json.is_empty(), ..Ask::get(address) };
            let answer = ask.send(limit).await?;
            let words = judge(&probe.expect, answer.status, &answer.body).map_err(Fault::new)?;
            let certificate = match (answer.certificate, probe.expect.certificate_days) {
                (Some(certificate), Some(days)) => format!(", {}", certificate.judge(Some(days)).map_err(Fault::new)?),
                (None, Some(_)) => return Err(Fault::new("it is asked without TLS, so it has no certificate")),
                (_, None) => String::new(),
            };
            let after = match answer.redirects {
                0 => String::new(),
                1 => " after a redirect".to_owned(),
                n => format!(" after {n} redirects"),
            };
            Ok((answer.took, format!("{words} in {}{after}{certificate}", milliseconds(answer.took))))
        }
        ProbeKind::Tcp(_) | ProbeKind::Exec(_) => {
            let (_, took) = stream::open(address, limit).await?;
            Ok((took, format!("takes connections in {}", milliseconds(took))))
        }
        ProbeKind::Tls(_) => {
            let (stream, took) = stream::open(address, limit).await?;
            let shake = certificate::shake(stream, stream::host_of(address), certificate::roots().await);
            let (_, certificate) =
                tokio::time::timeout(limit, shake).await.map_err(|_| Fault::late(limit))?.map_err(Fault::new)?;
            let words = certificate.judge(probe.expect.certificate_days).map_err(Fault::new)?;
            Ok((took, format!("certificate {words}")))
        }
    }
}

/// Whether status and body are as they should be: what to say of them, or what is wrong.
fn judge(expect: &Expect, status: u16, body: &[u8]) -> Result<String, String> {
    let fits = expect.status.map_or((200..400).contains(&status), |wanted| wanted == status);
    if !fits {
        let wanted = expect.status.map_or_else(String::new, |wanted| format!(", {wanted} is wanted"));
        return Err(format!("answers {status}{wanted}{}", excerpt(body)));
    }
    if expect.json.is_empty() {
        return Ok(status.to_string());
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| format!("answers {status} with a body that is no JSON"))?;
    for (path, wanted) in &expect.json {
        match at(&value, path) {
            None => return Err(format!("answers {status} without {path}")),
            Some(found) if !is(found, wanted) => {
                return Err(format!("{path} is {}, {} is wanted", shown(found), shown_wanted(wanted)));
            }
            Some(_) => {}
        }
    }
    Ok(status.to_string())
}

/// The value at a path (`components.db`, `checks.0.state`).
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

#[allow(clippy::float_cmp, reason = "a figure written down is compared with the same figure written down")]
fn is(found: &Value, wanted: &Json) -> bool {
    match wanted {
        Json::Text(text) => found.as_str() == Some(text),
        Json::Number(number) => found.as_f64() == Some(*number),
        Json::Boolean(flag) => found.as_bool() == Some(*flag),
    }
}

/// A value in a message, not at length.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    text.char_indices().nth(LONGEST).map_or_else(|| text.clone(), |(end, _)| format!("{}…", &text[..end]))
}

fn shown_wanted(wanted: &Json) -> String {
    match wanted {
        Json::Text(text) => format!("\"{text}\""),
        Json::Number(number) => number.to_string(),
        Json::Boolean(flag) => flag.to_string(),
    }
}

/// What a bad answer says, in a few words: the state of a component is worth more than the status.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(120) {
        _ if line.is_empty() => String::new(),
        Some((end, _)) => format!(": {}…", &line[..end]),
        None => format!(": {line}"),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
