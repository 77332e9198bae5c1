//! Snapshots of every screen and overlay.

use quarterdeck::app::state::{Choice, Stamps};
use quarterdeck::app::state::{Confirm, Entry, Input, Menu, Overlay, Palette, Prompt, Purpose, RowId, Screen, Search, State};
use quarterdeck::engine::{Description, Subject};
use quarterdeck::model::{Guard, Link};
use quarterdeck::observe::log::{Lens, Query};

use crate::deploy;
use crate::picture::{styled, text};
use crate::scene::{self, ago, go, now, production, world};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn check(name: &str, content: &str) {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, content);
    });
}

/// Styles at the size people complain at, text at the others.
fn at_every_size(name: &str, prepare: impl Fn(&mut State)) {
    for size in SIZES {
        let mut state = world(size);
        prepare(&mut state);
        let content = if size.0 == 80 { styled(&state) } else { text(&state) };
        check(&format!("{name}_{}x{}", size.0, size.1), &content);
    }
}

/// One size will do for what hardly changes with it.
fn at_one_size(name: &str, prepare: impl Fn(&mut State)) {
    let mut state = world((100, 30));
    prepare(&mut state);
    check(name, &styled(&state));
}

#[test]
fn fleet() {
    at_every_size("fleet", |s| go(s, Screen::Fleet));
}

#[test]
fn workloads() {
    at_every_size("workloads", |s| go(s, Screen::Workloads));
}

#[test]
fn instances() {
    at_every_size("instances", |s| go(s, Screen::Instances));
}

#[test]
fn logs() {
    at_every_size("logs", |s| {
        go(s, Screen::Logs);
        scene::log(s);
    });
}

#[test]
fn health() {
    at_every_size("health", |s| go(s, Screen::Health));
}

#[test]
fn metrics() {
    at_every_size("metrics", |s| go(s, Screen::Metrics));
}

#[test]
fn operations() {
    at_every_size("operations", |s| {
        go(s, Screen::Operations);
        deploy::running(s);
    });
}

#[test]
fn timeline() {
    at_one_size("timeline", |s| go(s, Screen::Timeline));
}

#[test]
fn revisions() {
    at_one_size("revisions", |s| go(s, Screen::Revisions));
}

#[test]
fn a_wrapped_paused_searched_log() {
    at_one_size("logs_searched", |s| {
        go(s, Screen::Logs);
        scene::log(s);
        let logs = s.logs.as_mut().unwrap();
        logs.wrap = true;
        logs.follow = false;
        logs.stamps = Stamps::Local;
        logs.new_lines = 1208;
        let last = logs.store.get(70).unwrap().seq;
        logs.anchor = last;
        let regex = regex::Regex::new("timeout").unwrap();
        let mut found = Lens::matching(Query::default().and(regex.clone()));
        found.reset(&logs.store);
        found.work(&logs.store, &|_| "", 1000);
        logs.cursor = Some(last);
        logs.marks.insert(logs.store.get(66).unwrap().seq);
        logs.search = Some(Search { pattern: "timeout".into(), regex: Ok(regex), found });
    });
}

#[test]
fn a_log_is_taken_apart_and_lit_up() {
    at_one_size("logs_fields", |s| {
        go(s, Screen::Logs);
        scene::log(s);
        scene::say(
            s,
            &[
                r#"{"event":"answer_sent","level":"info","latency_ms":705,"session":"s-1041","tags":["a","b"]}"#,
                r#"10.0.0.7 - - [21/Nov/2026:14:03:20 +0000] "GET /api/v1/courses?limit=50 HTTP/1.1" 502 157 "-" "curl/8.0""#,
                "level=warn msg=\"disk almost full\" free_bytes=1024 path=/data",
                "\u{1b}[1;31mred and bold\u{1b}[0m then plain",
                "Traceback (most recent call last):",
                "  File \"app.py\", line 7, in serve",
                "KeyError: 'tenant'",
            ],
        );
        let logs = s.logs.as_mut().unwrap();
        logs.stamps = Stamps::Delta;
        logs.fields = vec!["latency_ms".into()];
        logs.highlights = vec![regex::Regex::new("disk").unwrap()];
        logs.highlighted = vec!["disk".into()];
    });
}

#[test]
fn what_a_log_had_to_drop_is_said_in_its_place() {
    at_one_size("log_dropped", |s| {
        go(s, Screen::Logs);
        scene::log(s);
        let logs = s.logs.as_mut().unwrap();
        logs.store = quarterdeck::observe::log::Store::new(2000);
        logs.reset();
        for n in 0..8 {
            scene::say(s, &[format!("line {n} {}", "x".repeat(300)).as_str()]);
        }
        let logs = s.logs.as_mut().unwrap();
        logs.follow = false;
        logs.cursor = logs.line(0).map(|l| l.seq);
        logs.anchor = logs.line(logs.len() - 1).unwrap().seq;
    });
}

#[test]
fn patterns_of_a_log() {
    at_one_size("log_patterns", |s| {
        go(s, Screen::Logs);
        scene::log(s);
        let logs = s.logs.as_mut().unwrap();
        let mut patterns = quarterdeck::observe::log::Patterns::new(&logs.store);
        patterns.work(&logs.store, &|_| true, 1000);
        logs.patterns = Some(patterns);
        s.overlays.push(Overlay::Patterns { selected: 1, since: Some(ago(119)) });
    });
}

#[test]
fn a_stale_feed_dims_and_says_since_when() {
    at_one_size("stale", |s| {
        go(s, Screen::Workloads);
        let link = Link::Stale { since: ago(24), error: "connection reset".into(), retry_at: Some(ago(-3)) };
        s.connections.get_mut(&"prod-1".into()).unwrap().link = link;
    });
}

#[test]
fn what_never_was_reached_says_why_and_what_to_do() {
    for (name, link) in [
        ("connecting", Link::Connecting),
        (
            "failed",
            Link::Failed {
                since: ago(9),
                error: "/var/run/docker.sock may not be opened: permission denied".into(),
                hint: "add yourself to the docker group (sudo usermod -aG docker $USER, then log in again), or use a rootless engine".into(),
                retry_at: Some(ago(-20)),
            },
        ),
    ] {
        at_one_size(name, |s| {
            let first = s.connections.pop_first().unwrap().1;
            s.connections.clear();
            s.connections.insert(first.id.clone(), first);
            let connection = s.connections.values_mut().next().unwrap();
            connection.inventory = None;
            connection.link = link.clone();
            go(s, Screen::Fleet);
            s.generation += 1;
        });
    }
}

#[test]
fn nothing_there_says_what_to_do() {
    at_one_size("empty_operations", |s| go(s, Screen::Operations));
    at_one_size("empty_filter", |s| {
        go(s, Screen::Workloads);
        s.nav.view_mut().table.filter = "nosuch".into();
        s.generation += 1;
    });
}

fn confirm(state: &mut State, guard: Guard) {
    go(state, Screen::Workloads);
    let plan = deploy::plan(production(), guard);
    state.overlays.push(Overlay::Confirm(Confirm { typed: Input::new("lms"), ..Confirm::of(plan, false) }));
}

#[test]
fn a_plan_asks() {
    at_every_size("confirm", |s| confirm(s, Guard::Type));
    at_one_size("confirm_refused", |s| {
        confirm(s, Guard::Confirm);
        if let Some(Overlay::Confirm(confirm)) = s.overlays.last_mut() {
            confirm.refusal = Some("the lock is held by jo@laptop: deploy app".into());
        }
    });
}

#[test]
fn a_plan_reads_the_same_as_text() {
    let plan = deploy::plan(production(), Guard::Type);
    check("plan_text", &quarterdeck::ui::plan::plan_text(&plan, "lms-ai", quarterdeck::model::Tier::Production, 100));
}

#[test]
fn help_comes_from_the_keymap() {
    at_every_size("help", |s| {
        go(s, Screen::Workloads);
        s.overlays.push(Overlay::Help { scroll: 0, filter: String::new() });
    });
    at_one_size("help_filtered", |s| {
        go(s, Screen::Workloads);
        s.overlays.push(Overlay::Help { scroll: 0, filter: "roll".into() });
    });
}

#[test]
fn what_may_follow_a_chord_is_shown() {
    let text = quarterdeck::keymap::builtin("vim").unwrap();
    let keymap = quarterdeck::keymap::Keymap::parse(text, "vim").unwrap();
    at_one_size("which_key", |s| {
        go(s, Screen::Workloads);
        s.keys.keymap = std::sync::Arc::new(keymap.clone());
        s.keys.pending = quarterdeck::keymap::parse_keys("g");
    });
}

#[test]
fn describe() {
    at_one_size("describe", |s| {
        go(s, Screen::Describe);
        let lines = ["{", "  \"Name\": \"lms-ai_backend_1\",", "  \"Env\": [", "    \"DB_PASSWORD=••••••\"", "  ]", "}"];
        s.description = Some(std::sync::Arc::new(Description {
            subject: Subject::Workload(production(), "backend".into()),
            lines: lines.into_iter().map(Into::into).collect(),
        }));
    });
}

#[test]
fn marks_are_seen() {
    at_one_size("marked", |s| {
        go(s, Screen::Workloads);
        for name in ["backend", "redis"] {
            s.nav.view_mut().table.marks.insert(RowId::Workload(production(), name.into()));
        }
    });
}

#[test]
fn palette() {
    at_one_size("palette", |s| {
        go(s, Screen::Workloads);
        s.overlays.push(Overlay::Palette(Palette { input: Input::new("re"), jump_only: false, selected: 1 }));
    });
}

#[test]
fn prompts() {
    for (name, purpose, title, error) in [
        ("prompt_filter", Purpose::Filter, "filter:", None),
        (
            "prompt_replicas",
            Purpose::Replicas { environment: production(), targets: Vec::new() },
            "Replicas of backend (now 3)",
            Some("a number"),
        ),
    ] {
        at_one_size(name, |s| {
            go(s, Screen::Workloads);
            let prompt = Prompt {
                purpose: purpose.clone(),
                title: title.into(),
                input: Input::new("health:unhealthy"),
                error: error.map(Into::into),
            };
            s.overlays.push(Overlay::Prompt(prompt));
        });
    }
}

#[test]
fn menus_texts_and_quitting() {
    at_one_size("menu", |s| {
        go(s, Screen::Workloads);
        let entry = |label: &str, key, denied: Option<&str>| Entry {
            label: label.into(),
            key: Some(key),
            choice: Choice::Theme("dark".into()),
            denied: denied.map(Into::into),
        };
        let entries = vec![
            entry("Restart backend, one instance after the other", 'r', None),
            entry("Start backend", 's', Some("it runs already")),
            entry("Roll back to revision 3 (backend:1.3.2)", 'b', None),
        ];
        s.overlays.push(Overlay::Menu(Menu { title: "backend".into(), entries, selected: 2 }));
    });
    at_one_size("text", |s| {
        go(s, Screen::Workloads);
        let lines = vec!["One line.".into(), "".into(), "word ".repeat(60).into()];
        s.overlays.push(Overlay::Text { title: "Why".into(), lines, scroll: 0 });
    });
    at_one_size("quit", |s| {
        go(s, Screen::Workloads);
        deploy::running(s);
        s.overlays.push(Overlay::Quit);
    });
}

#[test]
fn a_message_takes_the_last_line() {
    let mut state = world((100, 30));
    go(&mut state, Screen::Workloads);
    state.now = now();
    state.say(false, "backend cannot be scaled: host port 80 is taken by the one that runs");
    let drawn = text(&state);
    let last = drawn.lines().last().unwrap_or_default();
    assert!(last.contains("✖ backend cannot be scaled"), "{last}");
}

/// Writes the screens as pictures into `QD_PICTURES`, to be looked at; without it there is nothing to do.
#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("QD_PICTURES").map(std::path::PathBuf::from) else { return };
    let theme_name = std::env::var("QD_THEME").unwrap_or_else(|_| "terminal".into());
    let text = quarterdeck::theme::builtin(&theme_name).unwrap();
    let theme =
        quarterdeck::theme::Theme::parse(text, &theme_name, &|n| quarterdeck::theme::builtin(n).map(str::to_owned)).unwrap();
    let palette = if theme_name == "light" { quarterdeck::ui::export::svg::LIGHT } else { quarterdeck::ui::export::svg::DARK };
    for size in [(80, 24), (120, 40)] {
        for screen in Screen::ALL {
            let mut state = world(size);
            go(&mut state, screen);
            if screen == Screen::Logs {
                scene::log(&mut state);
            }
            if screen == Screen::Operations {
                deploy::running(&mut state);
            }
            write(&folder, &format!("{screen:?}-{}", size.0), &state, &theme, &palette);
        }
        let mut state = world(size);
        confirm(&mut state, Guard::Type);
        write(&folder, &format!("Confirm-{}", size.0), &state, &theme, &palette);
        state.overlays = vec![Overlay::Help { scroll: 0, filter: String::new() }];
        write(&folder, &format!("Help-{}", size.0), &state, &theme, &palette);
        state.overlays = vec![Overlay::Palette(Palette { input: Input::new("re"), jump_only: false, selected: 1 })];
        write(&folder, &format!("Palette-{}", size.0), &state, &theme, &palette);
    }
}

fn write(
    folder: &std::path::Path,
    name: &str,
    state: &State,
    theme: &quarterdeck::theme::Theme,
    palette: &quarterdeck::ui::export::svg::Palette,
) {
    let svg = quarterdeck::ui::export::svg(&crate::picture::in_theme(state, theme), palette);
    std::fs::write(folder.join(format!("{name}.svg")), svg).unwrap();
}
