//! What is said of a test that cannot run here.

use std::io::Write;

/// Says that something is not tested here: at once, and (runners hide what passing tests print) at the end of `tests/run`.
pub fn not_run(what: &str, why: &str) {
    eprintln!("NOT RUN: {what}: {why}");
    let Some(file) = std::env::var_os("QD_TEST_NOT_RUN") else { return };
    let file = std::fs::OpenOptions::new().append(true).open(file);
    // One short write: tests in other processes write there too.
    drop(file.and_then(|mut file| file.write_all(format!("{what}: {why}\n").as_bytes())));
}
