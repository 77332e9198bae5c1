//! Typed roles over a palette.
