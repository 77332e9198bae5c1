//! Clap types only.
