//! The commands behind pipes, on the demo world: what they print, and how they end.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::QD;

pub fn command(arguments: &[&str]) -> (tempfile::TempDir, Command) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(QD);
    command.args(arguments).current_dir(home.path()).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(name, home.path());
    }
    for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "NO_COLOR"] {
        command.env_remove(name);
    }
    (home, command)
}

pub fn run(arguments: &[&str]) -> Output {
    let (_home, mut command) = command(arguments);
    command.output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{arguments:?}: {e}: {}", String::from_utf8_lossy(&output.stderr)))
}

pub fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn what_is_there_is_told_in_the_promised_words() {
    let status = json(&["status", "--demo", "-o", "json"]);
    let environments = status["environments"].as_array().unwrap();
    assert_eq!(environments.len(), 3);
    for name in [
        "name",
        "tier",
        "engine",
        "endpoint",
        "guard",
        "feed",
        "workloads_ready",
        "workloads_total",
        "instances_running",
        "instances_total",
        "unhealthy",
        "alerts_firing",
        "cpu_cores",
        "memory_bytes",
        "last_operation",
    ] {
        assert!(environments[0].get(name).is_some(), "status has {name}");
    }
    assert_eq!(environments[0]["feed"]["state"], "live");
    let ls = json(&["ls", "--demo", "local", "-o", "json"]);
    let row = &ls.as_array().unwrap()[0];
    for name in [
        "environment",
        "engine",
        "workload",
        "kind",
        "ready",
        "desired",
        "health",
        "reasons",
        "revision",
        "image",
        "digest",
        "restarts",
        "cpu_cores",
        "memory_bytes",
        "created_at",
        "autoscaler",
        "drift",
        "instances",
    ] {
        assert!(row.get(name).is_some(), "ls has {name}");
    }
    let instance = &row["instances"][0];
    for name in [
        "id",
        "name",
        "state",
        "health",
        "reasons",
        "image",
        "restarts",
        "cpu_cores",
        "memory_bytes",
        "memory_limit_bytes",
        "net_rx_bytes",
        "net_tx_bytes",
        "block_read_bytes",
        "block_write_bytes",
        "pids",
        "node",
        "ip",
        "ports",
        "started_at",
        "exit_code",
    ] {
        assert!(instance.get(name).is_some(), "an instance has {name}");
    }
    assert!(instance["cpu_cores"].is_number() && instance["exit_code"].is_null(), "{instance}");
}

#[test]
fn exit_codes_say_what_happened() {
    let table: &[(&[&str], i32)] = &[
        (&["health", "--demo"], 0),
        (&["status", "--demo", "--incident", "bad-deploy", "--speed", "50", "--for", "1s"], 3),
        (&["scale", "--demo", "nowhere/app", "3"], 2),
        (&["scale", "--demo", "local/ap", "3"], 2),
        (&["scale", "--demo"], 2),
        (&["--config", "absent.toml", "status"], 2),
        (&["scale", "--demo", "local/app_ap", "3", "--plan"], 0),
        (&["scale", "--demo", "staging/app", "3"], 4),
        (&["scale", "--demo", "production/backend", "4", "--yes"], 4),
        (&["scale", "--demo", "local/app_ap", "3", "--read-only"], 4),
        (&["scale", "--demo", "--speed", "50", "production/backend", "4", "--confirm", "production"], 0),
        (&["-H", "unix:///nowhere/docker.sock", "status"], 1),
    ];
    for (arguments, code) in table {
        let output = run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {told}");
        assert!(*code == 0 || *code == 3 || !told.trim().is_empty(), "{arguments:?} says why");
    }
}

#[test]
fn a_refusal_names_the_flag_to_give() {
    for (environment, workload, flag) in [("staging", "app", "--yes"), ("production", "backend", "--confirm production")] {
        let output = run(&["restart", "--demo", &format!("{environment}/{workload}")]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(flag), "{told}");
        assert!(output.stdout.is_empty(), "nothing was done, nothing is told as data");
    }
}

#[test]
fn an_operation_is_told_step_by_step_and_recorded() {
    let (home, mut command) = command(&["scale", "--demo", "--speed", "50", "staging/app", "3", "--yes", "-o", "ndjson"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    let (last, steps) = lines.split_last().unwrap();
    assert!(steps.len() > 1 && steps.iter().all(|s| s["step"].is_string() && s["state"].is_string()), "{steps:?}");
    assert_eq!(last["outcome"], "done");
    let journal = std::fs::read_to_string(home.path().join("quarterdeck/audit.jsonl")).unwrap();
    assert!(journal.lines().last().unwrap().contains(r#""phase":"ended""#), "{journal}");
}

/// Root may open every socket: then somebody else tries.
#[test]
fn a_socket_one_may_not_open_says_what_to_do() {
    let (home, template) = command(&[]);
    let socket = home.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
    let am_root = std::fs::metadata(&socket).unwrap().uid() == 0;
    let mut command = if am_root {
        // Where the build lies may be root's own, too.
        let qd = home.path().join("qd");
        std::fs::copy(QD, &qd).unwrap();
        std::fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(qd);
        command.uid(65_534).gid(65_534);
        command
    } else {
        std::fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
        Command::new(QD)
    };
    command.envs(template.get_envs().filter_map(|(k, v)| Some((k, v?)))).current_dir(home.path());
    let output = command.args(["ls", "--host", &format!("unix://{}", socket.display())]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("may not be opened: permission denied") && said.contains("docker group"), "{said}");
}

#[test]
fn without_a_terminal_the_console_says_so() {
    let output = run(&["demo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("terminal"));
}
