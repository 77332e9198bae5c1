//! Older pages of a log: asked for when the reader comes to the top of what is held, and only then.

use crate::app::State;
use crate::app::state::LogView;
use crate::engine::Before;
use crate::model::InstanceId;
use crate::observe::log::{LogBatch, Marker};

use super::reading::Sheet;

/// Asks for what comes before the top of the screen, of every instance that is not known further back than that.
pub fn want(state: &mut State) {
    let sheet = Sheet::of(state);
    let Some(view) = state.logs.as_mut().filter(|v| !v.follow && !v.is_empty()) else { return };
    let top = sheet.first_to(view, view.bottom());
    if top >= sheet.rows() {
        return;
    }
    let Some(shown_from) = view.line(top).map(|l| l.at) else { return };
    // While somebody reads upward it is the newest lines that go when there are too many.
    view.store.keep_oldest(true);
    for at in 0..view.sources.len() {
        let source = &view.sources[at];
        if source.begun || source.page.is_some() {
            continue;
        }
        let before = before(view, &source.instance).filter(|b| b.at >= shown_from || view.sources.len() == 1);
        view.sources[at].page = before;
    }
}

/// Where what is held of an instance begins; nothing when nothing is held yet.
fn before(view: &LogView, instance: &InstanceId) -> Option<Before> {
    let mut lines = (0..view.store.len())
        .filter_map(|i| view.store.get(i))
        .filter(|line| line.instance == instance && line.marker.is_none())
        .map(|line| line.at);
    let at = lines.next()?;
    let (same, later) = lines.fold((1, 0), |(same, later), time| if time == at { (same + 1, later) } else { (same, later + 1) });
    Some(Before { at, same, held: same + later })
}

/// A page has come.
pub fn came(view: &mut LogView, source: usize, batch: &LogBatch) {
    let begins = (0..batch.chunk.len()).filter_map(|i| batch.line(i)).any(|l| matches!(l.marker, Some(Marker::Begin)));
    view.sources[source].page = None;
    view.sources[source].begun |= begins;
}
