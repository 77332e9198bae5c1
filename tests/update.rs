//! The program without an outside: messages in, state and effects out.

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

#[path = "support/fixture.rs"]
mod fixture;

#[path = "update/alerting.rs"]
mod alerting;
#[path = "update/any.rs"]
mod any;
#[path = "update/around.rs"]
mod around;
#[path = "update/changing.rs"]
mod changing;
#[path = "update/guards.rs"]
mod guards;
#[path = "update/lists.rs"]
mod lists;
#[path = "update/log_finding.rs"]
mod log_finding;
#[path = "update/logs.rs"]
mod logs;
#[path = "update/moving.rs"]
mod moving;
#[path = "update/observing.rs"]
mod observing;
#[path = "update/operating.rs"]
mod operating;
#[path = "update/targets.rs"]
mod targets;
#[path = "update/topics.rs"]
mod topics;
#[path = "update/watching.rs"]
mod watching;
