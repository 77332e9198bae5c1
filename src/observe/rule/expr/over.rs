//! What is made of the values in a window, as `promql/functions.go` of Prometheus 2.42 makes it.
//! <https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go>

use crate::observe::metric::series::Growth;

use super::aggregate::quantile;
use super::tree::Over;

/// The ends of a window, both included, and the time of the evaluation it is looked at from. Milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub from: i64,
    pub to: i64,
    pub at: i64,
}

type Values<'a> = &'a [(i64, f64)];

/// The value, where there are enough to make one of. `param` is that of `quantile_over_time` and `predict_linear`.
pub(super) fn value(over: Over, param: f64, values: Values<'_>, span: Span) -> Option<f64> {
    let (&(_, first), &(_, last)) = (values.first()?, values.last()?);
    let all = || values.iter().map(|(_, v)| *v);
    Some(match over {
        Over::Rate => rate(&growth(values)?, span)?,
        Over::Increase => extrapolated(&growth(values)?, span, true)?,
        Over::Delta => extrapolated(&growth(values)?, span, false)?,
        Over::Irate => latest(values, true)?,
        Over::Idelta => latest(values, false)?,
        Over::Deriv => line(values, values.first()?.0)?.0,
        Over::PredictLinear => line(values, span.at).map(|(slope, now)| slope * param + now)?,
        Over::Changes => count(values.windows(2).filter(|w| differ(w[0].1, w[1].1)).count()),
        Over::Resets => count(values.windows(2).filter(|w| w[1].1 < w[0].1).count()),
        Over::Present => 1.0,
        Over::Avg => mean(values),
        Over::Min => all().fold(first, |least, v| if v < least || least.is_nan() { v } else { least }),
        Over::Max => all().fold(first, |most, v| if v > most || most.is_nan() { v } else { most }),
        Over::Sum => {
            let sum = all().fold(Sum::default(), Sum::and);
            if sum.sum.is_infinite() { sum.sum } else { sum.sum + sum.lost }
        }
        Over::Count => count(values.len()),
        Over::Last => last,
        Over::Stddev => variance(values).sqrt(),
        Over::Stdvar => variance(values),
        Over::Quantile => quantile(param, &mut all().collect::<Vec<f64>>()),
    })
}

fn count(number: usize) -> f64 {
    number as f64
}

/// Whether a value is another than the one before; NaN after NaN is not.
#[expect(clippy::float_cmp, reason = "any other value counts, however near")]
fn differ(a: f64, b: f64) -> bool {
    a != b && !(a.is_nan() && b.is_nan())
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// How much a counter or a gauge has grown over the whole window, of which its values cover a part: what lies between the
/// outermost values and the ends is assumed to go on as it was, for half a step where the series seems to begin or end in the
/// window.
pub(super) fn extrapolated(growth: &Growth, span: Span, counter: bool) -> Option<f64> {
    let ((first_at, first), (last_at, last)) = (growth.first, growth.last);
    let steps = growth.values - 1;
    if steps == 0 {
        return None;
    }
    let mut grown = last - first;
    if counter {
        // A counter that went down has begun anew.
        grown += growth.lost;
    }
    let mut before = (first_at - span.from) as f64 / 1000.0;
    let after = (span.to - last_at) as f64 / 1000.0;
    let covered = (last_at - first_at) as f64 / 1000.0;
    let step = covered / count(steps);
    if counter && grown > 0.0 && first >= 0.0 {
        // It cannot have been below zero.
        before = before.min(covered * (first / grown));
    }
    let part = |gap: f64| if gap < step * 1.1 { gap } else { step / 2.0 };
    Some(grown * ((covered + part(before) + part(after)) / covered))
}

/// The same a second.
pub(super) fn rate(growth: &Growth, span: Span) -> Option<f64> {
    Some(extrapolated(growth, span, true)? / (seconds(span.to) - seconds(span.from)))
}

fn growth(values: Values<'_>) -> Option<Growth> {
    let (first, last) = (*values.first()?, *values.last()?);
    let lost = values.windows(2).filter(|w| w[1].1 < w[0].1).map(|w| w[0].1).sum();
    Some(Growth { first, last, values: values.len(), lost })
}

/// The last two values: how they differ, or how fast the counter goes.
fn latest(values: Values<'_>, rate: bool) -> Option<f64> {
    let [.., (before_ms, before), (last_ms, last)] = values else { return None };
    let grown = if rate && last < before { *last } else { last - before };
    let took = last_ms - before_ms;
    (took > 0).then(|| if rate { grown / (took as f64 / 1000.0) } else { grown })
}

/// A sum that keeps what its last digits lose (Kahan's, as Neumaier improved it).
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn and(self, more: f64) -> Self {
        let sum = self.sum + more;
        let lost = if self.sum.abs() >= more.abs() { (self.sum - sum) + more } else { (more - sum) + self.sum };
        Self { sum, lost: self.lost + lost }
    }

    fn total(self) -> f64 {
        self.sum + self.lost
    }
}

fn mean(values: Values<'_>) -> f64 {
    let mut mean = Sum::default();
    let mut number = 0.0;
    for (_, v) in values {
        number += 1.0;
        if mean.sum.is_infinite() {
            // An infinity stays, unless the other one comes.
            let same = v.is_infinite() && (mean.sum > 0.0) == (*v > 0.0);
            if same || v.is_finite() {
                continue;
            }
        }
        mean = mean.and(v / number - mean.sum / number);
    }
    if mean.sum.is_infinite() { mean.sum } else { mean.total() }
}

/// Of the population, by Welford's method.
fn variance(values: Values<'_>) -> f64 {
    let (mut mean, mut squares, mut number) = (Sum::default(), Sum::default(), 0.0);
    for (_, v) in values {
        number += 1.0;
        let delta = v - mean.total();
        mean = mean.and(delta / number);
        squares = squares.and(delta * (v - mean.total()));
    }
    squares.total() / number
}

/// The straight line that fits best: its slope a second, and its value at a time.
fn line(values: Values<'_>, at_ms: i64) -> Option<(f64, f64)> {
    let &[(_, first), _, ..] = values else { return None };
    if !first.is_nan() && values.iter().all(|(_, v)| !differ(*v, first)) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let (mut x, mut y, mut xy, mut xx) = (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (ms, v) in values {
        let t = (ms - at_ms) as f64 / 1000.0;
        x = x.and(t);
        y = y.and(*v);
        xy = xy.and(t * v);
        xx = xx.and(t * t);
    }
    let n = count(values.len());
    let (x, y, xy, xx) = (x.total(), y.total(), xy.total(), xx.total());
    let slope = (xy - x * y / n) / (xx - x * x / n);
    Some((slope, y / n - slope * x / n))
}

/// The smaller; NaN where either is.
pub(super) fn least(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

/// The greater; NaN where either is.
pub(super) fn greatest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
