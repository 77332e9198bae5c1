//! What the program knows and how it changes: `update(&mut State, Msg) -> Vec<Effect>` and
//! `subscriptions(&State) -> BTreeSet<…>`. Knows no network, file, clock, thread or terminal; both faces drive it.

pub mod available;
pub mod changes;
pub mod command;
pub mod effect;
pub mod figures;
pub mod format;
pub mod forward;
pub mod help;
pub mod layout;
pub mod msg;
pub mod operations;
pub mod palette;
pub mod rows;
pub mod signs;
pub mod state;
pub mod subscription;
pub mod target;
pub mod update;
pub mod watches;

pub use command::{Command, LogCommand};
pub use effect::Effect;
pub use msg::Msg;
pub use state::State;
pub use update::update;
