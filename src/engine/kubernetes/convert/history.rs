//! What a workload was before: `ReplicaSets` of Deployments, `ControllerRevisions` of `StatefulSets` and `DaemonSets`.

use std::sync::Arc;

use jiff::Timestamp;

use super::object::Object;
use super::pod::Maker;
use super::{BY, CHANGE_CAUSE, Key, MADE, REVISION, words};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::Meta;
use crate::engine::kubernetes::wire::pod::PodSpec;
use crate::engine::kubernetes::wire::workload::{ControllerRevision, ReplicaSet};
use crate::model::Revision;

/// Revisions told of a workload.
const KEPT: usize = 10;

/// One definition a workload had or has.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Whose it is.
    pub owner: Maker,
    pub number: u64,
    pub containers: Vec<(Arc<str>, Arc<str>)>,
    pub at: Option<Timestamp>,
    pub by: Option<Arc<str>>,
    pub cause: Option<Arc<str>>,
}

/// A `ReplicaSet` as an object; one without a Deployment is nobody's history.
pub fn set(_: Kind, set: &ReplicaSet, _: &Key, interner: &mut Interner) -> Option<Object> {
    let owner = set.metadata.owner().filter(|o| o.kind == "Deployment")?;
    let number = set.metadata.annotations.get(REVISION).and_then(|n| n.parse().ok()).unwrap_or(0);
    let owner = Maker::Deployment(interner.text(&owner.name));
    Some(Object::Past(Box::new(past(owner, number, &set.metadata, &set.spec.template.spec, interner))))
}

/// A `ControllerRevision` as an object.
pub fn revision(_: Kind, revision: &ControllerRevision, _: &Key, interner: &mut Interner) -> Option<Object> {
    let owner = revision.metadata.owner()?;
    let name = interner.text(&owner.name);
    let owner = match owner.kind.as_str() {
        "StatefulSet" => Maker::StatefulSet(name),
        "DaemonSet" => Maker::DaemonSet(name),
        _ => return None,
    };
    let number = u64::try_from(revision.revision.unwrap_or(0)).unwrap_or(0);
    let template = &revision.data.spec.template.spec;
    Some(Object::Past(Box::new(past(owner, number, &revision.metadata, template, interner))))
}

fn past(owner: Maker, number: u64, meta: &Meta, template: &PodSpec, interner: &mut Interner) -> Past {
    let note = |key: &str| meta.annotations.get(key).filter(|v| !v.is_empty()).map(|v| words(v));
    let containers = template.containers.iter().filter(|c| !c.name.is_empty());
    Past {
        owner,
        number,
        containers: containers.map(|c| (interner.text(&c.name), interner.text(&c.image))).collect(),
        at: made(meta, number).or(meta.creation_timestamp),
        by: note(BY),
        cause: note(CHANGE_CAUSE),
    }
}

/// When a revision was made that went back to what is older: a definition keeps its object, and that its age.
fn made(meta: &Meta, number: u64) -> Option<Timestamp> {
    let (of, at) = meta.annotations.get(MADE)?.split_once(' ')?;
    at.parse().ok().filter(|_| of.parse() == Ok(number))
}

/// The revisions, newest first. `looked`: the name of the container the workload is looked at by.
#[must_use]
pub fn revisions<'a>(all: impl Iterator<Item = &'a Past>, looked: &str) -> Vec<Revision> {
    let image = |past: &Past| {
        let own = past.containers.iter().find(|(name, _)| &**name == looked).or(past.containers.first());
        own.map(|(_, image)| image.clone()).unwrap_or_default()
    };
    let revision = |past: &Past| Revision {
        number: past.number,
        image: image(past),
        digest: None,
        at: past.at,
        by: past.by.clone(),
        cause: past.cause.clone(),
    };
    let mut list: Vec<Revision> = all.filter(|past| past.number > 0).map(revision).collect();
    list.sort_by_key(|r| std::cmp::Reverse(r.number));
    list.truncate(KEPT);
    list
}
