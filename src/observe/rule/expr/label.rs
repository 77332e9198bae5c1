//! Labels made of other labels.

use std::sync::Arc;

use crate::observe::metric::series::Store;

use super::sample::{Item, Tags, Vector};
use super::tree::{Join, Replace};

/// `label_replace`: where the pattern fits a label, another is set to what the template makes of it.
pub(super) fn replace(vector: Vector, replace: &Replace, store: &Store) -> Result<Vector, Arc<str>> {
    relabelled(vector, store, |tags| {
        let from = tags.get(store, &replace.from).to_owned();
        let Some(found) = replace.pattern.captures(&from) else { return tags };
        let mut value = String::new();
        found.expand(&replace.with, &mut value);
        Tags::Own(tags.labels(store).with(replace.into.clone(), value))
    })
}

/// `label_join`: the values of some labels, one after the other.
pub(super) fn join(vector: Vector, join: &Join, store: &Store) -> Result<Vector, Arc<str>> {
    relabelled(vector, store, |tags| {
        let values: Vec<&str> = join.of.iter().map(|label| tags.get(store, label)).collect();
        let value = values.join(&join.between);
        Tags::Own(tags.labels(store).with(join.into.clone(), value))
    })
}

fn relabelled(vector: Vector, store: &Store, relabel: impl Fn(Tags) -> Tags) -> Result<Vector, Arc<str>> {
    let items = vector.items.into_iter().map(|item| Item { tags: relabel(item.tags), ..item }).collect();
    let vector = Vector { items, apart: false };
    vector.check(store)?;
    Ok(vector)
}
