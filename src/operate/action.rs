//! The small things an engine can be told to do. Every one is harmless when repeated.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{EnvironmentId, InstanceId, LockHolder, OperationId, Revision, WorkloadId};

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
}

/// One small thing an engine can be told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Declared engines: the image wanted, recorded as `revision`.
    SetImage {
        environment: EnvironmentId,
        workload: WorkloadId,
        revision: Revision,
    },
    /// Declared engines: replace every instance with a fresh one of the same definition.
    Rollout {
        environment: EnvironmentId,
        workload: WorkloadId,
        operation: OperationId,
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
    },
}

/// What an engine answers when it has done an [`Action`].
#[derive(Clone, Debug, PartialEq, Eq)]
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
}
