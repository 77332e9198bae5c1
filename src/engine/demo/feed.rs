//! One topic followed in the demo world: what is new since it was last asked, with no clock and no task.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::dice::{noise, whole};
use super::journal::{Entry, Line};
use super::moment::shift;
use super::unit::Unit;
use super::world::World;
use super::{describe, figures, view};
use crate::engine::{Before, Description, LogQuery, Topic, Update};
use crate::model::{Inventory, Link};
use crate::observe::log::{ChunkBuilder, Hint, LogBatch, Marker};
use crate::observe::redact::Redaction;

/// Seconds after which an inventory is sent again though nothing changed: what is shown is that fresh.
const FRESH: f64 = 2.0;
/// Lines in one batch at most.
const BATCH: usize = 1_000;
/// Lines of a page unless told otherwise.
const PAGE: u64 = 500;

/// What a feed has shown already.
#[derive(Debug)]
enum Seen {
    Inventory { shown: Option<Arc<Inventory>>, items: u64 },
    Stats { due: Option<Timestamp> },
    Logs { next: Option<u64>, hint: Hint },
    Describe { shown: Option<Description> },
}

/// A topic being followed.
#[derive(Debug)]
pub struct Feed {
    topic: Topic,
    seen: Seen,
    linked: bool,
    ended: bool,
    redaction: Arc<Redaction>,
}

impl Feed {
    /// Begins to follow.
    #[must_use]
    pub fn new(topic: Topic) -> Self {
        let seen = match &topic {
            Topic::Inventory => Seen::Inventory { shown: None, items: 0 },
            Topic::Stats { .. } => Seen::Stats { due: None },
            Topic::Logs(_) => Seen::Logs { next: None, hint: Hint::default() },
            Topic::Describe(_) => Seen::Describe { shown: None },
        };
        Self { topic, seen, linked: false, ended: false, redaction: Arc::default() }
    }

    /// Masks logs by this, and not by everything built in.
    #[must_use]
    pub fn with(self, redaction: Arc<Redaction>) -> Self {
        Self { redaction, ..self }
    }

    /// How often it is worth asking.
    #[must_use]
    pub fn rhythm(&self) -> Duration {
        match &self.topic {
            Topic::Inventory | Topic::Logs(_) => super::world::QUANTUM,
            Topic::Stats { every, .. } => (*every).clamp(super::world::QUANTUM, Duration::from_secs(60)),
            Topic::Describe(_) => Duration::from_secs(1),
        }
    }

    /// Whether it has nothing more to say, ever.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// What is new.
    pub fn poll(&mut self, world: &World) -> Vec<Update> {
        if self.ended {
            return Vec::new();
        }
        let mut updates = Vec::new();
        if !self.linked {
            self.linked = true;
            updates.push(live(world));
        }
        match (&self.topic, &mut self.seen) {
            (Topic::Inventory, Seen::Inventory { shown, items }) => inventory(world, shown, items, &mut updates),
            (Topic::Stats { instances, every }, Seen::Stats { due }) => {
                if due.is_none_or(|at| at <= world.now) {
                    *due = Some(shift(world.now, every.as_secs_f64()));
                    let moment = world.moment();
                    let samples = instances.iter().filter_map(|id| figures::sample(world.unit(id)?, &moment)).collect::<Vec<_>>();
                    updates.extend((!samples.is_empty()).then_some(Update::Samples(samples)));
                }
            }
            (Topic::Logs(query), Seen::Logs { next, hint }) => {
                let mut builder = ChunkBuilder::new().with(query.redaction(&self.redaction)).after(*hint);
                self.ended = logs(world, (query, &self.redaction), next, &mut builder, &mut updates);
                *hint = builder.hint();
            }
            (Topic::Describe(subject), Seen::Describe { shown }) => {
                let now = describe::describe(world, subject);
                if now.is_some() && now != *shown {
                    shown.clone_from(&now);
                    updates.extend(now.map(|d| Update::Description(Arc::new(d))));
                }
            }
            (Topic::Inventory | Topic::Stats { .. } | Topic::Logs(_) | Topic::Describe(_), _) => {}
        }
        updates
    }
}

/// The demo is always there; how fast it answers varies a little.
fn live(world: &World) -> Update {
    let latency = 2.0 + 1.5 * (1.0 + noise(world.seed, world.now.as_second() as f64, 20.0));
    Update::Link(Link::Live { latency_ms: Some(whole(latency)) })
}

fn inventory(world: &World, shown: &mut Option<Arc<Inventory>>, items: &mut u64, updates: &mut Vec<Update>) {
    let new = view::inventory(world, shown.as_deref());
    let changed = shown.as_ref().is_none_or(|old| !view::is_same(old, &new));
    let old = shown.as_ref().is_none_or(|i| world.now.duration_since(i.at).as_secs_f64() >= FRESH);
    if old && shown.is_some() {
        updates.push(live(world));
    }
    if changed || old {
        let new = Arc::new(new);
        *shown = Some(new.clone());
        updates.push(Update::Inventory(new));
    }
    let (fresh, next) = world.items_since(*items);
    *items = next;
    updates.extend((!fresh.is_empty()).then_some(Update::Events(fresh)));
}

/// What the log has to say; true when that was all.
fn logs(
    world: &World,
    (query, redaction): (&LogQuery, &Arc<Redaction>),
    next: &mut Option<u64>,
    builder: &mut ChunkBuilder,
    updates: &mut Vec<Update>,
) -> bool {
    let older = query.before.is_some();
    let mut batch = |builder: &mut ChunkBuilder| {
        if !builder.is_empty() {
            let hint = builder.hint();
            let redaction = query.redaction(redaction);
            let chunk = std::mem::replace(builder, ChunkBuilder::new().with(redaction).after(hint)).finish();
            updates.push(Update::Logs(LogBatch { older, ..LogBatch::new(query.instance.clone(), Arc::new(chunk)) }));
        }
    };
    let Some(unit) = world.unit(&query.instance) else {
        builder.marker(world.now, Marker::Ended("the instance is gone".into()));
        batch(builder);
        return true;
    };
    if let Some(before) = &query.before {
        page(unit, query, before, builder);
        batch(builder);
        return true;
    }
    let cursor = next.unwrap_or_else(|| beginning(unit, query));
    let (gone, lines) = unit.journal.from(cursor);
    if next.is_some() && gone > 0 {
        builder.marker(world.now, Marker::Dropped(gone));
    }
    for (_, line) in lines.filter(|(_, line)| is_wanted(unit, query, line.run, line.at)) {
        write(builder, line);
        if builder.len() >= BATCH {
            batch(builder);
        }
    }
    batch(builder);
    *next = Some(unit.journal.next());
    !query.follow || query.previous || query.until.is_some_and(|until| world.now > until)
}

fn write(builder: &mut ChunkBuilder, line: &Line) {
    match &line.entry {
        Entry::Text(stream, text) => builder.line(line.at, *stream, text.as_bytes()),
        Entry::Ended(how) => builder.marker(line.at, Marker::Ended(how.clone())),
    }
}

/// The page before a place, or the word that there is none.
fn page(unit: &Unit, query: &LogQuery, before: &Before, builder: &mut ChunkBuilder) {
    let wanted = usize::try_from(query.tail.unwrap_or(PAGE).max(1)).unwrap_or(usize::MAX);
    let mut held = before.same;
    let mut page: VecDeque<&Line> = VecDeque::new();
    let (mut texts, mut begins) = (0, true);
    let lines = unit.journal.from(0).1.rev().map(|(_, line)| line);
    for line in lines.filter(|l| l.at <= before.at && is_wanted(unit, query, l.run, l.at)) {
        let text = matches!(line.entry, Entry::Text(..));
        if line.at == before.at && held > 0 {
            held -= u64::from(text);
        } else if texts == wanted {
            begins = false;
            break;
        } else {
            texts += usize::from(text);
            page.push_front(line);
        }
    }
    if begins {
        builder.marker(page.front().map_or(before.at, |l| l.at), Marker::Begin);
    }
    for line in page {
        write(builder, line);
    }
}

/// The sequence number of the first line of history asked for.
fn beginning(unit: &Unit, query: &LogQuery) -> u64 {
    let end = unit.journal.next();
    let Some(tail) = query.tail else { return 0 };
    let (_, lines) = unit.journal.from(0);
    let wanted =
        lines.rev().filter(|(_, line)| is_wanted(unit, query, line.run, line.at) && matches!(line.entry, Entry::Text(..)));
    let tail = usize::try_from(tail).unwrap_or(usize::MAX);
    wanted.take(tail).last().map_or(end, |(seq, _)| seq)
}

/// A pod's log is that of its present run, and its previous one is kept; a container's holds every run.
fn is_wanted(unit: &Unit, query: &LogQuery, run: u32, at: Timestamp) -> bool {
    let run_fits = if query.previous { run + 1 == unit.run } else { !unit.pod || run == unit.run };
    run_fits && query.since.is_none_or(|since| at >= since) && query.until.is_none_or(|until| at <= until)
}
