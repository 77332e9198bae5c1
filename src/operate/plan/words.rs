//! What steps are called for people; their calls as the engine sees them are in `call`.

mod call;

use std::sync::Arc;
use std::time::Duration;

pub use call::call;

use crate::model::{Instance, InstanceId, Workload, WorkloadKind};
use crate::operate::action::{Action, InstanceRef, Replica};
use crate::operate::errand::{Errand, Limit};

use super::{Gate, Names, Work};

/// A piece of work in two or three words: `start backend-2`.
#[must_use]
pub fn name(work: &Work, names: &Names) -> Arc<str> {
    let of = |i: &InstanceRef| label(names, i);
    let text = match work {
        Work::Act(action) => match action {
            Action::TakeLock { environment, .. } => format!("lock {environment}"),
            Action::ReleaseLock { environment, .. } => format!("unlock {environment}"),
            Action::EnsureImage { image, .. } => format!("have image {image}"),
            Action::Create { replica, .. } => format!("create {}", of(&InstanceRef::Made(replica.slot))),
            Action::SetAside { instance } => format!("set aside {}", of(instance)),
            Action::BringBack { instance } => format!("bring back {}", of(instance)),
            Action::Start { instance } => format!("start {}", of(instance)),
            Action::Stop { instance, .. } => format!("stop {}", of(instance)),
            Action::Restart { instance, .. } => format!("restart {}", of(instance)),
            Action::Pause { instance } => format!("pause {}", of(instance)),
            Action::Unpause { instance } => format!("unpause {}", of(instance)),
            Action::Kill { instance, signal } => format!("kill {} ({signal})", of(instance)),
            Action::Remove { instance, .. } => format!("remove {}", of(instance)),
            Action::SetReplicas { workload, replicas, .. } => format!("scale {workload} to {replicas}"),
            Action::SetImage { workload, revision, .. } => format!("set image of {workload} to {}", revision.image),
            Action::Rollout { workload, .. } => format!("restart {workload}"),
            Action::Unpace { workload, .. } => format!("give {workload} its own update settings back"),
            Action::Exec { instance, command, .. } => format!("run {} in {}", program(command), of(instance)),
            Action::RunOnce { command, .. } => format!("run {} by itself", program(command)),
            Action::ForgetOnce { .. } => "remove the one-off container".to_owned(),
            Action::CopyIn { instance, to, .. } => format!("copy {} into {}", file_name(to), of(instance)),
            Action::CopyOut { instance, from, .. } => format!("copy {} out of {}", file_name(from), of(instance)),
            Action::PutFile { instance, path, .. } => format!("write {} in {}", file_name(path), of(instance)),
            Action::RestoreFile { instance, path, .. } => format!("put {} back in {}", file_name(path), of(instance)),
            Action::ForgetFile { instance, path, .. } => format!("forget the old {} in {}", file_name(path), of(instance)),
            Action::Join { instance, aliases } => format!("call {} also {}", of(instance), listed(aliases)),
            Action::LookAtImage { image, .. } => format!("look at image {image}"),
            Action::LookAtDisk { .. } => "look at the disk".to_owned(),
            Action::Errand(errand) => errand_name(errand),
            Action::ComposeUp { services, .. } => match services.as_slice() {
                [one] => format!("bring up {one}"),
                several => format!("bring up {} services", several.len()),
            },
            Action::Drill { name } => format!("play {name}"),
            Action::Suspend { workload, on: true, .. } => format!("hold {workload}"),
            Action::Suspend { workload, on: false, .. } => format!("let {workload} go on"),
            Action::Trigger { workload, .. } => format!("start a job of {workload}"),
            Action::SetBounds { workload, min, max, .. } => format!("let {workload} have {min} to {max}"),
            Action::Cordon { node, on: true, .. } => format!("cordon {node}"),
            Action::Cordon { node, on: false, .. } => format!("uncordon {node}"),
            Action::Drain { node, .. } => format!("drain {node}"),
            Action::Mirror { workload, revision, .. } => format!("mirror {workload} with {}", revision.image),
            Action::SwitchTraffic { workload, to_mirror: Some(_), .. } => format!("lead traffic to the mirror of {workload}"),
            Action::SwitchTraffic { workload, to_mirror: None, .. } => format!("lead traffic to {workload}"),
            Action::ForgetMirror { workload, .. } => format!("remove the mirror of {workload}"),
            Action::Revert { workload, to, .. } => format!("take {workload} back to revision {to}"),
        },
        Work::Await(Gate::Healthy { instance, .. }) => format!("wait for {}", of(instance)),
        Work::Await(Gate::RolledOut { workload, replicas: 0, .. }) => format!("wait for {workload} to stop"),
        Work::Await(Gate::RolledOut { workload, .. }) => format!("wait for {workload}"),
        Work::Await(Gate::Wait { hold }) => format!("wait {}", seconds(*hold)),
        Work::Await(Gate::Reading { name, .. }) => format!("gate {name}"),
        Work::Await(Gate::Person { text }) => text.to_string(),
    };
    text.into()
}

/// An errand in a few words.
fn errand_name(errand: &Errand) -> String {
    match errand {
        Errand::EnvFile { path, .. } => format!("check {}", file_name(path)),
        Errand::Tcp { address, .. } => format!("reach {address}"),
        Errand::Certificate { address, .. } => format!("certificate of {address}"),
        Errand::Probe { probe, .. } => format!("probe {}", probe.name),
        Errand::Metric { metric, limit } => {
            format!("{} {}", metric.name, limit.map(Limit::words).unwrap_or_default()).trim_end().to_owned()
        }
        Errand::Alerts { name: Some(name), .. } => format!("alert {name} is silent"),
        Errand::Alerts { name: None, .. } => "no alert fires".to_owned(),
        Errand::Command { argv, .. } => format!("run {} here", program(argv)),
        Errand::Load(load) => format!("load on {}", host_of(&load.url)),
        Errand::Http { method, url, .. } => format!("{method} {}", host_of(url)),
        Errand::Silence { silence, .. } => format!("silence {}", crate::observe::rule::silence::words(&silence.matchers)),
        Errand::Unsilence { id, .. } => format!("end the silence {id}"),
    }
}

/// A command in a few words: its program without its folder, and its arguments as far as they are short.
fn program(argv: &[Arc<str>]) -> String {
    let Some((program, arguments)) = argv.split_first() else { return "nothing".to_owned() };
    let mut text = file_name(program).to_owned();
    for argument in arguments {
        if text.chars().count() + argument.chars().count() > 24 {
            text.push_str(" …");
            break;
        }
        text.push(' ');
        text.push_str(argument);
    }
    text
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// An address without who logs in, and without what is asked.
pub fn without_login(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    format!("{}/{path}", host_of(url))
}

/// An address without its path, which may hold a secret.
pub fn host_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}")
}

fn listed(names: &[Arc<str>]) -> String {
    names.iter().map(|n| &**n).collect::<Vec<_>>().join(", ")
}

/// What people call `instance`.
#[must_use]
pub fn label(names: &Names, instance: &InstanceRef) -> String {
    names.instances.get(instance).map_or_else(|| plain(instance), |n| n.label.to_string())
}

fn plain(instance: &InstanceRef) -> String {
    match instance {
        InstanceRef::Known(id) => short(id),
        InstanceRef::Made(slot) => format!("new {slot}"),
    }
}

/// A container id in its usual twelve digits; any other identity whole.
#[must_use]
pub fn short(id: &InstanceId) -> String {
    let text = id.as_str();
    if text.len() > 12 && text.bytes().all(|b| b.is_ascii_hexdigit()) { text[..12].to_owned() } else { text.to_owned() }
}

/// `sha256:9f2a4c1b77de` of a full digest.
#[must_use]
pub fn short_digest(digest: &str) -> String {
    let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
    let cut: String = hex.chars().take(12).collect();
    format!("{algorithm}:{cut}")
}

/// What an instance is called among its workload's.
#[must_use]
pub fn instance_label(workload: &Workload, instance: &Instance) -> String {
    match workload.kind {
        WorkloadKind::Service if instance.number > 0 => format!("{}-{}", workload.id, instance.number),
        WorkloadKind::Container => workload.id.to_string(),
        WorkloadKind::Service
        | WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::Job
        | WorkloadKind::CronJob
        | WorkloadKind::Dependency => instance.name.to_string(),
    }
}

/// The name a container gets that is like one called `like` but has another number: `app_web_1` gives `app_web_3`.
#[must_use]
pub fn numbered(like: &str, number: u32) -> String {
    let stem = like.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.ends_with(['_', '-']) { format!("{stem}{number}") } else { format!("{like}_{number}") }
}

/// The path of a declared workload in calls.
#[must_use]
pub fn resource(workload: &Workload) -> String {
    let plural = match workload.kind {
        WorkloadKind::Service => "services",
        WorkloadKind::Container => "containers",
        WorkloadKind::Deployment => "deployments",
        WorkloadKind::StatefulSet => "statefulsets",
        WorkloadKind::DaemonSet => "daemonsets",
        WorkloadKind::Job => "jobs",
        WorkloadKind::CronJob => "cronjobs",
        WorkloadKind::Dependency => "dependencies",
    };
    format!("{plural}/{}", workload.id)
}

/// `1.4.2` and `1.5.0` where only the tag differs, else both references whole.
#[must_use]
pub fn from_to(before: &str, after: &str) -> String {
    match (split(before), split(after)) {
        ((a, Some(old)), (b, Some(new))) if a == b => format!("{old} → {new}"),
        _ => format!("{before} → {after}"),
    }
}

/// An image reference's repository and tag; a port of a registry is not a tag.
fn split(image: &str) -> (&str, Option<&str>) {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') && !image.contains('@') => (repository, Some(tag)),
        Some(_) | None => (image, None),
    }
}

/// `90 s`, `0.5 s`.
#[must_use]
pub fn seconds(time: Duration) -> String {
    if time.subsec_nanos() == 0 { format!("{} s", time.as_secs()) } else { format!("{:.1} s", time.as_secs_f64()) }
}

/// The name of the container a [`Replica`] becomes.
#[must_use]
pub fn made_name(replica: &Replica, like: &str) -> String {
    replica.number.map_or_else(|| like.to_owned(), |n| numbered(like, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_pattern() {
        assert_eq!(numbered("lms_backend_1", 3), "lms_backend_3");
        assert_eq!(numbered("lms-backend-12", 13), "lms-backend-13");
        assert_eq!(numbered("proxy", 2), "proxy_2");
        assert_eq!(from_to("reg:5000/a:1", "reg:5000/a:2"), "1 → 2");
        assert_eq!(from_to("reg:5000/a", "reg:5000/a:2"), "reg:5000/a → reg:5000/a:2");
        assert_eq!(from_to("a:1", "b:1"), "a:1 → b:1");
        assert_eq!(seconds(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(short_digest("sha256:0123456789abcdef"), "sha256:0123456789ab");
        assert_eq!(short(&InstanceId::new("0123456789abcdef")), "0123456789ab");
        assert_eq!(short(&InstanceId::new("default/pod-with-a-name")), "default/pod-with-a-name");
    }
}
