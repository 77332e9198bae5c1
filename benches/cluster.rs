//! The figures a person feels on a large cluster, measured from outside on the simulated API server: start-up, idling, keys
//! and the screen under a thousand changes a second. Prints them with the budget beside each; judges nothing. The server
//! shares the machine with what is measured.
//!
//! `cargo bench --bench cluster [-- startup idle storm]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    dead_code,
    reason = "a test or a measurement says what it needs, and stops where it is not so"
)]

#[path = "../tests/support/apiserver.rs"]
mod apiserver;
#[path = "console/process.rs"]
mod process;
#[path = "console/pty.rs"]
mod pty;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apiserver::{ApiServer, World};
use pty::Screen;
use serde_json::{Value, json};

const QD: &str = env!("CARGO_BIN_EXE_qd");
const DEPLOYMENTS: usize = 1000;
const PODS_EACH: usize = 5;
const NODES: usize = 50;
/// The name the first row has, and the last.
const FIRST: &str = "app-0000";

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|c| c == name);
    let server = Arc::new(ApiServer::start(world()));
    println!("{} deployments, {} pods, {NODES} nodes; answers of a simulated server", DEPLOYMENTS, DEPLOYMENTS * PODS_EACH);
    if wanted("startup") {
        startup(&server);
    }
    if wanted("idle") {
        idle(&server);
    }
    if wanted("storm") {
        storm(&server);
    }
}

fn template(text: &str) -> Value {
    serde_json::from_str(text).expect("a recorded object")
}

/// Recorded objects, a thousand times under other names.
fn world() -> World {
    let mut world = World::empty().still();
    let (pod, deployment, set) = (
        template(include_str!("cluster/pod.json")),
        template(include_str!("cluster/deployment.json")),
        template(include_str!("cluster/replicaset.json")),
    );
    for n in 0..NODES {
        world = world.node(&format!("machine-{n:02}"));
    }
    for n in 0..DEPLOYMENTS {
        let name = format!("app-{n:04}");
        let replica_set = format!("{name}-5d4f8c7b9");
        world.objects.push(named(&deployment, &name, &[], PODS_EACH));
        world.objects.push(named(&set, &replica_set, &[("Deployment", &name)], PODS_EACH));
        for p in 0..PODS_EACH {
            let mut one = named(&pod, &format!("{replica_set}-{p:05}"), &[("ReplicaSet", &replica_set)], 1);
            one["spec"]["nodeName"] = json!(format!("machine-{:02}", (n * PODS_EACH + p) % NODES));
            world.objects.push(one);
        }
    }
    world
}

fn named(template: &Value, name: &str, owner: &[(&str, &str)], replicas: usize) -> Value {
    let mut object = template.clone();
    let app = name.get(..8).unwrap_or(name);
    let metadata = &mut object["metadata"];
    for key in ["uid", "resourceVersion", "creationTimestamp"] {
        metadata.as_object_mut().expect("metadata").remove(key);
    }
    metadata["name"] = json!(name);
    metadata["uid"] = json!(format!("uid-{name}"));
    metadata["labels"]["app"] = json!(app);
    metadata["labels"]["pod-template-hash"] = json!("5d4f8c7b9");
    if let [(kind, of)] = owner {
        metadata["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": kind, "name": of, "uid": format!("uid-{of}"), "controller": true, "blockOwnerDeletion": true }]);
    }
    if object["kind"] != json!("Pod") {
        object["spec"]["replicas"] = json!(replicas);
        object["spec"]["selector"]["matchLabels"] = json!({ "app": app });
        object["spec"]["template"]["metadata"]["labels"] = json!({ "app": app });
        for field in ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas"] {
            object["status"][field] = json!(replicas);
        }
        object["status"]["observedGeneration"] = json!(1);
        object["metadata"]["generation"] = json!(1);
    }
    object
}

fn say(what: &str, figure: &str, budget: &str) {
    println!("{what:<58} {figure:<44} budget {budget}");
}

fn open(server: &ApiServer) -> Screen {
    let home = std::env::temp_dir().join("qd-bench-home");
    drop(std::fs::create_dir_all(&home));
    let home = home.to_string_lossy().into_owned();
    let kubeconfig = server.kubeconfig_path();
    let arguments = ["--kubeconfig", kubeconfig.to_str().expect("a path"), "-n", "lms-ai"];
    let own = [("HOME", &*home), ("XDG_CONFIG_HOME", &home), ("XDG_DATA_HOME", &home), ("XDG_STATE_HOME", &home)];
    Screen::spawn(QD, &arguments, &own)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN);
    (at(0.5), at(0.95), at(1.0))
}

fn whole(screen: &str) -> bool {
    screen.contains(FIRST) && screen.contains(&format!("{DEPLOYMENTS} workloads"))
        || screen.contains(&format!("of {DEPLOYMENTS}"))
}

fn startup(server: &ApiServer) {
    let (mut paints, mut names, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..7 {
        let mut screen = open(server);
        let started = screen.started;
        names.extend(screen.wait(Duration::from_secs(20), |s| s.contains(FIRST)).map(|at| millis(at.duration_since(started))));
        paints.extend(screen.first_paint.map(|at| millis(at.duration_since(started))));
        all.extend(screen.wait(Duration::from_secs(20), whole).map(|at| millis(at.duration_since(started))));
    }
    let (paint, ..) = spread(paints);
    let ((name, _, worst), (list, _, longest)) = (spread(names), spread(all));
    say("exec to first paint", &format!("{paint:.1} ms"), "10 ms");
    say("exec to first name", &format!("{name:.0} ms (worst {worst:.0})"), "150 ms");
    say("exec to the whole list", &format!("{list:.0} ms (worst {longest:.0})"), "600 ms");
}

fn idle(server: &ApiServer) {
    const SECONDS: u64 = 20;
    let mut screen = open(server);
    screen.wait(Duration::from_secs(30), whole);
    screen.watch(Duration::from_secs(8));
    let pid = screen.pid();
    let (own, asked) = (process::cpu_seconds(pid), server.requests().len());
    screen.watch(Duration::from_secs(SECONDS));
    let share = (process::cpu_seconds(pid) - own) / SECONDS as f64 * 100.0;
    say("idle: own CPU", &format!("{share:.2} %"), "1 %");
    say("idle: requests a second", &format!("{:.1}", (server.requests().len() - asked) as f64 / SECONDS as f64), "few");
    say("idle: RSS", &format!("{:.0} MiB", process::rss_mib(pid)), "60 MiB");
}

/// A thousand changes a second of pods anywhere, and one that can be seen.
fn storm(server: &Arc<ApiServer>) {
    const SECONDS: u64 = 20;
    let mut screen = open(server);
    screen.wait(Duration::from_secs(30), whole);
    screen.watch(Duration::from_secs(3));
    let pid = screen.pid();
    let (stop, changes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (to, until, counted) = (server.clone(), stop.clone(), changes.clone());
    let storming = std::thread::spawn(move || {
        let began = Instant::now();
        let mut n = 0_u64;
        while !until.load(Ordering::Relaxed) {
            let due = (began.elapsed().as_secs_f64() * 1000.0) as u64;
            while n < due {
                let which = (n as usize * 7919) % (DEPLOYMENTS * PODS_EACH);
                let name = format!("app-{:04}-5d4f8c7b9-{:05}", which / PODS_EACH, which % PODS_EACH);
                to.change("pods", "lms-ai", &name, |pod| pod["metadata"]["annotations"]["beat"] = json!(n.to_string()));
                n += 1;
            }
            counted.store(n, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    screen.watch(Duration::from_secs(2));
    let (own, before, began) = (process::cpu_seconds(pid), changes.load(Ordering::Relaxed), Instant::now());
    let mut keys = Vec::new();
    while began.elapsed() < Duration::from_secs(SECONDS) {
        let key: &[u8] = if keys.len() / 4 % 2 == 0 { b"j" } else { b"k" };
        keys.extend(screen.key(key).map(millis));
        screen.watch(Duration::from_millis(150));
    }
    let seconds = began.elapsed().as_secs_f64();
    let share = (process::cpu_seconds(pid) - own) / seconds * 100.0;
    let rate = (changes.load(Ordering::Relaxed) - before) as f64 / seconds;
    let mut late = Vec::new();
    for n in 0..5 {
        let (image, changed) = (format!("lms/changed:{n}"), Instant::now());
        server.change("deployments", "lms-ai", FIRST, |d| d["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image));
        late.extend(
            screen
                .wait(Duration::from_secs(5), |s| s.contains(&format!("changed:{n}")))
                .map(|at| millis(at.duration_since(changed))),
        );
    }
    stop.store(true, Ordering::Relaxed);
    storming.join().expect("the storm ends");
    let (median, most, worst) = spread(keys);
    let (seen, _, latest) = spread(late);
    say(&format!("{rate:.0} changes/s: key to screen"), &format!("{median:.1} / {most:.1} / {worst:.1} ms"), "1.5 / 5 / 16 ms");
    say("                  own CPU", &format!("{share:.1} %"), "15 %");
    say("                  a change on screen after", &format!("{seen:.0} ms (worst {latest:.0})"), "300 ms");
    say("                  RSS", &format!("{:.0} MiB", process::rss_mib(pid)), "flat");
}
