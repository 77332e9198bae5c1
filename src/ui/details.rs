//! The pane below a list: what the selected row is, as far as there is room.

mod alert;
mod cluster;
mod environment;
mod instance;
mod operation;
pub use operation::waits;
mod workload;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::format::moment;
use crate::app::layout::GUTTER;
use crate::app::rows::{Subject, subject};
use crate::app::state::Screen;
use crate::model::{Item, Link};
use crate::observe::text::clean;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::{Page, Pen};
use super::{health, metrics, notice};

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let Some(subject) = scene.view.table.selected.as_ref().and_then(|row| subject(scene.state, row)) else { return };
    let stale = scene.view.table.selected.as_ref().is_some_and(|row| scene.is_stale(row));
    separator(scene, &subject, Rect { height: 1, ..area }, buf);
    let inner = Rect { x: area.x + GUTTER, y: area.y + 1, width: area.width.saturating_sub(GUTTER + 1), height: area.height - 1 };
    if scene.view.screen == Screen::Metrics {
        metrics::draw(scene, &subject, inner, buf);
    } else {
        page(scene, &subject, inner.width, inner.height).draw(buf, inner, 0);
    }
    if stale {
        buf.set_style(area.intersection(buf.area), scene.style(Role::Dim));
    }
}

/// A line with the name in it: the only border, because two lists above one another need one.
fn separator(scene: &Scene<'_>, subject: &Subject<'_>, area: Rect, buf: &mut Buffer) {
    let line = scene.style(Role::Border);
    let name = match subject {
        Subject::Revision(workload, revision) => format!("{} revision {}", workload.id, revision.number),
        Subject::Item(_, item) => format!("{} {}", item.subject, item.what),
        Subject::Connection(_)
        | Subject::Environment(_)
        | Subject::Workload(..)
        | Subject::Instance(..)
        | Subject::Running(_)
        | Subject::Alert(..)
        | Subject::Past(_) => subject.name().to_owned(),
    };
    Pen::new(buf, area, 0).skip(1).put("─ ", line).put(&name, scene.style(Role::Strong)).skip(1).fill("─", line);
}

fn page(scene: &Scene<'_>, subject: &Subject<'_>, width: u16, height: u16) -> Page {
    let mut page = Page::new();
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let well = scene.view.screen == Screen::Health;
    match subject {
        Subject::Environment(snapshot) => environment::write(scene, snapshot, width, height, &mut page),
        Subject::Workload(s, workload) if well => health::of_workload(scene, &s.environment.id, workload, width, &mut page),
        Subject::Workload(snapshot, workload) => workload::write(scene, snapshot, workload, (width, height), &mut page),
        Subject::Instance(s, _, instance) if well => health::of_instance(scene, &s.environment.id, instance, width, &mut page),
        Subject::Instance(snapshot, workload, instance) => {
            instance::write(scene, (snapshot, workload, instance), (width, height), &mut page);
        }
        Subject::Revision(_, revision) => {
            fact(&mut page, "image", &revision.image, (text, dim));
            fact(&mut page, "digest", revision.digest.as_deref().unwrap_or("not known"), (text, dim));
            let at = revision.at.map_or_else(|| "not known".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            fact(&mut page, "when", &at, (text, dim));
            fact(&mut page, "by", revision.by.as_deref().unwrap_or("not made with quarterdeck"), (text, dim));
            fact(&mut page, "cause", revision.cause.as_deref().unwrap_or("not recorded"), (text, dim));
        }
        Subject::Running(machine) => operation::running(scene, machine, (width, height), &mut page),
        Subject::Past(past) => operation::past(scene, past, width, &mut page),
        Subject::Alert(id, alert) => alert::write(scene, id, alert, width, &mut page),
        Subject::Item(_, item) => {
            page.wrapped(&item.detail, text, 0, width, 20);
        }
        Subject::Connection(connection) => {
            fact(&mut page, "endpoint", &connection.endpoint, (text, dim));
            if let Link::Failed { error, hint, .. } = &connection.link {
                page.wrapped(&notice::sentence(error), scene.style(Role::Bad), 0, width, 4);
                page.wrapped(&notice::sentence(hint), text, 0, width, 4);
            }
        }
    }
    page
}

/// A line of a name and a value.
pub fn fact(page: &mut Page, name: &str, value: &str, (text, dim): (Style, Style)) {
    page.line().column(name, dim, 10).add(clean(value).into_owned(), text);
}

/// What happened last to something of one of these names, newest first.
pub fn events(scene: &Scene<'_>, wanted: impl Fn(&Item) -> bool, most: usize, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let recent: Vec<&Item> = scene.state.timeline.iter().rev().map(|(_, item)| item).filter(|i| wanted(i)).take(most).collect();
    for item in recent {
        page.line().column(&moment(scene.state.now, item.at, 0), dim, 13);
        page.column(&item.subject, dim, 38).column(&item.what, text, 50).add(item.detail.as_ref(), dim);
    }
}
