//! The Docker engine: Compose projects and loose containers, through bollard.

pub mod labels;
