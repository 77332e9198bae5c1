//! What every region asks of the state while one frame is drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::Command;
use crate::app::available::available;
use crate::app::state::{Connection, RowId, Screen, State, View};
use crate::app::update::context;
use crate::keymap::Context;
use crate::model::{Capability, EnvironmentId, Link, Snapshot, Tier};
use crate::theme::{Role, Theme};

use super::widget::Pen;

/// One frame's view of the state.
pub struct Scene<'a> {
    pub state: &'a State,
    pub theme: &'a Theme,
    pub view: &'a View,
    /// The environment the screen is about; none on the fleet and on screens about everything.
    pub environment: Option<&'a EnvironmentId>,
    /// Its last snapshot, however old.
    pub snapshot: Option<&'a Snapshot>,
    /// The connection it is on.
    pub connection: Option<&'a Connection>,
}

impl<'a> Scene<'a> {
    pub fn new(state: &'a State, theme: &'a Theme) -> Self {
        let view = state.nav.view();
        let environment = view.environment.as_ref();
        let snapshot = environment.and_then(|id| state.snapshot(id)).map(AsRef::as_ref);
        let connection = environment.and_then(|id| state.connections.get(&id.connection));
        Self { state, theme, view, environment, snapshot, connection }
    }

    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// How careful one must be here.
    pub fn tier(&self) -> Option<Tier> {
        self.snapshot.map(|s| s.environment.tier)
    }

    /// Whether what the body shows is as fresh as it can be. Screens about everything say so row by row.
    pub fn is_fresh(&self) -> bool {
        let link = match self.view.screen {
            Screen::Logs => self.state.log_link().or(self.connection.map(|c| &c.link)),
            // What happened has happened.
            Screen::Alerts | Screen::Timeline | Screen::Operations => None,
            Screen::Fleet
            | Screen::Workloads
            | Screen::Instances
            | Screen::Health
            | Screen::Metrics
            | Screen::Revisions
            | Screen::Describe => self.connection.map(|c| &c.link),
        };
        link.is_none_or(Link::is_live)
    }

    /// Whether what a row shows is old.
    pub fn is_stale(&self, row: &RowId) -> bool {
        let connection = match row {
            RowId::Environment(id) | RowId::Workload(id, _) | RowId::Instance(id, _) | RowId::Alert(id, _) => {
                Some(&id.connection)
            }
            RowId::Connection(id) => Some(id),
            RowId::Revision(_) => self.environment.map(|id| &id.connection),
            RowId::Operation(_) | RowId::Item(_) => None,
        };
        connection.and_then(|id| self.state.connections.get(id)).is_some_and(|c| !c.link.is_live())
    }

    /// Which keys apply.
    pub fn context(&self) -> Context {
        context(self.state)
    }

    /// The first key of a command here; empty where it has none.
    pub fn key(&self, command: Command) -> String {
        self.state.keys.keymap.keys_of(self.context(), command).into_iter().next().unwrap_or_default()
    }

    /// Whether a command can be run now, and if not, why.
    pub fn capability(&self, command: Command) -> Capability {
        available(self.state, command)
    }

    /// A line down the left edge in the tier's colour: production looks like production wherever the eye is.
    pub fn rail(&self, buf: &mut Buffer, area: Rect) {
        if self.tier() == Some(Tier::Production) {
            let style = self.theme.rail(Tier::Production);
            for line in 0..area.height {
                Pen::new(buf, area, line).put("▌", style);
            }
        }
    }
}
