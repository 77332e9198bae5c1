//! The Docker engine: Compose projects and loose containers, through bollard.

pub mod attach;
pub mod client;
pub mod context;
mod known;
pub mod labels;
pub mod operate;
mod outlet;
pub mod stats;
mod wire;
