//! Which environment a container belongs to: a configured one, one named after its Compose project, or `containers`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::EnvironmentSpec;
use crate::engine::docker::labels::LOOSE;
use crate::model::{ConnectionId, EngineKind, Environment, EnvironmentId, Guard, Mechanics, Tier};

/// What holds containers together on the engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Project(Arc<str>),
    Loose,
}

impl Group {
    /// The scope of its lock.
    #[must_use]
    pub fn scope(&self) -> &str {
        match self {
            Self::Project(name) => name,
            Self::Loose => LOOSE,
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
}

impl Places {
    fn spec(&self, group: &Group) -> Option<&EnvironmentSpec> {
        self.specs.iter().find(|spec| &group_of(&spec.project) == group)
    }

    /// The groups that are shown even when they hold nothing.
    pub fn configured(&self) -> impl Iterator<Item = Group> {
        self.specs.iter().map(|spec| group_of(&spec.project))
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
            Group::Project(name) => name.clone(),
            Group::Loose if taken(LOOSE) => format!("{LOOSE} (loose)").into(),
            Group::Loose => LOOSE.into(),
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
        };
        Some(Environment {
            id: self.id(group)?,
            tier: spec.map_or(Tier::Unknown, |s| s.tier),
            engine: EngineKind::Compose,
            mechanics: Mechanics::Instances,
            endpoint: endpoint.into(),
            guard: spec.map_or(Guard::Confirm, |s| s.guard),
        })
    }

    /// Environment names that are not their project's, among these groups and the configured ones.
    #[must_use]
    pub fn renamed<'a>(&self, groups: impl Iterator<Item = &'a Group>) -> HashMap<Arc<str>, Arc<str>> {
        let pairs = groups.filter_map(|group| Some((self.name(group)?, group.scope().into())));
        pairs.filter(|(name, scope): &(Arc<str>, Arc<str>)| name != scope).collect()
    }
}

fn group_of(project: &Arc<str>) -> Group {
    if project.as_ref() == LOOSE { Group::Loose } else { Group::Project(project.clone()) }
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
            policy: Policy::of(Guard::Type),
        };
        Places {
            connection: "local".into(),
            endpoint: "unix:///d.sock".into(),
            specs: specs.iter().map(spec).collect(),
            discover,
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
        let renamed = configured.renamed([project("shop"), Group::Loose, project("x")].iter());
        assert_eq!(renamed.get("containers (loose)").map(AsRef::as_ref), Some("containers"));
        assert_eq!(renamed.len(), 2);
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
