//! The Docker engine: Compose projects and loose containers, through bollard.

pub mod client;
pub mod context;
mod known;
pub mod labels;
mod outlet;
pub mod stats;
mod wire;
