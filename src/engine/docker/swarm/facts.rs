//! What a stack uses beside its services: networks, secrets and configs by name, and the nodes it runs on. What a secret
//! or config holds is never asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cluster::{Cluster, Held};
use super::template;
use super::wire::{Network, Node};
use crate::observe::text::clean;

/// As (what, words), in the order of how often they are wanted.
#[must_use]
pub fn facts(cluster: &Cluster, services: &[&Arc<Held>]) -> Vec<(Arc<str>, Arc<str>)> {
    let templates = || services.iter().map(|service| &service.wire.spec.task_template);
    let targets: BTreeSet<&str> = templates().flat_map(template::networks).collect();
    let published = services.iter().any(|s| s.wire.endpoint.ports.iter().any(|p| p.publish_mode == "ingress"));
    let used = |n: &&Network| {
        targets.contains(n.id.as_str()) || targets.contains(n.name.as_str()) || (published && n.ingress == Some(true))
    };
    let networks: BTreeSet<String> = cluster.networks.iter().filter(used).map(network).collect();
    let named = |list: &'static str, name: &'static str| -> BTreeSet<String> {
        templates().flat_map(|t| template::names(t, list, name)).map(|n| clean(n).into_owned()).collect()
    };
    let ports: BTreeSet<String> = services
        .iter()
        .flat_map(|s| &s.wire.endpoint.ports)
        .filter(|p| p.publish_mode != "host")
        .filter_map(|p| Some(format!("{}->{}/{}", p.published_port?, p.target_port?, clean(&p.protocol))))
        .collect();
    let nodes: Vec<String> = cluster.nodes.iter().map(node).collect();
    let all = [
        ("networks", networks.into_iter().collect::<Vec<_>>()),
        ("ingress ports", ports.into_iter().collect()),
        ("secrets", named("Secrets", "SecretName").into_iter().collect()),
        ("configs", named("Configs", "ConfigName").into_iter().collect()),
        ("nodes", nodes),
    ];
    all.into_iter().filter(|(_, list)| !list.is_empty()).map(|(what, list)| (what.into(), list.join(", ").into())).collect()
}

/// `back (overlay, encrypted)`.
fn network(network: &Network) -> String {
    let mut words = vec![clean(&network.driver).into_owned()];
    // The option's being there says so; its value may be empty.
    let encrypted = network.options.get("encrypted").is_some_and(|value| value != "false");
    words.push(if encrypted { "encrypted".to_owned() } else { "not encrypted".to_owned() });
    for (on, word) in [(network.internal, "internal"), (network.ingress, "ingress")] {
        words.extend((on == Some(true)).then(|| word.to_owned()));
    }
    format!("{} ({})", clean(&network.name), words.join(", "))
}

/// `vm (leader, ready)`; what keeps tasks away from it is said.
#[must_use]
pub fn node(node: &Node) -> String {
    let role = match &node.manager_status {
        Some(status) if status.leader == Some(true) => "leader",
        Some(_) => "manager",
        None => "worker",
    };
    let mut words = vec![role.to_owned(), clean(&node.status.state).into_owned()];
    if node.spec.availability != "active" {
        words.push(clean(&node.spec.availability).into_owned());
    }
    let reach = node.manager_status.as_ref().map_or("", |status| status.reachability.as_str());
    if reach == "unreachable" {
        words.push("unreachable as a manager".to_owned());
    }
    if !node.status.message.is_empty() {
        words.push(clean(&node.status.message).into_owned());
    }
    format!("{} ({})", clean(&node.description.hostname), words.join(", "))
}
