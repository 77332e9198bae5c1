//! A cluster large enough to be slow with, and changes in it at a steady rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hub::Hub;
use super::kind::plural;
use super::lms::deployment;
use super::patch::{fields, merge};
use super::store::{Key, stamp};
use super::world::World;

/// A uid that is the same in every run.
fn uid(group: u32, n: usize) -> String {
    format!("{group:08x}-0000-4000-8000-{n:012x}")
}

fn owned(kind: &str, version: &str, name: &str, uid: &str) -> Value {
    json!([{ "apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true }])
}

/// What a kubelet notes of a status: about as much as a real one.
fn managed(object: &Value, manager: &str, sub: &str) -> Value {
    let written = fields(&Value::Null, &json!({ "spec": object["spec"], "status": object["status"] }));
    let mut entry = json!({
        "manager": manager, "operation": "Update", "apiVersion": "v1", "time": stamp(), "fieldsType": "FieldsV1", "fieldsV1": written
    });
    if !sub.is_empty() {
        entry["subresource"] = json!(sub);
    }
    entry
}

fn pod(set: &str, set_uid: &str, template: &Value, (number, node): (usize, String)) -> Value {
    let name = format!("{set}-{}", super::store::letters(number as u64 + 7, 5));
    let (now, address) = (stamp(), format!("10.{}.{}.{}", 100 + number / 62_500, number / 250 % 250, number % 250 + 2));
    let held = |kind: &str| json!({ "type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now, "observedGeneration": 1 });
    let conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(held);
    let container = json!({
        "name": "backend", "state": { "running": { "startedAt": now } }, "lastState": {}, "ready": true, "restartCount": 0,
        "image": "docker.io/lms/ai-backend:1.0.0", "imageID": format!("sha256:{:064x}", 12), "started": true,
        "containerID": format!("containerd://{number:064x}"),
        "resources": template["spec"]["containers"][0]["resources"]
    });
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "lms-ai", "generateName": format!("{set}-"), "uid": uid(3, number), "generation": 1,
            "labels": template["metadata"]["labels"], "ownerReferences": owned("ReplicaSet", "apps/v1", set, set_uid)
        },
        "spec": template["spec"],
        "status": {
            "observedGeneration": 1, "phase": "Running", "conditions": conditions, "hostIP": "10.200.0.1",
            "hostIPs": [{ "ip": "10.200.0.1" }], "podIP": address, "podIPs": [{ "ip": address }], "startTime": now,
            "containerStatuses": [container], "qosClass": "Burstable"
        }
    });
    pod["spec"]["nodeName"] = json!(node);
    let managers = [managed(&pod, "kube-controller-manager", ""), managed(&pod, "kubelet", "status")];
    pod["metadata"]["managedFields"] = json!(managers);
    pod
}

impl World {
    /// So many deployments, each with a replica set and so many pods that all run and are ready, in `lms-ai` on fifty nodes.
    /// Nothing is at work in it: it stays as it is, or changes as `ApiServer::churn` says.
    pub fn large(deployments: usize, pods_each: usize) -> Self {
        let mut world = (0..50).fold(Self::empty().still(), |world, n| world.node(&format!("node-{n:02}")));
        for n in 0..deployments {
            world.objects.extend(group(n, pods_each));
        }
        world
    }
}

/// One deployment with everything below it.
fn group(n: usize, pods: usize) -> Vec<Value> {
    let name = format!("load-{n:04}");
    let (set, set_uid) = (format!("{name}-69b5846bdc"), uid(2, n));
    let mut object = deployment(&name, "lms/ai-backend:1.0.0", i64::try_from(pods).unwrap_or(0));
    super::defaults::fill(plural("deployments"), &mut object);
    let mut template = object["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!("69b5846bdc");
    let annotations = json!({ "deployment.kubernetes.io/revision": "1" });
    let condition = |kind: &str, reason: &str| json!({ "type": kind, "status": "True", "reason": reason, "message": "", "lastUpdateTime": stamp(), "lastTransitionTime": stamp() });
    let counts = json!({
        "observedGeneration": 1, "replicas": pods, "readyReplicas": pods, "availableReplicas": pods, "terminatingReplicas": 0
    });
    let more = json!({
        "metadata": { "uid": uid(1, n), "generation": 1, "annotations": annotations }, "status": counts,
    });
    merge(&mut object, &more);
    object["status"]["updatedReplicas"] = json!(pods);
    object["status"]["conditions"] =
        json!([condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")]);
    let mut replica_set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": set, "namespace": "lms-ai", "uid": set_uid, "generation": 1, "annotations": annotations,
            "labels": template["metadata"]["labels"], "ownerReferences": owned("Deployment", "apps/v1", &name, &uid(1, n))
        },
        "spec": { "replicas": pods, "selector": { "matchLabels": template["metadata"]["labels"] }, "template": template },
        "status": counts
    });
    replica_set["status"]["fullyLabeledReplicas"] = json!(pods);
    let pods = (0..pods).map(|p| {
        let number = n * pods + p;
        pod(&set, &set_uid, &template, (number, format!("node-{:02}", number % 50)))
    });
    let pods: Vec<Value> = pods.collect();
    [object, replica_set].into_iter().chain(pods).collect()
}

/// Changes at a steady rate, until it is dropped.
pub struct Churn {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Churn {
    /// Changes made so far.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    pub(super) fn start(hub: Arc<Hub>, per_second: u32) -> Self {
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), made.clone());
        let thread = std::thread::spawn(move || {
            let keys: Vec<Key> = hub.store().list(plural("pods"), None).iter().map(super::store::Entry::key).collect();
            let begun = Instant::now();
            let mut done = 0u64;
            while !stopped.load(Ordering::SeqCst) && !keys.is_empty() {
                let due = begun.elapsed().as_millis() * u128::from(per_second) / 1000;
                let due = u64::try_from(due).unwrap_or(u64::MAX);
                for n in done..due {
                    let at = usize::try_from(n.wrapping_mul(7919)).unwrap_or(0) % keys.len();
                    count.fetch_add(1, Ordering::SeqCst);
                    restart(&hub, &keys[at]);
                }
                done = due.max(done);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { stop, made, thread: Some(thread) }
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// The container of a pod is started again, as its status tells.
fn restart(hub: &Hub, key: &Key) {
    let mut store = hub.store();
    let Some(entry) = store.get(plural("pods"), key) else { return };
    let mut value = (*entry.value).clone();
    let status = &mut value["status"]["containerStatuses"][0];
    status["restartCount"] = json!(status["restartCount"].as_i64().unwrap_or(0) + 1);
    status["state"] = json!({ "running": { "startedAt": stamp() } });
    store.keep(plural("pods"), value);
}
