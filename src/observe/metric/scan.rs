//! Reads what a target shows, scrape by scrape. What stands before a value on a line is taken apart once: as long as the same
//! series come again, a scrape makes nothing but its row of values.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::{redact, text};

use super::exposition::Kind;
use super::series::{ABSENT, Layout, Scan, is_absent};

pub mod line;

use line::Line;

/// Series of one target that are kept, where nothing else is said.
pub const SERIES: usize = 10_000;
/// Bytes a label's name or value may have.
const LABEL: usize = 2_048;
/// Labels a series may have.
const LABELS: usize = 64;
/// Slots that are not worth giving up when the series change.
const FEW: usize = 64;
/// The slot of lines that are left out.
const OUT: u32 = u32::MAX;

/// Reads the scrapes of one target. It keeps about fifty bytes a series beside the labels it hands out.
#[derive(Debug)]
pub struct Scanner {
    most: usize,
    layout: Arc<Layout>,
    /// The hash of what stood before a value, and the slot it has: 64 bits, of at most some thousand texts of one endpoint.
    slots: BTreeMap<u64, u32>,
    /// The same in the order of the last scrape, which mostly is that of the next.
    order: Vec<(u64, u32)>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new(SERIES)
    }
}

impl Scanner {
    /// A scanner that keeps at most this many series.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, layout: Arc::default(), slots: BTreeMap::new(), order: Vec::new() }
    }

    /// Reads a scrape. Of a series that is shown twice the first value counts.
    #[must_use]
    pub fn scan(&mut self, text: &str) -> Scan {
        let mut round = Round { values: vec![ABSENT; self.layout.series.len()], ..Round::default() };
        let last = std::mem::take(&mut self.order);
        for line in text.split('\n') {
            match Line::read(line) {
                Line::Nothing => {}
                Line::End => break,
                Line::Bad => round.unread += 1,
                Line::Kind(family, kind) => self.kind(&text::clean(&family), kind),
                Line::Sample(key, value) => self.sample(key, value, &last, &mut round),
            }
        }
        let scan = Scan {
            layout: self.layout.clone(),
            values: round.values.into(),
            samples: round.samples,
            unread: round.unread,
            left_out: round.left_out,
        };
        if scan.layout.series.len() > FEW.max(2 * scan.samples) || self.slots.len() > 4 * self.most {
            self.begin_anew(&scan);
        }
        scan
    }

    fn sample(&mut self, key: &str, value: f64, last: &[(u64, u32)], round: &mut Round) {
        let hash = hash(key);
        let expected = last.get(self.order.len()).filter(|(expected, _)| *expected == hash).map(|(_, slot)| *slot);
        let known = expected.or_else(|| self.slots.get(&hash).copied());
        let Some(slot) = known.or_else(|| self.admit(key, round)) else {
            round.unread += 1;
            return;
        };
        if known.is_none() {
            self.slots.insert(hash, slot);
        }
        self.order.push((hash, slot));
        match round.values.get_mut(slot as usize) {
            None => round.left_out += 1,
            Some(place) if is_absent(*place) => {
                *place = value;
                round.samples += 1;
            }
            Some(_) => round.unread += 1,
        }
    }

    /// The slot of a series that was not seen so written; `None` where it is none.
    fn admit(&mut self, key: &str, round: &mut Round) -> Option<u32> {
        let (name, pairs) = line::parts(key)?;
        if pairs.len() > LABELS || pairs.iter().any(|(name, value)| name.len() > LABEL || value.len() > LABEL) {
            return Some(OUT);
        }
        let layout = &self.layout;
        let known = round.known.get_or_insert_with(|| layout.series.iter().cloned().zip(0..).collect());
        let shared = &mut round.texts;
        let mut masked = false;
        let labels = Labels::new(std::iter::once((share(shared, NAME), share(shared, &text::clean(&name)))).chain(
            pairs.iter().map(|(name, value)| {
                let (clean, plain) = (text::clean(name), text::clean(value));
                let value = redact::text(&plain);
                masked |= value != plain;
                (share(shared, &clean), share(shared, &value))
            }),
        ));
        let labels = if masked { numbered(labels, known) } else { labels };
        if let Some(slot) = known.get(&labels) {
            return Some(*slot);
        }
        let slot = u32::try_from(layout.series.len()).ok().filter(|slot| (*slot as usize) < self.most).unwrap_or(OUT);
        if slot != OUT {
            known.insert(labels.clone(), slot);
            Arc::make_mut(&mut self.layout).series.push(labels);
            round.values.push(ABSENT);
        }
        Some(slot)
    }

    fn kind(&mut self, family: &str, kind: Kind) {
        if self.layout.kinds.get(family) != Some(&kind) && self.layout.kinds.len() < self.most {
            Arc::make_mut(&mut self.layout).kinds.insert(family.into(), kind);
        }
    }

    /// Most series are gone: the next layout begins with those that are there.
    fn begin_anew(&mut self, scan: &Scan) {
        let mut moved = vec![OUT; scan.layout.series.len()];
        let mut series = Vec::new();
        for (slot, labels) in scan.layout.series.iter().enumerate().filter(|(slot, _)| !is_absent(scan.values[*slot])) {
            moved[slot] = u32::try_from(series.len()).unwrap_or(OUT);
            series.push(labels.clone());
        }
        let at = |slot: u32| moved.get(slot as usize).copied().filter(|slot| *slot != OUT);
        self.order = self.order.iter().filter_map(|(hash, slot)| Some((*hash, at(*slot)?))).collect();
        self.slots = self.order.iter().copied().collect();
        self.layout = Arc::new(Layout { series, kinds: scan.layout.kinds.clone() });
    }
}

/// What is made while one scrape is read.
#[derive(Default)]
struct Round {
    values: Vec<f64>,
    samples: usize,
    unread: usize,
    left_out: usize,
    /// The slots by what their series are called; only made when something new comes.
    known: Option<BTreeMap<Labels, u32>>,
    /// Texts of labels, each once.
    texts: BTreeSet<Arc<str>>,
}

fn share(texts: &mut BTreeSet<Arc<str>>, text: &str) -> Arc<str> {
    if let Some(shared) = texts.get(text) {
        return shared.clone();
    }
    let new: Arc<str> = text.into();
    texts.insert(new.clone());
    new
}

/// The same labels with a number, where masking has made two series one.
fn numbered(labels: Labels, known: &BTreeMap<Labels, u32>) -> Labels {
    const NUMBER: &str = "masked";
    let free = |labels: &Labels| !known.contains_key(labels);
    if free(&labels) {
        return labels;
    }
    (2..=known.len() + 2).map(|n| labels.with(NUMBER, n.to_string())).find(free).unwrap_or(labels)
}

/// Of one text always the same: what a target can do with two texts of one hash is muddle its own series.
fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "scan/tests.rs"]
mod tests;
