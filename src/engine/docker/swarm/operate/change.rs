//! One change of a service: read, altered, written back at the version that was read. When somebody was faster it is read
//! again, and goes on only if what it is about is still what it was.

use serde_json::{Map, Value};

use super::{Aim, find};
use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::engine::docker::swarm::history::History;
use crate::engine::docker::swarm::wire::Service;
use crate::engine::docker::wire::segment;
use crate::operate::Accepted;

/// How often a change is tried when others write the service all the time.
const TRIES: u32 = 5;

/// What a change found to do.
pub(super) enum Told {
    Changed,
    Already,
}

/// Changes a service. `about` is what it must find unchanged when it has to begin again.
pub(super) async fn change<T: PartialEq>(
    aim: &Aim<'_>,
    about: impl Fn(&Value) -> T,
    alter: impl Fn(&Service, &mut Value) -> Result<Told, EngineError>,
) -> Result<Accepted, EngineError> {
    change_with(aim, None, about, alter).await
}

/// As [`change`], with credentials for its registry, which nodes fetch the image with.
pub(super) async fn change_with<T: PartialEq>(
    aim: &Aim<'_>,
    credentials: Option<&str>,
    about: impl Fn(&Value) -> T,
    alter: impl Fn(&Service, &mut Value) -> Result<Told, EngineError>,
) -> Result<Accepted, EngineError> {
    let what = format!("service {}", aim.workload);
    let mut first: Option<T> = None;
    for _ in 0..TRIES {
        let (raw, service) = find(aim).await?;
        let now = about(&raw["Spec"]);
        match &first {
            Some(before) if *before != now => {
                return Err(EngineError::Conflict { what: what.into(), cause: "somebody else changed it meanwhile".into() });
            }
            Some(_) => {}
            None => first = Some(now),
        }
        let mut spec = raw["Spec"].clone();
        // What was never recorded is, before the engine forgets it: it remembers one definition back.
        relabel(&mut spec, &History::of(&service));
        match alter(&service, &mut spec)? {
            Told::Already => return Ok(Accepted::AlreadySo),
            Told::Changed => {}
        }
        let path = format!("/services/{}/update?version={}", segment(&service.id), service.version.index);
        match aim.client.post_json(&what, &path, &spec, credentials).await {
            Ok(_) => return Ok(Accepted::Done),
            Err(error) if is_outdated(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(EngineError::Conflict { what: what.into(), cause: "others change it all the time".into() })
}

/// The version read is not the newest any more.
fn is_outdated(error: &EngineError) -> bool {
    let (EngineError::Rejected { message: said, .. } | EngineError::Conflict { cause: said, .. }) = error else { return false };
    said.contains("update out of sequence")
}

fn labels_of(spec: &mut Value) -> Option<&mut Map<String, Value>> {
    if !spec["Labels"].is_object() {
        spec["Labels"] = Value::Object(Map::new());
    }
    spec["Labels"].as_object_mut()
}

/// Sets a label, or takes it away.
pub(super) fn label(spec: &mut Value, key: &str, value: Option<&str>) {
    let Some(labels) = labels_of(spec) else { return };
    match value {
        Some(value) => drop(labels.insert(key.to_owned(), value.into())),
        None => drop(labels.remove(key)),
    }
}

/// Puts a history's labels in the place of those there.
pub(super) fn relabel(spec: &mut Value, history: &History) {
    let Some(labels) = labels_of(spec) else { return };
    labels.retain(|key, _| !key.starts_with(labels::TEMPLATE));
    labels.extend(history.labels().into_iter().map(|(key, value)| (key, value.into())));
}
