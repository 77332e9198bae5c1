//! From a wish to a running operation, pure: what it would be about, whether it may be, and the plan. Both faces ask here.

use std::fmt;
use std::sync::Arc;

use crate::model::{Alert, Capability, EnvironmentId, Link, OperationId, Snapshot, Verb};
use crate::operate::guard::{self, Answered, Decision, Owner, Question};
use crate::operate::plan::{self, Terms, up};
use crate::operate::{Plan, Refusal, Request, Target};

use super::format::clock;
use super::msg::Answer;
use super::state::{LogScope, RowId, State};

/// Why an operation did not start. [`fmt::Display`] is a whole sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// There is no plan.
    Plan(Refusal),
    /// What is there is not known (any more), so nothing can be planned on it.
    Feed(Arc<str>),
    /// Another operation is under way there.
    Busy { environment: Arc<str>, title: Arc<str> },
    /// The guard wants to be answered first.
    Ask { plan: Box<Plan>, question: Question },
    /// The guard says no.
    Guard { plan: Box<Plan>, why: Arc<str> },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(refusal) => write!(f, "{refusal}"),
            Self::Feed(why) | Self::Guard { why, .. } => f.write_str(why),
            Self::Busy { environment, title } => write!(f, "{environment} is busy: {title}; wait for it or abort it"),
            Self::Ask { plan, question: Question::Yes } => write!(f, "{} wants a yes (--yes)", plan.title),
            Self::Ask { plan, question: Question::Type(name) } => {
                write!(f, "{} wants the environment's name typed (--confirm {name})", plan.title)
            }
        }
    }
}

impl Refused {
    /// Whether it was the guard, and not the request, that stood in the way.
    #[must_use]
    pub fn is_guard(&self) -> bool {
        match self {
            Self::Ask { .. } | Self::Guard { .. } => true,
            Self::Plan(_) | Self::Feed(_) | Self::Busy { .. } => false,
        }
    }
}

/// Plans a request on what was last seen, changing nothing: what `--plan` prints and the console shows.
///
/// # Errors
/// [`Refused::Feed`] when what is there is not known or no longer fresh, [`Refused::Busy`], [`Refused::Plan`].
pub fn plan_for(state: &State, request: &Request, take_over: bool) -> Result<Plan, Refused> {
    plan_as(state, request, take_over, (next_id(state), state.now))
}

/// Plans once more what is on screen, as of when it was first planned: what differs has changed meanwhile.
///
/// # Errors
/// As [`plan_for`].
pub fn plan_again(state: &State, shown: &Plan, take_over: bool) -> Result<Plan, Refused> {
    let again = plan_as(state, &shown.request, take_over, (shown.id.clone(), shown.at))?;
    Ok(Plan { confirmed: shown.confirmed.clone(), ..again })
}

fn plan_as(
    state: &State,
    request: &Request,
    take_over: bool,
    (id, now): (OperationId, jiff::Timestamp),
) -> Result<Plan, Refused> {
    let environment = &request.environment;
    let Some(snapshot) = state.snapshot(environment) else {
        return Err(Refused::Feed(format!("{environment} is not known (yet)").into()));
    };
    fresh(state, environment)?;
    if let Some(machine) = state.in_the_way(environment, request.operation.verb()) {
        return Err(Refused::Busy { environment: state.name_of(environment).into(), title: machine.plan.title.clone() });
    }
    detailed(snapshot, request)?;
    let policy = state.policy(&snapshot.environment);
    let terms = Terms {
        policy: &policy,
        actor: &state.actor,
        read_only: state.settings.read_only,
        take_over,
        alive: state.alive.as_ref(),
        id,
        now,
    };
    plan::plan(request, snapshot, &terms).map_err(Refused::Plan)
}

/// Nothing is changed on what may no longer be so.
fn fresh(state: &State, environment: &EnvironmentId) -> Result<(), Refused> {
    let name = state.name_of(environment);
    match state.link(&environment.connection) {
        Some(Link::Live { .. }) => Ok(()),
        Some(Link::Stale { since, error, .. }) => Err(Refused::Feed(
            format!("{name} was last seen at {}: {error}; nothing is changed until it is live again", clock(*since, 0)).into(),
        )),
        Some(Link::Failed { error, .. }) => Err(Refused::Feed(format!("{name} cannot be reached: {error}").into())),
        Some(Link::Connecting) | None => Err(Refused::Feed(format!("{name} is not connected yet").into())),
    }
}

/// A plan rests on definitions, and those come a moment after the list.
fn detailed(snapshot: &Snapshot, request: &Request) -> Result<(), Refused> {
    if !snapshot.is_listed() {
        let what = &request.environment.name;
        return Err(Refused::Feed(format!("what there is in {what} is still being listed: try again in a moment").into()));
    }
    let meant = request.targets.iter().filter_map(|t| snapshot.workload(&t.workload));
    match meant.into_iter().find(|w| !w.is_detailed()) {
        None => Ok(()),
        Some(w) => Err(Refused::Feed(format!("the definition of {} is still being read: try again in a moment", w.id).into())),
    }
}

/// Unique across hosts, and sorted by start time.
fn next_id(state: &State) -> OperationId {
    let host: String = state.actor.host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(24).collect();
    let ms = state.now.as_millisecond().max(0);
    OperationId::new(format!("{ms:013}-{host}-{}-{}", state.actor.pid, state.operations.count + 1))
}

/// What the guard says to a plan and the answers given so far.
#[must_use]
pub fn decide(state: &State, plan: &Plan, answer: &Answer) -> Decision {
    let name = state.name_of(&plan.request.environment);
    let answered = Answered { yes: answer.yes, typed: answer.typed.as_deref() };
    guard::decide(plan.guard, state.settings.read_only, plan.destructive, &name, answered)
}

/// What the guard still asks of a plan that is shown; `None` when it would let it start.
#[must_use]
pub fn question(state: &State, plan: &Plan) -> Option<Question> {
    match decide(state, plan, &Answer::default()) {
        Decision::Ask(question) => Some(question),
        Decision::Go | Decision::Refuse(_) => None,
    }
}

/// Whether an operation whose owner died lies in the environment.
#[must_use]
pub fn is_unfinished(state: &State, snapshot: &Snapshot) -> bool {
    let Some(lock) = &snapshot.lock else { return false };
    let Some(operation) = &lock.operation else { return false };
    match guard::owner_state(lock, &state.actor, state.alive.as_ref()) {
        Owner::Dead => true,
        // Ours, but no longer under way: the engine could not say how it ended.
        Owner::Ours => state.operations.past.iter().any(|p| &p.id == operation && p.left_a_lock()),
        Owner::Alive | Owner::Elsewhere => false,
    }
}

/// A few words about an unfinished operation.
#[must_use]
pub fn unfinished_note(state: &State, snapshot: &Snapshot) -> Option<String> {
    let lock = snapshot.lock.as_ref().filter(|_| is_unfinished(state, snapshot))?;
    Some(format!("unfinished: {} by {}, to be finished or undone (recover)", lock.why, lock.by))
}

/// Whether a verb is about the environment itself.
#[must_use]
pub fn is_about_environment(verb: Verb) -> bool {
    match verb {
        Verb::Lock
        | Verb::Unlock
        | Verb::Recover
        | Verb::Drill
        | Verb::Run
        | Verb::Cordon
        | Verb::Uncordon
        | Verb::Drain
        | Verb::Silence
        | Verb::Unsilence => true,
        Verb::Scale
        | Verb::Restart
        | Verb::Stop
        | Verb::Start
        | Verb::Pause
        | Verb::Unpause
        | Verb::Kill
        | Verb::Remove
        | Verb::Deploy
        | Verb::Rollback
        | Verb::Up
        | Verb::Shell
        | Verb::Load
        | Verb::Trigger
        | Verb::Bounds => false,
    }
}

/// Whether a verb is about whole workloads only: with an instance selected its workload is meant.
#[must_use]
pub fn is_about_workloads(verb: Verb) -> bool {
    matches!(verb, Verb::Scale | Verb::Deploy | Verb::Rollback | Verb::Up | Verb::Load | Verb::Trigger | Verb::Bounds)
}

/// What a verb would be about here: the marked rows, else the selected one, else what the screen is about.
///
/// # Errors
/// A sentence: nothing is selected, or the marks lie in several environments.
pub fn targets(state: &State, verb: Verb) -> Result<(EnvironmentId, Vec<Target>), Arc<str>> {
    let marked = |m: &&RowId| matches!(m, RowId::Environment(_));
    if state.nav.view().table.marks.iter().filter(marked).nth(1).is_some() {
        return Err("several environments are marked: an operation is about one".into());
    }
    if is_about_environment(verb) {
        return state.environment().map(|id| (id, Vec::new())).ok_or_else(|| "select an environment first".into());
    }
    let view = state.nav.view();
    if let (Verb::Up | Verb::Load, Some(RowId::Environment(id)), true) = (verb, &view.table.selected, view.table.marks.is_empty())
    {
        // The whole of it.
        return Ok((id.clone(), Vec::new()));
    }
    let rows: Vec<&RowId> = match (view.table.marks.is_empty(), &view.table.selected) {
        (false, _) => view.table.marks.iter().collect(),
        (true, Some(row)) => vec![row],
        (true, None) => Vec::new(),
    };
    let mut environment: Option<EnvironmentId> = None;
    let mut targets: Vec<Target> = Vec::new();
    for row in rows {
        let Some((its, mut target)) = target_of(state, row) else { continue };
        if environment.as_ref().is_some_and(|e| e != &its) {
            return Err("the marks lie in several environments: an operation is about one".into());
        }
        if is_about_workloads(verb) {
            target.instance = None;
        }
        environment = Some(its);
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    match environment.map(|e| (e, targets)).or_else(|| scope_target(state)) {
        Some((environment, mut targets)) => {
            if is_about_workloads(verb) {
                for target in &mut targets {
                    target.instance = None;
                }
            }
            Ok((environment, targets))
        }
        None => Err("select a workload or an instance first".into()),
    }
}

fn target_of(state: &State, row: &RowId) -> Option<(EnvironmentId, Target)> {
    match row {
        RowId::Workload(environment, id) => Some((environment.clone(), Target { workload: id.clone(), instance: None })),
        RowId::Instance(environment, id) => {
            let (_, workload, _) = state.instance(&environment.connection, id)?;
            Some((environment.clone(), Target { workload: workload.id.clone(), instance: Some(id.clone()) }))
        }
        RowId::Connection(_) | RowId::Environment(_) | RowId::Revision(_) | RowId::Operation(_) | RowId::Item(_) => None,
        RowId::Alert(environment, key) => {
            let alert = state.alerts(environment).find(|a| a.key() == *key)?;
            let workload = state.workload_of_alert(environment, alert)?;
            Some((environment.clone(), Target { workload, instance: None }))
        }
    }
}

/// The alert that is selected.
#[must_use]
pub fn selected_alert(state: &State) -> Option<(&EnvironmentId, &Arc<Alert>)> {
    let Some(RowId::Alert(environment, key)) = &state.nav.view().table.selected else { return None };
    state.alerts(environment).find(|alert| alert.key() == *key).map(|alert| (environment, alert))
}

/// What the screen itself is about, when no row says it.
fn scope_target(state: &State) -> Option<(EnvironmentId, Vec<Target>)> {
    let view = state.nav.view();
    if let (Some(logs), super::state::Screen::Logs) = (&state.logs, view.screen) {
        let environment = logs.scope.environment()?.clone();
        let targets = match &logs.scope {
            LogScope::Workloads(_, ids) => ids.iter().map(|w| Target { workload: w.clone(), instance: None }).collect(),
            LogScope::Instances(_, ids) => ids
                .iter()
                .filter_map(|id| state.instance(&environment.connection, id))
                .map(|(_, w, i)| Target { workload: w.id.clone(), instance: Some(i.id.clone()) })
                .collect(),
            LogScope::Environments(_) => Vec::new(),
        };
        return (!targets.is_empty()).then_some((environment, targets));
    }
    let (environment, workload) = (view.environment.clone()?, view.workload.clone()?);
    Some((environment, vec![Target { workload, instance: view.instance.clone() }]))
}

/// Whether a verb applies to what is selected, before anything is planned: for keys, menus, help and footer.
#[must_use]
pub fn capability(state: &State, verb: Verb) -> Capability {
    let (environment, targets) = match targets(state, verb) {
        Ok(found) => found,
        Err(why) => return Capability::Denied(why),
    };
    let Some(snapshot) = state.snapshot(&environment) else {
        return Capability::Denied("the environment is not known (yet)".into());
    };
    let name = state.name_of(&environment);
    // Destructive or not does not matter to a refusal.
    let guard = state.policy(&snapshot.environment).guard;
    if let Decision::Refuse(why) = guard::decide(guard, state.settings.read_only, true, &name, Answered::default()) {
        return Capability::Denied(why);
    }
    for target in &targets {
        if let Some((_, workload)) = state.workload(&environment, &target.workload)
            && let Capability::Denied(why) = workload.capabilities.of(verb)
        {
            return Capability::Denied(why);
        }
    }
    of_environment(state, snapshot, &name, verb)
}

fn of_environment(state: &State, snapshot: &Snapshot, name: &str, verb: Verb) -> Capability {
    match verb {
        Verb::Unlock if snapshot.lock.is_none() => Capability::Denied(format!("nobody holds the lock of {name}").into()),
        Verb::Lock if snapshot.lock.is_some() => Capability::Denied(format!("{name} is locked already").into()),
        Verb::Recover if snapshot.lock.as_ref().is_none_or(|l| l.operation.is_none()) => {
            Capability::Denied(format!("nothing is unfinished in {name}").into())
        }
        Verb::Drill if drills(state, &snapshot.environment.id).is_empty() => {
            Capability::Denied("a real engine plays no faults; try the demo".into())
        }
        Verb::Run if state.policy(&snapshot.environment).runbooks.is_empty() => {
            Capability::Denied(format!("{name} has no runbook: [[environment.runbook]] in quarterdeck.toml makes one").into())
        }
        Verb::Load if !state.policy(&snapshot.environment).load.allowed => Capability::Denied(
            format!("{name} takes no load test: [environment.load] allowed = true in quarterdeck.toml makes it take one").into(),
        ),
        Verb::Silence if selected_alert(state).is_none() => Capability::Denied("select an alert first".into()),
        Verb::Unsilence if selected_alert(state).is_none_or(|(_, alert)| alert.silence.is_none()) => {
            Capability::Denied("select a silenced alert first".into())
        }
        Verb::Cordon | Verb::Uncordon | Verb::Drain if snapshot.nodes.is_empty() => {
            Capability::Denied("its nodes are not the engine's business, or may not be seen".into())
        }
        Verb::Up => up::tool(snapshot).map_or_else(Capability::Denied, |_| Capability::Allowed),
        Verb::Scale
        | Verb::Restart
        | Verb::Stop
        | Verb::Start
        | Verb::Pause
        | Verb::Unpause
        | Verb::Kill
        | Verb::Remove
        | Verb::Deploy
        | Verb::Rollback
        | Verb::Shell
        | Verb::Lock
        | Verb::Unlock
        | Verb::Recover
        | Verb::Drill
        | Verb::Run
        | Verb::Load
        | Verb::Trigger
        | Verb::Bounds
        | Verb::Cordon
        | Verb::Uncordon
        | Verb::Drain
        | Verb::Silence
        | Verb::Unsilence => Capability::Allowed,
    }
}

/// The faults the environment's engine can be told to play.
#[must_use]
pub fn drills<'a>(state: &'a State, environment: &EnvironmentId) -> &'a [(Arc<str>, Arc<str>)] {
    let inventory = state.connections.get(&environment.connection).and_then(|c| c.inventory.as_ref());
    inventory.map_or(&[], |i| &i.drills)
}
