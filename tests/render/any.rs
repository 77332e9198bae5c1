//! What holds of every screen at every size: no panic, nothing from outside that moves a cursor, few cells a key.

use std::sync::Arc;

use quarterdeck::app::state::{Confirm, Input, Overlay, Palette, Prompt, Purpose, RowId, Screen, State};
use quarterdeck::model::Guard;
use quarterdeck::theme::{self, Theme};

use crate::deploy;
use crate::picture::{cells, in_theme};
use crate::scene::{self, go, production, world};

/// Brings something about.
type Prepare = Box<dyn Fn(&mut State)>;

/// Every screen and overlay, as something that brings it about.
fn everything() -> Vec<(String, Prepare)> {
    let mut all: Vec<(String, Prepare)> = Vec::new();
    for screen in Screen::ALL {
        all.push((
            format!("{screen:?}"),
            Box::new(move |s: &mut State| {
                go(s, screen);
                scene::log(s);
                deploy::running(s);
            }),
        ));
    }
    let overlays: [fn() -> Overlay; 7] = [
        || Overlay::Help { scroll: 3, filter: "x".into() },
        || Overlay::Palette(Palette { input: Input::new("re"), jump_only: false, selected: 2 }),
        || {
            let plan = deploy::plan(production(), Guard::Type);
            let (typed, refusal) = (Input::new("lms"), Some("no".into()));
            Overlay::Confirm(Confirm { typed, scroll: 2, refusal, ..Confirm::of(plan, false) })
        },
        || {
            Overlay::Prompt(Prompt {
                purpose: Purpose::Filter,
                title: "filter".into(),
                input: Input::new("ä界x".repeat(40)),
                error: None,
            })
        },
        || {
            Overlay::Prompt(Prompt {
                purpose: Purpose::Save,
                title: "file".into(),
                input: Input::new("x"),
                error: Some("no".into()),
            })
        },
        || Overlay::Quit,
        || Overlay::Text { title: "t".into(), lines: vec![Arc::from("界".repeat(90))], scroll: 1 },
    ];
    for overlay in overlays {
        all.push((
            format!("{:?}", overlay()).chars().take(30).collect(),
            Box::new(move |s: &mut State| {
                go(s, Screen::Workloads);
                s.overlays.push(overlay());
            }),
        ));
    }
    all
}

/// Every small size, where things are cut, and some larger ones.
fn at_any_size(states: impl Iterator<Item = (String, Prepare)>) {
    let lengths = || (0..=8_u16).chain((9..=60).step_by(13));
    for (name, prepare) in states {
        let mut state = world((80, 24));
        prepare(&mut state);
        for (width, height) in lengths().flat_map(|w| lengths().map(move |h| (w, h))) {
            state.size = (width, height);
            let drawn = cells(&state);
            assert_eq!((drawn.area.width, drawn.area.height), (width, height), "{name}");
        }
    }
}

#[test]
fn no_size_is_too_small_for_a_screen() {
    at_any_size(everything().into_iter().take(Screen::ALL.len()));
}

#[test]
fn no_size_is_too_small_for_an_overlay() {
    at_any_size(everything().into_iter().skip(Screen::ALL.len()));
}

#[test]
fn a_frame_of_another_size_than_the_state_says_does_not_panic() {
    for (_, prepare) in everything() {
        let mut state = world((120, 40));
        prepare(&mut state);
        let theme = Theme::default();
        for size in [(10, 3), (79, 23), (200, 60), (1, 1)] {
            let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(size.0, size.1)).unwrap();
            terminal.draw(|frame| quarterdeck::ui::render(&state, &theme, frame)).unwrap();
        }
    }
}

#[test]
fn every_theme_draws_the_same_words() {
    for (name, prepare) in everything() {
        let mut state = world((100, 24));
        prepare(&mut state);
        let expected = quarterdeck::ui::export::text(&cells(&state));
        for theme in theme::NAMES {
            let text = theme::builtin(theme).unwrap();
            let parsed = Theme::parse(text, theme, &|n| theme::builtin(n).map(str::to_owned)).unwrap();
            let drawn = quarterdeck::ui::export::text(&in_theme(&state, &parsed));
            assert_eq!(drawn, expected, "{name} in {theme}: meaning is never in the colour alone");
        }
    }
}

#[test]
fn nothing_from_outside_reaches_a_cell_as_it_came() {
    let evil = "a\u{1b}[31mb\u{1b}]0;title\u{7}c\u{202e}d\u{200b}e\u{9b}2Jf\r\n\u{0}g";
    let mut state = world((160, 48));
    let mut snapshot = state.snapshot(&production()).unwrap().as_ref().clone();
    for workload in &mut snapshot.workloads {
        let workload = Arc::make_mut(workload);
        workload.image = evil.into();
        workload.verdict.reasons = vec![evil.into()];
        for instance in &mut workload.instances {
            let instance = Arc::make_mut(instance);
            instance.name = evil.into();
            for check in &mut instance.checks {
                check.output = evil.into();
            }
        }
    }
    let environment = Arc::make_mut(&mut snapshot.environment);
    environment.endpoint = evil.into();
    scene::hold(&mut state, "prod-1", vec![snapshot]);
    state.say(true, evil);
    for (name, prepare) in everything() {
        prepare(&mut state);
        for cell in cells(&state).content {
            for c in cell.symbol().chars() {
                assert!(!c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'), "{c:?} in {name}");
            }
        }
        state.overlays.clear();
    }
}

#[test]
fn a_cursor_move_in_a_long_list_changes_few_cells() {
    let mut state = world((160, 48));
    let mut snapshot = state.snapshot(&production()).unwrap().as_ref().clone();
    let one = snapshot.workloads.iter().find(|w| w.id.as_str() == "frontend").unwrap().clone();
    snapshot.workloads = (0..100)
        .map(|n| {
            let mut workload = one.as_ref().clone();
            workload.id = format!("frontend-{n:03}").as_str().into();
            Arc::new(workload)
        })
        .collect();
    scene::hold(&mut state, "prod-1", vec![snapshot]);
    go(&mut state, Screen::Workloads);
    let mut select = |n: usize| {
        state.nav.view_mut().table.selected = Some(RowId::Workload(production(), format!("frontend-{n:03}").as_str().into()));
        cells(&state)
    };
    let (before, after) = (select(10), select(11));
    let changed = before.diff(&after);
    assert!((2..=80).contains(&changed.len()), "{} cells", changed.len());
}

#[test]
fn a_second_passing_changes_only_the_clock() {
    for screen in [Screen::Fleet, Screen::Workloads, Screen::Instances, Screen::Health, Screen::Timeline, Screen::Revisions] {
        let mut state = world((160, 48));
        go(&mut state, screen);
        let before = cells(&state);
        state.now = scene::ago(-1);
        let changed = before.diff(&cells(&state)).len();
        assert!((1..=2).contains(&changed), "{changed} cells on {screen:?}");
    }
}

#[test]
fn a_plan_can_be_read_to_its_end_on_a_small_screen() {
    let mut state = world((40, 12));
    go(&mut state, Screen::Workloads);
    let plan = deploy::plan(production(), Guard::Type);
    // As far as keys scroll it: the things it is made of, less one.
    let things = plan.steps.len() + plan.changes.len() + plan.warnings.len() + 4;
    let mut seen = String::new();
    for scroll in 0..things {
        let confirm = Confirm { scroll, ..Confirm::of(plan.clone(), false) };
        state.overlays = vec![Overlay::Confirm(confirm)];
        let drawn = quarterdeck::ui::export::text(&cells(&state));
        assert_eq!(drawn.contains("more lines of the plan"), !drawn.contains("the last one first"), "{drawn}");
        seen.push_str(&drawn);
    }
    for step in &plan.steps {
        assert!(seen.contains(step.name.as_ref()), "{} is never in sight", step.name);
    }
    assert!(seen.contains("the last one first"), "its end is never in sight");
}
