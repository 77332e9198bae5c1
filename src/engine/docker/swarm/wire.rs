//! A manager's replies as far as they matter here. Everything may be missing or be null: one odd service never loses the
//! list. What a definition holds stays as it came, so that nothing of it is lost when it is put back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::engine::docker::wire::or_default;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Version {
    #[serde(rename = "Index", deserialize_with = "or_default")]
    pub index: u64,
}

/// A service, with its definition before the last change.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Service {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub version: Version,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub spec: Spec,
    pub previous_spec: Option<Spec>,
    pub update_status: Option<UpdateStatus>,
    pub job_status: Option<JobStatus>,
    #[serde(deserialize_with = "or_default")]
    pub endpoint: Endpoint,
}

/// What a service is to be.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Spec {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    pub task_template: Value,
    #[serde(deserialize_with = "or_default")]
    pub mode: Mode,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Mode {
    pub replicated: Option<Replicated>,
    pub global: Option<Value>,
    pub replicated_job: Option<ReplicatedJob>,
    pub global_job: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Replicated {
    pub replicas: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ReplicatedJob {
    pub total_completions: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct UpdateStatus {
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    #[serde(deserialize_with = "or_default")]
    pub message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JobStatus {
    #[serde(deserialize_with = "or_default")]
    pub job_iteration: Version,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Endpoint {
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<Port>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Port {
    #[serde(deserialize_with = "or_default")]
    pub protocol: String,
    pub target_port: Option<u16>,
    pub published_port: Option<u16>,
    /// `ingress` or `host`.
    #[serde(deserialize_with = "or_default")]
    pub publish_mode: String,
}

/// One replica's attempt; another one takes its slot when it ends.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Task {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    pub created_at: Option<String>,
    /// The service's definition it was made from.
    pub spec: Value,
    #[serde(rename = "ServiceID", deserialize_with = "or_default")]
    pub service_id: String,
    pub slot: Option<u32>,
    #[serde(rename = "NodeID", deserialize_with = "or_default")]
    pub node_id: String,
    #[serde(deserialize_with = "or_default")]
    pub status: TaskStatus,
    #[serde(deserialize_with = "or_default")]
    pub desired_state: String,
    pub job_iteration: Option<Version>,
    #[serde(deserialize_with = "or_default")]
    pub networks_attachments: Vec<Attachment>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskStatus {
    pub timestamp: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    #[serde(deserialize_with = "or_default")]
    pub err: String,
    #[serde(deserialize_with = "or_default")]
    pub container_status: ContainerStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerStatus {
    #[serde(rename = "ContainerID", deserialize_with = "or_default")]
    pub container_id: String,
    pub exit_code: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Attachment {
    #[serde(deserialize_with = "or_default")]
    pub addresses: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Node {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub spec: NodeSpec,
    #[serde(deserialize_with = "or_default")]
    pub description: NodeDescription,
    #[serde(deserialize_with = "or_default")]
    pub status: NodeStatus,
    pub manager_status: Option<ManagerStatus>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeSpec {
    #[serde(deserialize_with = "or_default")]
    pub role: String,
    #[serde(deserialize_with = "or_default")]
    pub availability: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeDescription {
    #[serde(deserialize_with = "or_default")]
    pub hostname: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeStatus {
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    #[serde(deserialize_with = "or_default")]
    pub message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ManagerStatus {
    pub leader: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    pub reachability: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Network {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    pub ingress: Option<bool>,
    pub internal: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    pub options: BTreeMap<String, String>,
}

/// A config object. Only those that are locks are asked for; what one holds is never read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Config {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    pub created_at: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub spec: ConfigSpec,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ConfigSpec {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
}
