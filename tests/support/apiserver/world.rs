//! What a server begins with.

use serde_json::{Value, json};

use super::hub::Pace;
use super::kind;
use super::store::{Entry, Store, key_of, stamp};
use super::write::{complete, manage};

/// The objects of a cluster, and how it lives.
pub struct World {
    pub objects: Vec<Value>,
    /// Whether controllers and kubelets are at work. Without them everything stays as it is put.
    pub controlled: bool,
    pub pace: Pace,
}

/// Makes or replaces an object as given; fills in what every object has.
///
/// # Panics
/// It is of a kind the server does not keep.
pub fn keep(store: &mut Store, mut manifest: Value) -> Entry {
    let kind = kind::of(&manifest).unwrap_or_else(|| panic!("of no kind the server keeps: {manifest}"));
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    let before = store.get(kind, &key_of(&manifest));
    let known = before.as_ref().map_or(&Value::Null, |b| &b.value["metadata"]);
    for (name, made) in [("uid", json!(store.uid())), ("creationTimestamp", json!(stamp()))] {
        if manifest["metadata"][name].is_null() {
            manifest["metadata"][name] = if known[name].is_null() { made } else { known[name].clone() };
        }
    }
    if kind.counted && manifest["metadata"]["generation"].is_null() {
        let same = before.as_ref().is_some_and(|b| b.value["spec"] == manifest["spec"]);
        let last = known["generation"].as_i64().unwrap_or(0);
        manifest["metadata"]["generation"] = json!(if same { last } else { last + 1 });
    }
    complete(kind, &mut manifest);
    if manifest["metadata"]["managedFields"].is_null() {
        let manager = if kind.plural == "nodes" { "kubelet" } else { "kubectl-client-side-apply" };
        let mut wanted = manifest.clone();
        wanted.as_object_mut().map(|w| w.remove("status"));
        manage(&Value::Null, &mut wanted, kind, manager, "");
        manifest["metadata"]["managedFields"] = wanted["metadata"]["managedFields"].clone();
        if kind.plural == "nodes" {
            manage(&wanted, &mut manifest, kind, manager, "status");
        }
    }
    store.keep(kind, manifest)
}

impl World {
    /// The namespaces every cluster has, and one node.
    pub fn empty() -> Self {
        let mut world = Self { objects: Vec::new(), controlled: true, pace: Pace::default() };
        for name in ["default", "kube-node-lease", "kube-public", "kube-system", "lms-ai"] {
            world.objects.push(namespace(name));
        }
        world.node("node-1")
    }

    /// Adds a node that is ready.
    #[must_use]
    pub fn node(mut self, name: &str) -> Self {
        self.objects.push(node(name));
        self
    }

    /// Adds an object.
    #[must_use]
    pub fn with(mut self, manifest: Value) -> Self {
        self.objects.push(manifest);
        self
    }

    /// Everything stays as it is put.
    #[must_use]
    pub fn still(mut self) -> Self {
        self.controlled = false;
        self
    }

    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }
}

pub fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
        "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" }
    })
}

pub fn node(name: &str) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "lastHeartbeatTime": stamp(), "lastTransitionTime": stamp(), "reason": reason,
            "message": message
        })
    };
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"
            },
            "annotations": { "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true" }
        },
        "spec": {},
        "status": {
            "capacity": { "cpu": "2", "ephemeral-storage": "264212084Ki", "memory": "24684084Ki", "pods": "60" },
            "allocatable": { "cpu": "2", "ephemeral-storage": "265142110657", "memory": "24479284Ki", "pods": "60" },
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
            ],
            "addresses": [{ "type": "InternalIP", "address": "10.200.0.1" }, { "type": "Hostname", "address": name }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "nodeInfo": {
                "machineID": "00000000000000000000000000000001", "systemUUID": "00000000000000000000000000000001",
                "bootID": "00000000-0000-4000-8000-00000000b007", "kernelVersion": "6.18.44", "osImage": "Debian GNU/Linux 12 (bookworm)",
                "containerRuntimeVersion": "containerd://2.1.9", "kubeletVersion": "v1.36.2", "kubeProxyVersion": "",
                "operatingSystem": "linux", "architecture": "amd64"
            }
        }
    })
}
