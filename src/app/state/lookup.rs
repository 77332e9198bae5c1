//! Making the state, and finding things in it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::layout::{self, Area};
use crate::keymap::Keymap;
use crate::model::{
    ConnectionId, Environment, EnvironmentId, Guard, Instance, InstanceId, Inventory, Link, Snapshot, Workload, WorkloadId,
};
use crate::observe::metric::Metrics;
use crate::observe::timeline::Timeline;
use crate::operate::policy::{Actor, Policy};

use super::{Connection, Keys, LogView, Message, Nav, Opening, Operations, Screen, Settings, State, Table, View};

/// Messages kept.
const MESSAGES: usize = 20;

impl State {
    /// A program that has seen nothing yet.
    #[must_use]
    pub fn new(now: Timestamp, actor: Actor, settings: Settings, keymap: Arc<Keymap>) -> Self {
        Self {
            now,
            generation: 1,
            size: (80, 24),
            actor,
            settings,
            connections: BTreeMap::new(),
            metrics: Metrics::default(),
            timeline: Timeline::default(),
            watched: super::Watched::default(),
            nav: Nav { stack: vec![View::new(Screen::Fleet)], moved: false },
            charts: super::Charts::default(),
            sheet: None,
            logs: None,
            description: None,
            operations: Operations::default(),
            autoscalers: super::Autoscalers::default(),
            overlays: Vec::new(),
            keys: Keys { keymap, pending: Vec::new() },
            messages: VecDeque::new(),
            forwards: Vec::new(),
            alive: None,
            quitting: false,
        }
    }

    /// Adds an endpoint; what is heard from it comes in as messages.
    pub fn connect(&mut self, id: ConnectionId, endpoint: impl Into<Arc<str>>) {
        let connection = Connection {
            id: id.clone(),
            endpoint: endpoint.into(),
            link: Link::Connecting,
            heard: None,
            inventory: None,
            observed: None,
            opening: Opening::Open,
            index: HashMap::new(),
        };
        self.connections.insert(id, connection);
        self.generation += 1;
    }

    /// Adds an endpoint that is only followed once somebody opens it.
    pub fn offer(&mut self, id: &ConnectionId, endpoint: impl Into<Arc<str>>, opening: Opening) {
        self.connect(id.clone(), endpoint);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.opening = opening;
        }
    }

    /// The endpoints that are followed.
    pub fn open_connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values().filter(|c| c.opening == Opening::Open)
    }

    /// Tells the person something for a while.
    pub fn say(&mut self, ok: bool, text: impl Into<Arc<str>>) {
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(Message { at: self.now, ok, text: text.into() });
    }

    /// The last snapshot of an environment, however old.
    #[must_use]
    pub fn snapshot(&self, id: &EnvironmentId) -> Option<&Arc<Snapshot>> {
        self.connections.get(&id.connection)?.inventory.as_ref()?.environments.iter().find(|s| &s.environment.id == id)
    }

    /// An environment as its engine told it last, without what is known beside.
    #[must_use]
    pub fn observed(&self, id: &EnvironmentId) -> Option<&Arc<Snapshot>> {
        self.connections.get(&id.connection)?.observed.as_ref()?.environments.iter().find(|s| &s.environment.id == id)
    }

    /// Every environment's last snapshot, in order of connection and name, or only the chosen one.
    pub fn snapshots(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.connections.values().flat_map(|c| self.snapshots_of(c))
    }

    /// The snapshots of one connection that are shown.
    pub fn snapshots_of<'a>(&'a self, connection: &'a Connection) -> impl Iterator<Item = &'a Arc<Snapshot>> {
        connection.inventory.iter().flat_map(|i| i.environments.iter()).filter(|s| {
            self.settings
                .only
                .as_ref()
                .is_none_or(|only| s.environment.id.name == *only || self.name_of(&s.environment.id) == **only)
        })
    }

    /// The snapshots a scope covers: the environment's, or all of them.
    #[must_use]
    pub fn scope(&self, environment: Option<&EnvironmentId>) -> Vec<&Arc<Snapshot>> {
        match environment {
            Some(id) => self.snapshot(id).into_iter().collect(),
            None => self.snapshots().collect(),
        }
    }

    /// A workload, with the snapshot it is in.
    #[must_use]
    pub fn workload(&self, environment: &EnvironmentId, id: &WorkloadId) -> Option<(&Arc<Snapshot>, &Arc<Workload>)> {
        let snapshot = self.snapshot(environment)?;
        Some((snapshot, snapshot.workload(id)?))
    }

    /// An instance, with the workload and snapshot it is in.
    #[must_use]
    pub fn instance(
        &self,
        connection: &ConnectionId,
        id: &InstanceId,
    ) -> Option<(&Arc<Snapshot>, &Arc<Workload>, &Arc<Instance>)> {
        let connection = self.connections.get(connection)?;
        let (e, w, i) = connection.index.get(id)?;
        let snapshot = connection.inventory.as_ref()?.environments.get(*e)?;
        let workload = snapshot.workloads.get(*w)?;
        Some((snapshot, workload, workload.instances.get(*i)?))
    }

    /// The name an environment is shown and addressed by: its own, with the connection's in front where two share one.
    #[must_use]
    pub fn name_of(&self, id: &EnvironmentId) -> String {
        let shared = self
            .connections
            .values()
            .filter(|c| c.id != id.connection)
            .filter_map(|c| c.inventory.as_ref())
            .any(|i| i.environments.iter().any(|s| s.environment.id.name == id.name));
        if shared { format!("{}:{}", id.connection, id.name) } else { id.name.to_string() }
    }

    /// How far what is shown of a connection can be trusted.
    #[must_use]
    pub fn link(&self, connection: &ConnectionId) -> Option<&Link> {
        self.connections.get(connection).map(|c| &c.link)
    }

    /// The lines of the screen that hold log text.
    #[must_use]
    pub fn log_lines(&self) -> Area {
        let area = layout::log_lines(self.size);
        let told = u16::from(area.height > 2 && self.logs.as_ref().is_some_and(LogView::tells_drops));
        Area { y: area.y + told, height: area.height - told, ..area }
    }

    /// Whether something is not finished that is done piece by piece.
    #[must_use]
    pub fn is_working(&self) -> bool {
        self.logs.as_ref().is_some_and(LogView::is_working)
    }

    /// How far the open log can be trusted: as far as the worst of the feeds it comes by.
    #[must_use]
    pub fn log_link(&self) -> Option<&Link> {
        let links = self.logs.as_ref()?.scope.environments().into_iter().filter_map(|id| self.link(&id.connection));
        links.reduce(|worst, link| if worst.is_live() { link } else { worst })
    }

    /// The environment the view on screen is about: its own, the selected row's, or the only one there is.
    #[must_use]
    pub fn environment(&self) -> Option<EnvironmentId> {
        let view = self.nav.view();
        if let Some(id) = &view.environment {
            return Some(id.clone());
        }
        if let Some(id) = view.table.selected.as_ref().and_then(super::RowId::environment) {
            return Some(id.clone());
        }
        let mut all = self.snapshots();
        match (all.next(), all.next()) {
            (Some(one), None) => Some(one.environment.id.clone()),
            (None | Some(_), _) => None,
        }
    }

    /// The policy in force for an environment: `--read-only` beats all, then the configuration, then what it was found with.
    #[must_use]
    pub fn policy(&self, environment: &Environment) -> Policy {
        let mut policy = self.settings.policies.get(&environment.id).cloned().unwrap_or_else(|| Policy::of(environment.guard));
        if self.settings.read_only || environment.guard == Guard::ReadOnly {
            policy.guard = Guard::ReadOnly;
        }
        policy
    }
}

impl Connection {
    /// Takes in what the endpoint holds, whole, as it was told and as it was judged.
    pub fn hold(&mut self, observed: Arc<Inventory>, inventory: Arc<Inventory>) {
        self.index.clear();
        for (e, snapshot) in inventory.environments.iter().enumerate() {
            for (w, workload) in snapshot.workloads.iter().enumerate() {
                for (i, instance) in workload.instances.iter().enumerate() {
                    self.index.insert(instance.id.clone(), (e, w, i));
                }
            }
        }
        self.inventory = Some(inventory);
        self.observed = Some(observed);
    }
}

impl View {
    /// A screen about everything.
    #[must_use]
    pub fn new(screen: Screen) -> Self {
        Self {
            screen,
            environment: None,
            workload: None,
            instance: None,
            revision: None,
            table: Table::default(),
            scroll: 0,
            switched: false,
        }
    }

    /// A screen about an environment.
    #[must_use]
    pub fn of(screen: Screen, environment: EnvironmentId) -> Self {
        Self { environment: Some(environment), ..Self::new(screen) }
    }
}

impl super::RowId {
    /// The environment the row belongs to, where the row itself says so.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentId> {
        match self {
            Self::Environment(id) | Self::Workload(id, _) | Self::Instance(id, _) | Self::Alert(id, _) => Some(id),
            Self::Connection(_) | Self::Revision(_) | Self::Operation(_) | Self::Item(_) => None,
        }
    }
}
