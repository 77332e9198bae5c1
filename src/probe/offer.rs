//! What a workload could be watched by: its own ports asked, once and only when somebody wants to know, for metrics and for
//! health at the usual paths. Nothing is kept: what was found is offered, as configuration.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::http::{Answer, Ask};
use super::place::Place;
use super::safe;
use crate::engine::Engine;
use crate::model::{Expect, Instance, InstanceState, Json, Port, ProbeKind, ProbeSpec, ScrapeSpec, Workload};
use crate::observe::metric::exposition::Exposition;

/// How long one answer may take.
const WITHIN: Duration = Duration::from_secs(2);
/// Ports that are asked; of what has more the first ones are.
const PORTS: usize = 4;
/// Where health usually is, the likelier place first.
const HEALTH: [&str; 4] = ["/health", "/healthz", "/api/health", "/api/v1/health"];
/// Ports of servers that speak something else, and write a line about everybody who does not.
const OTHERS: [u16; 17] = [21, 22, 25, 53, 110, 143, 1433, 1521, 2181, 3306, 5432, 5672, 6379, 6432, 9092, 11211, 27017];
/// The interval that is offered for what is scraped.
const SCRAPE_EVERY: Duration = Duration::from_secs(15);

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    pub scrape: Option<ScrapeSpec>,
    pub probe: Option<ProbeSpec>,
    /// The same as text of a configuration file, below the `[[environment]]` it is for; empty when nothing was found.
    pub snippet: String,
    /// The ports that were asked.
    pub asked: Vec<u16>,
}

impl Offer {
    /// What was found, and what to write down of it.
    #[must_use]
    pub fn words(&self) -> String {
        let ports: Vec<String> = self.asked.iter().map(u16::to_string).collect();
        if self.snippet.is_empty() {
            return format!("nothing answered as metrics or health on {}\n", ports.join(", "));
        }
        let ports = ports.join(", ");
        format!("# asked once on {ports}; below its [[environment]] in quarterdeck.toml:\n\n{}\n", self.snippet.trim_end())
    }
}

/// Asks the first running instance of a workload, at most two questions at once, until both are found.
///
/// # Errors
/// A sentence when there is nothing to ask.
pub async fn offer(engine: &Arc<dyn Engine>, workload: &Workload) -> Result<Offer, String> {
    let running = workload.replicas().find(|i| i.state == InstanceState::Running);
    let instance: &Instance = running.ok_or_else(|| format!("no instance of {} runs", workload.id))?;
    let ports = ports(&instance.ports);
    if ports.is_empty() {
        return Err(format!("{} has no port that could speak HTTP: none is published or exposed", workload.id));
    }
    let name: Arc<str> = workload.id.as_str().into();
    let mut found = Offer::default();
    for port in ports {
        found.asked.push(port);
        let place = |path: &str| Place::inside(engine, &instance.id, &format!("http://{{instance}}:{port}{path}"));
        let (wants_metrics, wants_health) = (found.scrape.is_none(), found.probe.is_none());
        let metrics = async { wants_metrics && has_metrics(&place("/metrics")).await };
        let health = async { if wants_health { health(port, &place).await } else { None } };
        let (metrics, health) = tokio::join!(metrics, health);
        if metrics {
            let url = format!("http://{{instance}}:{port}/metrics").into();
            let scrape = ScrapeSpec { workload: Some(name.clone()), url, interval: SCRAPE_EVERY, job: name.clone() };
            found.snippet += &format!("[[environment.scrape]]\nworkload = {}\nport = {port}\n", quote(&name));
            found.scrape = Some(scrape);
        }
        if let Some((url, expect)) = health {
            let kind = ProbeKind::Http(url.as_str().into());
            let gap = if found.snippet.is_empty() { "" } else { "\n" };
            found.snippet += &format!("{gap}{}", snippet(&name, &url, &expect));
            found.probe = Some(ProbeSpec { workload: Some(name.clone()), expect, ..ProbeSpec::of(name.clone(), kind) });
        }
        if found.scrape.is_some() && found.probe.is_some() {
            break;
        }
    }
    Ok(found)
}

/// The ports to ask: those that are published first.
fn ports(all: &[Port]) -> Vec<u16> {
    let mut wanted: Vec<(bool, u16)> = all
        .iter()
        .filter(|port| &*port.protocol == "tcp" && !OTHERS.contains(&port.container))
        .map(|port| (port.host.is_none(), port.container))
        .collect();
    wanted.sort_unstable();
    let mut ports: Vec<u16> = Vec::new();
    for (_, port) in wanted {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports.truncate(PORTS);
    ports
}

async fn ask(place: &Place) -> Option<Answer> {
    // Who shows pages to people shows them at any path.
    let accept = [(HeaderName::from_static("accept"), HeaderValue::from_static("application/json,text/plain;q=0.9"))];
    let ask = Ask { redirects: 0, headers: &accept, way: place.way.clone(), ..Ask::get(&place.address) };
    ask.send(WITHIN).await.ok()
}

async fn has_metrics(place: &Place) -> bool {
    ask(place).await.is_some_and(|answer| {
        let read = Exposition::read(&String::from_utf8_lossy(&answer.body));
        answer.status == 200 && !read.points.is_empty() && read.unread * 10 <= read.points.len()
    })
}

/// The first of the usual paths that answers with health, and what it can be held to.
async fn health(port: u16, place: &impl Fn(&str) -> Place) -> Option<(String, Expect)> {
    for path in HEALTH {
        if let Some(expect) = ask(&place(path)).await.and_then(|answer| expected(answer.status, &answer.body)) {
            return Some((format!("http://{{instance}}:{port}{path}"), expect));
        }
    }
    None
}

/// What an answer can be held to; nothing when it is not one about health. One that is not well now says at least where to ask.
fn expected(status: u16, body: &[u8]) -> Option<Expect> {
    /// Longer text is a page.
    const LONGEST: usize = 64;
    let text = String::from_utf8_lossy(body);
    let well = (200..300).contains(&status);
    if let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) {
        let about =
            ["status", "state", "healthy", "components", "checks", "database"].iter().any(|key| fields.contains_key(*key));
        if !about || !(well || status == 503) {
            return None;
        }
        let mut expect = Expect::default();
        if well {
            hold(&mut expect, "", &Value::Object(fields), 0);
        }
        return Some(expect);
    }
    let plain = text.trim();
    (well && plain.len() <= LONGEST && !plain.starts_with('<')).then(Expect::default)
}

/// Holds every state that is good now to staying so.
fn hold(expect: &mut Expect, path: &str, value: &Value, depth: usize) {
    /// Words for being well.
    const GOOD: [&str; 9] = ["ok", "up", "healthy", "pass", "connected", "ready", "alive", "green", "available"];
    /// States that are held to, and how far down they are looked for.
    const MOST: usize = 12;
    const DEEPEST: usize = 3;
    match value {
        Value::String(word) if GOOD.contains(&word.to_ascii_lowercase().as_str()) && expect.json.len() < MOST => {
            expect.json.insert(safe(path), Json::Text(safe(word)));
        }
        Value::Object(fields) if depth < DEEPEST => {
            for (key, value) in fields.iter().filter(|(key, _)| !key.contains('.')) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                hold(expect, &path, value, depth + 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

fn snippet(name: &str, url: &str, expect: &Expect) -> String {
    let name = quote(name);
    let mut text = format!("[[environment.probe]]\nname = {name}\nworkload = {name}\nhttp = {}\n", quote(url));
    let pairs = expect.json.iter().filter_map(|(path, wanted)| match wanted {
        Json::Text(word) => Some(format!("{} = {}", quote(path), quote(word))),
        Json::Number(_) | Json::Boolean(_) => None,
    });
    let pairs: Vec<String> = pairs.collect();
    if !pairs.is_empty() {
        text += &format!("expect = {{ json = {{ {} }} }}\n", pairs.join(", "));
    }
    text
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ports_come_first_and_those_of_other_servers_not_at_all() {
        let port = |host: bool, container: u16, protocol: &str| Port {
            host: host.then(|| ("0.0.0.0".into(), 1)),
            container,
            protocol: protocol.into(),
        };
        let all = [
            port(false, 80, "tcp"),
            port(true, 3000, "tcp"),
            port(true, 3000, "tcp"),
            port(true, 6379, "tcp"),
            port(true, 8125, "udp"),
            port(false, 9000, "tcp"),
            port(false, 9001, "tcp"),
            port(false, 9002, "tcp"),
        ];
        assert_eq!(ports(&all), [3000, 80, 9000, 9001]);
    }

    #[test]
    fn an_answer_about_health_tells_what_it_can_be_held_to() {
        for (status, body, expected) in [
            (200, r#"{"status":"healthy","components":{"db":"up","kafka":{"state":"up"}},"version":"1"}"#, Some(3)),
            (503, r#"{"status":"unhealthy"}"#, Some(0)),
            (500, r#"{"status":"unhealthy"}"#, None),
            (200, r#"{"users":[]}"#, None),
            (200, "OK\n", Some(0)),
            (200, "", Some(0)),
            (200, "<!doctype html><p>hi", None),
            (404, "ok", None),
        ] {
            assert_eq!(super::expected(status, body.as_bytes()).map(|expect| expect.json.len()), expected, "{body}");
        }
    }

    #[test]
    fn a_snippet_is_configuration() {
        let expect = super::expected(200, br#"{"status":"ok","components":{"db":"up"}}"#).unwrap();
        let text = snippet("backend", "http://{instance}:3000/health", &expect);
        let (file, problems) = crate::config::file::read(&format!("[[environment]]\nname = 'a'\n{text}"), "q.toml");
        assert_eq!(problems, Vec::new(), "{text}");
        let probe = &file.environments[0].probes[0];
        assert_eq!((&probe.expect, probe.workload.as_deref()), (&expect, Some("backend")));
    }
}
