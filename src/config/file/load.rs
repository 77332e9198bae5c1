//! `[environment.load]`: whether load tests are allowed, where to, and how big.

use crate::document::{Section, read};
use crate::observe::load::{MAX_RATE, MAX_USERS};
use crate::operate::policy::LoadPolicy;

pub(super) fn load(section: &Section<'_>) -> LoadPolicy {
    let usual = LoadPolicy::default();
    let percent = |node| {
        let rate: f64 = read::number(node)?;
        if rate > 0.0 && rate <= 1.0 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100")]
            return Some((rate * 100.0).round().max(1.0) as u8);
        }
        node.note("a part of all requests is wanted: more than 0 and at most 1, such as 0.2");
        None
    };
    let load = LoadPolicy {
        allowed: section.require("allowed", read::boolean).unwrap_or(false),
        targets: section.read("targets", read::list("an array of addresses", read::url)).unwrap_or_default(),
        max_users: section.read("max_users", read::count(1..=MAX_USERS)).unwrap_or(usual.max_users),
        max_rate: section.read("max_rate", read::count(1..=MAX_RATE)).unwrap_or(usual.max_rate),
        abort_percent: section.read("abort_error_rate", percent).unwrap_or(usual.abort_percent),
    };
    section.end();
    load
}
