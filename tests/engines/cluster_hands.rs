//! The hands in the pods of a real cluster: commands, files, shells, ports, jobs and logs. Each test makes a namespace of its
//! own and takes it away again.

mod ground;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use quarterdeck::engine::{AttachedInput, EngineError, LogQuery, Shell, Subject, Topic, Update};
use quarterdeck::model::InstanceId;
use quarterdeck::operate::action::{InstanceRef, Replica};
use quarterdeck::operate::{Accepted, Action};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cluster::{act, environment};

use ground::{Ground, IMAGE, LIMIT};

#[tokio::test]
async fn commands_end_as_they_do() {
    let Some(ground) = Ground::make("exec").await else { return };
    let pod = ground.running("web", "trap 'exit 0' TERM; sleep 1000 & wait").await;
    let output = ground.exec(&pod, &["sh", "-c", "echo out; echo password=hunter2 >&2; exit 3"]).await.unwrap();
    assert_eq!(output.code, 3);
    assert!(
        output.text.starts_with("out\n") && output.text.contains("password=") && !output.text.contains("hunter2"),
        "{output:?}"
    );
    let missing = ground.exec(&pod, &["nope"]).await.unwrap();
    assert_eq!((missing.code, missing.last_line()), (127, "nope cannot be run in web: there is no such program"));
    let much = ground.exec(&pod, &["sh", "-c", "seq 1 100000; echo the-end"]).await.unwrap();
    assert!(much.cut && much.text.len() <= 64 << 10 && much.last_line() == "the-end");
    let gone = ground.exec(&InstanceId::new(format!("{}/gone", ground.namespace)), &["true"]).await.unwrap_err();
    assert!(matches!(gone, EngineError::NotFound { .. }), "{gone}");
    let over = ground.pod("over", "Never", &[("main", "exit 0")]).await;
    ground.until(&over, "over", |p| p.pointer("/status/phase") == Some(&json!("Succeeded"))).await;
    let error = ground.exec(&over, &["true"]).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn files_go_in_and_out_whole() {
    let Some(ground) = Ground::make("files").await else { return };
    let pod = ground.running("web", "trap 'exit 0' TERM; sleep 1000 & wait").await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| Arc::<str>::from(folder.path().join(name).to_str().unwrap());
    let content: Vec<u8> = (0..3_000_001_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&*path("in"), &content).unwrap();
    let instance = || InstanceRef::Known(pod.clone());
    ground.exec(&pod, &["sh", "-c", "echo old > /tmp/file; chmod 640 /tmp/file; chown 1000 /tmp/file"]).await.unwrap();
    let into = |to: &str| Action::CopyIn { instance: instance(), from: path("in"), to: to.into() };
    assert_eq!(act(&ground.engine, into("/tmp/file")).await, Ok(Accepted::Done));
    let kept = ground.exec(&pod, &["stat", "-c", "%a %u %s", "/tmp/file"]).await.unwrap();
    assert_eq!(kept.last_line(), "640 1000 3000001", "owner and mode stay");
    assert_eq!(act(&ground.engine, into("/tmp/new file")).await, Ok(Accepted::Done));
    let out = |from: &str, to: &str| Action::CopyOut { instance: instance(), from: from.into(), to: path(to) };
    assert_eq!(act(&ground.engine, out("/tmp/new file", "deep/out")).await, Ok(Accepted::Done));
    assert!(std::fs::read(&*path("deep/out")).unwrap() == content, "byte for byte");
    for (from, why) in
        [("/tmp", "it is a folder; one file is copied"), ("/tmp/none", "there is no such file"), ("x", "it is no whole path")]
    {
        let error = act(&ground.engine, out(from, "never")).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!std::path::Path::new(&*path("never")).exists());
    }
    let error = act(&ground.engine, into("/no/folder/file")).await.unwrap_err().to_string();
    assert!(error.contains("there is no such folder"), "{error}");
    let left = ground.exec(&pod, &["sh", "-c", "ls -A /tmp"]).await.unwrap();
    assert_eq!(left.text.lines().collect::<Vec<_>>(), ["file", "new file"], "nothing is left behind");
    let keep = || "op-1".into();
    let put =
        |content: &str| Action::PutFile { instance: instance(), path: "/tmp/conf".into(), content: content.into(), keep: keep() };
    let read = async || ground.exec(&pod, &["cat", "/tmp/conf"]).await.unwrap();
    for _ in 0..2 {
        act(&ground.engine, put("one\n")).await.unwrap();
    }
    act(&ground.engine, put("two")).await.unwrap();
    assert_eq!(read().await.text.trim_end(), "two");
    let restore = || Action::RestoreFile { instance: instance(), path: "/tmp/conf".into(), keep: keep() };
    assert_eq!(act(&ground.engine, restore()).await, Ok(Accepted::Done));
    assert_eq!(read().await.code, 1, "it was not there before");
    assert_eq!(act(&ground.engine, restore()).await, Ok(Accepted::AlreadySo));
    ground.exec(&pod, &["sh", "-c", "echo before > /tmp/conf"]).await.unwrap();
    act(&ground.engine, put("after")).await.unwrap();
    assert_eq!(act(&ground.engine, restore()).await, Ok(Accepted::Done));
    assert_eq!(read().await.text.trim_end(), "before");
    act(&ground.engine, put("after")).await.unwrap();
    let forget = || Action::ForgetFile { instance: instance(), path: "/tmp/conf".into(), keep: keep() };
    assert_eq!(act(&ground.engine, forget()).await, Ok(Accepted::Done));
    assert_eq!(act(&ground.engine, forget()).await, Ok(Accepted::AlreadySo));
    assert_eq!(read().await.text.trim_end(), "after");
}

#[tokio::test]
async fn a_shell_opens_on_a_terminal_of_the_right_size() {
    let Some(ground) = Ground::make("shell").await else { return };
    let pod = ground.running("web", "trap 'exit 0' TERM; sleep 1000 & wait").await;
    let shell = |commands: &[&str]| Shell {
        instance: pod.clone(),
        commands: commands.iter().map(|c| vec![(*c).to_owned()]).collect(),
        size: (91, 33),
    };
    let mut attached = ground.engine.attach(shell(&["bash", "sh"])).await.unwrap();
    let type_in = |text: &str| attached.input.clone().try_send(AttachedInput::Bytes(text.to_owned().into())).unwrap();
    type_in("until [ \"$(stty size)\" = '33 91' ]; do sleep 0.1; done; echo size-$((1+1))\n");
    let mut seen = String::new();
    let mut resized = false;
    let read = async {
        while let Some(piece) = attached.output.next().await {
            seen.push_str(&String::from_utf8_lossy(&piece.unwrap()));
            if seen.contains("size-2") && !resized {
                resized = true;
                attached.input.send(AttachedInput::Resize(120, 40)).await.unwrap();
                let text = "until [ \"$(stty size)\" = '40 120' ]; do sleep 0.1; done; echo re$((2+3))sized; exit 7\n";
                attached.input.send(AttachedInput::Bytes(text.into())).await.unwrap();
            }
        }
    };
    assert!(tokio::time::timeout(LIMIT, read).await.is_ok(), "it does not end");
    assert!(seen.contains("re5sized"), "{seen}");
    let error = ground.engine.attach(shell(&["zsh", "/opt/fish"])).await.err().unwrap();
    assert_eq!(error.to_string(), "any of zsh, /opt/fish in web does not exist");
    let attached = ground.engine.attach(shell(&["sh"])).await.unwrap();
    let mut output = attached.output;
    drop(attached.input);
    let drained = async { while output.next().await.is_some() {} };
    assert!(tokio::time::timeout(LIMIT, drained).await.is_ok(), "the shell goes on without anybody");
}

#[tokio::test]
async fn a_port_is_reached_through_the_server() {
    let Some(ground) = Ground::make("dial").await else { return };
    let script = "mkdir /www; echo hello > /www/index.html; trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait";
    let pod = ground.running("web", script).await;
    let ask = async || {
        let mut stream = ground.engine.dial(pod.clone(), 8080).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        Ok::<String, EngineError>(answer)
    };
    let answered = async {
        loop {
            // It may not listen yet when its container runs.
            if ask().await.is_ok_and(|answer| answer.contains("200 OK") && answer.ends_with("hello\n")) {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(LIMIT, answered).await.is_ok());
    let refused = async {
        match ground.engine.dial(pod.clone(), 81).await {
            Err(error) => error.to_string(),
            Ok(mut stream) => stream.read_to_string(&mut String::new()).await.unwrap_err().to_string(),
        }
    };
    let refused = tokio::time::timeout(LIMIT, refused).await.unwrap();
    assert!(refused.contains("nothing listens there"), "{refused}");
    let gone = ground.engine.dial(InstanceId::new(format!("{}/gone", ground.namespace)), 80).await.err().unwrap();
    assert!(matches!(gone, EngineError::NotFound { .. }), "{gone}");
}

#[tokio::test]
async fn a_log_is_followed_from_run_to_run() {
    let Some(ground) = Ground::make("logs").await else { return };
    // Each run counts on from the one before, in a file of the pod that outlives its container.
    let script = "n=$(cat /keep/n 2>/dev/null || echo 0); for i in 1 2 3 4 5; do n=$((n+1)); echo $n > /keep/n; echo line $n; done; \
                  [ $n -lt 15 ] || sleep 1000; exit 4";
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "runs"},
        "spec": {
            "terminationGracePeriodSeconds": 1, "volumes": [{"name": "keep", "emptyDir": {}}],
            "containers": [{"name": "main", "image": IMAGE, "command": ["sh", "-c", script], "volumeMounts": [{"name": "keep", "mountPath": "/keep"}]}],
        },
    });
    ground.post(&ground.path("pods"), &pod).await;
    let id = InstanceId::new(format!("{}/runs", ground.namespace));
    let follow = LogQuery { follow: true, ..LogQuery::of(id.clone()) };
    let all = ground.log(follow, |lines| lines.iter().any(|l| l == "line 15")).await;
    let texts: Vec<&String> = all.iter().filter(|l| l.starts_with("line ")).collect();
    let expected: Vec<String> = (1..=15).map(|n| format!("line {n}")).collect();
    assert_eq!(texts, expected.iter().collect::<Vec<_>>(), "every line once, in order: {all:#?}");
    assert!(all.iter().any(|l| l.contains("exit code 4") || l.contains("started again")), "{all:#?}");
    let last = ground.log(LogQuery { tail: Some(2), ..LogQuery::of(id.clone()) }, |_| false).await;
    assert_eq!(last, ["line 14", "line 15"]);
    let before = ground.log(LogQuery { previous: true, ..LogQuery::of(id.clone()) }, |_| false).await;
    assert_eq!(before, (6..=10).map(|n| format!("line {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_log_that_is_not_there_says_why() {
    let Some(ground) = Ground::make("nolog").await else { return };
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "none"},
        "spec": {"containers": [{"name": "main", "image": "registry.invalid/none:1", "imagePullPolicy": "Never"}]},
    });
    ground.post(&ground.path("pods"), &pod).await;
    let id = InstanceId::new(format!("{}/none", ground.namespace));
    let follow = LogQuery { follow: true, ..LogQuery::of(id.clone()) };
    let said = ground.log(follow, |lines| lines.iter().any(|l| l.contains("ErrImageNeverPull"))).await;
    assert!(said.iter().all(|l| l.starts_with("[waiting: ")), "{said:#?}");
    let said = ground.log(LogQuery::of(id.clone()), |_| false).await;
    assert!(said[0].starts_with("[waiting: ErrImageNeverPull"), "{said:#?}");
    let pod = ground.pod("two", "Never", &[("main", "echo one"), ("side", "echo two")]).await;
    ground.until(&pod, "over", |p| p.pointer("/status/phase") == Some(&json!("Succeeded"))).await;
    let side = InstanceId::new(format!("{pod}/side"));
    let follow = |id: InstanceId| LogQuery { follow: true, ..LogQuery::of(id) };
    assert_eq!(ground.log(follow(side), |_| false).await, ["two", "[ended: the container has ended with exit code 0]"]);
    let previous = ground.log(LogQuery { previous: true, ..LogQuery::of(pod.clone()) }, |_| false).await;
    assert_eq!(previous, ["[ended: there was no run before this one, or it is no longer kept]"]);
    let nope = ground.log(follow(InstanceId::new(format!("{pod}/nope"))), |_| false).await;
    assert_eq!(nope, ["[ended: there is no container two/nope]"]);
    let gone = ground.log(follow(InstanceId::new(format!("{}/gone", ground.namespace))), |_| false).await;
    assert_eq!(gone, ["[ended: the pod is gone]"]);
}

#[tokio::test]
async fn a_command_runs_once_as_a_job_of_the_workloads_own_template() {
    let Some(ground) = Ground::make("once").await else { return };
    let web = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
                "name": "web", "image": IMAGE, "command": ["sleep", "1000"], "env": [{"name": "GREETING", "value": "hello"}],
                "readinessProbe": {"exec": {"command": ["false"]}}, "ports": [{"containerPort": 80}],
            }]}},
        },
    });
    ground.post(&format!("/apis/apps/v1/namespaces/{}/deployments", ground.namespace), &web).await;
    let once = |slot: u32, command: &[&str]| Action::RunOnce {
        operation: "op-1".into(),
        replica: Box::new(Replica {
            environment: environment(),
            workload: "web".into(),
            like: InstanceId::new(format!("{}/any", ground.namespace)),
            slot,
            number: None,
            image: Some(IMAGE.into()),
            digest: None,
            revisions: None,
            hidden: false,
        }),
        command: command.iter().map(|word| Arc::from(*word)).collect(),
        timeout: LIMIT,
    };
    let output = async |action: Action| match act(&ground.engine, action).await {
        Ok(Accepted::Output(output)) => *output,
        other => panic!("{other:?}"),
    };
    let script = "echo $GREETING token=abcdefghijkl; date +%s%N; exit 5";
    let first = output(once(0, &["sh", "-c", script])).await;
    assert_eq!(first.code, 5);
    assert!(first.text.starts_with("hello token=") && !first.text.contains("abcdefghijkl"), "{first:?}");
    assert_eq!(output(once(0, &["sh", "-c", script])).await, first, "asked again, the first one's end is read");
    let missing = output(once(1, &["nope"])).await;
    assert_eq!(missing.code, 127, "{missing:?}");
    assert!(missing.last_line().starts_with("nope cannot be run"), "{missing:?}");
    let mut slow = once(2, &["sleep", "1000"]);
    if let Action::RunOnce { timeout, .. } = &mut slow {
        *timeout = Duration::from_secs(5);
    }
    let error = act(&ground.engine, slow).await.unwrap_err();
    assert!(matches!(&error, EngineError::TimedOut { what, .. } if what.contains("was stopped")), "{error}");
    let forget = |slot: u32| Action::ForgetOnce { environment: environment(), operation: "op-1".into(), slot };
    assert_eq!(act(&ground.engine, forget(0)).await, Ok(Accepted::Done));
    let path = format!("/apis/batch/v1/namespaces/{}/jobs", ground.namespace);
    let left = async || ground.client.get::<Value>("jobs", &path).await.unwrap()["items"].as_array().unwrap().len();
    let removed = async {
        while left().await != 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, removed).await.is_ok());
    assert_eq!(act(&ground.engine, forget(0)).await, Ok(Accepted::AlreadySo));
}

#[tokio::test]
async fn what_a_cluster_holds_is_described_masked() {
    let Some(ground) = Ground::make("describe").await else { return };
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{
            "name": "main", "image": IMAGE, "command": ["sleep", "1000"], "env": [{"name": "DB_PASSWORD", "value": "geheim"}],
        }], "terminationGracePeriodSeconds": 1},
    });
    ground.post(&ground.path("pods"), &pod).await;
    let id = InstanceId::new(format!("{}/web", ground.namespace));
    let mut updates = ground.engine.subscribe(Topic::Describe(Subject::Instance(id)));
    let told = async {
        while let Some(update) = updates.next().await {
            let Update::Description(description) = update else { continue };
            let text = description.lines.join("\n");
            assert!(!text.contains("geheim"), "{text}");
            // Told again when it has changed.
            if text.contains("Started") {
                return text;
            }
        }
        String::new()
    };
    let text = tokio::time::timeout(LIMIT, told).await.unwrap();
    assert!(text.starts_with("apiVersion: v1\nkind: Pod\nmetadata:\n"), "{text}");
    assert!(text.contains("  managedFields: folded, of ") && text.contains("# events\n"), "{text}");
}
