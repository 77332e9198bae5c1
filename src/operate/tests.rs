//! Operations from request to outcome on a simulated engine: tables of plans, stories of runs, and properties.

#![allow(
    clippy::needless_raw_string_hashes,
    clippy::wildcard_imports,
    clippy::default_trait_access,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::match_same_arms,
    clippy::collapsible_if,
    clippy::assign_op_pattern,
    reason = "tables of expected text are written by the test tool, and tests read better short"
)]

mod drive;
mod kubernetes;
mod load;
mod plans;
mod properties;
mod reading;
mod recovery;
mod stories;
mod surroundings;
mod swarm;
mod switching;
mod up;
mod verbs;
mod world;
