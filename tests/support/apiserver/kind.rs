//! The kinds the server keeps: where their paths begin, what may be done with them, what an empty one looks like.

use serde_json::{Value, json};

/// One kind of object.
#[derive(Debug)]
pub struct Kind {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    /// As in paths: `deployments`. Unique among the kinds kept.
    pub plural: &'static str,
    pub singular: &'static str,
    pub name: &'static str,
    pub short: &'static [&'static str],
    pub namespaced: bool,
    /// Whether `metadata.generation` counts changes of its spec.
    pub counted: bool,
    pub subresources: &'static [&'static str],
}

/// What may be done with every kind that is kept.
pub const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

const fn kind(place: (&'static str, &'static str), plural: &'static str, singular: &'static str, name: &'static str) -> Kind {
    let (group, version) = place;
    Kind { group, version, plural, singular, name, short: &[], namespaced: true, counted: false, subresources: &[] }
}

impl Kind {
    const fn short(self, short: &'static [&'static str]) -> Self {
        Self { short, ..self }
    }

    const fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    const fn counted(self) -> Self {
        Self { counted: true, ..self }
    }

    const fn with(self, subresources: &'static [&'static str]) -> Self {
        Self { subresources, ..self }
    }

    /// `apps/v1`, or `v1` in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, or `pods` in the core group: how messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Deployment.apps`, or `Pod`: how messages about fields name it.
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.name, self.group) }
    }

    /// The object of a bookmark: what an encoder writes of an object where nothing is set.
    pub fn blank(&self, metadata: Value) -> Value {
        let template = json!({ "metadata": {}, "spec": { "containers": null } });
        let mut blank = match self.plural {
            "pods" => json!({ "spec": { "containers": null }, "status": {} }),
            "deployments" => {
                json!({ "spec": { "replicas": 0, "selector": null, "template": template, "strategy": {} }, "status": {} })
            }
            "replicasets" => {
                json!({ "spec": { "replicas": 0, "selector": null, "template": template }, "status": { "replicas": 0 } })
            }
            "statefulsets" => {
                let spec = json!({ "selector": null, "template": template, "serviceName": "", "updateStrategy": {} });
                json!({ "spec": spec, "status": { "replicas": 0, "availableReplicas": 0 } })
            }
            "daemonsets" => {
                let status = json!({ "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0 });
                json!({ "spec": { "selector": null, "template": template, "updateStrategy": {} }, "status": status })
            }
            "nodes" => {
                let info: serde_json::Map<String, Value> = NODE_INFO.iter().map(|name| ((*name).to_owned(), json!(""))).collect();
                json!({ "spec": {}, "status": { "daemonEndpoints": { "kubeletEndpoint": { "Port": 0 } }, "nodeInfo": info } })
            }
            "events" => json!({
                "involvedObject": {}, "source": {}, "firstTimestamp": null, "lastTimestamp": null, "eventTime": null,
                "reportingComponent": "", "reportingInstance": ""
            }),
            "endpointslices" => json!({ "addressType": "", "endpoints": null, "ports": null }),
            "controllerrevisions" => json!({ "data": null, "revision": 0 }),
            "configmaps" | "secrets" => json!({}),
            "leases" | "namespaces" => json!({ "spec": {} }),
            _ => json!({ "spec": {}, "status": {} }),
        };
        blank["kind"] = json!(self.name);
        blank["apiVersion"] = json!(self.api_version());
        blank["metadata"] = metadata;
        blank
    }
}

const NODE_INFO: [&str; 10] = [
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeletVersion",
    "kubeProxyVersion",
    "operatingSystem",
    "architecture",
];

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");
const POD: &[&str] = &["binding", "eviction", "exec", "log", "portforward", "status"];

/// What a scale is called where it does not hold; none is kept.
pub static SCALE: Kind = kind(("autoscaling", "v1"), "scales", "scale", "Scale");

/// Every kind that is kept.
pub static KINDS: [Kind; 22] = [
    kind(CORE, "configmaps", "configmap", "ConfigMap").short(&["cm"]),
    kind(CORE, "events", "event", "Event").short(&["ev"]),
    kind(CORE, "namespaces", "namespace", "Namespace").short(&["ns"]).cluster().with(&["status"]),
    kind(CORE, "nodes", "node", "Node").short(&["no"]).cluster().with(&["proxy", "status"]),
    kind(CORE, "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim").short(&["pvc"]).with(&["status"]),
    kind(CORE, "pods", "pod", "Pod").short(&["po"]).counted().with(POD),
    kind(CORE, "secrets", "secret", "Secret"),
    kind(CORE, "serviceaccounts", "serviceaccount", "ServiceAccount").short(&["sa"]),
    kind(CORE, "services", "service", "Service").short(&["svc"]).with(&["status"]),
    kind(APPS, "controllerrevisions", "controllerrevision", "ControllerRevision"),
    kind(APPS, "daemonsets", "daemonset", "DaemonSet").short(&["ds"]).counted().with(&["status"]),
    kind(APPS, "deployments", "deployment", "Deployment").short(&["deploy"]).counted().with(&["scale", "status"]),
    kind(APPS, "replicasets", "replicaset", "ReplicaSet").short(&["rs"]).counted().with(&["scale", "status"]),
    kind(APPS, "statefulsets", "statefulset", "StatefulSet").short(&["sts"]).counted().with(&["scale", "status"]),
    kind(("autoscaling", "v2"), "horizontalpodautoscalers", "horizontalpodautoscaler", "HorizontalPodAutoscaler")
        .short(&["hpa"])
        .with(&["status"]),
    kind(BATCH, "cronjobs", "cronjob", "CronJob").short(&["cj"]).counted().with(&["status"]),
    kind(BATCH, "jobs", "job", "Job").counted().with(&["status"]),
    kind(("coordination.k8s.io", "v1"), "leases", "lease", "Lease"),
    kind(("discovery.k8s.io", "v1"), "endpointslices", "endpointslice", "EndpointSlice").counted(),
    kind(NETWORKING, "ingresses", "ingress", "Ingress").short(&["ing"]).counted().with(&["status"]),
    kind(NETWORKING, "networkpolicies", "networkpolicy", "NetworkPolicy").short(&["netpol"]).counted(),
    kind(("policy", "v1"), "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget")
        .short(&["pdb"])
        .counted()
        .with(&["status"]),
];

/// The kind of that name in paths.
pub fn plural(name: &str) -> &'static Kind {
    KINDS.iter().find(|k| k.plural == name).unwrap_or_else(|| panic!("the server keeps no {name}"))
}

/// The kind at that place in paths, if the server keeps it.
pub fn at(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| (k.group, k.version, k.plural) == (group, version, plural))
}

/// The kind a manifest names.
pub fn of(manifest: &Value) -> Option<&'static Kind> {
    let (version, kind) = (manifest["apiVersion"].as_str()?, manifest["kind"].as_str()?);
    KINDS.iter().find(|k| k.name == kind && k.api_version() == version)
}
