//! Drives an engine as the console does, without the console: plans on what the engine shows, runs the machine, executes
//! its effects and feeds it what comes back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use quarterdeck::engine::{Engine, EngineError, Report, Topic, Update};
use quarterdeck::model::{EnvironmentId, Guard, Instance, InstanceId, OperationId, Snapshot, Workload, WorkloadId};
use quarterdeck::operate::action::Accepted;
use quarterdeck::operate::audit::Record;
use quarterdeck::operate::machine::{Effect, Event, Machine, Outcome, Ticket};
use quarterdeck::operate::plan::{Plan, Terms, plan};
use quarterdeck::operate::policy::{Actor, DeployPolicy};
use quarterdeck::operate::refusal::Refusal;
use quarterdeck::operate::{Operation, Policy, Request, Target};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Nothing in these tests takes longer unless it hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// An environment on an engine, and the person who works there.
#[derive(Clone)]
pub struct Place {
    pub engine: Arc<dyn Engine>,
    pub environment: EnvironmentId,
    pub policy: Policy,
    pub actor: Actor,
}

/// How an operation went.
#[derive(Debug)]
pub struct Ended {
    pub outcome: Outcome,
    /// What it says was done.
    pub detail: String,
    pub plan: Plan,
    pub records: Vec<Record>,
}

enum Heard {
    Done(Ticket, Result<Accepted, EngineError>),
    Progress(Ticket, String),
}

impl Place {
    pub fn new(engine: Arc<dyn Engine>, environment: EnvironmentId) -> Self {
        let deploy =
            DeployPolicy { healthy_within: Duration::from_secs(60), hold: Duration::from_millis(400), ..DeployPolicy::default() };
        let policy = Policy { deploy, ..Policy::of(Guard::Open) };
        Self { engine, environment, policy, actor: person("ada", 1) }
    }

    /// The same place, worked on by another process.
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// The environment's snapshots, as they come.
    fn looks(&self) -> BoxStream<'static, Option<Arc<Snapshot>>> {
        let wanted = self.environment.clone();
        let find = move |update| match update {
            Update::Inventory(inventory) => {
                let found = inventory.environments.iter().find(|s| s.environment.id == wanted && s.is_listed()).cloned();
                futures_util::future::ready(found.map(Some))
            }
            Update::Link(link) if !link.is_live() => futures_util::future::ready(Some(None)),
            _ => futures_util::future::ready(None),
        };
        self.engine.subscribe(Topic::Inventory).filter_map(find).boxed()
    }

    /// Waits until the environment looks so.
    pub async fn until(&self, what: &str, is: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut looks = self.looks();
        let mut last = None;
        let waited = tokio::time::timeout(PATIENCE, async {
            while let Some(look) = looks.next().await {
                let Some(snapshot) = look else { continue };
                if is(&snapshot) {
                    return Some(snapshot);
                }
                last = Some(snapshot);
            }
            None
        });
        match waited.await {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) | Err(_) => panic!("{what}: never seen; last was {last:#?}"),
        }
    }

    /// The environment now, whole: an engine may list first and tell of each instance after that.
    pub async fn look(&self) -> Arc<Snapshot> {
        let whole = |s: &Snapshot| s.workloads.iter().flat_map(|w| &w.instances).all(|i| told(i));
        self.until("a whole look", whole).await
    }

    /// The workload now.
    pub async fn workload(&self, name: &str) -> Arc<Workload> {
        let id = WorkloadId::from(name);
        let whole = |s: &Snapshot| s.workload(&id).is_some_and(|w| w.instances.iter().all(|i| told(i)));
        let snapshot = self.until(name, whole).await;
        snapshot.workload(&id).unwrap().clone()
    }

    /// Waits until this many replicas of a workload are well and nothing is set aside.
    pub async fn settled(&self, name: &str, replicas: usize) -> Arc<Workload> {
        let id = WorkloadId::from(name);
        let well = |s: &Snapshot| {
            let Some(workload) = s.workload(&id) else { return false };
            let running: Vec<&Arc<Instance>> = workload.replicas().collect();
            running.len() == replicas
                && running.iter().all(|i| healthy(i) && told(i))
                && !workload.instances.iter().any(|i| i.set_aside)
        };
        let snapshot = self.until(&format!("{replicas} of {name} well"), well).await;
        snapshot.workload(&id).unwrap().clone()
    }

    /// Plans on what is there now. `alive`: the processes of this host that live, as `(pid, start)`.
    pub async fn plan(&self, operation: Operation, workloads: &[&str]) -> Result<Plan, Refusal> {
        let targets = workloads.iter().map(|&name| Target { workload: name.into(), instance: None }).collect();
        let request = Request { environment: self.environment.clone(), targets, operation };
        let alive = BTreeSet::new();
        let now = Timestamp::now();
        let terms = Terms {
            policy: &self.policy,
            actor: &self.actor,
            read_only: false,
            take_over: false,
            alive: Some(&alive),
            id: OperationId::new(format!("{now:.9}-{}-{}", self.actor.user, self.environment.name)),
            now,
        };
        plan(&request, self.look().await.as_ref(), &terms)
    }

    /// Plans and runs to the end.
    pub async fn operate(&self, operation: Operation, workloads: &[&str]) -> Result<Ended, Refusal> {
        let plan = self.plan(operation, workloads).await?;
        Ok(self.run(plan).await)
    }

    /// Runs a plan to its end.
    pub async fn run(&self, plan: Plan) -> Ended {
        match self.run_until(plan, |_| false).await {
            Some(ended) => ended,
            None => unreachable!("nothing stops it"),
        }
    }

    /// Runs a plan until `die` says so: then everything is dropped in the middle, as by a `kill -9`.
    pub async fn run_until(&self, plan: Plan, die: impl FnMut(&Machine) -> bool) -> Option<Ended> {
        let title = plan.title.clone();
        let ended = tokio::time::timeout(PATIENCE, self.drive(plan, die)).await;
        ended.unwrap_or_else(|_| panic!("{title} does not end"))
    }

    async fn drive(&self, plan: Plan, mut die: impl FnMut(&Machine) -> bool) -> Option<Ended> {
        let (sender, mut heard) = mpsc::unbounded_channel();
        let mut looks = self.looks();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let mut records = Vec::new();
        let mut flights = Flights::default();
        let (mut machine, mut effects) = Machine::new(plan, &self.actor, Timestamp::now());
        loop {
            for effect in effects {
                match effect {
                    Effect::Execute(ticket, action) => flights.0.push(self.execute(ticket, action, sender.clone())),
                    Effect::Journal(record) => records.push(record),
                    Effect::Refresh => looks = self.looks(),
                    Effect::Stop(_) => {}
                }
            }
            if let Some(outcome) = machine.outcome().cloned() {
                for record in &records {
                    tell(record);
                }
                return Some(Ended { outcome, detail: machine.detail.to_string(), plan: machine.plan, records });
            }
            if die(&machine) {
                return None;
            }
            effects = tokio::select! {
                Some(heard) = heard.recv() => match heard {
                    Heard::Done(ticket, answer) => machine.on(Timestamp::now(), Event::Done(ticket, answer)),
                    Heard::Progress(ticket, words) => machine.on(Timestamp::now(), Event::Progress(ticket, words.into())),
                },
                Some(look) = looks.next() => match look {
                    Some(snapshot) => machine.on(Timestamp::now(), Event::Snapshot(&snapshot)),
                    None => machine.on(Timestamp::now(), Event::Stale),
                },
                _ = ticks.tick() => machine.on(Timestamp::now(), Event::Tick),
            };
        }
    }

    fn execute(&self, ticket: Ticket, action: quarterdeck::operate::Action, sender: mpsc::UnboundedSender<Heard>) -> AbortHandle {
        let progress = sender.clone();
        let report: Report = Arc::new(move |words| drop(progress.send(Heard::Progress(ticket, words))));
        let answer = self.engine.execute(action, report);
        tokio::spawn(async move { drop(sender.send(Heard::Done(ticket, answer.await))) }).abort_handle()
    }
}

/// What is on its way dies with its owner.
#[derive(Default)]
struct Flights(Vec<AbortHandle>);

impl Drop for Flights {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// A person at a process of this host.
pub fn person(user: &str, pid: u32) -> Actor {
    Actor { user: user.into(), host: "desk".into(), ssh: None, pid, pid_started: 1 }
}

/// Whether an instance is as well as it can say.
pub fn healthy(instance: &Instance) -> bool {
    use quarterdeck::model::{Health, InstanceState};
    let well = if instance.has_healthcheck { instance.verdict.health == Health::Healthy } else { true };
    instance.state == InstanceState::Running && well
}

/// Whether the engine has told all of an instance that runs.
fn told(instance: &Instance) -> bool {
    instance.state != quarterdeck::model::InstanceState::Running || instance.started_at.is_some()
}

/// The replicas' ids, by number.
pub fn ids(workload: &Workload) -> Vec<InstanceId> {
    let mut replicas: Vec<&Arc<Instance>> = workload.replicas().collect();
    replicas.sort_by_key(|i| i.number);
    replicas.iter().map(|i| i.id.clone()).collect()
}

/// A line of the journal, for whoever reads a failed test.
fn tell(record: &Record) {
    let step = record.step.as_ref().map(|s| format!("{}: {:?} {}", s.name, s.state, s.detail)).unwrap_or_default();
    let detail = record.detail.as_deref().unwrap_or_default();
    eprintln!("{:.2} {:?} {step} {} ms {detail}", record.at, record.phase, record.duration_ms.unwrap_or_default());
}
