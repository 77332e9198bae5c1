//! The series of measured figures, bounded.

/// The series of measured figures, bounded.
#[derive(Debug, Default)]
pub struct Metrics {}
