//! Prometheus' query language, as far as rules need it, evaluated over scraped series.
//!
//! Understood: numbers; instant and range selectors with all matchers, `offset` and `@`; subqueries; `+ - * / % ^ atan2`, the
//! comparisons with and without `bool`, `and or unless`, with `on`, `ignoring`, `group_left` and `group_right`; `sum avg min
//! max count group stddev stdvar topk bottomk quantile count_values` with `by` and `without`; `rate irate increase delta idelta
//! deriv predict_linear changes resets`, `avg min max sum count last stddev stdvar quantile present absent` `_over_time`,
//! `histogram_quantile` of classic histograms, `absent abs ceil floor round clamp clamp_min clamp_max exp ln log2 log10 sqrt sgn
//! scalar vector time timestamp label_replace label_join sort sort_desc pi`, trigonometry, and the parts of a date.
//!
//! Not understood, and refused with its place: native histograms and their functions, `limitk limit_ratio
//! double_exponential_smoothing mad_over_time sort_by_label info`, `or` between matchers, `fill`.
//!
//! Results are those of Prometheus 2.42, which `tests/promql.rs` compares: a window includes both its ends, the last value of a
//! series counts for five minutes unless the series has ended.
//! <https://prometheus.io/docs/prometheus/2.42/querying/basics/>

mod aggregate;
mod binary;
mod call;
mod eval;
mod histogram;
mod join;
mod label;
mod over;
mod read;
mod sample;
mod tree;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::model::Labels;
use crate::observe::metric::series::{LOOKBACK_MS, Must, Store};
use crate::observe::text::clean;

use eval::Evaluation;
use tree::{At, Node, Window};

/// Steps a range may have, as in Prometheus.
const STEPS: i64 = 11_000;

/// An expression that is understood.
#[derive(Clone)]
pub struct Expr {
    text: Arc<str>,
    node: Arc<Node>,
}

/// Why a text is no expression that can be evaluated here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the text before what is wrong, as far as that can be told.
    pub offset: usize,
    /// One sanitised sentence.
    pub message: Arc<str>,
}

impl Fault {
    fn new(offset: usize, message: impl AsRef<str>) -> Self {
        Self { offset, message: clean(message.as_ref()).as_ref().into() }
    }
}

/// What an expression gives at one time.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Scalar(f64),
    /// In the order Prometheus would give them; no two have the same labels.
    Vector(Vec<(Labels, f64)>),
}

/// Values over time: milliseconds since 1970, oldest first.
pub type Run = (Labels, Vec<(i64, f64)>);

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it or not evaluated here, and where.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Ok(Self { node: Arc::new(read::read(text)?), text: text.into() })
    }

    /// The text it was read from, not sanitised.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it gives at this time, milliseconds since 1970.
    ///
    /// # Errors
    /// A sentence where it gives nothing: two results with the same labels, sides that cannot be matched, too much to read.
    pub fn at(&self, store: &Store, at_ms: i64) -> Result<Value, Arc<str>> {
        let mut evaluation = Evaluation::new(store, at_ms, at_ms);
        if self.node.is_scalar() {
            return Ok(Value::Scalar(evaluation.scalar(&self.node, at_ms)?));
        }
        let vector = evaluation.vector(&self.node, at_ms)?;
        Ok(Value::Vector(vector.items.into_iter().map(|item| (item.tags.labels(store), item.value)).collect()))
    }

    /// What it gives from one time to another, both included, every so many milliseconds. A scalar is a run without labels.
    ///
    /// # Errors
    /// As [`Self::at`], and where there are more than 11,000 steps.
    pub fn over(&self, store: &Store, from_ms: i64, to_ms: i64, step_ms: i64) -> Result<Vec<Run>, Arc<str>> {
        if step_ms < 1 || to_ms.saturating_sub(from_ms) / step_ms.max(1) >= STEPS {
            return Err(format!("a range may have {STEPS} steps").into());
        }
        let mut evaluation = Evaluation::new(store, from_ms, to_ms);
        let mut runs: BTreeMap<Labels, Vec<(i64, f64)>> = BTreeMap::new();
        let mut at = from_ms;
        while at <= to_ms {
            if self.node.is_scalar() {
                runs.entry(Labels::default()).or_default().push((at, evaluation.scalar(&self.node, at)?));
            } else {
                for item in evaluation.vector(&self.node, at)?.items {
                    runs.entry(item.tags.labels(store)).or_default().push((at, item.value));
                }
            }
            at = at.saturating_add(step_ms);
        }
        Ok(runs.into_iter().collect())
    }

    /// How long before a time the values lie that it needs there, milliseconds. What lies before an hour is not kept.
    #[must_use]
    pub fn reach_ms(&self) -> i64 {
        let mut most = 0;
        walk(&self.node, &mut |seen| most = most.max(seen.reach_ms));
        most
    }

    /// The names of the series it looks at, as far as it says them.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        walk(&self.node, &mut |seen| {
            for matcher in &seen.select.matchers {
                if let (crate::model::labels::NAME, Must::Be(name)) = (&*matcher.label, &matcher.must)
                    && !names.contains(name)
                {
                    names.push(name.clone());
                }
            }
        });
        names
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.text).finish()
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expr {}

/// A selector, and how far before the evaluation it looks.
struct Seen<'a> {
    select: &'a tree::Select,
    reach_ms: i64,
}

fn walk<'a>(node: &'a Node, see: &mut dyn FnMut(Seen<'a>)) {
    let before = |when: &tree::When| if let Some(At::Ms(_)) = when.at { 0 } else { when.offset_ms.max(0) };
    let window = |window: &'a Window, see: &mut dyn FnMut(Seen<'a>)| match window {
        Window::Series { select, range_ms } => see(Seen { select, reach_ms: range_ms.saturating_add(before(&select.when)) }),
        Window::Subquery { of, range_ms, when, .. } => {
            let more = range_ms.saturating_add(before(when));
            walk(of, &mut |seen| see(Seen { select: seen.select, reach_ms: seen.reach_ms.saturating_add(more) }));
        }
    };
    match node {
        Node::Number(_) | Node::Now | Node::Calendar(_, None) => {}
        Node::Select(select) => see(Seen { select, reach_ms: LOOKBACK_MS.saturating_add(before(&select.when)) }),
        Node::Over(_, of, param) => {
            window(of, see);
            if let Some(param) = param {
                walk(param, see);
            }
        }
        Node::AbsentOver(of, _) => window(of, see),
        Node::Scalar(of)
        | Node::Vector(of)
        | Node::Absent(of, _)
        | Node::Negate(of)
        | Node::Map(_, of)
        | Node::Round(of, None)
        | Node::Calendar(_, Some(of))
        | Node::Timestamp(of)
        | Node::Sort(of, _)
        | Node::LabelReplace(of, _)
        | Node::LabelJoin(of, _) => walk(of, see),
        Node::Round(of, Some(other)) | Node::HistogramQuantile(of, other) => {
            walk(of, see);
            walk(other, see);
        }
        Node::Clamp(of, low, high) => {
            for of in std::iter::once(of).chain(low).chain(high) {
                walk(of, see);
            }
        }
        Node::Aggregate(operation, of, _) => {
            if let tree::Aggregate::TopK(of) | tree::Aggregate::BottomK(of) | tree::Aggregate::Quantile(of) = operation {
                walk(of, see);
            }
            walk(of, see);
        }
        Node::Binary(binary) => {
            walk(&binary.left, see);
            walk(&binary.right, see);
        }
    }
}

#[cfg(test)]
#[path = "expr/tests.rs"]
mod tests;
