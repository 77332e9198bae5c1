//! Watches: what changed after a version, with bookmarks, as streaming lists, until a time is over or the version is gone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::ask::{Aim, Ask, Form, JSON, Reply};
use super::hub::Hub;
use super::kind::Kind;
use super::read::{metadata_of, version, wait_for};
use super::select::Selection;
use super::status::{Outcome, no_watch_list, watch_expired, watch_list_and_match};
use super::store::{Change, Entry};

/// One open watch.
struct Stream {
    hub: Arc<Hub>,
    kind: &'static Kind,
    namespace: Option<String>,
    selection: Selection,
    form: Form,
    bookmarks: bool,
    /// Everything up to this version was told.
    told: u64,
    ready: VecDeque<Bytes>,
    changed: watch::Receiver<u64>,
    /// Changes when open watches are told that their version is gone.
    expired: watch::Receiver<u64>,
    ends: Instant,
    next_bookmark: Instant,
    over: bool,
}

/// How long a watch stays open that asks for no time.
const LONG: Duration = Duration::from_secs(2400);

/// Answers with a watch.
///
/// # Errors
/// A selector or version that cannot be read, or a streaming list where there are none.
pub async fn watch(hub: &Arc<Hub>, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let form = ask.form()?;
    let mut selection = Selection::parse(ask.param("labelSelector"), ask.param("fieldSelector"))?;
    if let Some(name) = &aim.name {
        selection = Selection::parse(ask.param("labelSelector"), &format!("metadata.name={name}"))?;
    }
    let listed = ask.is("sendInitialEvents");
    let matched = ask.param("resourceVersionMatch");
    if listed && hub.faults.no_watch_list.load(Ordering::SeqCst) {
        return Err(no_watch_list());
    }
    if listed != (matched == "NotOlderThan") || (!listed && !matched.is_empty()) {
        return Err(watch_list_and_match(listed));
    }
    let wanted = version(ask)?.unwrap_or(0);
    if listed && wanted > hub.store().version() {
        wait_for(hub, wanted).await?;
    }
    let now = Instant::now();
    let mut stream = Stream {
        hub: hub.clone(),
        kind: aim.kind,
        namespace: aim.namespace.clone(),
        selection,
        form,
        bookmarks: ask.is("allowWatchBookmarks"),
        told: wanted,
        ready: VecDeque::new(),
        changed: hub.changed.subscribe(),
        expired: hub.expired.subscribe(),
        ends: now + ask.number("timeoutSeconds").filter(|s| *s > 0).map_or(LONG, Duration::from_secs),
        next_bookmark: now + hub.pace.bookmark,
        over: false,
    };
    stream.begin(wanted, listed);
    let stream = futures_util::stream::unfold(stream, |mut stream| async move { Some((Ok(stream.next().await?), stream)) });
    Ok(Reply::stream(JSON, Box::pin(stream)))
}

impl Stream {
    fn begin(&mut self, wanted: u64, listed: bool) {
        let hub = self.hub.clone();
        let store = hub.store();
        if wanted > 0 && !listed {
            let oldest = store.forgotten(self.kind);
            if wanted < oldest {
                self.gone(wanted, oldest);
            }
            return;
        }
        for entry in store.list(self.kind, self.namespace.as_deref()) {
            if self.selection.takes(&entry.value) {
                let line = self.line("ADDED", &entry);
                self.ready.push_back(line);
            }
        }
        self.told = store.version();
        if listed && self.bookmarks {
            let annotations = json!({ "k8s.io/initial-events-end": "true" });
            self.bookmark(json!({ "resourceVersion": self.told.to_string(), "annotations": annotations }));
        }
    }

    /// The next piece of the body; nothing when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let hub = self.hub.clone();
            hub.faults.pass().await;
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.over {
                return None;
            }
            if self.take() {
                continue;
            }
            tokio::select! {
                biased;
                _ = self.expired.changed() => self.gone(self.told, hub.store().version()),
                changed = self.changed.changed() => self.over = changed.is_err(),
                () = tokio::time::sleep_until(self.ends) => self.over = true,
                () = tokio::time::sleep_until(self.next_bookmark) => self.mark(),
            }
        }
    }

    /// Takes over what changed since; whether that was anything.
    fn take(&mut self) -> bool {
        let hub = self.hub.clone();
        let (changes, now) = {
            let store = hub.store();
            (store.since(self.kind, self.told), store.version())
        };
        let Some(changes) = changes else {
            self.gone(self.told, now);
            return true;
        };
        self.told = self.told.max(now);
        for change in changes {
            if let Some(line) = self.event(&change) {
                self.ready.push_back(line);
            }
        }
        !self.ready.is_empty()
    }

    /// A change as those see it who select: what comes into the selection is added, what leaves it is deleted.
    fn event(&self, change: &Change) -> Option<Bytes> {
        if self.namespace.as_ref().is_some_and(|n| n != change.entry.namespace()) {
            return None;
        }
        let was = change.before.as_ref().is_some_and(|b| self.selection.takes(&b.value));
        let is = !change.removed && self.selection.takes(&change.entry.value);
        match (was, is) {
            (false, true) => Some(self.line("ADDED", &change.entry)),
            (true, true) => Some(self.line("MODIFIED", &change.entry)),
            // What leaves the selection is told as it was when it still belonged to it.
            (true, false) => {
                let last = change.before.as_ref().filter(|_| !change.removed).map(|b| b.again_at(change.version));
                Some(self.line("DELETED", last.as_ref().unwrap_or(&change.entry)))
            }
            (false, false) => None,
        }
    }

    fn line(&self, what: &str, entry: &Entry) -> Bytes {
        let mut text = format!(r#"{{"type":"{what}","object":"#).into_bytes();
        match self.form {
            Form::Whole => text.extend_from_slice(&entry.whole(self.kind)),
            Form::Metadata => text.extend_from_slice(metadata_of(&entry.value).to_string().as_bytes()),
        }
        text.extend_from_slice(b"}\n");
        text.into()
    }

    fn say(&mut self, what: &str, object: &Value) {
        self.ready.push_back(format!("{{\"type\":\"{what}\",\"object\":{object}}}\n").into());
    }

    fn bookmark(&mut self, metadata: Value) {
        let object = match self.form {
            Form::Whole => self.kind.blank(metadata),
            Form::Metadata => metadata_of(&json!({ "metadata": metadata })),
        };
        self.say("BOOKMARK", &object);
    }

    fn mark(&mut self) {
        self.next_bookmark = Instant::now() + self.hub.pace.bookmark;
        if self.bookmarks && !self.hub.faults.no_bookmarks.load(Ordering::SeqCst) {
            self.bookmark(json!({ "resourceVersion": self.told.to_string() }));
        }
    }

    /// Says that the version is gone, and ends.
    fn gone(&mut self, asked: u64, oldest: u64) {
        self.say("ERROR", &watch_expired(asked, oldest).body);
        self.over = true;
    }
}
