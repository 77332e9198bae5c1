//! The only door to a change: plan → guard → lock → steps → settle → audit, as pure state machines that take events
//! and return effects.

pub mod action;
pub mod audit;
pub mod autoscale;
pub mod env_file;
pub mod errand;
pub mod guard;
pub mod image;
pub mod machine;
pub mod mirror;
pub mod plan;
pub mod policy;
pub mod refusal;
pub mod request;
pub mod runbook;
pub mod unfinished;

pub use action::{Accepted, Action, Output, Pacing};
pub use errand::Errand;
pub use plan::{Change, Gate, Plan, Step, Work};
pub use policy::Policy;
pub use refusal::Refusal;
pub use request::{Operation, Request, Target};

#[cfg(test)]
mod tests;
