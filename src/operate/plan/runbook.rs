//! Runbooks: their steps in order, each with what takes it back where something does.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, InstanceState, ProbeKind, Snapshot, Tier, Verb, Workload, WorkloadId};
use crate::operate::action::{Action, InstanceRef};
use crate::operate::errand::Errand;
use crate::operate::policy::{Asked, Condition};
use crate::operate::refusal::Refusal;
use crate::operate::request::Request;
use crate::operate::runbook::{Runbook, RunbookStep, Variables, split};
use crate::operate::unfinished::{Fate, Original, Was};

use super::around::{command, conditions};
use super::draft::{self, Draft};
use super::{Gate, Plan, Terms, Work, lock};

/// How long a command may run when nothing is said.
const COMMAND: Duration = Duration::from_secs(600);
/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(30);
/// How long is waited for a probe when nothing is said.
const WITHIN: Duration = Duration::from_secs(60);

/// Plans the runbook `name`.
pub fn run(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, name: &str) -> Result<Plan, Refusal> {
    let under = lock::free_or_ours(snapshot, terms)?;
    let mut draft = Draft::new(request, snapshot, terms);
    let runbook = find(&draft, name)?;
    steps(&mut draft, runbook)?;
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("the runbook {name} has no steps").into()));
    }
    if let Some(about) = &runbook.about {
        draft.warn(about.clone());
    }
    Ok(draft.finish(format!("run {name}"), name.to_owned(), under))
}

/// Puts the steps of the runbook `name` into another plan.
pub fn inline(draft: &mut Draft<'_>, name: &str) -> Result<(), Refusal> {
    let runbook = find(draft, name)?;
    steps(draft, runbook)
}

fn find<'a>(draft: &Draft<'a>, name: &str) -> Result<&'a Runbook, Refusal> {
    let environment = &draft.snapshot.environment;
    let all = &draft.terms.policy.runbooks;
    let Some(runbook) = all.iter().find(|r| &*r.name == name) else {
        let nearest = crate::model::problem::nearest(name, all.iter().map(|r| &*r.name)).map(Into::into);
        let what = format!("runbook {name}").into();
        return Err(Refusal::Unknown { what, environment: environment.id.name.clone(), nearest });
    };
    if !runbook.tiers.is_empty() && !runbook.tiers.contains(&environment.tier) {
        let may: Vec<&str> = runbook.tiers.iter().map(|t: &Tier| t.word()).collect();
        let why = format!("it may run on {} only, and this is {}", may.join(", "), environment.tier).into();
        return Err(Refusal::Denied { verb: Verb::Run, what: runbook.name.clone(), why });
    }
    Ok(runbook)
}

fn steps(draft: &mut Draft<'_>, runbook: &Runbook) -> Result<(), Refusal> {
    for step in &runbook.steps {
        one(draft, runbook, step)?;
    }
    Ok(())
}

fn one(draft: &mut Draft<'_>, runbook: &Runbook, step: &RunbookStep) -> Result<(), Refusal> {
    match step {
        RunbookStep::Exec { workload, command, timeout } => {
            let (workload, instance) = instance(draft, workload, true)?;
            let command = fill_all(draft, runbook, Some(&instance), command)?;
            let instance = draft.know(&workload, &instance, false);
            draft.act(Action::Exec { instance, command, timeout: timeout.unwrap_or(COMMAND) }, Vec::new());
        }
        RunbookStep::CopyIn { workload, from, to } => {
            let (workload, instance) = instance(draft, workload, false)?;
            let (from, to) = both(draft, runbook, &instance, from, to)?;
            let reference = draft.know(&workload, &instance, false);
            draft.change(format!("{}:{to}", instance.name), "as it is", format!("{from} of this machine"));
            draft.act(Action::CopyIn { instance: reference, from, to }, Vec::new());
        }
        RunbookStep::CopyOut { workload, from, to } => {
            let (workload, instance) = instance(draft, workload, false)?;
            let (from, to) = both(draft, runbook, &instance, from, to)?;
            let instance = draft.know(&workload, &instance, false);
            draft.act(Action::CopyOut { instance, from, to }, Vec::new());
        }
        RunbookStep::Stop { workload } => stop(draft, workload)?,
        RunbookStep::Start { workload } => start(draft, workload)?,
        RunbookStep::Wait { probe, within } => wait(draft, probe, within.unwrap_or(WITHIN))?,
        RunbookStep::Sleep(span) => draft.step(Work::Await(Gate::Wait { hold: *span }), Vec::new()),
        RunbookStep::Confirm(text) => {
            let text = fill(draft, runbook, None, text)?;
            draft.step(Work::Await(Gate::Person { text }), Vec::new());
        }
        RunbookStep::Command { argv, timeout } => {
            let argv = fill_all(draft, runbook, None, argv)?;
            let errand = command(draft, None, &argv, timeout.unwrap_or(COMMAND));
            draft.act(Action::Errand(Box::new(errand)), Vec::new());
        }
        RunbookStep::Http { url, method, body } => {
            let url = fill(draft, runbook, None, url)?;
            let body = body.as_ref().map(|b| fill(draft, runbook, None, b)).transpose()?;
            let errand = Errand::Http { method: method.clone(), url, body, timeout: REQUEST };
            draft.act(Action::Errand(Box::new(errand)), Vec::new());
        }
    }
    Ok(())
}

fn workload<'a>(draft: &Draft<'a>, name: &str) -> Result<&'a Arc<Workload>, Refusal> {
    let snapshot = draft.snapshot;
    let missing = || {
        let nearest = crate::model::problem::nearest(name, snapshot.workloads.iter().map(|w| w.id.as_str())).map(Into::into);
        let environment = snapshot.environment.id.name.clone();
        Refusal::Unknown { what: format!("workload {name}").into(), environment, nearest }
    };
    snapshot.workload(&WorkloadId::new(name)).ok_or_else(missing)
}

/// The instance a step is about: the one with the number, else the first; one that runs (or will, being started by a step
/// before) where that is needed.
fn instance(draft: &Draft<'_>, named: &str, must_run: bool) -> Result<(Arc<Workload>, Arc<Instance>), Refusal> {
    let (name, number) = split(named);
    let workload: Arc<Workload> = workload(draft, name)?.clone();
    let started = |i: &Instance| {
        let reference = InstanceRef::Known(i.id.clone());
        draft.steps.iter().any(|s| matches!(&s.work, Work::Act(Action::Start { instance }) if *instance == reference))
    };
    let fits =
        |i: &Instance| number.is_none_or(|n| i.number == n) && (!must_run || i.state == InstanceState::Running || started(i));
    let found = workload.replicas().find(|i| fits(i)).cloned();
    let Some(instance) = found else {
        let what = if must_run { format!("running instance of {named}") } else { format!("instance of {named}") };
        let environment = draft.snapshot.environment.id.name.clone();
        return Err(Refusal::Unknown { what: what.into(), environment, nearest: None });
    };
    Ok((workload, instance))
}

/// The instances a stop or start is about.
fn meant(draft: &Draft<'_>, named: &str) -> Result<(Arc<Workload>, Vec<Arc<Instance>>), Refusal> {
    let (name, number) = split(named);
    let workload = workload(draft, name)?.clone();
    if draft::is_declared(draft.snapshot) {
        let why = "its engine would start it again by itself: scale it in a step of its own".into();
        return Err(Refusal::Denied { verb: Verb::Run, what: name.into(), why });
    }
    let instances: Vec<_> = workload.replicas().filter(|i| number.is_none_or(|n| i.number == n)).cloned().collect();
    if instances.is_empty() {
        let environment = draft.snapshot.environment.id.name.clone();
        return Err(Refusal::Unknown { what: format!("instance of {named}").into(), environment, nearest: None });
    }
    Ok((workload, instances))
}

/// Stops what runs; when a later step fails it is started again.
fn stop(draft: &mut Draft<'_>, named: &str) -> Result<(), Refusal> {
    let (workload, instances) = meant(draft, named)?;
    let policy = draft.policy(&workload);
    affect(draft, &workload, &instances, Fate::Stopped);
    for instance in instances.iter().filter(|i| Was::of(i.state) != Was::Stopped) {
        let reference = draft.know(&workload, instance, false);
        draft.change(format!("{}.state", instance.name), instance.state.word(), "exited");
        let undo = draft::revive(&reference, &Original::of(instance, Fate::Stopped), policy);
        draft.stop(&reference, undo);
    }
    Ok(())
}

/// Starts what is stopped, or was stopped by a step before, and waits until it is healthy.
fn start(draft: &mut Draft<'_>, named: &str) -> Result<(), Refusal> {
    let (workload, instances) = meant(draft, named)?;
    let policy = draft.policy(&workload);
    affect(draft, &workload, &instances, Fate::Started);
    let mut references = Vec::new();
    for instance in &instances {
        let reference = draft.know(&workload, instance, false);
        draft.change(format!("{}.state", instance.name), "stopped", "running");
        draft.act(Action::Start { instance: reference.clone() }, Vec::new());
        references.push((reference, draft::brief_hold(instance, policy)));
    }
    for (reference, hold) in references {
        draft.healthy(&reference, policy, hold.min(Duration::from_secs(2)));
    }
    Ok(())
}

/// Notes what becomes of instances; what a later step does with them is what counts.
fn affect(draft: &mut Draft<'_>, workload: &Workload, instances: &[Arc<Instance>], fate: Fate) {
    if !draft.affected.iter().any(|a| a.workload == workload.id) {
        draft.affect(workload, |_| Fate::Kept);
    }
    let Some(facts) = draft.affected.iter_mut().find(|a| a.workload == workload.id) else { return };
    for original in facts.originals.iter_mut().filter(|o| instances.iter().any(|i| i.id == o.id)) {
        original.fate = fate;
    }
}

fn wait(draft: &mut Draft<'_>, name: &str, within: Duration) -> Result<(), Refusal> {
    let Some(probe) = draft.terms.policy.probes.iter().find(|p| &*p.name == name).cloned() else {
        let environment = draft.snapshot.environment.id.name.clone();
        return Err(Refusal::Unknown { what: format!("probe {name}").into(), environment, nearest: None });
    };
    let named = probe.workload.clone();
    let condition = Condition { asked: Asked::Probe(probe.clone()), within, hold: Duration::ZERO };
    let Some(named) = named else {
        // A bare address: of no workload in particular.
        let look = Action::Errand(Box::new(Errand::Probe { probe: probe.clone(), instances: Vec::new() }));
        let gate = Gate::Reading {
            name: format!("probe {name}").into(),
            look: Box::new(look),
            every: probe.interval.min(Duration::from_secs(2)),
            within,
            hold: Duration::ZERO,
            patience: probe.failures,
        };
        draft.step(Work::Await(gate), Vec::new());
        return Ok(());
    };
    let must_run = matches!(probe.kind, ProbeKind::Exec(_));
    let (workload, instance) = instance(draft, &named, must_run)?;
    let reference = draft.know(&workload, &instance, false);
    conditions(draft, &workload, &[condition], &[reference])
}

fn fill(draft: &Draft<'_>, runbook: &Runbook, instance: Option<&Instance>, text: &str) -> Result<Arc<str>, Refusal> {
    let variables = Variables {
        environment: &draft.request.environment.name,
        instance: instance.map(|i| &*i.name),
        now: draft.terms.now,
        given: draft.request.operation.variables(),
    };
    variables.fill(text).map_err(|name| Refusal::NoVariable { runbook: runbook.name.clone(), name, text: text.into() })
}

fn fill_all(
    draft: &Draft<'_>,
    runbook: &Runbook,
    instance: Option<&Instance>,
    texts: &[Arc<str>],
) -> Result<Vec<Arc<str>>, Refusal> {
    texts.iter().map(|text| fill(draft, runbook, instance, text)).collect()
}

fn both(
    draft: &Draft<'_>,
    runbook: &Runbook,
    instance: &Instance,
    from: &str,
    to: &str,
) -> Result<(Arc<str>, Arc<str>), Refusal> {
    Ok((fill(draft, runbook, Some(instance), from)?, fill(draft, runbook, Some(instance), to)?))
}
