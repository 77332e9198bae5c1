//! Where load tests may go, and how big they may be: nowhere, unless the configuration says so.

use std::sync::Arc;

use crate::observe::load::{MAX_RATE, MAX_USERS};

/// What an environment says about load tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadPolicy {
    /// Nothing is sent unless this is said.
    pub allowed: bool,
    /// Addresses that may be sent to, with everything below them; beside them only what its workloads publish.
    pub targets: Vec<Arc<str>>,
    pub max_users: u32,
    /// Requests a second.
    pub max_rate: u32,
    /// A test ends by itself when more than so many percent of the requests of five seconds fail.
    pub abort_percent: u8,
}

impl Default for LoadPolicy {
    fn default() -> Self {
        Self { allowed: false, targets: Vec::new(), max_users: MAX_USERS, max_rate: MAX_RATE, abort_percent: 50 }
    }
}
