//! Label and field selectors, as they come in a query and as they stand in objects.

use serde_json::Value;

use super::status::{Failure, Outcome, bad_request};

/// One requirement of a label selector.
#[derive(Clone, Debug)]
enum Need {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// Which objects a list or a watch is about.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    labels: Vec<Need>,
    /// Path, value, whether it is to be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selection {
    /// Both selectors of a query.
    ///
    /// # Errors
    /// A selector that cannot be read, or a field no one selects by.
    pub fn parse(labels: &str, fields: &str) -> Outcome<Self> {
        Ok(Self { labels: parse_labels(labels)?, fields: parse_fields(fields)? })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn takes(&self, object: &Value) -> bool {
        self.labels.iter().all(|need| need.holds(&object["metadata"]["labels"]))
            && self.fields.iter().all(|(path, value, equal)| (field(object, path) == *value) == *equal)
    }
}

impl Need {
    fn holds(&self, labels: &Value) -> bool {
        match self {
            Self::In(key, values) => labels[key].as_str().is_some_and(|v| values.iter().any(|w| w == v)),
            Self::NotIn(key, values) => labels[key].as_str().is_none_or(|v| values.iter().all(|w| w != v)),
            Self::Exists(key) => !labels[key].is_null(),
            Self::Missing(key) => labels[key].is_null(),
        }
    }
}

fn field(object: &Value, path: &str) -> String {
    let found = path.split('.').fold(object, |at, part| &at[part]);
    match found {
        Value::String(text) => text.clone(),
        Value::Bool(held) => held.to_string(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn unreadable(found: &str) -> Failure {
    bad_request(format!("found '{found}', expected: !, identifier, or 'end of string'"))
}

fn parse_labels(text: &str) -> Outcome<Vec<Need>> {
    let mut needs = Vec::new();
    if text.matches('(').count() > text.matches(')').count() {
        return Err(bad_request("unable to parse requirement: found '', expected: ',' or ')'"));
    }
    for part in split(text) {
        let part = part.trim();
        let values =
            |list: &str| list.trim().trim_matches(['(', ')']).split(',').map(|v| v.trim().to_owned()).collect::<Vec<_>>();
        let need = if let Some(key) = part.strip_prefix('!') {
            Need::Missing(key.trim().to_owned())
        } else if let Some((key, list)) = part.split_once(" notin ") {
            Need::NotIn(key.trim().to_owned(), values(list))
        } else if let Some((key, list)) = part.split_once(" in ") {
            Need::In(key.trim().to_owned(), values(list))
        } else if let Some((key, value)) = part.split_once("!=") {
            Need::NotIn(key.trim().to_owned(), vec![value.trim().to_owned()])
        } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            Need::In(key.trim().to_owned(), vec![value.trim().to_owned()])
        } else {
            Need::Exists(part.to_owned())
        };
        let (Need::In(key, _) | Need::NotIn(key, _) | Need::Exists(key) | Need::Missing(key)) = &need;
        if key.is_empty() {
            return Err(unreadable(if part.starts_with("==") { "==" } else { part }));
        }
        needs.push(need);
    }
    Ok(needs)
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().filter(|p| !p.trim().is_empty()).collect()
}

/// The fields a real server selects by, of the kinds kept here.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.unschedulable",
    "status.phase",
    "status.podIP",
    "status.successful",
    "reason",
    "type",
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.fieldPath",
];

fn parse_fields(text: &str) -> Outcome<Vec<(String, String, bool)>> {
    let mut fields = Vec::new();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
            (path, value, false)
        } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (path, value, true)
        } else {
            return Err(bad_request(format!("invalid selector: '{part}'; can't understand '{part}'")));
        };
        if !FIELDS.contains(&path) {
            return Err(bad_request(format!("field label not supported: {path}")));
        }
        fields.push((path.to_owned(), value.to_owned(), equal));
    }
    Ok(fields)
}

/// Whether a `LabelSelector` of an object, `matchLabels` and `matchExpressions`, takes these labels. An empty one takes everything.
pub fn label_selector_takes(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"].as_object().is_none_or(|want| want.iter().all(|(key, value)| labels[key] == *value));
    let expressions = selector["matchExpressions"].as_array().is_none_or(|list| {
        list.iter().all(|e| {
            let key = e["key"].as_str().unwrap_or_default().to_owned();
            let values = || e["values"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
            let need = match e["operator"].as_str().unwrap_or_default() {
                "In" => Need::In(key, values()),
                "NotIn" => Need::NotIn(key, values()),
                "Exists" => Need::Exists(key),
                _ => Need::Missing(key),
            };
            need.holds(labels)
        })
    });
    equal && expressions
}

/// Whether a service's selector, a plain map, takes these labels. An empty one takes nothing.
pub fn map_takes(selector: &Value, labels: &Value) -> bool {
    selector.as_object().is_some_and(|want| !want.is_empty() && want.iter().all(|(key, value)| labels[key] == *value))
}

/// A `LabelSelector` as the text a scale carries.
pub fn selector_text(selector: &Value) -> String {
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>().join(",")
}
