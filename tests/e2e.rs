//! The program as a person and a script meet it: in a terminal, and behind a pipe.

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

#[path = "e2e/command.rs"]
mod command;
#[path = "e2e/compose.rs"]
mod compose;
#[path = "e2e/console.rs"]
mod console;
#[path = "e2e/load.rs"]
mod load;
#[path = "e2e/logs.rs"]
mod logs;
#[path = "support/pty.rs"]
mod pty;
#[allow(dead_code, reason = "these tests need a part of it")]
#[path = "support/real_engine.rs"]
mod real_engine;
#[path = "e2e/ssh.rs"]
mod ssh;
#[path = "support/sshd.rs"]
mod sshd;

/// The program under test.
const QD: &str = env!("CARGO_BIN_EXE_qd");
