//! quarterdeck: a terminal operations console.
//!
//! ```text
//!     engines ──▶ observe ──▶ app ──▶ ui ──▶ terminal
//!                              │ ▲
//!          keys ──▶ keymap ────┘ └──── operate ──▶ engines
//! ```
//!
//! The pure rooms ([`model`], [`observe`], [`operate`], [`app`], [`keymap`], [`theme`], [`ui`]) know no network, file,
//! clock, thread or terminal: they are tested by plain function calls, and `tests/layers.rs` keeps them so.
//! [`engine`] talks to what runs the containers, [`probe`] looks at the world around them, [`runtime`] performs effects and follows topics, [`face`] holds the
//! two drivers of the one app: the console and the commands.
//!
//! Invariants, each with a test:
//! 1. Pure rooms import nothing from outside.
//! 2. Rendering writes nothing.
//! 3. Only `operate` decides what reaches [`engine::Engine::execute`].
//! 4. A call or a child process names its target.
//! 5. Text from outside reaches a cell only through [`observe::text`].
//! 6. Every buffer and channel has a bound; what is dropped is counted and shown.
//! 7. Selection is by identity.
//! 8. A secret is masked before it reaches state.
//! 9. The terminal is restored on every way out.
//! 10. No time, randomness or environment in pure code: they come in with a message.

pub mod app;
pub mod cli;
pub mod config;
pub mod document;
pub mod engine;
pub mod face;
pub mod keymap;
pub mod model;
pub mod observe;
pub mod operate;
pub mod probe;
pub mod runtime;
pub mod theme;
pub mod ui;
