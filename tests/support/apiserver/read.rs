//! One object, and lists of them: in pages, at a version, by selectors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ask::{Aim, Ask, Form, Reply};
use super::hub::Hub;
use super::select::Selection;
use super::status::{Outcome, bad_request, list_expired, not_found, page_expired, too_large};
use super::store::{Entry, Store};

/// Answers for one object.
///
/// # Errors
/// There is none of that name.
pub fn get(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let form = ask.form()?;
    let entry = hub.store().get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &aim.key().1))?;
    Ok(match form {
        Form::Whole => Reply::json(200, entry.whole(aim.kind)),
        Form::Metadata => Reply::value(200, &metadata_of(&entry.value)),
    })
}

/// The object with nothing but its metadata.
pub fn metadata_of(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

/// The version a query names; nothing where it names none.
///
/// # Errors
/// One that is no number.
pub fn version(ask: &Ask) -> Outcome<Option<u64>> {
    match ask.param("resourceVersion") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            bad_request(format!(
                "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid \
                 syntax"
            ))
        }),
    }
}

/// Waits until the store has come to that version, for as long as a server waits.
///
/// # Errors
/// It does not come.
pub async fn wait_for(hub: &Hub, wanted: u64) -> Outcome<()> {
    let mut changed = hub.changed.subscribe();
    let there = tokio::time::timeout(hub.pace.patience, changed.wait_for(|now| *now >= wanted)).await;
    if there.is_ok() { Ok(()) } else { Err(too_large(wanted, hub.store().version())) }
}

/// Answers with a list, or a page of one.
///
/// # Errors
/// A selector, version or page that cannot be served.
pub async fn list(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let form = ask.form()?;
    let selection = Selection::parse(ask.param("labelSelector"), ask.param("fieldSelector"))?;
    let wanted = version(ask)?;
    if let Some(wanted) = wanted
        && wanted > hub.store().version()
    {
        wait_for(hub, wanted).await?;
    }
    let page = {
        let store = hub.store();
        page(&store, ask, aim, &selection, wanted)?
    };
    Ok(Reply::json(200, written(aim, form, &page)))
}

struct Page {
    entries: Vec<Entry>,
    metadata: Value,
}

/// Where a page begins: the version of the whole list (nothing: whatever is there now) and the last key that was told.
struct Token {
    version: Option<u64>,
    start: (String, String),
}

fn page(store: &Store, ask: &Ask, aim: &Aim, selection: &Selection, wanted: Option<u64>) -> Outcome<Page> {
    let namespace = aim.namespace.as_deref();
    // A list "of any version" comes from the cache, whole, whatever the limit.
    let limit = if wanted == Some(0) { 0 } else { ask.number("limit").unwrap_or(0) };
    let token = match ask.param("continue") {
        "" => None,
        text => Some(Token::read(text, aim)?),
    };
    let exact = ask.param("resourceVersionMatch") == "Exact";
    let (version, whole) = match &token {
        Some(Token { version: Some(version), start }) => {
            let whole = (*version >= store.forgotten(aim.kind)).then(|| store.list_at(aim.kind, namespace, *version)).flatten();
            let again = Token { version: None, start: start.clone() };
            (*version, whole.ok_or_else(|| page_expired(&again.written(aim)))?)
        }
        None if exact => {
            let version = wanted.unwrap_or_default();
            (version, store.list_at(aim.kind, namespace, version).ok_or_else(list_expired)?)
        }
        Some(Token { version: None, .. }) | None => (store.version(), store.list(aim.kind, namespace)),
    };
    let mut entries: Vec<Entry> = match &token {
        Some(token) => whole.into_iter().filter(|e| e.key() > token.start).collect(),
        None => whole,
    };
    if !selection.is_empty() {
        entries.retain(|e| selection.takes(&e.value));
    }
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit > 0 && entries.len() > limit {
        let rest = entries.len() - limit;
        entries.truncate(limit);
        let start = entries.last().map(Entry::key).unwrap_or_default();
        metadata["continue"] = json!(Token { version: Some(version), start }.written(aim));
        if selection.is_empty() {
            metadata["remainingItemCount"] = json!(rest);
        }
    }
    Ok(Page { entries, metadata })
}

impl Token {
    fn written(&self, aim: &Aim) -> String {
        let slash = if self.version.is_some() { "/" } else { "" };
        let (namespace, name) = &self.start;
        let start = if aim.namespace.is_some() || namespace.is_empty() {
            format!("{slash}{name}\0")
        } else {
            format!("{slash}{namespace}/{name}\0")
        };
        let version = self.version.map_or(-1, |v| i64::try_from(v).unwrap_or(i64::MAX));
        URL_SAFE_NO_PAD.encode(format!(r#"{{"v":"meta.k8s.io/v1","rv":{version},"start":{}}}"#, json!(start)))
    }

    fn read(text: &str, aim: &Aim) -> Outcome<Self> {
        let unreadable = || bad_request("invalid continue token: continue key is not valid: it is none of this server");
        let decoded = URL_SAFE_NO_PAD.decode(text).map_err(|_| unreadable())?;
        let token: Value = serde_json::from_slice(&decoded).map_err(|_| unreadable())?;
        let version = token["rv"].as_i64().ok_or_else(unreadable)?;
        let start = token["start"].as_str().ok_or_else(unreadable)?.trim_start_matches('/').trim_end_matches('\0');
        let start = match &aim.namespace {
            Some(namespace) => (namespace.clone(), start.to_owned()),
            None => start.split_once('/').map_or((String::new(), start.to_owned()), |(n, s)| (n.to_owned(), s.to_owned())),
        };
        Ok(Self { version: u64::try_from(version).ok(), start })
    }
}

fn written(aim: &Aim, form: Form, page: &Page) -> Vec<u8> {
    let (kind, version) = match form {
        Form::Whole => (format!("{}List", aim.kind.name), aim.kind.api_version()),
        Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    let head = format!(r#"{{"kind":"{kind}","apiVersion":"{version}","metadata":{},"items":["#, page.metadata);
    let mut text = head.into_bytes();
    for (n, entry) in page.entries.iter().enumerate() {
        if n > 0 {
            text.push(b',');
        }
        match form {
            Form::Whole => text.extend_from_slice(&entry.bare()),
            Form::Metadata => text.extend_from_slice(metadata_of(&entry.value).to_string().as_bytes()),
        }
    }
    text.extend_from_slice(b"]}\n");
    text
}
