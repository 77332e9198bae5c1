//! A pod and its containers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::meta::{Condition, Meta};
use super::{Present, wire};

wire! {
    Pod { metadata: Meta, spec: PodSpec, status: PodStatus }

    PodSpec {
        node_name: String,
        containers: Vec<ContainerSpec>,
        init_containers: Vec<ContainerSpec>,
        ephemeral_containers: Vec<ContainerSpec>,
    }

    ContainerSpec {
        name: String,
        image: String,
        ports: Vec<PortSpec>,
        readiness_probe: Option<ProbeSpec>,
        liveness_probe: Present,
        startup_probe: Present,
        restart_policy: String,
        resources: Resources,
    }

    PortSpec { container_port: Option<i64>, host_port: Option<i64>, protocol: String }

    ProbeSpec { failure_threshold: Option<i64> }

    Resources { requests: BTreeMap<String, String>, limits: BTreeMap<String, String> }

    PodStatus {
        phase: String,
        reason: String,
        message: String,
        pod_ip: String = "podIP",
        qos_class: String,
        start_time: Option<Timestamp>,
        conditions: Vec<Condition>,
        container_statuses: Vec<ContainerStatus>,
        init_container_statuses: Vec<ContainerStatus>,
        ephemeral_container_statuses: Vec<ContainerStatus>,
    }

    ContainerStatus {
        name: String,
        ready: bool,
        started: Option<bool>,
        restart_count: Option<i64>,
        image: String,
        image_id: String = "imageID",
        state: State,
        last_state: State,
    }

    State { waiting: Option<Waiting>, running: Option<Running>, terminated: Option<Terminated> }

    Waiting { reason: String, message: String }

    Running { started_at: Option<Timestamp> }

    Terminated {
        exit_code: Option<i64>,
        signal: Option<i64>,
        reason: String,
        message: String,
        started_at: Option<Timestamp>,
        finished_at: Option<Timestamp>,
    }
}
