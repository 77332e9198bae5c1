//! `qd forward`: ports of a workload on this machine, as long as the command runs. What happens to them is told as it
//! happens.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::app::forward::{Told, ports, ready};
use crate::cli::{self, Global};
use crate::model::{EnvironmentId, InstanceId, WorkloadId};
use crate::operate::audit::{Deed, Record};
use crate::operate::guard::{Answered, Decision, Question, decide};
use crate::runtime::forward::Forward;
use crate::runtime::journal::Journal;

use super::interrupt::Interrupts;
use super::output::{Format, Out, say};
use super::{Driver, Exit, Failure, Result, target};

/// How often it is looked which instances are ready.
const LOOK: Duration = Duration::from_millis(250);
/// Tellings that wait to be printed.
const TELLINGS: usize = 256;

/// What is forwarded.
struct Aim {
    environment: EnvironmentId,
    workload: WorkloadId,
    instance: Option<InstanceId>,
}

#[derive(Serialize)]
struct Line {
    at: Timestamp,
    local: String,
    remote: u16,
    state: &'static str,
    instance: Option<String>,
    connection: Option<u64>,
    sent_bytes: Option<u64>,
    received_bytes: Option<u64>,
    detail: Option<String>,
}

/// Runs it until it is interrupted.
///
/// # Errors
/// When the target is not there, the guard says no, a port here is taken, or it cannot be put on record.
pub async fn run(
    driver: &mut Driver,
    out: &mut Out,
    global: &Global,
    journal: &Journal,
    arguments: &cli::Forward,
) -> Result<Exit> {
    let found = target::resolve(driver, &arguments.target).await?;
    let Some(workload) = found.workload else {
        let text = format!("{0} is an environment: name one of its workloads ({0}/WORKLOAD)", arguments.target);
        return Err(Failure::usage(text));
    };
    let aim = Aim { environment: found.environment, workload, instance: found.instance };
    let pairs = pairs(driver, &aim, &arguments.ports)?;
    allow(driver, &aim, global)?;
    let mut interrupts = Interrupts::listen()?;
    let (seen, watched) = watch::channel(now(driver, &aim));
    let mut running = JoinSet::new();
    let mut ears = Vec::new();
    for (local, remote) in pairs {
        let Some(engine) = driver.session().engine(&aim.environment.connection) else {
            return Err(Failure::failed("the engine is not connected"));
        };
        let (told, heard) = channel(TELLINGS);
        let taken = |error: io::Error| Failure::failed(format!("port {local} of this machine cannot be listened on: {error}"));
        let forward = Forward::listen(engine, local, remote, watched.clone(), told).await.map_err(taken)?;
        ears.push(Ear { local: forward.address()?.to_string(), remote, heard });
        running.spawn(forward.run());
    }
    record(driver, journal, &aim, &ears)?;
    for ear in &ears {
        let count = seen.borrow().len();
        let detail = if count == 0 { Some("no instance is ready".to_owned()) } else { Some(format!("{count} ready")) };
        print(out, &ear.line("listening", detail))?;
    }
    loop {
        let again = Instant::now() + LOOK;
        tokio::select! {
            biased;
            () = interrupts.wait() => return Ok(Exit::Done),
            (index, told) = next(&mut ears) => print(out, &ears[index].told(told))?,
            _ = driver.step(again) => {}
        }
        let fresh = now(driver, &aim);
        if *seen.borrow() != fresh {
            let (before, after) = (seen.borrow().len(), fresh.len());
            seen.send_replace(fresh);
            if before == 0 || after == 0 {
                let what = if after == 0 { "no instance is ready any more".to_owned() } else { format!("{after} ready") };
                for ear in &ears {
                    print(out, &ear.line(if after == 0 { "waiting" } else { "listening" }, Some(what.clone())))?;
                }
            }
        }
    }
}

fn now(driver: &Driver, aim: &Aim) -> Vec<InstanceId> {
    ready(driver.state(), &aim.environment, &aim.workload, aim.instance.as_ref())
}

/// Local and remote ports; without any the one port the workload is known to have.
fn pairs(driver: &Driver, aim: &Aim, given: &[(u16, u16)]) -> Result<Vec<(u16, u16)>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    match ports(driver.state(), &aim.environment, &aim.workload)[..] {
        [] => Err(Failure::usage(format!("{} names no port: say which one is meant ([LOCAL:]REMOTE)", aim.workload))),
        [one] => Ok(vec![(one, one)]),
        ref several => {
            let known = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(Failure::usage(format!("{} has several ports ({known}): say which are meant", aim.workload)))
        }
    }
}

/// Asks what the environment's guard asks before somebody goes in.
fn allow(driver: &Driver, aim: &Aim, global: &Global) -> Result<()> {
    let state = driver.state();
    let name = state.name_of(&aim.environment);
    let Some(snapshot) = state.snapshot(&aim.environment) else {
        return Err(Failure::failed(format!("{name} is not known any more")));
    };
    let guard = state.policy(&snapshot.environment).guard;
    let refused = |text: String| Err(Failure { exit: Exit::Refused, text });
    let ask = |yes: bool, typed: Option<&str>| decide(guard, state.settings.read_only, false, &name, Answered { yes, typed });
    let question = match ask(global.yes, global.confirm.as_deref()) {
        Decision::Go => return Ok(()),
        Decision::Refuse(why) => return refused(why.to_string()),
        Decision::Ask(question) => question,
    };
    let (prompt, flag) = match &question {
        Question::Yes => (format!("Open a way into {} of {name}? [y/N] ", aim.workload), "--yes".to_owned()),
        Question::Type(name) => {
            (format!("Type {name} to open a way into {}, anything else to leave: ", aim.workload), format!("--confirm {name}"))
        }
    };
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return refused(format!("{name} asks before anybody goes in: give {flag}"));
    }
    let given = answer(&prompt)?;
    let go = match question {
        Question::Yes => ask(matches!(given.as_str(), "y" | "Y" | "yes" | "Yes"), None),
        Question::Type(_) => ask(false, Some(&given)),
    };
    if go == Decision::Go { Ok(()) } else { refused("nothing was opened".to_owned()) }
}

fn answer(prompt: &str) -> io::Result<String> {
    let mut terminal = io::stderr().lock();
    terminal.write_all(prompt.as_bytes())?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Puts on record that a way in was opened, as of a shell.
fn record(driver: &Driver, journal: &Journal, aim: &Aim, ears: &[Ear]) -> Result<()> {
    let state = driver.state();
    let Some(snapshot) = state.snapshot(&aim.environment) else { return Ok(()) };
    let ports = ears.iter().map(|ear| format!("{} to {}", ear.local, ear.remote)).collect::<Vec<_>>().join(", ");
    let deed = Deed {
        kind: "forward",
        environment: state.name_of(&aim.environment).into(),
        endpoint: snapshot.environment.endpoint.clone(),
        target: aim.instance.as_ref().map_or_else(|| aim.workload.0.clone(), |id| id.0.clone()),
        detail: format!("{ports}; what goes through is not recorded").into(),
    };
    let record = Record::of_deed(deed, &state.actor, Timestamp::now());
    journal.append(&record).map_err(|why| Failure::failed(format!("{why}: nothing is opened")))
}

/// Where a forwarded port is heard of.
struct Ear {
    local: String,
    remote: u16,
    heard: Receiver<Told>,
}

impl Ear {
    fn line(&self, state: &'static str, detail: Option<String>) -> Line {
        Line {
            at: Timestamp::now(),
            local: self.local.clone(),
            remote: self.remote,
            state,
            instance: None,
            connection: None,
            sent_bytes: None,
            received_bytes: None,
            detail,
        }
    }

    fn told(&self, told: Told) -> Line {
        match told {
            Told::Opened { connection, instance } => {
                Line { connection: Some(connection), instance: Some(instance.to_string()), ..self.line("opened", None) }
            }
            Told::Listening(address) => self.line("listening", Some(address.to_string())),
            Told::Refused(why) => self.line("refused", Some(why.to_string())),
            Told::Failed { why } => self.line("failed", Some(why.to_string())),
            Told::Closed { connection, sent, received, why } => Line {
                connection: Some(connection),
                sent_bytes: Some(sent),
                received_bytes: Some(received),
                ..self.line(if why.is_some() { "broken" } else { "closed" }, why.map(|why: Arc<str>| why.to_string()))
            },
        }
    }
}

/// The next thing any of them tells.
async fn next(ears: &mut [Ear]) -> (usize, Told) {
    std::future::poll_fn(|context| {
        for (index, ear) in ears.iter_mut().enumerate() {
            if let std::task::Poll::Ready(Some(told)) = ear.heard.poll_recv(context) {
                return std::task::Poll::Ready((index, told));
            }
        }
        std::task::Poll::Pending
    })
    .await
}

fn print(out: &mut Out, line: &Line) -> Result<()> {
    if out.format == Format::Table {
        let mut text = format!("{} → {}  {}", line.local, line.remote, line.state);
        for part in [&line.instance, &line.detail].into_iter().flatten() {
            let _ = write!(text, "  {part}");
        }
        if let (Some(sent), Some(received)) = (line.sent_bytes, line.received_bytes) {
            let _ = write!(text, "  {sent} bytes there, {received} back");
        }
        say(&text);
    } else {
        out.line(line)?;
        out.flush()?;
    }
    Ok(())
}
