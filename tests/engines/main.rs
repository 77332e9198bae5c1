//! The engines held to their promises: one contract for all, and what only a real Docker engine can show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why on stderr"
)]

#[path = "../support/driver.rs"]
mod driver;
#[path = "../support/real_engine.rs"]
mod real_engine;
#[path = "../support/registry.rs"]
mod registry;

mod contract;
mod contract_demo;
mod contract_real;
mod fake;
mod proxy;
mod real_attach;
mod real_image;
mod real_life;
mod real_lock;
mod real_observe;
mod real_replica;
mod recorded;
