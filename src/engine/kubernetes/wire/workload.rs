//! What makes pods: Deployments, `StatefulSets`, `DaemonSets`, Jobs, `CronJobs`, and what keeps their history.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::meta::{Condition, Meta};
use super::pod::PodSpec;
use super::wire;

wire! {
    /// A Deployment, `StatefulSet`, `DaemonSet` or Job: what one of them does not have stays empty.
    Declared { metadata: Meta, spec: DeclaredSpec, status: DeclaredStatus }

    DeclaredSpec {
        replicas: Option<i64>,
        paused: bool,
        min_ready_seconds: Option<i64>,
        strategy: Strategy,
        update_strategy: Strategy,
        template: Template,
        completions: Option<i64>,
        parallelism: Option<i64>,
        suspend: bool,
    }

    Strategy { kind: String = "type", rolling_update: RollingUpdate }

    RollingUpdate { max_surge: String, max_unavailable: String, partition: Option<i64> }

    Template { metadata: TemplateMeta, spec: PodSpec }

    TemplateMeta { labels: BTreeMap<String, String> }

    DeclaredStatus {
        observed_generation: Option<i64>,
        replicas: Option<i64>,
        updated_replicas: Option<i64>,
        ready_replicas: Option<i64>,
        available_replicas: Option<i64>,
        current_revision: String,
        update_revision: String,
        desired_number_scheduled: Option<i64>,
        updated_number_scheduled: Option<i64>,
        number_ready: Option<i64>,
        number_available: Option<i64>,
        current_number_scheduled: Option<i64>,
        active: Option<i64>,
        succeeded: Option<i64>,
        failed: Option<i64>,
        start_time: Option<Timestamp>,
        completion_time: Option<Timestamp>,
        conditions: Vec<Condition>,
    }

    CronJob { metadata: Meta, spec: CronJobSpec, status: CronJobStatus }

    CronJobSpec { schedule: String, time_zone: String, suspend: bool, job_template: JobTemplate }

    JobTemplate { spec: DeclaredSpec }

    CronJobStatus { last_schedule_time: Option<Timestamp>, last_successful_time: Option<Timestamp> }

    ReplicaSet { metadata: Meta, spec: ReplicaSetSpec }

    ReplicaSetSpec { template: Template }

    ControllerRevision { metadata: Meta, data: RevisionData, revision: Option<i64> }

    RevisionData { spec: ReplicaSetSpec }
}
