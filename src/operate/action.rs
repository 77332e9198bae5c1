//! The small things an engine can be told to do. Every one is harmless when repeated.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{EnvironmentId, InstanceId, LockHolder, OperationId, Revision, WorkloadId};
use crate::observe::load::Figures;

use super::errand::Errand;

/// An instance an action is about: one that exists, or one an earlier step of the same plan makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceRef {
    Known(InstanceId),
    /// The instance made by the [`Action::Create`] with this slot; the machine puts the real one in before executing.
    Made(u32),
}

/// A replica to be made from a workload's own definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    pub environment: EnvironmentId,
    pub workload: WorkloadId,
    /// The instance whose definition is copied (configuration, host configuration, networks, labels, volumes).
    pub like: InstanceId,
    /// Distinguishes the replicas one operation makes: asked twice for the same slot, the engine answers the same instance.
    pub slot: u32,
    /// The container number and with it the name; `None` keeps those of `like`, which has been set aside.
    pub number: Option<u32>,
    /// Another image than that of `like`; without one, the very content `like` was made from, even if its tag has moved.
    pub image: Option<Arc<str>>,
    /// The image's exact content (`sha256:…`), where a revision pins it and the tag may have moved.
    pub digest: Option<Arc<str>>,
    /// The revision it will carry and the ones before it, newest first; `None` keeps those of `like`.
    pub revisions: Option<Vec<Revision>>,
    /// It is attached to its networks without the names of its service: nobody finds it before an [`Action::Join`].
    pub hidden: bool,
}

/// How an engine that makes the wanted state itself is to go about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// Instances replaced at a time; 0 is all of them.
    pub at_once: u32,
    /// New ones start before the old ones stop.
    pub new_first: bool,
    /// Pause between two batches.
    pub delay: Duration,
    /// How long a new instance is watched for failing before the engine goes on.
    pub watch: Duration,
}

/// One small thing an engine can be told to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Takes the environment's lock atomically; [`crate::engine::EngineError::Conflict`] when somebody else holds it.
    /// Taking one's own (same `by`, `since` and `operation`) again is harmless.
    TakeLock {
        environment: EnvironmentId,
        holder: Box<LockHolder>,
        /// Exactly this lock (same `by`, `since` and `operation`) is taken away first; another one there is a conflict,
        /// none there is fine.
        replaces: Option<Box<LockHolder>>,
    },
    /// Gives the lock back. With an operation, only if that operation holds it.
    ReleaseLock {
        environment: EnvironmentId,
        operation: Option<OperationId>,
    },
    /// Makes sure the image is there, pulling it where it is not. Answers [`Accepted::Image`].
    EnsureImage {
        environment: EnvironmentId,
        image: Arc<str>,
        digest: Option<Arc<str>>,
    },
    /// Creates, but does not start, a replica. Answers [`Accepted::Made`].
    Create {
        operation: OperationId,
        replica: Box<Replica>,
    },
    /// Renames an instance out of the way (`<short id>_<name>`, as Compose does), so that its name can be used.
    SetAside {
        instance: InstanceRef,
    },
    /// Gives an instance set aside its name back.
    BringBack {
        instance: InstanceRef,
    },
    Start {
        instance: InstanceRef,
    },
    /// Stops with the instance's own signal and, unless given, its own timeout.
    Stop {
        instance: InstanceRef,
        grace: Option<Duration>,
    },
    Restart {
        instance: InstanceRef,
        grace: Option<Duration>,
    },
    Pause {
        instance: InstanceRef,
    },
    Unpause {
        instance: InstanceRef,
    },
    /// `signal` as the engine takes it (`SIGKILL`).
    Kill {
        instance: InstanceRef,
        signal: Arc<str>,
    },
    /// Removes an instance, never its named volumes. Gone already is fine.
    Remove {
        instance: InstanceRef,
        force: bool,
    },
    /// Declared engines: how many replicas are wanted.
    SetReplicas {
        environment: EnvironmentId,
        workload: WorkloadId,
        replicas: u32,
    },
    /// Declared engines: the image wanted, recorded as `revision`. Without a `pacing` the engine goes its own way.
    SetImage {
        environment: EnvironmentId,
        workload: WorkloadId,
        /// Which container of the template; without one, the only one, or the one named like the workload.
        container: Option<Arc<str>>,
        revision: Revision,
        pacing: Option<Box<Pacing>>,
    },
    /// Declared engines: replace every instance with a fresh one of the same definition.
    Rollout {
        environment: EnvironmentId,
        workload: WorkloadId,
        operation: OperationId,
        pacing: Option<Box<Pacing>>,
    },
    /// Gives a workload the update settings back that were its own before a pacing was set.
    Unpace {
        environment: EnvironmentId,
        workload: WorkloadId,
    },
    /// Runs a command in a running instance and waits for its end. Answers [`Accepted::Output`], whatever its exit code.
    /// Not harmless when repeated: asked again only when it surely was not begun.
    Exec {
        instance: InstanceRef,
        command: Vec<Arc<str>>,
        timeout: Duration,
    },
    /// Runs a command in a container of its own, made from a workload's definition (its environment, networks and
    /// volumes; no ports, no health check, never restarted), and waits for its end. Answers [`Accepted::Output`]. Harmless
    /// when repeated: the container stays, and asked twice for the same operation and slot the engine waits for, or reads,
    /// the first one's end.
    RunOnce {
        operation: OperationId,
        replica: Box<Replica>,
        command: Vec<Arc<str>>,
        timeout: Duration,
    },
    /// Removes the container a [`Action::RunOnce`] of this operation and slot made. None there is fine.
    ForgetOnce {
        environment: EnvironmentId,
        operation: OperationId,
        slot: u32,
    },
    /// Copies one file of this machine into an instance (running or stopped), keeping owner and mode of what is there.
    CopyIn {
        instance: InstanceRef,
        from: Arc<str>,
        to: Arc<str>,
    },
    /// Copies one file out of an instance. It is there complete or not at all; folders on the way are made.
    CopyOut {
        instance: InstanceRef,
        from: Arc<str>,
        to: Arc<str>,
    },
    /// Writes a small file in an instance, after keeping what was there beside it under `keep` (only the first time).
    PutFile {
        instance: InstanceRef,
        path: Arc<str>,
        content: Arc<str>,
        keep: OperationId,
    },
    /// Puts back what a [`Action::PutFile`] has kept under `keep`. Nothing kept is fine.
    RestoreFile {
        instance: InstanceRef,
        path: Arc<str>,
        keep: OperationId,
    },
    /// Removes what a [`Action::PutFile`] has kept.
    ForgetFile {
        instance: InstanceRef,
        path: Arc<str>,
        keep: OperationId,
    },
    /// Gives an instance, on every network it is attached to under a name of its service, also these names (aliases).
    /// It is taken off the network and attached again for it, so its connections break: for one nobody uses yet.
    Join {
        instance: InstanceRef,
        aliases: Vec<Arc<str>>,
    },
    /// Looks whether the image is there or could be pulled, and fits the engine's platform. Answers [`Accepted::Reading`].
    LookAtImage {
        environment: EnvironmentId,
        image: Arc<str>,
        digest: Option<Arc<str>>,
    },
    /// Looks whether the engine has so much disk left. Answers [`Accepted::Reading`].
    LookAtDisk {
        environment: EnvironmentId,
        least_bytes: u64,
    },
    /// Something outside the engine. Answers [`Accepted::Reading`] or [`Accepted::Output`]; what is not as it should be is
    /// an error that says so.
    Errand(Box<Errand>),
    /// Runs the compose tool, on the pinned engine, to bring services up as their file has them; harmless when repeated.
    /// Answers [`Accepted::Output`].
    ComposeUp {
        environment: EnvironmentId,
        services: Vec<WorkloadId>,
        /// Program and arguments, whole.
        call: Vec<Arc<str>>,
    },
    /// Plays a fault the engine offers.
    Drill {
        name: Arc<str>,
    },
    /// Declared engines: the definition of an earlier revision, recorded as a new one.
    Revert {
        environment: EnvironmentId,
        workload: WorkloadId,
        to: u64,
        revision: Revision,
        pacing: Option<Box<Pacing>>,
    },
    /// Declared engines: holds a rollout or a schedule where it is, or lets it go on.
    Suspend {
        environment: EnvironmentId,
        workload: WorkloadId,
        on: bool,
    },
    /// Makes a job of a schedule's template now, named by the operation: asked twice, it is the same one.
    Trigger {
        environment: EnvironmentId,
        workload: WorkloadId,
        operation: OperationId,
    },
    /// Sets the bounds of the autoscaler of a workload.
    SetBounds {
        environment: EnvironmentId,
        workload: WorkloadId,
        min: u32,
        max: u32,
    },
    /// Keeps new pods off a node, or lets them on it again.
    Cordon {
        environment: EnvironmentId,
        node: Arc<str>,
        on: bool,
    },
    /// Evicts the pods of a node, but those bound to it, again and again until none is left or `within` is over; a budget
    /// that does not allow it is waited for.
    Drain {
        environment: EnvironmentId,
        node: Arc<str>,
        within: Duration,
    },
    /// Makes a second set of replicas beside a workload's own, of another image, that no traffic reaches; harmless when
    /// repeated for the same operation.
    Mirror {
        environment: EnvironmentId,
        workload: WorkloadId,
        operation: OperationId,
        revision: Revision,
        container: Option<Arc<str>>,
    },
    /// Leads the traffic of a workload's services to its mirror of this operation, or (`None`) to its own replicas.
    SwitchTraffic {
        environment: EnvironmentId,
        workload: WorkloadId,
        to_mirror: Option<OperationId>,
    },
    /// Removes the mirror of this operation. None there is fine.
    ForgetMirror {
        environment: EnvironmentId,
        workload: WorkloadId,
        operation: OperationId,
    },
}

impl Action {
    /// What is to be done outside the engine, where it is that.
    #[must_use]
    pub fn errand(&self) -> Option<&Errand> {
        if let Self::Errand(errand) = self { Some(errand) } else { None }
    }
}

/// What an engine answers when it has done an [`Action`].
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    Done,
    /// It was so already.
    AlreadySo,
    Made(InstanceId),
    Image {
        /// The image's content address.
        digest: Option<Arc<str>>,
        /// It had to be fetched.
        pulled: bool,
    },
    /// A look at the world found it as it should be.
    Reading {
        /// The figure, where it is one.
        value: Option<f64>,
        /// What was seen: `200 in 12 ms`, `error_rate 0.004 (< 0.05)`.
        words: Arc<str>,
    },
    /// A command has ended.
    Output(Box<Output>),
    /// A load test has ended.
    Load(Arc<Figures>),
}

/// What a command that has ended left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub code: i64,
    /// What it printed, both streams, sanitised and masked: the end of it, at most 64 KiB.
    pub text: Arc<str>,
    /// The beginning had to be left out.
    pub cut: bool,
}

impl Output {
    /// The last line that says something.
    #[must_use]
    pub fn last_line(&self) -> &str {
        self.text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }

    /// How it failed, in words: `ended with 3: no such table`.
    #[must_use]
    pub fn failure(&self) -> Arc<str> {
        match self.last_line() {
            "" => format!("ended with {}", self.code).into(),
            line => format!("ended with {}: {line}", self.code).into(),
        }
    }
}
