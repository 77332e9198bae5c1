//! Where figures are scraped, as it is configured.

use std::sync::Arc;
use std::time::Duration;

/// One endpoint of exposition text, or one of every instance of a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScrapeSpec {
    /// Whose figures they are; `None` for an address nobody said that of.
    pub workload: Option<Arc<str>>,
    /// With `{instance}` where the address of each instance of the workload stands.
    pub url: Arc<str>,
    pub interval: Duration,
    /// The `job` label of what is scraped there.
    pub job: Arc<str>,
}
