//! An engine behind a real sshd: one connection for everything, every refusal a sentence, nothing of ssh's on the
//! terminal, and nothing left when it ends.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::QD;
use crate::command::lines;
use crate::pty::Terminal;
use crate::real_engine::{RealEngine, not_run, real_engine};
use crate::sshd::{Sshd, wait_for};

/// What ssh says to people.
const SSH_WORDS: [&str; 6] = ["authenticity", "yes/no", "fingerprint is", "s password:", "WARNING", "@@@"];

fn server() -> Option<(&'static RealEngine, Sshd)> {
    let engine = real_engine()?;
    let here = engine.host.starts_with("unix://");
    let sshd = if here { Sshd::start() } else { Err(format!("{} is no socket of this machine", engine.host)) };
    sshd.map(|sshd| (engine, sshd))
        .inspect_err(|why| {
            not_run("engines behind ssh", why);
            assert!(std::env::var_os("CI").is_none(), "an sshd is required: {why}");
        })
        .ok()
}

fn socket(engine: &RealEngine) -> &str {
    engine.host.trim_start_matches("unix://")
}

/// The program with the test's ssh, on an address.
fn command(sshd: &Sshd, address: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(QD);
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(name, sshd.home());
    }
    command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT").env_remove("SSH_AUTH_SOCK");
    command.env("PATH", sshd.search_path()).env("XDG_RUNTIME_DIR", sshd.path("run")).current_dir(sshd.home());
    command.args(["-H", address]).args(arguments).stdin(Stdio::null());
    command
}

fn run(sshd: &Sshd, address: &str, arguments: &[&str]) -> Output {
    command(sshd, address, arguments).output().unwrap()
}

/// The same in a terminal.
fn terminal(sshd: &Sshd, address: &str, arguments: &str) -> Terminal {
    let (path, run) = (sshd.search_path(), sshd.path("run"));
    let line =
        format!("unset SSH_AUTH_SOCK; PATH='{path}' XDG_RUNTIME_DIR='{}' exec {QD} -H {address} {arguments}", run.display());
    Terminal::start("sh", &["-c", &line], &sshd.home(), (120, 40))
}

fn leaves_nothing(sshd: &Sshd) {
    wait_for("the end of every ssh", || sshd.clients().is_empty());
    assert_eq!(fs::read_dir(sshd.path("run")).unwrap().count(), 0, "no socket is left behind");
}

#[test]
fn everything_goes_over_one_connection() {
    let Some((engine, sshd)) = server() else { return };
    let stack = engine.stack("ssh");
    let address = sshd.address(socket(engine));
    let status = run(&sshd, &address, &["status", &stack.project, "-o", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let environment = &status["environments"][0];
    assert_eq!(environment["feed"]["state"].as_str(), Some("live"));
    assert!(environment["endpoint"].as_str().is_some_and(|endpoint| endpoint.starts_with(&address)), "{environment}");
    assert_eq!(environment["workloads_total"], 4);
    assert_eq!(sshd.let_in(), 1);
    leaves_nothing(&sshd);

    // Four logs, the events, the list and the signs of life at once.
    let mut follow = command(&sshd, &address, &["logs", &stack.project, "-f", "--tail", "2", "-o", "ndjson"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let mut output = BufReader::new(follow.stdout.take().unwrap());
    while seen.len() < 4 {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        seen.extend(line["workload"].as_str().map(str::to_owned));
    }
    assert_eq!((sshd.let_in(), sshd.clients().len()), (2, 1), "one connection for all of it");
    // Another one at the same time is in nobody's way.
    let list = run(&sshd, &address, &["ls", &stack.project, "-o", "json"]);
    assert_eq!(serde_json::from_slice::<Value>(&list.stdout).unwrap().as_array().map(Vec::len), Some(4));
    wait_for("the end of the other's ssh", || sshd.clients().len() == 1);
    assert!(follow.try_wait().unwrap().is_none());
    // Killed, it can clear nothing up, and its ssh ends all the same.
    follow.kill().unwrap();
    follow.wait().unwrap();
    wait_for("the end of ssh after a kill", || sshd.clients().is_empty());

    let scaled = run(&sshd, &address, &["scale", &format!("{}/cache", stack.project), "2", "-y", "-o", "ndjson"]);
    let told = lines(&scaled);
    assert_eq!(told.last().and_then(|l| l["outcome"].as_str()), Some("done"), "{told:?}");
    assert_eq!(stack.ids("cache").len(), 2);
    // What the killed one left is swept away by then.
    leaves_nothing(&sshd);
}

#[test]
fn every_refusal_is_a_sentence_and_nothing_is_asked() {
    let Some((engine, mut sshd)) = server() else { return };
    let address = sshd.address(socket(engine));
    let said = |sshd: &Sshd, address: &str| {
        // At a terminal, where ssh would ask.
        let mut terminal = terminal(sshd, address, "status -o json; true");
        let exit = terminal.wait_exit();
        let screen = terminal.text();
        assert!(!SSH_WORDS.iter().any(|word| screen.contains(word)), "{screen}");
        let output = run(sshd, address, &["doctor", "-o", "json"]);
        assert!(!exit.success() && !output.status.success());
        leaves_nothing(sshd);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    type Prepare = fn(&Sshd);
    let table: [(&str, Prepare, &str, &str); 5] = [
        ("an unknown host", |s| s.trust_nobody(), "the host key is not known here", "compare the fingerprint"),
        ("another key", |s| s.trust("other-host"), "is not the one known here", "find out why before anything else"),
        (
            "a stranger",
            |s| fs::write(s.path("authorized"), fs::read(s.path("stranger.pub")).unwrap()).unwrap(),
            "Permission denied (publickey)",
            "ssh-add",
        ),
        // The jump host's ssh is started by ssh and would ask by itself.
        (
            "an unknown jump host",
            |s| {
                let port = s.address("").rsplit(':').next().unwrap().to_owned();
                s.client(&format!("Host 127.0.0.1\n  ProxyJump jump\nHost jump\n  HostName localhost\n  Port {port}"));
            },
            "the host key is not known here",
            "compare the fingerprint",
        ),
        ("no ssh", |s| fs::write(s.path("bin/ssh"), "#!/nowhere/sh\n").unwrap(), "cannot", "OpenSSH"),
    ];
    for (what, prepare, words, hint) in table {
        sshd.trust("host");
        sshd.client("");
        fs::copy(sshd.path("person.pub"), sshd.path("authorized")).unwrap();
        prepare(&sshd);
        let doctor = said(&sshd, &address);
        assert!(doctor.contains(words) && doctor.contains(hint), "{what}: {doctor}");
        assert!(doctor.contains(&address), "{what}: {doctor}");
    }
    sshd.trust("host");
    sshd.client("");
    fs::copy(sshd.path("person.pub"), sshd.path("authorized")).unwrap();
    let doctor = said(&sshd, &sshd.address("/nowhere/docker.sock"));
    assert!(doctor.contains("the host has no socket /nowhere/docker.sock"), "{doctor}");
    sshd.configure("AllowStreamLocalForwarding no");
    sshd.down();
    let doctor = said(&sshd, &address);
    assert!(doctor.contains("Connection refused") && doctor.contains("check the address"), "{doctor}");
    sshd.up();
    let doctor = said(&sshd, &address);
    assert!(doctor.contains("the host opens no way to") && doctor.contains("AllowStreamLocalForwarding"), "{doctor}");
}

#[test]
fn a_lost_connection_is_stale_and_comes_back() {
    let Some((engine, mut sshd)) = server() else { return };
    let container = engine.run("sshloose", &["qd-test/app:1"]);
    let address = sshd.address(socket(engine));
    let mut terminal = terminal(&sshd, &address, "-e containers");
    terminal.wait_text(&container.name);
    terminal.wait("live", |s| s.contents().contains("● live"));
    sshd.down();
    terminal.wait_text("stale");
    assert!(terminal.text().contains(&container.name), "what was seen stays in sight");
    sshd.up();
    terminal.wait("live again", |s| s.contents().contains("● live") && !s.contents().contains("stale"));
    assert!(!SSH_WORDS.iter().any(|word| terminal.text().contains(word)), "{}", terminal.text());
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_restored();
    assert_eq!(terminal.text().trim(), "", "nothing is left behind");
    leaves_nothing(&sshd);
}
