//! The job controller, and what a cron job knows of its jobs. No job is started by the clock: that is for a test to do.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, condition, controller, involved};
use super::deployment::number;
use super::kind::plural;
use super::remove::deleted;
use super::replicaset::{active, drop_pod, leaving, make_pod, ready, set};
use super::store::{Entry, Key, stamp};

const WRITER: Writer = controller("job-controller");
const TRACKED: &str = "batch.kubernetes.io/job-tracking";
const CRON: Writer = controller("cronjob-controller");

fn count(pods: &[Entry], phase: &str) -> i64 {
    i64::try_from(pods.iter().filter(|p| p.value["status"]["phase"] == json!(phase)).count()).unwrap_or(0)
}

/// How a job ended, if it has.
fn ended(job: &Value) -> Option<&'static str> {
    let held = |kind: &str| {
        job["status"]["conditions"]
            .as_array()
            .is_some_and(|l| l.iter().any(|c| c["type"] == json!(kind) && c["status"] == json!("True")))
    };
    if held("Complete") {
        Some("Complete")
    } else if held("Failed") {
        Some("Failed")
    } else {
        None
    }
}

pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let kind = plural("jobs");
    let job = desk.get("jobs", key)?;
    if ended(&job.value).is_some() {
        return outlive(desk, &job);
    }
    let pods = desk.store.children(plural("pods"), job.uid());
    let at_work: Vec<Entry> = pods.iter().filter(|p| active(p)).cloned().collect();
    let (succeeded, failed) = (count(&pods, "Succeeded"), count(&pods, "Failed"));
    let restarts: i64 = at_work.iter().map(|p| number(p, "/status/containerStatuses/0/restartCount")).sum();
    let suspended = job.value["spec"]["suspend"] == json!(true);
    let (parallel, wanted) = (number(&job, "/spec/parallelism"), number(&job, "/spec/completions"));
    let late = deadline(desk, &job).filter(|_| !suspended);
    let (over, missed) = (failed + restarts > number(&job, "/spec/backoffLimit"), late.is_some_and(|left| left.is_zero()));
    let done = succeeded >= wanted;
    if suspended || over || missed || done {
        for pod in &at_work {
            drop_pod(desk, kind, &job, WRITER, pod);
        }
    } else {
        let room = parallel.min(wanted - succeeded) - i64::try_from(at_work.len()).unwrap_or(0);
        for _ in 0..room.max(0) {
            // So that none goes uncounted.
            make_pod(desk, kind, &job, WRITER, None, |pod| pod["metadata"]["finalizers"] = json!([TRACKED]));
        }
    }
    let pods = desk.store.children(plural("pods"), job.uid());
    for pod in pods.iter().filter(|p| !active(p)) {
        desk.change("pods", &pod.key(), WRITER, |pod| drop(pod["metadata"].as_object_mut().map(|m| m.remove("finalizers"))));
    }
    if suspended && job.value["status"]["conditions"].is_null() {
        desk.tell("jobs", &job, WRITER, ("Normal", "Suspended"), "Job suspended");
    }
    let end = if over {
        Some(("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
    } else if missed && !done {
        Some(("Failed", "DeadlineExceeded", "Job was active longer than specified deadline"))
    } else {
        done.then_some(("Complete", "CompletionsReached", "Reached expected number of succeeded pods"))
    };
    report(desk, &job, &pods, end);
    if let Some((kind, reason, message)) = end {
        let (grade, reason, message) =
            if kind == "Complete" { ("Normal", "Completed", "Job completed") } else { ("Warning", reason, message) };
        desk.tell("jobs", &job, WRITER, (grade, reason), message);
    }
    late.filter(|left| !left.is_zero())
}

/// What is left of the time a job has, if it has one; it counts from the first look at it.
fn deadline(desk: &mut Desk, job: &Entry) -> Option<Duration> {
    let seconds = job.value["spec"]["activeDeadlineSeconds"].as_f64()?;
    let since = desk.memory.progress.entry(format!("{} begun", job.uid())).or_insert((desk.now, Value::Null)).0;
    Some((since + desk.seconds(seconds)).saturating_duration_since(desk.now))
}

/// A job that has ended goes when its time to live is over.
fn outlive(desk: &mut Desk, job: &Entry) -> Option<Duration> {
    let seconds = job.value["spec"]["ttlSecondsAfterFinished"].as_f64()?;
    let since = desk.memory.progress.entry(format!("{} ended", job.uid())).or_insert((desk.now, Value::Null)).0;
    let left = (since + desk.seconds(seconds)).saturating_duration_since(desk.now);
    if left.is_zero() {
        deleted(desk.store, plural("jobs"), &job.key(), None, false);
        return None;
    }
    Some(left)
}

fn report(desk: &mut Desk, job: &Entry, pods: &[Entry], end: Option<(&str, &str, &str)>) {
    let here = pods.iter().filter(|p| active(p)).count();
    let is_ready = pods.iter().filter(|p| active(p) && ready(p)).count();
    let going = pods.iter().filter(|p| leaving(p)).count();
    let suspended = job.value["spec"]["suspend"] == json!(true);
    desk.change("jobs", &job.key(), WRITER, |object| {
        let status = &mut object["status"];
        if status["startTime"].is_null() && !suspended {
            status["startTime"] = json!(stamp());
        }
        set(status, "active", i64::try_from(here).unwrap_or(0));
        set(status, "succeeded", count(pods, "Succeeded"));
        // One that was ended with the job has failed too.
        let ended = if end.is_some_and(|(kind, _, _)| kind == "Failed") { going } else { 0 };
        set(status, "failed", count(pods, "Failed") + i64::try_from(ended).unwrap_or(0));
        status["ready"] = json!(is_ready);
        status["terminating"] = json!(if end.is_some() { 0 } else { going });
        status["uncountedTerminatedPods"] = json!({});
        let mut say = |kind: &str, held: &str, reason: &str, message: &str| {
            let wanted = json!({ "type": kind, "status": held, "reason": reason, "message": message, "lastProbeTime": stamp() });
            let written = condition(&status["conditions"], wanted, false);
            let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
            all.retain(|c| c["type"] != written["type"]);
            all.push(written);
            status["conditions"] = Value::Array(all);
        };
        if suspended {
            say("Suspended", "True", "JobSuspended", "Job suspended");
        }
        if let Some((kind, reason, message)) = end {
            say(if kind == "Complete" { "SuccessCriteriaMet" } else { "FailureTarget" }, "True", reason, message);
            say(kind, "True", reason, message);
            if kind == "Complete" {
                status["completionTime"] = json!(stamp());
            }
        }
    });
}

/// Counts a cron job's jobs, and lets old ones go.
pub fn cron(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let cron = desk.get("cronjobs", key)?;
    let jobs = desk.store.children(plural("jobs"), cron.uid());
    let (running, over): (Vec<&Entry>, Vec<&Entry>) = jobs.iter().partition(|j| ended(&j.value).is_none());
    let seen: Vec<Value> = running
        .iter()
        .map(|job| {
            let mut named = involved(plural("jobs"), job);
            named["resourceVersion"] = json!(job.version.to_string());
            named
        })
        .collect();
    let before = cron.value["status"]["active"].as_array().cloned().unwrap_or_default();
    for job in &over {
        if before.iter().any(|a| a["uid"] == json!(job.uid())) {
            let how = ended(&job.value).unwrap_or_default();
            let message = format!("Saw completed job: {}, condition: {how}", job.name());
            desk.tell("cronjobs", &cron, CRON, ("Normal", "SawCompletedJob"), &message);
        }
    }
    desk.change("cronjobs", key, CRON, |object| {
        let status = &mut object["status"];
        if seen.is_empty() {
            status.as_object_mut().map(|s| s.remove("active"));
        } else if status["active"].as_array().map(Vec::len) != Some(seen.len()) {
            status["active"] = json!(seen);
            status["lastScheduleTime"] = json!(stamp());
        }
        if let Some(done) = over.iter().rev().find(|j| ended(&j.value) == Some("Complete")) {
            status["lastSuccessfulTime"] = done.value["status"]["completionTime"].clone();
        }
    });
    for (how, limit) in [("Complete", "/spec/successfulJobsHistoryLimit"), ("Failed", "/spec/failedJobsHistoryLimit")] {
        let mut old: Vec<&&Entry> = over.iter().filter(|j| ended(&j.value) == Some(how)).collect();
        old.sort_by_key(|j| j.version);
        let keep = usize::try_from(number(&cron, limit)).unwrap_or(0);
        for job in old.iter().take(old.len().saturating_sub(keep)) {
            deleted(desk.store, plural("jobs"), &job.key(), None, false);
            let message = format!("Deleted job {}", job.name());
            desk.tell("cronjobs", &cron, CRON, ("Normal", "SuccessfulDelete"), &message);
        }
    }
    None
}
