//! Quantiles of classic histograms, as `promql/quantile.go` of Prometheus 2.42 estimates them.
//! <https://github.com/prometheus/prometheus/blob/v2.42.0/promql/quantile.go>

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::metric::series::Store;

use super::sample::{Item, Tags, Vector};

/// The label with the upper bound of a bucket.
const BOUND: &str = "le";

/// A bucket: its upper bound, and how many observations lie below it.
pub(super) type Bucket = (f64, f64);

/// The quantile of each histogram there; what has no bound of a bucket is passed over.
pub(super) fn quantiles(q: f64, vector: &Vector, store: &Store) -> Result<Vector, Arc<str>> {
    let mut places: BTreeMap<Labels, usize> = BTreeMap::new();
    let mut histograms: Vec<(Labels, Vec<Bucket>)> = Vec::new();
    for item in &vector.items {
        let Ok(bound) = item.tags.get(store, BOUND).parse::<f64>() else { continue };
        let labels = item.tags.labels(store).only(|name| name != BOUND);
        let place = *places.entry(labels.clone()).or_insert_with(|| {
            histograms.push((labels.only(|name| name != NAME), Vec::new()));
            histograms.len() - 1
        });
        histograms[place].1.push((bound, item.value));
    }
    let items =
        histograms.into_iter().map(|(labels, mut buckets)| Item { tags: Tags::Own(labels), value: quantile(q, &mut buckets) });
    let vector = Vector { items: items.collect(), apart: true };
    vector.check(store)?;
    Ok(vector)
}

/// The quantile of one histogram: linear within a bucket; the highest finite bound where it lies beyond.
pub(super) fn quantile(q: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        return f64::NAN;
    }
    straighten(buckets);
    let &[first, .., last] = buckets.as_slice() else { return f64::NAN };
    if last.1 == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.1;
    let others = &buckets[..buckets.len() - 1];
    let Some(at) = others.iter().position(|(_, below)| *below >= rank) else { return others[others.len() - 1].0 };
    if at == 0 && first.0 <= 0.0 {
        return first.0;
    }
    let (bound, below) = others[at];
    let (from, already) = at.checked_sub(1).map_or((0.0, 0.0), |before| others[before]);
    from + (bound - from) * ((rank - already) / (below - already))
}

/// Makes one bucket of those with the same bound, and none hold less than the one before it: they were scraped or reckoned one
/// by one.
fn straighten(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let same = next.0.to_bits() == kept.0.to_bits();
        if same {
            kept.1 += next.1;
        }
        same
    });
    let mut most = f64::NEG_INFINITY;
    for (at, (_, below)) in buckets.iter_mut().enumerate() {
        if at == 0 || *below > most {
            most = *below;
        } else if *below < most {
            *below = most;
        }
    }
}
