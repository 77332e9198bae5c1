//! One container: pulled or not, running, ready, crashed and started again, ended.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::control::{Desk, involved};
use super::kind::plural;
use super::kubelet::KUBELET;
use super::shell;
use super::store::{Entry, stamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Creating,
    /// The image could not be pulled just now.
    PullFailed,
    /// It is not tried again yet.
    PullBackOff,
    Running,
    /// It ended and is started again at once.
    Crashed,
    /// It ended too often to be started at once.
    CrashBackOff,
    /// It ended for good, with that code.
    Done(i32),
}

/// What a kubelet knows of a container.
pub struct Container {
    pub stage: Stage,
    since: Instant,
    started: String,
    finished: String,
    restarts: i64,
    tries: u32,
    /// When the probe failed last.
    probed: Option<Instant>,
    pub ready: bool,
    code: i32,
    /// How long it runs and what it ends with, where its command ends.
    runs: Option<(f64, i32)>,
}

/// A kubelet's turn with one container.
pub struct Turn<'a, 'b> {
    pub desk: &'a mut Desk<'b>,
    pub pod: &'a Entry,
    pub spec: &'a Value,
}

/// Seconds between two starts after so many crashes, as a kubelet waits: 10, 20, 40 … 300.
fn back_off(crashes: u32) -> u32 {
    10u32.saturating_mul(1 << crashes.min(5)).min(300)
}

fn minutes(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// Tells of something that happened to one container of a pod.
pub fn tell(desk: &mut Desk, pod: &Entry, container: &str, what: (&str, &str), message: &str) {
    let mut about = involved(plural("pods"), pod);
    about["fieldPath"] = json!(format!("spec.containers{{{container}}}"));
    desk.tell_of(&about, pod, KUBELET, what, message);
}

impl Container {
    pub fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Creating,
            since: now,
            started: String::new(),
            finished: String::new(),
            restarts: 0,
            tries: 0,
            probed: None,
            ready: false,
            code: 0,
            runs: None,
        }
    }

    /// Whether it ever ran.
    pub fn begun(&self) -> bool {
        !self.started.is_empty()
    }

    /// Ends as one does that is asked to.
    pub fn stop(&mut self) {
        self.ready = false;
        self.finished = stamp();
        self.code = 0;
        self.stage = Stage::Done(0);
    }

    fn enter(&mut self, stage: Stage, now: Instant) {
        self.stage = stage;
        self.since = now;
    }

    fn terminated(&self, id: &str) -> Value {
        json!({
            "exitCode": self.code, "reason": if self.code == 0 { "Completed" } else { "Error" }, "startedAt": self.started,
            "finishedAt": self.finished, "containerID": id
        })
    }

    /// As it stands in the status of its pod.
    pub fn status(&self, pod: &Entry, spec: &Value) -> Value {
        let name = spec["name"].as_str().unwrap_or_default();
        let image = spec["image"].as_str().unwrap_or_default();
        let id = format!("containerd://{:0>24}{:0>8}{:0>32}", pod.uid().get(24..).unwrap_or_default(), self.restarts, name.len());
        let wait = |reason: &str, message: String| {
            if message.is_empty() {
                json!({ "waiting": { "reason": reason } })
            } else {
                json!({ "waiting": { "reason": reason, "message": message } })
            }
        };
        let state = match self.stage {
            Stage::Creating => wait("ContainerCreating", String::new()),
            Stage::PullFailed => wait("ErrImagePull", unpulled(image)),
            Stage::PullBackOff => {
                wait("ImagePullBackOff", format!("Back-off pulling image \"{image}\": ErrImagePull: {}", unpulled(image)))
            }
            Stage::Running => json!({ "running": { "startedAt": self.started } }),
            Stage::Crashed | Stage::Done(_) => json!({ "terminated": self.terminated(&id) }),
            Stage::CrashBackOff => {
                let wait_for = minutes(back_off(self.tries.saturating_sub(2)));
                let whose = format!("{}_{}({})", pod.name(), pod.namespace(), pod.uid());
                wait("CrashLoopBackOff", format!("back-off {wait_for} restarting failed container={name} pod={whose}"))
            }
        };
        let ended_before = self.stage == Stage::CrashBackOff || (self.restarts > 0 && self.begun());
        let last =
            if ended_before && !self.finished.is_empty() { json!({ "terminated": self.terminated(&id) }) } else { json!({}) };
        let mut status = json!({
            "name": name, "state": state, "lastState": last, "ready": self.ready, "restartCount": self.restarts,
            "image": if self.begun() { full(image) } else { image.to_owned() }, "imageID": "",
            "started": self.stage == Stage::Running
        });
        if self.begun() {
            status["imageID"] = json!(format!("sha256:{:0>64}", super::replicaset::hash(&spec["image"])));
            status["containerID"] = json!(id);
            if spec["resources"]["requests"].is_object() {
                status["allocatedResources"] = spec["resources"]["requests"].clone();
            }
            status["resources"] = spec["resources"].clone();
            status["user"] = json!({ "linux": { "uid": 0, "gid": 0, "supplementalGroups": [0] } });
        }
        status["volumeMounts"] = mounts(spec);
        status
    }
}

/// An init container that has done its work, or, where it stays, runs.
pub fn initialized(spec: &Value) -> Value {
    let (now, name) = (stamp(), spec["name"].as_str().unwrap_or_default());
    let id = format!("containerd://{:0>64}", super::replicaset::hash(&json!([name, now])));
    let stays = spec["restartPolicy"] == json!("Always");
    let state = if stays {
        json!({ "running": { "startedAt": now } })
    } else {
        json!({ "terminated": { "exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now, "containerID": id } })
    };
    json!({
        "name": name, "state": state, "lastState": {}, "ready": true, "restartCount": 0, "started": stays,
        "image": full(spec["image"].as_str().unwrap_or_default()), "containerID": id, "resources": spec["resources"],
        "imageID": format!("sha256:{:0>64}", super::replicaset::hash(&spec["image"])), "volumeMounts": mounts(spec),
        "user": { "linux": { "uid": 0, "gid": 0, "supplementalGroups": [0] } }
    })
}

fn mounts(spec: &Value) -> Value {
    let mounts = spec["volumeMounts"].as_array().into_iter().flatten().map(|m| {
        let mut mount = m.clone();
        if m["readOnly"] == json!(true) {
            mount["recursiveReadOnly"] = json!("Disabled");
        }
        mount
    });
    mounts.collect()
}

/// An image's name as a runtime writes it.
fn full(image: &str) -> String {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}

fn unpulled(image: &str) -> String {
    let host = image.split('/').next().unwrap_or_default();
    format!("failed to pull and unpack image \"{image}\": failed to resolve image: failed to do request: {host}: no such host")
}

impl Turn<'_, '_> {
    /// Does what is due with the container; when the next thing is.
    pub fn step(mut self, container: &mut Container) -> Option<Duration> {
        let now = self.desk.now;
        loop {
            let age = now.duration_since(container.since);
            let due = self.desk.seconds(match container.stage {
                Stage::Creating | Stage::Crashed => 0.5,
                Stage::PullFailed => 3.0,
                Stage::PullBackOff => f64::from(back_off(container.tries.saturating_sub(1))),
                Stage::Running => return self.run(container),
                Stage::CrashBackOff => f64::from(back_off(container.tries.saturating_sub(2))),
                Stage::Done(_) => return None,
            });
            if age < due {
                return due.checked_sub(age);
            }
            match container.stage {
                Stage::PullFailed => self.leave_pull(container),
                Stage::Crashed if container.tries > 1 => {
                    self.warn_crash();
                    container.enter(Stage::CrashBackOff, now);
                }
                Stage::Creating | Stage::PullBackOff => self.start(container),
                Stage::Crashed | Stage::CrashBackOff => {
                    container.restarts += 1;
                    self.start(container);
                }
                Stage::Running | Stage::Done(_) => {}
            }
        }
    }

    fn name(&self) -> String {
        self.spec["name"].as_str().unwrap_or_default().to_owned()
    }

    fn image(&self) -> String {
        self.spec["image"].as_str().unwrap_or_default().to_owned()
    }

    fn is(&self, behaviour: &str) -> bool {
        self.image().ends_with(behaviour)
    }

    fn tell(&mut self, what: (&str, &str), message: &str) {
        let name = self.name();
        tell(self.desk, self.pod, &name, what, message);
    }

    fn leave_pull(&mut self, container: &mut Container) {
        let image = self.image();
        self.tell(("Normal", "BackOff"), &format!("Back-off pulling image \"{image}\""));
        self.tell(("Warning", "Failed"), "Error: ImagePullBackOff");
        container.enter(Stage::PullBackOff, self.desk.now);
    }

    fn warn_crash(&mut self) {
        let whose = format!("{}_{}({})", self.pod.name(), self.pod.namespace(), self.pod.uid());
        let message = format!("Back-off restarting failed container {} in pod {whose}", self.name());
        self.tell(("Warning", "BackOff"), &message);
    }

    fn start(&mut self, container: &mut Container) {
        let (now, image) = (self.desk.now, self.image());
        if self.is("missing") || image.split('/').next().is_some_and(|host| host.ends_with(".invalid")) {
            container.tries += 1;
            self.tell(("Normal", "Pulling"), &format!("Pulling image \"{image}\""));
            self.tell(("Warning", "Failed"), &format!("Failed to pull image \"{image}\": {}", unpulled(&image)));
            self.tell(("Warning", "Failed"), "Error: ErrImagePull");
            container.enter(Stage::PullFailed, now);
            return;
        }
        let message = format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
        self.tell(("Normal", "Pulled"), &message);
        self.tell(("Normal", "Created"), "Container created");
        self.tell(("Normal", "Started"), "Container started");
        container.started = stamp();
        container.probed = None;
        container.ready =
            self.spec["readinessProbe"].is_null() && !self.is("never-ready") && !self.is("crash") && !self.is("slow");
        container.runs = self.fate();
        container.enter(Stage::Running, now);
        let version = image.rsplit(':').next().unwrap_or_default().to_owned();
        self.desk.hub.turn_log(self.pod, &self.name());
        self.say(&format!("starting version={version} pod={}", self.pod.name()));
    }

    /// How long it runs and how it ends, where it does: by its image, or by the command of a pod that is not to be kept running.
    fn fate(&self) -> Option<(f64, i32)> {
        if self.is("crash") {
            return Some((0.5, 1));
        }
        if self.pod.value["spec"]["restartPolicy"] == json!("Always") {
            return None;
        }
        let (ran, lasts) = (self.ran(), shell::lasts(&self.command()));
        Some((lasts.unwrap_or(1.0), ran.code))
    }

    fn command(&self) -> Vec<String> {
        let part =
            |name: &str| self.spec[name].as_array().into_iter().flatten().filter_map(|w| w.as_str().map(str::to_owned)).collect();
        let words: Vec<Vec<String>> = vec![part("command"), part("args")];
        words.concat()
    }

    fn ran(&self) -> shell::Ran {
        self.desk.hub.run(self.pod.namespace(), self.pod.name(), &self.command(), b"")
    }

    fn say(&self, text: &str) {
        self.desk.hub.say(self.pod.namespace(), self.pod.name(), &self.name(), text);
    }

    fn run(&mut self, container: &mut Container) -> Option<Duration> {
        let (now, age) = (self.desk.now, self.desk.now.duration_since(container.since));
        if let Some((lasts, code)) = container.runs {
            let left = self.desk.seconds(lasts).saturating_sub(age);
            if !left.is_zero() {
                return Some(left);
            }
            self.finish(container, code);
            return Some(Duration::ZERO);
        }
        if container.ready {
            return None;
        }
        let number = |name: &str| self.spec["readinessProbe"][name].as_f64();
        let period = self.desk.seconds(number("periodSeconds").unwrap_or(2.0));
        let first = self.desk.seconds(if self.is("slow") { 5.0 } else { number("initialDelaySeconds").unwrap_or(0.0) + 1.0 });
        let left = first.saturating_sub(age);
        if !left.is_zero() {
            return Some(left);
        }
        if !self.is("never-ready") {
            container.ready = true;
            return None;
        }
        if container.probed.is_none_or(|at| now.duration_since(at) >= period) {
            container.probed = Some(now);
            self.tell(("Warning", "Unhealthy"), "Readiness probe failed: HTTP probe failed with statuscode: 404");
        }
        Some(period)
    }

    /// The container has ended by itself.
    fn finish(&mut self, container: &mut Container, code: i32) {
        let now = self.desk.now;
        container.ready = false;
        container.code = code;
        container.finished = stamp();
        container.tries += 1;
        let ran = self.ran();
        for line in ran.out.lines().chain(ran.err.lines()) {
            self.say(line);
        }
        if self.is("crash") {
            self.say("FATAL cannot connect to redis://redis:6379: connection refused");
        }
        let again = match self.pod.value["spec"]["restartPolicy"].as_str() {
            Some("Never") => false,
            Some("OnFailure") => code != 0,
            _ => true,
        };
        container.enter(if again { Stage::Crashed } else { Stage::Done(code) }, now);
    }
}
