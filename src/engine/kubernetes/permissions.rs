//! What one may do, asked before it is tried: a rules review for each namespace, single questions where that is incomplete
//! or all namespaces are meant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use serde_json::json;

use super::client::Client;
use super::wire::wire;

/// Between two times of asking.
pub const EVERY: Duration = Duration::from_secs(240);
/// Questions under way at once.
const AT_ONCE: usize = 4;

/// A verb of the server, a group, a resource or a part of one.
type Asked = (&'static str, &'static str, &'static str);

/// What is asked one by one: everything a change of ours may need.
const ASKED: [Asked; 12] = [
    ("patch", "apps", "deployments"),
    ("patch", "apps", "deployments/scale"),
    ("patch", "apps", "statefulsets"),
    ("patch", "apps", "statefulsets/scale"),
    ("patch", "apps", "daemonsets"),
    ("patch", "batch", "cronjobs"),
    ("create", "batch", "jobs"),
    ("patch", "autoscaling", "horizontalpodautoscalers"),
    ("delete", "", "pods"),
    ("create", "", "pods/eviction"),
    ("create", "", "pods/exec"),
    ("patch", "", "nodes"),
];

wire! {
    RulesReview { status: RulesStatus }

    RulesStatus { resource_rules: Vec<Rule>, incomplete: bool }

    Rule { verbs: Vec<String>, api_groups: Vec<String>, resources: Vec<String>, resource_names: Vec<String> }

    AccessReview { status: AccessStatus }

    AccessStatus { allowed: Option<bool> }
}

/// What one may do in a namespace. What nobody has asked about yet is taken to be allowed: the server has the last word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(BTreeMap<Asked, bool>);

impl Rights {
    /// Whether one may.
    #[must_use]
    pub fn may(&self, verb: &str, group: &str, resource: &str) -> bool {
        self.0.iter().find(|((v, g, r), _)| (*v, *g, *r) == (verb, group, resource)).is_none_or(|(_, may)| *may)
    }
}

fn allows(rule: &Rule, verb: &str, group: &str, resource: &str) -> bool {
    let has = |list: &[String], word: &str| list.iter().any(|w| w == "*" || w == word);
    let part = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
    let named = rule.resource_names.is_empty();
    let resources = has(&rule.resources, resource) || part.is_some_and(|part| rule.resources.contains(&part));
    named && has(&rule.verbs, verb) && has(&rule.api_groups, group) && resources
}

/// Asks what one may do in each namespace (`None`: in all of them). What cannot be learnt is left out.
pub async fn ask(client: Client, namespaces: BTreeSet<Option<Arc<str>>>) -> BTreeMap<Option<Arc<str>>, Rights> {
    let mut all = BTreeMap::new();
    for namespace in namespaces {
        let rules = match &namespace {
            Some(namespace) => review(&client, namespace).await,
            None => None,
        };
        let rights = match rules {
            Some(mut rights) => {
                // Nodes are in no namespace: a review does not cover them.
                rights.0.extend(one_by_one(&client, "", |(_, _, resource)| *resource == "nodes").await.0);
                rights
            }
            None => one_by_one(&client, namespace.as_deref().unwrap_or(""), |_| true).await,
        };
        all.insert(namespace, rights);
    }
    all
}

/// The rules of a namespace; `None` where they are not known in full.
async fn review(client: &Client, namespace: &str) -> Option<Rights> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": { "namespace": namespace },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let body = body.to_string().into_bytes();
    let review: RulesReview =
        client.ask("Asking what one may do", Method::POST, path, body, Some("application/json")).await.ok()?;
    read(&review)
}

fn read(review: &RulesReview) -> Option<Rights> {
    let rules = &review.status.resource_rules;
    let may = |(verb, group, resource): &(&str, &str, &str)| rules.iter().any(|rule| allows(rule, verb, group, resource));
    let known = |asked: &Asked| asked.2 != "nodes";
    (!review.status.incomplete).then(|| Rights(ASKED.into_iter().filter(known).map(|asked| (asked, may(&asked))).collect()))
}

async fn one_by_one(client: &Client, namespace: &str, which: fn(&Asked) -> bool) -> Rights {
    let mut all = Rights::default();
    let asked: Vec<Asked> = ASKED.into_iter().filter(which).collect();
    for some in asked.chunks(AT_ONCE) {
        let answers = join_all(some.iter().map(|asked| single(client, namespace, *asked))).await;
        all.0.extend(some.iter().zip(answers).filter_map(|(asked, answer)| Some((*asked, answer?))));
    }
    all
}

async fn single(client: &Client, namespace: &str, (verb, group, resource): Asked) -> Option<bool> {
    let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": part,
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let body = body.to_string().into_bytes();
    let review: AccessReview =
        client.ask("Asking what one may do", Method::POST, path, body, Some("application/json")).await.ok()?;
    review.status.allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_their_stars_and_incomplete_ones_are_no_answer() {
        let review = |rules: &str, incomplete: bool| {
            let text = format!(r#"{{"status":{{"resourceRules":[{rules}],"incomplete":{incomplete}}}}}"#);
            read(&serde_json::from_str(&text).unwrap())
        };
        let all = review(r#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}"#, false).unwrap();
        assert!(all.may("patch", "apps", "deployments/scale") && all.may("create", "", "pods/exec"));
        let some = r#"{"verbs":["patch"],"apiGroups":["apps"],"resources":["deployments","*/scale"]},
            {"verbs":["delete"],"apiGroups":[""],"resources":["pods"],"resourceNames":["only-this"]}"#;
        let some = review(some, false).unwrap();
        let may = |verb, group, resource| some.may(verb, group, resource);
        assert!(may("patch", "apps", "deployments") && may("patch", "apps", "statefulsets/scale"));
        assert!(!may("patch", "apps", "statefulsets") && !may("delete", "", "pods") && !may("create", "", "pods/exec"));
        // Not asked: the server has the last word.
        assert!(may("patch", "", "nodes"));
        assert_eq!(review("", true), None);
    }
}
