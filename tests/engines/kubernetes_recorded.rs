//! What a real API server listed, made into environments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use jiff::Timestamp;
use quarterdeck::config::{ConnectionSpec, EnvironmentSpec, KubernetesTarget, TargetSpec};
use quarterdeck::engine::kubernetes::client::Client;
use quarterdeck::engine::kubernetes::convert::object::Reader;
use quarterdeck::engine::kubernetes::inventory::{store::Store, view::View};
use quarterdeck::engine::kubernetes::metrics::{PodList, Summary};
use quarterdeck::engine::kubernetes::permissions::Rights;
use quarterdeck::engine::kubernetes::watch::Kind;
use quarterdeck::model::{EngineKind, Guard, InstanceId, Node, RolloutState, Sample, Snapshot, Tier, Verb, Workload, WorkloadId};
use quarterdeck::operate::Policy;

pub const NAMESPACE: &str = "lms-ai";
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

pub fn recorded(name: &str) -> String {
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
pub struct Cluster {
    pub store: Store,
    view: View,
    rights: Rights,
}

impl Cluster {
    pub fn new(namespace: Option<&str>) -> Self {
        let (client, spec) = client(namespace.unwrap_or("*"));
        let view = View::new(&client, &spec, "https://eu:6443", namespace.map(Arc::from));
        Self { store: Store::default(), view, rights: Rights::default() }
    }

    /// A cluster as it was when the stories began.
    pub fn begun() -> Self {
        let mut cluster = Self::new(Some(NAMESPACE));
        for (kind, name) in LISTS {
            cluster.list(kind, name);
        }
        cluster
    }

    pub fn list(&mut self, kind: Kind, name: &str) {
        let page = Reader::new(kind).list(recorded(&format!("lists/{name}.json")).as_bytes()).unwrap();
        assert!(page.next.is_empty() && !page.changes.is_empty(), "{name}");
        self.store.begin(0);
        for change in page.changes {
            self.store.apply(0, kind, change);
        }
        self.store.complete(0, kind, Some(&NAMESPACE.into()));
    }

    /// One line of a watch.
    pub fn hear(&mut self, kind: Kind, line: &str) {
        let heard = Reader::new(kind).lines(line.as_bytes()).unwrap();
        assert!(heard.error.is_none() && heard.version.is_some(), "{line}");
        for change in heard.changes {
            self.store.apply(0, kind, change);
        }
    }

    pub fn snapshot(&mut self) -> Arc<Snapshot> {
        let dirty: BTreeSet<_> = self.store.take_dirty();
        self.view.rebuild(&mut self.store, &dirty, &self.rights);
        let nodes = self.store.around.nodes(self.store.pods.values().map(|held| &**held));
        let nodes: Vec<Arc<Node>> = nodes.into_iter().map(Arc::new).collect();
        self.view.snapshot(&self.store, Timestamp::UNIX_EPOCH, &nodes, &[])
    }

    pub fn workload(&mut self, name: &str) -> Arc<Workload> {
        self.snapshot().workload(&WorkloadId::new(name)).unwrap_or_else(|| panic!("{name} is there")).clone()
    }
}

/// `3/5 rev 2 starting [running, 2 old]: why`.
pub fn line_of(workload: &Workload) -> String {
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

pub fn check(found: &str, expected: &Expect) {
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
fn what_cannot_be_done_is_said_for_each_kind() {
    let mut cluster = Cluster::begun();
    let snapshot = cluster.snapshot();
    let denied = |name: &str, verb: Verb| {
        snapshot.workload(&WorkloadId::new(name)).unwrap().capabilities.denied.get(&verb).map(std::string::ToString::to_string)
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

#[test]
fn figures_are_those_of_the_metrics_api_and_of_the_kubelet() {
    let id = |pod: &str| InstanceId::new(format!("{NAMESPACE}/{pod}"));
    let list: PodList = serde_json::from_str(&recorded("metrics/pods.json")).unwrap();
    let pod = list.items.iter().find(|p| p.metadata.name == "lms-ai-backend-69b5846bdc-crr6z").unwrap();
    let sample = pod.sample(pod.id(), &BTreeMap::new(), Timestamp::UNIX_EPOCH);
    assert_eq!((sample.instance, sample.cpu_cores, sample.memory_bytes), (pod.id(), Some(0.001_149_552), Some(10_016 * 1024)));
    assert_eq!(sample.at.to_string(), "2026-11-21T00:36:39Z");
    let summary: Summary = serde_json::from_str(&recorded("metrics/summary.json")).unwrap();
    let wanted = BTreeSet::from([id("redis-0")]);
    let samples: Vec<Sample> =
        summary.pods.iter().filter_map(|p| p.sample(&wanted, &BTreeMap::new(), Timestamp::UNIX_EPOCH)).collect();
    let [sample] = samples.as_slice() else { panic!("{samples:?}") };
    assert!(sample.cpu_cores.is_some_and(|c| c > 0.0) && sample.memory_bytes.is_some_and(|m| m > 1000), "{sample:?}");
    // This kubelet says nothing of networks.
    assert_eq!((sample.net_rx_bytes, sample.net_tx_bytes), (None, None));
}

#[test]
fn an_event_is_told_once_however_often_it_is_counted() {
    let line = recorded("watch/rollout-never-ready-and-undo.txt");
    let told: Vec<&str> = line.lines().filter_map(|l| l.split_once(" events ")).map(|(_, event)| event).collect();
    assert!(told.len() > 3);
    let mut cluster = Cluster::begun();
    let mut reader = Reader::new(Kind::Event);
    let mut items = 0;
    for event in &told {
        for change in reader.lines(event.as_bytes()).unwrap().changes {
            items += usize::from(cluster.store.apply(9, Kind::Event, change).is_some());
        }
    }
    let names: BTreeSet<String> = told
        .iter()
        .map(|event| serde_json::from_str::<serde_json::Value>(event).unwrap()["object"]["metadata"]["name"].to_string())
        .collect();
    assert!(items == names.len() && items < told.len(), "{items} of {}", told.len());
}
