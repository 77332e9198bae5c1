//! Configured probes: what is asked, and whether the answer is as it should be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::certificate::{self, Certificate};
use super::http::{Answer, Ask};
use super::place::{self, Place};
use super::stream::{self, Fault};
use super::{good, milliseconds, unmet};
use crate::engine::{Engine, EngineError};
use crate::model::probe::{Expect, Json, Manner, ProbeKind, ProbeSpec};
use crate::observe::redact;
use crate::operate::Accepted;
use crate::operate::action::InstanceRef;

/// What one look has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) ok: bool,
    /// It is well, but took longer than is wanted.
    pub(super) slow: bool,
    /// `None` when nothing came back.
    pub(super) took: Option<Duration>,
    /// What was seen, or what is wrong; as it came from outside.
    pub(super) words: String,
    /// Whole days the certificate that was shown is still good for.
    pub(super) days: Option<u64>,
}

impl Found {
    /// Says so when it took longer than is wanted.
    pub(super) fn hold_to(&mut self, wanted: Option<Duration>) {
        if let (true, false, Some(took), Some(wanted)) = (self.ok, self.slow, self.took, wanted)
            && took > wanted
        {
            self.slow = true;
            self.words = format!("{}, {} is wanted", self.words, milliseconds(wanted));
        }
    }
}

impl From<Fault> for Found {
    fn from(fault: Fault) -> Self {
        Self { words: fault.why, ..Self::default() }
    }
}

/// Asks at every place the probe is about; all of them must answer well. One that answers late does so.
pub(super) async fn probe(
    engine: Option<&Arc<dyn Engine>>,
    probe: &ProbeSpec,
    instances: &[InstanceRef],
) -> Result<Accepted, EngineError> {
    let what = format!("probe {}", probe.name);
    let failed = |why: String| unmet(&what, &why);
    let Some(address) = address(&probe.kind) else {
        return Err(failed("an exec probe is run in its instance, not from here".to_owned()));
    };
    let places = place::places(engine, address, instances).await.map_err(failed)?;
    let found = futures_util::future::join_all(places.iter().map(|place| look(probe, place))).await;
    if let Some((place, bad)) = places.iter().zip(&found).find(|(_, found)| !found.ok) {
        return Err(failed(place.says(&bad.words)));
    }
    let count = found.len();
    let slowest = found.into_iter().max_by_key(|found| found.took).unwrap_or_default();
    let words = if count > 1 { format!("all {count}: {} at most", slowest.words) } else { slowest.words };
    Ok(good(slowest.took.map(|took| took.as_secs_f64() * 1000.0), words))
}

/// Where a probe looks; an exec probe looks nowhere.
pub(super) fn address(kind: &ProbeKind) -> Option<&Arc<str>> {
    match kind {
        ProbeKind::Http(address) | ProbeKind::Tcp(address) | ProbeKind::Tls(address) => Some(address),
        ProbeKind::Exec(_) => None,
    }
}

/// Looks once.
pub(super) async fn look(probe: &ProbeSpec, place: &Place) -> Found {
    let found = match &probe.kind {
        ProbeKind::Http(_) => ask(probe, place).await,
        ProbeKind::Tcp(_) | ProbeKind::Exec(_) => connect(probe, place).await,
        ProbeKind::Tls(_) => shake(probe, place).await,
    };
    let mut found = found.unwrap_or_else(Found::from);
    found.hold_to(probe.latency);
    found
}

async fn ask(probe: &ProbeSpec, place: &Place) -> Result<Found, Fault> {
    let Manner { head, redirects, headers, host, ca } = &probe.manner;
    let points = probe.expect.status.is_some_and(|status| (300..400).contains(&status));
    let headers = spoken(headers, |name| std::env::var(name).ok()).map_err(Fault::new)?;
    let ask = Ask {
        method: if *head { Method::HEAD } else { Method::GET },
        redirects: if points { 0 } else { *redirects },
        whole: !head && !probe.expect.json.is_empty(),
        headers: &headers,
        host: host.as_deref(),
        ca: ca.as_deref(),
        way: place.way.clone(),
        ..Ask::get(&place.address)
    };
    let answer = ask.send(probe.timeout).await?;
    let days = answer.certificate.and_then(|certificate| certificate.days);
    let (ok, words) = match judge(&probe.expect, answer.status, &answer.body)
        .and_then(|words| vouched(answer.certificate, probe.expect.certificate_days).map(|more| (words, more)))
    {
        Ok((words, certificate)) => (true, format!("{words} in {}{}{certificate}", milliseconds(answer.took), after(&answer))),
        Err(why) => (false, why),
    };
    Ok(Found { ok, took: Some(answer.took), words, days, ..Found::default() })
}

/// `, certificate valid for 61 days more`, when that is enough.
fn vouched(certificate: Option<Certificate>, least: Option<u32>) -> Result<String, String> {
    match (certificate, least) {
        (Some(certificate), least) => certificate.judge(least).map(|words| format!(", certificate {words}")),
        (None, Some(_)) => Err("it is asked without TLS, so it has no certificate".to_owned()),
        (None, None) => Ok(String::new()),
    }
}

fn after(answer: &Answer) -> String {
    match answer.redirects {
        0 => String::new(),
        1 => " after a redirect".to_owned(),
        n => format!(" after {n} redirects"),
    }
}

/// Headers as they are sent, `${NAME}` in them filled in by `variable`; none of them is printed.
fn spoken(
    headers: &BTreeMap<Arc<str>, Arc<str>>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let speak = |(name, value): (&Arc<str>, &Arc<str>)| {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name} is no name of a header"))?;
        let filled = filled(value, &variable)
            .map_err(|missing| format!("the header {name} needs the variable {missing}, which is not set"))?;
        let mut value = HeaderValue::from_str(&filled).map_err(|_| format!("the header {name} holds what cannot be sent"))?;
        value.set_sensitive(true);
        Ok((key, value))
    };
    headers.iter().map(speak).collect()
}

/// The text with every `${NAME}` filled in.
///
/// # Errors
/// The name of one that is not there.
fn filled(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&variable(name).ok_or_else(|| name.to_owned())?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

async fn connect(probe: &ProbeSpec, place: &Place) -> Result<Found, Fault> {
    let (_, took) = place.way.open(&place.address, probe.timeout).await?;
    let words = format!("takes connections in {}", milliseconds(took));
    Ok(Found { ok: true, took: Some(took), words, ..Found::default() })
}

async fn shake(probe: &ProbeSpec, place: &Place) -> Result<Found, Fault> {
    let limit = probe.timeout;
    let work = async {
        let (stream, took) = place.way.open(&place.address, limit).await?;
        let name = probe.manner.host.as_deref().unwrap_or_else(|| stream::host_of(&place.address));
        let roots = certificate::trusted(probe.manner.ca.as_deref()).await.map_err(Fault::new)?;
        let begun = std::time::Instant::now();
        let (_, certificate) = certificate::shake(stream, name, roots).await.map_err(Fault::new)?;
        Ok::<_, Fault>((took + begun.elapsed(), certificate))
    };
    let (took, certificate) = tokio::time::timeout(limit, work).await.map_err(|_| Fault::late(limit))??;
    let (ok, words) = match certificate.judge(probe.expect.certificate_days) {
        Ok(words) => (true, format!("certificate {words}")),
        Err(why) => (false, why),
    };
    Ok(Found { ok, took: Some(took), words, days: certificate.days, ..Found::default() })
}

/// Whether status and body are as they should be: what to say of them, or what is wrong, all of it.
fn judge(expect: &Expect, status: u16, body: &[u8]) -> Result<String, String> {
    let fits = expect.status.map_or((200..400).contains(&status), |wanted| wanted == status);
    let value: Option<Value> = if expect.json.is_empty() { None } else { serde_json::from_slice(body).ok() };
    let wrong: Vec<String> = value.iter().flat_map(|value| mismatches(expect, value)).collect();
    if !fits {
        let wanted = expect.status.map_or_else(String::new, |wanted| format!(", {wanted} is wanted"));
        let more = if wrong.is_empty() { excerpt(body) } else { format!(": {}", wrong.join("; ")) };
        return Err(format!("answers {status}{wanted}{more}"));
    }
    match (expect.json.is_empty(), value) {
        (true, _) => Ok(status.to_string()),
        (false, None) => Err(format!("answers {status} with a body that is no JSON")),
        (false, Some(_)) if wrong.is_empty() => Ok(status.to_string()),
        (false, Some(_)) => Err(wrong.join("; ")),
    }
}

/// What in the body is not as it should be, path by path.
fn mismatches(expect: &Expect, value: &Value) -> Vec<String> {
    let wrong = |(path, wanted): (&Arc<str>, &Json)| match at(value, path) {
        Some(found) if !is(found, wanted) && redact::is_secret_name(path) => Some(format!("{path} is another than is wanted")),
        None => Some(format!("{path} is missing, {} is wanted", shown_wanted(wanted))),
        Some(found) if !is(found, wanted) => Some(format!("{path} is {}, {} is wanted", shown(found), shown_wanted(wanted))),
        Some(_) => None,
    };
    expect.json.iter().filter_map(wrong).collect()
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
