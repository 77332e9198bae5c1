//! The router: one message in, effects out; one file per concern below.

use super::msg::Stamped;
use super::{Effect, State};

/// Takes a message into the state and says what is to be done outside.
pub fn update(_state: &mut State, _msg: Stamped) -> Vec<Effect> {
    Vec::new()
}
