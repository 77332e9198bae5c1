//! A small engine in memory: containers that become healthy or not, names and ports that clash, one lock.

mod hands;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::model::*;
use crate::operate::action::{Accepted, Action, InstanceRef, Replica};

/// What a container does once it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Healthy after so many seconds.
    Good(i64),
    Never,
    /// Exits with code 1 after so many seconds.
    Crash(i64),
    /// Healthy, then not.
    Flap(i64, i64),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Box_ {
    pub id: InstanceId,
    pub workload: WorkloadId,
    pub name: String,
    pub number: u32,
    pub state: InstanceState,
    pub behaviour: Behaviour,
    pub has_healthcheck: bool,
    pub made_by: Option<(OperationId, u32)>,
    pub set_aside: bool,
    pub image: Arc<str>,
    pub digest: Arc<str>,
    pub revisions: Vec<Revision>,
    pub fixed_ports: Vec<u16>,
    pub fixed_name: bool,
    pub started_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct World {
    pub now: Timestamp,
    pub environment: Arc<Environment>,
    pub boxes: Vec<Box_>,
    pub lock: Option<LockHolder>,
    pub stack: super::up::Stack,
    /// What the containers yet to be made do; `Good(2)` when it is used up.
    pub behaviours: Vec<Behaviour>,
    made: u32,
    pub hands: hands::Hands,
    /// Every action performed, in words.
    pub log: Vec<String>,
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

impl World {
    /// `backend` with three replicas, `frontend` with a fixed port, `db` without a health check.
    pub fn compose() -> Self {
        let environment = Environment {
            id: EnvironmentId::new("local", "lms"),
            tier: Tier::Local,
            engine: EngineKind::Compose,
            mechanics: Mechanics::Instances,
            endpoint: "unix:///var/run/docker.sock · project lms".into(),
            guard: Guard::Open,
        };
        let mut world = Self {
            now: at(0),
            environment: Arc::new(environment),
            boxes: Vec::new(),
            lock: None,
            stack: super::up::Stack::default(),
            behaviours: Vec::new(),
            made: 0,
            hands: hands::Hands::default(),
            log: Vec::new(),
        };
        for number in 1..=3 {
            world.add("backend", number, "backend:1.4.2", true, &[]);
        }
        world.add("frontend", 1, "frontend:1.4.0", true, &[80]);
        world.add("db", 1, "postgres:15", false, &[]);
        world
    }

    pub fn add(&mut self, workload: &str, number: u32, image: &str, has_healthcheck: bool, ports: &[u16]) {
        let id = format!("{:0>4}{}", self.boxes.len() + 1, "f".repeat(60));
        self.boxes.push(Box_ {
            id: InstanceId::new(id),
            workload: workload.into(),
            name: format!("lms_{workload}_{number}"),
            number,
            state: InstanceState::Running,
            behaviour: Behaviour::Good(1),
            has_healthcheck,
            made_by: None,
            set_aside: false,
            image: image.into(),
            digest: format!("sha256:{image}").into(),
            revisions: Vec::new(),
            fixed_ports: ports.to_vec(),
            fixed_name: false,
            started_at: Some(at(-1000)),
        });
    }

    pub fn by_number(&mut self, workload: &str, number: u32) -> &mut Box_ {
        self.boxes.iter_mut().find(|b| b.workload.as_str() == workload && b.number == number && !b.set_aside).unwrap()
    }

    pub fn of(&self, workload: &str) -> Vec<&Box_> {
        self.boxes.iter().filter(|b| b.workload.as_str() == workload).collect()
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now + jiff::SignedDuration::try_from(time).unwrap();
        let now = self.now;
        for b in &mut self.boxes {
            if let (Behaviour::Crash(after), InstanceState::Running) = (b.behaviour, b.state)
                && b.age(now) >= after
            {
                b.state = InstanceState::Exited;
            }
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut by_name: BTreeMap<WorkloadId, Vec<Arc<Instance>>> = BTreeMap::new();
        for b in &self.boxes {
            by_name.entry(b.workload.clone()).or_default().push(Arc::new(b.instance(self.now)));
        }
        let workloads = by_name.into_iter().map(|(id, instances)| Arc::new(self.workload(id, instances))).collect();
        Snapshot {
            environment: self.environment.clone(),
            at: self.now,
            workloads,
            lock: self.lock.clone().map(Arc::new),
            facts: Vec::new(),
            nodes: Vec::new(),
            notes: Vec::new(),
            file: self.stack.file.clone(),
        }
    }

    fn workload(&self, id: WorkloadId, mut instances: Vec<Arc<Instance>>) -> Workload {
        instances.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
        let newest = self.of(id.as_str()).into_iter().max_by_key(|b| (!b.set_aside, b.revisions.first().map(|r| r.number)));
        let revisions = newest.map(|b| b.revisions.clone()).unwrap_or_default();
        let replicas: Vec<&Arc<Instance>> = instances.iter().filter(|i| !i.set_aside).collect();
        let ready = replicas.iter().filter(|i| i.verdict.health == Health::Healthy).count() as u32;
        let first = instances.first().cloned();
        Workload {
            drift: self.stack.drifts.get(&id).cloned(),
            id,
            kind: WorkloadKind::Service,
            desired: replicas.len() as u32,
            ready,
            verdict: Verdict::healthy(),
            image: newest.map_or_else(|| "".into(), |b| b.image.clone()),
            digest: newest.map(|b| b.digest.clone()),
            revision: revisions.first().map(|r| r.number),
            revisions,
            instances,
            resting: None,
            checks: Vec::new(),
            controller: None,
            rollout: None,
            autoscaler: None,
            created_at: first.and_then(|i| i.created_at),
            capabilities: Capabilities::default(),
        }
    }

    /// Performs an action as an engine would: again is harmless.
    pub fn execute(&mut self, action: &Action) -> Result<Accepted, EngineError> {
        let now = self.now;
        self.log.push(format!("{action:?}").split([' ', '{']).next().unwrap_or_default().to_owned());
        match action {
            Action::TakeLock { holder, replaces, .. } => {
                if let Some(there) = &self.lock {
                    if there.operation == holder.operation && there.since == holder.since {
                        return Ok(Accepted::AlreadySo);
                    }
                    let same = |r: &LockHolder| r.operation == there.operation && r.since == there.since && r.by == there.by;
                    if !replaces.as_deref().is_some_and(same) {
                        return Err(conflict("the lock"));
                    }
                }
                self.lock = Some(holder.as_ref().clone());
            }
            Action::ReleaseLock { operation, .. } => {
                if operation.is_none() || self.lock.as_ref().is_some_and(|l| l.operation == *operation) {
                    self.lock = None;
                }
            }
            Action::EnsureImage { image, digest, .. } => {
                let content = digest.clone().unwrap_or_else(|| format!("sha256:{image}").into());
                return Ok(Accepted::Image { digest: Some(content), pulled: true });
            }
            Action::Create { operation, replica } => return self.create(operation, replica),
            Action::SetAside { instance } => {
                let b = self.find(instance)?;
                let aside = format!("{}_", &b.id.as_str()[..12]);
                b.set_aside = true;
                if !b.name.starts_with(&aside) {
                    b.name = format!("{aside}{}", b.name);
                }
            }
            Action::BringBack { instance } => {
                let id = self.find(instance)?.id.clone();
                let name = self.find(instance)?.own_name();
                if self.boxes.iter().any(|b| b.name == name && b.id != id) {
                    return Err(conflict(&name));
                }
                let b = self.find(instance)?;
                b.name = name;
                b.set_aside = false;
            }
            Action::Start { instance } => return self.start(instance),
            Action::Stop { instance, .. } => {
                let b = self.find(instance)?;
                b.state = if b.state == InstanceState::Created { b.state } else { InstanceState::Exited };
            }
            Action::Restart { instance, .. } => {
                let b = self.find(instance)?;
                (b.state, b.started_at) = (InstanceState::Running, Some(now));
            }
            Action::Pause { instance } => self.find(instance)?.state = InstanceState::Paused,
            Action::Unpause { instance } => self.find(instance)?.state = InstanceState::Running,
            Action::Kill { instance, .. } => self.find(instance)?.state = InstanceState::Exited,
            Action::Remove { instance, force } => {
                let Ok(b) = self.find(instance) else { return Ok(Accepted::AlreadySo) };
                if b.state == InstanceState::Running && !force {
                    return Err(conflict("it runs"));
                }
                let id = b.id.clone();
                self.boxes.retain(|b| b.id != id);
            }
            Action::Drill { .. } => {}
            Action::ComposeUp { services, .. } => self.bring_up(services),
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
            | Action::Errand(_) => return self.hands.execute(action),
            // What is told to engines of the other kind.
            _ => {
                return Err(EngineError::Unsupported { what: "it".into(), why: "these are containers".into() });
            }
        }
        Ok(Accepted::Done)
    }

    fn start(&mut self, instance: &InstanceRef) -> Result<Accepted, EngineError> {
        let (now, ports, id) = (self.now, self.find(instance)?.fixed_ports.clone(), self.find(instance)?.id.clone());
        let taken = |b: &Box_| b.id != id && b.is_up() && b.fixed_ports.iter().any(|p| ports.contains(p));
        if self.boxes.iter().any(taken) {
            return Err(conflict("the port"));
        }
        let b = self.find(instance)?;
        if b.is_up() {
            return Ok(Accepted::AlreadySo);
        }
        (b.state, b.started_at) = (InstanceState::Running, Some(now));
        Ok(Accepted::Done)
    }

    fn create(&mut self, operation: &OperationId, replica: &Replica) -> Result<Accepted, EngineError> {
        let key = Some((operation.clone(), replica.slot));
        if let Some(there) = self.boxes.iter().find(|b| b.made_by == key) {
            return Ok(Accepted::Made(there.id.clone()));
        }
        let like = self.find(&InstanceRef::Known(replica.like.clone()))?.clone();
        let own = like.own_name();
        let name = replica.number.map_or(own, |n| format!("lms_{}_{n}", replica.workload));
        if self.boxes.iter().any(|b| b.name == name) {
            return Err(conflict(&name));
        }
        self.made += 1;
        let id = InstanceId::new(format!("{:0>4}{}", 9000 + self.made, "a".repeat(60)));
        let behaviour = if self.behaviours.is_empty() { Behaviour::Good(2) } else { self.behaviours.remove(0) };
        self.boxes.push(Box_ {
            id: id.clone(),
            name,
            number: replica.number.unwrap_or(like.number),
            state: InstanceState::Created,
            behaviour,
            made_by: key,
            set_aside: false,
            image: replica.image.clone().unwrap_or(like.image.clone()),
            digest: replica.digest.clone().unwrap_or(like.digest.clone()),
            revisions: replica.revisions.clone().unwrap_or(like.revisions.clone()),
            started_at: None,
            ..like
        });
        Ok(Accepted::Made(id))
    }

    fn find(&mut self, instance: &InstanceRef) -> Result<&mut Box_, EngineError> {
        let InstanceRef::Known(id) = instance else { panic!("unresolved {instance:?}") };
        let missing = || EngineError::NotFound { what: id.0.clone() };
        self.boxes.iter_mut().find(|b| &b.id == id).ok_or_else(missing)
    }
}

fn conflict(what: &str) -> EngineError {
    EngineError::Conflict { what: what.into(), cause: "taken".into() }
}

impl Box_ {
    /// Its name when it is not set aside.
    fn own_name(&self) -> String {
        let aside = format!("{}_", &self.id.as_str()[..12]);
        self.name.strip_prefix(&aside).unwrap_or(&self.name).to_owned()
    }

    fn age(&self, now: Timestamp) -> i64 {
        self.started_at.map_or(0, |t| now.duration_since(t).as_secs())
    }

    pub fn is_up(&self) -> bool {
        matches!(self.state, InstanceState::Running | InstanceState::Paused)
    }

    pub fn is_healthy(&self, now: Timestamp) -> bool {
        self.state == InstanceState::Running
            && match self.behaviour {
                Behaviour::Good(after) => self.age(now) >= after,
                Behaviour::Flap(after, until) => (after..until).contains(&self.age(now)),
                Behaviour::Never | Behaviour::Crash(_) => false,
            }
    }

    /// It was healthy for as long as it had to be, and is no longer.
    pub fn fell_after_holding(&self, now: Timestamp) -> bool {
        let long_enough = matches!(self.behaviour, Behaviour::Flap(after, until) if until - after >= 4 && self.age(now) >= until);
        long_enough && self.state == InstanceState::Running
    }

    fn instance(&self, now: Timestamp) -> Instance {
        let health = match self.state {
            InstanceState::Running if !self.has_healthcheck || self.is_healthy(now) => Health::Healthy,
            InstanceState::Running => Health::Starting,
            InstanceState::Paused => Health::Degraded,
            _ => Health::Stopped,
        };
        let verdict = match health {
            Health::Healthy => Verdict::healthy(),
            other => Verdict::because(other, "health check not passed"),
        };
        Instance {
            id: self.id.clone(),
            name: self.name.clone().into(),
            number: self.number,
            state: self.state,
            verdict,
            has_healthcheck: self.has_healthcheck,
            checks: Vec::new(),
            image: self.image.clone(),
            digest: Some(self.digest.clone()),
            revision: self.revisions.first().map(|r| r.number),
            made_by: self.made_by.as_ref().map(|(o, _)| o.clone()),
            set_aside: self.set_aside,
            one_off: false,
            fixed_name: self.fixed_name,
            fixed_ports: self.fixed_ports.clone(),
            restarts: 0,
            exit_code: (self.state == InstanceState::Exited).then_some(1),
            oom_killed: false,
            node: None,
            elsewhere: None,
            pod: None,
            ip: None,
            ports: Vec::new(),
            created_at: Some(at(-1000)),
            started_at: self.started_at,
            finished_at: None,
            memory_limit_bytes: None,
            labels: Arc::default(),
        }
    }
}
