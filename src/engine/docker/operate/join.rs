//! Giving a container more names on its networks. The engine gives names only when a container is attached, so it is taken
//! off the network and attached again.

use std::collections::BTreeMap;
use std::sync::Arc;

use bollard::models::{
    ContainerInspectResponse, EndpointIpamConfig, EndpointSettings, NetworkConnectRequest, NetworkDisconnectRequest,
};

use super::wire::{SHORT, Wire};
use super::{name, network};
use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::observe::text::clean;
use crate::operate::Accepted;

/// Gives the container, wherever its service is known by name, these names beside its own.
pub(super) async fn join(wire: &Wire, id: &str, aliases: &[Arc<str>]) -> Result<Accepted, EngineError> {
    let found = wire.container(id).await?;
    let name = clean(found.name.as_deref().unwrap_or(id).trim_start_matches('/')).into_owned();
    let changes = changes(&found, aliases);
    if changes.is_empty() {
        return Ok(Accepted::AlreadySo);
    }
    for change in changes {
        let what = format!("container {name} on network {}", change.network);
        let network = change.id.as_deref().unwrap_or(&change.network);
        if change.attached {
            let request = NetworkDisconnectRequest { container: id.to_owned(), force: None };
            wire.call(&what, SHORT, |docker| async move { docker.disconnect_network(network, request).await }).await?;
        }
        let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(change.settings) };
        wire.call(&what, SHORT, |docker| async move { docker.connect_network(network, request).await }).await?;
    }
    Ok(Accepted::Done)
}

/// A network the container is to be attached to anew.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    network: String,
    id: Option<String>,
    attached: bool,
    settings: EndpointSettings,
}

/// Where something is to be changed, by network.
fn changes(found: &ContainerInspectResponse, aliases: &[Arc<str>]) -> Vec<Change> {
    let short = name::short(found.id.as_deref().unwrap_or_default());
    let service = found.config.as_ref().and_then(|config| config.labels.as_ref()?.get(labels::SERVICE)).filter(|s| !s.is_empty());
    let kept_back = network::kept_back(found);
    let networks = found.network_settings.as_ref().and_then(|settings| settings.networks.clone()).unwrap_or_default();
    let mut seen: BTreeMap<String, Option<EndpointSettings>> =
        networks.into_iter().map(|(n, settings)| (n, Some(settings))).collect();
    // Whoever was at it before may have been stopped between taking it off and attaching it again.
    for network in kept_back.keys().chain(made_on(found)) {
        seen.entry(network.clone()).or_default();
    }
    seen.retain(|network, _| !matches!(network.as_str(), "bridge" | "host" | "none" | "default"));
    let mut changes = Vec::new();
    for (network, settings) in seen {
        let attached = settings.is_some();
        let before = settings.unwrap_or_default();
        let mut names: Vec<String> = before.aliases.iter().flatten().filter(|alias| *alias != short).cloned().collect();
        let count = names.len();
        let own = kept_back.get(&network).into_iter().flatten().cloned();
        let own: Vec<String> = own.chain((!attached).then_some(service).flatten().cloned()).collect();
        add(&mut names, own);
        // Where its service has no name here, neither has it.
        if service.is_none_or(|service| names.contains(service)) {
            add(&mut names, aliases.iter().map(ToString::to_string));
        }
        if !attached || names.len() > count {
            let settings = EndpointSettings {
                aliases: Some(names),
                ipam_config: before.ipam_config.filter(|ipam| *ipam != EndpointIpamConfig::default()),
                links: before.links,
                driver_opts: before.driver_opts,
                gw_priority: before.gw_priority.filter(|priority| *priority != 0),
                ..EndpointSettings::default()
            };
            changes.push(Change { network, id: before.network_id.filter(|id| !id.is_empty()), attached, settings });
        }
    }
    changes
}

/// The network the container was made on.
fn made_on(found: &ContainerInspectResponse) -> Option<&String> {
    let mode = found.host_config.as_ref()?.network_mode.as_ref()?;
    let networks = found.network_settings.as_ref()?.networks.as_ref()?;
    // It may be named by its id.
    let by_id = networks.values().any(|settings| settings.network_id.as_ref() == Some(mode));
    (!mode.is_empty() && !mode.starts_with("container:") && !by_id).then_some(mode)
}

fn add(names: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(json: serde_json::Value) -> ContainerInspectResponse {
        serde_json::from_value(json).unwrap()
    }

    fn of(json: serde_json::Value, aliases: &[&str]) -> Vec<(String, bool, Vec<String>)> {
        let aliases: Vec<Arc<str>> = aliases.iter().map(|alias| Arc::from(*alias)).collect();
        let changes = changes(&container(json), &aliases);
        changes.into_iter().map(|c| (c.network, c.attached, c.settings.aliases.unwrap())).collect()
    }

    fn seen(labels: &serde_json::Value, networks: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({
            "Id": "0123456789abcdef", "HostConfig": { "NetworkMode": "shop_back" },
            "Config": { "Labels": labels }, "NetworkSettings": { "Networks": networks },
        })
    }

    #[test]
    fn names_are_added_where_the_service_has_its_own() {
        let web = || serde_json::json!({ "com.docker.compose.service": "web" });
        let both = serde_json::json!({
            "shop_back": { "Aliases": ["0123456789ab", "web"] }, "shop_front": { "Aliases": ["other"] }, "bridge": {},
        });
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<String>>();
        assert_eq!(of(seen(&web(), &both), &["live"]), [("shop_back".into(), true, list(&["web", "live"]))]);
        assert_eq!(of(seen(&web(), &both), &["web"]), [], "it has that name");

        let hidden = serde_json::json!({
            "com.docker.compose.service": "web", "dev.quarterdeck.names": "{\"shop_back\":[\"web\",\"api\"],\"shop_front\":[]}",
        });
        let attached = serde_json::json!({ "shop_back": { "Aliases": ["0123456789ab"] }, "shop_front": {} });
        assert_eq!(of(seen(&hidden, &attached), &["web"]), [("shop_back".into(), true, list(&["web", "api"]))]);

        // Left in the middle of it.
        let off = serde_json::json!({ "shop_front": {} });
        assert_eq!(of(seen(&hidden, &off), &["web"]), [("shop_back".into(), false, list(&["web", "api"]))]);
        assert_eq!(of(seen(&web(), &off), &["live"]), [("shop_back".into(), false, list(&["web", "live"]))]);

        let loose = serde_json::json!({ "shop_back": {} });
        assert_eq!(of(seen(&serde_json::json!({}), &loose), &["live"]), [("shop_back".into(), true, list(&["live"]))]);
    }
}
