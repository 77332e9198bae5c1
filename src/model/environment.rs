//! An environment: a named place a stack runs, how careful one must be there, and how it is changed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::EnvironmentId;

/// How much a mistake would hurt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Local,
    Staging,
    Production,
    /// Found without configuration: nobody said. Treated with care.
    #[default]
    Unknown,
}

impl Tier {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Unknown => "unknown",
        }
    }

    /// The guard an environment of this tier has unless its configuration names one.
    #[must_use]
    pub fn default_guard(self) -> Guard {
        match self {
            Self::Local => Guard::Open,
            Self::Staging | Self::Unknown => Guard::Confirm,
            Self::Production => Guard::Type,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What an environment asks before it lets an operation start; ordered from lenient to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Nothing, except before destructive operations.
    Open,
    /// A yes.
    Confirm,
    /// The environment's name, typed.
    Type,
    /// Nothing may be changed.
    ReadOnly,
}

impl Guard {
    /// Every guard, lenient first.
    pub const ALL: [Self; 4] = [Self::Open, Self::Confirm, Self::Type, Self::ReadOnly];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirm => "confirm",
            Self::Type => "type",
            Self::ReadOnly => "read-only",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What runs the containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    Compose,
    Swarm,
    Kubernetes,
    Demo,
}

impl EngineKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Swarm => "swarm",
            Self::Kubernetes => "kubernetes",
            Self::Demo => "demo",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for EngineKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Compose, Self::Swarm, Self::Kubernetes, Self::Demo].into_iter().find(|k| k.word() == text).ok_or(())
    }
}

/// How an environment's workloads are changed: decides which small actions a plan is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanics {
    /// quarterdeck creates, starts, stops and removes instances itself (Compose).
    Instances,
    /// The engine is told the wanted state and makes it so (Swarm, Kubernetes).
    Declared,
}

/// A named place a stack runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub id: EnvironmentId,
    pub tier: Tier,
    pub engine: EngineKind,
    pub mechanics: Mechanics,
    /// The pinned target in full, as a person would check it: `unix:///var/run/docker.sock · project lms-ai`.
    pub endpoint: Arc<str>,
    pub guard: Guard,
}

impl Environment {
    /// The machine its engine runs on, as it is reached from here: the host of an endpoint that is elsewhere.
    #[must_use]
    pub fn machine(&self) -> &str {
        let far = ["tcp://", "ssh://"].iter().find_map(|scheme| self.endpoint.strip_prefix(scheme));
        let authority = far.map(|rest| rest.split(['/', ' ']).next().unwrap_or(rest));
        let named = authority.map(|authority| authority.rsplit('@').next().unwrap_or(authority));
        match named.map(|named| (named, named.rsplit_once(':'))) {
            None => "localhost",
            Some((_, Some((host, port)))) if !port.contains(']') => host,
            Some((named, Some(_) | None)) => named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engines_machine_is_where_its_endpoint_is() {
        for (endpoint, expected) in [
            ("unix:///var/run/docker.sock · project x", "localhost"),
            ("ssh://deploy@10.0.0.5 · project x", "10.0.0.5"),
            ("ssh://deploy@10.0.0.5:2222 · project x", "10.0.0.5"),
            ("tcp://engine.example:2376 · stack x", "engine.example"),
            ("tcp://[fd00::5]:2376 · project x", "[fd00::5]"),
            ("context prod-eu · lms-ai", "localhost"),
        ] {
            let environment = Environment {
                id: EnvironmentId::new("c", "e"),
                tier: Tier::Local,
                engine: EngineKind::Compose,
                mechanics: Mechanics::Instances,
                endpoint: endpoint.into(),
                guard: Guard::Open,
            };
            assert_eq!(environment.machine(), expected, "{endpoint}");
        }
    }
}
