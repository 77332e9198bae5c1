//! The definitions of the demo's stacks as they are judged: what their recipes say, with what no recipe says filled in by
//! what such images and files do.

use std::sync::Arc;

use super::recipe::Recipe;
use super::world::World;
use crate::model::{EngineKind, EnvironmentId, Port, WorkloadId};
use crate::observe::hygiene::{LogKept, Makeup, Survey, User, Why, env};

/// Looks at every workload of an environment; `None` where the world has no such place.
#[must_use]
pub fn survey(world: &World, environment: &EnvironmentId) -> Option<Survey> {
    let place = &world.places[world.place(environment)?];
    let cluster = place.stack.engine == EngineKind::Kubernetes;
    let makeup = |service: &super::place::Service| {
        let newest = service.units.iter().max_by_key(|unit| (unit.revision, unit.created_at));
        let image = newest.map_or_else(|| service.template.image.clone(), |unit| unit.image.clone());
        of_recipe(service.recipe, image, cluster)
    };
    Some(Survey { makeups: place.services.iter().map(makeup).collect(), unseen: Vec::new() })
}

fn of_recipe(recipe: &Recipe, image: Arc<str>, cluster: bool) -> Makeup {
    let entries = || recipe.env.iter().filter_map(|entry| entry.split_once('='));
    let mut keys = env::judge(entries());
    if cluster {
        let plain =
            entries().filter(|(key, value)| env::is_secret(key, value) && !keys.iter().any(|(known, _)| **known == **key));
        let plain: Vec<(Arc<str>, Why)> = plain.map(|(key, _)| (key.into(), Why::Plain)).collect();
        keys.extend(plain);
    }
    let port = |(host, container): &(Option<u16>, u16)| Port {
        host: host.map(|host| ("0.0.0.0".into(), host)),
        container: *container,
        protocol: "tcp".into(),
    };
    let checked = recipe.probe.is_some();
    Makeup {
        container: cluster.then(|| recipe.name.into()),
        // The stacks' own images name a user; those of databases and proxies begin as root, and step down by themselves.
        user: if matches!(recipe.repository, "postgres" | "pgvector" | "redis" | "nginx") { User::Root } else { User::Other },
        escalates: cluster.then_some(false),
        ports: recipe.ports.iter().map(port).collect(),
        log: (!cluster).then(|| LogKept::by("json-file", true)),
        checked: Some(checked),
        revived: cluster.then_some(checked),
        memory_limited: Some(true),
        cpu_limited: Some(true),
        keys,
        ..Makeup::new(WorkloadId::new(recipe.name), image)
    }
}
