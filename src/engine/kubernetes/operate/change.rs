//! One change of an object: read, what is different worked out, and sent as a patch of the version that was read. When
//! somebody was faster it is read again, and goes on only if what it is about is still what it was.

use http::Method;
use serde_json::{Value, json};

use super::call::managed;
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::Object;
use crate::operate::Accepted;

/// How often a change is tried when others write the object all the time.
const TRIES: u32 = 5;

/// How a patch is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patch {
    /// Lists are replaced whole.
    Merge,
    /// Lists that have a key (containers by name) are merged by it.
    Strategic,
    /// Operations one after the other.
    Steps,
}

impl Patch {
    /// Its content type.
    pub(super) fn content(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Steps => "application/json-patch+json",
        }
    }
}

/// What a change found to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Changed(Patch, Value),
    Already,
}

/// Changes a workload's object. `about` is what it must find unchanged when it has to begin again.
pub(super) async fn change<T: PartialEq>(
    client: &Client,
    object: &Object,
    about: impl Fn(&Value) -> T,
    alter: impl Fn(&Value) -> Result<Told, EngineError>,
) -> Result<Accepted, EngineError> {
    change_at(client, &object.to_string(), &object.path(), about, alter).await
}

/// As [`change`], of the object at a path.
pub(super) async fn change_at<T: PartialEq>(
    client: &Client,
    what: &str,
    path: &str,
    about: impl Fn(&Value) -> T,
    alter: impl Fn(&Value) -> Result<Told, EngineError>,
) -> Result<Accepted, EngineError> {
    let mut first: Option<T> = None;
    for _ in 0..TRIES {
        let raw: Value = client.get(what, path).await?;
        let now = about(&raw);
        match &first {
            Some(before) if *before != now => {
                return Err(EngineError::Conflict { what: what.into(), cause: "somebody else changed it meanwhile".into() });
            }
            Some(_) => {}
            None => first = Some(now),
        }
        let (patch, body) = match alter(&raw)? {
            Told::Already => return Ok(Accepted::AlreadySo),
            Told::Changed(patch, body) => (patch, body),
        };
        let body = of_version(body, &raw).to_string().into_bytes();
        match client.ask::<Value>(what, Method::PATCH, &managed(path), body, Some(patch.content())).await {
            Ok(_) => return Ok(Accepted::Done),
            Err(EngineError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(EngineError::Conflict { what: what.into(), cause: "others change it all the time".into() })
}

/// The patch, good only for the version that was read.
pub(super) fn of_version(mut body: Value, read: &Value) -> Value {
    let version = read.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
    match &mut body {
        Value::Array(steps) => {
            steps.push(json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": version }));
        }
        other => other["metadata"]["resourceVersion"] = version,
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_good_only_for_what_was_read() {
        let read = json!({ "metadata": { "resourceVersion": "7" } });
        let merged = of_version(json!({ "spec": { "paused": true } }), &read);
        assert_eq!(merged, json!({ "metadata": { "resourceVersion": "7" }, "spec": { "paused": true } }));
        let steps = of_version(json!([]), &read);
        assert_eq!(steps, json!([{ "op": "replace", "path": "/metadata/resourceVersion", "value": "7" }]));
    }
}
