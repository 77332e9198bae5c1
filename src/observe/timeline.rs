//! The what happened, in one bounded list.

/// The what happened, in one bounded list.
#[derive(Debug, Default)]
pub struct Timeline {}
