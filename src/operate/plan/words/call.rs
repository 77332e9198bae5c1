//! Calls as the engine, or this machine, sees them.

use std::sync::Arc;

use crate::model::{EngineKind, ProbeKind, WorkloadId};
use crate::operate::action::{Action, InstanceRef};
use crate::operate::errand::{Errand, Keeper, Limit, MetricSource};
use crate::operate::plan::{Gate, Names, Work};

use super::{host_of, listed, plain, seconds, without_login};

/// The call as the engine sees it; a gate in words.
#[must_use]
pub fn call(work: &Work, names: &Names) -> Arc<str> {
    let text = match work {
        Work::Act(action) => of_action(action, names),
        Work::Await(Gate::Healthy { within, hold, .. } | Gate::RolledOut { within, hold, .. }) => {
            if hold.is_zero() {
                format!("wait: healthy within {}", seconds(*within))
            } else {
                format!("wait: healthy within {} and for {}", seconds(*within), seconds(*hold))
            }
        }
        Work::Await(Gate::Wait { hold }) => format!("wait {}", seconds(*hold)),
        Work::Await(Gate::Reading { look, within, hold, .. }) => {
            let held = if hold.is_zero() { String::new() } else { format!(" and for {}", seconds(*hold)) };
            let asked = call(&Work::Act((**look).clone()), names);
            format!("{asked}: good within {}{held}", seconds(*within))
        }
        Work::Await(Gate::Person { .. }) => "a person says that it is so".to_owned(),
    };
    text.into()
}

fn of_action(action: &Action, names: &Names) -> String {
    let at = |i: &InstanceRef| names.instances.get(i).map_or_else(|| plain(i), |n| n.path.to_string());
    let swarm = names.engine == Some(EngineKind::Swarm);
    match action {
        Action::TakeLock { environment, .. } => format!("take the lock of {environment}"),
        Action::ReleaseLock { environment, .. } => format!("give the lock of {environment} back"),
        Action::EnsureImage { image, .. } => format!("POST /images/create?fromImage={image} (unless present)"),
        Action::Create { replica, .. } => {
            format!("POST /containers/create?name={}", at(&InstanceRef::Made(replica.slot)))
        }
        Action::SetAside { instance } => format!("POST /containers/{}/rename (out of the way)", at(instance)),
        Action::BringBack { instance } => format!("POST /containers/{}/rename (its own name)", at(instance)),
        Action::Start { instance } => format!("POST /containers/{}/start", at(instance)),
        Action::Stop { instance, .. } => format!("POST /containers/{}/stop", at(instance)),
        Action::Restart { instance, .. } => format!("POST /containers/{}/restart", at(instance)),
        Action::Pause { instance } => format!("POST /containers/{}/pause", at(instance)),
        Action::Unpause { instance } => format!("POST /containers/{}/unpause", at(instance)),
        Action::Kill { instance, signal } => format!("POST /containers/{}/kill?signal={signal}", at(instance)),
        Action::Remove { instance, .. } if names.workloads.is_empty() => format!("DELETE /containers/{}", at(instance)),
        Action::Remove { instance, force } if swarm => {
            format!("POST /containers/(of task {})/{}", at(instance), if *force { "kill" } else { "stop" })
        }
        Action::Remove { instance, force: false } => format!("POST pods/{}/eviction", at(instance)),
        Action::Remove { instance, force: true } => format!("DELETE pods/{} (at once)", at(instance)),
        Action::SetReplicas { .. }
        | Action::SetImage { .. }
        | Action::Rollout { .. }
        | Action::Unpace { .. }
        | Action::Suspend { .. }
        | Action::Trigger { .. }
        | Action::SetBounds { .. }
        | Action::Cordon { .. }
        | Action::Drain { .. }
        | Action::Mirror { .. }
        | Action::SwitchTraffic { .. }
        | Action::ForgetMirror { .. }
        | Action::Revert { .. } => wanted(action, names),
        Action::ComposeUp { call, .. } => call.join(" "),
        Action::Drill { name } => format!("drill {name}"),
        Action::Exec { .. }
        | Action::RunOnce { .. }
        | Action::ForgetOnce { .. }
        | Action::CopyIn { .. }
        | Action::CopyOut { .. }
        | Action::PutFile { .. }
        | Action::RestoreFile { .. }
        | Action::ForgetFile { .. }
        | Action::Join { .. }
        | Action::LookAtImage { .. }
        | Action::LookAtDisk { .. }
        | Action::Errand(_) => hand(action, names.engine == Some(EngineKind::Kubernetes), &at),
    }
}

/// Calls that tell an engine what is wanted.
fn wanted(action: &Action, names: &Names) -> String {
    let resource = |w: &WorkloadId| names.workloads.get(w).map_or_else(|| format!("workloads/{w}"), ToString::to_string);
    let swarm = names.engine == Some(EngineKind::Swarm);
    let tell = |w: &WorkloadId, part: &str, what: String| {
        if swarm { format!("POST {}/update ({what})", resource(w)) } else { format!("PATCH {}{part} ({what})", resource(w)) }
    };
    match action {
        Action::SetReplicas { workload, replicas, .. } => tell(workload, "/scale", format!("replicas {replicas}")),
        Action::SetImage { workload, revision, .. } => {
            tell(workload, "", format!("image {}, revision {}", revision.image, revision.number))
        }
        Action::Rollout { workload, .. } => tell(workload, "", "restart".to_owned()),
        Action::Unpace { workload, .. } => tell(workload, "", "its own update settings".to_owned()),
        Action::Suspend { workload, on, .. } => tell(workload, "", if *on { "hold" } else { "go on" }.to_owned()),
        Action::Trigger { workload, .. } => format!("POST jobs (from {})", resource(workload)),
        Action::SetBounds { workload, min, max, .. } => {
            format!("PATCH horizontalpodautoscalers of {workload} (minReplicas {min}, maxReplicas {max})")
        }
        Action::Cordon { node, on, .. } => format!("PATCH nodes/{node} (unschedulable {on})"),
        Action::Drain { node, within, .. } => {
            format!("POST pods/…/eviction for every pod of {node} (at most {})", seconds(*within))
        }
        Action::Mirror { workload, revision, .. } => format!("POST deployments (like {workload}, image {})", revision.image),
        Action::SwitchTraffic { workload, to_mirror, .. } => {
            let to = if to_mirror.is_some() { "its mirror" } else { "its own pods" };
            format!("PATCH services of {workload} (selector of {to})")
        }
        Action::ForgetMirror { workload, .. } => format!("DELETE deployments (the mirror of {workload})"),
        Action::Revert { workload, to, revision, .. } => {
            tell(workload, "", format!("as in revision {to}, revision {}", revision.number))
        }
        other => format!("{other:?}"),
    }
}

/// Calls of what is done by hand in and around instances.
fn hand(action: &Action, cluster: bool, at: &impl Fn(&InstanceRef) -> String) -> String {
    match action {
        Action::Exec { instance, command, timeout } if cluster => {
            format!("POST pods/{}/exec {} (at most {})", at(instance), shown(command), seconds(*timeout))
        }
        Action::RunOnce { replica, command, timeout, .. } if cluster => {
            let image = replica.image.as_deref().unwrap_or("the same image");
            format!("POST jobs: {} in {image} (at most {})", shown(command), seconds(*timeout))
        }
        Action::ForgetOnce { .. } if cluster => "DELETE the job".to_owned(),
        Action::LookAtImage { image, .. } if cluster => format!("GET nodes: which have {image}"),
        Action::LookAtDisk { .. } if cluster => "GET nodes: none has DiskPressure".to_owned(),
        Action::Exec { instance, command, timeout } => {
            format!("POST /containers/{}/exec {} (at most {})", at(instance), shown(command), seconds(*timeout))
        }
        Action::RunOnce { replica, command, timeout, .. } => {
            let image = replica.image.as_deref().unwrap_or("the same image");
            format!("POST /containers/create and start: {} in {image} (at most {})", shown(command), seconds(*timeout))
        }
        Action::ForgetOnce { .. } => "DELETE the one-off container".to_owned(),
        Action::CopyIn { instance, from, to } => format!("PUT /containers/{}/archive {from} → {to}", at(instance)),
        Action::CopyOut { instance, from, to } => format!("GET /containers/{}/archive {from} → {to}", at(instance)),
        Action::PutFile { instance, path, .. } => {
            format!("PUT /containers/{}/archive {path} (the old one is kept)", at(instance))
        }
        Action::RestoreFile { instance, path, .. } => format!("PUT /containers/{}/archive {path} (the old one)", at(instance)),
        Action::ForgetFile { instance, path, .. } => format!("remove what was kept of {path} in {}", at(instance)),
        Action::Join { instance, aliases } => {
            format!("POST /networks/…/disconnect and connect {} as {}", at(instance), listed(aliases))
        }
        Action::LookAtImage { image, .. } => format!("GET /images/{image}/json, or its manifest from the registry"),
        Action::LookAtDisk { least_bytes, .. } => format!("GET /info: at least {} MiB free", least_bytes >> 20),
        Action::Errand(errand) => errand_call(errand),
        other => format!("{other:?}"),
    }
}

fn errand_call(errand: &Errand) -> String {
    let limited = |limit: &Option<Limit>| limit.map(|l| format!(" {}", l.words())).unwrap_or_default();
    match errand {
        Errand::EnvFile { path, required } => format!("read {path}: {} set and no placeholder", listed(required)),
        Errand::Tcp { address, .. } => format!("connect to {address}"),
        Errand::Certificate { address, days, .. } => format!("TLS with {address}: valid for {days} days more"),
        Errand::Probe { probe, .. } => match &probe.kind {
            ProbeKind::Http(url) => format!("GET {url}"),
            ProbeKind::Tcp(address) => format!("connect to {address}"),
            ProbeKind::Tls(address) => format!("TLS with {address}"),
            ProbeKind::Exec(command) => shown(command),
        },
        Errand::Metric { metric, limit } => match &metric.source {
            MetricSource::Engine { .. } => format!("statistics: {}{}", metric.name, limited(limit)),
            MetricSource::Scrape { urls, .. } => format!("GET {}: {}{}", listed(urls), metric.name, limited(limit)),
            MetricSource::Prometheus { server } => format!("GET {server}/api/v1/query?query={}{}", metric.name, limited(limit)),
        },
        Errand::Alerts { prometheus, .. } => format!("GET {prometheus}/api/v1/alerts"),
        Errand::Command { argv, timeout, .. } => format!("{} on this machine (at most {})", shown(argv), seconds(*timeout)),
        Errand::Load(load) => {
            let (url, shape) = (&load.url, load.shape.words());
            format!("GET {}: {shape}; ends by itself above {} % failures", without_login(url), load.abort_percent)
        }
        Errand::Http { method, url, .. } => format!("{method} {}", host_of(url)),
        Errand::Silence { keeper: Keeper::File { path, .. }, .. } => format!("write it to {path}"),
        Errand::Silence { keeper: Keeper::Alertmanager(server), .. } => format!("POST {server}/api/v2/silences"),
        Errand::Unsilence { keeper: Keeper::File { path, .. }, id } => format!("take {id} out of {path}"),
        Errand::Unsilence { keeper: Keeper::Alertmanager(server), id } => format!("DELETE {server}/api/v2/silence/{id}"),
    }
}

/// A command as a shell would take it.
fn shown(argv: &[Arc<str>]) -> String {
    let quoted = |word: &Arc<str>| {
        let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:=@,+%".contains(c));
        if plain { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
