//! Evaluation: what each node gives at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::metric::series::{LOOKBACK_MS, Must, Store};

use super::over::{self, Span};
use super::sample::{Item, Named, Tags, Vector};
use super::tree::{At, Calendar, Node, Order, Over, Select, When, Window};
use super::{Run, aggregate, histogram, label};

/// Values one evaluation may read: far beyond what any rule needs.
const VALUES: usize = 20_000_000;
/// Steps of one subquery.
const STEPS: i64 = 11_000;

/// One evaluation, or those of a range one after the other.
pub(super) struct Evaluation<'a> {
    pub store: &'a Store,
    /// What `start()` and `end()` mean.
    ends: (i64, i64),
    /// Values that may still be read.
    left: usize,
}

impl<'a> Evaluation<'a> {
    pub fn new(store: &'a Store, from_ms: i64, to_ms: i64) -> Self {
        Self { store, ends: (from_ms, to_ms), left: VALUES }
    }

    /// What a node gives that is known to give one number.
    pub fn scalar(&mut self, node: &Node, at: i64) -> Result<f64, Arc<str>> {
        match node {
            Node::Number(number) => Ok(*number),
            Node::Now => Ok(seconds(at)),
            Node::Negate(of) => Ok(-self.scalar(of, at)?),
            Node::Scalar(of) => {
                let vector = self.vector(of, at)?;
                Ok(if let [one] = vector.items.as_slice() { one.value } else { f64::NAN })
            }
            Node::Binary(binary) => self.scalars(binary, at),
            // Checked when the expression was read.
            Node::Vector(_)
            | Node::Select(_)
            | Node::Over(..)
            | Node::AbsentOver(..)
            | Node::Absent(..)
            | Node::Map(..)
            | Node::Clamp(..)
            | Node::Round(..)
            | Node::Calendar(..)
            | Node::Timestamp(_)
            | Node::Sort(..)
            | Node::HistogramQuantile(..)
            | Node::LabelReplace(..)
            | Node::LabelJoin(..)
            | Node::Aggregate(..) => Err("this is a vector, and no number".into()),
        }
    }

    /// What a node gives; a number is a vector of one value without labels.
    pub fn vector(&mut self, node: &Node, at: i64) -> Result<Vector, Arc<str>> {
        let store = self.store;
        match node {
            Node::Number(_) | Node::Now | Node::Scalar(_) => Ok(one(self.scalar(node, at)?)),
            Node::Vector(of) => Ok(one(self.scalar(of, at)?)),
            Node::Select(select) => self.select(select, at, |_, value| value),
            Node::Timestamp(of) => match &**of {
                Node::Select(select) => self.select(select, at, |then, _| seconds(then))?.bare(store),
                _ => Ok(self.vector(of, at)?.map(|_| seconds(at)).bare(store)?),
            },
            Node::Over(over, window, param) => self.over(*over, window, param.as_deref(), at),
            Node::AbsentOver(window, labels) => {
                let mut there = false;
                self.windows(window, at, |_, values, _| there |= !values.is_empty())?;
                Ok(if there { Vector::default() } else { lone(labels, 1.0) })
            }
            Node::Absent(of, labels) => {
                Ok(if self.vector(of, at)?.items.is_empty() { lone(labels, 1.0) } else { Vector::default() })
            }
            Node::Negate(of) => self.vector(of, at)?.map(|v| -v).bare(store),
            Node::Map(map, of) => self.vector(of, at)?.map(map).bare(store),
            Node::Clamp(of, low, high) => self.clamp(of, [low.as_deref(), high.as_deref()], at),
            Node::Round(of, to) => {
                let inverse = 1.0 / to.as_ref().map_or(Ok(1.0), |to| self.scalar(to, at))?;
                self.vector(of, at)?.map(|v| (v * inverse + 0.5).floor() / inverse).bare(store)
            }
            Node::Calendar(calendar, None) => Ok(one(part_of_date(*calendar, seconds(at)))),
            Node::Calendar(calendar, Some(of)) => self.vector(of, at)?.map(|v| part_of_date(*calendar, v)).bare(store),
            Node::Sort(of, order) => Ok(sorted(self.vector(of, at)?, *order)),
            Node::HistogramQuantile(quantile, of) => {
                let quantile = self.scalar(quantile, at)?;
                histogram::quantiles(quantile, &self.vector(of, at)?, store)
            }
            Node::LabelReplace(of, replace) => label::replace(self.vector(of, at)?, replace, store),
            Node::LabelJoin(of, join) => label::join(self.vector(of, at)?, join, store),
            Node::Aggregate(operation, of, grouping) => {
                let param = aggregate::param(operation).map(|param| self.scalar(param, at)).transpose()?;
                aggregate::aggregate(operation, param, grouping, self.vector(of, at)?, store)
            }
            Node::Binary(binary) => self.binary(binary, at),
        }
    }

    fn spend(&mut self, values: usize) -> Result<(), Arc<str>> {
        match self.left.checked_sub(values) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(format!("it would read more than {VALUES} values").into()),
        }
    }

    /// The time something is looked at, at this time of the evaluation.
    fn time(&self, when: When, at: i64) -> i64 {
        let at = match when.at {
            None => at,
            Some(At::Ms(fixed)) => fixed,
            Some(At::Start) => self.ends.0,
            Some(At::End) => self.ends.1,
        };
        at.saturating_sub(when.offset_ms)
    }

    fn select(&mut self, select: &Select, at: i64, value: impl Fn(i64, f64) -> f64) -> Result<Vector, Arc<str>> {
        let at = self.time(select.when, at);
        let series = self.store.select(&select.matchers);
        self.spend(series.len())?;
        let item = |series| {
            let (then, seen) = self.store.last(series, at.saturating_sub(LOOKBACK_MS), at)?;
            Some(Item { tags: Tags::Of(series, Named::Yes), value: value(then, seen) })
        };
        Ok(Vector { items: series.into_iter().filter_map(item).collect(), apart: one_name(select) })
    }

    fn over(&mut self, over: Over, window: &Window, param: Option<&Node>, at: i64) -> Result<Vector, Arc<str>> {
        let param = param.map_or(Ok(f64::NAN), |param| self.scalar(param, at))?;
        if let (Over::Rate | Over::Increase, Window::Series { select, range_ms }) = (over, window) {
            return self.grown(over, select, *range_ms, at);
        }
        let mut items = Vec::new();
        self.windows(window, at, |tags, values, span| {
            if let Some(value) = over::value(over, param, values, span) {
                items.push(Item { tags: tags.clone(), value });
            }
        })?;
        let apart = match window {
            Window::Series { select, .. } => one_name(select),
            Window::Subquery { .. } => false,
        };
        let vector = Vector { items, apart };
        // The last value of a series is still that series'.
        if over == Over::Last { Ok(vector) } else { vector.bare(self.store) }
    }

    /// What rules ask for most, without a look at each value.
    fn grown(&mut self, over: Over, select: &Select, range_ms: i64, at: i64) -> Result<Vector, Arc<str>> {
        let to = self.time(select.when, at);
        let span = Span { from: to.saturating_sub(range_ms), to, at };
        let series = self.store.select(&select.matchers);
        let mut items = Vec::with_capacity(series.len());
        let mut values = 0;
        self.store.growths(&series, span.from, to, |series, growth| {
            values += growth.values;
            let value = if over == Over::Rate { over::rate(&growth, span) } else { over::extrapolated(&growth, span, true) };
            items.extend(value.map(|value| Item { tags: Tags::Of(series, Named::No), value }));
        });
        self.spend(values)?;
        Vector { items, apart: one_name(select) }.bare(self.store)
    }

    /// Hands over the values of each series in a window.
    fn windows(&mut self, window: &Window, at: i64, mut take: impl FnMut(&Tags, &[(i64, f64)], Span)) -> Result<(), Arc<str>> {
        match window {
            Window::Series { select, range_ms } => {
                let to = self.time(select.when, at);
                let span = Span { from: to.saturating_sub(*range_ms), to, at };
                let mut values = Vec::new();
                for series in self.store.select(&select.matchers) {
                    self.store.samples(series, span.from, to, &mut values);
                    self.spend(values.len() + 1)?;
                    if !values.is_empty() {
                        take(&Tags::Of(series, Named::Yes), &values, span);
                    }
                }
            }
            Window::Subquery { of, range_ms, step_ms, when } => {
                let to = self.time(*when, at);
                let span = Span { from: to.saturating_sub(*range_ms), to, at };
                for (labels, values) in self.steps(of, span, *step_ms)? {
                    take(&Tags::Own(labels), &values, span);
                }
            }
        }
        Ok(())
    }

    /// What a node gives at all multiples of the step in a window.
    fn steps(&mut self, of: &Node, span: Span, step_ms: i64) -> Result<Vec<Run>, Arc<str>> {
        if (span.to - span.from) / step_ms > STEPS {
            return Err(format!("a subquery may have {STEPS} steps").into());
        }
        let mut runs: BTreeMap<Labels, usize> = BTreeMap::new();
        let mut values: Vec<Run> = Vec::new();
        let mut at = span.from.div_euclid(step_ms) * step_ms;
        if at < span.from {
            at += step_ms;
        }
        while at <= span.to {
            let vector = self.vector(of, at)?;
            self.spend(vector.items.len())?;
            for item in vector.items {
                let labels = item.tags.labels(self.store);
                let run = *runs.entry(labels.clone()).or_insert_with(|| {
                    values.push((labels, Vec::new()));
                    values.len() - 1
                });
                values[run].1.push((at, item.value));
            }
            at += step_ms;
        }
        Ok(values)
    }

    fn clamp(&mut self, of: &Node, bounds: [Option<&Node>; 2], at: i64) -> Result<Vector, Arc<str>> {
        let [low, high] = bounds.map(|bound| bound.map(|bound| self.scalar(bound, at)).transpose());
        let (low, high) = (low?, high?);
        if low.zip(high).is_some_and(|(low, high)| high < low) {
            return Ok(Vector::default());
        }
        let most = |v: f64| high.map_or(v, |high| over::least(high, v));
        self.vector(of, at)?.map(|v| low.map_or(most(v), |low| over::greatest(low, most(v)))).bare(self.store)
    }
}

/// All series it can pick have the same name.
fn one_name(select: &Select) -> bool {
    select.matchers.iter().any(|m| *m.label == *NAME && matches!(m.must, Must::Be(_)))
}

pub(super) fn one(value: f64) -> Vector {
    lone(&Labels::default(), value)
}

fn lone(labels: &Labels, value: f64) -> Vector {
    Vector::apart(vec![Item { tags: Tags::Own(labels.clone()), value }])
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// NaN goes last, whatever the order.
fn sorted(mut vector: Vector, order: Order) -> Vector {
    vector.items.sort_by(|a, b| {
        let (a, b) = (a.value, b.value);
        let both = if order == Order::Up { a.partial_cmp(&b) } else { b.partial_cmp(&a) };
        both.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    });
    vector
}

/// In UTC; NaN beyond the years that can be told.
fn part_of_date(calendar: Calendar, seconds: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "as Prometheus does, towards zero; NaN gives zero there too")]
    let Ok(time) = Timestamp::from_second(seconds as i64) else { return f64::NAN };
    let date = time.to_zoned(TimeZone::UTC);
    match calendar {
        Calendar::Minute => date.minute().into(),
        Calendar::Hour => date.hour().into(),
        Calendar::DayOfWeek => date.weekday().to_sunday_zero_offset().into(),
        Calendar::DayOfMonth => date.day().into(),
        Calendar::DayOfYear => date.day_of_year().into(),
        Calendar::DaysInMonth => date.days_in_month().into(),
        Calendar::Month => date.month().into(),
        Calendar::Year => date.year().into(),
    }
}
