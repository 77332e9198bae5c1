//! The series of one endpoint: they are scraped at the same times, so the times are kept once. The newest scrapes lie as they
//! came, the older ones packed.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::Labels;

use super::chunk::{ABSENT, Packed, is_absent, pack};

/// Scrapes that are packed together: six minutes at one every fifteen seconds.
const BLOCK: usize = 24;

/// Series with the same times.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What all of them have in common.
    pub shared: Labels,
    /// What each slot is called beside that.
    pub own: Vec<Labels>,
    blocks: VecDeque<Block>,
    head: Vec<Row>,
    /// Rows at which the head is packed next. Sources begin at different ones, so that not all pack at once.
    full: usize,
    /// Bytes of rows and blocks.
    pub bytes: usize,
    /// Values held.
    pub samples: usize,
}

/// One scrape.
#[derive(Debug)]
struct Row {
    at_ms: i64,
    values: Arc<[f64]>,
}

/// Some scrapes, series by series.
#[derive(Debug)]
struct Block {
    times: Box<[i64]>,
    bytes: Box<[u8]>,
    /// Where in `bytes` the chunk of each slot ends.
    ends: Ends,
    samples: usize,
}

/// Places in a block, in two bytes each where that is enough.
#[derive(Debug)]
enum Ends {
    Short(Box<[u16]>),
    Long(Box<[u32]>),
}

impl Ends {
    fn new(ends: &[u32]) -> Self {
        let short: Result<Box<[u16]>, _> = ends.iter().map(|end| u16::try_from(*end)).collect();
        short.map_or_else(|_| Self::Long(ends.into()), Self::Short)
    }

    fn get(&self, slot: usize) -> Option<usize> {
        match self {
            Self::Short(ends) => ends.get(slot).map(|end| usize::from(*end)),
            Self::Long(ends) => ends.get(slot).map(|end| *end as usize),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Short(ends) => ends.len(),
            Self::Long(ends) => ends.len(),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Short(ends) => size_of_val(&**ends),
            Self::Long(ends) => size_of_val(&**ends),
        }
    }
}

/// What a counter did in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// When, milliseconds since 1970, and what it was.
    pub first: (i64, f64),
    pub last: (i64, f64),
    pub values: usize,
    /// The sum of what it had come to each time it began anew.
    pub lost: f64,
}

impl Growth {
    fn add(growth: &mut Option<Self>, at_ms: i64, value: f64) {
        if is_absent(value) {
            return;
        }
        match growth {
            None => *growth = Some(Self { first: (at_ms, value), last: (at_ms, value), values: 1, lost: 0.0 }),
            Some(growth) => {
                if value < growth.last.1 {
                    growth.lost += growth.last.1;
                }
                growth.last = (at_ms, value);
                growth.values += 1;
            }
        }
    }
}

impl Block {
    fn of(&self, slot: usize) -> Packed<'_> {
        Packed::new(self.chunk(slot))
    }

    /// Adds what a counter did between two places.
    fn growth(&self, slot: usize, from: usize, to: usize, growth: &mut Option<Growth>) {
        let packed = self.of(slot);
        if packed.is_empty() {
            return;
        }
        if !packed.is_rising() {
            for at in from..to {
                Growth::add(growth, self.times[at], packed.get(at));
            }
            return;
        }
        Growth::add(growth, self.times[from], packed.get(from));
        if to - from > 1 {
            Growth::add(growth, self.times[to - 1], packed.get(to - 1));
            if let Some(growth) = growth {
                growth.values += to - from - 2;
            }
        }
    }

    fn chunk(&self, slot: usize) -> &[u8] {
        let from = slot.checked_sub(1).map_or(Some(0), |before| self.ends.get(before));
        from.zip(self.ends.get(slot)).and_then(|(from, to)| self.bytes.get(from..to)).unwrap_or(&[])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.ends.size() + size_of_val(&*self.times)
    }
}

impl Row {
    fn size(&self) -> usize {
        size_of::<Self>() + 16 + size_of_val(&*self.values)
    }

    fn samples(&self) -> usize {
        self.values.iter().filter(|v| !is_absent(**v)).count()
    }
}

impl Source {
    /// Nothing yet; `number` spreads the work of packing over time.
    pub fn new(shared: Labels, number: usize) -> Self {
        Self { shared, full: 1 + number % BLOCK, ..Self::default() }
    }

    /// When it was last scraped.
    pub fn newest(&self) -> Option<i64> {
        self.head.last().map(|row| row.at_ms).or_else(|| self.blocks.back()?.times.last().copied())
    }

    /// When the oldest scrape was that is still held.
    pub fn oldest(&self) -> Option<i64> {
        self.blocks.front().and_then(|block| block.times.first().copied()).or_else(|| Some(self.head.first()?.at_ms))
    }

    /// Takes in a scrape, if it is newer than the last.
    pub fn push(&mut self, at_ms: i64, values: Arc<[f64]>) {
        if self.newest().is_some_and(|newest| newest >= at_ms) {
            return;
        }
        let row = Row { at_ms, values };
        self.bytes += row.size();
        self.samples += row.samples();
        self.head.push(row);
        if self.head.len() >= self.full {
            self.pack();
            self.full = BLOCK;
        }
    }

    fn pack(&mut self) {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(self.own.len());
        let mut column = Vec::with_capacity(self.head.len());
        for slot in 0..self.own.len() {
            column.clear();
            column.extend(self.head.iter().map(|row| row.values.get(slot).copied().unwrap_or(ABSENT)));
            pack(&column, &mut bytes);
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        let block = Block {
            times: self.head.iter().map(|row| row.at_ms).collect(),
            bytes: bytes.into(),
            ends: Ends::new(&ends),
            samples: self.head.iter().map(Row::samples).sum(),
        };
        self.bytes -= self.head.iter().map(Row::size).sum::<usize>();
        self.bytes += block.size();
        self.head = Vec::new();
        self.blocks.push_back(block);
    }

    /// Lets go of what is older than this. A block goes when all of it is.
    pub fn expire(&mut self, before_ms: i64) {
        while self.blocks.front().is_some_and(|block| block.times.last().is_none_or(|last| *last < before_ms)) {
            self.drop_oldest();
        }
        // A head that nobody adds to any more.
        if self.blocks.is_empty() && self.newest().is_some_and(|newest| newest < before_ms) {
            self.drop_oldest();
        }
    }

    /// Lets go of the oldest block, or of the head where there is no other; says how many samples went and up to when.
    pub fn drop_oldest(&mut self) -> Option<(usize, i64)> {
        let (size, samples, last) = if let Some(block) = self.blocks.pop_front() {
            (block.size(), block.samples, *block.times.last()?)
        } else {
            let head = std::mem::take(&mut self.head);
            (head.iter().map(Row::size).sum(), head.iter().map(Row::samples).sum(), head.last()?.at_ms)
        };
        self.bytes -= size;
        self.samples -= samples;
        Some((samples, last))
    }

    /// The slots that have a value anywhere.
    pub fn alive(&self) -> Vec<bool> {
        let shown = |row: &Row, slot: usize| row.values.get(slot).is_some_and(|v| !is_absent(*v));
        (0..self.own.len())
            .map(|slot| self.head.iter().any(|row| shown(row, slot)) || self.blocks.iter().any(|b| !b.of(slot).is_empty()))
            .collect()
    }

    /// Keeps only these slots, which move together.
    pub fn keep(&mut self, kept: &[bool]) {
        let only = |slot: &usize| kept.get(*slot).copied().unwrap_or(false);
        for block in &mut self.blocks {
            let (mut bytes, mut ends) = (Vec::new(), Vec::new());
            for slot in (0..block.ends.len()).filter(only) {
                bytes.extend_from_slice(block.chunk(slot));
                ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            }
            (block.bytes, block.ends) = (bytes.into(), Ends::new(&ends));
        }
        for row in &mut self.head {
            row.values = (0..row.values.len()).filter(only).map(|slot| row.values[slot]).collect();
        }
        let mut slot = 0..;
        self.own.retain(|_| slot.next().as_ref().is_some_and(only));
        self.bytes = self.blocks.iter().map(Block::size).sum::<usize>() + self.head.iter().map(Row::size).sum::<usize>();
    }

    /// The value of the newest scrape within these times, both included, and when it was; [`ABSENT`] where it did not show
    /// the series.
    pub fn last(&self, slot: usize, from_ms: i64, to_ms: i64) -> Option<(i64, f64)> {
        if let Some(row) = self.head.iter().rev().find(|row| row.at_ms <= to_ms) {
            return (row.at_ms >= from_ms).then(|| (row.at_ms, row.values.get(slot).copied().unwrap_or(ABSENT)));
        }
        let block = self.blocks.iter().rev().find(|block| block.times.first().is_some_and(|first| *first <= to_ms))?;
        let at = block.times.partition_point(|at| *at <= to_ms).checked_sub(1)?;
        (block.times[at] >= from_ms).then(|| (block.times[at], block.of(slot).get(at)))
    }

    /// Hands over the values within these times, both included, oldest first; those that are absent are left out.
    pub fn each(&self, slot: usize, from_ms: i64, to_ms: i64, mut take: impl FnMut(i64, f64)) {
        let first = self.blocks.partition_point(|block| block.times.last().is_some_and(|last| *last < from_ms));
        for block in self.blocks.range(first..) {
            if block.times.first().is_some_and(|first| *first > to_ms) {
                return;
            }
            let packed = block.of(slot);
            if packed.is_empty() {
                continue;
            }
            let from = block.times.partition_point(|at| *at < from_ms);
            for (at, at_ms) in block.times.iter().enumerate().skip(from).take_while(|(_, at_ms)| **at_ms <= to_ms) {
                let value = packed.get(at);
                if !is_absent(value) {
                    take(*at_ms, value);
                }
            }
        }
        for row in self.head.iter().filter(|row| row.at_ms >= from_ms && row.at_ms <= to_ms) {
            if let Some(value) = row.values.get(slot).filter(|v| !is_absent(**v)) {
                take(row.at_ms, *value);
            }
        }
    }

    /// What counters did within these times, both included, by their slots; `None` for one that has no value there. The same
    /// could be made of [`Self::each`]: of blocks in which a counter only rises this reads no more than the ends, and of the
    /// newest scrapes it reads one after the other, as they lie.
    pub fn growths(&self, slots: &[usize], from_ms: i64, to_ms: i64) -> Vec<Option<Growth>> {
        let mut growths: Vec<Option<Growth>> = vec![None; slots.len()];
        let first = self.blocks.partition_point(|block| block.times.last().is_some_and(|last| *last < from_ms));
        for block in self.blocks.range(first..) {
            let from = block.times.partition_point(|at| *at < from_ms);
            let to = block.times.partition_point(|at| *at <= to_ms);
            if from < to {
                for (slot, growth) in slots.iter().zip(&mut growths) {
                    block.growth(*slot, from, to, growth);
                }
            }
        }
        for row in self.head.iter().filter(|row| row.at_ms >= from_ms && row.at_ms <= to_ms) {
            for (slot, growth) in slots.iter().zip(&mut growths) {
                Growth::add(growth, row.at_ms, row.values.get(*slot).copied().unwrap_or(ABSENT));
            }
        }
        growths
    }
}
