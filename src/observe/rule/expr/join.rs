//! Two vectors: which values of one side belong to which of the other.
//! <https://prometheus.io/docs/prometheus/2.42/querying/operators/#vector-matching>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::metric::series::Store;

use super::binary::{drops_name, number, truth};
use super::sample::{Item, Tags, Vector};
use super::tree::{Binary, Grouping, Many, Operator};

pub(super) fn join(binary: &Binary, left: Vector, right: Vector, store: &Store) -> Result<Vector, Arc<str>> {
    if binary.operator.is_set() {
        return Ok(sets(binary, left, right, store));
    }
    if left.items.is_empty() || right.items.is_empty() {
        return Ok(Vector::default());
    }
    // The sides change places where the right one is the many.
    let (many, one, taken) = match &binary.matching.many {
        Many::None => (&left, &right, &[][..]),
        Many::Left(taken) => (&left, &right, &taken[..]),
        Many::Right(taken) => (&right, &left, &taken[..]),
    };
    let swapped = matches!(binary.matching.many, Many::Right(_));
    let mut ones: BTreeMap<Labels, &Item> = BTreeMap::new();
    for item in &one.items {
        if let Some(other) = ones.insert(signature(&item.tags, binary, store), item) {
            let side = if swapped { "left" } else { "right" };
            let (a, b) = (other.tags.labels(store), item.tags.labels(store));
            return Err(format!("on the {side} of an operator {a} and {b} match the same, and only one may").into());
        }
    }
    let mut met: BTreeSet<Labels> = BTreeSet::new();
    let mut items = Vec::new();
    for item in &many.items {
        let signature = signature(&item.tags, binary, store);
        let Some(other) = ones.get(&signature) else { continue };
        let (a, b) = if swapped { (other.value, item.value) } else { (item.value, other.value) };
        let value = match number(binary.operator, a, b) {
            Ok(value) => value,
            Err(holds) if binary.bool => truth(holds),
            Err(true) => a,
            Err(false) => continue,
        };
        let labels = labels(binary, &item.tags, &other.tags, taken, store);
        let first = match binary.matching.many {
            Many::None => met.insert(signature),
            Many::Left(_) | Many::Right(_) => met.insert(labels.clone()),
        };
        if !first {
            let why = match binary.matching.many {
                Many::None => "several values on the left of an operator match one on the right: group_left says that they may",
                Many::Left(_) | Many::Right(_) => "two results of an operator have the same labels",
            };
            return Err(format!("{why} ({labels})").into());
        }
        items.push(Item { tags: Tags::Own(labels), value });
    }
    let vector = Vector { items, apart: drops_name(binary.operator) || binary.bool };
    vector.check(store)?;
    Ok(vector)
}

/// What both sides must have in common.
fn signature(tags: &Tags, binary: &Binary, store: &Store) -> Labels {
    match &binary.matching.on {
        Grouping::By(names) => Labels::new(names.iter().map(|name| (name.clone(), Arc::from(tags.get(store, name))))),
        without @ Grouping::Without(_) => tags.labels(store).only(|name| without.keeps(name)),
    }
}

fn labels(binary: &Binary, many: &Tags, one: &Tags, taken: &[Arc<str>], store: &Store) -> Labels {
    let bare = drops_name(binary.operator) || binary.bool;
    let mut labels = many.labels(store);
    if drops_name(binary.operator) {
        labels = labels.only(|name| name != NAME);
    }
    if matches!(binary.matching.many, Many::None) {
        labels = match &binary.matching.on {
            by @ Grouping::By(_) => labels.only(|name| by.keeps(name)),
            Grouping::Without(names) => labels.only(|name| !names.iter().any(|other| **other == *name)),
        };
    }
    for name in taken {
        labels = labels.with(name.clone(), one.get(store, name));
    }
    if bare { labels.only(|name| name != NAME) } else { labels }
}

/// `and`, `or`, `unless`: whole values of one side, by whether the other has one that matches.
fn sets(binary: &Binary, mut left: Vector, right: Vector, store: &Store) -> Vector {
    let of =
        |vector: &Vector| -> BTreeSet<Labels> { vector.items.iter().map(|item| signature(&item.tags, binary, store)).collect() };
    if binary.operator == Operator::Or {
        let there = of(&left);
        left.apart &= right.apart && matches!(&binary.matching.on, Grouping::Without(names) if names.is_empty());
        left.items.extend(right.items.into_iter().filter(|item| !there.contains(&signature(&item.tags, binary, store))));
    } else {
        let there = of(&right);
        let wanted = binary.operator == Operator::And;
        left.items.retain(|item| there.contains(&signature(&item.tags, binary, store)) == wanted);
    }
    left
}
