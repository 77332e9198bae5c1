//! Reads the sources and holds the rooms apart: the pure ones pure, each knowing only what lies before it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_cmp,
    clippy::too_many_lines,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::needless_pass_by_value,
    clippy::many_single_char_names,
    clippy::type_complexity,
    reason = "a test or a measurement says what it needs, and stops where it is not so"
)]

#[path = "layers/source.rs"]
mod source;

use source::{Source, sources};

/// The pure rooms, and the rooms of this crate each may know beside itself.
const PURE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("document", &["model"]),
    ("observe", &["model"]),
    ("operate", &["model", "observe", "engine"]),
    ("app", &["model", "observe", "operate", "engine", "keymap"]),
    ("keymap", &["model", "document", "app"]),
    ("theme", &["model", "document", "app", "observe"]),
    ("ui", &["model", "observe", "operate", "engine", "app", "keymap", "theme"]),
];

/// What none of the pure rooms may name: files, network, clock, threads, terminal, chance, and what does such things.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "std::os",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "tokio",
    "bollard",
    "crossterm",
    "directories",
    "rand",
    "getrandom",
    "tracing",
    "engine::docker",
    "engine::demo",
    "crate::runtime",
    "crate::face",
    "crate::config",
    "crate::cli",
    "thread_local",
    "static mut",
    "println",
    "eprintln",
    "print",
    "eprint",
    "dbg",
];

/// Tells every finding at once.
fn none(what: &str, findings: Vec<String>) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

fn product() -> Vec<Source> {
    let all = sources("src");
    assert!(all.len() > 50, "the sources are found");
    all
}

#[test]
fn every_file_says_why_it_exists_and_is_short() {
    let mut findings = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        if !source.text.starts_with("//! ") {
            findings.push(format!("{}: the first line is not `//! why this file exists`", source.path));
        }
        let lines = source.text.lines().count();
        if lines > 400 {
            findings.push(format!("{}: {lines} lines, 400 are the most", source.path));
        }
        if source.path.ends_with("/mod.rs") {
            findings.push(format!("{}: write `foo.rs` beside `foo/`", source.path));
        }
    }
    none("files that are not as they should be", findings);
}

#[test]
fn pure_rooms_know_nothing_outside() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| !s.is_test && PURE.iter().any(|(room, _)| *room == s.room)) {
        for name in OUTSIDE {
            findings.extend(source.lines_with(name).into_iter().map(|line| format!("{}:{line}: {name}", source.path)));
        }
    }
    none("pure rooms reach outside", findings);
}

#[test]
fn a_room_knows_only_what_lies_before_it() {
    let mut findings = Vec::new();
    for (room, known) in PURE {
        for source in product().iter().filter(|s| s.room == *room && !s.is_test) {
            for other in source.rooms().into_iter().filter(|o| o != room && !known.contains(&o.as_str())) {
                findings.push(format!("{}: {room} knows {other}", source.path));
            }
        }
    }
    none("rooms know what they must not", findings);
}

#[test]
fn only_the_interface_and_the_themes_know_how_things_are_drawn() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| !s.is_test) {
        let draws = ["ui", "theme", "runtime", "face"].contains(&source.room.as_str());
        for line in source.lines_with("ratatui") {
            if !draws {
                findings.push(format!("{}:{line}: ratatui", source.path));
            }
        }
        // The SVG export writes down colours that a theme has chosen.
        if source.room != "theme" && source.path != "src/ui/export/svg.rs" {
            findings.extend(source.lines_with("Color").into_iter().map(|line| format!("{}:{line}: a raw colour", source.path)));
        }
    }
    none("looks are named outside the themes", findings);
}

#[test]
fn drawing_changes_nothing() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| s.room == "ui" && !s.is_test) {
        findings.extend(source.lines_with("&mut State").into_iter().map(|line| format!("{}:{line}", source.path)));
    }
    none("the interface writes to the state", findings);
}

#[test]
fn nothing_but_the_runtime_makes_an_engine_act() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| !s.is_test && !["runtime", "engine"].contains(&s.room.as_str())) {
        findings.extend(source.lines_with(".execute(").into_iter().map(|line| format!("{}:{line}", source.path)));
    }
    none("`execute` is called beside the one gateway", findings);
}

#[test]
fn actions_are_decided_on_by_operate_alone() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| !s.is_test && !["operate", "engine"].contains(&s.room.as_str())) {
        findings.extend(source.lines_with("Action::").into_iter().map(|line| format!("{}:{line}", source.path)));
    }
    none("an action is made outside `operate`", findings);
}

#[test]
fn what_the_engines_speak_stays_with_them() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| !s.is_test) {
        let docker = source.path.starts_with("src/engine/docker");
        let demo = source.path.starts_with("src/engine/demo");
        let mut forbid = |name: &str| {
            findings.extend(source.lines_with(name).into_iter().map(|line| format!("{}:{line}: {name}", source.path)));
        };
        if !docker {
            forbid("bollard");
        }
        if docker {
            forbid("engine::demo");
        }
        if demo {
            // The labels are what every engine writes its records in.
            for name in ["docker::client", "docker::context", "docker::operate", "docker::stats", "docker::attach"] {
                forbid(name);
            }
            forbid("tokio::net");
            forbid("std::fs");
        }
    }
    none("an engine is known by another", findings);
}

#[test]
fn only_the_faces_print() {
    let mut findings = Vec::new();
    for source in product().iter().filter(|s| !s.is_test && s.room != "face" && s.path != "src/main.rs") {
        for name in ["println", "eprintln", "print", "eprint", "dbg", "todo", "unimplemented"] {
            let called = source.lines_with(&format!("{name}!"));
            findings.extend(called.into_iter().map(|line| format!("{}:{line}: {name}!", source.path)));
        }
    }
    none("something is printed beside the faces", findings);
}

#[test]
fn the_reader_of_sources_sees_through_comments_strings_and_groups() {
    let text = "//! x\nuse std::{fmt, fs::{self, File}};\n// tokio\nlet s = \"bollard \\\" crossterm\"; let c = '\"'; let t = r#\"rand\"#;\n\
                use crate::engine::{Topic, docker::client};\nfn f<'a>(x: &'a str) { x.execute(1) }\n#[cfg(test)]\nmod tests { use tokio; }\n";
    let source = Source::new("src/ui/x.rs", text, false);
    for (name, lines) in [
        ("std::fs", vec![2]),
        ("std::fs::File", vec![2]),
        ("tokio", vec![]),
        ("bollard", vec![]),
        ("crossterm", vec![]),
        ("rand", vec![]),
        ("engine::docker", vec![5]),
        (".execute(", vec![6]),
        ("fmt", vec![2]),
        ("fm", vec![]),
    ] {
        assert_eq!(source.lines_with(name), lines, "{name}");
    }
    assert_eq!((source.room.as_str(), source.rooms()), ("ui", vec!["engine".to_owned()]));
}
