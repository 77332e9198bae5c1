//! Commands in containers of a real engine: run in one that is there, or in one made for it that nothing else finds.

use std::sync::Arc;
use std::time::Duration;

use quarterdeck::engine::EngineError;
use quarterdeck::model::{InstanceId, WorkloadId};
use quarterdeck::operate::action::{Output, Replica};
use quarterdeck::operate::{Accepted, Action};

use crate::real_engine::{RealEngine, Stack, known, made, real_engine};

fn words(command: &[&str]) -> Vec<Arc<str>> {
    command.iter().map(|word| Arc::from(*word)).collect()
}

fn exec(id: &str, command: &[&str]) -> Action {
    Action::Exec { instance: known(id), command: words(command), timeout: Duration::from_secs(20) }
}

fn output(answer: Result<Accepted, EngineError>) -> Output {
    match answer {
        Ok(Accepted::Output(output)) => *output,
        other => panic!("expected a command's end, got {other:?}"),
    }
}

#[tokio::test]
async fn a_command_in_a_container_is_read_to_its_end() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("exec", &["qd-test/app:1"]);
    let script = "echo out; sleep 0.2; echo err >&2; sleep 0.2; echo again";
    let hostile = "printf '\\033]0;title\\007\\033[2Jx\\n10%%\\r100%%\\npassword=hunter2\\n\\377\\n'";
    for (command, code, text) in [
        (&["sh", "-c", script][..], 0, "out\nerr\nagain"),
        (&["sh", "-c", "echo broken >&2; exit 3"], 3, "broken"),
        (&["true"], 0, ""),
        (&["sh", "-c", "kill -9 $$"], 137, ""),
        (&["sh", "-c", hostile], 0, "x\n100%\npassword=••••••\n\u{fffd}"),
        // Its input is empty: what asks waits for nobody.
        (&["cat"], 0, ""),
    ] {
        let ended = output(engine.act(exec(&container.id, command)).await);
        assert_eq!((ended.code, &*ended.text, ended.cut), (code, text, false), "{command:?}");
    }
    let long = output(engine.act(exec(&container.id, &["sh", "-c", "seq 1 100000"])).await);
    assert!(long.cut && long.text.len() <= 64 << 10 && long.text.ends_with("\n100000"), "{}", long.text.len());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_end_with_a_reason() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("noprog", &["qd-test/app:1"]);
    let missing = output(engine.act(exec(&container.id, &["npx", "prisma", "migrate"])).await);
    let sentence = format!("ended with 127: npx cannot be run in {}: there is no such program", container.name);
    assert_eq!(&*missing.failure(), sentence, "{missing:?}");
    let denied = output(engine.act(exec(&container.id, &["/etc/passwd"])).await);
    assert!(denied.code == 126 && denied.last_line().ends_with("it may not be executed"), "{denied:?}");
}

#[tokio::test]
async fn a_command_that_does_not_end_or_cannot_begin_is_said_to_be_so() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("slow", &["qd-test/app:1"]);
    let slow =
        Action::Exec { instance: known(&container.id), command: words(&["sleep", "600"]), timeout: Duration::from_secs(1) };
    let error = engine.act(slow).await.unwrap_err();
    let sentence = format!("sleep 600 in {} (it may still run there) took longer than 1 s", container.name);
    assert_eq!(error.to_string(), sentence);

    engine.docker(&["stop", "--time", "0", &container.id]);
    let error = engine.act(exec(&container.id, &["true"])).await.unwrap_err();
    assert_eq!(error.to_string(), format!("container {} is in the way: it does not run", container.name));
    let nobody = "0".repeat(64);
    assert!(matches!(engine.act(exec(&nobody, &["true"])).await, Err(EngineError::NotFound { .. })));
}

fn once(operation: &str, slot: u32, stack: &Stack<'_>, like: &InstanceId, command: &[&str], seconds: u64) -> Action {
    Action::RunOnce {
        operation: operation.into(),
        replica: Box::new(Replica {
            environment: stack.environment(),
            workload: WorkloadId::new("web"),
            like: like.clone(),
            slot,
            number: None,
            image: Some("qd-test/app:2".into()),
            digest: None,
            revisions: None,
            hidden: false,
        }),
        command: words(command),
        timeout: Duration::from_secs(seconds),
    }
}

/// The containers an operation has made, any state.
fn made_by(engine: &RealEngine, operation: &str) -> Vec<String> {
    let label = format!("label=dev.quarterdeck.operation={operation}");
    let listed = engine.docker(&["ps", "--all", "--no-trunc", "--quiet", "--filter", &label]);
    listed.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_one_off_is_apart_from_its_workload_and_run_once() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("once");
    let like = InstanceId::new(stack.ids("web")[0].as_str());
    let operation = engine.unique("op");
    let network = format!("{}_front", stack.project);
    let migrate = "echo v=$VERSION role=$ROLE; nslookup web >/dev/null && echo finds web; date +%s%N";
    let run = || once(&operation, 4, &stack, &like, &["sh", "-c", migrate], 30);
    let first = output(engine.act(run()).await);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.text.starts_with("v=2 role=web\n"), "the new image with the definition's environment: {first:?}");

    let ids = made_by(engine, &operation);
    assert_eq!(ids.len(), 1);
    let shown = engine.inspect(&ids[0]);
    assert!(shown["Name"].as_str().unwrap().starts_with(&format!("/{}_web_run_", stack.project)), "{}", shown["Name"]);
    let labels = &shown["Config"]["Labels"];
    assert_eq!(labels["com.docker.compose.oneoff"], "True");
    assert_eq!(labels["com.docker.compose.service"], "web");
    assert_eq!(shown["HostConfig"]["RestartPolicy"]["Name"], "no");
    assert_eq!(shown["HostConfig"]["PortBindings"].as_object().map_or(0, serde_json::Map::len), 0);
    let aliases = shown["NetworkSettings"]["Networks"][&network]["Aliases"].to_string();
    assert!(!aliases.contains("\"web\""), "{aliases}");

    // The same output, to the nanosecond: it has not run again.
    assert_eq!(output(engine.act(run()).await), first);
    assert_eq!(made_by(engine, &operation), ids);

    let forget = || Action::ForgetOnce { environment: stack.environment(), operation: operation.as_str().into(), slot: 4 };
    assert_eq!(engine.act(forget()).await, Ok(Accepted::Done));
    assert_eq!(engine.act(forget()).await, Ok(Accepted::AlreadySo));
    assert!(made_by(engine, &operation).is_empty());
}

#[tokio::test]
async fn a_one_off_left_alone_is_found_again_and_a_slow_one_is_stopped() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("again");
    let like = InstanceId::new(stack.ids("web")[0].as_str());
    let operation = engine.unique("op");
    let command = ["sh", "-c", "echo begun; while [ ! -f /tmp/go ]; do sleep 0.1; done; echo over; exit 5"];
    // Whoever waits for it is gone in the middle of it.
    let waiting = engine.act(once(&operation, 0, &stack, &like, &command, 60));
    tokio::select! {
        answer = waiting => panic!("it waits for its file: {answer:?}"),
        // The engine lists a container a moment before it knows it by its id.
        () = until(|| made_by(engine, &operation).first().is_some_and(|id| has_said(engine, id, "begun"))) => {}
    }
    let id = made_by(engine, &operation)[0].clone();
    engine.docker(&["exec", &id, "touch", "/tmp/go"]);
    let found = output(engine.act(once(&operation, 0, &stack, &like, &command, 60)).await);
    assert_eq!((found.code, &*found.text), (5, "begun\nover"));
    assert_eq!(made_by(engine, &operation), [id]);

    // Made, and never begun: it is begun now.
    let unbegun = engine.unique("op");
    // Of a service without an init of its own: the engine itself starts the program.
    let api = stack.only("api");
    let missing = output(engine.act(once(&unbegun, 0, &stack, &api, &["npx", "prisma"], 20)).await);
    assert_eq!(missing.code, 127, "{missing:?}");
    assert!(missing.last_line().ends_with("there is no such program"), "{missing:?}");
    let missing = output(engine.act(once(&unbegun, 0, &stack, &api, &["npx", "prisma"], 20)).await);
    assert_eq!((missing.code, made_by(engine, &unbegun).len()), (127, 1));

    let slow = engine.unique("op");
    let error = engine.act(once(&slow, 0, &stack, &like, &["sleep", "600"], 1)).await.unwrap_err();
    assert_eq!(error.to_string(), "sleep 600 in a container of its own (which was stopped) took longer than 1 s");
    assert_eq!(engine.inspect(&made_by(engine, &slow)[0])["State"]["Running"], false);
}

fn has_said(engine: &RealEngine, id: &str, word: &str) -> bool {
    String::from_utf8_lossy(&engine.try_docker(&["logs", id]).stdout).contains(word)
}

/// Waits for a condition; the harness ends a test that waits for ever.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn one_made_hidden_is_found_once_it_has_joined() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("join");
    let operation = engine.unique("op");
    let old = stack.only("api");
    let create = Action::Create {
        operation: operation.as_str().into(),
        replica: Box::new(Replica {
            environment: stack.environment(),
            workload: WorkloadId::new("api"),
            like: old.clone(),
            slot: 0,
            number: Some(2),
            image: Some("qd-test/app:2".into()),
            digest: None,
            revisions: None,
            hidden: true,
        }),
    };
    let new = made(engine.act(create).await);
    engine.act(Action::Start { instance: known(&new) }).await.unwrap();
    // From another service of the same network, its addresses by name.
    let looking = stack.ids("db")[0].clone();
    let address = |id: &str| {
        let back = format!("{}_back", stack.project);
        engine.inspect(id)["NetworkSettings"]["Networks"][&back]["IPAddress"].as_str().unwrap().to_owned()
    };
    let finds = |name: &str, id: &str| {
        let said = engine.try_docker(&["exec", &looking, "nslookup", name]);
        String::from_utf8_lossy(&said.stdout).contains(&address(id))
    };
    for name in ["api", "backend"] {
        assert!(finds(name, old.as_str()) && !finds(name, &new), "{name}");
    }
    let join = || Action::Join { instance: known(&new), aliases: words(&["api", "live"]) };
    assert_eq!(engine.act(join()).await, Ok(Accepted::Done));
    for name in ["api", "backend", "live"] {
        assert!(finds(name, &new), "{name}");
    }
    assert!(finds("api", old.as_str()) && !finds("live", old.as_str()));
    assert_eq!(engine.act(join()).await, Ok(Accepted::AlreadySo));
    let networks = engine.inspect(&new)["NetworkSettings"]["Networks"].as_object().unwrap().len();
    assert_eq!(networks, 2);

    // As a kill in the middle of it would leave it.
    engine.docker(&["network", "disconnect", &format!("{}_back", stack.project), &new]);
    assert_eq!(engine.act(join()).await, Ok(Accepted::Done));
    assert!(finds("backend", &new) && finds("live", &new));
}
