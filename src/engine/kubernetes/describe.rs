//! The describe topic: an object as the server has it, secrets masked, with its last events; again whenever it changes.

mod masked;
mod revision;
mod yaml;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use super::client::Client;
use super::object;
use super::place::{Place, encoded};
use crate::engine::outlet::drive;
use crate::engine::{Description, EngineError, Subject, Update};
use crate::observe::definition::{Difference, compare};
use crate::observe::redact;
use crate::observe::text::clean;

/// Between two looks while a description is on screen: small questions, for one object.
const LOOK: Duration = Duration::from_secs(3);
/// Events shown under an object.
const EVENTS: usize = 20;

/// Follows a definition. What is wrong is told in its place, and asked for again.
#[must_use]
pub fn follow(client: Client, subject: Subject) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let mut last: Option<Arc<Description>> = None;
        loop {
            let lines = match describe(&client, &subject).await {
                Ok(lines) => lines,
                // The link says that nobody answers; what was shown last stays.
                Err(error) if error.is_transient() && last.is_some() => {
                    sleep(LOOK).await;
                    continue;
                }
                Err(error) => vec![format!("# {error}").into(), format!("# {}", error.hint()).into()],
            };
            let description = Arc::new(Description { subject: subject.clone(), lines });
            if last.as_ref() != Some(&description) {
                last = Some(description.clone());
                if !outlet.send(Update::Description(description)).await {
                    return;
                }
            }
            sleep(LOOK).await;
        }
    })
}

async fn describe(client: &Client, subject: &Subject) -> Result<Vec<Arc<str>>, EngineError> {
    let lines = match subject {
        Subject::Workload(environment, workload) => {
            let found = object::find(client, environment, workload).await?;
            whole(client, found.value, Some(&found.namespace)).await
        }
        Subject::Instance(id) => {
            let place = Place::of(id)?;
            let pod: Value = client.get(&format!("Pod {}", place.words()), &place.path("")).await?;
            whole(client, pod, Some(&place.namespace)).await
        }
        Subject::Node(_, node) => {
            let path = format!("/api/v1/nodes/{}", encoded(node));
            let value: Value = client.get(&format!("Node {}", clean(node)), &path).await?;
            whole(client, value, None).await
        }
        Subject::Revision(environment, workload, number) => {
            let found = object::find(client, environment, workload).await?;
            revision::lines(client, &found, *number).await?
        }
        Subject::Between(environment, workload, from, to) => {
            let found = object::find(client, environment, workload).await?;
            let before = revision::lines(client, &found, *from).await?;
            let after = revision::lines(client, &found, *to).await?;
            let value = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
            let line = |d: Difference| format!("{}: {} → {}", d.path, value(d.before), value(d.after));
            let lines: Vec<String> = compare(&before, &after).into_iter().map(line).collect();
            if lines.is_empty() { vec!["# no difference".to_owned()] } else { lines }
        }
    };
    Ok(lines.into_iter().map(|line| clean(&line).into()).collect())
}

/// An object and its events. A node's are in no namespace of its own, and go by its name.
async fn whole(client: &Client, value: Value, namespace: Option<&str>) -> Vec<String> {
    let text = |at: &str| value.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let (scope, field) = match namespace {
        Some(namespace) => {
            (format!("/namespaces/{}", encoded(namespace)), format!("involvedObject.uid={}", text("/metadata/uid")))
        }
        None => (String::new(), format!("involvedObject.kind=Node,involvedObject.name={}", text("/metadata/name"))),
    };
    let path = format!("/api/v1{scope}/events?fieldSelector={}", encoded(&field));
    let found: Result<Value, EngineError> = client.get("Its events", &path).await;
    let mut lines = yaml::lines(&masked::shown(value));
    lines.push(String::new());
    match found {
        Ok(found) => lines.extend(events(&found)),
        Err(error) => lines.push(format!("# events: {error}")),
    }
    lines
}

/// The last events, oldest first.
fn events(found: &Value) -> Vec<String> {
    let mut all: Vec<(Option<Timestamp>, String)> =
        found.get("items").and_then(Value::as_array).into_iter().flatten().map(event).collect();
    if all.is_empty() {
        return vec!["# events: none that are still kept".to_owned()];
    }
    all.sort();
    let from = all.len().saturating_sub(EVENTS);
    std::iter::once("# events".to_owned()).chain(all.drain(from..).map(|(_, line)| line)).collect()
}

/// `# 2026-11-21 00:34:02 Warning BackOff (12 times): Back-off restarting failed container`
fn event(event: &Value) -> (Option<Timestamp>, String) {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let moment = |at: &str| text(at).parse::<Timestamp>().ok();
    let at = moment("/series/lastObservedTime")
        .or_else(|| moment("/lastTimestamp"))
        .or_else(|| moment("/eventTime"))
        .or_else(|| moment("/metadata/creationTimestamp"));
    let count = event.pointer("/series/count").or_else(|| event.get("count")).and_then(Value::as_u64).unwrap_or(1);
    let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
    let when = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let message = redact::text(&clean(text("/message"))).replace('\n', " ");
    (at, format!("# {when} {} {}{times}: {message}", clean(text("/type")), clean(text("/reason"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_their_order() {
        let recorded: Value =
            serde_json::from_str(include_str!("../../../tests/engines/kubernetes/recorded/events-failed-rollout.json")).unwrap();
        let lines = events(&recorded);
        assert!(lines.len() > 2 && lines.len() <= EVENTS + 1);
        assert_eq!(lines[0], "# events");
        let times: Vec<&str> = lines[1..].iter().map(|l| &l[2..21]).collect();
        assert!(times.is_sorted(), "{lines:#?}");
        assert!(lines.iter().any(|l| l.contains(" times): ")), "{lines:#?}");
        assert_eq!(events(&serde_json::json!({"items": []})), ["# events: none that are still kept"]);
    }
}
