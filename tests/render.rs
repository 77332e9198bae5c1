//! Every screen as it is drawn, at the sizes people have, and that nothing drawn is ever wrong at any other.

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

#[path = "render/any.rs"]
mod any;
#[path = "render/charts.rs"]
mod charts;
#[path = "support/deploy.rs"]
mod deploy;
#[path = "render/picture.rs"]
mod picture;
#[path = "support/scene.rs"]
mod scene;
#[path = "render/screens.rs"]
mod screens;
