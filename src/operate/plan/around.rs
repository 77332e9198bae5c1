//! What stands around the replacing of instances: checks before, the migration, gates between, verification after.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{EnvironmentId, InstanceState, ProbeKind, Workload, WorkloadId};
use crate::operate::action::{Action, InstanceRef, Replica};
use crate::operate::errand::{EngineFigure, Errand, Metric, MetricSource};
use crate::operate::policy::{Asked, Before, Condition, Place};
use crate::operate::refusal::Refusal;
use crate::operate::request::Operation;

use super::draft::{self, Draft};
use super::replace::Wanted;
use super::targets::Chosen;
use super::{Gate, Step, Work, controlled, runbook, words};

/// How long a look may take, and how often one is repeated while a gate waits.
const LOOK: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_secs(2);
/// Over how long a rate is measured.
const WINDOW: Duration = Duration::from_secs(5);
/// Bad figures in a row, after good ones, that end a gate.
const PATIENCE: u32 = 3;

/// The checks before a deploy: those of every chosen workload, each once. The fast path leaves them out.
pub fn before(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<(), Refusal> {
    let fast = matches!(draft.request.operation, Operation::Deploy { fast: true, .. });
    freeze(draft, chosen, fast)?;
    signals(draft, chosen)?;
    if fast {
        draft.warn("the fast path: the checks before are left out");
        return Ok(());
    }
    for one in chosen {
        for check in &draft.policy(&one.workload).before {
            check_before(draft, &one.workload, check)?;
        }
    }
    Ok(())
}

/// Nothing is deployed that nobody could tell well from ill, unless it is told to be.
fn signals(draft: &Draft<'_>, chosen: &[Chosen]) -> Result<(), Refusal> {
    let unwatched = matches!(draft.request.operation, Operation::Deploy { unwatched: true, .. });
    if unwatched || (draft::is_declared(draft.snapshot) && !controlled::is_here(draft)) {
        return Ok(());
    }
    // Of a cluster's workload that does not run there is nothing to be seen before, and nothing to be watched after.
    let at_rest = |one: &&Chosen| controlled::is_here(draft) && one.workload.desired == 0;
    let silent = |one: &&Chosen| {
        let policy = draft.policy(&one.workload);
        let asked = policy.gate.iter().chain(&policy.verify).any(|c| !matches!(c.asked, Asked::Person(_)));
        !asked && !one.workload.replicas().any(|i| i.has_healthcheck)
    };
    match chosen.iter().filter(|one| !at_rest(one)).find(silent) {
        Some(one) => Err(Refusal::NoSignal { workload: one.workload.id.0.clone() }),
        None => Ok(()),
    }
}

fn freeze(draft: &mut Draft<'_>, chosen: &[Chosen], fast: bool) -> Result<(), Refusal> {
    let now = draft.terms.now;
    for one in chosen {
        let Some(frozen) = draft.policy(&one.workload).freeze.iter().find(|f| f.from <= now && now < f.to) else { continue };
        let why = frozen.why.clone().unwrap_or_else(|| "a freeze window".into());
        if !fast {
            return Err(Refusal::Frozen { what: one.workload.id.0.clone(), why, until: frozen.to });
        }
        draft.warn(format!("{} is frozen until {:.0} ({why}): the fast path goes through it", one.workload.id, frozen.to));
    }
    Ok(())
}

fn check_before(draft: &mut Draft<'_>, workload: &Workload, check: &Before) -> Result<(), Refusal> {
    let environment = draft.request.environment.clone();
    let work = match check {
        Before::EnvFile { path, required } => errand(Errand::EnvFile { path: path.clone(), required: required.clone() }),
        Before::Tcp(address) => errand(Errand::Tcp { address: address.clone(), timeout: LOOK }),
        Before::Certificate { address, days } => {
            errand(Errand::Certificate { address: address.clone(), days: *days, timeout: LOOK })
        }
        Before::Disk(bytes) => Work::Act(Action::LookAtDisk { environment, least_bytes: *bytes }),
        Before::Runbook(name) => return runbook::inline(draft, name),
        Before::Condition(one) => {
            let running = running(draft, workload);
            return condition(draft, workload, one, &running);
        }
    };
    once(draft, work);
    Ok(())
}

fn errand(errand: Errand) -> Work {
    Work::Act(Action::Errand(Box::new(errand)))
}

/// Adds a step unless it is there already (marks over workloads share their checks).
fn once(draft: &mut Draft<'_>, work: Work) {
    if !draft.steps.iter().any(|step| step.work == work) {
        draft.step(work, Vec::new());
    }
}

/// The instances of a workload that run now.
fn running(draft: &mut Draft<'_>, workload: &Workload) -> Vec<InstanceRef> {
    let running = workload.replicas().filter(|i| i.state == InstanceState::Running);
    let running: Vec<_> = running.cloned().collect();
    running.iter().map(|i| draft.know(workload, i, false)).collect()
}

/// Adds what must be so of `workload`, whose instances to look at are these.
pub fn conditions(
    draft: &mut Draft<'_>,
    workload: &Workload,
    list: &[Condition],
    instances: &[InstanceRef],
) -> Result<(), Refusal> {
    list.iter().try_for_each(|one| condition(draft, workload, one, instances))
}

fn condition(draft: &mut Draft<'_>, workload: &Workload, one: &Condition, instances: &[InstanceRef]) -> Result<(), Refusal> {
    if instances.is_empty() && draft::is_declared(draft.snapshot) && needs_instances(draft, workload, &one.asked) {
        let why = "its engine makes the new instances, so none of them can be named before: ask an address of the service, \
                   a Prometheus server or a command instead";
        return Err(Refusal::Denied { verb: draft.request.operation.verb(), what: workload.id.0.clone(), why: why.into() });
    }
    match &one.asked {
        Asked::Probe(probe) => {
            let own = probe.workload.as_ref().is_none_or(|w| **w == *workload.id.0);
            let meant = if own { instances.to_vec() } else { of_other(draft, probe.workload.as_deref())? };
            let looks: Vec<Action> = match &probe.kind {
                ProbeKind::Exec(command) => meant
                    .into_iter()
                    .map(|instance| Action::Exec { instance, command: command.clone(), timeout: probe.timeout })
                    .collect(),
                ProbeKind::Http(_) | ProbeKind::Tcp(_) | ProbeKind::Tls(_) => {
                    vec![Action::Errand(Box::new(Errand::Probe { probe: probe.clone(), instances: meant }))]
                }
            };
            for look in looks {
                let name = match &look {
                    Action::Exec { instance, .. } => {
                        format!("probe {} in {}", probe.name, words::label(&draft.names, instance))
                    }
                    _ => format!("probe {}", probe.name),
                };
                let every = probe.interval.min(EVERY);
                reading(draft, name, look, every, one, probe.failures);
            }
        }
        Asked::Metric { name, limit } => {
            let metric = metric(draft, workload, name, instances)?;
            let look = Action::Errand(Box::new(Errand::Metric { metric: Box::new(metric), limit: Some(*limit) }));
            reading(draft, format!("{name} {}", limit.words()), look, EVERY, one, PATIENCE);
        }
        Asked::Silent(name) => {
            let Some(prometheus) = draft.terms.policy.prometheus.clone() else {
                return Err(Refusal::NoSource { what: "alerts".into(), why: "there is no [environment.prometheus]" });
            };
            let look = Action::Errand(Box::new(Errand::Alerts { prometheus, name: name.clone() }));
            let what = name.as_ref().map_or_else(|| "no alert fires".to_owned(), |n| format!("alert {n} is silent"));
            reading(draft, what, look, EVERY, one, 1);
        }
        Asked::Command { argv, timeout } => {
            let command = command(draft, Some(workload), argv, *timeout);
            draft.step(errand(command), Vec::new());
        }
        Asked::Person(text) => once(draft, Work::Await(Gate::Person { text: text.clone() })),
    }
    Ok(())
}

/// Whether a condition is asked of the very instances of the workload.
fn needs_instances(draft: &Draft<'_>, workload: &Workload, asked: &Asked) -> bool {
    match asked {
        Asked::Probe(probe) if probe.workload.as_ref().is_some_and(|w| **w != *workload.id.0) => false,
        Asked::Probe(probe) => match &probe.kind {
            ProbeKind::Exec(_) => true,
            ProbeKind::Http(address) | ProbeKind::Tcp(address) | ProbeKind::Tls(address) => address.contains("{instance}"),
        },
        Asked::Metric { name, .. } => match metric(draft, workload, name, &[]).map(|m| m.source) {
            Ok(MetricSource::Engine { .. }) => true,
            Ok(MetricSource::Scrape { urls, .. }) => urls.iter().any(|url| url.contains("{instance}")),
            Ok(MetricSource::Prometheus { .. }) | Err(_) => false,
        },
        Asked::Silent(_) | Asked::Command { .. } | Asked::Person(_) => false,
    }
}

fn reading(draft: &mut Draft<'_>, name: String, look: Action, every: Duration, one: &Condition, patience: u32) {
    let gate = Gate::Reading { name: name.into(), look: Box::new(look), every, within: one.within, hold: one.hold, patience };
    draft.step(Work::Await(gate), Vec::new());
}

/// A command of this machine with what it is about in its environment.
pub fn command(draft: &Draft<'_>, workload: Option<&Workload>, argv: &[Arc<str>], timeout: Duration) -> Errand {
    let request = draft.request;
    let mut variables: Vec<(Arc<str>, Arc<str>)> =
        vec![("QD_ENVIRONMENT".into(), request.environment.name.clone()), ("QD_OPERATION".into(), draft.terms.id.0.clone())];
    if let Some(workload) = workload {
        variables.push(("QD_WORKLOAD".into(), workload.id.0.clone()));
    }
    if let Operation::Deploy { image, .. } = &request.operation {
        variables.push(("QD_IMAGE".into(), image.clone()));
    }
    if let Some(endpoint) = draft.snapshot.environment.endpoint.split(" · ").next().filter(|e| e.contains("://")) {
        variables.push(("DOCKER_HOST".into(), endpoint.into()));
    }
    Errand::Command { argv: argv.to_vec(), folder: draft.terms.policy.folder.clone(), timeout, variables }
}

/// The running instances of another workload a probe speaks for.
fn of_other(draft: &mut Draft<'_>, name: Option<&str>) -> Result<Vec<InstanceRef>, Refusal> {
    let environment = draft.snapshot.environment.id.name.clone();
    let Some(name) = name else { return Ok(Vec::new()) };
    let Some(other) = draft.snapshot.workload(&WorkloadId::new(name)).cloned() else {
        return Err(Refusal::Unknown {
            what: format!("workload {name}, which a probe speaks for,").into(),
            environment,
            nearest: None,
        });
    };
    Ok(running(draft, &other))
}

/// Where the figure `name` of a workload comes from.
pub fn metric(draft: &Draft<'_>, workload: &Workload, name: &Arc<str>, instances: &[InstanceRef]) -> Result<Metric, Refusal> {
    let policy = draft.terms.policy;
    source(policy, &draft.request.environment, &workload.id, name, instances)
}

/// Where the figure `name` of a workload comes from: the engine, what is scraped of it, or a Prometheus server.
fn source(
    policy: &crate::operate::Policy,
    environment: &EnvironmentId,
    workload: &WorkloadId,
    name: &Arc<str>,
    instances: &[InstanceRef],
) -> Result<Metric, Refusal> {
    let instances = instances.to_vec();
    let urls = |of: Option<&str>| -> Vec<Arc<str>> {
        policy.scrapes.iter().filter(|s| s.workload.as_deref() == of).map(|s| s.url.clone()).collect()
    };
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let own = urls(Some(workload.as_str()));
    let source = match (&**name, &policy.prometheus) {
        ("cpu", _) => MetricSource::Engine { figure: EngineFigure::Cpu, instances },
        ("memory", _) => MetricSource::Engine { figure: EngineFigure::Memory, instances },
        (_, _) if is_name && !own.is_empty() => MetricSource::Scrape { urls: own, instances },
        (_, Some(server)) => MetricSource::Prometheus { server: server.clone() },
        (_, None) if is_name && !urls(None).is_empty() => MetricSource::Scrape { urls: urls(None), instances },
        (_, None) => {
            let why =
                "it is neither cpu nor memory, and there is no [[environment.scrape]] or [environment.prometheus] that knows it";
            return Err(Refusal::NoSource { what: format!("the figure {name} of {workload}").into(), why });
        }
    };
    Ok(Metric { name: name.clone(), environment: environment.clone(), source, window: WINDOW })
}

/// What reads the figure `name` of a workload now, without a limit.
///
/// # Errors
/// [`Refusal::NoSource`] when nobody knows it.
pub fn reading_of(
    policy: &crate::operate::Policy,
    environment: &EnvironmentId,
    workload: &WorkloadId,
    name: &Arc<str>,
    instances: &[InstanceRef],
) -> Result<Action, Refusal> {
    let metric = source(policy, environment, workload, name, instances)?;
    Ok(Action::Errand(Box::new(Errand::Metric { metric: Box::new(metric), limit: None })))
}

/// The slot of a workload's migration: counted from the other end than replicas.
pub fn migration_slot(draft: &Draft<'_>, workload: &WorkloadId) -> u32 {
    // One whose facts are not noted yet comes next.
    let at = draft.affected.iter().position(|a| a.workload == *workload).unwrap_or(draft.affected.len());
    u32::MAX - u32::try_from(at).unwrap_or(0)
}

/// The migration before instances are replaced. What it changed stays, whatever happens after.
pub fn migrate(draft: &mut Draft<'_>, workload: &Workload, wanted: &Wanted) -> Result<(), Refusal> {
    let Some(migration) = &draft.policy(workload).migrate else { return Ok(()) };
    let program = migration.exec.join(" ");
    draft.warn(format!("the migration ({program}) is not taken back by a roll back: what it changed stays"));
    let work = match migration.place {
        Place::OneOff if draft::is_declared(draft.snapshot) && !controlled::is_here(draft) => {
            let why = "this engine runs no container of its own from here: say `in = \"instance\"` in `migrate`".into();
            return Err(Refusal::Denied { verb: draft.request.operation.verb(), what: workload.id.0.clone(), why });
        }
        Place::OneOff => {
            let like = workload.replicas().next();
            let like = like.ok_or(Refusal::NoDefinition { workload: workload.id.0.clone() })?;
            let replica = Replica {
                environment: draft.request.environment.clone(),
                workload: workload.id.clone(),
                like: like.id.clone(),
                slot: migration_slot(draft, &workload.id),
                number: None,
                image: Some(wanted.image.clone()),
                digest: wanted.digest.clone(),
                revisions: None,
                hidden: true,
            };
            Action::RunOnce {
                operation: draft.made_by.clone(),
                replica: Box::new(replica),
                command: migration.exec.clone(),
                timeout: migration.timeout,
            }
        }
        Place::Instance => {
            let instance = running(draft, workload).into_iter().next();
            let instance = instance.ok_or(Refusal::NoDefinition { workload: workload.id.0.clone() })?;
            Action::Exec { instance, command: migration.exec.clone(), timeout: migration.timeout }
        }
    };
    let undo = forget(draft, workload).into_iter().map(Work::Act).collect();
    draft.act(work, undo);
    if let Some(Step { name, .. }) = draft.steps.last_mut() {
        *name = format!("migrate {}", workload.id).into();
    }
    Ok(())
}

/// What removes a migration's container, where it has one.
pub fn forget(draft: &Draft<'_>, workload: &Workload) -> Option<Action> {
    let migration = draft.policy(workload).migrate.as_ref()?;
    match migration.place {
        Place::Instance => None,
        Place::OneOff => Some(Action::ForgetOnce {
            environment: draft.request.environment.clone(),
            operation: draft.made_by.clone(),
            slot: migration_slot(draft, &workload.id),
        }),
    }
}

/// Who is told how it ended: once each, over all workloads.
pub fn notify(draft: &mut Draft<'_>, chosen: &[Chosen]) {
    for one in chosen {
        for url in &draft.policy(&one.workload).notify {
            if !draft.notify.contains(url) {
                draft.notify.push(url.clone());
            }
        }
    }
}
