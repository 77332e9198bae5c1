//! The first line: where am I, is what I see true, what is wrong, may I change it, what time is it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::format::{clock, count, seconds_since};
use crate::model::{AlertState, Guard, Health, Link, Snapshot, Tier};
use crate::theme::Role;

use super::format::elapsed;
use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::cells;
use crate::observe::text::{clean, fit};

/// A piece of the line.
#[derive(Default)]
struct Piece {
    text: String,
    /// Said in fewer cells where there is no room; empty where there is no shorter way.
    short: String,
    style: Style,
    /// Where there is no room the highest goes first; 0 is cut but never goes.
    rank: u8,
}

/// Cells between two pieces.
const GAP: u16 = 2;
/// An endpoint cut to fewer cells tells nothing.
const LEAST: u16 = 8;
/// Cells of a lock's reason: whole it stands with the operations.
const WHY: usize = 40;
/// The endpoint's rank: it is cut before it goes.
const ENDPOINT: u8 = 6;

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    // Its ground is the line's, its weight only the name's: what is dim here stays dim.
    let ground = Style { bg: scene.style(Role::Header).bg, ..Style::new() };
    buf.set_style(area.intersection(buf.area), ground);
    let mut pieces = vec![badge(scene)];
    if scene.environment.is_some() {
        place(scene, &mut pieces);
    } else {
        everything(scene, &mut pieces);
    }
    let mut time = clock(scene.state.now, 0);
    if area.width >= 100 {
        time.push_str(" UTC");
    }
    // The clock goes before anything that tells more.
    let spare = if area.width >= 60 { cells(&time) + GAP } else { 0 };
    shrink(&mut pieces, area.width.saturating_sub(spare + 1));
    let mut pen = Pen::new(buf, area, 0);
    if spare > 0 {
        pen.put_at_end(" ", Style::new()).put_at_end(&time, scene.style(Role::Dim));
    }
    for (at, piece) in pieces.iter().enumerate() {
        pen.skip(if at == 0 { 0 } else { GAP }).put(&piece.text, piece.style);
    }
}

/// Says it shorter where that is needed, then takes away what does not fit; each time the highest rank first.
fn shrink(pieces: &mut Vec<Piece>, width: u16) {
    let taken = |pieces: &[Piece]| pieces.iter().map(|p| cells(&p.text) + GAP).fold(0, u16::saturating_add).saturating_sub(GAP);
    while taken(pieces) > width
        && let Some(piece) = pieces.iter_mut().rev().filter(|p| !p.short.is_empty()).max_by_key(|p| p.rank)
    {
        piece.text = std::mem::take(&mut piece.short);
    }
    loop {
        let over = taken(pieces).saturating_sub(width);
        let Some(at) = (0..pieces.len()).rev().max_by_key(|at| pieces[*at].rank) else { return };
        if over == 0 || pieces[at].rank == 0 {
            return;
        }
        let left = cells(&pieces[at].text).saturating_sub(over);
        if pieces[at].rank == ENDPOINT && left >= LEAST {
            pieces[at].text = fit(&clean(&pieces[at].text), usize::from(left)).into_owned();
            return;
        }
        pieces.remove(at);
    }
}

/// The tier, filled with its colour.
fn badge(scene: &Scene<'_>) -> Piece {
    let (text, style) = match scene.tier() {
        Some(tier) => (tier.word().to_uppercase(), filled(scene.theme.tier(tier))),
        None if scene.environment.is_some() => (Tier::Unknown.word().to_uppercase(), filled(scene.theme.tier(Tier::Unknown))),
        None => ("QUARTERDECK".to_owned(), filled(scene.style(Role::Accent))),
    };
    Piece { text: format!(" {text} "), style, ..Piece::default() }
}

/// A block in the style's colour, where it is not one already.
fn filled(style: Style) -> Style {
    if style.bg.is_some() { style } else { style.add_modifier(Modifier::REVERSED | Modifier::BOLD) }
}

/// The environment, its engine and feed, and what stands in the way of a change.
fn place(scene: &Scene<'_>, pieces: &mut Vec<Piece>) {
    let (strong, dim) = (scene.style(Role::Header), scene.style(Role::Dim));
    let name = scene.environment.map(|id| scene.state.name_of(id)).unwrap_or_default();
    pieces.push(Piece { text: name, style: strong, rank: 0, ..Piece::default() });
    let live = scene.connection.is_none_or(|c| c.link.is_live());
    if let Some(snapshot) = scene.snapshot.filter(|_| live) {
        pieces.push(Piece { text: snapshot.environment.engine.word().to_owned(), style: dim, rank: 9, ..Piece::default() });
    }
    if let Some(connection) = scene.connection {
        pieces.push(feed(scene, &connection.link, &connection.endpoint));
    }
    if let Some(snapshot) = scene.snapshot {
        ill(scene, std::iter::once(snapshot), pieces);
        alerts(scene, scene.state.alerts_firing(&snapshot.environment.id), pieces);
        guard(scene, snapshot, pieces);
        lock(scene, snapshot, pieces);
    }
    if let Some(connection) = scene.connection.filter(|_| live) {
        // What the environment is pinned to says more than the connection: the context, the namespace.
        let address = scene.snapshot.map_or(&connection.endpoint, |s| &s.environment.endpoint);
        pieces.push(endpoint(address, dim));
    }
}

/// All environments at a glance.
fn everything(scene: &Scene<'_>, pieces: &mut Vec<Piece>) {
    let state = scene.state;
    let dim = scene.style(Role::Dim);
    let shown = state.snapshots().count();
    pieces.push(Piece { text: count(shown, "environment"), style: scene.style(Role::Strong), rank: 0, ..Piece::default() });
    let troubled: Vec<_> = state.open_connections().filter(|c| !c.link.is_live()).collect();
    match troubled.as_slice() {
        [] if state.open_connections().next().is_none() => {}
        [] => pieces.push(Piece { text: "● live".to_owned(), style: scene.style(Role::Good), rank: 1, ..Piece::default() }),
        [one] if state.open_connections().count() == 1 => pieces.push(feed(scene, &one.link, &one.endpoint)),
        many => {
            let text = format!("◌ {} of {} not live: {}", many.len(), count(state.open_connections().count(), "connection"), {
                many.iter().map(|c| format!("{} {}", c.id, c.link.word())).collect::<Vec<_>>().join(", ")
            });
            pieces.push(Piece { text, style: scene.style(Role::Warn), rank: 0, ..Piece::default() });
        }
    }
    ill(scene, state.snapshots().map(AsRef::as_ref), pieces);
    alerts(scene, state.snapshots().map(|s| state.alerts_firing(&s.environment.id)).sum(), pieces);
    if state.settings.read_only {
        pieces.push(Piece { text: "read-only".to_owned(), style: scene.style(Role::Warn), rank: 1, ..Piece::default() });
    }
    if let [one] = state.open_connections().collect::<Vec<_>>().as_slice() {
        pieces.push(endpoint(&one.endpoint, dim));
    }
}

/// Where the engine is, and the part of it that is meant; in short only where, without the scheme.
fn endpoint(address: &str, style: Style) -> Piece {
    let place = address.split(" · ").next().unwrap_or(address);
    let short = place.split_once("://").map_or(place, |(_, rest)| rest).to_owned();
    Piece { text: address.to_owned(), short, style, rank: ENDPOINT }
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
        Link::Live { latency_ms: Some(ms) } => (format!("● live {ms} ms"), Role::Good),
        Link::Stale { since, error, retry_at } => {
            let ago = elapsed(i64::try_from(seconds_since(now, *since)).unwrap_or(i64::MAX));
            (format!("◌ stale since {} ({ago}): {error}{}", clock(*since, 0), next(retry_at)), Role::Warn)
        }
        Link::Failed { error, retry_at, .. } => (format!("✖ failed: {error}{}", next(retry_at)), Role::Bad),
    };
    let rank = u8::from(link.is_live());
    Piece { text, style: scene.style(role), rank, ..Piece::default() }
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
            let short = format!("{} {n}", health.symbol());
            let rank = if health == Health::Unhealthy { 2 } else { 7 };
            pieces.push(Piece { text, short, style: scene.theme.health(health), rank });
        }
    }
}

/// How many alerts fire that nobody has silenced.
fn alerts(scene: &Scene<'_>, firing: usize, pieces: &mut Vec<Piece>) {
    if firing > 0 {
        let symbol = AlertState::Firing.symbol();
        let (text, short) = (format!("{symbol} {firing} firing"), format!("{symbol} {firing}"));
        pieces.push(Piece { text, short, style: scene.style(Role::Bad), rank: 2 });
    }
}

fn guard(scene: &Scene<'_>, snapshot: &Snapshot, pieces: &mut Vec<Piece>) {
    let guard = scene.state.policy(&snapshot.environment).guard;
    let (text, role) = match guard {
        Guard::ReadOnly => ("read-only".to_owned(), Role::Warn),
        Guard::Open | Guard::Confirm | Guard::Type => (format!("guard {guard}"), Role::Dim),
    };
    pieces.push(Piece { text, style: scene.style(role), rank: if guard == Guard::ReadOnly { 1 } else { 3 }, ..Piece::default() });
}

/// Who changes something here.
fn lock(scene: &Scene<'_>, snapshot: &Snapshot, pieces: &mut Vec<Piece>) {
    let Some(lock) = &snapshot.lock else { return };
    let mine = lock.by == scene.state.actor.by() && lock.pid == scene.state.actor.pid;
    let who = if mine { "you" } else { lock.by.as_ref() };
    let role = if mine { Role::Accent } else { Role::Warn };
    let short = format!("locked by {who}");
    let text = format!("{short}: {}", fit(&clean(&lock.why), WHY));
    pieces.push(Piece { text, short, style: scene.style(role), rank: 4 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_least_goes_first() {
        let piece = |text: &str, short: &str, rank| Piece { text: text.into(), short: short.into(), style: Style::new(), rank };
        let left = |width| {
            let mut pieces = vec![
                piece("BADGE", "", 0),
                piece("name", "", 0),
                piece("engine", "", 9),
                piece("live", "", 1),
                piece("1 unhealthy", "1", 2),
                piece("tcp://10.0.0.5:2376", "10.0.0.5:2376", ENDPOINT),
            ];
            shrink(&mut pieces, width);
            pieces.into_iter().map(|p| p.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left(59), "BADGE name engine live 1 unhealthy tcp://10.0.0.5:2376");
        assert_eq!(left(58), "BADGE name engine live 1 unhealthy 10.0.0.5:2376");
        assert_eq!(left(52), "BADGE name engine live 1 10.0.0.5:2376");
        assert_eq!(left(42), "BADGE name live 1 10.0.0.5:2376");
        assert_eq!(left(32), "BADGE name live 1 10.0.0.5:…");
        assert_eq!(left(24), "BADGE name live 1");
        assert_eq!(left(3), "BADGE name");
    }
}
