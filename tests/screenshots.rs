//! The pictures the README shows are what the program shows: each is made again and compared.

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

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_picture_is_what_the_program_shows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let list = fs::read_to_string(folder.join("pictures")).expect("the list of pictures is there");
    let make = std::env::var_os("QD_MAKE_SCREENSHOTS").is_some();
    let mut stale = Vec::new();
    let mut known = Vec::new();
    for line in list.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let name = format!("{}.svg", words.next().expect("a picture has a name"));
        let picture = draw(&words.collect::<Vec<_>>());
        let file = folder.join(&name);
        if make {
            fs::write(&file, &picture).expect("the picture can be written");
        } else if fs::read_to_string(&file).ok().as_ref() != Some(&picture) {
            stale.push(name.clone());
        }
        known.push(name);
    }
    assert!(stale.is_empty(), "out of date: {}; run screenshots/make and look at them", stale.join(", "));
    let readme = fs::read_to_string(folder.join("../README.md")).expect("there is a README");
    for name in &known {
        assert!(readme.contains(&format!("screenshots/{name}")), "{name} is shown in the README");
    }
}

/// The program's answer, with an empty home so that nobody's configuration changes it.
fn draw(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_qd"))
        .arg("screenshot")
        .args(arguments)
        .args(["--format", "svg"])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a picture is text")
}
