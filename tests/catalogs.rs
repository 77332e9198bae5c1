//! Every keymap and theme that is shipped: sound, complete, and safe to use half awake.

#[path = "catalogs/keymaps.rs"]
mod keymaps;
#[path = "catalogs/sight.rs"]
mod sight;
#[path = "catalogs/themes.rs"]
mod themes;
