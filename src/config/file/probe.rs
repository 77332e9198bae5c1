//! `[[environment.probe]]` and `[[environment.scrape]]`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::one_of;
use crate::document::{Node, Section, read};
use crate::model::{Expect, Json, Manner, ProbeKind, ProbeSpec};

/// A check quarterdeck makes itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    pub name: Arc<str>,
    pub workload: Option<Arc<str>>,
    pub kind: ProbeKind,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    /// So many in a row before it is unhealthy.
    pub failures: Option<u32>,
    /// So many in a row before it is healthy again.
    pub successes: Option<u32>,
    pub expect: Expect,
    /// A longer answer is late.
    pub latency: Option<Duration>,
    pub manner: Manner,
}

/// Where figures are scraped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrape {
    pub from: ScrapeFrom,
    pub interval: Option<Duration>,
    pub job: Option<Arc<str>>,
}

/// An endpoint of every instance, or one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScrapeFrom {
    Workload { workload: Arc<str>, port: u16, path: Option<Arc<str>> },
    Url(Arc<str>),
}

pub(super) fn probe(section: &Section<'_>) -> Option<Probe> {
    let name = section.require("name", read::name);
    let workload = section.read("workload", read::text);
    let way = one_of(section, "what a probe does", &["http", "tcp", "tls", "exec"]);
    let mut kinds = [
        section.read("http", read::url).map(ProbeKind::Http),
        section.read("tcp", read::host_port).map(ProbeKind::Tcp),
        section.read("tls", read::host_port).map(ProbeKind::Tls),
        section.read("exec", read::texts).map(ProbeKind::Exec),
    ]
    .into_iter()
    .flatten();
    if way == Some("exec") && !section.has("workload") {
        section.note("`exec` needs `workload`: the command runs in one of its instances");
    }
    let probe = Probe {
        name: name.clone().unwrap_or_default(),
        workload,
        kind: kinds.next().unwrap_or(ProbeKind::Exec(Vec::new())),
        interval: section.read("interval", read::positive_duration),
        timeout: section.read("timeout", read::positive_duration),
        failures: section.read("failures", read::count(1..=1000)),
        successes: section.read("successes", read::count(1..=1000)),
        expect: section.read("expect", |n| Some(expect(n, &n.section()?, way))).unwrap_or_default(),
        latency: section.read("latency", read::positive_duration),
        manner: manner(section, way),
    };
    section.end();
    if let (Some(latency), Some(timeout)) = (probe.latency, probe.timeout.or(Some(ProbeSpec::TIMEOUT)))
        && latency >= timeout
    {
        section.note("`latency` must be shorter than `timeout`: an answer later than that has failed");
    }
    name.map(|_| probe)
}

/// How it asks.
fn manner(section: &Section<'_>, way: Option<&str>) -> Manner {
    let spoken = ["method", "redirects", "headers"].iter().any(|key| section.has(key));
    if spoken && matches!(way, Some("tcp" | "tls" | "exec")) {
        section.note("`method`, `redirects` and `headers` belong to an `http` probe");
    }
    if (section.has("host") || section.has("ca")) && matches!(way, Some("tcp" | "exec")) {
        section.note("`host` and `ca` belong to an `http` or `tls` probe");
    }
    Manner {
        head: section.read("method", read::choice(&[("GET", false), ("HEAD", true)])).unwrap_or_default(),
        redirects: section.read("redirects", redirects).unwrap_or(Manner::REDIRECTS),
        headers: section.read("headers", |n| n.section().map(|s| headers(&s))).unwrap_or_default(),
        host: section.read("host", read::name),
        ca: section.read("ca", read::text),
    }
}

/// `"follow"`, `"none"`, or how many.
fn redirects(node: Node<'_>) -> Option<u32> {
    match node.value() {
        DeValue::Integer(_) => read::count(0..=20)(node),
        DeValue::String(_) => read::choice(&[("follow", Manner::REDIRECTS), ("none", 0)])(node),
        _ => node.mismatch("\"follow\", \"none\" or how many redirects are followed"),
    }
}

fn headers(section: &Section<'_>) -> BTreeMap<Arc<str>, Arc<str>> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&b));
    let header = |(name, offset, node): (&str, usize, Node<'_>)| {
        if !is_name(name) {
            section.document().note(offset, format!("`{name}` is no name of a header"));
            return None;
        }
        if name.eq_ignore_ascii_case("host") {
            section.document().note(offset, "the name that is asked for is given as `host`");
            return None;
        }
        let value = read::text(node)?;
        if !value.is_ascii() {
            node.note("a header holds plain ASCII");
            return None;
        }
        Some((name.into(), value))
    };
    section.rest().into_iter().filter_map(header).collect()
}

fn expect(node: Node<'_>, section: &Section<'_>, way: Option<&str>) -> Expect {
    let expect = Expect {
        status: section.read("status", read::integer(100..=599)).and_then(|s| u16::try_from(s).ok()),
        json: section.read("json", |n| n.section().map(|s| json(&s))).unwrap_or_default(),
        certificate_days: section.read("certificate_days", read::count(0..=3650)),
    };
    section.end();
    if matches!(way, Some("tcp" | "tls" | "exec")) && (section.has("status") || section.has("json")) {
        node.note("`status` and `json` are what an `http` probe expects");
    }
    if matches!(way, Some("tcp" | "exec")) && section.has("certificate_days") {
        node.note("`certificate_days` is what an `http` or `tls` probe expects");
    }
    expect
}

fn json(section: &Section<'_>) -> BTreeMap<Arc<str>, Json> {
    let value = |node: Node<'_>| match node.value() {
        DeValue::String(text) => Some(Json::Text(text.as_ref().into())),
        DeValue::Boolean(value) => Some(Json::Boolean(*value)),
        DeValue::Integer(_) | DeValue::Float(_) => read::number(node).map(Json::Number),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => node.mismatch("a string, a number or a boolean"),
    };
    section.rest().into_iter().filter_map(|(path, _, node)| Some((path.into(), value(node)?))).collect()
}

pub(super) fn scrape(section: &Section<'_>) -> Option<Scrape> {
    let way = one_of(section, "what is scraped", &["workload", "url"]);
    let workload = section.read("workload", read::text);
    let port = if way == Some("workload") { section.require("port", read::port) } else { section.read("port", read::port) };
    let path = section.read("path", path);
    let url = section.read("url", read::url);
    let interval = section.read("interval", read::positive_duration);
    let job = section.read("job", read::text);
    section.end();
    if way == Some("url") && (section.has("port") || section.has("path")) {
        section.note("`port` and `path` belong to `workload`; an `url` holds its own");
    }
    let from = match (workload, port, url) {
        (Some(workload), Some(port), _) => ScrapeFrom::Workload { workload, port, path },
        (_, _, Some(url)) => ScrapeFrom::Url(url),
        (_, _, None) => return None,
    };
    Some(Scrape { from, interval, job })
}

fn path(node: Node<'_>) -> Option<Arc<str>> {
    let text = read::text(node)?;
    if !text.starts_with('/') {
        node.note("a path begins with `/`");
        return None;
    }
    Some(text)
}
