//! The networks of a replica: those of its sister, with what belongs to the sister alone left out. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bollard::models::{ContainerInspectResponse, EndpointIpamConfig, EndpointSettings, HostConfig};

use super::name;
use crate::engine::docker::labels;

/// A place on a network.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// The network's name.
    pub(super) network: String,
    /// Its id at the time the sister was looked at.
    pub(super) id: Option<String>,
    pub(super) settings: EndpointSettings,
}

/// The places of a replica called `new_name` like `like`, whose proper name is `old_name`; sorted by network.
pub(super) fn endpoints(like: &ContainerInspectResponse, old_name: &str, new_name: &str) -> Vec<Endpoint> {
    let short = name::short(like.id.as_deref().unwrap_or_default());
    let aside = name::aside(like.id.as_deref().unwrap_or_default(), old_name);
    let networks = like.network_settings.as_ref().and_then(|settings| settings.networks.clone()).unwrap_or_default();
    let mut kept_back = kept_back(like);
    let mut endpoints: Vec<Endpoint> = networks
        .into_iter()
        .filter(|(network, _)| network != "host" && network != "none")
        .map(|(network, seen)| {
            // The default bridge knows no aliases and refuses them. One that is hidden still has its own, kept back.
            let aliases = seen.aliases.into_iter().flatten().chain(kept_back.remove(&network).unwrap_or_default());
            let aliases = (network != "bridge").then(|| {
                let mut own: Vec<String> = Vec::new();
                for alias in aliases.filter(|alias| alias != short && *alias != aside) {
                    let alias = if alias == old_name { new_name.to_owned() } else { alias };
                    if !own.contains(&alias) {
                        own.push(alias);
                    }
                }
                own
            });
            // Addresses and the hardware address are the sister's; only what was asked for is kept.
            let settings = EndpointSettings {
                ipam_config: seen.ipam_config.filter(|ipam| *ipam != EndpointIpamConfig::default()),
                links: seen.links,
                aliases: aliases.filter(|aliases| !aliases.is_empty()),
                driver_opts: seen.driver_opts,
                gw_priority: seen.gw_priority.filter(|priority| *priority != 0),
                ..EndpointSettings::default()
            };
            Endpoint { network, id: seen.network_id.filter(|id| !id.is_empty()), settings }
        })
        .collect();
    endpoints.sort_by(|a, b| a.network.cmp(&b.network));
    endpoints
}

/// Takes the names off the places, so that nobody finds what is there; answers them by network.
pub(super) fn hide(endpoints: &mut [Endpoint]) -> BTreeMap<String, Vec<String>> {
    endpoints.iter_mut().map(|place| (place.network.clone(), place.settings.aliases.take().unwrap_or_default())).collect()
}

/// The names a container made hidden was to have on each network.
pub(super) fn kept_back(like: &ContainerInspectResponse) -> BTreeMap<String, Vec<String>> {
    let label = like.config.as_ref().and_then(|config| config.labels.as_ref()?.get(labels::NAMES));
    label.and_then(|label| serde_json::from_str(label).ok()).unwrap_or_default()
}

/// Takes the place the container is created on out of `endpoints` and names it in the host configuration; `None` when
/// it has no network of its own (host, none, another container's).
pub(super) fn take_first(host: &mut HostConfig, endpoints: &mut Vec<Endpoint>) -> Option<Endpoint> {
    let mode = host.network_mode.clone().unwrap_or_default();
    if mode == "host" || mode == "none" || mode.starts_with("container:") || endpoints.is_empty() {
        endpoints.clear();
        return None;
    }
    let is_mode = |endpoint: &Endpoint| {
        endpoint.network == mode
            || endpoint.id.as_deref() == Some(mode.as_str())
            || (endpoint.network == "bridge" && (mode == "default" || mode.is_empty()))
    };
    let index = endpoints.iter().position(is_mode).unwrap_or_else(|| {
        // It has left the network it was made on: it must not be put back there.
        host.network_mode = Some(endpoints[0].network.clone());
        0
    });
    Some(endpoints.remove(index))
}

/// The fixed addresses a container was given, with their networks: no second one can run with the same.
pub(super) fn fixed_addresses(like: &ContainerInspectResponse) -> Vec<(String, IpAddr)> {
    let networks = like.network_settings.iter().flat_map(|settings| settings.networks.iter().flatten());
    let mut fixed: Vec<(String, IpAddr)> = networks
        .flat_map(|(network, endpoint)| {
            let ipam = endpoint.ipam_config.as_ref();
            let addresses = [ipam.and_then(|i| i.ipv4_address.as_deref()), ipam.and_then(|i| i.ipv6_address.as_deref())];
            addresses
                .into_iter()
                .flatten()
                .filter_map(|text| text.parse().ok())
                .map(|address| (network.clone(), address))
                .collect::<Vec<_>>()
        })
        .collect();
    fixed.sort();
    fixed
}
