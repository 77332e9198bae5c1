//! Files copied in and out of a real engine's containers, written with the old kept, images and disks looked at.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::engine::EngineError;
use quarterdeck::model::EnvironmentId;
use quarterdeck::operate::{Accepted, Action};

use crate::real_engine::{RealEngine, known, not_run, real_engine};
use crate::registry::{Registry, digest};

fn text(path: &std::path::Path) -> Arc<str> {
    path.to_str().unwrap().into()
}

fn copy_in(id: &str, from: &std::path::Path, to: &str) -> Action {
    Action::CopyIn { instance: known(id), from: text(from), to: to.into() }
}

fn copy_out(id: &str, from: &str, to: &std::path::Path) -> Action {
    Action::CopyOut { instance: known(id), from: from.into(), to: text(to) }
}

/// What a command in the container prints.
fn inside(engine: &RealEngine, id: &str, script: &str) -> String {
    engine.docker(&["exec", id, "sh", "-c", script])
}

#[tokio::test]
async fn a_file_goes_in_and_comes_out_again() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("copy", &["qd-test/app:1"]);
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("dump.rdb");
    let content: Vec<u8> = (0..3_000_001_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&source, &content).unwrap();

    // Who owned what is there still does; a new one belongs to its folder's owner.
    inside(engine, &container.id, "echo old > /data/dump.rdb; chown 1000:1000 /data /data/dump.rdb; chmod 600 /data/dump.rdb");
    for (to, expected) in [("/data/dump.rdb", "600 1000 1000 3000001"), ("/data/new.rdb", "644 1000 1000 3000001")] {
        assert_eq!(engine.act(copy_in(&container.id, &source, to)).await, Ok(Accepted::Done));
        assert_eq!(inside(engine, &container.id, &format!("stat -c '%a %u %g %s' {to}")).trim(), expected);
    }
    // Through a link, and from a container that is stopped.
    inside(engine, &container.id, "ln -s /data/dump.rdb /tmp/latest");
    engine.docker(&["stop", "--time", "0", &container.id]);
    let target = folder.path().join("backups/2026/redis.rdb");
    for from in ["/data/dump.rdb", "/tmp/latest", "/data/dump.rdb"] {
        let (answer, said) = engine.act_reporting(copy_out(&container.id, from, &target)).await;
        assert_eq!(answer, Ok(Accepted::Done), "{from}");
        assert_eq!(said.last().map(String::as_str), Some("copied 3.0 of 3.0 MB"));
        assert!(std::fs::read(&target).unwrap() == content, "{from}");
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&source, "small").unwrap();
    assert_eq!(engine.act(copy_in(&container.id, &source, "/data/dump.rdb")).await, Ok(Accepted::Done));
    assert_eq!(engine.act(copy_out(&container.id, "/data/dump.rdb", &target)).await, Ok(Accepted::Done));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "small");
    assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn what_cannot_be_copied_is_said_and_leaves_nothing() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("nocopy", &["qd-test/app:1"]);
    let folder = tempfile::tempdir().unwrap();
    let (missing, there) = (folder.path().join("missing"), folder.path().join("there"));
    std::fs::write(&there, "x").unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let name = &container.name;
    for (action, sentence) in [
        (copy_in(&container.id, &missing, "/data/x"), format!("{}: there is no such file", missing.display())),
        (
            copy_in(&container.id, folder.path(), "/data/x"),
            format!("{}: it is a folder; one file is copied", folder.path().display()),
        ),
        (copy_in(&container.id, &there, "/data"), format!("/data in {name}: it is a folder; name the file in it")),
        (copy_in(&container.id, &there, "/none/x"), format!("/none in {name}: there is no such folder")),
        (copy_in(&container.id, &there, "x"), format!("x in {name}: it is no whole path (/folder/file)")),
        (copy_out(&container.id, "/none", &missing), format!("/none in {name}: there is no such file")),
        (copy_out(&container.id, "/etc/passwd/x", &missing), format!("/etc/passwd/x in {name}: there is no such file")),
        (copy_out(&container.id, "/etc", &missing), format!("/etc in {name}: it is a folder; one file is copied")),
        (
            copy_out(&container.id, "/etc/passwd", &folder.path().join("folder")),
            format!("{}/folder: it is a folder; name the file in it", folder.path().display()),
        ),
    ] {
        let context = format!("{action:?}");
        assert_eq!(engine.act(action).await.map_err(|error| error.to_string()), Err(sentence), "{context}");
    }
    let nobody = "0".repeat(64);
    assert!(matches!(engine.act(copy_out(&nobody, "/x", &missing)).await, Err(EngineError::NotFound { .. })));
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

// The connection is given up beside the test: the engine holds the container until it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_cut_off_leaves_nothing_behind() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("cut", &["qd-test/app:1"]);
    inside(engine, &container.id, "dd if=/dev/zero of=/data/big bs=1M count=256 2>/dev/null");
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("big");
    std::fs::write(&target, "the one before").unwrap();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    // Given up as soon as it has begun to write.
    tokio::select! {
        answer = engine.act(copy_out(&container.id, "/data/big", &target)) => panic!("it was too quick: {answer:?}"),
        () = async { while files() < 2 { tokio::time::sleep(Duration::from_millis(1)).await; } } => {}
    }
    assert_eq!(files(), 1);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "the one before");
}

#[tokio::test]
async fn what_was_written_over_is_put_back() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("put", &["qd-test/app:1"]);
    inside(engine, &container.id, "echo 'server blue;' > /etc/up.conf; chown 1000 /etc/up.conf; chmod 640 /etc/up.conf");
    let (operation, path): (Arc<str>, Arc<str>) = ("2026-11-21T10:00:00Z/x".into(), "/etc/up.conf".into());
    let keep = || operation.as_ref().into();
    let put = |path: &Arc<str>, content: &str| Action::PutFile {
        instance: known(&container.id),
        path: path.clone(),
        content: content.into(),
        keep: keep(),
    };
    let restore = |path: &Arc<str>| Action::RestoreFile { instance: known(&container.id), path: path.clone(), keep: keep() };
    let forget = |path: &Arc<str>| Action::ForgetFile { instance: known(&container.id), path: path.clone(), keep: keep() };
    let shown =
        || inside(engine, &container.id, "cat /etc/up.conf; stat -c '%a %u' /etc/up.conf; ls /etc | grep -c quarterdeck || true");

    assert_eq!(engine.act(put(&path, "server green;\n")).await, Ok(Accepted::Done));
    assert_eq!(shown(), "server green;\n640 1000\n1\n");
    assert_eq!(engine.act(put(&path, "server green;\n")).await, Ok(Accepted::AlreadySo));
    // Written again with something else, what was there first is what is kept.
    assert_eq!(engine.act(put(&path, "server both;\n")).await, Ok(Accepted::Done));
    assert_eq!(engine.act(restore(&path)).await, Ok(Accepted::Done));
    assert_eq!(shown(), "server blue;\n640 1000\n0\n");
    assert_eq!(engine.act(restore(&path)).await, Ok(Accepted::AlreadySo));

    assert_eq!(engine.act(put(&path, "server green;\n")).await, Ok(Accepted::Done));
    assert_eq!(engine.act(forget(&path)).await, Ok(Accepted::Done));
    assert_eq!(engine.act(forget(&path)).await, Ok(Accepted::AlreadySo));
    assert_eq!(engine.act(restore(&path)).await, Ok(Accepted::AlreadySo));
    assert_eq!(shown(), "server green;\n640 1000\n0\n");

    // What was not there goes.
    let new: Arc<str> = "/etc/new.conf".into();
    assert_eq!(engine.act(put(&new, "x")).await, Ok(Accepted::Done));
    assert_eq!(engine.act(put(&new, "y")).await, Ok(Accepted::Done));
    assert_eq!(inside(engine, &container.id, "cat /etc/new.conf"), "y");
    assert_eq!(engine.act(restore(&new)).await, Ok(Accepted::Done));
    assert_eq!(inside(engine, &container.id, "ls /etc | grep -c new || true").trim(), "0");
}

#[tokio::test]
async fn a_file_that_is_a_mount_of_its_own_is_written_too() {
    let Some(engine) = real_engine() else { return };
    if !engine.host.starts_with("unix://") {
        not_run("writing a file that is mounted", "the engine is not on this machine");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, "blue").unwrap();
    let mount = format!("{}:/etc/nginx.conf", file.display());
    let container = engine.run("mount", &["--volume", &mount, "qd-test/app:1"]);
    let (path, keep): (Arc<str>, Arc<str>) = ("/etc/nginx.conf".into(), "op-1".into());
    let put = Action::PutFile {
        instance: known(&container.id),
        path: path.clone(),
        content: "green".into(),
        keep: keep.as_ref().into(),
    };
    assert_eq!(engine.act(put).await, Ok(Accepted::Done));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "green");
    let restore = Action::RestoreFile { instance: known(&container.id), path, keep: keep.as_ref().into() };
    assert_eq!(engine.act(restore).await, Ok(Accepted::Done));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "blue");
}

#[tokio::test]
async fn without_rm_what_was_not_there_is_emptied() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("norm", &["qd-test/app:1"]);
    let (path, keep): (Arc<str>, Arc<str>) = ("/etc/new.conf".into(), "op-1".into());
    let put =
        Action::PutFile { instance: known(&container.id), path: path.clone(), content: "x".into(), keep: keep.as_ref().into() };
    assert_eq!(engine.act(put).await, Ok(Accepted::Done));
    inside(engine, &container.id, "rm /bin/rm");
    let restore = Action::RestoreFile { instance: known(&container.id), path: path.clone(), keep: keep.as_ref().into() };
    let (answer, said) = engine.act_reporting(restore).await;
    assert_eq!(answer, Ok(Accepted::Done));
    assert!(said.iter().any(|line| line.ends_with("it is empty now")), "{said:?}");
    assert_eq!(inside(engine, &container.id, "stat -c %s /etc/new.conf").trim(), "0");
    let forget = Action::ForgetFile { instance: known(&container.id), path, keep: keep.as_ref().into() };
    assert!(matches!(engine.act(forget).await, Err(EngineError::Unsupported { .. })));
}

fn look(image: &str) -> Action {
    Action::LookAtImage { environment: EnvironmentId::new("real", "shop"), image: image.into(), digest: None }
}

/// Makes an image of nothing for another processor.
fn load(engine: &RealEngine, name: &str, architecture: &str) {
    let folder = tempfile::tempdir().unwrap();
    let layer = [0; 1024];
    let config = serde_json::json!({
        "architecture": architecture, "os": "linux", "config": { "Cmd": ["/none"] },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let manifest =
        serde_json::json!([{ "Config": "config.json", "RepoTags": [format!("{name}:latest")], "Layers": ["layer.tar"] }]);
    std::fs::write(folder.path().join("layer.tar"), layer).unwrap();
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    std::fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
    let archive = folder.path().join("image.tar");
    let made = Command::new("tar")
        .arg("-C")
        .arg(folder.path())
        .arg("-cf")
        .arg(&archive)
        .args(["manifest.json", "config.json", "layer.tar"])
        .status();
    assert!(made.unwrap().success());
    engine.docker(&["load", "--input", archive.to_str().unwrap()]);
}

#[tokio::test]
async fn an_image_is_here_or_in_its_registry_or_not_to_be_had() {
    let Some(engine) = real_engine() else { return };
    let words = |answer: Result<Accepted, EngineError>| match answer {
        Ok(Accepted::Reading { words, .. }) => words.to_string(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("error: {error}"),
    };
    let id = engine.image_id("qd-test/app:1");
    let architecture = engine.docker(&["version", "--format", "{{.Server.Arch}}"]).trim().to_owned();
    assert_eq!(words(engine.act(look("qd-test/app:1")).await), format!("present, {}, linux/{architecture}", &id[..19]));
    if engine.host.starts_with("unix://") {
        let registry = Registry::start(None);
        let there = words(engine.act(look(&format!("{}/app:1", registry.address))).await);
        assert!(there.starts_with("in its registry, sha256:") && there.ends_with("linux/amd64"), "{there}");
        let image = format!("{}/app:9", registry.address);
        let missing = words(engine.act(look(&image)).await);
        assert_eq!(missing, format!("error: image {image}: it is neither here nor in its registry"));
    } else {
        not_run("looking into a registry", "the engine is not on this machine and cannot reach the test's registry");
    }
    // Its description says it is for another machine.
    let other = engine.unique("arm");
    let wrong = if architecture == "s390x" { "amd64" } else { "s390x" };
    load(engine, &other, wrong);
    let why = format!("error: image {other}: it is for linux/{wrong}, the engine runs linux/{architecture}");
    assert_eq!(words(engine.act(look(&other)).await), why);
    let ensure =
        Action::EnsureImage { environment: EnvironmentId::new("real", "shop"), image: other.as_str().into(), digest: None };
    assert_eq!(words(engine.act(ensure).await), why);
    engine.docker(&["rmi", &other]);
}

#[tokio::test]
async fn the_disk_is_looked_at_where_it_is_known() {
    let Some(engine) = real_engine() else { return };
    let disk = |least_bytes| Action::LookAtDisk { environment: EnvironmentId::new("real", "shop"), least_bytes };
    if engine.host.starts_with("unix://") {
        let Ok(Accepted::Reading { value: Some(free), words }) = engine.act(disk(1)).await else { panic!() };
        assert!(free > 1.0 && words.contains(" GB free"), "{words}");
        let error = engine.act(disk(u64::MAX)).await.unwrap_err();
        assert!(matches!(error, EngineError::Unmet { .. }), "{error}");
    } else {
        let Ok(Accepted::Reading { value: None, words }) = engine.act(disk(1)).await else { panic!() };
        assert!(words.starts_with("not known"), "{words}");
    }
}
