//! What a compose file asks for against what runs, field by field. Pure: the file comes in as the compose tool understood
//! it, what runs as the engine tells it, and what the image itself brings counts for neither.

pub mod scalar;
pub mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Deviation, Drift, DriftKind};
use crate::observe::redact;
use crate::observe::text::clean;

/// A definition in comparable words: `environment.DB_HOST` → `db`, `ports.80/tcp` → `8080`.
pub type Fields = BTreeMap<String, String>;

/// Longest value that is repeated, characters.
const VALUE_LIMIT: usize = 200;
/// Said of nothing unless the file says it: every container has one of its own.
const OWN: [&str; 3] = ["container_name", "hostname", "logging"];

/// One container as it was made, and what its image would have made of it alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    pub fields: Fields,
    pub image_fields: Fields,
    /// The content it was made from.
    pub image_id: String,
}

/// How `running` containers of a service differ from what is `wanted`; `None` where they do not. `wanted_id` is the content its
/// image's name means on the engine now, where that is known; `count` the replicas there are.
#[must_use]
pub fn compare(wanted: &wanted::Service, running: &[Running], wanted_id: Option<&str>, count: u32) -> Option<Drift> {
    let mut found: BTreeSet<Deviation> = BTreeSet::new();
    for one in running {
        found.extend(deviations(wanted, one));
        let same_name = wanted.fields.get("image") == one.fields.get("image");
        if let Some(id) = wanted_id.filter(|id| same_name && *id != one.image_id && !one.image_id.is_empty()) {
            found.insert(deviation("image.content", Some(&short(&one.image_id)), Some(&short(id))));
        }
    }
    if let Some(replicas) = wanted.replicas.filter(|n| *n != count) {
        found.insert(deviation("replicas", Some(&count.to_string()), Some(&replicas.to_string())));
    }
    let deviations: Vec<Deviation> = found.into_iter().collect();
    (!deviations.is_empty()).then_some(Drift { kind: DriftKind::Changed, deviations, replicas: wanted.replicas })
}

fn deviations(wanted: &wanted::Service, running: &Running) -> Vec<Deviation> {
    let paths: BTreeSet<&String> = wanted.fields.keys().chain(running.fields.keys()).collect();
    let mut found = Vec::new();
    for path in paths {
        let (is, asked) = (running.fields.get(path), wanted.fields.get(path));
        // A new entry point leaves the image's own arguments out.
        let of_image = running.image_fields.get(path).filter(|_| path != "command" || !wanted.fields.contains_key("entrypoint"));
        let expected = asked.or(of_image);
        if is == expected || (asked.is_none() && is_not_asked(path, wanted)) {
            continue;
        }
        found.push(deviation(path, is.map(String::as_str), expected.map(String::as_str)));
    }
    found
}

/// What a container has without anybody having to ask for it.
fn is_not_asked(path: &str, wanted: &wanted::Service) -> bool {
    let proxy = path.strip_prefix("environment.").is_some_and(|name| name.to_ascii_lowercase().ends_with("_proxy"));
    OWN.contains(&path) || proxy || (path == "image" && wanted.is_built)
}

/// The two values as they may be shown.
fn deviation(path: &str, running: Option<&str>, wanted: Option<&str>) -> Deviation {
    let name = path.strip_prefix("environment.").or_else(|| path.strip_prefix("labels."));
    let secret = name.is_some_and(redact::is_secret_name);
    let shown = |value: &str| -> Arc<str> {
        if secret {
            return redact::MASK.into();
        }
        let masked = redact::text(value);
        let text = clean(&masked);
        match text.char_indices().nth(VALUE_LIMIT) {
            Some((end, _)) => format!("{}…", &text[..end]).into(),
            None => text.into(),
        }
    };
    let (is, mut asked) = (running.map(shown), wanted.map(shown));
    if is.is_some() && is == asked {
        asked = asked.map(|value| format!("{value} (another value)").into());
    }
    Deviation { path: clean(path).into(), running: is, wanted: asked }
}

/// Things by place, those at one place together.
pub fn join(all: Vec<(String, String)>, prefix: &str, fields: &mut Fields) {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (place, what) in all {
        places.entry(place).or_default().insert(what);
    }
    for (place, what) in places {
        fields.insert(format!("{prefix}.{place}"), what.into_iter().collect::<Vec<_>>().join(", "));
    }
}

fn short(id: &str) -> String {
    id.strip_prefix("sha256:").unwrap_or(id).chars().take(12).collect()
}

#[cfg(test)]
mod tests;
