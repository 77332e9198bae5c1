//! Swarm: services, their tasks and the nodes they run on, as a manager tells them, and the changes a manager is told.
//!
//! An instance is a task; the container of a task on the node that is connected to gives it statistics, a shell and the
//! better log. What only another node knows is shown as far as the manager tells it.

pub mod assemble;
pub mod cluster;
pub mod describe;
pub mod facts;
pub mod history;
pub mod look;
pub mod operate;
pub mod service;
pub mod task;
pub mod template;
pub mod wire;

pub use assemble::environments;
pub use cluster::{Cluster, Membership};
pub use look::Look;
