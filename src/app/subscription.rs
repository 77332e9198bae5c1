//! Which topics are wanted, derived from state.
