//! How a store takes values in and lets go of them: which slot a series has, and what goes when there is no room.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::labels::NAME;
use crate::model::{Labels, TargetId};

use super::source::Source;
use super::{ABSENT, KEPT_MS, Layout, SAID, Scan, Scraped, Series, Store, Target};

/// Beside the text of its labels, what a slot costs: their pointers, its place in the source and in the index.
const SLOT_BYTES: usize = 64;
/// Bytes of a name and a value as a label holds them, beside their text.
const LABEL_BYTES: usize = 32;
/// Slots a source may have before it is worth looking for dead ones.
const FEW: usize = 64;
/// How often all targets are looked over for what is too old, milliseconds.
const SWEEP_MS: i64 = 60_000;

impl Store {
    /// Makes room for a target that is new, or is called otherwise than it was.
    pub(super) fn enter(&mut self, target: &Target) {
        match self.targets.get(&target.id) {
            Some(known) if known.labels == target.labels => return,
            Some(_) => self.forget(&target.id),
            None => {}
        }
        let (shown, said) = (self.source_of(target.labels.clone()), self.source_of(target.labels.clone()));
        for name in SAID {
            self.admit(said, &Labels::new([(NAME, name)]));
        }
        let scraped = Scraped { labels: target.labels.clone(), shown, said, layout: Arc::default(), slots: Vec::new() };
        self.targets.insert(target.id.clone(), scraped);
    }

    /// A source with nothing in it.
    pub(super) fn source_of(&mut self, shared: Labels) -> u32 {
        let number = self.sources.iter().position(Option::is_none).unwrap_or_else(|| {
            self.sources.push(None);
            self.sources.len() - 1
        });
        self.sources[number] = Some(Source::new(shared, number));
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// Gives a series a slot, if there is room: labels may take half of the bound.
    pub(super) fn admit(&mut self, number: u32, own: &Labels) -> Option<u32> {
        let cost = cost(own);
        if self.labels + cost > self.bound / 2 {
            self.left_out += 1;
            return None;
        }
        let source = self.sources.get_mut(number as usize)?.as_mut()?;
        let slot = u32::try_from(source.own.len()).ok()?;
        source.own.push(own.clone());
        self.labels += cost;
        let series = Series { source: number, slot };
        let named = match self.names.get_mut(own.get(NAME)) {
            Some(named) => named,
            None => self.names.entry(own.get(NAME).into()).or_default(),
        };
        // Mostly at the end: slots are given in order.
        let at = named.partition_point(|other| *other < series);
        named.insert(at, series);
        Some(slot)
    }

    /// The values of a scan in the order of the source's slots, of which new ones are given out.
    pub(super) fn row(&mut self, target: &TargetId, scan: &Scan) -> Arc<[f64]> {
        let Some(mut scraped) = self.targets.remove(target) else { return Arc::from([]) };
        if !Arc::ptr_eq(&scraped.layout, &scan.layout) {
            self.lay(&mut scraped, &scan.layout);
        }
        let straight = scraped.slots.iter().enumerate().all(|(at, slot)| slot.is_some_and(|slot| slot as usize == at));
        let row = if straight {
            scan.values.clone()
        } else {
            let slots = self.sources.get(scraped.shown as usize).and_then(Option::as_ref).map_or(0, |s| s.own.len());
            let mut row = vec![ABSENT; slots];
            for (slot, value) in scraped.slots.iter().zip(scan.values.iter()) {
                if let Some(place) = slot.and_then(|slot| row.get_mut(slot as usize)) {
                    *place = *value;
                }
            }
            row.into()
        };
        self.targets.insert(target.clone(), scraped);
        row
    }

    /// Finds the slots of another layout: mostly it is the old one and some more.
    fn lay(&mut self, scraped: &mut Scraped, layout: &Arc<Layout>) {
        let known = scraped.layout.series.len();
        let grown = known > 0 && layout.series.get(..known).is_some_and(|before| *before == *scraped.layout.series);
        let mut slots = if grown { std::mem::take(&mut scraped.slots) } else { Vec::new() };
        let mut held: BTreeMap<Labels, u32> = BTreeMap::new();
        if !grown && let Some(source) = self.sources.get(scraped.shown as usize).and_then(Option::as_ref) {
            held = source.own.iter().cloned().zip(0..).collect();
        }
        for own in &layout.series[slots.len()..] {
            let own = apart(own, &scraped.labels);
            let slot = held.get(&own).copied().or_else(|| self.admit(scraped.shown, &own));
            slots.push(slot);
        }
        for (family, kind) in &layout.kinds {
            self.kinds.insert(family.clone(), *kind);
        }
        scraped.slots = slots;
        scraped.layout = layout.clone();
    }

    /// Takes in a row of what a target has shown, and what is said of it.
    pub(super) fn push(&mut self, target: &TargetId, at_ms: i64, row: Arc<[f64]>, said: [f64; SAID.len()]) {
        let Some(scraped) = self.targets.get(target) else { return };
        let (shown, about) = (scraped.shown, scraped.said);
        self.put(shown, at_ms, row);
        self.put(about, at_ms, Arc::from(said));
        self.settle(at_ms);
    }

    pub(super) fn put(&mut self, number: u32, at_ms: i64, row: Arc<[f64]>) {
        let Some(source) = self.sources.get_mut(number as usize).and_then(Option::as_mut) else { return };
        source.push(at_ms, row);
        source.expire(self.newest_ms.max(at_ms).saturating_sub(KEPT_MS));
    }

    /// Lets go of what is too old, and of the oldest where there is too much.
    pub(super) fn settle(&mut self, at_ms: i64) {
        self.newest_ms = self.newest_ms.max(at_ms);
        if self.swept_ms.saturating_add(SWEEP_MS) <= self.newest_ms {
            self.swept_ms = self.newest_ms;
            self.sweep();
        }
        let mut bytes = self.bytes();
        while bytes > self.bound {
            let sources = self.sources.iter_mut().flatten().filter(|source| source.samples > 0);
            let Some(oldest) = sources.min_by_key(|source| source.oldest()) else { return };
            let before = oldest.bytes;
            let Some((samples, last_ms)) = oldest.drop_oldest() else { return };
            bytes -= before - oldest.bytes;
            self.dropped += samples as u64;
            self.dropped_until_ms = self.dropped_until_ms.max(Some(last_ms));
        }
    }

    /// Looks at everything: targets nobody scrapes any more, and slots nothing is left of.
    fn sweep(&mut self) {
        let before = self.newest_ms.saturating_sub(KEPT_MS);
        let mut gone = Vec::new();
        let mut sparse = Vec::new();
        for (number, source) in self.sources.iter_mut().enumerate() {
            let Some(source) = source else { continue };
            source.expire(before);
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            if source.newest().is_none() {
                gone.push(number);
            } else if source.own.len() > FEW {
                let alive = source.alive();
                if alive.iter().filter(|alive| **alive).count() * 2 < alive.len() {
                    sparse.push((number, alive));
                }
            }
        }
        self.loose.retain(|_, number| !gone.contains(number));
        let ended: Vec<TargetId> = self
            .targets
            .iter()
            .filter(|(_, t)| gone.contains(&t.shown) && gone.contains(&t.said))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &ended {
            self.forget(id);
        }
        let held = |number: &u32| self.targets.values().any(|t| t.shown == *number || t.said == *number);
        let lone: Vec<u32> = gone.into_iter().filter(|number| !held(number)).collect();
        for number in lone {
            self.drop_source(number);
        }
        for (number, alive) in sparse {
            self.thin(number, &alive);
        }
    }

    /// Takes slots nothing is left of out of a source.
    fn thin(&mut self, number: u32, alive: &[bool]) {
        self.unname(number);
        let Some(source) = self.sources.get_mut(number as usize).and_then(Option::as_mut) else { return };
        source.keep(alive);
        for (slot, own) in (0..).zip(&source.own) {
            self.labels += cost(own);
            self.names.entry(own.get(NAME).into()).or_default().push(Series { source: number, slot });
        }
        self.names.values_mut().for_each(|series| series.sort_unstable());
        // Its layout is laid anew by what the slots are called.
        for scraped in self.targets.values_mut().filter(|scraped| scraped.shown == number) {
            (scraped.layout, scraped.slots) = (Arc::default(), Vec::new());
        }
    }

    pub(super) fn drop_source(&mut self, number: u32) {
        self.unname(number);
        if let Some(source) = self.sources.get_mut(number as usize) {
            *source = None;
        }
    }

    /// Takes the series of a source out of the index.
    fn unname(&mut self, number: u32) {
        let Some(source) = self.sources.get(number as usize).and_then(Option::as_ref) else { return };
        self.labels -= source.own.iter().map(cost).sum::<usize>();
        self.names.retain(|_, series| {
            series.retain(|one| one.source != number);
            !series.is_empty()
        });
    }
}

fn cost(own: &Labels) -> usize {
    SLOT_BYTES + own.iter().map(|(_, value)| LABEL_BYTES + value.len()).sum::<usize>()
}

/// What a series is called beside the labels of its target; where both say something, the target is believed and the
/// other's label is called `exported_…`.
/// <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config> (`honor_labels`)
fn apart(own: &Labels, shared: &Labels) -> Labels {
    if !own.iter().any(|(name, _)| shared.has(name)) {
        return own.clone();
    }
    Labels::new(own.iter().map(|(name, value)| {
        let mut called = name.to_string();
        while shared.has(&called) || (called != **name && own.has(&called)) {
            called.insert_str(0, "exported_");
        }
        (Arc::<str>::from(called), value.clone())
    }))
}
