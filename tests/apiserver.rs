//! The simulated API server held to what a real one says.

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

#[path = "support/apiserver.rs"]
mod apiserver;
#[path = "apiserver/client.rs"]
mod client;
#[path = "apiserver/ends.rs"]
mod ends;
#[path = "apiserver/held.rs"]
mod held;
#[path = "apiserver/pods.rs"]
mod pods;
#[path = "apiserver/read.rs"]
mod read;
#[path = "apiserver/refusals.rs"]
mod refusals;
#[path = "apiserver/rollout.rs"]
mod rollout;
#[path = "apiserver/stories.rs"]
mod stories;
