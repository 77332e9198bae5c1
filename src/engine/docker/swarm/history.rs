//! A service's revisions, written on the service itself: a list of what ran, and of each the whole task template, so that
//! going back puts back everything and not only the image.
//!
//! What somebody changed without quarterdeck is told by comparing the template with the one recorded last.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::template::{self, fingerprint};
use super::wire::{Service, Spec};
use crate::engine::docker::convert::time;
use crate::engine::docker::labels;
use crate::model::Revision;
use crate::observe::text::clean;

/// Revisions kept.
const KEPT: usize = 10;
/// Bytes of templates kept on one service: a manager sends them with every list. The newest two are always kept.
const BYTES: usize = 48 * 1024;

/// A revision and its definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub revision: Revision,
    pub template: Value,
}

/// Newest (what the service is now) first; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub entries: Vec<Entry>,
}

impl History {
    /// The history of a service as it is now.
    #[must_use]
    pub fn of(service: &Service) -> Self {
        let now = &service.spec.task_template;
        let previous = service.previous_spec.as_ref();
        // A stack deployed anew has lost the labels: the definition before still has them.
        let mut entries = recorded(&service.spec.labels);
        if entries.is_empty() {
            entries = previous.map(|spec| recorded(&spec.labels)).unwrap_or_default();
        }
        match entries.first_mut() {
            Some(newest) if fingerprint(&newest.template) == fingerprint(now) => newest.template = now.clone(),
            Some(newest) => {
                let number = newest.revision.number + 1;
                entries.insert(0, foreign(number, service, Some("changed without quarterdeck")));
            }
            None => entries = unrecorded(service, previous),
        }
        entries.truncate(KEPT);
        Self { entries }
    }

    /// What the service is now.
    #[must_use]
    pub fn current(&self) -> Option<&Revision> {
        self.entries.first().map(|entry| &entry.revision)
    }

    /// The newest revision with this fingerprint.
    #[must_use]
    pub fn number_of(&self, print: u64) -> Option<u64> {
        self.entries.iter().find(|e| fingerprint(&e.template) == print).map(|e| e.revision.number)
    }

    /// The definition of a revision.
    #[must_use]
    pub fn template(&self, number: u64) -> Option<&Value> {
        self.entries.iter().find(|e| e.revision.number == number).map(|e| &e.template)
    }

    /// With a new revision in front.
    #[must_use]
    pub fn with(mut self, revision: Revision, template: Value) -> Self {
        self.entries.retain(|e| e.revision.number < revision.number);
        self.entries.insert(0, Entry { revision, template });
        self
    }

    /// The labels that say it, within their bounds: what has no room is forgotten whole, oldest first.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        let mut kept: Vec<&Revision> = Vec::new();
        let mut bytes = 0;
        for entry in self.entries.iter().take(KEPT) {
            let text = entry.template.to_string();
            bytes += text.len();
            if kept.len() >= 2 && bytes > BYTES {
                break;
            }
            out.insert(labels::template(entry.revision.number), text);
            kept.push(&entry.revision);
        }
        if let Some(newest) = kept.first() {
            out.insert(labels::REVISION.to_owned(), newest.number.to_string());
        }
        out.insert(labels::HISTORY.to_owned(), serde_json::to_string(&kept).unwrap_or_default());
        out
    }
}

fn said(text: &str) -> Arc<str> {
    clean(text).into()
}

/// What labels record; revisions whose definition is lost are not among them.
fn recorded(labels: &BTreeMap<String, String>) -> Vec<Entry> {
    let text = labels.get(labels::HISTORY).map(String::as_str).unwrap_or_default();
    let revisions: Vec<Revision> = serde_json::from_str(text).unwrap_or_default();
    let entry = |mut revision: Revision| {
        let template = labels.get(&labels::template(revision.number))?;
        let template = serde_json::from_str(template).ok()?;
        revision.image = said(&revision.image);
        for text in [&mut revision.digest, &mut revision.by, &mut revision.cause].into_iter().flatten() {
            *text = said(text);
        }
        Some(Entry { revision, template })
    };
    revisions.into_iter().take(KEPT).filter_map(entry).collect()
}

/// The service as it is, as a revision nobody recorded.
fn foreign(number: u64, service: &Service, cause: Option<&str>) -> Entry {
    let at = if number == 1 { &service.created_at } else { &service.updated_at };
    Entry { revision: revision(number, &service.spec, at.as_deref(), cause), template: service.spec.task_template.clone() }
}

fn revision(number: u64, spec: &Spec, at: Option<&str>, cause: Option<&str>) -> Revision {
    let (image, digest) = template::image(&spec.task_template);
    Revision {
        number,
        image: clean(image).into(),
        digest: digest.map(|d| clean(d).into()),
        at: at.and_then(time),
        by: None,
        cause: cause.map(Into::into),
    }
}

/// What the engine itself remembers: the definition now, and the one before where that was another.
fn unrecorded(service: &Service, previous: Option<&Spec>) -> Vec<Entry> {
    let print = fingerprint(&service.spec.task_template);
    match previous.filter(|spec| fingerprint(&spec.task_template) != print) {
        None => vec![foreign(1, service, None)],
        Some(spec) => {
            let first = revision(1, spec, service.created_at.as_deref(), None);
            vec![foreign(2, service, None), Entry { revision: first, template: spec.task_template.clone() }]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(image: &str) -> Value {
        json!({ "ContainerSpec": { "Image": image, "Env": ["DB_PASSWORD=x"] }, "ForceUpdate": 0 })
    }

    fn service(image: &str, labels: BTreeMap<String, String>) -> Service {
        let spec = Spec { name: "shop_web".into(), labels, task_template: template(image), ..Spec::default() };
        Service { spec, created_at: Some("2026-11-21T10:00:00Z".into()), ..Service::default() }
    }

    fn numbers(history: &History) -> Vec<(u64, &str)> {
        history.entries.iter().map(|e| (e.revision.number, &*e.revision.image)).collect()
    }

    fn deployed(history: History, number: u64, image: &str) -> History {
        let revision = Revision { number, image: image.into(), digest: None, at: None, by: Some("ada@desk".into()), cause: None };
        history.with(revision, template(image))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let first = History::of(&service("web:1", BTreeMap::new()));
        assert_eq!(numbers(&first), [(1, "web:1")]);
        let second = deployed(first, 2, "web:2");
        let read = History::of(&service("web:2", second.labels()));
        assert_eq!(numbers(&read), [(2, "web:2"), (1, "web:1")]);
        assert_eq!(read.template(1), Some(&template("web:1")));
        assert_eq!(read.number_of(fingerprint(&template("web:1"))), Some(1));
        // A forced restart is no revision.
        let mut restarted = service("web:2", second.labels());
        restarted.spec.task_template["ForceUpdate"] = json!(3);
        let read = History::of(&restarted);
        assert_eq!(numbers(&read), [(2, "web:2"), (1, "web:1")]);
        assert_eq!(template::forced(&read.entries[0].template), 3, "what runs now is what is gone back to");
    }

    #[test]
    fn what_others_change_is_a_revision_of_its_own() {
        let labels = deployed(History::of(&service("web:1", BTreeMap::new())), 2, "web:2").labels();
        let read = History::of(&service("web:9", labels.clone()));
        assert_eq!(numbers(&read), [(3, "web:9"), (2, "web:2"), (1, "web:1")]);
        assert_eq!(read.entries[0].revision.by, None);
        // The stack was deployed anew from its file, which knows no labels of ours.
        let mut again = service("web:9", BTreeMap::new());
        again.previous_spec = Some(service("web:2", labels).spec);
        assert_eq!(numbers(&History::of(&again)), [(3, "web:9"), (2, "web:2"), (1, "web:1")]);
        // Nothing recorded at all: the engine's own memory of one.
        let mut plain = service("web:2", BTreeMap::new());
        plain.previous_spec = Some(service("web:1", BTreeMap::new()).spec);
        assert_eq!(numbers(&History::of(&plain)), [(2, "web:2"), (1, "web:1")]);
        plain.previous_spec = Some(service("web:2", BTreeMap::new()).spec);
        assert_eq!(numbers(&History::of(&plain)), [(1, "web:2")]);
    }

    #[test]
    fn it_is_bounded_by_number_and_by_bytes() {
        let mut history = History::of(&service("web:1", BTreeMap::new()));
        for number in 2..=30 {
            history = deployed(history, number, &format!("web:{number}"));
            history = History::of(&service(&format!("web:{number}"), history.labels()));
        }
        assert_eq!(history.entries.len(), KEPT);
        let long = "x".repeat(BYTES / 3);
        for number in 31..=36 {
            history = deployed(history, number, &format!("web:{number}-{long}"));
        }
        let labels = history.labels();
        assert!(labels.values().map(String::len).sum::<usize>() < BYTES * 2);
        let read = History::of(&service(&format!("web:36-{long}"), labels));
        assert_eq!(read.entries.iter().map(|e| e.revision.number).collect::<Vec<_>>(), [36, 35]);
    }

    #[test]
    fn odd_labels_are_no_history() {
        let labels = BTreeMap::from([(labels::HISTORY.to_owned(), "[{\"revision\":".to_owned())]);
        assert_eq!(numbers(&History::of(&service("web:1", labels))), [(1, "web:1")]);
    }
}
