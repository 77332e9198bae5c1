//! The Job of a command that is run once: a workload's template without what would let anything reach it, watch it or start
//! it again. Pure.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::engine::transfer::file_safe;
use crate::model::OperationId;

/// The operation that made it, and which of the commands of that operation it is.
pub const OPERATION: &str = "quarterdeck.io/operation";
pub const SLOT: &str = "quarterdeck.io/slot";
/// When it was stopped because it took too long.
pub const STOPPED: &str = "quarterdeck.io/stopped";
/// Longest name of a job whose pods can carry it as a label, and of a label's value, characters.
const LONGEST: usize = 63;

/// What a job is made for.
pub(super) struct Wanted<'a> {
    pub workload: &'a str,
    /// The labels the workload's controller knows its pods by.
    pub selector: Option<&'a Value>,
    pub operation: &'a OperationId,
    pub slot: u32,
    pub image: Option<&'a str>,
    pub command: &'a [Arc<str>],
    /// The cluster ends it after this long, whoever still waits for it.
    pub within: Duration,
}

/// `web-run-0123456789ab`, the same whenever it is asked for.
pub(super) fn name(workload: &str, operation: &OperationId, slot: u32) -> String {
    // FNV-1a, 64 bits (RFC draft-eastlake-fnv): stable over versions, which a hasher of the library is not.
    let hash = format!("{operation}/{slot}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let stem: String = workload.chars().take(LONGEST - 17).collect();
    format!("{}-run-{:012x}", stem.trim_end_matches(['-', '.']), hash & 0xffff_ffff_ffff)
}

/// What the job of an operation's slot is found by.
pub(super) fn selector(operation: &OperationId, slot: u32) -> String {
    format!("{OPERATION}={},{SLOT}={slot}", label(operation))
}

fn label(operation: &OperationId) -> String {
    let safe: String = file_safe(operation.as_str()).chars().take(LONGEST).collect();
    safe.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// The job. Without the `services` of its namespace no label of the template is kept: one might be what a service looks for.
///
/// # Errors
/// A sentence when it is not clear which container the command is to run in.
pub(super) fn job(template: &Value, wanted: &Wanted<'_>, services: Option<&Value>) -> Result<Value, String> {
    let mut spec = template.get("spec").cloned().unwrap_or_default();
    let index = meant(&spec, wanted)?;
    let containers = spec.get_mut("containers").and_then(Value::as_array_mut);
    let Some(mut container) = containers.map(|all| all.swap_remove(index)) else { return Err("it has no containers".into()) };
    strip(&mut container);
    if let Some(fields) = container.as_object_mut() {
        let words: Vec<&str> = wanted.command.iter().map(|word| &**word).collect();
        fields.insert("command".into(), json!(words));
        fields.remove("args");
        fields.remove("tty");
        fields.remove("stdin");
        fields.remove("stdinOnce");
        if let Some(image) = wanted.image {
            fields.insert("image".into(), image.into());
        }
    }
    spec["containers"] = json!([container]);
    for init in spec.get_mut("initContainers").and_then(Value::as_array_mut).into_iter().flatten() {
        strip(init);
    }
    if let Some(fields) = spec.as_object_mut() {
        for field in ["nodeName", "hostname", "subdomain", "ephemeralContainers", "activeDeadlineSeconds", "readinessGates"] {
            fields.remove(field);
        }
        // Where it is not said, a pod of a host's network would take its ports.
        fields.insert("restartPolicy".into(), "Never".into());
    }
    let ours = json!({
        OPERATION: label(wanted.operation), SLOT: wanted.slot.to_string(), "app.kubernetes.io/managed-by": "quarterdeck",
    });
    let mut labels = kept(template.pointer("/metadata/labels"), wanted.selector, services);
    labels.extend(ours.as_object().cloned().unwrap_or_default());
    let annotations = template.pointer("/metadata/annotations").cloned().unwrap_or_else(|| json!({}));
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name(wanted.workload, wanted.operation, wanted.slot), "labels": ours},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": wanted.within.as_secs().max(1),
            "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec},
        },
    }))
}

/// Which container: the only one, the one named like the workload, or the one whose repository the image is of.
fn meant(spec: &Value, wanted: &Wanted<'_>) -> Result<usize, String> {
    let all = spec.get("containers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |c: &Value, key: &str| c.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let only = |found: Vec<usize>| if let [one] = found[..] { Some(one) } else { None };
    let which = |test: &dyn Fn(&Value) -> bool| only((0..all.len()).filter(|i| test(&all[*i])).collect());
    let named = || which(&|c| text(c, "name") == wanted.workload);
    let alike = || wanted.image.and_then(|image| which(&|c| repository(&text(c, "image")) == repository(image)));
    if all.len() == 1 {
        return Ok(0);
    }
    // The image says it best: it is what is being deployed.
    alike().or_else(named).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(|c| text(c, "name")).collect();
        format!("its pods have several containers ({}), and none is named like it", names.join(", "))
    })
}

fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rfind(':') {
        Some(colon) if name.rfind('/').is_none_or(|slash| slash < colon) => &name[..colon],
        Some(_) | None => name,
    }
}

fn strip(container: &mut Value) {
    if let Some(fields) = container.as_object_mut() {
        for field in ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            fields.remove(field);
        }
    }
}

/// The labels of the template that lead nobody to the pod: neither its controller nor a service.
fn kept(labels: Option<&Value>, selector: Option<&Value>, services: Option<&Value>) -> Map<String, Value> {
    let (Some(labels), Some(services)) = (labels.and_then(Value::as_object), services) else { return Map::new() };
    let mut kept = labels.clone();
    kept.retain(|key, _| key != "pod-template-hash" && selector.is_none_or(|s| s.get(key).is_none()));
    let all = services.get("items").and_then(Value::as_array).into_iter().flatten();
    for selector in all.filter_map(|s| s.pointer("/spec/selector")?.as_object()) {
        if !selector.is_empty() && selector.iter().all(|(key, value)| kept.get(key) == Some(value)) {
            kept.retain(|key, _| !selector.contains_key(key));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(containers: &Value) -> Value {
        json!({
            "metadata": {"labels": {"app": "web", "tier": "front", "team": "shop", "pod-template-hash": "5d4"}},
            "spec": {
                "containers": containers,
                "initContainers": [{"name": "wait", "image": "busybox", "readinessProbe": {}}],
                "restartPolicy": "Always", "serviceAccountName": "web", "volumes": [{"name": "data"}],
            },
        })
    }

    fn wanted<'a>(operation: &'a OperationId, selector: &'a Value, command: &'a [Arc<str>]) -> Wanted<'a> {
        let image = Some("shop/web:2");
        Wanted { workload: "web", selector: Some(selector), operation, slot: 3, image, command, within: Duration::from_secs(300) }
    }

    #[test]
    fn nothing_finds_it_and_nothing_starts_it_again() {
        let containers = json!([{
            "name": "app", "image": "shop/web:1", "args": ["serve"], "env": [{"name": "A", "value": "b"}],
            "ports": [{"containerPort": 80}], "livenessProbe": {}, "readinessProbe": {}, "volumeMounts": [{"name": "data"}],
        }]);
        let (operation, selector) = (OperationId::new("0123-host-1-1"), json!({"app": "web"}));
        let services = json!({"items": [{"spec": {"selector": {"tier": "front"}}}, {"spec": {}}]});
        let command = ["npx".into(), "migrate".into()];
        let job = job(&template(&containers), &wanted(&operation, &selector, &command), Some(&services)).unwrap();
        let pod = job.pointer("/spec/template").unwrap();
        let container = pod.pointer("/spec/containers/0").unwrap();
        let expected = json!({
            "name": "app", "image": "shop/web:2", "command": ["npx", "migrate"], "env": [{"name": "A", "value": "b"}],
            "volumeMounts": [{"name": "data"}],
        });
        assert_eq!(container, &expected);
        assert_eq!(pod.pointer("/spec/restartPolicy"), Some(&json!("Never")));
        assert_eq!(pod.pointer("/spec/serviceAccountName"), Some(&json!("web")));
        assert_eq!(pod.pointer("/spec/initContainers/0"), Some(&json!({"name": "wait", "image": "busybox"})));
        let labels = json!({
            "team": "shop", OPERATION: "0123-host-1-1", SLOT: "3", "app.kubernetes.io/managed-by": "quarterdeck",
        });
        assert_eq!(pod.pointer("/metadata/labels"), Some(&labels), "neither the selector's nor the service's");
        assert_eq!(job.pointer("/spec/backoffLimit"), Some(&json!(0)));
        assert_eq!(job.pointer("/spec/activeDeadlineSeconds"), Some(&json!(300)));
        assert_eq!(job.pointer("/metadata/name").unwrap(), &name("web", &operation, 3));
    }

    #[test]
    fn the_command_runs_where_the_image_is() {
        let several = json!([{"name": "proxy", "image": "envoy:1"}, {"name": "main", "image": "shop/web:1"}]);
        let (operation, selector, command) = (OperationId::new("op"), json!({}), ["ls".into()]);
        let of = |containers: &Value, image: Option<&'static str>| {
            let wanted = Wanted { image, ..wanted(&operation, &selector, &command) };
            job(&template(containers), &wanted, None)
                .map(|j| j.pointer("/spec/template/spec/containers/0/name").cloned().unwrap())
        };
        assert_eq!(of(&several, Some("shop/web:2")), Ok(json!("main")));
        assert!(of(&several, None).unwrap_err().contains("proxy, main"));
        let named = json!([{"name": "proxy", "image": "envoy:1"}, {"name": "web", "image": "shop/web:1"}]);
        assert_eq!(of(&named, None), Ok(json!("web")));
    }

    #[test]
    fn its_name_is_the_same_whenever_it_is_asked_for_and_fits() {
        let (one, two) = (OperationId::new("op-1"), OperationId::new("op-2"));
        assert_eq!(name("web", &one, 0), name("web", &one, 0));
        assert!(name("web", &one, 0) != name("web", &one, 1) && name("web", &one, 0) != name("web", &two, 0));
        assert_eq!(name(&"x".repeat(200), &one, 0).len(), 63);
        assert_eq!(selector(&OperationId::new("a/b c"), 1), format!("{OPERATION}=a-b-c,{SLOT}=1"));
    }
}
