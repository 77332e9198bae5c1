//! A stack, its compose file and the real compose tool: what differs is told field by field, brought up, and gone.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::QD;
use crate::command::lines;
use crate::real_engine::{RealEngine, real_engine};

const FILE: &str = "\
version: '2.4'
services:
  api:
    image: qd-test/app:1
    command: [/bin/app]
    environment: { ROLE: api, DB_PASSWORD: hunter2, GREETING: 'a $$ b' }
    labels: { team: core }
    ports: ['8080']
    volumes: ['data:/data', '/anonymous']
    restart: unless-stopped
    mem_limit: 64m
    networks: { back: { aliases: [backend] } }
  web:
    image: qd-test/app:1
    healthcheck: { test: [CMD, test, -f, /tmp/healthy], interval: 1s, timeout: 5s, retries: 3 }
    networks: [back]
networks:
  back: {}
volumes:
  data: {}
";

/// A folder with a compose file in it, and the stack made from it; all gone at the end.
struct Shop<'a> {
    engine: &'a RealEngine,
    folder: tempfile::TempDir,
    project: String,
}

impl<'a> Shop<'a> {
    fn new(engine: &'a RealEngine) -> Self {
        let shop = Self { engine, folder: tempfile::tempdir().unwrap(), project: engine.unique("drift") };
        shop.write(FILE);
        shop.compose(&["up", "-d"]);
        shop
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("docker-compose.yml")
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    /// What somebody else does with the same tool.
    fn compose(&self, arguments: &[&str]) {
        let plugin = Command::new("docker-compose").arg("version").output().is_err();
        let mut command = Command::new(if plugin { "docker" } else { "docker-compose" });
        if plugin {
            command.arg("compose");
        }
        let output = command
            .env("DOCKER_HOST", &self.engine.host)
            .args(["--project-name", &self.project, "--file"])
            .arg(self.file())
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(QD);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(name, self.folder.path());
        }
        // Wherever else the surroundings lead, nobody goes there.
        command.env("DOCKER_HOST", "tcp://127.0.0.1:1").env("COMPOSE_FILE", "/nowhere.yml").env_remove("DOCKER_CONTEXT");
        command.args(["-H", &self.engine.host, "-p", &self.project]).args(arguments).current_dir("/");
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// `path: before → after` of everything that differs.
    fn differences(&self, more: &[&str]) -> Vec<String> {
        let against = self.json(&[&["diff", &self.project, "--running", "-o", "json"], more].concat());
        let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
        let changes = against["changes"].as_array().unwrap();
        changes.iter().map(|c| format!("{}: {} → {}", text(&c["path"]), text(&c["before"]), text(&c["after"]))).collect()
    }

    fn up(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["up"], arguments, &["--yes", "-o", "ndjson"]].concat());
        lines(&output)
    }
}

impl Drop for Shop<'_> {
    fn drop(&mut self) {
        let project = format!("label=com.docker.compose.project={}", self.project);
        for (kind, list) in [("container", "ps"), ("network", "network"), ("volume", "volume")] {
            let listed = match kind {
                "container" => self.engine.try_docker(&[list, "--all", "--quiet", "--filter", &project]),
                _ => self.engine.try_docker(&[list, "ls", "--quiet", "--filter", &project]),
            };
            let names = String::from_utf8_lossy(&listed.stdout).into_owned();
            for name in names.split_whitespace() {
                let rm: &[&str] = if kind == "container" { &["rm", "--force", "--volumes"] } else { &[kind, "rm"] };
                self.engine.try_docker(&[rm, &[name]].concat());
            }
        }
        self.engine.try_docker(&["rm", "--force", &format!("quarterdeck-lock-{}", self.project)]);
    }
}

fn ended(told: &[Value]) -> (&str, &str) {
    let last = told.last().expect("it says how it ended");
    (last["outcome"].as_str().unwrap_or_default(), last["detail"].as_str().unwrap_or_default())
}

#[test]
fn drift_is_told_brought_up_and_gone() {
    let Some(engine) = real_engine() else { return };
    let shop = Shop::new(engine);
    // Found through what the containers say of themselves.
    assert_eq!(shop.differences(&[]), [""; 0]);

    let changed = FILE
        .replace("qd-test/app:1\n    command: [/bin/app]", "qd-test/app:2\n    command: /bin/app --fast")
        .replace("hunter2", "hunter3")
        .replace("team: core", "team: edge")
        .replace("['8080']", "['127.0.0.1::9090']")
        .replace("data:/data", "data:/data:ro")
        .replace("unless-stopped", "always")
        .replace("64m", "128m")
        .replace("aliases: [backend]", "aliases: [backend, api2]")
        .replace("retries: 3", "retries: 5")
        .replace("networks:\n  back: {}", "  worker:\n    image: qd-test/app:1\nnetworks:\n  back: {}");
    shop.write(&changed);
    let back = format!("{}_back", shop.project);
    let data = format!("volume {}_data", shop.project);
    let mut expected = vec![
        "api.command: /bin/app → /bin/app --fast".to_owned(),
        "api.environment.DB_PASSWORD: •••••• → •••••• (another value)".to_owned(),
        "api.image: qd-test/app:1 → qd-test/app:2".to_owned(),
        "api.labels.team: core → edge".to_owned(),
        "api.memory: 64 MiB → 128 MiB".to_owned(),
        format!("api.networks.{back}: attached as backend → attached as api2, backend"),
        "api.ports.8080/tcp: any → –".to_owned(),
        "api.ports.9090/tcp: – → 127.0.0.1:any".to_owned(),
        "api.restart: unless-stopped → always".to_owned(),
        format!("api.volumes./data: {data} → {data} (read-only)"),
        "web.healthcheck.retries: 3 → 5".to_owned(),
        "worker: – → in the file".to_owned(),
    ];
    expected.sort();
    let mut found = shop.differences(&[]);
    found.sort();
    assert_eq!(found, expected);
    let listed = shop.json(&["ls", "-o", "json"]);
    let drift = |name: &str| {
        let row = listed.as_array().unwrap().iter().find(|row| row["workload"] == name);
        row.and_then(|row| row["drift"].as_str()).unwrap_or_default().to_owned()
    };
    assert_eq!(drift("web"), "healthcheck.retries");
    assert!(drift("api").starts_with("command, environment.DB_PASSWORD, image and ") && drift("worker").contains("not created"));

    // Only what is named, and nothing that it depends on.
    let told = shop.up(&[&format!("{}/web", shop.project)]);
    assert_eq!(ended(&told).0, "done", "{told:?}");
    assert!(shop.differences(&[]).iter().all(|line| !line.starts_with("web.")));
    // The plan says what is called, and on which files.
    let plan = shop.json(&["up", &shop.project, "--plan", "-o", "json"]);
    let call = plan["steps"][1]["call"].as_str().unwrap();
    assert!(call.contains("up -d --no-deps --no-build --force-recreate api worker"), "{call}");
    assert!(call.contains(shop.file().to_str().unwrap()) && call.contains(&format!("--project-name {}", shop.project)), "{call}");
    let told = shop.up(&[&shop.project]);
    assert_eq!(ended(&told).0, "done", "{told:?}");
    assert_eq!(shop.differences(&[]), [""; 0]);
    let again = shop.run(&["up", &shop.project, "--yes"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing to do"), "{again:?}");

    // What quarterdeck did itself is drift too, and the file wins over what the tool remembers of it.
    let scaled = shop.run(&["scale", &format!("{}/web", shop.project), "2", "--yes"]);
    assert!(scaled.status.success(), "{}", String::from_utf8_lossy(&scaled.stderr));
    assert_eq!(shop.differences(&[]), [""; 0], "the file says nothing of replicas");
    let deployed = shop.run(&["deploy", &format!("{}/web", shop.project), "--image", "qd-test/app:2", "--yes"]);
    assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
    assert_eq!(shop.differences(&[]), ["web.image: qd-test/app:2 → qd-test/app:1"]);
    let told = shop.up(&[&shop.project]);
    assert_eq!(ended(&told).0, "done", "{told:?}");
    assert_eq!(shop.differences(&[]), [""; 0]);
    let web = "label=com.docker.compose.service=web";
    let project = format!("label=com.docker.compose.project={}", shop.project);
    let two = engine.docker(&["ps", "--quiet", "--filter", &project, "--filter", web]);
    assert_eq!(two.lines().count(), 2, "the replicas the file says nothing of stay");
}

#[test]
fn a_tag_that_moved_an_extra_service_and_another_file_are_told() {
    let Some(engine) = real_engine() else { return };
    let tag = engine.unique("moved");
    engine.docker(&["tag", "qd-test/app:1", &tag]);
    let shop = Shop::new(engine);
    shop.write(&FILE.replacen("qd-test/app:1", &tag, 1));
    shop.compose(&["up", "-d"]);
    assert_eq!(shop.differences(&[]), [""; 0]);
    engine.docker(&["tag", "qd-test/app:2", &tag]);
    let found = shop.differences(&[]);
    assert!(found.len() == 1 && found[0].starts_with("api.image.content: "), "{found:?}");

    // Another file, named on the command line, without one of the services.
    let other = shop.folder.path().join("other.yml");
    let without = FILE.replacen("qd-test/app:1", &tag, 1).split("  web:").next().unwrap().to_owned()
        + "networks: { back: {} }\nvolumes: { data: {} }\n";
    fs::write(&other, without).unwrap();
    let found = shop.differences(&["--file", other.to_str().unwrap()]);
    assert!(found.iter().any(|line| line == "web: running → –"), "{found:?}");
    let refused = shop.run(&["up", &format!("{}/web", shop.project), "--file", other.to_str().unwrap(), "--yes"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("it is not in the file"), "{refused:?}");
    engine.try_docker(&["rmi", &tag]);
}

#[test]
fn a_mistake_in_the_file_hides_nothing_and_a_failed_up_says_what_stays() {
    let Some(engine) = real_engine() else { return };
    let shop = Shop::new(engine);
    shop.write(&FILE.replace("labels:", "lables:"));
    let status = shop.run(&["status", "-o", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["environments"][0]["workloads_total"], 2, "{status}");
    for arguments in [&["diff", &*shop.project, "--running"][..], &["up", &shop.project, "--yes"]] {
        let refused = shop.run(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("lables") && said.contains("docker-compose.yml"), "{said}");
    }
    // An image that is nowhere: the tool's own words, and the old container still there.
    shop.write(&FILE.replacen("qd-test/app:1", "127.0.0.1:1/nowhere:1", 1));
    let told = shop.up(&[&shop.project]);
    let (outcome, detail) = ended(&told);
    assert!(outcome == "failed" && detail.contains("127.0.0.1:1") && detail.contains("stays"), "{told:?}");
    let project = format!("label=com.docker.compose.project={}", shop.project);
    assert_eq!(engine.docker(&["ps", "--quiet", "--filter", &project]).lines().count(), 2);
    let lock = engine.try_docker(&["inspect", &format!("quarterdeck-lock-{}", shop.project)]);
    assert!(!lock.status.success(), "the lock is given back");
}
