//! A command in a pod of its own, as a Job made from a workload's own template: seen by nobody's traffic, run once, read to
//! its end, kept until it is forgotten. Asked again for the same slot of the same operation, the first one's end is read.

mod manifest;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::client::{Client, FIELD_MANAGER};
use super::object;
use super::place::{Place, Run, Seen, encoded};
use crate::engine::command::{cannot_start, code_of, ended, finished, is_no_program, words};
use crate::engine::{EngineError, Report};
use crate::model::{EnvironmentId, InstanceId, OperationId};
use crate::observe::capture::{Capture, KEPT};
use crate::observe::log::Stream;
use crate::operate::action::Replica;
use crate::operate::{Accepted, Output};

/// Between two looks at a job.
const LOOK: Duration = Duration::from_millis(500);
/// The job is ended by the cluster this long after we would have: it is ours to tell of it.
const LATER: Duration = Duration::from_secs(30);

/// What is to be run.
pub struct Once<'a> {
    pub operation: &'a OperationId,
    pub replica: &'a Replica,
    pub command: &'a [Arc<str>],
    pub timeout: Duration,
}

/// Runs the command and waits for its end. Answers [`Accepted::Output`], whatever its exit code.
///
/// # Errors
/// What the server refused; that the workload has no template; that it took too long, after which it is stopped.
pub async fn run(client: &Client, once: Once<'_>, report: &Report) -> Result<Accepted, EngineError> {
    let (namespace, name) = make(client, &once, report).await?;
    let job = Job { client, namespace, name };
    let what = format!("{} as job {}", words(once.command), job.name);
    match tokio::time::timeout(once.timeout, job.wait(&what, report)).await {
        Ok(Ok(end)) => job.told(end, once.command).await.map(|output| Accepted::Output(Box::new(output))),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let how = if job.stop().await.is_ok() { "was stopped" } else { "could not be stopped" };
            Err(EngineError::TimedOut { what: format!("{what} (which {how})").into(), seconds: once.timeout.as_secs() })
        }
    }
}

/// Removes the job of an operation's slot, and its pod with it. None there is fine.
///
/// # Errors
/// What the server refused.
pub async fn forget(
    client: &Client,
    environment: &EnvironmentId,
    operation: &OperationId,
    slot: u32,
) -> Result<Accepted, EngineError> {
    let namespace = client.namespace(environment).await?;
    let scope = namespace.map(|namespace| format!("/namespaces/{}", encoded(&namespace))).unwrap_or_default();
    let selector = encoded(&manifest::selector(operation, slot));
    let path = format!("/apis/batch/v1{scope}/jobs?labelSelector={selector}");
    let found: Value = client.get("The jobs of this operation", &path).await?;
    let mut answer = Accepted::AlreadySo;
    for job in found.get("items").and_then(Value::as_array).into_iter().flatten() {
        let text = |at: &str| job.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let job = Job { client, namespace: text("/metadata/namespace").into(), name: text("/metadata/name").into() };
        match job.remove().await {
            Ok(()) => answer = Accepted::Done,
            Err(EngineError::NotFound { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(answer)
}

/// Makes the job; one that is there already is the one.
async fn make(client: &Client, once: &Once<'_>, report: &Report) -> Result<(Arc<str>, Arc<str>), EngineError> {
    let replica = once.replica;
    let of = object::find(client, &replica.environment, &replica.workload).await?;
    let template = of.template().ok_or_else(|| EngineError::Unsupported {
        what: format!("a job like {}", of.words()).into(),
        why: "it has no template to make pods from".into(),
    })?;
    let services: Result<Value, EngineError> =
        client.get("The services", &format!("/api/v1/namespaces/{}/services", encoded(&of.namespace))).await;
    let wanted = manifest::Wanted {
        workload: &of.name,
        selector: of.value.pointer("/spec/selector/matchLabels"),
        operation: once.operation,
        slot: replica.slot,
        image: replica.image.as_deref(),
        command: once.command,
        within: once.timeout.saturating_add(LATER),
    };
    let job = manifest::job(template, &wanted, services.ok().as_ref())
        .map_err(|why| EngineError::Unsupported { what: format!("a job like {}", of.words()).into(), why: why.into() })?;
    let name = manifest::name(&of.name, once.operation, replica.slot);
    let path = format!("/apis/batch/v1/namespaces/{}/jobs?fieldManager={FIELD_MANAGER}", encoded(&of.namespace));
    let body = serde_json::to_vec(&job).unwrap_or_default();
    let what = format!("Job {name} in namespace {}", of.namespace);
    match client.ask::<Value>(&what, Method::POST, &path, body, Some("application/json")).await {
        Ok(_) => report(format!("running {} as job {name}", words(once.command))),
        Err(EngineError::Conflict { .. }) => report(format!("job {name} is there already")),
        Err(other) => return Err(other),
    }
    Ok((of.namespace, name.into()))
}

struct Job<'a> {
    client: &'a Client,
    namespace: Arc<str>,
    name: Arc<str>,
}

/// What a job's pod was when it was over.
struct Over {
    /// The pod and how its container ended; none where it is gone.
    pod: Option<(Place, i64)>,
    /// Why it could not be started, where it was not.
    trouble: Option<String>,
    /// The cluster ended it because it took too long.
    late: bool,
}

impl Job<'_> {
    fn path(&self) -> String {
        format!("/apis/batch/v1/namespaces/{}/jobs/{}", encoded(&self.namespace), encoded(&self.name))
    }

    /// Waits for the end of its pod, telling what it waits for and what is printed last.
    async fn wait(&self, what: &str, report: &Report) -> Result<Over, EngineError> {
        let mut told = String::new();
        let mut last = Instant::now();
        loop {
            let job: Value = match self.client.get(what, &self.path()).await {
                Ok(job) => job,
                Err(error) if error.is_transient() => {
                    sleep(LOOK).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let late =
                condition(&job, "Failed").is_some_and(|c| c.get("reason").and_then(Value::as_str) == Some("DeadlineExceeded"));
            let over = condition(&job, "Complete").or_else(|| condition(&job, "Failed")).is_some();
            match self.pod().await {
                Ok(Some((place, seen))) => match seen.run() {
                    // What it has printed is whole once its container has ended.
                    Run::Ended { code, .. } => {
                        let trouble = seen.trouble();
                        return Ok(Over { pod: Some((place, code.unwrap_or(-1))), trouble, late });
                    }
                    Run::Waiting(why) if over => {
                        let why = format!("its pod has failed before the command began: {why}");
                        return Err(EngineError::Unmet { what: what.into(), why: why.into() });
                    }
                    Run::Waiting(why) if why != told => {
                        report(why.clone());
                        told = why;
                    }
                    Run::Waiting(_) => {}
                    Run::Running => {
                        if last.elapsed() >= LOOK * 4 {
                            last = Instant::now();
                            self.tell(&place, report).await;
                        }
                    }
                },
                Ok(None) if over => return Ok(Over { pod: None, trouble: None, late }),
                Ok(None) => {}
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error),
            }
            sleep(LOOK).await;
        }
    }

    /// Its pod, once there is one.
    async fn pod(&self) -> Result<Option<(Place, Seen)>, EngineError> {
        let selector = encoded(&format!("batch.kubernetes.io/job-name={}", self.name));
        let path = format!("/api/v1/namespaces/{}/pods?labelSelector={selector}", encoded(&self.namespace));
        let mut found: Value = self.client.get(&format!("The pod of job {}", self.name), &path).await?;
        let Some(pod) = found.pointer_mut("/items/0").map(Value::take) else { return Ok(None) };
        let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let id = InstanceId::new(format!("{}/{name}", self.namespace));
        Seen::of(pod).map(|seen| Place::of(&id).map(|place| (place, seen))).transpose()
    }

    /// The last line it has printed, for people.
    async fn tell(&self, place: &Place, report: &Report) {
        if let Ok(text) = self.client.get_text("The log of the job", &place.path("/log?tailLines=1&limitBytes=4096")).await {
            let mut capture = Capture::new(self.client.redaction().clone());
            capture.take(Stream::Stdout, text.as_bytes());
            capture.take(Stream::Stdout, b"\n");
            if let Some(line) = capture.last_line() {
                report(line.to_owned());
            }
        }
    }

    /// What it left.
    async fn told(&self, over: Over, command: &[Arc<str>]) -> Result<Output, EngineError> {
        let mut capture = Capture::new(self.client.redaction().clone());
        let what: Arc<str> = format!("{} as job {}", words(command), self.name).into();
        if over.late {
            let what = format!("{what} (which the cluster has stopped)");
            return Err(EngineError::TimedOut { what: what.into(), seconds: 0 });
        }
        let Some((place, code)) = over.pod else {
            let why = "its pod was removed before its end was seen: whether it did its work is not known";
            return Err(EngineError::Unmet { what, why: why.into() });
        };
        if let Some(message) = over.trouble.filter(|message| is_no_program(message)) {
            let code = code_of(&message);
            capture.remark(&cannot_start(code, command, &format!("job {}", self.name)));
            return Ok(finished(capture, code));
        }
        // Lines are cut off by bytes: more of them than are kept are asked for, so that the end is whole.
        let text = self.client.get_text(&what, &place.path(&format!("/log?tailLines={KEPT}"))).await?;
        capture.take(Stream::Stdout, text.as_bytes());
        Ok(ended(capture, code, command, &format!("job {}", self.name)))
    }

    /// Ends it: a job that is suspended has its pods taken away, and stays to be read.
    async fn stop(&self) -> Result<(), EngineError> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", self.path());
        let body = json!({
            "metadata": {"annotations": {manifest::STOPPED: Timestamp::now().to_string()}},
            "spec": {"suspend": true},
        });
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let what = format!("Stopping job {} in namespace {}", self.name, self.namespace);
        self.client.ask::<Value>(&what, Method::PATCH, &path, body, Some("application/merge-patch+json")).await.map(drop)
    }

    async fn remove(&self) -> Result<(), EngineError> {
        let body = serde_json::to_vec(&json!({"propagationPolicy": "Background"})).unwrap_or_default();
        let what = format!("Removing job {} in namespace {}", self.name, self.namespace);
        self.client.ask::<Value>(&what, Method::DELETE, &self.path(), body, Some("application/json")).await.map(drop)
    }
}

/// A condition of a job that holds.
fn condition<'a>(job: &'a Value, kind: &str) -> Option<&'a Value> {
    let all = job.pointer("/status/conditions")?.as_array()?;
    let is = |c: &&Value, key: &str, value: &str| c.get(key).and_then(Value::as_str) == Some(value);
    all.iter().find(|c| is(c, "type", kind) && is(c, "status", "True"))
}
