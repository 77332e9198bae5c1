//! Whatever happens, in whatever order: no panic, a selection that is there, bounded memory.

use proptest::prelude::*;
use quarterdeck::app::rows;
use quarterdeck::app::state::Overlay;
use quarterdeck::app::{Effect, Msg};
use quarterdeck::engine::Update;
use quarterdeck::keymap::{Chord, Key};
use quarterdeck::model::{EnvironmentId, Guard, Health, Item, Link, Source, Tier};
use quarterdeck::operate::Accepted;

use crate::fixture::{Deck, at, environment, lock, snapshot, unwell, workload};

#[derive(Clone, Debug)]
enum Step {
    Key(Chord),
    Mouse(u16, u16, i16),
    Size(u16, u16),
    Holds(usize, Vec<(u8, u32, bool)>, bool),
    Link(usize, u8),
    Event(u8),
    Log(u8, u16),
    Answer(bool),
    Alive,
    Tick,
}

fn chord() -> impl Strategy<Value = Chord> {
    let key = prop_oneof![
        8 => prop::sample::select("jkgGhlnNoOpdyvmcrRSDBsuxzZKLUIaTq?/:'*-0123456789 fwt[]".chars().collect::<Vec<_>>()).prop_map(Key::Char),
        2 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Backspace, Key::Delete, Key::Home, Key::End, Key::PageUp,
            Key::PageDown, Key::Up, Key::Down, Key::Left, Key::Right, Key::Insert, Key::F(1),
        ]),
        1 => prop::sample::select(vec![Key::Char('ä'), Key::Char('界'), Key::Char('\u{202e}')]),
    ];
    (key, prop::bool::weighted(0.1)).prop_map(|(key, ctrl)| Chord::normal(key, ctrl, false, false))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => chord().prop_map(Step::Key),
        1 => (0..130_u16, 0..50_u16, -9..9_i16).prop_map(|(x, y, w)| Step::Mouse(x, y, w)),
        1 => (prop::sample::select(vec![0_u16, 1, 20, 80, 200]), prop::sample::select(vec![0_u16, 1, 2, 5, 24, 60]))
            .prop_map(|(w, h)| Step::Size(w, h)),
        2 => (0..2_usize, prop::collection::vec((0..6_u8, 0..4_u32, any::<bool>()), 0..5), any::<bool>())
            .prop_map(|(c, w, l)| Step::Holds(c, w, l)),
        1 => (0..2_usize, 0..4_u8).prop_map(|(c, l)| Step::Link(c, l)),
        1 => any::<u8>().prop_map(Step::Event),
        2 => (0..6_u8, 0..200_u16).prop_map(|(i, n)| Step::Log(i, n)),
        2 => any::<bool>().prop_map(Step::Answer),
        1 => Just(Step::Alive),
        2 => Just(Step::Tick),
    ]
}

const CONNECTIONS: [&str; 2] = ["here", "prod-1"];

fn holds(deck: &mut Deck, connection: usize, wanted: &[(u8, u32, bool)], locked: bool) {
    let mut workloads: Vec<_> = Vec::new();
    for (name, count, bad) in wanted {
        let mut made = workload(&format!("w{name}"), *count);
        if *bad {
            made = unwell(made, Health::Unhealthy, "down");
        }
        if workloads.iter().all(|w: &quarterdeck::model::Workload| w.id != made.id) {
            workloads.push(made);
        }
    }
    let (tier, guard) = [(Tier::Local, Guard::Open), (Tier::Staging, Guard::Confirm)][connection];
    let mut one = snapshot(environment(CONNECTIONS[connection], "shop", tier, guard), workloads);
    if locked {
        one.lock = Some(lock(99, "deploy", Some("0000000000001-desk-99-1")));
    }
    let two = snapshot(environment(CONNECTIONS[connection], "tools", tier, guard), vec![workload("cron", 1)]);
    deck.holds(CONNECTIONS[connection], if wanted.len() == 1 { vec![one] } else { vec![one, two] });
}

fn take(deck: &mut Deck, step: &Step) {
    match step {
        Step::Key(chord) => drop(deck.send(Msg::Key(*chord))),
        Step::Mouse(x, y, wheel) => drop(deck.send(Msg::Click(*x, *y)).send(Msg::Wheel(*wheel))),
        Step::Size(w, h) => drop(deck.send(Msg::Resize(*w, *h))),
        Step::Holds(connection, workloads, locked) => holds(deck, *connection, workloads, *locked),
        Step::Link(connection, kind) => {
            let link = match kind {
                0 => Link::Connecting,
                1 => Link::Stale { since: at(deck.clock), error: "reset".into(), retry_at: Some(at(deck.clock + 3)) },
                2 => Link::Failed { since: at(0), error: "no".into(), hint: "yes".into(), retry_at: None },
                _ => Link::Live { latency_ms: None },
            };
            deck.update(CONNECTIONS[*connection], Update::Link(link));
        }
        Step::Event(n) => {
            let environment = EnvironmentId::new("here", "shop");
            let what = format!("what{n}").into();
            let item =
                Item { at: at(deck.clock), environment, subject: "w1".into(), source: Source::Engine, what, detail: "".into() };
            deck.update("here", Update::Events(vec![item]));
        }
        Step::Log(workload, lines) => {
            let lines: Vec<String> = (0..*lines).map(|n| format!("line {n} {}", "x".repeat(usize::from(n % 90)))).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            deck.log(&format!("w{workload}-1-id"), &lines);
        }
        Step::Answer(ok) => {
            let effects = std::mem::take(&mut deck.effects);
            for effect in effects {
                if let Effect::Execute { operation, ticket, .. } = effect {
                    let no = quarterdeck::engine::EngineError::NotFound { what: "it".into() };
                    deck.send(Msg::Done { operation, ticket, result: if *ok { Ok(Accepted::Done) } else { Err(no) } });
                }
            }
        }
        Step::Alive => drop(deck.send(Msg::Alive(vec![]))),
        Step::Tick => drop(deck.wait(1)),
    }
}

fn holds_true(deck: &Deck) -> Result<(), TestCaseError> {
    let state = &deck.state;
    prop_assert!(!state.nav.stack.is_empty() && state.nav.stack.len() <= 17);
    let view = state.nav.view();
    let order = rows::order(state, view);
    match &view.table.selected {
        Some(row) => prop_assert!(order.contains(row), "{row:?} is listed"),
        None => prop_assert!(order.is_empty(), "something is selected where something is listed"),
    }
    for row in order.iter() {
        prop_assert!(rows::subject(state, row).is_some(), "{row:?} is there");
    }
    prop_assert!(state.messages.len() <= 20 && state.timeline.len() <= 5000 && state.operations.past.len() <= 200);
    prop_assert!(state.overlays.len() <= 8, "{:?}", state.overlays.len());
    prop_assert!(state.keys.pending.len() <= 8);
    let log = state.nav.stack.iter().any(|v| v.screen == quarterdeck::app::state::Screen::Logs);
    prop_assert_eq!(log, state.logs.is_some(), "a log is kept while a view of it is");
    if let Some(logs) = &state.logs {
        prop_assert!(logs.store.bytes() <= (1 << 20) + (1 << 20));
        prop_assert!(logs.follow || logs.store.is_empty() || logs.store.line(logs.anchor).is_some());
    }
    for overlay in &state.overlays {
        match overlay {
            Overlay::Menu(menu) => prop_assert!(menu.selected < menu.entries.len()),
            Overlay::Prompt(prompt) => prop_assert!(prompt.input.text.is_char_boundary(prompt.input.cursor)),
            Overlay::Quit => prop_assert!(!state.operations.running.is_empty()),
            Overlay::Help { .. }
            | Overlay::Palette(_)
            | Overlay::Confirm(_)
            | Overlay::Text { .. }
            | Overlay::Patterns { .. }
            | Overlay::Changes { .. } => {}
        }
    }
    let _ = quarterdeck::app::subscription::subscriptions(state);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(steps in prop::collection::vec(step(), 1..120)) {
        let mut deck = Deck::new(&CONNECTIONS);
        deck.send(Msg::Tick);
        for step in &steps {
            take(&mut deck, step);
            holds_true(&deck)?;
        }
    }
}
