//! What the server keeps: every object by kind, namespace and name, one counter of versions, and what changed since when.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::kind::{KINDS, Kind};

/// Namespace (empty where there is none) and name.
pub type Key = (String, String);

/// Changes of one kind that are remembered; whoever watches from before that is told so.
const REMEMBERED: usize = 20_000;

/// One object as it is at one version: without `kind` and `apiVersion`, as in a list.
#[derive(Clone, Debug)]
pub struct Entry {
    pub value: Arc<Value>,
    pub version: u64,
    bytes: Arc<OnceLock<Bytes>>,
}

impl Entry {
    fn new(value: Value, version: u64) -> Self {
        Self { value: Arc::new(value), version, bytes: Arc::default() }
    }

    /// What an object would be, without it being kept.
    pub fn shown(value: Value) -> Self {
        Self::new(value, 0)
    }

    /// The same object under another version.
    pub fn again_at(&self, version: u64) -> Self {
        let mut value = (*self.value).clone();
        value["metadata"]["resourceVersion"] = json!(version.to_string());
        Self::new(value, version)
    }

    /// As it stands among the items of a list.
    pub fn bare(&self) -> Bytes {
        self.bytes.get_or_init(|| self.value.to_string().into()).clone()
    }

    /// As it is when asked for alone.
    pub fn whole(&self, kind: &Kind) -> Vec<u8> {
        let mut text = format!(r#"{{"kind":"{}","apiVersion":"{}","#, kind.name, kind.api_version()).into_bytes();
        text.extend_from_slice(&self.bare()[1..]);
        text
    }

    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn namespace(&self) -> &str {
        self.value["metadata"]["namespace"].as_str().unwrap_or_default()
    }

    pub fn uid(&self) -> &str {
        self.value["metadata"]["uid"].as_str().unwrap_or_default()
    }

    pub fn key(&self) -> Key {
        key_of(&self.value)
    }
}

/// Where an object is kept.
pub fn key_of(object: &Value) -> Key {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// One change: what an object became, and what it was.
#[derive(Clone, Debug)]
pub struct Change {
    pub version: u64,
    /// What it is now, or was last.
    pub entry: Entry,
    pub before: Option<Entry>,
    pub removed: bool,
}

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<Key, Entry>,
    history: VecDeque<Change>,
    /// Up to this version no one may ask any more what changed.
    forgotten: u64,
    /// Up to this version it is not known any more.
    dropped: u64,
}

/// Everything kept.
pub struct Store {
    version: u64,
    made: u64,
    shelves: HashMap<&'static str, Shelf>,
    /// What names this uid as its controller.
    children: HashMap<String, BTreeSet<(&'static str, Key)>>,
    /// What changed since the controllers looked last, where there are controllers.
    pub touched: Option<Vec<(&'static Kind, Change)>>,
}

/// The time as objects carry it.
pub fn stamp() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The same with microseconds, as leases and some events carry it.
pub fn fine_stamp() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// The uid of the controller that owns an object.
pub fn controller(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|o| o["controller"] == json!(true))?["uid"].as_str()
}

impl Store {
    pub fn new(controlled: bool) -> Self {
        let shelves = KINDS.iter().map(|k| (k.plural, Shelf::default())).collect();
        Self { version: 1, made: 0, shelves, children: HashMap::new(), touched: controlled.then(Vec::new) }
    }

    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The version up to which changes of that kind are forgotten.
    pub fn forgotten(&self, kind: &Kind) -> u64 {
        self.shelves[kind.plural].forgotten
    }

    pub fn get(&self, kind: &Kind, key: &Key) -> Option<Entry> {
        self.shelves[kind.plural].objects.get(key).cloned()
    }

    pub fn list(&self, kind: &Kind, namespace: Option<&str>) -> Vec<Entry> {
        let objects = &self.shelves[kind.plural].objects;
        objects.iter().filter(|(key, _)| namespace.is_none_or(|n| key.0 == n)).map(|(_, entry)| entry.clone()).collect()
    }

    /// All of a namespace whose names begin so.
    pub fn list_from(&self, kind: &Kind, namespace: &str, stem: &str) -> Vec<Entry> {
        let first = (namespace.to_owned(), stem.to_owned());
        let objects = self.shelves[kind.plural].objects.range(first..);
        objects.take_while(|(key, _)| key.0 == namespace && key.1.starts_with(stem)).map(|(_, entry)| entry.clone()).collect()
    }

    /// What names that uid as its controller, of one kind.
    pub fn children(&self, kind: &Kind, uid: &str) -> Vec<Entry> {
        let keys = self.children.get(uid).into_iter().flatten().filter(|(plural, _)| *plural == kind.plural);
        keys.filter_map(|(_, key)| self.get(kind, key)).collect()
    }

    /// What names that uid as its controller, of any kind.
    pub fn dependents(&self, uid: &str) -> Vec<(&'static str, Key)> {
        self.children.get(uid).into_iter().flatten().cloned().collect()
    }

    /// As `list`, at an earlier version; nothing where that is forgotten.
    pub fn list_at(&self, kind: &Kind, namespace: Option<&str>, version: u64) -> Option<Vec<Entry>> {
        let shelf = &self.shelves[kind.plural];
        if version < shelf.forgotten {
            return None;
        }
        if shelf.history.back().is_none_or(|c| c.version <= version) {
            return Some(self.list(kind, namespace));
        }
        let mut objects = shelf.objects.clone();
        for change in shelf.history.iter().rev().take_while(|c| c.version > version) {
            match &change.before {
                Some(before) => objects.insert(before.key(), before.clone()),
                None => objects.remove(&change.entry.key()),
            };
        }
        Some(objects.into_values().filter(|e| namespace.is_none_or(|n| e.namespace() == n)).collect())
    }

    /// What changed after that version, for a stream that is open; nothing where that is not known any more.
    pub fn since(&self, kind: &Kind, version: u64) -> Option<Vec<Change>> {
        let shelf = &self.shelves[kind.plural];
        if version < shelf.dropped {
            return None;
        }
        let first = shelf.history.partition_point(|c| c.version <= version);
        Some(shelf.history.range(first..).cloned().collect())
    }

    /// Forgets what changed up to now, as a compaction does: open streams go on, new ones cannot begin before.
    pub fn forget(&mut self) {
        // What is read at the very version of a compaction still can be.
        self.version += 1;
        let version = self.version;
        for shelf in self.shelves.values_mut() {
            shelf.forgotten = version;
        }
    }

    /// A uid no other object has.
    pub fn uid(&mut self) -> String {
        self.made += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.made.wrapping_mul(0x9e37_79b9) & 0xffff_ffff, self.made)
    }

    /// Five letters as at the end of a pod's name, never the same in a row.
    pub fn suffix(&mut self) -> String {
        self.made += 1;
        letters(self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15), 5)
    }

    /// Keeps an object, new or changed. One that is as it was before stays at its version.
    pub fn keep(&mut self, kind: &'static Kind, mut value: Value) -> Entry {
        let key = key_of(&value);
        let before = self.get(kind, &key);
        if let Some(before) = &before {
            value["metadata"]["resourceVersion"] = json!(before.version.to_string());
            if *before.value == value {
                return before.clone();
            }
        }
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if let Some(owner) = before.as_ref().and_then(|b| controller(&b.value)) {
            self.orphan(owner, kind, &key);
        }
        if let Some(owner) = controller(&value) {
            self.children.entry(owner.to_owned()).or_default().insert((kind.plural, key.clone()));
        }
        let entry = Entry::new(value, self.version);
        self.shelf(kind).objects.insert(key, entry.clone());
        self.remember(kind, Change { version: self.version, entry: entry.clone(), before, removed: false });
        entry
    }

    /// Takes an object away for good.
    pub fn remove(&mut self, kind: &'static Kind, key: &Key) -> Option<Entry> {
        let before = self.shelf(kind).objects.remove(key)?;
        self.version += 1;
        if let Some(owner) = controller(&before.value) {
            self.orphan(owner, kind, key);
        }
        let entry = before.again_at(self.version);
        self.remember(kind, Change { version: self.version, entry: entry.clone(), before: Some(before), removed: true });
        Some(entry)
    }

    fn orphan(&mut self, owner: &str, kind: &Kind, key: &Key) {
        if let Some(children) = self.children.get_mut(owner) {
            children.remove(&(kind.plural, key.clone()));
            if children.is_empty() {
                self.children.remove(owner);
            }
        }
    }

    fn shelf(&mut self, kind: &Kind) -> &mut Shelf {
        self.shelves.entry(kind.plural).or_default()
    }

    fn remember(&mut self, kind: &'static Kind, change: Change) {
        if let Some(touched) = &mut self.touched {
            touched.push((kind, change.clone()));
        }
        let shelf = self.shelf(kind);
        shelf.history.push_back(change);
        if shelf.history.len() > REMEMBERED
            && let Some(oldest) = shelf.history.pop_front()
        {
            shelf.dropped = oldest.version;
            shelf.forgotten = shelf.forgotten.max(oldest.version);
        }
    }
}

/// Letters and digits as the names of pods and revisions are made of: none that make words.
pub fn letters(mut number: u64, length: usize) -> String {
    const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut text = String::new();
    number ^= number >> 31;
    for _ in 0..length {
        text.push(char::from(SAFE[usize::try_from(number % 27).unwrap_or_default()]));
        number /= 27;
    }
    text
}
