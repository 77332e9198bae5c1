//! The deployment controller: replica sets by template, rolled over within surge and unavailability, or all at once.
//!
//! What a rollout that is scaled in its middle gains goes to the new replica set; the real one spreads it over all.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, controller, owned_by, share};
use super::deployment_status::{begun, put, report};
use super::kind::plural;
use super::remove::deleted;
use super::replicaset::{active, hash};
use super::store::{Entry, Key};
use super::write::made;

pub const WRITER: Writer = controller("deployment-controller");
pub const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MOST: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations of a deployment that its replica sets do not take over.
const KEPT: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.revisionTemplate",
];

/// A deployment and its replica sets, oldest first.
pub struct Rollout {
    pub deployment: Entry,
    pub new: Option<Entry>,
    pub old: Vec<Entry>,
}

pub fn number(entry: &Entry, path: &str) -> i64 {
    entry.value.pointer(path).and_then(Value::as_i64).unwrap_or(0)
}

fn revision(set: &Entry) -> i64 {
    set.value["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0)
}

impl Rollout {
    pub fn find(desk: &Desk, deployment: Entry) -> Self {
        let mut sets = desk.store.children(plural("replicasets"), deployment.uid());
        sets.sort_by_key(|s| (revision(s), s.name().to_owned()));
        let template = &deployment.value["spec"]["template"];
        let at = sets.iter().position(|s| unhashed(&s.value["spec"]["template"]) == *template);
        let new = at.map(|at| sets.remove(at));
        Self { deployment, new, old: sets }
    }

    pub fn wanted(&self) -> i64 {
        number(&self.deployment, "/spec/replicas")
    }

    pub fn recreates(&self) -> bool {
        self.deployment.value["spec"]["strategy"]["type"] == json!("Recreate")
    }

    /// How many pods more than wanted there may be, and how many fewer available.
    pub fn bounds(&self) -> (i64, i64) {
        let rolling = &self.deployment.value["spec"]["strategy"]["rollingUpdate"];
        let surge = share(&rolling["maxSurge"], self.wanted(), true);
        let unavailable = share(&rolling["maxUnavailable"], self.wanted(), false);
        if self.recreates() {
            (0, 0)
        } else if surge == 0 && unavailable == 0 {
            (0, 1)
        } else {
            (surge, unavailable.min(self.wanted()))
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.old.iter().chain(&self.new)
    }

    fn total(&self) -> i64 {
        self.all().map(|s| number(s, "/spec/replicas")).sum()
    }
}

fn unhashed(template: &Value) -> Value {
    let mut template = template.clone();
    template["metadata"]["labels"].as_object_mut().map(|l| l.remove("pod-template-hash"));
    template
}

pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let deployment = desk.get("deployments", key)?;
    let mut rollout = Rollout::find(desk, deployment);
    let paused = rollout.deployment.value["spec"]["paused"] == json!(true);
    let mut news = None;
    if paused {
        let latest = rollout.new.as_ref().or(rollout.old.last()).cloned();
        if let Some(latest) = latest.filter(|_| rollout.all().filter(|s| number(s, "/spec/replicas") > 0).count() <= 1) {
            scale(desk, &rollout, &latest, rollout.wanted());
        }
    } else {
        news = bring_new(desk, &mut rollout);
        if rollout.recreates() { recreate(desk, &rollout) } else { roll(desk, &rollout) }
    }
    let rollout = Rollout::find(desk, desk.get("deployments", key)?);
    let again = report(desk, &rollout, news.as_deref());
    clean(desk, &rollout);
    again
}

/// Finds or makes the replica set of the template and gives it the newest revision; the reason, where it was made or found anew.
fn bring_new(desk: &mut Desk, rollout: &mut Rollout) -> Option<String> {
    let newest = rollout.old.iter().map(revision).max().unwrap_or(0);
    let deployment = rollout.deployment.clone();
    let mut told = None;
    let number = match &rollout.new {
        Some(new) if revision(new) > newest => revision(new),
        _ => newest + 1,
    };
    if let Some(new) = rollout.new.clone() {
        if revision(&new) < number {
            told = Some("FoundNewReplicaSet".to_owned());
        }
        let was = revision(&new);
        rollout.new = desk.change("replicasets", &new.key(), WRITER, |set| annotate(set, &deployment, number, was));
    } else {
        told = Some("NewReplicaSetCreated".to_owned());
        rollout.new = make_set(desk, rollout, number);
    }
    let name = rollout.new.as_ref().map(|n| n.name().to_owned()).unwrap_or_default();
    let now = desk.change("deployments", &deployment.key(), WRITER, |object| {
        object["metadata"]["annotations"][REVISION] = json!(number.to_string());
        if let Some(news) = &told {
            put(&mut object["status"], begun(news, &name));
        }
    });
    if let Some(now) = now {
        rollout.deployment = now;
    }
    told
}

fn annotate(set: &mut Value, deployment: &Entry, number: i64, was: i64) {
    let annotations = &mut set["metadata"]["annotations"];
    for (name, value) in deployment.value["metadata"]["annotations"].as_object().into_iter().flatten() {
        if !KEPT.contains(&name.as_str()) {
            annotations[name] = value.clone();
        }
    }
    if was > 0 && was < number {
        let history = annotations[HISTORY].as_str().map_or_else(|| was.to_string(), |h| format!("{h},{was}"));
        annotations[HISTORY] = json!(history);
    }
    annotations[REVISION] = json!(number.to_string());
}

fn make_set(desk: &mut Desk, rollout: &Rollout, number: i64) -> Option<Entry> {
    let deployment = &rollout.deployment;
    let spec = &deployment.value["spec"];
    let mark = hash(&spec["template"]);
    let mut template = spec["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(mark);
    let mut selector = spec["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = json!(mark);
    let (surge, _) = rollout.bounds();
    let room = (rollout.wanted() + surge - rollout.total()).clamp(0, rollout.wanted());
    let first = if rollout.recreates() && rollout.total() > 0 { 0 } else { room };
    let mut set = json!({
        "metadata": {
            "name": format!("{}-{mark}", deployment.name()), "labels": template["metadata"]["labels"],
            "annotations": { DESIRED: rollout.wanted().to_string(), MOST: (rollout.wanted() + surge).to_string() },
            "ownerReferences": owned_by(plural("deployments"), deployment)
        },
        "spec": { "replicas": first, "selector": selector, "template": template }
    });
    if !spec["minReadySeconds"].is_null() {
        set["spec"]["minReadySeconds"] = spec["minReadySeconds"].clone();
    }
    annotate(&mut set, deployment, number, 0);
    let set = made(desk.store, plural("replicasets"), Some(deployment.namespace()), set, WRITER.manager, false).ok()?;
    if first > 0 {
        let message = format!("Scaled up replica set {} from 0 to {first}", set.name());
        desk.tell("deployments", deployment, WRITER, ("Normal", "ScalingReplicaSet"), &message);
    }
    Some(set)
}

/// Sets how many pods a replica set is to have; whether that was a change.
fn scale(desk: &mut Desk, rollout: &Rollout, set: &Entry, count: i64) -> bool {
    let was = number(set, "/spec/replicas");
    let (surge, _) = rollout.bounds();
    let wanted = rollout.wanted();
    desk.change("replicasets", &set.key(), WRITER, |set| {
        set["spec"]["replicas"] = json!(count);
        set["metadata"]["annotations"][DESIRED] = json!(wanted.to_string());
        set["metadata"]["annotations"][MOST] = json!((wanted + surge).to_string());
    });
    if was == count {
        return false;
    }
    let way = if was < count { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {} from {was} to {count}", set.name());
    desk.tell("deployments", &rollout.deployment, WRITER, ("Normal", "ScalingReplicaSet"), &message);
    true
}

fn recreate(desk: &mut Desk, rollout: &Rollout) {
    let mut going = false;
    for set in &rollout.old {
        going |= number(set, "/spec/replicas") > 0 && scale(desk, rollout, set, 0);
    }
    let pods = plural("pods");
    let left = rollout
        .old
        .iter()
        .any(|set| desk.store.children(pods, set.uid()).iter().any(|p| active(p) || super::replicaset::leaving(p)));
    if let Some(new) = rollout.new.as_ref().filter(|_| !going && !left) {
        scale(desk, rollout, new, rollout.wanted());
    }
}

fn roll(desk: &mut Desk, rollout: &Rollout) {
    let Some(new) = &rollout.new else { return };
    let (surge, unavailable) = rollout.bounds();
    let (has, wanted) = (number(new, "/spec/replicas"), rollout.wanted());
    let room = (wanted + surge - rollout.total()).max(0);
    let target = if has > wanted { wanted } else { has + room.min(wanted - has) };
    if scale(desk, rollout, new, target) {
        return;
    }
    let lowest = wanted - unavailable;
    let waiting = has - number(new, "/status/availableReplicas");
    let mut spare = rollout.total() - lowest - waiting;
    let mut old: Vec<(Entry, i64)> = rollout.old.iter().map(|s| (s.clone(), number(s, "/spec/replicas"))).collect();
    // Old pods that do not serve go first: no one misses them.
    for (set, count) in &mut old {
        let idle = (*count - number(set, "/status/availableReplicas")).min(spare).max(0);
        *count -= idle;
        spare -= idle;
    }
    let available: i64 = rollout.all().map(|s| number(s, "/status/availableReplicas")).sum();
    let mut more = (available - lowest).min(spare).max(0);
    for (_, count) in &mut old {
        let fewer = (*count).min(more);
        *count -= fewer;
        more -= fewer;
    }
    for (set, count) in old {
        if count != number(&set, "/spec/replicas") {
            scale(desk, rollout, &set, count);
        }
    }
}

/// Old replica sets beyond the history go, once the rollout is done.
fn clean(desk: &mut Desk, rollout: &Rollout) {
    let limit = usize::try_from(number(&rollout.deployment, "/spec/revisionHistoryLimit")).unwrap_or(10);
    let status = &rollout.deployment.value["status"];
    let done = status["updatedReplicas"].as_i64().unwrap_or(0) == rollout.wanted();
    let empty: Vec<&Entry> =
        rollout.old.iter().filter(|s| number(s, "/spec/replicas") == 0 && number(s, "/status/replicas") == 0).collect();
    if done && empty.len() > limit {
        for set in &empty[..empty.len() - limit] {
            deleted(desk.store, plural("replicasets"), &set.key(), None, false);
        }
    }
}
