//! Which environment something belongs to: a configured one, one named after its Compose project or Swarm stack, or what
//! gathers the rest (`containers`, `swarm`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::config::EnvironmentSpec;
use crate::engine::docker::labels::{LOOSE, NO_STACK};
use crate::model::{ConnectionId, EngineKind, Environment, EnvironmentId, Guard, Mechanics, Tier};

/// What holds containers together on the engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Project(Arc<str>),
    Loose,
    Stack(Arc<str>),
    /// Swarm services of no stack.
    NoStack,
}

impl Group {
    /// The scope of its lock.
    #[must_use]
    pub fn scope(&self) -> &str {
        match self {
            Self::Project(name) | Self::Stack(name) => name,
            Self::Loose => LOOSE,
            Self::NoStack => NO_STACK,
        }
    }

    /// Whether a Swarm manager makes its wanted state so.
    #[must_use]
    pub fn is_swarm(&self) -> bool {
        match self {
            Self::Project(_) | Self::Loose => false,
            Self::Stack(_) | Self::NoStack => true,
        }
    }
}

/// The environments of one endpoint: what is configured there, and whether the rest is shown.
#[derive(Clone, Debug)]
pub struct Places {
    pub connection: ConnectionId,
    pub endpoint: Arc<str>,
    pub specs: Arc<[EnvironmentSpec]>,
    pub discover: bool,
    /// The Compose projects there are: a stack of the same name is called another.
    pub projects: BTreeSet<Arc<str>>,
}

impl Places {
    /// What is configured for a group.
    #[must_use]
    pub fn spec(&self, group: &Group) -> Option<&EnvironmentSpec> {
        self.specs.iter().find(|spec| &group_of(spec) == group)
    }

    /// The groups that are shown even when they hold nothing.
    pub fn configured(&self) -> impl Iterator<Item = Group> {
        self.specs.iter().map(group_of)
    }

    /// The environment a group is shown as; `None` when it is not shown.
    #[must_use]
    pub fn name(&self, group: &Group) -> Option<Arc<str>> {
        if let Some(spec) = self.spec(group) {
            return Some(spec.name.clone());
        }
        if !self.discover {
            return None;
        }
        let taken = |name: &str| self.specs.iter().any(|spec| spec.name.as_ref() == name);
        Some(match group {
            Group::Project(name) if taken(name) || name.as_ref() == LOOSE => format!("{name} (project)").into(),
            Group::Loose if taken(LOOSE) => format!("{LOOSE} (loose)").into(),
            Group::Loose => LOOSE.into(),
            Group::Stack(name) if taken(name) || self.projects.contains(name) || matches!(&**name, LOOSE | NO_STACK) => {
                format!("{name} (stack)").into()
            }
            Group::Project(name) | Group::Stack(name) => name.clone(),
            Group::NoStack if taken(NO_STACK) || self.projects.contains(NO_STACK) => format!("{NO_STACK} (no stack)").into(),
            Group::NoStack => NO_STACK.into(),
        })
    }

    /// The environment a group is shown as.
    #[must_use]
    pub fn id(&self, group: &Group) -> Option<EnvironmentId> {
        Some(EnvironmentId { connection: self.connection.clone(), name: self.name(group)? })
    }

    /// The environment with all that is known of it. Found without configuration nobody said how much a mistake would
    /// hurt, wherever the socket is: the tier is unknown and changes ask for a yes.
    #[must_use]
    pub fn environment(&self, group: &Group) -> Option<Environment> {
        let spec = self.spec(group);
        let endpoint = match group {
            Group::Project(name) => format!("{} · project {name}", self.endpoint),
            Group::Loose => format!("{} · containers without a project", self.endpoint),
            Group::Stack(name) => format!("{} · stack {name}", self.endpoint),
            Group::NoStack => format!("{} · services without a stack", self.endpoint),
        };
        let swarm = group.is_swarm();
        Some(Environment {
            id: self.id(group)?,
            tier: spec.map_or(Tier::Unknown, |s| s.tier),
            engine: if swarm { EngineKind::Swarm } else { EngineKind::Compose },
            mechanics: if swarm { Mechanics::Declared } else { Mechanics::Instances },
            endpoint: endpoint.into(),
            guard: spec.map_or(Guard::Confirm, |s| s.guard),
        })
    }

    /// What the environments of these groups stand for, by name.
    #[must_use]
    pub fn named<'a>(&self, groups: impl Iterator<Item = &'a Group>) -> HashMap<Arc<str>, Group> {
        groups.filter_map(|group| Some((self.name(group)?, group.clone()))).collect()
    }
}

/// What a configured environment stands for.
#[must_use]
pub fn group_of(spec: &EnvironmentSpec) -> Group {
    match (spec.engine, spec.project.as_ref()) {
        (EngineKind::Swarm, NO_STACK) => Group::NoStack,
        (EngineKind::Swarm, _) => Group::Stack(spec.project.clone()),
        (EngineKind::Compose | EngineKind::Kubernetes | EngineKind::Demo, LOOSE) => Group::Loose,
        (EngineKind::Compose | EngineKind::Kubernetes | EngineKind::Demo, _) => Group::Project(spec.project.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::policy::Policy;

    fn places(specs: &[(&str, &str)], discover: bool) -> Places {
        let spec = |(name, project): &(&str, &str)| EnvironmentSpec {
            name: (*name).into(),
            tier: Tier::Production,
            guard: Guard::Type,
            engine: EngineKind::Compose,
            project: (*project).into(),
            files: Vec::new(),
            env_file: None,
            policy: Policy::of(Guard::Type),
        };
        Places {
            connection: "local".into(),
            endpoint: "unix:///d.sock".into(),
            specs: specs.iter().map(spec).collect(),
            discover,
            projects: BTreeSet::new(),
        }
    }

    #[test]
    fn every_group_has_one_name_and_no_two_share_one() {
        let project = |name: &str| Group::Project(name.into());
        let bare = places(&[], true);
        assert_eq!(bare.name(&project("shop")).as_deref(), Some("shop"));
        assert_eq!(bare.name(&Group::Loose).as_deref(), Some("containers"));
        assert_eq!(bare.name(&project("containers")).as_deref(), Some("containers (project)"));
        let configured = places(&[("production", "shop"), ("containers", "other")], true);
        assert_eq!(configured.name(&project("shop")).as_deref(), Some("production"));
        assert_eq!(configured.name(&project("production")).as_deref(), Some("production (project)"));
        assert_eq!(configured.name(&Group::Loose).as_deref(), Some("containers (loose)"));
        assert_eq!(places(&[("production", "shop")], false).name(&project("else")), None);
        let named = configured.named([project("shop"), Group::Loose, project("x")].iter());
        assert_eq!(named.get("containers (loose)"), Some(&Group::Loose));
        assert_eq!(named.get("production"), Some(&project("shop")));
        let stack = |name: &str| Group::Stack(name.into());
        let mut both = places(&[], true);
        both.projects.insert("shop".into());
        assert_eq!(both.name(&stack("shop")).as_deref(), Some("shop (stack)"));
        assert_eq!(both.name(&stack("cart")).as_deref(), Some("cart"));
        assert_eq!(both.name(&stack("swarm")).as_deref(), Some("swarm (stack)"));
        assert_eq!(both.name(&Group::NoStack).as_deref(), Some("swarm"));
        let environment = both.environment(&stack("cart")).unwrap();
        assert_eq!((environment.engine, environment.mechanics), (EngineKind::Swarm, Mechanics::Declared));
        assert_eq!(&*environment.endpoint, "unix:///d.sock · stack cart");
    }

    #[test]
    fn a_configured_environment_brings_its_tier_and_guard() {
        let places = places(&[("production", "shop")], true);
        let configured = places.environment(&Group::Project("shop".into())).unwrap();
        assert_eq!((configured.tier, configured.guard), (Tier::Production, Guard::Type));
        assert_eq!(configured.endpoint.as_ref(), "unix:///d.sock · project shop");
        let found = places.environment(&Group::Loose).unwrap();
        assert_eq!((found.tier, found.guard), (Tier::Unknown, Guard::Confirm));
    }
}
