//! What stands around workloads: services, autoscalers, budgets, nodes, events, the lock.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::meta::{Condition, Meta};
use super::wire;

wire! {
    Service { metadata: Meta, spec: ServiceSpec }

    ServiceSpec {
        kind: String = "type",
        cluster_ip: String = "clusterIP",
        external_name: String,
        selector: BTreeMap<String, String>,
        ports: Vec<ServicePort>,
    }

    ServicePort { name: String, port: Option<i64>, target_port: String, node_port: Option<i64>, protocol: String }

    EndpointSlice { metadata: Meta, endpoints: Vec<Endpoint> }

    Endpoint { conditions: EndpointConditions }

    EndpointConditions { ready: Option<bool> }

    Scaler { metadata: Meta, spec: ScalerSpec, status: ScalerStatus }

    ScalerSpec { scale_target_ref: Reference, min_replicas: Option<i64>, max_replicas: Option<i64>, metrics: Vec<Metric> }

    ScalerStatus {
        current_replicas: Option<i64>,
        desired_replicas: Option<i64>,
        current_metrics: Vec<Metric>,
        conditions: Vec<Condition>,
    }

    Reference { kind: String, namespace: String, name: String, uid: String, field_path: String }

    Metric {
        kind: String = "type",
        resource: Option<MetricSource>,
        container_resource: Option<MetricSource>,
        pods: Option<MetricSource>,
        object: Option<MetricSource>,
        external: Option<MetricSource>,
    }

    MetricSource { name: String, metric: MetricName, target: MetricValue, current: MetricValue }

    MetricName { name: String }

    MetricValue { average_utilization: Option<i64>, average_value: String, value: String }

    Budget { metadata: Meta, spec: BudgetSpec, status: BudgetStatus }

    BudgetSpec { min_available: String, max_unavailable: String }

    BudgetStatus { disruptions_allowed: Option<i64>, current_healthy: Option<i64>, desired_healthy: Option<i64> }

    Ingress { metadata: Meta, spec: IngressSpec }

    IngressSpec { rules: Vec<IngressRule>, default_backend: IngressBackend }

    IngressRule { host: String, http: IngressPaths }

    IngressPaths { paths: Vec<IngressPath> }

    IngressPath { path: String, backend: IngressBackend }

    IngressBackend { service: IngressService }

    IngressService { name: String }

    Node { metadata: Meta, spec: NodeSpec, status: NodeStatus }

    NodeSpec { unschedulable: bool }

    NodeStatus { allocatable: BTreeMap<String, String>, conditions: Vec<Condition>, node_info: NodeInfo }

    NodeInfo { kubelet_version: String }

    Event {
        metadata: Meta,
        involved_object: Reference,
        reason: String,
        message: String,
        kind: String = "type",
        count: Option<i64>,
        first_timestamp: Option<Timestamp>,
        last_timestamp: Option<Timestamp>,
        event_time: Option<Timestamp>,
        series: Series,
    }

    Series { count: Option<i64>, last_observed_time: Option<Timestamp> }

    /// A Lease or `ConfigMap` that may be the lock: all of it is in its annotations.
    Lock { metadata: Meta }
}
