//! The words of the product as plain data. Knows no network, file, clock or terminal.

pub mod capability;
pub mod controller;
pub mod drift;
pub mod environment;
pub mod event;
pub mod feed;
pub mod health;
pub mod id;
pub mod instance;
pub mod node;
pub mod pod;
pub mod probe;
pub mod problem;
pub mod revision;
pub mod sample;
pub mod snapshot;
pub mod workload;

pub use capability::{Capabilities, Capability, Verb};
pub use controller::{Controller, Scaler};
pub use drift::{Deviation, Drift, DriftKind, FileState, StackFile};
pub use environment::{EngineKind, Environment, Guard, Mechanics, Tier};
pub use event::{Item, Source};
pub use feed::Link;
pub use health::{Health, Verdict};
pub use id::{ConnectionId, EnvironmentId, InstanceId, OperationId, WorkloadId};
pub use instance::{Check, Instance, InstanceState, Port};
pub use node::Node;
pub use pod::{Container, ContainerRole, Pod};
pub use probe::{Expect, Json, ProbeKind, ProbeSpec};
pub use problem::Problem;
pub use revision::Revision;
pub use sample::Sample;
pub use snapshot::{Inventory, LockHolder, Snapshot};
pub use workload::{Rollout, RolloutState, Workload, WorkloadKind};
