//! Which pod an instance is and which of its containers is meant, and what of the pod is looked at to go in by it.

use std::sync::Arc;

use serde_json::Value;

use super::client::Client;
use crate::engine::EngineError;
use crate::model::InstanceId;
use crate::observe::redact;
use crate::observe::text::clean;

/// The container a pod names as the one people mean.
const DEFAULT_CONTAINER: &str = "/metadata/annotations/kubectl.kubernetes.io~1default-container";
/// Where a pod lists its containers, and what it says of each; the ones people mean come first.
const LISTS: [(&str, &str); 3] = [
    ("/spec/containers", "/status/containerStatuses"),
    ("/spec/initContainers", "/status/initContainerStatuses"),
    ("/spec/ephemeralContainers", "/status/ephemeralContainerStatuses"),
];

/// `namespace/pod`, or `namespace/pod/container`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub namespace: Arc<str>,
    pub pod: Arc<str>,
    pub container: Option<Arc<str>>,
}

impl Place {
    /// The place an instance names.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when it names no pod.
    pub fn of(instance: &InstanceId) -> Result<Self, EngineError> {
        let mut parts = instance.as_str().split('/');
        let (namespace, pod, container, more) = (parts.next(), parts.next(), parts.next(), parts.next());
        match (namespace, pod, more) {
            (Some(namespace), Some(pod), None) if !namespace.is_empty() && !pod.is_empty() => {
                Ok(Self { namespace: namespace.into(), pod: pod.into(), container: container.map(Into::into) })
            }
            _ => Err(EngineError::NotFound { what: format!("pod {}", clean(instance.as_str())).into() }),
        }
    }

    /// The path of the pod, or of something of it.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/pods/{}{rest}", encoded(&self.namespace), encoded(&self.pod))
    }

    /// How it is called in messages: `redis-0`, or `web-1/proxy` where a container is named.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.container {
            Some(container) => clean(&format!("{}/{container}", self.pod)).into_owned(),
            None => clean(&self.pod).into_owned(),
        }
    }

    /// Looks at the pod, and settles which container is meant: the one named, else the one the pod names, else its first.
    ///
    /// # Errors
    /// As [`Client::get`]; [`EngineError::NotFound`] when it has no such container.
    pub async fn look(&self, client: &Client) -> Result<Seen, EngineError> {
        let pod: Value = client.get(&format!("Pod {}", self.words()), &self.path("")).await?;
        let container = settle(&pod, self.container.as_deref())
            .ok_or_else(|| EngineError::NotFound { what: format!("container {}", self.words()).into() })?;
        Ok(Seen { pod, container })
    }
}

/// A text as one segment of a path or one value of a query.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Which container is meant.
fn settle(pod: &Value, named: Option<&str>) -> Option<Arc<str>> {
    let names = |list: &str| {
        let all = pod.pointer(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(|c| c.get("name")?.as_str())
    };
    if let Some(named) = named {
        return LISTS.iter().any(|(list, _)| names(list).any(|name| name == named)).then(|| named.into());
    }
    let told = pod.pointer(DEFAULT_CONTAINER).and_then(Value::as_str);
    let default = told.filter(|told| names(LISTS[0].0).any(|name| name == *told));
    default.or_else(|| names(LISTS[0].0).next()).map(Into::into)
}

/// A pod as it was seen, and the container that is meant.
#[derive(Clone, Debug)]
pub struct Seen {
    pod: Value,
    pub container: Arc<str>,
}

/// What the container does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    Running,
    /// It has ended; whether it is started again is the engine's business. With how it ended, in words.
    Ended {
        code: Option<i64>,
        how: String,
    },
    /// It has never run; with what it waits for.
    Waiting(String),
}

impl Seen {
    /// A pod with the container people mean.
    #[must_use]
    pub fn of(pod: Value) -> Option<Self> {
        let container = settle(&pod, None)?;
        Some(Self { pod, container })
    }

    /// The runtime's words for how the container ended, or why it was not started.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let message = self.status()?.pointer("/state/terminated/message")?.as_str()?;
        Some(shown(message, ""))
    }

    /// Which pod it is: another one may come under the same name.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// Whether another pod of the same name follows it when it goes.
    #[must_use]
    pub fn is_followed_by_its_like(&self) -> bool {
        let owners = self.pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.is_some_and(|all| all.iter().any(|o| o.get("kind").and_then(Value::as_str) == Some("StatefulSet")))
    }

    /// How often the container was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.status().and_then(|s| s.get("restartCount")?.as_u64()).unwrap_or(0)
    }

    /// Whether the container is never started again: its pod is over, or it had one thing to do before the others start.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let phase = self.text("/status/phase");
        let init = self.pod.pointer(LISTS[1].1).and_then(Value::as_array);
        let named = |s: &&Value| s.get("name").and_then(Value::as_str) == Some(&self.container);
        let done = init.into_iter().flatten().find(named).and_then(|s| s.pointer("/state/terminated/exitCode")?.as_i64());
        matches!(phase, "Succeeded" | "Failed") || done == Some(0)
    }

    /// Whether a command can be run in the container.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.run(), Run::Running)
    }

    /// What the container does.
    #[must_use]
    pub fn run(&self) -> Run {
        let Some(status) = self.status() else { return Run::Waiting(self.pending()) };
        if status.pointer("/state/running").is_some() {
            return Run::Running;
        }
        let ended =
            |at: &str| status.pointer(at).map(|t| Run::Ended { code: t.get("exitCode").and_then(Value::as_i64), how: end(t) });
        if let Some(run) = ended("/state/terminated") {
            return run;
        }
        if let Some(run) = ended("/lastState/terminated") {
            return run;
        }
        match status.pointer("/state/waiting") {
            Some(waiting) => Run::Waiting(reason(waiting).unwrap_or_else(|| self.pending())),
            None => Run::Waiting(self.pending()),
        }
    }

    /// Why a pod without a word on its containers does not start.
    fn pending(&self) -> String {
        let conditions = self.pod.pointer("/status/conditions").and_then(Value::as_array);
        let unscheduled = conditions.into_iter().flatten().find(|c| {
            let is = |key: &str, value: &str| c.get(key).and_then(Value::as_str) == Some(value);
            is("type", "PodScheduled") && is("status", "False")
        });
        let status = self.pod.get("status");
        let said = unscheduled.and_then(reason).or_else(|| status.and_then(reason));
        said.unwrap_or_else(|| format!("the pod is {}", shown(self.text("/status/phase"), "not started")))
    }

    fn status(&self) -> Option<&Value> {
        let mut all = LISTS.iter().filter_map(|(_, list)| self.pod.pointer(list)?.as_array()).flatten();
        all.find(|s| s.get("name").and_then(Value::as_str) == Some(&self.container))
    }

    fn text(&self, at: &str) -> &str {
        self.pod.pointer(at).and_then(Value::as_str).unwrap_or_default()
    }
}

fn shown(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { redact::text(&clean(text)).into_owned() }
}

/// `ImagePullBackOff: Back-off pulling image …`, as a state or a condition says it.
pub(super) fn reason(of: &Value) -> Option<String> {
    let text = |key: &str| of.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
    let words = match (text("reason"), text("message")) {
        (Some(reason), Some(message)) if reason != message => format!("{reason}: {message}"),
        (Some(one), _) | (None, Some(one)) => one.to_owned(),
        (None, None) => return None,
    };
    Some(shown(&words.replace('\n', " "), ""))
}

/// `exit code 137 (OOMKilled)`, as a container that has ended says it.
fn end(terminated: &Value) -> String {
    let number = |key: &str| terminated.get(key).and_then(Value::as_i64);
    let how = match (number("exitCode"), number("signal").filter(|s| *s != 0)) {
        (_, Some(signal)) => format!("signal {signal}"),
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => "no word of how".to_owned(),
    };
    match terminated.get("reason").and_then(Value::as_str).filter(|r| !matches!(*r, "" | "Error" | "Completed")) {
        Some(reason) => format!("{how} ({})", shown(reason, "")),
        None => how,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(pod: Value, named: Option<&str>) -> Option<Seen> {
        let container = settle(&pod, named)?;
        Some(Seen { pod, container })
    }

    #[test]
    fn an_instance_names_a_pod_and_perhaps_a_container() {
        for (id, expected) in [
            ("shop/web-1", Some(("shop", "web-1", None))),
            ("shop/web-1/proxy", Some(("shop", "web-1", Some("proxy")))),
            ("web-1", None),
            ("shop/", None),
            ("shop/web-1/proxy/more", None),
        ] {
            let place = Place::of(&id.into()).ok();
            let parts = place.as_ref().map(|p| (&*p.namespace, &*p.pod, p.container.as_deref()));
            assert_eq!(parts, expected, "{id}");
        }
        assert_eq!(Place::of(&"a/b?c".into()).unwrap().path("/log"), "/api/v1/namespaces/a/pods/b%3Fc/log");
    }

    #[test]
    fn the_container_meant_is_the_one_named_or_the_pods_own_choice() {
        let pod = |annotations: Value| {
            json!({
                "metadata": {"annotations": annotations},
                "spec": {"containers": [{"name": "agent"}, {"name": "metrics"}], "initContainers": [{"name": "init"}]},
            })
        };
        let chosen = |annotations: Value, named: Option<&str>| seen(pod(annotations), named).map(|s| s.container.to_string());
        assert_eq!(chosen(json!({}), None).as_deref(), Some("agent"));
        assert_eq!(chosen(json!({"kubectl.kubernetes.io/default-container": "metrics"}), None).as_deref(), Some("metrics"));
        assert_eq!(chosen(json!({"kubectl.kubernetes.io/default-container": "gone"}), None).as_deref(), Some("agent"));
        assert_eq!(chosen(json!({}), Some("init")).as_deref(), Some("init"));
        assert_eq!(chosen(json!({}), Some("nope")), None);
    }

    #[test]
    fn what_a_container_does_is_said_in_words() {
        let run = |status: Value| seen(json!({"spec": {"containers": [{"name": "a"}]}, "status": status}), None).unwrap().run();
        let state = |state: Value| run(json!({"containerStatuses": [{"name": "a", "state": state}]}));
        assert_eq!(state(json!({"running": {}})), Run::Running);
        let ended = Run::Ended { code: Some(137), how: "exit code 137 (OOMKilled)".into() };
        assert_eq!(state(json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})), ended);
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling\u{1b}[31m x"}});
        assert_eq!(state(waiting), Run::Waiting("ImagePullBackOff: Back-off pulling x".into()));
        let looping = json!({"containerStatuses": [{
            "name": "a", "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }]});
        assert_eq!(run(looping), Run::Ended { code: Some(1), how: "exit code 1".into() });
        let unscheduled = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"},
        ]});
        assert_eq!(run(unscheduled), Run::Waiting("Unschedulable: 0/1 nodes are available".into()));
        assert_eq!(run(json!({"phase": "Pending"})), Run::Waiting("the pod is Pending".into()));
    }
}
