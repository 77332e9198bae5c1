//! Blue-green: new instances (green) beside all old ones (blue), unseen until they have held; then the traffic is switched,
//! what is in flight drains, and blue is kept, stopped, for a quick way back.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, InstanceState, Revision, Verb, Workload, WorkloadId};
use crate::operate::action::{Action, InstanceRef, Replica};
use crate::operate::policy::{DeployPolicy, Proxy, Switch};
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Affected, Fate, Making, Original, Was};

use super::draft::{self, Draft};
use super::replace::{self, Wanted};
use super::{Gate, Work, around, words};

/// One green instance.
pub struct Green {
    pub reference: InstanceRef,
    /// Its name on the network.
    pub name: Arc<str>,
    /// It is still to be made, of this.
    pub make: Option<Replica>,
    /// It is still to be started.
    pub start: bool,
}

/// One blue instance.
pub struct Blue {
    pub reference: InstanceRef,
    pub original: Original,
    /// It is still to be stopped, or named aside.
    pub stop: bool,
    pub aside: bool,
}

/// The steps from making green to putting blue aside; returns what is to be removed at the very end.
pub fn replace(draft: &mut Draft<'_>, workload: &Workload, wanted: &Wanted) -> Result<Vec<InstanceRef>, Refusal> {
    let blue = sorted(workload.replicas().cloned().collect());
    if blue.is_empty() {
        return Err(Refusal::NoDefinition { workload: workload.id.0.clone() });
    }
    fits(workload, &blue)?;
    let kept = sorted(workload.instances.iter().filter(|i| i.set_aside).cloned().collect());
    let revisions = replace::revisions(draft, workload, wanted);
    describe(draft, workload, wanted, &revisions, &blue);
    let switch = switch(draft.policy(workload), workload);
    let facts = draft.affect(workload, |i| if i.set_aside { Fate::Removed } else { Fate::Retired });
    facts.revisions.clone_from(&revisions);
    facts.switch = Some(switch.clone());
    let mut green = Vec::new();
    for (number, like) in free_numbers(workload).zip(&blue) {
        green.push(new(draft, workload, like, number, wanted, &revisions));
    }
    let environment = draft.request.environment.clone();
    draft.act(Action::EnsureImage { environment, image: wanted.image.clone(), digest: wanted.digest.clone() }, Vec::new());
    if wanted.from.is_none() {
        around::migrate(draft, workload, wanted)?;
    }
    let blue: Vec<Blue> = blue.iter().map(|i| old(draft, workload, i)).collect();
    bring_up(draft, workload, &green, &blue, &switch)?;
    Ok(kept.iter().map(|i| draft.know(workload, i, true)).collect())
}

/// Back to what was kept: nothing is made, so it is quick. `None` where what was kept is not that revision, or not whole.
pub fn back(draft: &mut Draft<'_>, workload: &Workload, to: &Revision) -> Result<Option<Vec<InstanceRef>>, Refusal> {
    let kept: Vec<Arc<Instance>> = sorted(workload.instances.iter().filter(|i| i.set_aside && is_of(i, to)).cloned().collect());
    let green = sorted(workload.replicas().cloned().collect());
    if kept.is_empty() || kept.len() < green.len() {
        return Ok(None);
    }
    let switch = switch(draft.policy(workload), workload);
    let facts = draft.affect(workload, |i| match (i.set_aside, is_of(i, to)) {
        (true, true) => Fate::Revived,
        (true, false) => Fate::Kept,
        (false, _) => Fate::Retired,
    });
    facts.switch = Some(switch.clone());
    let mut returning = Vec::new();
    for instance in &kept {
        let reference = draft.know(workload, instance, false);
        let aside = Work::Act(Action::SetAside { instance: reference.clone() });
        draft.act(Action::BringBack { instance: reference.clone() }, vec![aside]);
        draft.change(words::instance_label(workload, instance), "kept, stopped", "running again");
        let name = plain_name(instance);
        returning.push(Green { reference, name, make: None, start: true });
    }
    draft.change(format!("{}.revision", workload.id), draft::current(workload).to_string(), to.number.to_string());
    let leaving: Vec<Blue> = green.iter().map(|i| old(draft, workload, i)).collect();
    bring_up(draft, workload, &returning, &leaving, &switch)?;
    Ok(Some(Vec::new()))
}

/// Whether an instance is of that revision: by its number or its very content.
fn is_of(instance: &Instance, revision: &Revision) -> bool {
    instance.revision == Some(revision.number) || (instance.digest.is_some() && instance.digest == revision.digest)
}

/// From green (to be made or there) to blue put aside, wherever the two stand.
pub fn bring_up(
    draft: &mut Draft<'_>,
    workload: &Workload,
    green: &[Green],
    blue: &[Blue],
    switch: &Switch,
) -> Result<(), Refusal> {
    let policy = draft.policy(workload);
    for one in green {
        if let Some(replica) = &one.make {
            draft.create(replica.clone());
        }
        if one.start {
            draft.start(&one.reference);
        }
    }
    for one in green {
        draft.healthy(&one.reference, policy, policy.hold);
    }
    let references: Vec<InstanceRef> = green.iter().map(|g| g.reference.clone()).collect();
    // By name, green is in use as soon as it has its names. By proxy it is not yet: what attaching it anew may have broken
    // is seen then.
    let by_name = matches!(switch, Switch::Alias(_));
    if by_name {
        around::conditions(draft, workload, &policy.gate, &references)?;
    }
    let names = aliases(workload, switch);
    for one in green {
        draft.act(Action::Join { instance: one.reference.clone(), aliases: names.clone() }, Vec::new());
    }
    for one in green {
        draft.healthy(&one.reference, policy, Duration::ZERO);
    }
    if !by_name {
        around::conditions(draft, workload, &policy.gate, &references)?;
    }
    let proxied = match switch {
        Switch::Alias(_) => Vec::new(),
        Switch::Proxy(proxy) => turn(draft, proxy, green)?,
    };
    if !policy.drain.is_zero() {
        draft.step(Work::Await(Gate::Wait { hold: policy.drain }), Vec::new());
    }
    around::conditions(draft, workload, &policy.verify, &references)?;
    retire(draft, policy, blue);
    for (instance, path) in proxied {
        let keep = draft.made_by.clone();
        draft.tidy(Action::ForgetFile { instance, path, keep });
    }
    Ok(())
}

/// Blue stops and is named aside. What is taken back begins with its names: the proxy's old file speaks of them.
fn retire(draft: &mut Draft<'_>, policy: &DeployPolicy, blue: &[Blue]) {
    for one in blue.iter().filter(|b| b.stop) {
        draft.stop(&one.reference, draft::revive(&one.reference, &one.original, policy));
    }
    for one in blue.iter().filter(|b| b.aside) {
        let back = Work::Act(Action::BringBack { instance: one.reference.clone() });
        draft.act(Action::SetAside { instance: one.reference.clone() }, vec![back]);
    }
}

/// Tells every instance of the proxy; undone by its old file and another reload.
fn turn(draft: &mut Draft<'_>, proxy: &Proxy, green: &[Green]) -> Result<Vec<(InstanceRef, Arc<str>)>, Refusal> {
    let content = content(proxy, green);
    let mut told = Vec::new();
    for instance in proxies(draft, proxy)? {
        let keep = draft.made_by.clone();
        let path = proxy.file.clone();
        let exec = |command: &[Arc<str>]| Action::Exec { instance: instance.clone(), command: command.to_vec(), timeout: RELOAD };
        let restore = Action::RestoreFile { instance: instance.clone(), path: path.clone(), keep: keep.clone() };
        let undo = vec![Work::Act(restore), Work::Act(exec(&proxy.reload))];
        let put = Action::PutFile { instance: instance.clone(), path: path.clone(), content: content.clone(), keep };
        draft.act(put, undo);
        if let Some(test) = &proxy.test {
            draft.act(exec(test), Vec::new());
        }
        draft.act(exec(&proxy.reload), Vec::new());
        draft.change(format!("{}:{path}", words::label(&draft.names, &instance)), "names blue", content.trim_end());
        told.push((instance, path));
    }
    Ok(told)
}

/// How long a proxy may take to check or read its file.
const RELOAD: Duration = Duration::from_secs(30);

/// The running instances of the proxy.
pub fn proxies(draft: &mut Draft<'_>, proxy: &Proxy) -> Result<Vec<InstanceRef>, Refusal> {
    let environment = draft.snapshot.environment.id.name.clone();
    let found = draft.snapshot.workload(&WorkloadId(proxy.workload.clone())).cloned();
    let running: Vec<Arc<Instance>> =
        found.iter().flat_map(|w| w.replicas()).filter(|i| i.state == InstanceState::Running).cloned().collect();
    let Some(workload) = found.filter(|_| !running.is_empty()) else {
        let what = format!("running instance of the proxy {}", proxy.workload).into();
        return Err(Refusal::Unknown { what, environment, nearest: None });
    };
    Ok(running.iter().map(|i| draft.know(&workload, i, false)).collect())
}

/// The proxy's file: a line for each green instance.
fn content(proxy: &Proxy, green: &[Green]) -> Arc<str> {
    let lines: Vec<String> = green.iter().map(|g| proxy.server.trim_end_matches('\n').replace("{instance}", &g.name)).collect();
    let mut text = proxy.text.replace("{servers}", &lines.join("\n"));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.into()
}

/// The way to switch: as configured, else by the workload's own name.
fn switch(policy: &DeployPolicy, workload: &Workload) -> Switch {
    policy.switch.clone().unwrap_or_else(|| Switch::Alias(vec![workload.id.0.clone()]))
}

/// The names green answers to: its service's, and those that are switched.
fn aliases(workload: &Workload, switch: &Switch) -> Vec<Arc<str>> {
    let mut names = vec![workload.id.0.clone()];
    if let Switch::Alias(more) = switch {
        names.extend(more.iter().filter(|name| **name != workload.id.0).cloned());
    }
    names
}

/// What cannot be there twice stands in the way.
fn fits(workload: &Workload, blue: &[Arc<Instance>]) -> Result<(), Refusal> {
    let name = workload.id.0.clone();
    if blue.iter().any(|i| workload.kind == crate::model::WorkloadKind::Container || i.name.is_empty()) {
        let why = "blue-green needs a service on a network; this is a single container outside any project".into();
        return Err(Refusal::Denied { verb: Verb::Deploy, what: name, why });
    }
    let ports: Vec<u16> = blue.iter().flat_map(|i| i.fixed_ports.iter().copied()).collect();
    if !ports.is_empty() {
        return Err(Refusal::FixedPort { workload: name, ports });
    }
    match blue.iter().find(|i| i.fixed_name) {
        Some(fixed) => Err(Refusal::FixedName { workload: name, name: fixed.name.clone() }),
        None => Ok(()),
    }
}

/// Numbers no instance has, blue, kept or otherwise.
fn free_numbers(workload: &Workload) -> impl Iterator<Item = u32> + use<> {
    let taken: Vec<u32> = workload.instances.iter().filter(|i| !i.one_off).map(|i| i.number).collect();
    (1..).filter(move |n| !taken.contains(n))
}

fn sorted(mut instances: Vec<Arc<Instance>>) -> Vec<Arc<Instance>> {
    instances.retain(|i| !i.one_off);
    instances.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    instances
}

fn new(
    draft: &mut Draft<'_>,
    workload: &Workload,
    like: &Instance,
    number: u32,
    wanted: &Wanted,
    revisions: &[Revision],
) -> Green {
    let slot = draft.slot();
    let making = Making { slot, number, like: like.id.clone(), replaces: false };
    if let Some(facts) = draft.affected.last_mut() {
        facts.makes.push(making);
    }
    let replica = green_replica(draft, workload, (slot, number), like, wanted, revisions);
    let name: Arc<str> = words::made_name(&replica, &like.name).into();
    let reference = draft.name_made(slot, format!("{}-{number}", workload.id), name.to_string());
    Green { reference, name, make: Some(replica), start: true }
}

/// A green instance as it is to be made.
pub fn green_replica(
    draft: &Draft<'_>,
    workload: &Workload,
    (slot, number): (u32, u32),
    like: &Instance,
    wanted: &Wanted,
    revisions: &[Revision],
) -> Replica {
    Replica {
        environment: draft.request.environment.clone(),
        workload: workload.id.clone(),
        like: like.id.clone(),
        slot,
        number: Some(number),
        image: Some(wanted.image.clone()),
        digest: wanted.digest.clone(),
        revisions: Some(revisions.to_vec()),
        hidden: true,
    }
}

fn old(draft: &mut Draft<'_>, workload: &Workload, instance: &Arc<Instance>) -> Blue {
    let reference = draft.know(workload, instance, true);
    let original = Original::of(instance, Fate::Retired);
    let stop = original.was != Was::Stopped;
    Blue { reference, original, stop, aside: true }
}

/// The name of an instance before it was set aside (`<short id>_<name>`).
pub fn plain_name(instance: &Instance) -> Arc<str> {
    let prefix = format!("{}_", words::short(&instance.id));
    instance.name.strip_prefix(&prefix).unwrap_or(&instance.name).into()
}

fn describe(draft: &mut Draft<'_>, workload: &Workload, wanted: &Wanted, revisions: &[Revision], blue: &[Arc<Instance>]) {
    let id = &workload.id;
    draft.change(format!("{id}.image"), workload.image.clone(), wanted.image.clone());
    if let Some(digest) = &wanted.digest {
        let before = workload.digest.as_deref().map_or_else(|| "unknown".to_owned(), words::short_digest);
        draft.change(format!("{id}.digest"), before, words::short_digest(digest));
    }
    let number = revisions.first().map_or(0, |r| r.number);
    draft.change(format!("{id}.revision"), draft::current(workload).to_string(), number.to_string());
    for instance in blue {
        let before = format!("{} ({})", words::short(&instance.id), instance.state);
        draft.change(words::instance_label(workload, instance), before, "blue: kept, stopped, once green has held");
    }
    draft.warn(format!("{id} runs twice while it is switched: {} instances more", blue.len()));
}

/// Whether an unfinished operation was one of these.
pub fn was(affected: &Affected) -> bool {
    affected.switch.is_some()
}
