//! The engine's event stream: which events matter, what they say on the timeline, and which of them were told before.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::convert::{Group, Places};
use super::labels;
use super::wire::{or_default, segment};
use crate::model::{EnvironmentId, InstanceId, Item, Source};
use crate::observe::text::clean;

/// What is asked for. Health checks run as `exec_*` events many times a minute: they are never asked for.
const ACTIONS: &[&str] = &[
    "create",
    "start",
    "restart",
    "stop",
    "kill",
    "die",
    "oom",
    "pause",
    "unpause",
    "rename",
    "update",
    "destroy",
    "health_status",
    // Of services, nodes and configs.
    "remove",
];
/// Whose events are asked for. Where there is no Swarm the last three are never told.
const TYPES: &[&str] = &["container", "service", "node", "config"];
/// Events remembered to know them again.
const REMEMBERED: usize = 512;
/// How far back a stream taken up again begins, beyond what is remembered: the engine stamps events before it sends them.
const OVERLAP_NS: i64 = 1_000_000_000;
/// How far back the first stream begins: the engine still knows its last 256 events.
const HISTORY: Duration = Duration::from_secs(3600);
/// Longest event, bytes; a longer one is skipped.
const EVENT_LIMIT: usize = 1024 * 1024;

/// One event of a container, or of something in a Swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
pub struct Event {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    kind: String,
    #[serde(rename = "Action", deserialize_with = "or_default")]
    action: String,
    #[serde(rename = "Actor", deserialize_with = "or_default")]
    actor: Actor,
    time: Option<i64>,
    #[serde(rename = "timeNano")]
    time_nano: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
struct Actor {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    id: String,
    #[serde(rename = "Attributes", deserialize_with = "or_default")]
    attributes: BTreeMap<String, String>,
}

impl Event {
    /// When, nanoseconds since 1970.
    #[must_use]
    pub fn at_ns(&self) -> i64 {
        self.time_nano.or_else(|| self.time.map(|s| s.saturating_mul(1_000_000_000))).unwrap_or(0)
    }

    /// The container it is about.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        InstanceId(clean(&self.actor.id).into())
    }

    /// Whether it is about something a Swarm manager knows.
    #[must_use]
    pub fn is_of_swarm(&self) -> bool {
        matches!(self.kind.as_str(), "service" | "node" | "config")
    }

    /// Whether it is about the container of a Swarm task.
    #[must_use]
    pub fn is_of_task(&self) -> bool {
        self.attribute(labels::TASK).is_some()
    }

    /// Whether what the list says may be another thing now.
    #[must_use]
    pub fn changes_the_list(&self) -> bool {
        !matches!(self.action.as_str(), "kill" | "oom" | "stop" | "restart")
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.actor.attributes.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The event in words; none for locks, for what is not shown, and for words quarterdeck does not know.
    /// `service` tells where a Swarm service is shown, and as what.
    #[must_use]
    pub fn item(&self, places: &Places, service: impl Fn(&str) -> Option<(Group, Arc<str>)>) -> Option<Item> {
        if self.is_of_swarm() {
            return self.item_of_swarm(places, service);
        }
        if self.attribute(labels::LOCK).is_some() {
            return None;
        }
        let project = self.attribute(labels::PROJECT).zip(self.attribute(labels::SERVICE));
        let group = match (self.is_of_task(), self.attribute(labels::STACK)) {
            (true, Some(stack)) => Group::Stack(clean(stack).into()),
            (true, None) => Group::NoStack,
            (false, _) => project.map_or(Group::Loose, |(project, _)| Group::Project(clean(project).into())),
        };
        let name = self
            .attribute("name")
            .map_or_else(|| self.actor.id.get(..12).unwrap_or(&self.actor.id), |n| n.trim_start_matches('/'));
        // `shop_web.1.<task>` is the instance `shop_web.1`.
        let task = self.attribute(labels::TASK).and_then(|task| name.strip_suffix(task)?.strip_suffix('.'));
        let name = task.unwrap_or(name);
        let image = || self.attribute("image").unwrap_or_default().to_owned();
        let (what, detail) = match self.action.as_str() {
            "create" | "start" | "destroy" => (self.action.as_str(), image()),
            "die" => ("die", self.attribute("exitCode").map_or_else(String::new, |code| format!("exit code {code}"))),
            "kill" => ("kill", self.attribute("signal").map_or_else(String::new, |signal| format!("signal {signal}"))),
            "oom" => ("oom", "out of memory".into()),
            "rename" => (
                "rename",
                self.attribute("oldName").map_or_else(String::new, |old| format!("was {}", old.trim_start_matches('/'))),
            ),
            "stop" | "restart" | "pause" | "unpause" | "update" => (self.action.as_str(), String::new()),
            other => (other.strip_prefix("health_status:")?.trim(), "health check".into()),
        };
        Some(self.told(places.id(&group)?, name, what, &detail))
    }

    /// What a service or node became; what else a manager tells is no news to people.
    fn item_of_swarm(&self, places: &Places, service: impl Fn(&str) -> Option<(Group, Arc<str>)>) -> Option<Item> {
        let (group, name) = match self.kind.as_str() {
            "service" => service(&self.actor.id)?,
            "node" => (Group::NoStack, self.attribute("name").unwrap_or(&self.actor.id).into()),
            _ => return None,
        };
        let changes = self.actor.attributes.iter().filter_map(|(key, new)| {
            let what = key.strip_suffix(".new")?;
            let old = self.attribute(&format!("{what}.old"));
            let what = if what == "updatestate" { "update" } else { what };
            Some(match old {
                Some(old) => format!("{what} {old} → {new}"),
                None => format!("{what} {new}"),
            })
        });
        let detail = changes.collect::<Vec<_>>().join(", ");
        Some(self.told(places.id(&group)?, &name, &self.action, &detail))
    }

    fn told(&self, environment: EnvironmentId, name: &str, what: &str, detail: &str) -> Item {
        Item {
            at: Timestamp::from_nanosecond(i128::from(self.at_ns())).unwrap_or_default(),
            environment,
            subject: clean(name).into(),
            source: Source::Engine,
            what: clean(what).into(),
            detail: clean(detail).into(),
        }
    }
}

/// The events told before, so that a stream that begins again a little earlier tells nothing twice.
#[derive(Debug, Default)]
pub struct Told {
    /// Time and hash, in the order told.
    ring: VecDeque<(i64, u64)>,
    latest: Option<i64>,
}

impl Told {
    /// Notes the event; false when it was told before.
    pub fn is_new(&mut self, event: &Event) -> bool {
        let mut hasher = DefaultHasher::new();
        event.hash(&mut hasher);
        let key = (event.at_ns(), hasher.finish());
        if self.ring.contains(&key) {
            return false;
        }
        if self.ring.len() == REMEMBERED {
            self.ring.pop_front();
        }
        self.ring.push_back(key);
        self.latest = self.latest.max(Some(key.0));
        true
    }

    /// Where the stream has to begin, given the time now.
    #[must_use]
    pub fn path(&self, now: Timestamp) -> String {
        let first = || {
            i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX).saturating_sub(i64::try_from(HISTORY.as_nanos()).unwrap_or(0))
        };
        let since = self.latest.map_or_else(first, |latest| latest.saturating_sub(OVERLAP_NS)).max(0);
        let filters = serde_json::json!({ "type": TYPES, "event": ACTIONS }).to_string();
        format!("/events?since={}.{:09}&filters={}", since / 1_000_000_000, since % 1_000_000_000, segment(&filters))
    }
}

/// Cuts a byte stream into events.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The events completed by these bytes. What is no event is passed over.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut bytes = bytes;
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.rest.extend_from_slice(&bytes[..end]);
            events.extend(serde_json::from_slice::<Event>(&self.rest).ok().filter(|e| !e.actor.id.is_empty()));
            self.rest.clear();
            bytes = &bytes[end + 1..];
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > EVENT_LIMIT {
            self.rest.clear();
        }
        events
    }
}

/// The words for a text that repeats often.
#[must_use]
pub fn ended() -> Arc<str> {
    "the engine ended its event stream".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, attributes: &[(&str, &str)], at: i64) -> Event {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Event {
            kind: "container".into(),
            action: action.into(),
            actor: Actor { id: "a".repeat(64), attributes },
            time: None,
            time_nano: Some(at),
        }
    }

    fn places() -> Places {
        Places {
            connection: "c".into(),
            endpoint: "e".into(),
            specs: Vec::new().into(),
            discover: true,
            projects: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn an_event_says_who_what_and_where() {
        let shop = [(labels::PROJECT, "shop"), (labels::SERVICE, "web"), ("name", "shop_web_1"), ("image", "web:2")];
        let with = |more: (&'static str, &'static str)| [&shop[..], &[more]].concat();
        for (event, expected) in [
            (event("start", &shop, 0), Some("shop shop_web_1 start web:2")),
            (event("die", &with(("exitCode", "137")), 0), Some("shop shop_web_1 die exit code 137")),
            (event("kill", &with(("signal", "15")), 0), Some("shop shop_web_1 kill signal 15")),
            (event("health_status: unhealthy", &shop, 0), Some("shop shop_web_1 unhealthy health check")),
            (event("rename", &with(("oldName", "/a")), 0), Some("shop shop_web_1 rename was a")),
            (event("start", &[("name", "x\u{1b}[2J")], 0), Some("containers x start ")),
            (event("pause", &[], 0), Some("containers aaaaaaaaaaaa pause ")),
            (event("exec_create: sh", &shop, 0), None),
            (event("create", &with((labels::LOCK, "shop")), 0), None),
        ] {
            let said =
                event.item(&places(), |_| None).map(|i| format!("{} {} {} {}", i.environment, i.subject, i.what, i.detail));
            assert_eq!(said.as_deref(), expected);
        }
    }

    #[test]
    fn a_stream_taken_up_again_begins_earlier_and_tells_nothing_twice() {
        let mut told = Told::default();
        let now: Timestamp = "2026-11-21T01:00:00Z".parse().unwrap();
        assert!(told.path(now).starts_with("/events?since=1795219200.000000000&filters=%7B%22"), "{}", told.path(now));
        let events =
            [event("start", &[], 5_000_000_001), event("die", &[], 7_200_000_000), event("die", &[("a", "b")], 7_200_000_000)];
        assert!(events.iter().all(|e| told.is_new(e)));
        assert!(told.path(now).starts_with("/events?since=6.200000000&"));
        assert!(events.iter().all(|e| !told.is_new(e)));
        for at in 0..5_000 {
            told.is_new(&event("start", &[], at));
        }
        assert_eq!(told.ring.len(), REMEMBERED);
    }

    #[test]
    fn events_are_cut_out_of_any_pieces_and_rubbish_is_passed_over() {
        let text = "{\"Action\":\"start\",\"Actor\":{\"ID\":\"x\"},\"timeNano\":1}\nrubbish\n{\"Action\":null,\"Actor\":null}\n\
                    {\"Action\":\"die\",\"Actor\":{\"ID\":\"y\",\"Attributes\":null},\"time\":2}\n";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let events: Vec<Event> = text.as_bytes().chunks(size).flat_map(|piece| lines.push(piece)).collect();
            let said: Vec<(String, i64)> = events.iter().map(|e| (e.action.clone(), e.at_ns())).collect();
            assert_eq!(said, [("start".into(), 1), ("die".into(), 2_000_000_000)]);
        }
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; EVENT_LIMIT + 1]);
        assert!(lines.rest.is_empty());
    }
}
