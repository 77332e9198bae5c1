//! A shell in a container of a real engine.

use std::time::Duration;

use futures_util::StreamExt;
use quarterdeck::engine::docker::attach::attach;
use quarterdeck::engine::docker::client::Client;
use quarterdeck::engine::{Attached, AttachedInput, EngineError, Shell};
use quarterdeck::model::InstanceId;

use crate::real_engine::real_engine;

fn shell(id: &str, commands: &[&str]) -> Shell {
    let commands = commands.iter().map(|command| command.split(' ').map(str::to_owned).collect()).collect();
    Shell { instance: InstanceId::new(id), commands, size: (91, 33) }
}

async fn type_in(attached: &Attached, text: &str) {
    attached.input.send(AttachedInput::Bytes(text.to_owned().into())).await.unwrap();
}

/// Reads until `wanted` has been printed, or to the end.
async fn read_until(attached: &mut Attached, wanted: &str) -> String {
    let mut seen = String::new();
    let read = async {
        while let Some(piece) = attached.output.next().await {
            seen.push_str(&String::from_utf8_lossy(&piece.unwrap()));
            if !wanted.is_empty() && seen.contains(wanted) {
                break;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), read).await;
    assert!(ended.is_ok(), "{wanted:?} is not in {seen:?}");
    seen
}

#[tokio::test]
async fn the_first_command_there_is_opens_on_a_terminal_of_the_right_size() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("shell", &["qd-test/app:1"]);
    let client = Client::new(&engine.spec());
    let mut attached = attach(&client, shell(&container.id, &["bash -l", "sh"])).await.unwrap();
    // The size is set as soon as the shell runs: asked until it is.
    type_in(&attached, "until [ \"$(stty size)\" = '33 91' ]; do sleep 0.1; done; echo size-$((1+1)) $(stty size)\n").await;
    let seen = read_until(&mut attached, "size-2 33 91").await;
    assert!(seen.contains("# "), "a prompt: {seen:?}");
    attached.input.send(AttachedInput::Resize(120, 40)).await.unwrap();
    type_in(
        &attached,
        "until [ \"$(stty size)\" = '40 120' ]; do sleep 0.1; done; echo re$((2+3))sized; printf '\\377\\n'; exit\n",
    )
    .await;
    read_until(&mut attached, "re5sized").await;
    read_until(&mut attached, "").await;
}

#[tokio::test]
async fn dropping_the_input_ends_the_command() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("bye", &["qd-test/app:1"]);
    let Attached { mut output, input } = attach(&Client::new(&engine.spec()), shell(&container.id, &["sh"])).await.unwrap();
    drop(input);
    let drained = async { while output.next().await.is_some() {} };
    assert!(tokio::time::timeout(Duration::from_secs(30), drained).await.is_ok(), "the shell goes on without anybody");
}

#[tokio::test]
async fn a_shell_that_cannot_be_is_said_why() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("noshell", &["qd-test/app:1"]);
    let client = Client::new(&engine.spec());
    let error = attach(&client, shell(&container.id, &["zsh", "/opt/fish"])).await.err().unwrap();
    assert_eq!(error.to_string(), format!("any of zsh, /opt/fish in {} does not exist", container.name));
    engine.docker(&["pause", &container.id]);
    let error = attach(&client, shell(&container.id, &["sh"])).await.err().unwrap();
    assert_eq!(error.to_string(), format!("a shell in {} is in the way: it is paused", container.name));
    engine.docker(&["unpause", &container.id]);
    engine.docker(&["kill", &container.id]);
    let error = attach(&client, shell(&container.id, &["sh"])).await.err().unwrap();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error:?}");
    let error = attach(&client, shell(&"0".repeat(64), &["sh"])).await.err().unwrap();
    assert!(matches!(error, EngineError::NotFound { .. }), "{error:?}");
}
