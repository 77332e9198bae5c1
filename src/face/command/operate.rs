//! Commands that change something: planned, guarded, run and told step by step, through the same door as the console.

mod ask;
mod nodes;
mod report;
mod runbooks;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::app::msg::Answer;
use crate::app::operations::{Refused, decide, plan_for};
use crate::app::{Command, Msg};
use crate::cli::{self, Global};
use crate::model::OperationId;
use crate::observe::load::{Scenario, Shape};
use crate::observe::text::clean;
use crate::operate::guard::{Decision, Question};
use crate::operate::machine::Outcome;
use crate::operate::request::{Ending, Strategy};
use crate::operate::{Operation, Plan, Request};

use super::output::{Format, Out, say};
use super::{Driver, Exit, Failure, Result, shape, target};

use report::Report;
pub use runbooks::runbooks;

/// How long after the end of an operation the engine's own picture of it is waited for.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// The operation a command asks for, and the names of what it is about; `None` for commands that change nothing.
#[must_use]
pub fn wanted(command: &cli::Command) -> Option<(Operation, Vec<String>)> {
    use cli::Command as C;
    let one = |name: &String| vec![name.clone()];
    Some(match command {
        C::Scale(a) => (Operation::Scale { to: a.replicas }, one(&a.target)),
        C::Restart(a) => (Operation::Restart, a.targets.clone()),
        C::Deploy(a) => (deploy(a), one(&a.target)),
        C::Rollback(a) => (Operation::Rollback { to: a.to }, one(&a.target)),
        C::Up(a) => (Operation::Up, a.targets.clone()),
        C::Start(a) => (Operation::Start, a.targets.clone()),
        C::Stop(a) => (Operation::Stop, a.targets.clone()),
        C::Pause(a) => (Operation::Pause, a.targets.clone()),
        C::Unpause(a) => (Operation::Unpause, a.targets.clone()),
        C::Kill(a) => (Operation::Kill { signal: signal(&a.signal).into() }, a.targets.clone()),
        C::Remove(a) => (Operation::Remove, a.targets.clone()),
        C::Run(a) => {
            let variables = a.set.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
            (Operation::Run { runbook: a.runbook.as_deref()?.into(), variables }, Vec::new())
        }
        C::Load(a) => (load(a), one(&a.target)),
        C::Recover(a) => {
            let ending = if a.ending.finish { Ending::Finish } else { Ending::Undo };
            (Operation::Recover { ending }, one(&a.name))
        }
        C::Lock(a) => (Operation::Lock { why: clean(&a.why).into() }, one(&a.name)),
        C::Unlock(a) => (Operation::Unlock, one(&a.name)),
        C::Trigger(a) => (Operation::Trigger, a.targets.clone()),
        C::Bounds(a) => (Operation::Bounds { min: a.min, max: a.max }, one(&a.target)),
        C::Cordon(a) => (Operation::Cordon { node: a.node.as_str().into() }, Vec::new()),
        C::Uncordon(a) => (Operation::Uncordon { node: a.node.as_str().into() }, Vec::new()),
        C::Drain(a) => (Operation::Drain { node: a.node.as_str().into() }, Vec::new()),
        C::Demo
        | C::Status(_)
        | C::Ls(_)
        | C::Logs(_)
        | C::Forward(_)
        | C::Top(_)
        | C::Health(_)
        | C::Alerts(_)
        | C::Silence(_)
        | C::Unsilence(_)
        | C::History(_)
        | C::Diff(_)
        | C::Changes(_)
        | C::Offer(_)
        | C::Audit(_)
        | C::Timeline(_)
        | C::Autoscale(_)
        | C::Doctor(_)
        | C::Config(_)
        | C::Info
        | C::Screenshot(_)
        | C::Completions(_)
        | C::Keys
        | C::Themes => return None,
    })
}

/// The deploy a command asks for.
fn deploy(asked: &cli::Deploy) -> Operation {
    let strategy = asked.strategy.map(|s| match s {
        cli::Strategy::Rolling => Strategy::Rolling,
        cli::Strategy::Recreate => Strategy::Recreate,
        cli::Strategy::BlueGreen => Strategy::BlueGreen,
    });
    Operation::Deploy {
        image: asked.image.as_str().into(),
        container: asked.container.as_deref().map(Into::into),
        strategy,
        fast: asked.fast,
        unwatched: asked.unwatched,
    }
}

/// The load test a command asks for: a scenario, changed by what is said beside it.
fn load(asked: &cli::Load) -> Operation {
    let scenario = asked.scenario.as_deref().and_then(Scenario::named).map(Scenario::shape);
    let usual = scenario.unwrap_or_default();
    let connections = asked.rate.map(|rate| rate.clamp(1, 200));
    let shape = Shape {
        users: asked.users.or(connections).unwrap_or(usual.users),
        rate: asked.rate,
        duration: asked.duration.unwrap_or(usual.duration),
        ramp: asked.ramp.unwrap_or_else(|| if asked.duration.is_some() { Duration::ZERO } else { usual.ramp }),
        think: asked.think.unwrap_or(usual.think),
        timeout: asked.timeout.unwrap_or(usual.timeout),
    };
    Operation::Load { url: asked.url.as_deref().map(|url| clean(url).into()), shape }
}

/// `kill`, `KILL` and `SIGKILL` are the same signal; a number stays one.
fn signal(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("SIG") || upper.chars().all(|c| c.is_ascii_digit()) { upper } else { format!("SIG{upper}") }
}

/// Runs it.
///
/// # Errors
/// When a target is not there, the plan or the guard says no, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, global: &Global, operation: Operation, names: &[String]) -> Result<Exit> {
    let request = request(driver, operation, names).await?;
    propose(driver, out, global, request).await
}

/// Runs what is about an environment that is known already.
///
/// # Errors
/// As [`run`].
pub async fn run_in(
    driver: &mut Driver,
    out: &mut Out,
    global: &Global,
    operation: Operation,
    environment: crate::model::EnvironmentId,
) -> Result<Exit> {
    // Time in pure code is the time of the last message: plan with the present one.
    drop(driver.feed(Msg::Tick));
    propose(driver, out, global, Request { environment, targets: Vec::new(), operation }).await
}

async fn propose(driver: &mut Driver, out: &mut Out, global: &Global, request: Request) -> Result<Exit> {
    let plan = match plan_for(driver.state(), &request, global.take_over) {
        Ok(plan) => plan,
        Err(refused) => return refuse(out, &request, &refused),
    };
    if global.plan {
        let shown = PlanShape::new(driver, &plan);
        out.one(&shown, |_| ask::words(&plan))?;
        return Ok(Exit::Done);
    }
    let (typed, ticked) = (global.confirm.as_deref().map(Into::into), ticked(&plan, &global.tick)?);
    let mut answer = Answer { yes: global.yes, typed, take_over: global.take_over, ticked };
    match decide(driver.state(), &plan, &answer) {
        Decision::Go => {}
        Decision::Refuse(why) => return refuse(out, &request, &Refused::Guard { plan: Box::new(plan), why }),
        Decision::Ask(question) => match ask::person(&plan, &question) {
            Some(given) => match question {
                Question::Yes => answer.yes = matches!(given.as_str(), "y" | "Y" | "yes" | "Yes"),
                Question::Type(_) => answer.typed = Some(given.into()),
            },
            None => return refuse(out, &request, &Refused::Ask { plan: Box::new(plan), question }),
        },
    }
    ask::unticked(&plan, &mut answer.ticked)?;
    drop(driver.feed(Msg::Ask(request.clone(), answer)));
    match driver.state().operations.asked.clone() {
        Some(Ok(id)) => follow(driver, out, &request, &id).await,
        Some(Err(refused)) => refuse(out, &request, &refused),
        None => Err(Failure::failed("the operation did not start")),
    }
}

/// What a person has said is so by flags: each must be something the plan asks.
fn ticked(plan: &Plan, said: &[String]) -> Result<BTreeSet<Arc<str>>> {
    let asked: Vec<&Arc<str>> = plan.asked().collect();
    let mut ticked = BTreeSet::new();
    for text in said {
        if text == "all" {
            ticked.extend(asked.iter().map(|a| (*a).clone()));
        } else if let Some(known) = asked.iter().find(|a| a.as_ref() == text.as_str()) {
            ticked.insert((*known).clone());
        } else {
            let listed: Vec<String> = asked.iter().map(|a| format!("`{a}`")).collect();
            let asks = if listed.is_empty() { "nothing".to_owned() } else { listed.join(", ") };
            return Err(Failure::usage(format!("--tick `{text}`: the plan asks {asks}")));
        }
    }
    Ok(ticked)
}

async fn request(driver: &mut Driver, operation: Operation, names: &[String]) -> Result<Request> {
    if operation == Operation::Up {
        // A service that is only in the file is known by it alone.
        driver.inventory().await;
        driver.files().await;
    }
    let mut environment = None;
    if let Operation::Run { runbook, .. } = &operation {
        environment = Some(runbooks::having(driver, runbook).await?);
    }
    if let Some(node) = nodes::named(&operation) {
        environment = Some(nodes::having(driver, node).await?);
    }
    let mut targets = Vec::new();
    for name in names {
        let found = target::resolve(driver, name).await?;
        if environment.as_ref().is_some_and(|e| *e != found.environment) {
            return Err(Failure::usage("the targets lie in several environments: an operation is about one"));
        }
        environment = Some(found.environment.clone());
        let whole = crate::app::operations::is_about_environment(operation.verb());
        match (found.target(), whole) {
            (Some(_), true) => return Err(Failure::usage(format!("{} is about an environment, not {name}", operation.verb()))),
            (Some(target), false) => targets.push(target),
            (None, true) => {}
            // The whole environment: whatever is not as its file has it.
            (None, false) if matches!(operation, Operation::Up | Operation::Load { .. }) && names.len() == 1 => {}
            (None, false) => {
                return Err(Failure::usage(format!(
                    "{name} is an environment: name what to {} ({name}/WORKLOAD)",
                    operation.verb()
                )));
            }
        }
    }
    targets.dedup();
    let environment = environment.ok_or_else(|| Failure::usage("a target is needed"))?;
    // Time in pure code is the time of the last message: plan with the present one.
    drop(driver.feed(Msg::Tick));
    Ok(Request { environment, targets, operation })
}

fn refuse(out: &mut Out, request: &Request, refused: &Refused) -> Result<Exit> {
    let exit = match refused {
        Refused::Ask { .. } | Refused::Guard { .. } | Refused::Busy { .. } => Exit::Refused,
        Refused::Feed(_) => Exit::Failed,
        Refused::Plan(refusal) => report::exit_of(refusal),
    };
    if out.format != Format::Table {
        let ended = report::Ended {
            at: Timestamp::now(),
            operation: None,
            kind: request.operation.verb().word(),
            outcome: "refused",
            detail: refused.to_string(),
            duration_ms: 0,
            load: None,
        };
        out.one(&ended, |_| String::new())?;
    }
    Err(Failure { exit, text: refused.to_string() })
}

/// Tells what happens until the operation has ended. An interrupt asks for the way back, a second one leaves it as it
/// is, to be recovered.
async fn follow(driver: &mut Driver, out: &mut Out, request: &Request, id: &OperationId) -> Result<Exit> {
    let mut report = Report::new(id, request.operation.verb());
    let began = Instant::now();
    let mut interrupted = false;
    let mut interrupts = super::interrupt::Interrupts::listen()?;
    while driver.state().operations.running.iter().any(|m| &m.plan.id == id) {
        report.tell(driver.state(), out)?;
        tokio::select! {
            biased;
            () = interrupts.wait() => {
                if interrupted {
                    let name = driver.state().name_of(&request.environment);
                    return Err(Failure::failed(format!(
                        "left as it is; end it one way or the other with: qd recover {name} --finish, or --undo"
                    )));
                }
                interrupted = true;
                say(if matches!(request.operation, Operation::Load { .. }) {
                    "interrupted: nothing more is sent"
                } else {
                    "interrupted: going back to the old state; interrupt again to leave it as it is"
                });
                drop(driver.feed(Msg::Run(Command::AbortOperation)));
            }
            _ = driver.step(Instant::now() + Duration::from_secs(1)) => {}
        }
    }
    let outcome = report.end(driver.state(), out, began.elapsed())?;
    if let (Some(Outcome::Done), Operation::Lock { .. }) = (&outcome, &request.operation) {
        lock_taken(driver, out, request).await?;
    }
    Ok(match outcome {
        Some(Outcome::Done) => Exit::Done,
        Some(Outcome::RolledBack) => Exit::RolledBack,
        Some(Outcome::Refused) => Exit::Refused,
        Some(Outcome::Failed | Outcome::Unknown) | None => Exit::Failed,
    })
}

/// Shows the lock as it stands on the engine.
async fn lock_taken(driver: &mut Driver, out: &mut Out, request: &Request) -> Result<()> {
    let held = |state: &crate::app::State| state.snapshot(&request.environment).and_then(|s| shape::lock(state, s));
    driver.until(SEEN_WITHIN, |state| held(state).is_some()).await;
    if let Some(lock) = held(driver.state()) {
        out.one(&lock, |l| format!("{} is locked by {}: {}\n", l.environment, l.by, l.why))?;
    }
    Ok(())
}

/// A plan as `--plan` prints it.
#[derive(Serialize)]
struct PlanShape {
    operation: &'static str,
    title: String,
    environment: String,
    target: String,
    endpoint: String,
    guard: &'static str,
    steps: Vec<StepShape>,
    changes: Vec<crate::operate::Change>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct StepShape {
    name: String,
    call: String,
}

impl PlanShape {
    fn new(driver: &Driver, plan: &Plan) -> Self {
        Self {
            operation: plan.request.operation.verb().word(),
            title: plan.title.to_string(),
            environment: driver.state().name_of(&plan.request.environment),
            target: plan.target.to_string(),
            endpoint: plan.endpoint.to_string(),
            guard: plan.guard.word(),
            steps: plan.calls().iter().map(|(name, call)| StepShape { name: name.to_string(), call: call.to_string() }).collect(),
            changes: plan.changes.clone(),
            warnings: plan.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::signal;

    #[test]
    fn a_signal_is_named_in_any_usual_way() {
        for (given, meant) in [("KILL", "SIGKILL"), ("term", "SIGTERM"), ("SIGHUP", "SIGHUP"), ("sigusr1", "SIGUSR1"), ("9", "9")]
        {
            assert_eq!(signal(given), meant);
        }
    }
}
