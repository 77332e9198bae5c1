//! Health with its reasons, and how many healths become one.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// How something is, ordered from best to worst so that `max` is "worst first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Healthy,
    /// Meant to be stopped and stopped: nobody's page.
    Stopped,
    #[default]
    Unknown,
    Starting,
    Degraded,
    Unhealthy,
}

impl Health {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
            Self::Starting => "starting",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// Its one-cell symbol: state is never shown by colour alone.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Healthy => "●",
            Self::Stopped => "○",
            Self::Unknown => "?",
            Self::Starting => "◌",
            Self::Degraded => "◐",
            Self::Unhealthy => "✖",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A health and why, worst reason first. A healthy verdict has no reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub health: Health,
    pub reasons: Vec<Arc<str>>,
    /// Since when it is so; `None` when it was so already when it was first seen.
    pub since: Option<Timestamp>,
}

impl Verdict {
    /// `health` for these reasons, worst first.
    #[must_use]
    pub fn new(health: Health, reasons: Vec<Arc<str>>) -> Self {
        Self { health, reasons, since: None }
    }

    /// Healthy, nothing to say.
    #[must_use]
    pub fn healthy() -> Self {
        Self::new(Health::Healthy, Vec::new())
    }

    /// `health` for one reason.
    #[must_use]
    pub fn because(health: Health, reason: impl Into<Arc<str>>) -> Self {
        Self::new(health, vec![reason.into()])
    }
}

/// A workload's verdict from its instances' verdicts and how many are wanted.
///
/// All healthy and enough: healthy. None usable although some are wanted: unhealthy. Some usable: degraded.
/// None wanted: stopped. Starting only counts when nothing is worse.
#[must_use]
pub fn roll_up(desired: u32, instances: &[(&str, &Verdict)]) -> Verdict {
    if desired == 0 && instances.iter().all(|(_, v)| v.health == Health::Stopped) {
        return Verdict::new(Health::Stopped, Vec::new());
    }
    let count = |h: Health| instances.iter().filter(|(_, v)| v.health == h).count();
    let healthy = count(Health::Healthy);
    let usable = healthy + count(Health::Degraded) + count(Health::Unknown);
    let starting = count(Health::Starting);
    let bad = count(Health::Unhealthy);
    let wanted = desired as usize;
    let health = if usable == 0 && starting == 0 && wanted > 0 {
        Health::Unhealthy
    } else if bad > 0 || healthy + starting + count(Health::Unknown) < wanted || count(Health::Degraded) > 0 {
        if usable == 0 { Health::Unhealthy } else { Health::Degraded }
    } else if starting > 0 {
        Health::Starting
    } else if count(Health::Unknown) > 0 {
        Health::Unknown
    } else {
        Health::Healthy
    };
    let mut reasons: Vec<(Health, Arc<str>)> = Vec::new();
    if health != Health::Healthy {
        for (name, verdict) in instances {
            for reason in &verdict.reasons {
                let text: Arc<str> = if instances.len() > 1 { format!("{name}: {reason}").into() } else { reason.clone() };
                reasons.push((verdict.health, text));
            }
        }
        if instances.len() < wanted {
            reasons.push((Health::Degraded, format!("{} of {wanted} instances exist", instances.len()).into()));
        }
        reasons.sort_by_key(|(health, _)| std::cmp::Reverse(*health));
    }
    Verdict::new(health, reasons.into_iter().map(|(_, text)| text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workload_health_follows_its_instances() {
        let of = |h: Health| Verdict::new(h, if h == Health::Healthy { vec![] } else { vec![h.word().into()] });
        use Health::{Degraded, Healthy, Starting, Stopped, Unhealthy, Unknown};
        let table: &[(u32, &[Health], Health)] = &[
            (0, &[], Stopped),
            (0, &[Stopped], Stopped),
            (1, &[], Unhealthy),
            (1, &[Healthy], Healthy),
            (1, &[Stopped], Unhealthy),
            (1, &[Starting], Starting),
            (2, &[Healthy, Unhealthy], Degraded),
            (2, &[Unhealthy, Unhealthy], Unhealthy),
            (2, &[Healthy, Starting], Starting),
            (3, &[Healthy, Healthy], Degraded),
            (1, &[Degraded], Degraded),
            (1, &[Unknown], Unknown),
            (2, &[Starting, Unhealthy], Unhealthy),
        ];
        for (desired, healths, expected) in table {
            let verdicts: Vec<Verdict> = healths.iter().map(|h| of(*h)).collect();
            let named: Vec<(&str, &Verdict)> = verdicts.iter().map(|v| ("x", v)).collect();
            assert_eq!(roll_up(*desired, &named).health, *expected, "{desired} wanted of {healths:?}");
        }
    }
}
