//! The world most tests want: a backend with its service, autoscaler and budget, a redis, an agent, a nightly job.

use serde_json::{Value, json};

use super::world::World;

fn named(kind: &str, version: &str, name: &str) -> Value {
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name, "namespace": "lms-ai" } })
}

fn with(mut object: Value, fields: Value) -> Value {
    super::patch::merge(&mut object, &fields);
    object
}

/// A deployment of one container that says it is ready on `/health`.
pub fn deployment(name: &str, image: &str, replicas: i64) -> Value {
    let labels = json!({ "app": name, "tier": "backend" });
    let probe = json!({ "httpGet": { "path": "/health", "port": 3000 }, "initialDelaySeconds": 1, "periodSeconds": 2 });
    let container = json!({
        "name": "backend", "image": image, "ports": [{ "containerPort": 3000, "name": "http" }],
        "envFrom": [{ "configMapRef": { "name": "ai-config" } }, { "secretRef": { "name": "ai-credentials" } }],
        "resources": { "limits": { "cpu": "100m", "memory": "64Mi" }, "requests": { "cpu": "10m", "memory": "16Mi" } },
        "readinessProbe": probe,
        "livenessProbe": { "httpGet": { "path": "/health", "port": 3000 }, "initialDelaySeconds": 5, "periodSeconds": 10 }
    });
    let spec = json!({
        "replicas": replicas, "revisionHistoryLimit": 5, "progressDeadlineSeconds": 60,
        "selector": { "matchLabels": { "app": name } },
        "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
        "template": { "metadata": { "labels": labels }, "spec": { "containers": [container], "terminationGracePeriodSeconds": 5 } }
    });
    let metadata = json!({ "labels": { "app": name } });
    with(named("Deployment", "apps/v1", name), json!({ "metadata": metadata, "spec": spec }))
}

fn service(name: &str, app: &str, port: u16) -> Value {
    let port = json!({ "name": "http", "port": port, "targetPort": port });
    with(named("Service", "v1", name), json!({ "spec": { "selector": { "app": app }, "ports": [port] } }))
}

fn redis() -> Value {
    let container = json!({
        "name": "redis", "image": "redis:7-alpine", "ports": [{ "containerPort": 6379, "name": "redis" }],
        "volumeMounts": [{ "name": "data", "mountPath": "/data" }], "readinessProbe": { "tcpSocket": { "port": 6379 }, "periodSeconds": 5 },
        "resources": { "limits": { "cpu": "100m", "memory": "64Mi" }, "requests": { "cpu": "10m", "memory": "16Mi" } }
    });
    let claim = json!({
        "metadata": { "name": "data" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } }, "storageClassName": "manual" }
    });
    let template = json!({
        "metadata": { "labels": { "app": "redis" } }, "spec": { "containers": [container], "terminationGracePeriodSeconds": 5 }
    });
    let spec = json!({
        "replicas": 1, "selector": { "matchLabels": { "app": "redis" } }, "serviceName": "redis", "template": template,
        "volumeClaimTemplates": [claim]
    });
    with(named("StatefulSet", "apps/v1", "redis"), json!({ "spec": spec }))
}

fn agent() -> Value {
    let work = ["sh", "-c", "while :; do echo at work; sleep 5; done"];
    let resources = json!({ "requests": { "cpu": "5m", "memory": "8Mi" } });
    let container = |name: &str| json!({ "name": name, "image": "busybox:1.35", "command": work, "resources": resources });
    let init = json!({ "name": "init", "image": "busybox:1.35", "command": ["sh", "-c", "echo init ok"] });
    let template = json!({
        "metadata": { "labels": { "app": "log-agent" } },
        "spec": {
            "initContainers": [init], "containers": [container("agent"), container("metrics")], "terminationGracePeriodSeconds": 2,
            "tolerations": [{ "operator": "Exists" }]
        }
    });
    let spec = json!({ "selector": { "matchLabels": { "app": "log-agent" } }, "template": template });
    with(named("DaemonSet", "apps/v1", "log-agent"), json!({ "spec": spec }))
}

fn nightly() -> Value {
    let container = json!({
        "name": "reindex", "image": "busybox:1.35", "command": ["sh", "-c", "echo reindex start; sleep 5; echo reindex done"],
        "resources": { "requests": { "cpu": "5m", "memory": "8Mi" } }
    });
    let job =
        json!({ "spec": { "backoffLimit": 1, "template": { "spec": { "containers": [container], "restartPolicy": "Never" } } } });
    let spec = json!({
        "schedule": "0 3 * * *", "concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 1,
        "jobTemplate": job
    });
    with(named("CronJob", "batch/v1", "nightly-reindex"), json!({ "spec": spec }))
}

fn scaler(app: &str) -> Value {
    let metric = |name: &str, share: u8| json!({ "type": "Resource", "resource": { "name": name, "target": { "type": "Utilization", "averageUtilization": share } } });
    let spec = json!({
        "scaleTargetRef": { "kind": "Deployment", "name": app, "apiVersion": "apps/v1" }, "minReplicas": 3, "maxReplicas": 10,
        "metrics": [metric("cpu", 70), metric("memory", 80)]
    });
    with(named("HorizontalPodAutoscaler", "autoscaling/v2", app), json!({ "spec": spec }))
}

fn budget(app: &str) -> Value {
    let spec = json!({ "minAvailable": 2, "selector": { "matchLabels": { "app": app } } });
    with(named("PodDisruptionBudget", "policy/v1", app), json!({ "spec": spec }))
}

impl World {
    /// The stack most tests want, in the namespace `lms-ai` on `node-1`: `lms-ai-backend` (three pods behind a service, with an
    /// autoscaler of 3 to 10 and a budget of two), `redis`, `log-agent`, the cron job `nightly-reindex`.
    pub fn lms() -> Self {
        let app = "lms-ai-backend";
        let config = with(named("ConfigMap", "v1", "ai-config"), json!({ "data": { "INTERVAL": "2", "MODEL": "gpt-lms" } }));
        let secret = json!({ "stringData": { "DATABASE_URL": "postgres://u:p@db/lms", "OPENAI_API_KEY": "sk-test-0000" } });
        Self::empty()
            .with(config)
            .with(with(named("Secret", "v1", "ai-credentials"), secret))
            .with(service(app, app, 3000))
            .with(service("redis", "redis", 6379))
            .with(deployment(app, "lms/ai-backend:1.0.0", 3))
            .with(redis())
            .with(agent())
            .with(nightly())
            .with(scaler(app))
            .with(budget(app))
    }
}
