//! What a server fills in where a manifest says nothing.

use serde_json::{Value, json};

use super::kind::Kind;

/// Fills in a field that is not there.
fn or(object: &mut Value, name: &str, value: Value) {
    if object[name].is_null() {
        object[name] = value;
    }
}

fn each(list: &mut Value, mut fill: impl FnMut(&mut Value)) {
    for item in list.as_array_mut().into_iter().flatten() {
        fill(item);
    }
}

/// Fills in an object of that kind.
pub fn fill(kind: &Kind, object: &mut Value) {
    let spec = &mut object["spec"];
    match kind.plural {
        "pods" => pod(spec),
        "deployments" => {
            deployment(spec);
            template(&mut spec["template"], "Always");
        }
        "replicasets" => {
            or(spec, "replicas", json!(1));
            template(&mut spec["template"], "Always");
        }
        "statefulsets" => stateful_set(spec),
        "daemonsets" => {
            daemon_set(spec);
            or(&mut object["metadata"]["annotations"], "deprecated.daemonset.template.generation", json!("1"));
        }
        "jobs" => job(spec),
        "cronjobs" => {
            or(spec, "concurrencyPolicy", json!("Allow"));
            or(spec, "suspend", json!(false));
            or(spec, "successfulJobsHistoryLimit", json!(3));
            or(spec, "failedJobsHistoryLimit", json!(1));
            or(&mut spec["jobTemplate"], "metadata", json!({}));
            let inner = &mut spec["jobTemplate"]["spec"]["template"];
            or(inner, "metadata", json!({}));
            template(inner, "Never");
        }
        "services" => service(spec),
        "secrets" => secret(object),
        "namespaces" => {
            or(spec, "finalizers", json!(["kubernetes"]));
            or(object, "status", json!({ "phase": "Active" }));
            let name = object["metadata"]["name"].clone();
            or(&mut object["metadata"]["labels"], "kubernetes.io/metadata.name", name);
        }
        "nodes" if spec.is_null() => *spec = json!({}),
        "horizontalpodautoscalers" => or(spec, "minReplicas", json!(1)),
        "events" => {
            object.as_object_mut().map(|o| o.remove("spec"));
            for (name, value) in [
                ("source", json!({})),
                ("firstTimestamp", Value::Null),
                ("lastTimestamp", Value::Null),
                ("eventTime", Value::Null),
                ("reportingComponent", json!("")),
                ("reportingInstance", json!("")),
            ] {
                or(object, name, value);
            }
        }
        _ => {}
    }
    bare(&mut object["spec"]);
    if let Some(fields) = object.as_object_mut()
        && fields.get("spec") == Some(&Value::Null)
    {
        fields.remove("spec");
    }
}

/// Takes out what is null.
fn bare(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, v| !v.is_null());
            fields.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn deployment(spec: &mut Value) {
    or(spec, "replicas", json!(1));
    or(spec, "revisionHistoryLimit", json!(10));
    or(spec, "progressDeadlineSeconds", json!(600));
    or(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == json!("RollingUpdate") {
        or(&mut spec["strategy"]["rollingUpdate"], "maxSurge", json!("25%"));
        or(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", json!("25%"));
    }
}

fn stateful_set(spec: &mut Value) {
    or(spec, "replicas", json!(1));
    or(spec, "podManagementPolicy", json!("OrderedReady"));
    or(spec, "revisionHistoryLimit", json!(10));
    or(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == json!("RollingUpdate") {
        or(&mut spec["updateStrategy"]["rollingUpdate"], "partition", json!(0));
    }
    or(spec, "persistentVolumeClaimRetentionPolicy", json!({ "whenDeleted": "Retain", "whenScaled": "Retain" }));
    each(&mut spec["volumeClaimTemplates"], |claim| {
        or(claim, "kind", json!("PersistentVolumeClaim"));
        or(claim, "apiVersion", json!("v1"));
        or(claim, "status", json!({ "phase": "Pending" }));
        or(&mut claim["spec"], "volumeMode", json!("Filesystem"));
    });
    template(&mut spec["template"], "Always");
}

fn daemon_set(spec: &mut Value) {
    or(spec, "revisionHistoryLimit", json!(10));
    or(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == json!("RollingUpdate") {
        or(&mut spec["updateStrategy"]["rollingUpdate"], "maxUnavailable", json!(1));
        or(&mut spec["updateStrategy"]["rollingUpdate"], "maxSurge", json!(0));
    }
    template(&mut spec["template"], "Always");
}

fn job(spec: &mut Value) {
    or(spec, "parallelism", json!(1));
    or(spec, "completions", json!(1));
    or(spec, "backoffLimit", json!(6));
    or(spec, "completionMode", json!("NonIndexed"));
    or(spec, "suspend", json!(false));
    or(spec, "manualSelector", json!(false));
    or(spec, "podReplacementPolicy", json!("TerminatingOrFailed"));
    template(&mut spec["template"], "Never");
}

fn service(spec: &mut Value) {
    or(spec, "type", json!("ClusterIP"));
    or(spec, "sessionAffinity", json!("None"));
    or(spec, "ipFamilies", json!(["IPv4"]));
    or(spec, "ipFamilyPolicy", json!("SingleStack"));
    or(spec, "internalTrafficPolicy", json!("Cluster"));
    or(spec, "clusterIP", json!("10.96.12.7"));
    let address = spec["clusterIP"].clone();
    or(spec, "clusterIPs", json!([address]));
    each(&mut spec["ports"], |port| {
        or(port, "protocol", json!("TCP"));
        let number = port["port"].clone();
        or(port, "targetPort", number);
    });
}

/// `stringData` is written only: it is kept as `data`, in base64.
fn secret(object: &mut Value) {
    use base64::Engine;
    or(object, "type", json!("Opaque"));
    let Some(Value::Object(plain)) = object.as_object_mut().and_then(|o| o.remove("stringData")) else { return };
    for (name, value) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default());
        object["data"][name] = json!(encoded);
    }
}

fn template(template: &mut Value, restart: &str) {
    or(&mut template["spec"], "restartPolicy", json!(restart));
    pod_spec(&mut template["spec"]);
}

fn pod_spec(spec: &mut Value) {
    or(spec, "restartPolicy", json!("Always"));
    or(spec, "terminationGracePeriodSeconds", json!(30));
    or(spec, "dnsPolicy", json!("ClusterFirst"));
    or(spec, "securityContext", json!({}));
    or(spec, "schedulerName", json!("default-scheduler"));
    for list in ["initContainers", "containers"] {
        each(&mut spec[list], container);
    }
}

fn container(container: &mut Value) {
    or(container, "resources", json!({}));
    or(container, "terminationMessagePath", json!("/dev/termination-log"));
    or(container, "terminationMessagePolicy", json!("File"));
    let latest =
        container["image"].as_str().is_none_or(|i| i.ends_with(":latest") || !i.rsplit('/').next().unwrap_or(i).contains(':'));
    or(container, "imagePullPolicy", json!(if latest { "Always" } else { "IfNotPresent" }));
    each(&mut container["ports"], |port| or(port, "protocol", json!("TCP")));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            let probe = &mut container[probe];
            for (name, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
            {
                or(probe, name, json!(value));
            }
            if probe["httpGet"].is_object() {
                or(&mut probe["httpGet"], "scheme", json!("HTTP"));
            }
        }
    }
}

/// What a pod gets beside what its template says: the account's token, and patience with its node.
fn pod(spec: &mut Value) {
    pod_spec(spec);
    or(spec, "serviceAccountName", json!("default"));
    or(spec, "serviceAccount", json!("default"));
    or(spec, "priority", json!(0));
    or(spec, "enableServiceLinks", json!(true));
    or(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let takes = |t: &Value| t["key"] == json!(key) || (t["key"].is_null() && t["operator"] == json!("Exists"));
        let known = spec["tolerations"].as_array().is_some_and(|t| t.iter().any(takes));
        if !known {
            let toleration = json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
            push(&mut spec["tolerations"], toleration);
        }
    }
    let token = "kube-api-access-qdqdq";
    if !spec["volumes"].as_array().is_some_and(|v| v.iter().any(|v| v["name"] == json!(token))) {
        push(&mut spec["volumes"], account_token(token));
        let mount = json!({ "name": token, "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount" });
        for list in ["initContainers", "containers"] {
            each(&mut spec[list], |c| push(&mut c["volumeMounts"], mount.clone()));
        }
    }
}

fn account_token(name: &str) -> Value {
    let namespace = json!({ "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } });
    json!({
        "name": name,
        "projected": {
            "sources": [
                { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
                { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
                { "downwardAPI": { "items": [namespace] } }
            ],
            "defaultMode": 420
        }
    })
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}
