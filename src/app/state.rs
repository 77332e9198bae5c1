//! What the program knows, split by concern: one struct each, plain data.

mod alerting;
mod autoscale;
mod charts;
mod input;
pub mod log;
mod lookup;
mod overlay;
pub mod past;
mod watched;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::Description;
use crate::keymap::{Chord, Keymap};
use crate::model::{ConnectionId, EnvironmentId, InstanceId, Inventory, Link, OperationId, WorkloadId};
use crate::observe::metric::Metrics;
use crate::observe::timeline::Timeline;
use crate::operate::audit::Record;
use crate::operate::machine::Machine;
use crate::operate::policy::{Actor, Policy};

use super::forward::Forwarded;
use super::operations::Refused;
use super::rows::Listed;

pub use alerting::{Alerting, Heard};
pub use autoscale::Autoscalers;
pub use charts::{Charts, Dots, Sheet, SheetKey, Window};
pub use log::{LogScope, LogSource, LogView, Search, Stamps};
pub use overlay::{Choice, Confirm, Entry, FieldDeed, Input, Menu, Overlay, Palette, Previews, Prompt, Purpose};
pub use watched::Watched;

/// Everything.
#[derive(Debug)]
pub struct State {
    pub now: Timestamp,
    /// Grows whenever something a list shows may have changed: what a list was made from.
    pub generation: u64,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub actor: Actor,
    pub settings: Settings,
    pub connections: BTreeMap<ConnectionId, Connection>,
    pub metrics: Metrics,
    pub timeline: Timeline,
    pub watched: Watched,
    pub nav: Nav,
    pub charts: Charts,
    /// The charts of what is scraped, while they are on screen.
    pub sheet: Option<Sheet>,
    pub logs: Option<LogView>,
    pub description: Option<Arc<Description>>,
    pub operations: Operations,
    pub autoscalers: Autoscalers,
    /// Ports that are forwarded, in the order they were opened.
    pub forwards: Vec<Forwarded>,
    /// What lies over the screen, the last on top and alone in receiving keys.
    pub overlays: Vec<Overlay>,
    pub keys: Keys,
    /// Newest last, at most 20; shown until its time is up.
    pub messages: VecDeque<Message>,
    /// Live processes of this host among lock holders; `None` until asked.
    pub alive: Option<BTreeSet<(u32, u64)>>,
    pub quitting: bool,
}

/// What was configured, for the whole program.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `--read-only`: beats every guard.
    pub read_only: bool,
    /// Policies by environment; others have the guard of their tier.
    pub policies: BTreeMap<EnvironmentId, Policy>,
    /// Only this environment is shown (`-e`).
    pub only: Option<Arc<str>>,
    /// Interval of statistics.
    pub refresh: Duration,
    /// Bound of the log store, bytes a view.
    pub log_bytes: usize,
    /// Lines of history when a log is opened.
    pub log_tail: u64,
    /// Minutes east of UTC, for local time stamps.
    pub utc_offset_minutes: i32,
    /// What charts are drawn with.
    pub dots: Dots,
    pub theme: Arc<str>,
    /// Names of the themes at hand, for the palette.
    pub themes: Vec<Arc<str>>,
}

/// One endpoint and what was last seen there.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    /// The address, as a person would check it.
    pub endpoint: Arc<str>,
    pub link: Link,
    /// When something was last heard.
    pub heard: Option<Timestamp>,
    /// With the signs of probes and alerts taken in.
    pub inventory: Option<Arc<Inventory>>,
    /// As the engine told it: what operations are driven by.
    pub observed: Option<Arc<Inventory>>,
    /// Whether it is followed; one that is only there to be opened is not before that.
    pub opening: Opening,
    /// Where each instance is in the inventory: environment, workload, instance.
    pub index: HashMap<InstanceId, (usize, usize, usize)>,
}

/// Whether an endpoint is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Open,
    /// Listed, to be opened by a person.
    OnDemand,
    /// Not listed before it is opened: another view of an endpoint that is.
    Aside,
}

/// The screens, in tab order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    Fleet,
    Workloads,
    Instances,
    Logs,
    Health,
    Metrics,
    Alerts,
    Timeline,
    Operations,
    Revisions,
    Describe,
}

impl Screen {
    /// Every screen, in tab order.
    pub const ALL: [Self; 11] = [
        Self::Fleet,
        Self::Workloads,
        Self::Instances,
        Self::Logs,
        Self::Health,
        Self::Metrics,
        Self::Alerts,
        Self::Timeline,
        Self::Operations,
        Self::Revisions,
        Self::Describe,
    ];

    /// Its title; lower-cased it is its name on the command line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Workloads => "Workloads",
            Self::Instances => "Instances",
            Self::Logs => "Logs",
            Self::Health => "Health",
            Self::Metrics => "Metrics",
            Self::Alerts => "Alerts",
            Self::Timeline => "Timeline",
            Self::Operations => "Operations",
            Self::Revisions => "Revisions",
            Self::Describe => "Describe",
        }
    }
}

/// Where the person is: a stack of views, `Esc` goes back.
#[derive(Clone, Debug)]
pub struct Nav {
    /// Never empty; the last is on screen.
    pub stack: Vec<View>,
    /// The person has gone somewhere: from then on nothing moves by itself.
    pub moved: bool,
}

impl Nav {
    /// The view on screen.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.stack[self.stack.len() - 1]
    }

    /// The view on screen, to change.
    pub fn view_mut(&mut self) -> &mut View {
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }
}

/// One screen and what it is about.
#[derive(Clone, Debug)]
pub struct View {
    pub screen: Screen,
    pub environment: Option<EnvironmentId>,
    pub workload: Option<WorkloadId>,
    pub instance: Option<InstanceId>,
    /// Of a description: which revision, and which one before it is compared with.
    pub revision: Option<(Option<u64>, u64)>,
    pub table: Table,
    /// First line shown of what is no table (describe, health details).
    pub scroll: usize,
    /// Reached by switching screens, not by going in: another switch takes its place.
    pub switched: bool,
}

/// What a row is, whatever row number it has at the moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    /// An endpoint of which no environment is known (yet, or because it cannot be reached).
    Connection(ConnectionId),
    Environment(EnvironmentId),
    Workload(EnvironmentId, WorkloadId),
    Instance(EnvironmentId, InstanceId),
    Revision(u64),
    Operation(OperationId),
    /// An alert by its name and labels.
    Alert(EnvironmentId, Arc<str>),
    /// A timeline item by its sequence number.
    Item(u64),
}

/// A list's own state: nothing in it is a row number but `offset`, which only says what is in sight.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub selected: Option<RowId>,
    /// Where the selection was when last seen: where it goes if its row disappears.
    pub last_index: usize,
    pub marks: BTreeSet<RowId>,
    pub sort: Option<(super::rows::Column, Direction)>,
    /// As typed: `health:unhealthy image:backend !canary`.
    pub filter: String,
    pub offset: usize,
    /// The rows as last made; [`super::rows::order`] makes them anew when this no longer fits.
    pub listed: Listed,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// Operations under way and past.
#[derive(Debug, Default)]
pub struct Operations {
    pub running: Vec<Machine>,
    /// Newest first, at most 200: finished here or read from the journal.
    pub past: Vec<Past>,
    /// What those under way have journalled so far.
    pub records: BTreeMap<OperationId, Vec<Record>>,
    /// Operations started in this run: makes their names unique.
    pub count: u32,
    /// What became of the last [`super::Msg::Ask`].
    pub asked: Option<Result<OperationId, Refused>>,
    /// Operations of the command face: nobody is there to be asked half-way.
    pub unattended: BTreeSet<OperationId>,
    /// What operations have asked a person already: it is not asked again by itself.
    pub asked_people: BTreeSet<(OperationId, Arc<str>)>,
    /// Unfinished operations of dead owners that were already told of.
    pub offered: BTreeSet<OperationId>,
    /// The lock holders last asked about.
    pub probed: BTreeSet<(u32, u64)>,
    /// When they were asked about.
    pub probed_at: Option<Timestamp>,
}

/// A finished operation, from this run or the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    pub id: OperationId,
    pub records: Vec<Record>,
}

/// The keymap in force and what has been typed of a chord.
#[derive(Debug)]
pub struct Keys {
    pub keymap: Arc<Keymap>,
    pub pending: Vec<Chord>,
}

/// A sentence for the person, with a time after which it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub at: Timestamp,
    pub ok: bool,
    pub text: Arc<str>,
}
