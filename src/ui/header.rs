//! The first line: where am I, is what I see true, what is wrong, may I change it, what time is it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::format::{clock, count, seconds_since};
use crate::model::{Guard, Health, Link, Snapshot, Tier};
use crate::theme::Role;

use super::format::elapsed;
use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::cells;

/// A piece of the line; the highest rank goes first where there is no room, 0 is cut but never goes.
struct Piece {
    text: String,
    style: Style,
    rank: u8,
}

/// Cells between two pieces.
const GAP: u16 = 2;

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let mut pieces = vec![badge(scene)];
    if scene.environment.is_some() {
        place(scene, &mut pieces)
    } else {
        everything(scene, &mut pieces)
    }
    let time = format!("{} UTC", clock(scene.state.now, 0));
    // The clock goes before anything that tells more.
    let spare = if area.width >= 60 { cells(&time) + GAP } else { 0 };
    shrink(&mut pieces, area.width.saturating_sub(spare + 1));
    let mut pen = Pen::new(buf, area, 0);
    if spare > 0 {
        pen.put_at_end(" ", Style::new()).put_at_end(time.trim(), scene.style(Role::Dim));
    }
    for (at, piece) in pieces.iter().enumerate() {
        pen.skip(if at == 0 { 0 } else { GAP }).put(&piece.text, piece.style);
    }
}

/// Takes away what does not fit, the highest rank first.
fn shrink(pieces: &mut Vec<Piece>, width: u16) {
    loop {
        let taken = pieces.iter().map(|p| cells(&p.text) + GAP).fold(0, u16::saturating_add).saturating_sub(GAP);
        let worst = pieces.iter().map(|p| p.rank).max().unwrap_or(0);
        if taken <= width || worst == 0 {
            return;
        }
        if let Some(at) = pieces.iter().rposition(|p| p.rank == worst) {
            pieces.remove(at);
        }
    }
}

/// The tier, filled with its colour.
fn badge(scene: &Scene<'_>) -> Piece {
    let (text, style) = match scene.tier() {
        Some(tier) => (tier.word().to_uppercase(), filled(scene.theme.tier(tier))),
        None if scene.environment.is_some() => (Tier::Unknown.word().to_uppercase(), filled(scene.theme.tier(Tier::Unknown))),
        None => ("QUARTERDECK".to_owned(), filled(scene.style(Role::Accent))),
    };
    Piece { text: format!(" {text} "), style, rank: 0 }
}

fn filled(style: Style) -> Style {
    style.add_modifier(Modifier::REVERSED | Modifier::BOLD)
}

/// The environment, its engine and feed, and what stands in the way of a change.
fn place(scene: &Scene<'_>, pieces: &mut Vec<Piece>) {
    let (strong, dim) = (scene.style(Role::Strong), scene.style(Role::Dim));
    let name = scene.environment.map(|id| scene.state.name_of(id)).unwrap_or_default();
    pieces.push(Piece { text: name, style: strong, rank: 0 });
    let live = scene.connection.is_none_or(|c| c.link.is_live());
    if let Some(snapshot) = scene.snapshot.filter(|_| live) {
        pieces.push(Piece { text: snapshot.environment.engine.word().to_owned(), style: dim, rank: 5 });
    }
    if let Some(connection) = scene.connection {
        pieces.push(feed(scene, &connection.link, &connection.endpoint));
    }
    if let Some(snapshot) = scene.snapshot {
        ill(scene, std::iter::once(snapshot), pieces);
        guard(scene, snapshot, pieces);
        lock(scene, snapshot, pieces);
        if live {
            pieces.push(Piece { text: snapshot.environment.endpoint.to_string(), style: dim, rank: 8 });
        }
    }
}

/// All environments at a glance.
fn everything(scene: &Scene<'_>, pieces: &mut Vec<Piece>) {
    let state = scene.state;
    let dim = scene.style(Role::Dim);
    let shown = state.snapshots().count();
    pieces.push(Piece { text: count(shown, "environment"), style: scene.style(Role::Strong), rank: 0 });
    let troubled: Vec<_> = state.connections.values().filter(|c| !c.link.is_live()).collect();
    match troubled.as_slice() {
        [] if state.connections.is_empty() => {}
        [] => pieces.push(Piece { text: "● live".to_owned(), style: scene.style(Role::Good), rank: 1 }),
        [one] if state.connections.len() == 1 => pieces.push(feed(scene, &one.link, &one.endpoint)),
        many => {
            let text = format!("◌ {} of {} not live: {}", many.len(), count(state.connections.len(), "connection"), {
                many.iter().map(|c| format!("{} {}", c.id, c.link.word())).collect::<Vec<_>>().join(", ")
            });
            pieces.push(Piece { text, style: scene.style(Role::Warn), rank: 0 });
        }
    }
    ill(scene, state.snapshots().map(AsRef::as_ref), pieces);
    if state.settings.read_only {
        pieces.push(Piece { text: "read-only".to_owned(), style: scene.style(Role::Warn), rank: 1 });
    }
    if let [one] = state.connections.values().collect::<Vec<_>>().as_slice() {
        pieces.push(Piece { text: one.endpoint.to_string(), style: dim, rank: 8 });
    }
}

/// The feed in words: its age and what is wrong with it.
fn feed(scene: &Scene<'_>, link: &Link, endpoint: &str) -> Piece {
    let now = scene.state.now;
    let next = |retry_at: &Option<jiff::Timestamp>| {
        retry_at.map_or_else(
            || ", trying again".to_owned(),
            |at| match at.as_second() - now.as_second() {
                i64::MIN..=0 => ", trying again now".to_owned(),
                left => format!(", trying again in {}", elapsed(left)),
            },
        )
    };
    let (text, role) = match link {
        Link::Connecting => (format!("◌ connecting to {endpoint}"), Role::Warn),
        Link::Live { latency_ms: None } => ("● live".to_owned(), Role::Good),
        Link::Live { latency_ms: Some(ms) } => (format!("● live {} ms", steady(*ms)), Role::Good),
        Link::Stale { since, error, retry_at } => {
            let ago = elapsed(i64::try_from(seconds_since(now, *since)).unwrap_or(i64::MAX));
            (format!("◌ stale since {} ({ago}): {error}{}", clock(*since, 0), next(retry_at)), Role::Warn)
        }
        Link::Failed { error, retry_at, .. } => (format!("✖ failed: {error}{}", next(retry_at)), Role::Bad),
    };
    let rank = if link.is_live() { 1 } else { 0 };
    Piece { text, style: scene.style(role), rank }
}

/// A latency to one digit and a half, so that an idle line does not redraw it for a millisecond.
fn steady(ms: u64) -> u64 {
    match ms {
        0..10 => ms.max(1),
        10..100 => ms / 5 * 5,
        100.. => ms / 50 * 50,
    }
}

/// How many workloads are not well.
fn ill<'a>(scene: &Scene<'_>, snapshots: impl Iterator<Item = &'a Snapshot>, pieces: &mut Vec<Piece>) {
    let (mut bad, mut poor) = (0, 0);
    for workload in snapshots.flat_map(|s| s.workloads.iter()) {
        match workload.verdict.health {
            Health::Unhealthy => bad += 1,
            Health::Degraded => poor += 1,
            Health::Healthy | Health::Stopped | Health::Unknown | Health::Starting => {}
        }
    }
    for (n, health) in [(bad, Health::Unhealthy), (poor, Health::Degraded)] {
        if n > 0 {
            let text = format!("{} {n} {}", health.symbol(), health.word());
            pieces.push(Piece { text, style: scene.theme.health(health), rank: 2 });
        }
    }
}

fn guard(scene: &Scene<'_>, snapshot: &Snapshot, pieces: &mut Vec<Piece>) {
    let guard = scene.state.policy(&snapshot.environment).guard;
    let (text, role) = match guard {
        Guard::ReadOnly => ("read-only".to_owned(), Role::Warn),
        Guard::Open | Guard::Confirm | Guard::Type => (format!("guard {guard}"), Role::Dim),
    };
    pieces.push(Piece { text, style: scene.style(role), rank: if guard == Guard::ReadOnly { 1 } else { 4 } });
}

/// Who changes something here.
fn lock(scene: &Scene<'_>, snapshot: &Snapshot, pieces: &mut Vec<Piece>) {
    let Some(lock) = &snapshot.lock else { return };
    let mine = lock.by == scene.state.actor.by() && lock.pid == scene.state.actor.pid;
    let who = if mine { "you" } else { lock.by.as_ref() };
    let role = if mine { Role::Accent } else { Role::Warn };
    pieces.push(Piece { text: format!("locked by {who}: {}", lock.why), style: scene.style(role), rank: 3 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_least_goes_first() {
        let piece = |text: &str, rank| Piece { text: text.to_owned(), style: Style::new(), rank };
        let left = |width| {
            let mut pieces =
                vec![piece("BADGE", 0), piece("name", 0), piece("engine", 5), piece("live", 1), piece("endpoint", 8)];
            shrink(&mut pieces, width);
            pieces.into_iter().map(|p| p.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left(35), "BADGE name engine live endpoint");
        assert_eq!(left(34), "BADGE name engine live");
        assert_eq!(left(24), "BADGE name live");
        assert_eq!(left(3), "BADGE name");
    }

    #[test]
    fn a_latency_stands_still_when_it_hardly_changes() {
        assert_eq!([0, 3, 12, 44, 260].map(steady), [1, 3, 10, 40, 250]);
    }
}
