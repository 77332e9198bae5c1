//! What the server says about itself: version, health, the kinds it keeps, and what a user may do with them.

use serde_json::{Value, json};

use super::ask::{Ask, Content, Reply};
use super::hub::Hub;
use super::kind::{KINDS, Kind, VERBS};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The group and versions of metrics-server, as every kind it has.
const METRICS: [(&str, &str, bool); 2] = [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)];

/// Answers where the path is about the server itself.
pub fn answer(hub: &Hub, ask: &Ask) -> Option<Reply> {
    let aggregated = ask.header("accept").contains("as=APIGroupDiscoveryList");
    let parts: Vec<&str> = ask.path.trim_matches('/').split('/').collect();
    Some(match parts.as_slice() {
        ["version"] => Reply::value(200, &version()),
        ["livez" | "readyz" | "healthz"] => Reply::text("ok"),
        ["api"] if aggregated => grouped(&[""]),
        ["api"] => Reply::value(200, &api(hub)),
        ["apis"] if aggregated => grouped(&groups()),
        ["apis"] => Reply::value(200, &apis()),
        ["api", version] => resources("", version)?,
        ["apis", group, version] => resources(group, version)?,
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => access(hub, ask),
        ["apis", "authorization.k8s.io", "v1", "selfsubjectrulesreviews"] => rules(hub, ask),
        _ => return None,
    })
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35", "gitVersion": "v1.36.2", "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
        "gitTreeState": "clean", "buildDate": "2026-08-21T00:00:00Z", "goVersion": "go1.26.6", "compiler": "gc",
        "platform": "linux/amd64"
    })
}

fn api(hub: &Hub) -> Value {
    let address = hub.address.to_string();
    json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": address }]
    })
}

/// Every group beside the core, in order, once.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = KINDS.iter().map(|k| k.group).filter(|g| !g.is_empty()).collect();
    groups.extend(["authorization.k8s.io", "metrics.k8s.io"]);
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn version_of(group: &str) -> &'static str {
    match group {
        "metrics.k8s.io" => "v1beta1",
        _ => KINDS.iter().find(|k| k.group == group).map_or("v1", |k| k.version),
    }
}

fn apis() -> Value {
    let groups = groups().into_iter().map(|group| {
        let version = version_of(group);
        let named = json!({ "groupVersion": format!("{group}/{version}"), "version": version });
        json!({ "name": group, "versions": [named], "preferredVersion": named })
    });
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>() })
}

/// What may be done with a subresource, and the kind it speaks in.
fn subresource(kind: &Kind, name: &str) -> (Vec<&'static str>, (&'static str, &'static str, &'static str)) {
    match name {
        "scale" => (vec!["get", "patch", "update"], ("autoscaling", "v1", "Scale")),
        "eviction" => (vec!["create"], ("policy", "v1", "Eviction")),
        "binding" => (vec!["create"], ("", "", "Binding")),
        "exec" => (vec!["create", "get"], ("", "", "PodExecOptions")),
        "portforward" => (vec!["create", "get"], ("", "", "PodPortForwardOptions")),
        "proxy" => (vec!["create", "delete", "get", "patch", "update"], ("", "", "NodeProxyOptions")),
        "log" => (vec!["get"], ("", "", kind.name)),
        _ => (vec!["get", "patch", "update"], ("", "", kind.name)),
    }
}

fn resources(group: &str, version: &str) -> Option<Reply> {
    let mut list = Vec::new();
    if (group, version) == ("metrics.k8s.io", "v1beta1") {
        for (name, kind, namespaced) in METRICS {
            list.push(
                json!({ "name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"] }),
            );
        }
    }
    if (group, version) == ("authorization.k8s.io", "v1") {
        for kind in ["SelfSubjectAccessReview", "SelfSubjectRulesReview"] {
            let one = kind.to_lowercase();
            list.push(json!({
                "name": format!("{one}s"), "singularName": one, "namespaced": false, "kind": kind, "verbs": ["create"]
            }));
        }
    }
    for kind in KINDS.iter().filter(|k| (k.group, k.version) == (group, version)) {
        let mut item = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.name, "verbs": VERBS
        });
        if !kind.short.is_empty() {
            item["shortNames"] = json!(kind.short);
        }
        list.push(item);
        for sub in kind.subresources {
            let (verbs, (sub_group, sub_version, sub_kind)) = subresource(kind, sub);
            let name = format!("{}/{sub}", kind.plural);
            let mut item =
                json!({ "name": name, "singularName": "", "namespaced": kind.namespaced, "kind": sub_kind, "verbs": verbs });
            if !sub_group.is_empty() {
                item["group"] = json!(sub_group);
                item["version"] = json!(sub_version);
            }
            list.push(item);
        }
    }
    if list.is_empty() {
        return None;
    }
    let named = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut body = json!({ "kind": "APIResourceList", "groupVersion": named, "resources": list });
    if !group.is_empty() {
        body["apiVersion"] = json!("v1");
    }
    Some(Reply::value(200, &body))
}

fn grouped(groups: &[&str]) -> Reply {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let mut resources: Vec<Value> = KINDS.iter().filter(|k| k.group == *group).map(grouped_kind).collect();
            if *group == "metrics.k8s.io" {
                resources.extend(METRICS.iter().map(|(name, kind, namespaced)| {
                    let scope = if *namespaced { "Namespaced" } else { "Cluster" };
                    json!({
                        "resource": name, "responseKind": { "group": "", "version": "", "kind": kind }, "scope": scope,
                        "singularResource": "", "verbs": ["get", "list"]
                    })
                }));
            }
            let version = json!({ "version": version_of(group), "resources": resources, "freshness": "Current" });
            let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
            json!({ "metadata": metadata, "versions": [version] })
        })
        .collect();
    let body = json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items });
    Reply { media: AGGREGATED, content: Content::Whole(body.to_string().into()), ..Reply::value(200, &body) }
}

fn grouped_kind(kind: &Kind) -> Value {
    let mut item = json!({
        "resource": kind.plural, "responseKind": { "group": "", "version": "", "kind": kind.name },
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "singularResource": kind.singular, "verbs": VERBS
    });
    if !kind.short.is_empty() {
        item["shortNames"] = json!(kind.short);
    }
    if !kind.subresources.is_empty() {
        let subresources = kind.subresources.iter().map(|name| {
            let (verbs, (group, version, kind)) = subresource(kind, name);
            let kind = json!({ "group": group, "version": version, "kind": kind });
            json!({ "subresource": name, "responseKind": kind, "verbs": verbs })
        });
        item["subresources"] = subresources.collect();
    }
    item
}

fn asked(ask: &Ask) -> Value {
    serde_json::from_slice(&ask.body).unwrap_or_default()
}

fn access(hub: &Hub, ask: &Ask) -> Reply {
    let review = asked(ask);
    let about = &review["spec"]["resourceAttributes"];
    let text = |name: &str| about[name].as_str().unwrap_or_default();
    let resource = match text("subresource") {
        "" => text("resource").to_owned(),
        sub => format!("{}/{sub}", text("resource")),
    };
    let allowed = hub.may(&ask.user, text("verb"), &resource);
    let body = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": review["spec"],
        "status": { "allowed": allowed }
    });
    Reply::value(201, &body)
}

fn rules(hub: &Hub, ask: &Ask) -> Reply {
    let mut rules = Vec::new();
    for kind in &KINDS {
        let names =
            std::iter::once(kind.plural.to_owned()).chain(kind.subresources.iter().map(|s| format!("{}/{s}", kind.plural)));
        for (at, name) in names.enumerate() {
            let known = if at == 0 { VERBS.to_vec() } else { subresource(kind, kind.subresources[at - 1]).0 };
            let verbs: Vec<&str> = known.into_iter().filter(|verb| hub.may(&ask.user, verb, &name)).collect();
            if !verbs.is_empty() {
                rules.push(json!({ "verbs": verbs, "apiGroups": [kind.group], "resources": [name] }));
            }
        }
    }
    for (name, _, _) in METRICS {
        if ask.user == "lms-admin" && !hub.faults.no_metrics.load(std::sync::atomic::Ordering::SeqCst) {
            rules.push(json!({ "verbs": ["get", "list"], "apiGroups": ["metrics.k8s.io"], "resources": [name] }));
        }
    }
    let reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
    rules.push(json!({ "verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": reviews }));
    let paths =
        json!([{ "verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/livez", "/readyz", "/version"] }]);
    let body = json!({
        "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
        "status": { "resourceRules": rules, "nonResourceRules": paths, "incomplete": false }
    });
    Reply::value(201, &body)
}
