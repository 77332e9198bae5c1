//! Every keymap and theme that is shipped: sound, complete, and safe to use half awake.

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

#[path = "catalogs/keymaps.rs"]
mod keymaps;
#[path = "catalogs/sight.rs"]
mod sight;
#[path = "catalogs/themes.rs"]
mod themes;
