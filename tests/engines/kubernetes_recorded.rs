//! What a real API server said, made into environments: its lists, and its watches replayed in the order they came, told
//! as the story a person would have seen.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use jiff::Timestamp;
use quarterdeck::config::{ConnectionSpec, EnvironmentSpec, KubernetesTarget, TargetSpec};
use quarterdeck::engine::kubernetes::client::Client;
use quarterdeck::engine::kubernetes::convert::object::Reader;
use quarterdeck::engine::kubernetes::inventory::{store::Store, view::View};
use quarterdeck::engine::kubernetes::permissions::Rights;
use quarterdeck::engine::kubernetes::watch::Kind;
use quarterdeck::model::{EngineKind, Guard, Health, Node, RolloutState, Snapshot, Tier, Verb, Workload, WorkloadId};
use quarterdeck::operate::Policy;

const NAMESPACE: &str = "lms-ai";
/// What was recorded at the start of the stories.
const LISTS: [(Kind, &str); 13] = [
    (Kind::Pod, "pods"),
    (Kind::Deployment, "deployments"),
    (Kind::StatefulSet, "statefulsets"),
    (Kind::DaemonSet, "daemonsets"),
    (Kind::Job, "jobs"),
    (Kind::CronJob, "cronjobs"),
    (Kind::ReplicaSet, "replicasets"),
    (Kind::Node, "nodes"),
    (Kind::ControllerRevision, "controllerrevisions"),
    (Kind::Service, "services"),
    (Kind::EndpointSlice, "endpointslices"),
    (Kind::Budget, "pdbs"),
    (Kind::Scaler, "hpa-v2"),
];

fn recorded(name: &str) -> String {
    let path = format!("{}/tests/engines/kubernetes/recorded/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn client(namespace: &str) -> (Client, EnvironmentSpec) {
    let environment = EnvironmentSpec {
        name: "production".into(),
        tier: Tier::Production,
        guard: Guard::Type,
        engine: EngineKind::Kubernetes,
        project: namespace.into(),
        files: Vec::new(),
        env_file: None,
        policy: Policy::of(Guard::Type),
    };
    let target = KubernetesTarget { kubeconfig: Vec::new(), context: "eu".into() };
    let spec = ConnectionSpec {
        id: "eu".into(),
        target: TargetSpec::Kubernetes(target),
        environments: vec![environment.clone()],
        discover: false,
        on_demand: false,
        redaction: Arc::default(),
    };
    (Client::new(&spec), environment)
}

/// A cluster as it is known from what was recorded.
struct Cluster {
    store: Store,
    view: View,
    rights: Rights,
}

impl Cluster {
    fn new(namespace: Option<&str>) -> Self {
        let (client, spec) = client(namespace.unwrap_or("*"));
        let view = View::new(&client, &spec, "https://eu:6443", namespace.map(Arc::from));
        Self { store: Store::default(), view, rights: Rights::default() }
    }

    /// A cluster as it was when the stories began.
    fn begun() -> Self {
        let mut cluster = Self::new(Some(NAMESPACE));
        for (kind, name) in LISTS {
            cluster.list(kind, name);
        }
        cluster
    }

    fn list(&mut self, kind: Kind, name: &str) {
        let page = Reader::new(kind).list(recorded(&format!("lists/{name}.json")).as_bytes()).unwrap();
        assert!(page.next.is_empty() && !page.changes.is_empty(), "{name}");
        self.store.begin(0);
        for change in page.changes {
            self.store.apply(0, kind, change);
        }
        self.store.complete(0, kind, Some(&NAMESPACE.into()));
    }

    /// One line of a watch.
    fn hear(&mut self, kind: Kind, line: &str) {
        let heard = Reader::new(kind).lines(line.as_bytes()).unwrap();
        assert!(heard.error.is_none() && heard.version.is_some(), "{line}");
        for change in heard.changes {
            self.store.apply(0, kind, change);
        }
    }

    fn snapshot(&mut self) -> Arc<Snapshot> {
        let dirty: BTreeSet<_> = self.store.take_dirty();
        self.view.rebuild(&mut self.store, &dirty, &self.rights);
        let nodes = self.store.around.nodes(self.store.pods.values().map(|held| &**held));
        let nodes: Vec<Arc<Node>> = nodes.into_iter().map(Arc::new).collect();
        self.view.snapshot(&self.store, Timestamp::UNIX_EPOCH, &nodes, &[])
    }

    fn workload(&mut self, name: &str) -> Arc<Workload> {
        self.snapshot().workload(&WorkloadId::new(name)).unwrap_or_else(|| panic!("{name} is there")).clone()
    }

    /// Replays a story and tells every change of a workload and of the nodes.
    fn replay(&mut self, story: &str, name: &str) -> String {
        let (mut out, mut last) = (String::new(), String::new());
        for line in recorded(&format!("watch/{story}.txt")).lines() {
            let (at, rest) = line.split_once(' ').unwrap();
            let (kind, event) = rest.split_once(' ').unwrap();
            let kind = Kind::ALL.into_iter().find(|k| k.plural() == kind).unwrap();
            self.hear(kind, event);
            let snapshot = self.snapshot();
            let Some(workload) = snapshot.workload(&WorkloadId::new(name)) else { continue };
            let nodes = snapshot.nodes.iter().filter(|n| n.verdict.health != Health::Healthy);
            let nodes: String = nodes.map(|n| format!(" · {} {}", n.name, n.verdict.health)).collect();
            let now = format!("{}{nodes}", line_of(workload));
            if now != last {
                let seconds = at.parse::<f64>().unwrap() / 1000.0;
                writeln!(out, "{seconds:.1} {now}").unwrap();
                last = now;
            }
        }
        out
    }
}

/// `3/5 rev 2 starting [running, 2 old]: why`.
fn line_of(workload: &Workload) -> String {
    let revision = workload.revision.map_or_else(|| "-".into(), |r| r.to_string());
    let rollout = workload.rollout.as_ref().map(|r| {
        let state = match r.state {
            RolloutState::Running => "running",
            RolloutState::Paused => "paused",
            RolloutState::GoingBack => "going back",
            RolloutState::GoneBack => "gone back",
        };
        format!(" [{state}, {} old]", r.outdated)
    });
    let why = workload.verdict.reasons.first().map(|r| format!(": {}", r.chars().take(150).collect::<String>()));
    format!(
        "{}/{} rev {revision} {}{}{}",
        workload.ready,
        workload.desired,
        workload.verdict.health,
        rollout.unwrap_or_default(),
        why.unwrap_or_default()
    )
}

fn check(found: &str, expected: &Expect) {
    expected.assert_eq(found);
}

#[test]
fn recorded_lists_become_an_environment() {
    let mut cluster = Cluster::begun();
    let snapshot = cluster.snapshot();
    let mut out = format!("{}\n", snapshot.environment.endpoint);
    for workload in &snapshot.workloads {
        writeln!(out, "{} {} {} {}", workload.id, workload.kind, line_of(workload), workload.image).unwrap();
        let controller = workload.controller.as_ref().unwrap();
        writeln!(
            out,
            "  {} updated {} available {} ports {:?} services {:?} schedule {:?} autoscaler {:?}",
            controller.strategy,
            controller.updated,
            controller.available,
            controller.ports,
            controller.services,
            controller.schedule,
            workload.autoscaler
        )
        .unwrap();
        for revision in &workload.revisions {
            writeln!(out, "  revision {} {} {:?} {:?}", revision.number, revision.image, revision.by, revision.cause).unwrap();
        }
        for instance in &workload.instances {
            let pod = instance.pod.as_ref().unwrap();
            let (ready, all) = pod.ready();
            writeln!(
                out,
                "  {} {} {ready}/{all} rev {:?} restarts {} {} {} {:?} cpu {:?} of {:?} memory {:?} of {:?} {}",
                instance.id,
                pod.status,
                instance.revision,
                instance.restarts,
                instance.verdict.health,
                pod.qos,
                pod.owners,
                pod.cpu_request_milli,
                pod.cpu_limit_milli,
                pod.memory_request_bytes,
                instance.memory_limit_bytes,
                instance.verdict.reasons.join("; ")
            )
            .unwrap();
        }
    }
    for (what, words) in &snapshot.facts {
        writeln!(out, "{what}: {words}").unwrap();
    }
    for node in &snapshot.nodes {
        writeln!(
            out,
            "node {} {} {} pods {} of {} cpu {} of {} memory {} of {}",
            node.name,
            node.version,
            node.verdict.health,
            node.pods,
            node.pods_max,
            node.cpu_requested_milli,
            node.cpu_milli,
            node.memory_requested_bytes,
            node.memory_bytes
        )
        .unwrap();
    }
    check(
        &out,
        &expect![[r#"
        https://eu:6443 · context eu · namespace lms-ai
        crasher Deployment 0/1 rev 1 unhealthy: backend: CrashLoopBackOff, its last run ended: Error, exit code 1 lms/ai-backend:1.0.0
          RollingUpdate (surge 25%, unavailable 25%) updated 1 available 0 ports [] services [] schedule None autoscaler None
          revision 1 lms/ai-backend:1.0.0 None None
          lms-ai/crasher-c567d6fdc-vghrn CrashLoopBackOff 0/1 rev Some(1) restarts 5 unhealthy Burstable ["ReplicaSet/crasher-c567d6fdc", "Deployment/crasher"] cpu Some(5) of None memory Some(8388608) of None backend: CrashLoopBackOff, its last run ended: Error, exit code 1
        lms-ai-backend Deployment 3/3 rev 2 healthy lms/ai-backend:1.0.0
          RollingUpdate (surge 1, unavailable 0) updated 3 available 3 ports [3000] services ["lms-ai-backend"] schedule None autoscaler Some("3 to 10 (cpu 20 % of 70 %, memory 61 % of 80 %)")
          revision 2 lms/ai-backend:1.0.0 None None
          revision 1 lms/ai-backend:1.0.0 None None
          lms-ai/lms-ai-backend-69b5846bdc-xt2zn Running 1/1 rev Some(2) restarts 0 healthy Burstable ["ReplicaSet/lms-ai-backend-69b5846bdc", "Deployment/lms-ai-backend"] cpu Some(10) of Some(100) memory Some(16777216) of Some(67108864) 
          lms-ai/lms-ai-backend-69b5846bdc-crr6z Running 1/1 rev Some(2) restarts 0 healthy Burstable ["ReplicaSet/lms-ai-backend-69b5846bdc", "Deployment/lms-ai-backend"] cpu Some(10) of Some(100) memory Some(16777216) of Some(67108864) 
          lms-ai/lms-ai-backend-69b5846bdc-tt6qv Running 1/1 rev Some(2) restarts 0 healthy Burstable ["ReplicaSet/lms-ai-backend-69b5846bdc", "Deployment/lms-ai-backend"] cpu Some(10) of Some(100) memory Some(16777216) of Some(67108864) 
        log-agent DaemonSet 1/1 rev 1 healthy busybox:1.35
          RollingUpdate (surge 0, unavailable 1) updated 1 available 1 ports [] services [] schedule None autoscaler None
          revision 1 busybox:1.35 None None
          lms-ai/log-agent-bgj6k Running 2/2 rev Some(1) restarts 0 healthy Burstable ["DaemonSet/log-agent"] cpu Some(10) of None memory Some(16777216) of None 
        nightly-reindex CronJob 0/0 rev - healthy busybox:1.35
           updated 0 available 0 ports [] services [] schedule Some("*/2 * * * *") autoscaler None
          lms-ai/nightly-reindex-29920354-4788b Completed 0/1 rev None restarts 0 stopped Burstable ["Job/nightly-reindex-29920354"] cpu Some(5) of None memory Some(8388608) of None done
          lms-ai/nightly-reindex-29920356-lks2w Completed 0/1 rev None restarts 0 stopped Burstable ["Job/nightly-reindex-29920356"] cpu Some(5) of None memory Some(8388608) of None done
        redis StatefulSet 1/1 rev 1 healthy redis:7-alpine
          RollingUpdate updated 1 available 1 ports [6379] services ["redis"] schedule None autoscaler None
          revision 1 redis:7-alpine None None
          lms-ai/redis-0 Running 1/1 rev Some(1) restarts 0 healthy Burstable ["StatefulSet/redis"] cpu Some(10) of Some(100) memory Some(16777216) of Some(67108864) 
        service: lms-ai-backend: ClusterIP 10.96.115.10, 80/TCP, 3 of 3 endpoints ready
        service: redis: headless, 6379/TCP, 1 of 1 endpoints ready
        disruption budget: lms-ai-backend: at least 2, 3 of 2 healthy, 1 may go
        node node-1 v1.36.2 healthy pods 6 of 60 cpu 55 of 2000 memory 92274688 of 25066786816
    "#]],
    );
}

#[test]
fn scaling_up_and_down_is_told_as_it_went() {
    let found = Cluster::begun().replay("scale-3-5-3", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 2 healthy
        1.1 3/5 rev 2 degraded [running, 0 old]: 3 of 5 instances exist
        1.1 3/5 rev 2 degraded: 3 of 5 instances exist
        1.1 3/5 rev 2 degraded: 4 of 5 instances exist
        1.1 3/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: is being set up on its node
        1.2 3/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: ContainerCreating
        1.9 3/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: not ready yet
        4.2 4/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: not ready yet
        4.3 5/5 rev 2 healthy
        6.4 5/3 rev 2 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        6.4 4/3 rev 2 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        6.5 4/3 rev 2 healthy
        6.5 3/3 rev 2 healthy
    "#]],
    );
}

#[test]
fn a_rollout_is_followed_to_its_real_end() {
    let mut cluster = Cluster::begun();
    cluster.replay("scale-3-5-3", "lms-ai-backend");
    let found = cluster.replay("rollout-1.1.0", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 2 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        1.2 3/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.2 3/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: 0 of 3 updated
        1.2 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: waits for a node
        1.2 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: is being set up on its node
        1.2 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: ContainerCreating
        2.0 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: not ready yet
        2.6 4/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: 1 of 3 updated
        2.6 3/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: 1 of 3 updated
        2.6 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-ftj4l: waits for a node
        2.7 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: waits for a node
        2.7 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: is being set up on its node
        3.3 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: ContainerCreating
        3.4 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: not ready yet
        5.6 4/3 rev 3 starting [running, 2 old]: an update is under way, 2 still as before: 2 of 3 updated
        5.6 3/3 rev 3 starting [running, 2 old]: an update is under way, 2 still as before: 2 of 3 updated
        5.6 3/3 rev 3 starting [running, 1 old]: an update is under way, 1 still as before: 2 of 3 updated
        5.6 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: waits for a node
        5.6 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: is being set up on its node
        5.6 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: ContainerCreating
        6.2 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: not ready yet
        6.6 4/3 rev 3 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        6.6 3/3 rev 3 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        6.6 3/3 rev 3 healthy
    "#]],
    );
    let workload = cluster.workload("lms-ai-backend");
    assert!(workload.rollout.is_none() && workload.instances.iter().all(|i| i.revision == workload.revision));
}

#[test]
fn an_image_that_is_not_there_is_said_and_taken_back() {
    let mut cluster = Cluster::begun();
    for story in ["scale-3-5-3", "rollout-1.1.0"] {
        cluster.replay(story, "lms-ai-backend");
    }
    let found = cluster.replay("rollout-failed-image", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 3 healthy
        1.1 3/3 rev 3 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 4 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: waits for a node
        1.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: is being set up on its node
        1.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: ContainerCreating
        1.7 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: Failed: Failed to pull image "registry.invalid/lms/ai-backend:9.9.9": failed to pull and unpack image "registry.inval
        1.7 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: Failed: Error: ErrImagePull
        2.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: Failed: Error: ImagePullBackOff
        2.1 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        15.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ImagePullBackOff: Back-off pulling image "registry.invalid/lms/ai-backend:9.9.9": ErrImagePull: failed to pu
        29.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        42.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ImagePullBackOff: Back-off pulling image "registry.invalid/lms/ai-backend:9.9.9": ErrImagePull: failed to pu
        56.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        61.6 3/3 rev 4 degraded [paused, 3 old]: ProgressDeadlineExceeded: ReplicaSet "lms-ai-backend-5c5b595574" has timed out progressing.
    "#]],
    );
    let found = cluster.replay("undo", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 4 degraded [paused, 3 old]: ProgressDeadlineExceeded: ReplicaSet "lms-ai-backend-5c5b595574" has timed out progressing.
        1.1 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        1.1 3/3 rev 5 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        1.2 3/3 rev 5 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.2 3/3 rev 5 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        1.3 3/3 rev 5 healthy
    "#]],
    );
}

#[test]
fn what_never_becomes_ready_is_told_with_its_probe() {
    let mut cluster = Cluster::begun();
    for story in ["scale-3-5-3", "rollout-1.1.0", "rollout-failed-image", "undo"] {
        cluster.replay(story, "lms-ai-backend");
    }
    let found = cluster.replay("rollout-never-ready-and-undo", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 5 healthy
        1.1 3/3 rev 5 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 6 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: waits for a node
        1.1 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: is being set up on its node
        1.8 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: ContainerCreating
        1.9 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: not ready yet
        4.1 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        8.1 3/3 rev 6 degraded [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.2 3/3 rev 7 degraded [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.2 3/3 rev 7 degraded [running, 1 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.3 3/3 rev 7 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        13.3 3/3 rev 7 healthy
    "#]],
    );
}

#[test]
fn a_node_that_is_away_takes_its_pods_readiness_with_it() {
    let mut cluster = Cluster::new(Some(NAMESPACE));
    let found = cluster.replay("kubelet-down", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        56.0 0/1 rev - unhealthy: not ready: the kubelet of node-1 is not heard of
        56.0 0/10 rev 14 unhealthy: not ready: the kubelet of node-1 is not heard of
        56.0 0/10 rev 14 unhealthy: not ready: the kubelet of node-1 is not heard of · node-1 unhealthy
        56.0 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-9d8b9: not ready: the kubelet of node-1 is not heard of · node-1 unhealthy
        56.2 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-qltl6: not ready: the kubelet of node-1 is not heard of · node-1 unhealthy
        63.6 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-qltl6: not ready: the kubelet of node-1 is not heard of
        64.6 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        64.9 1/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        64.9 2/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.5 3/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.5 4/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.7 5/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.9 6/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.9 7/10 rev 14 degraded: lms-ai-backend-d48b48fcc-c27nr: not ready any more
        66.0 8/10 rev 14 degraded: lms-ai-backend-d48b48fcc-c27nr: not ready any more
        66.5 9/10 rev 14 degraded: lms-ai-backend-d48b48fcc-c27nr: not ready any more
        66.6 10/10 rev 14 healthy
    "#]],
    );
}

#[test]
fn what_cannot_be_done_is_said_for_each_kind() {
    let mut cluster = Cluster::begun();
    let snapshot = cluster.snapshot();
    let denied = |name: &str, verb: Verb| {
        snapshot.workload(&WorkloadId::new(name)).unwrap().capabilities.denied.get(&verb).map(|why| why.to_string())
    };
    assert_eq!(denied("lms-ai-backend", Verb::Scale), None);
    assert_eq!(denied("lms-ai-backend", Verb::Bounds), None);
    assert_eq!(denied("lms-ai-backend", Verb::Unpause).as_deref(), Some("it is not held"));
    assert!(denied("log-agent", Verb::Scale).unwrap().contains("every node that fits"));
    assert!(denied("redis", Verb::Pause).unwrap().contains("only a Deployment's rollout"));
    assert_eq!(denied("redis", Verb::Bounds).as_deref(), Some("no autoscaler owns it"));
    assert_eq!(denied("redis", Verb::Trigger).as_deref(), Some("it is not a schedule"));
    assert_eq!(denied("nightly-reindex", Verb::Trigger), None);
    for workload in &snapshot.workloads {
        assert!(workload.capabilities.denied.contains_key(&Verb::Up) && workload.capabilities.denied.contains_key(&Verb::Drill));
    }
}

#[test]
fn workloads_of_one_name_are_told_apart_and_those_of_all_namespaces_named_with_theirs() {
    let set = recorded("lists/statefulsets.json").replace("\"redis\"", "\"lms-ai-backend\"");
    let mut cluster = Cluster::begun();
    for change in Reader::new(Kind::StatefulSet).list(set.as_bytes()).unwrap().changes {
        cluster.store.apply(1, Kind::StatefulSet, change);
    }
    let ids = |snapshot: &Snapshot| snapshot.workloads.iter().map(|w| w.id.to_string()).collect::<Vec<_>>();
    let found = ids(&cluster.snapshot());
    assert!(found.contains(&"lms-ai-backend".into()) && found.contains(&"statefulset/lms-ai-backend".into()), "{found:?}");
    let mut everywhere = Cluster::new(None);
    everywhere.list(Kind::Deployment, "deployments");
    assert_eq!(ids(&everywhere.snapshot()), ["lms-ai/crasher", "lms-ai/lms-ai-backend"]);
}

#[test]
fn a_new_list_takes_away_what_it_does_not_name() {
    let mut cluster = Cluster::begun();
    let before = cluster.workload("lms-ai-backend").instances.len();
    cluster.list(Kind::Pod, "pods-not-ready");
    let snapshot = cluster.snapshot();
    assert!(snapshot.workload(&WorkloadId::new("redis")).unwrap().instances.is_empty());
    let now = &snapshot.workload(&WorkloadId::new("lms-ai-backend")).unwrap().instances;
    assert!(before == 3 && now.len() == 4, "{before} {}", now.len());
}
