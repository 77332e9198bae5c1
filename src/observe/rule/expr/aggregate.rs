//! Aggregations, as `promql/engine.go` of Prometheus 2.42 makes them.
//! <https://github.com/prometheus/prometheus/blob/v2.42.0/promql/engine.go>

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::metric::series::Store;

use super::sample::{Item, Tags, Vector};
use super::tree::{Aggregate, Grouping, Node};

/// What an aggregation takes beside its vector.
pub(super) fn param(operation: &Aggregate) -> Option<&Node> {
    match operation {
        Aggregate::TopK(param) | Aggregate::BottomK(param) | Aggregate::Quantile(param) => Some(param),
        Aggregate::Sum
        | Aggregate::Avg
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Count
        | Aggregate::Group
        | Aggregate::Stddev
        | Aggregate::Stdvar
        | Aggregate::CountValues(_) => None,
    }
}

/// One value a group, or the chosen ones of each.
pub(super) fn aggregate(
    operation: &Aggregate,
    param: Option<f64>,
    grouping: &Grouping,
    vector: Vector,
    store: &Store,
) -> Result<Vector, Arc<str>> {
    let param = param.unwrap_or(f64::NAN);
    let choose = matches!(operation, Aggregate::TopK(_) | Aggregate::BottomK(_));
    let most = if choose { number_of(param)? } else { 0 };
    if choose && most == 0 {
        return Ok(Vector::default());
    }
    let apart = vector.apart;
    let vector = if let Aggregate::CountValues(label) = operation { counted(vector, label, store)? } else { vector };
    let own = match (operation, grouping) {
        (Aggregate::CountValues(label), Grouping::By(names)) => Grouping::By(names.iter().chain([label]).cloned().collect()),
        (_, other) => other.clone(),
    };
    let mut groups = Groups::new(own, store);
    let places: Vec<usize> = vector.items.iter().map(|item| groups.of(&item.tags)).collect();
    let mut parts: Vec<Part> = groups.labels.iter().map(|_| Part::default()).collect();
    for (at, (item, place)) in vector.items.iter().zip(places).enumerate() {
        let part = &mut parts[place];
        part.add(item.value);
        if choose || matches!(operation, Aggregate::Quantile(_)) {
            part.members.push((at, item.value));
        }
    }
    let mut items = Vec::new();
    for (labels, mut part) in groups.labels.into_iter().zip(parts) {
        let value = match operation {
            Aggregate::Sum => part.sum,
            Aggregate::Avg => part.mean,
            Aggregate::Min => part.least,
            Aggregate::Max => part.most,
            Aggregate::Count | Aggregate::CountValues(_) => part.number,
            Aggregate::Group => 1.0,
            Aggregate::Stddev => (part.squares / part.number).sqrt(),
            Aggregate::Stdvar => part.squares / part.number,
            Aggregate::Quantile(_) => quantile(param, &mut part.members.iter().map(|(_, v)| *v).collect::<Vec<f64>>()),
            Aggregate::TopK(_) | Aggregate::BottomK(_) => {
                let greatest = matches!(operation, Aggregate::TopK(_));
                items.extend(part.chosen(most, greatest).into_iter().map(|at| vector.items[at].clone()));
                continue;
            }
        };
        items.push(Item { tags: Tags::Own(labels), value });
    }
    // Groups differ in the labels they are made by, a name among them only where it is asked for.
    let named = matches!(grouping, Grouping::By(names) if names.iter().any(|name| **name == *NAME));
    Ok(Vector { items, apart: if choose { apart } else { !named } })
}

fn number_of(param: f64) -> Result<usize, Arc<str>> {
    // The bounds of a whole number, as Go turns floats into them.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&param) {
        return Err(format!("{param} is no number of results").into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "towards zero, and what is negative is none")]
    Ok(param.max(0.0) as usize)
}

/// The items under labels that say their value.
fn counted(vector: Vector, label: &Arc<str>, store: &Store) -> Result<Vector, Arc<str>> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !label.bytes().all(good) || label.bytes().next().is_none_or(|b| b.is_ascii_digit()) {
        return Err(format!("{label:?} is no name of a label").into());
    }
    let item = |item: Item| Item { tags: Tags::Own(item.tags.labels(store).with(label.clone(), written(item.value))), ..item };
    Ok(Vector { items: vector.items.into_iter().map(item).collect(), ..vector })
}

/// A number as Prometheus writes it into a label.
fn written(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf".into() } else { "-Inf".into() } } else { value.to_string() }
}

/// Groups, in the order their first member came.
struct Groups<'a> {
    by: Grouping,
    store: &'a Store,
    labels: Vec<Labels>,
    /// The values of the labels asked for, group by group.
    keys: Vec<Vec<Arc<str>>>,
    /// The groups, sorted by their keys.
    order: Vec<usize>,
    /// The group that came after each the last time: replicas have the same series in the same order.
    after: Vec<usize>,
    last: usize,
    rest: BTreeMap<Labels, usize>,
}

impl<'a> Groups<'a> {
    fn new(by: Grouping, store: &'a Store) -> Self {
        let (labels, keys, order, after, rest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
        Self { by, store, labels, keys, order, after, last: 0, rest }
    }

    fn of(&mut self, tags: &Tags) -> usize {
        let Grouping::By(names) = &self.by else {
            let key = tags.labels(self.store).only(|name| self.by.keeps(name));
            let next = self.labels.len();
            return *self.rest.entry(key.clone()).or_insert_with(|| {
                self.labels.push(key);
                next
            });
        };
        let values: Vec<&str> = names.iter().map(|name| tags.get(self.store, name)).collect();
        let compare = |place: usize| -> Ordering { self.keys[place].iter().map(|value| &**value).cmp(values.iter().copied()) };
        let guess = self.after.get(self.last).copied();
        let place = match guess.filter(|guess| compare(*guess).is_eq()) {
            Some(place) => place,
            None => match self.order.binary_search_by(|place| compare(*place)) {
                Ok(at) => self.order[at],
                Err(at) => {
                    let key: Vec<Arc<str>> = values.into_iter().map(Arc::from).collect();
                    self.labels.push(Labels::new(names.iter().cloned().zip(key.iter().cloned())));
                    self.keys.push(key);
                    self.after.push(0);
                    self.order.insert(at, self.keys.len() - 1);
                    self.keys.len() - 1
                }
            },
        };
        if let Some(after) = self.after.get_mut(self.last) {
            *after = place;
        }
        self.last = place;
        place
    }
}

/// What is known of a group's values so far.
#[derive(Default)]
struct Part {
    number: f64,
    sum: f64,
    mean: f64,
    /// Of the distances to the mean.
    squares: f64,
    /// A mean of its own: that of the average stays infinite.
    centre: f64,
    least: f64,
    most: f64,
    members: Vec<(usize, f64)>,
}

impl Part {
    fn add(&mut self, value: f64) {
        self.number += 1.0;
        if self.number <= 1.0 {
            (self.sum, self.mean, self.centre, self.least, self.most) = (value, value, value, value, value);
            return;
        }
        self.sum += value;
        let same = value.is_infinite() && (self.mean > 0.0) == (value > 0.0);
        if !(self.mean.is_infinite() && (same || value.is_finite())) {
            self.mean += value / self.number - self.mean / self.number;
        }
        let delta = value - self.centre;
        self.centre += delta / self.number;
        self.squares += delta * (value - self.centre);
        if self.most < value || self.most.is_nan() {
            self.most = value;
        }
        if self.least > value || self.least.is_nan() {
            self.least = value;
        }
    }

    /// The items with the greatest or the least values, NaN last.
    fn chosen(&mut self, most: usize, greatest: bool) -> Vec<usize> {
        self.members.sort_by(|(_, a), (_, b)| {
            let order = if greatest { b.partial_cmp(a) } else { a.partial_cmp(b) };
            order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        });
        self.members.iter().take(most).map(|(at, _)| *at).collect()
    }
}

/// The quantile of some values, linear between two of them; they are sorted for it.
pub(super) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    // NaN comes first.
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())));
    let rank = q * (values.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between zero and the last place")]
    let lower = rank.floor().max(0.0) as usize;
    let upper = (lower + 1).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}
