//! From the server's words to ours: each object is made small as it comes, and workloads, nodes and environments are put
//! together from those. Wire types stop here; every text is sanitised and secrets are masked on the way.

pub mod capability;
pub mod container;
pub mod declared;
pub mod event;
pub mod facts;
pub mod history;
pub mod makeup;
pub mod node;
pub mod object;
pub mod pod;
pub mod quantity;
pub mod rollout;
pub mod scaler;
pub mod verdict;
pub mod workload;

use std::sync::Arc;

use super::wire::Meta;
use crate::engine::intern::Interner;
use crate::observe::redact;
use crate::observe::text::clean;

/// What quarterdeck notes on objects, and what the cluster's own controllers do.
pub const BY: &str = "quarterdeck.io/by";
pub const OPERATION: &str = "quarterdeck.io/operation";
pub const RESTING: &str = "quarterdeck.io/resting";
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// The number and the time a revision was made with.
pub const MADE: &str = "quarterdeck.io/revision";

/// Longest message passed on, characters.
const LONGEST: usize = 400;

/// Where an object is: its namespace (empty where it is in none) and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl Key {
    /// The key of an object.
    #[must_use]
    pub fn of(meta: &Meta, interner: &mut Interner) -> Self {
        Self { namespace: interner.text(&meta.namespace), name: clean(&meta.name).into() }
    }
}

/// A message in one line, masked and not too long.
#[must_use]
pub fn words(text: &str) -> Arc<str> {
    let clean = clean(text.trim());
    let masked = redact::text(&clean);
    match masked.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &masked[..end]).into(),
        None => (&*masked).into(),
    }
}

/// A number of things; what is missing or makes no sense is none.
#[must_use]
pub fn count(number: Option<i64>) -> u32 {
    u32::try_from(number.unwrap_or(0).max(0)).unwrap_or(u32::MAX)
}
