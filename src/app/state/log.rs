//! The open log: whose lines, which of them are shown, and where the reader is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;

use crate::engine::{Before, LogQuery};
use crate::model::{EnvironmentId, InstanceId, WorkloadId};
use crate::observe::log::{Burst, Format, Lens, LineView, Names, Patterns, Query, Rates, Store};

/// The open log view.
#[derive(Debug)]
pub struct LogView {
    /// What was asked for.
    pub title: Arc<str>,
    pub scope: LogScope,
    pub store: Store,
    /// Instances whose log has been or is being read, in the order they joined (gives letter and colour).
    pub sources: Vec<LogSource>,
    /// Following the end. Paused otherwise: `anchor` is the sequence number of the last line in sight.
    pub follow: bool,
    pub anchor: u64,
    /// The line the reader is at, while paused.
    pub cursor: Option<u64>,
    /// Lines marked to be found again, or copied.
    pub marks: BTreeSet<u64>,
    /// Lines that came in since the view was paused.
    pub new_lines: u64,
    pub wrap: bool,
    /// Nothing is masked on the screen: that was asked for, and is on record.
    pub reveal: bool,
    /// How lines of an instance are read, where somebody knows better than the lines themselves.
    pub formats: BTreeMap<InstanceId, Format>,
    /// Lines as they were written, not taken apart.
    pub raw: bool,
    /// Fields shown before the message.
    pub fields: Vec<Arc<str>>,
    /// Words lit up, each in a colour of its own.
    pub highlights: Vec<Regex>,
    /// The words, as they were typed.
    pub highlighted: Vec<String>,
    pub stamps: Stamps,
    /// Columns scrolled to the right when not wrapped.
    pub column: usize,
    pub search: Option<Search>,
    /// Lines and errors by time, of all that is held.
    pub rates: Rates,
    /// The shapes of the lines, while they are looked at.
    pub patterns: Option<Patterns>,
    /// Not all of them were looked at yet.
    pub shaping: bool,
    /// The lines shown: those the filter asks for, with traces folded.
    pub lens: Lens,
    /// The filter's text; empty shows everything.
    pub filter: String,
    /// What goes on with a line is folded under it.
    pub fold: bool,
    /// Lines shown before and after a match of the filter.
    pub context: u16,
    pub previous: bool,
    /// History is asked for from then on, instead of so many lines.
    pub since: Option<Timestamp>,
    /// Lines of history asked for.
    pub tail: u64,
    /// Bursts of errors, by workload, and when lines last came.
    pub bursts: (BTreeMap<(EnvironmentId, WorkloadId), Burst>, Timestamp),
    /// A time to go to as soon as a line of then is there, until the second time: after that the reader is left alone.
    pub seek: Option<(Timestamp, Timestamp)>,
    /// The state's generation when the sources were last compared with what is there.
    pub synced: u64,
}

/// What a log view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogScope {
    /// Instances of these workloads, new ones joining as they come.
    Workloads(EnvironmentId, BTreeSet<WorkloadId>),
    Instances(EnvironmentId, BTreeSet<InstanceId>),
    /// Everything in these environments.
    Environments(BTreeSet<EnvironmentId>),
}

/// One instance in a log view.
#[derive(Clone, Debug)]
pub struct LogSource {
    pub environment: EnvironmentId,
    pub workload: WorkloadId,
    pub instance: InstanceId,
    pub name: Arc<str>,
    /// When it went from the engine; `None` while it is there.
    pub gone: Option<Timestamp>,
    /// Its stream has ended for good.
    pub ended: bool,
    /// What is held of it goes back to its beginning.
    pub begun: bool,
    /// The page further back that is being asked for.
    pub page: Option<Before>,
    /// What was asked for when it joined; never changes, or the stream would start again.
    pub query: LogQuery,
}

/// How the time of a log line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    Off,
    Utc,
    Local,
    /// How long ago.
    Relative,
    /// How long after the line before.
    Delta,
}

/// An incremental search in the log.
#[derive(Debug)]
pub struct Search {
    pub pattern: String,
    /// An error with its reason when the pattern is no regular expression.
    pub regex: Result<Regex, Arc<str>>,
    /// The lines that match, as far as they were gone through.
    pub found: Lens,
}

impl LogScope {
    /// The environments its lines come from.
    #[must_use]
    pub fn environments(&self) -> Vec<&EnvironmentId> {
        match self {
            Self::Workloads(id, _) | Self::Instances(id, _) => vec![id],
            Self::Environments(ids) => ids.iter().collect(),
        }
    }

    /// The environment, where there is only one.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentId> {
        match self.environments().as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

impl LogView {
    /// Lines gone through at once: a few milliseconds.
    pub const SLICE: usize = 20_000;
    /// Lines sorted by shape at once: more work each.
    pub const SHAPES: usize = 2000;
    /// Words lit up at a time, at most.
    pub const HIGHLIGHTS: usize = 8;

    /// A view of this, following, with nothing in it yet. `bound` is the store's, bytes.
    #[must_use]
    pub fn new(title: Arc<str>, scope: LogScope, bound: usize, tail: u64) -> Self {
        Self {
            title,
            scope,
            store: Store::new(bound),
            sources: Vec::new(),
            follow: true,
            anchor: 0,
            cursor: None,
            marks: BTreeSet::new(),
            new_lines: 0,
            wrap: false,
            reveal: false,
            formats: BTreeMap::new(),
            raw: false,
            fields: Vec::new(),
            highlights: Vec::new(),
            highlighted: Vec::new(),
            stamps: Stamps::Utc,
            column: 0,
            search: None,
            rates: Rates::default(),
            patterns: None,
            shaping: false,
            lens: Lens::new(None, true, 0),
            filter: String::new(),
            fold: true,
            context: 0,
            previous: false,
            since: None,
            tail,
            bursts: (BTreeMap::new(), Timestamp::UNIX_EPOCH),
            seek: None,
            synced: 0,
        }
    }

    /// Lines shown.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lens.len(&self.store)
    }

    /// Whether no line is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The n-th line shown.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<LineView<'_>> {
        let line = self.store.line(self.lens.seq(&self.store, index)?)?;
        let format = self.formats.get(line.instance).copied().unwrap_or(line.format);
        Some(LineView { format, ..line })
    }

    /// The times of the first line held and the last.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let last = self.store.len().checked_sub(1)?;
        Some((self.store.get(0)?.at, self.store.get(last)?.at))
    }

    /// Whether it is to be said above the lines that older ones had to go: to somebody who reads, not while following.
    #[must_use]
    pub fn tells_drops(&self) -> bool {
        !self.follow && self.store.dropped() > 0
    }

    /// Newer lines had to go, or were left, for older ones.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.store.cut() > 0
    }

    /// Where the line of this sequence number is shown, or what is shown next after it.
    #[must_use]
    pub fn index_of(&self, seq: u64) -> Option<usize> {
        self.lens.index_of(&self.store, seq).map(|index| index.min(self.len().saturating_sub(1)))
    }

    /// Does something with the lens that needs the instances' names.
    pub fn with_names<T>(&mut self, work: impl FnOnce(&mut Lens, &Store, &Names<'_>) -> T) -> T {
        let Self { lens, store, sources, .. } = self;
        work(lens, store, &names(sources))
    }

    /// Takes in what the last push to the store has changed.
    pub fn pushed(&mut self) {
        let Self { lens, store, sources, search, rates, patterns, .. } = self;
        let names = names(sources);
        rates.pushed(store);
        if let Some(patterns) = patterns {
            store.newest().for_each(|line| patterns.add(&line));
        }
        lens.pushed(store, &names);
        if lens.is_empty(store) {
            // The first screen does not wait.
            lens.work(store, &names, Self::SLICE);
        }
        if let Some(search) = search {
            search.found.pushed(store, &names);
        }
    }

    /// The store is another one: everything is chosen and searched anew.
    pub fn reset(&mut self) {
        self.lens.reset(&self.store);
        self.rates = Rates::default();
        self.patterns = self.patterns.as_ref().map(|_| Patterns::new(&self.store));
        if let Some(search) = &mut self.search {
            search.found.reset(&self.store);
        }
    }

    /// Goes on sorting lines by their shapes, at most so many; of the lines the filter asks for.
    pub fn work_patterns(&mut self, query: &Query, lines: usize) {
        let Self { patterns: Some(patterns), store, sources, .. } = self else { return };
        let names = names(sources);
        self.shaping = patterns.work(store, &|line| query.is_empty() || query.matches(line, names(line.instance)), lines);
    }

    /// Goes on counting what is searched for, at most so many lines.
    pub fn work_search(&mut self, lines: usize) {
        if let Some(search) = &mut self.search {
            search.found.work(&self.store, &names(&self.sources), lines);
        }
    }

    /// Whether something is not finished that is done piece by piece.
    #[must_use]
    pub fn is_working(&self) -> bool {
        !self.lens.is_complete() || self.shaping || self.search.as_ref().is_some_and(|s| !s.found.is_complete())
    }

    /// The index of the last line in sight.
    #[must_use]
    pub fn bottom(&self) -> usize {
        let last = self.len().saturating_sub(1);
        if self.follow { last } else { self.index_of(self.anchor).unwrap_or(last) }
    }

    /// The index of the line the reader is at: the newest while following.
    #[must_use]
    pub fn at(&self) -> usize {
        self.cursor.filter(|_| !self.follow).and_then(|seq| self.index_of(seq)).unwrap_or_else(|| self.bottom())
    }

    /// The source a line is from, and its place among them.
    #[must_use]
    pub fn source(&self, instance: &InstanceId) -> Option<(usize, &LogSource)> {
        self.sources.iter().enumerate().find(|(_, s)| &s.instance == instance)
    }
}

/// The name an instance goes under in a filter.
fn names<'s>(sources: &'s [LogSource]) -> impl Fn(&InstanceId) -> &'s str + 's {
    move |id| sources.iter().find(|s| &s.instance == id).map_or("", |s| s.name.as_ref())
}
