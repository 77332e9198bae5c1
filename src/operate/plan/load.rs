//! Load tests: what is sent where, how much and for how long. They change no definition, so they take no lock; where they
//! may go at all is the configuration's word.

use std::sync::Arc;

use crate::model::{EngineKind, Port, Snapshot, Workload};
use crate::observe::load::{Load, Shape};
use crate::operate::action::Action;
use crate::operate::errand::Errand;
use crate::operate::policy::LoadPolicy;
use crate::operate::refusal::Refusal;
use crate::operate::request::Request;

use super::draft::Draft;
use super::targets::{choose, subject};
use super::words::without_login;
use super::{Plan, Terms};

/// Plans a load test of what is chosen, or of an address of the environment.
pub fn load(
    request: &Request,
    snapshot: &Snapshot,
    terms: &Terms<'_>,
    url: Option<&Arc<str>>,
    shape: &Shape,
) -> Result<Plan, Refusal> {
    let policy = &terms.policy.load;
    let name = snapshot.environment.id.name.clone();
    let refused = |why: String| Refusal::NoLoad { environment: name.clone(), why: why.into() };
    if !policy.allowed {
        return Err(refused("the configuration does not allow it ([environment.load] allowed = true)".to_owned()));
    }
    shape.check().map_err(|why| Refusal::BadLoad(why.into()))?;
    within(policy, shape).map_err(&refused)?;
    let chosen = if request.targets.is_empty() { Vec::new() } else { choose(request, snapshot)? };
    let workloads: Vec<&Workload> = match chosen.as_slice() {
        [] => snapshot.workloads.iter().map(Arc::as_ref).collect(),
        some => some.iter().map(|one| one.workload.as_ref()).collect(),
    };
    let url = match url {
        Some(url) => permitted(url, policy, snapshot).map_err(refused)?.into(),
        None => address(&workloads, policy, snapshot, chosen.is_empty()).map_err(refused)?,
    };
    let target = if chosen.is_empty() { name.to_string() } else { subject(&chosen) };
    let title = format!("load test of {target}: {}", shape.words());
    let mut draft = Draft::new(request, snapshot, terms);
    draft.change(format!("load on {}", without_login(&url)), "as it is", shape.words());
    draft.warn("who uses it meanwhile gets what is left");
    if let Some(holder) = &snapshot.lock {
        draft.warn(format!("{} is at work there since {:.0}: {}", holder.by, holder.since, holder.why));
    }
    let load = Load { url, shape: shape.clone(), abort_percent: policy.abort_percent };
    draft.act(Action::Errand(Box::new(Errand::Load(Box::new(load)))), Vec::new());
    Ok(draft.into_plan(title, target, None))
}

/// Whether the environment allows so much.
fn within(policy: &LoadPolicy, shape: &Shape) -> Result<(), String> {
    if shape.users > policy.max_users {
        return Err(format!("at most {} users are allowed there (max_users), {} are wanted", policy.max_users, shape.users));
    }
    match shape.rate {
        Some(rate) if rate > policy.max_rate => {
            Err(format!("at most {} requests a second are allowed there (max_rate), {rate} are wanted", policy.max_rate))
        }
        Some(_) | None => Ok(()),
    }
}

/// The parts of an address that are compared.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    scheme: &'a str,
    /// In lower case, without who logs in.
    host: String,
    port: u16,
    path: &'a str,
}

/// Takes an address apart; none where it is no address of a web server, or one that means something else than it shows.
fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '{' | '}')) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let named = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match named.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        Some(_) | None => (named, usual),
    };
    // A path that climbs is not below what it begins with.
    let climbs = path.split(['?', '#']).next().unwrap_or(path).split('/').any(|part| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == ".." || part.contains("%2f")
    });
    (!host.is_empty() && !climbs).then(|| Parts { scheme, host: host.to_ascii_lowercase(), port, path })
}

/// Whether `url` is `target` or lies below it.
fn is_below(url: &Parts<'_>, target: &Parts<'_>) -> bool {
    let origin = |of: &Parts<'_>| (of.scheme.to_owned(), of.host.clone(), of.port);
    let base = target.path.trim_end_matches('/');
    let rest = url.path.strip_prefix(base);
    origin(url) == origin(target) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// The address, when it may be sent to: one of the list, or a published port of the environment.
fn permitted(url: &str, policy: &LoadPolicy, snapshot: &Snapshot) -> Result<String, String> {
    let Some(asked) = parts(url) else {
        return Err(format!("{} is no address of a web server (http:// or https://)", without_login(url)));
    };
    let listed = policy.targets.iter().filter_map(|target| parts(target)).any(|target| is_below(&asked, &target));
    let machine = snapshot.environment.machine();
    let here = |host: &str| host == machine || (machine == "localhost" && matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
    let published = snapshot.workloads.iter().any(|w| {
        let mut ports = w.instances.iter().flat_map(|i| &i.ports).filter_map(|port| port.host.as_ref());
        ports.any(|(host, port)| *port == asked.port && (here(&asked.host) || **host == *asked.host))
    });
    if listed || published {
        return Ok(url.to_owned());
    }
    let known: Vec<&str> = policy.targets.iter().map(|target| &**target).collect();
    let known =
        if known.is_empty() { "no target is configured".to_owned() } else { format!("its targets are {}", known.join(", ")) };
    Err(format!("{} is neither one of its targets nor a port its workloads publish; {known}", without_login(url)))
}

/// Where a test goes when nothing is said: a published port of the workload meant, or the only target there is.
fn address(workloads: &[&Workload], policy: &LoadPolicy, snapshot: &Snapshot, whole: bool) -> Result<Arc<str>, String> {
    let found = if whole { None } else { workloads.iter().find_map(|workload| own(workload, snapshot)) };
    if let Some(url) = found {
        return Ok(url);
    }
    match policy.targets.as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            Err("nothing says where to: no port is published, and no target is configured (targets = [\"https://…\"])".to_owned())
        }
        several => {
            let known: Vec<String> = several.iter().map(|target| without_login(target)).collect();
            Err(format!("say with --url which of its targets is meant: {}", known.join(", ")))
        }
    }
}

/// The address of a workload's first published port; those web servers use come first.
fn own(workload: &Workload, snapshot: &Snapshot) -> Option<Arc<str>> {
    if snapshot.environment.engine == EngineKind::Kubernetes {
        return None;
    }
    let ports = workload.instances.iter().flat_map(|i| &i.ports).filter(|port| port.host.is_some() && &*port.protocol == "tcp");
    let rank = |port: &&Port| (!matches!(port.container, 80 | 443 | 3000 | 5000 | 8000 | 8080), port.container);
    let port = ports.min_by_key(rank)?;
    let (host, number) = port.host.as_ref()?;
    let scheme = if port.container == 443 { "https" } else { "http" };
    let host = if is_everywhere(host) { snapshot.environment.machine() } else { host };
    Some(format!("{scheme}://{host}:{number}/").into())
}

fn is_everywhere(address: &str) -> bool {
    matches!(address, "0.0.0.0" | "::" | "[::]" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_below_a_target_or_it_does_not() {
        for (url, target, expected) in [
            ("http://a/x", "http://a/", true),
            ("http://a", "http://a/", true),
            ("http://a:80/x", "http://a", true),
            ("http://A/x", "http://a/x", true),
            ("http://a/x?y=1", "http://a/x", true),
            ("http://a/xy", "http://a/x", false),
            ("http://a/y", "http://a/x", false),
            ("https://a/x", "http://a/x", false),
            ("http://a:81/x", "http://a/x", false),
            ("http://b/x", "http://a/x", false),
            // What only looks like it.
            ("http://a@evil.example/x", "http://a/", false),
            ("http://a.evil.example/x", "http://a/", false),
            ("http://a/x/../admin", "http://a/x", false),
            ("http://a/x/%2e%2e/admin", "http://a/x", false),
            ("http://a/x/..%2fadmin", "http://a/x", false),
            ("http://a\\@evil.example/", "http://a/", false),
        ] {
            let below = parts(url).zip(parts(target)).is_some_and(|(url, target)| is_below(&url, &target));
            assert_eq!(below, expected, "{url} below {target}");
        }
    }

    #[test]
    fn only_web_servers_have_addresses() {
        for url in ["ftp://a/", "a/x", "http://", "http:///x", "http://a:port/", "http://{instance}/"] {
            assert_eq!(parts(url), None, "{url}");
        }
        assert_eq!(parts("https://[::1]:8443/x").map(|p| (p.host, p.port)), Some(("[::1]".into(), 8443)));
        assert_eq!(parts("https://[::1]/x").map(|p| p.port), Some(443));
    }
}
