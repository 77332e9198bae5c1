//! What containers said: whole, the end of it, since a time, as it comes.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::ask::{Aim, Ask, Content, Reply, Stretch};
use super::hub::{Hub, Said};
use super::kind::plural;
use super::kubelet::containers;
use super::status::{Outcome, bad_request, failure, not_found};
use super::store::Entry;

type Place = (String, String, String);

/// How the lines are wanted.
#[derive(Clone)]
struct Wish {
    stamped: bool,
    since: Option<Timestamp>,
    tail: Option<usize>,
    /// Bytes, after which it is cut, be it in the middle of a line.
    limit: Option<usize>,
    previous: bool,
}

/// The container meant: the one named, or the only one.
///
/// # Errors
/// None of that name, or several and none named.
pub fn container(ask: &Ask, pod: &Entry) -> Outcome<String> {
    let spec = &pod.value["spec"];
    let names = |list: &str| containers(spec, list).filter_map(|c| c["name"].as_str()).map(str::to_owned).collect::<Vec<_>>();
    let mut all = names("initContainers");
    let only = names("containers");
    all.extend(only.clone());
    match ask.param("container") {
        "" if only.len() == 1 => Ok(only[0].clone()),
        "" => Err(bad_request(format!(
            "a container name must be specified for pod {}, choose one of: [{}]",
            pod.name(),
            all.join(" ")
        ))),
        name if all.iter().any(|a| a == name) => Ok(name.to_owned()),
        name => Err(bad_request(format!("container {name} is not valid for pod {}", pod.name()))),
    }
}

/// The status of a container of a pod.
pub fn status_of<'a>(pod: &'a Value, name: &str) -> &'a Value {
    let lists = [&pod["status"]["containerStatuses"], &pod["status"]["initContainerStatuses"]];
    let mut all = lists.into_iter().flat_map(|l| l.as_array().into_iter().flatten());
    all.find(|s| s["name"] == json!(name)).unwrap_or(&Value::Null)
}

/// Answers for the log of a pod.
///
/// # Errors
/// No such pod or container, nothing to read yet, or a kubelet that is down.
pub fn answer(hub: &Arc<Hub>, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let pod = hub.store().get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &aim.key().1))?;
    let name = container(ask, &pod)?;
    if pod.value["spec"]["nodeName"].is_null() {
        // No kubelet to ask: nothing to say, and no error either.
        return Ok(Reply { code: 204, ..Reply::text("") });
    }
    reachable(hub, ask, &pod, &name)?;
    let status = status_of(&pod.value, &name);
    let waits = status["state"]["waiting"]["reason"].as_str();
    let wish = Wish {
        stamped: ask.is("timestamps"),
        since: since(ask),
        tail: ask.number("tailLines").and_then(|n| usize::try_from(n).ok()),
        limit: ask.number("limitBytes").and_then(|n| usize::try_from(n).ok()),
        previous: ask.is("previous"),
    };
    let place = (pod.namespace().to_owned(), pod.name().to_owned(), name.clone());
    if wish.previous && status["restartCount"].as_i64().unwrap_or(0) == 0 && status["lastState"]["terminated"].is_null() {
        let message = format!("previous terminated container \"{name}\" in pod \"{}\" not found", pod.name());
        return Err(bad_request(message));
    }
    if let Some(reason) = waits.filter(|r| *r != "CrashLoopBackOff") {
        let why = if matches!(reason, "ErrImagePull" | "ImagePullBackOff") { "image can't be pulled" } else { reason };
        return Err(bad_request(format!("container \"{name}\" in pod \"{}\" is waiting to start: {why}", pod.name())));
    }
    // Between two starts the last container is both the one that is and the one before.
    let turned = wish.previous && waits.is_none();
    let (text, sent) = lines(hub, &place, &wish, turned);
    if ask.is("follow") && !wish.previous {
        return Ok(Reply { media: "text/plain", ..Reply::stream("text/plain", follow(hub, place, &wish, text, sent, status)) });
    }
    Ok(Reply { media: "text/plain", content: Content::Whole(text), ..Reply::text("") })
}

fn reachable(hub: &Hub, ask: &Ask, pod: &Entry, container: &str) -> Outcome<()> {
    let node = pod.value["spec"]["nodeName"].as_str().unwrap_or_default();
    let node = hub.store().get(plural("nodes"), &(String::new(), node.to_owned()));
    let up = node.is_none_or(|n| {
        n.value["status"]["conditions"]
            .as_array()
            .is_some_and(|l| l.iter().any(|c| c["type"] == json!("Ready") && c["status"] == json!("True")))
    });
    if up {
        return Ok(());
    }
    let query: Vec<String> = ask.query.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("containerLogs/{}/{}/{container}{mark}{}", pod.namespace(), pod.name(), query.join("&"));
    let why = "dial tcp 10.200.0.1:10250: connect: connection refused";
    Err(failure(500, "", format!("Get \"https://10.200.0.1:10250/{path}\": {why}")))
}

fn since(ask: &Ask) -> Option<Timestamp> {
    if let Some(seconds) = ask.number("sinceSeconds") {
        return Timestamp::now().checked_sub(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))).ok();
    }
    // The server hands it on in whole seconds.
    let time: Timestamp = ask.param("sinceTime").parse().ok()?;
    Timestamp::from_second(time.as_nanosecond().div_euclid(1_000_000_000).try_into().ok()?).ok()
}

fn written(said: &Said, stamped: bool, text: &mut Vec<u8>) {
    if stamped {
        text.extend_from_slice(said.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string().as_bytes());
    }
    text.extend_from_slice(said.text.as_bytes());
    text.push(b'\n');
}

/// The lines there are, and how many were said so far.
fn lines(hub: &Hub, place: &Place, wish: &Wish, turned: bool) -> (Bytes, usize) {
    let insides = hub.insides.lock().unwrap();
    let all = if turned { insides.previous.get(place) } else { insides.logs.get(place) };
    let all = all.map_or(&[][..], Vec::as_slice);
    let wanted: Vec<&Said> = all.iter().filter(|s| wish.since.is_none_or(|since| s.at >= since)).collect();
    let skipped = wish.tail.map_or(0, |tail| wanted.len().saturating_sub(tail));
    let mut text = Vec::new();
    for said in &wanted[skipped..] {
        written(said, wish.stamped, &mut text);
    }
    if let Some(limit) = wish.limit {
        text.truncate(limit);
    }
    (text.into(), all.len())
}

/// A log that is followed.
struct Follow {
    hub: Arc<Hub>,
    place: Place,
    stamped: bool,
    since: Option<Timestamp>,
    /// Bytes that may still come.
    left: Option<usize>,
    first: Option<Bytes>,
    sent: usize,
    /// Which start of the container it is.
    start: i64,
    said: watch::Receiver<u64>,
    changed: watch::Receiver<u64>,
    over: bool,
}

fn follow(hub: &Arc<Hub>, place: Place, wish: &Wish, text: Bytes, sent: usize, status: &Value) -> Stretch {
    let follow = Follow {
        hub: hub.clone(),
        place,
        stamped: wish.stamped,
        since: wish.since,
        left: wish.limit.map(|limit| limit.saturating_sub(text.len())),
        first: Some(text),
        sent,
        start: status["restartCount"].as_i64().unwrap_or(0),
        said: hub.said.subscribe(),
        changed: hub.changed.subscribe(),
        over: false,
    };
    Box::pin(futures_util::stream::unfold(follow, |mut follow| async move { Some((Ok(follow.next().await?), follow)) }))
}

/// Lines of one piece, at most.
const PIECE: usize = 2000;

impl Follow {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let hub = self.hub.clone();
            hub.faults.pass().await;
            if self.left == Some(0) {
                return None;
            }
            let text = self.first.take().unwrap_or_else(|| self.take());
            if !text.is_empty() {
                return Some(self.within(text));
            }
            if self.over {
                return None;
            }
            self.over = !self.runs();
            if self.over {
                continue;
            }
            tokio::select! {
                said = self.said.changed() => self.over = said.is_err(),
                changed = self.changed.changed() => self.over = changed.is_err(),
            }
        }
    }

    fn within(&mut self, mut text: Bytes) -> Bytes {
        if let Some(left) = &mut self.left {
            text.truncate(*left);
            *left -= text.len();
        }
        text
    }

    /// Whether it is still the container that was asked for, and it runs.
    fn runs(&self) -> bool {
        let (namespace, pod, name) = &self.place;
        let Some(pod) = self.hub.store().get(plural("pods"), &(namespace.clone(), pod.clone())) else { return false };
        let status = status_of(&pod.value, name);
        status["restartCount"].as_i64().unwrap_or(0) == self.start && !status["state"]["running"].is_null()
    }

    /// What was said since; of the container before, where it has turned in between.
    fn take(&mut self) -> Bytes {
        let insides = self.hub.insides.lock().unwrap();
        let now = insides.logs.get(&self.place).map_or(&[][..], Vec::as_slice);
        let turned = now.len() < self.sent;
        let all = if turned { insides.previous.get(&self.place).map_or(&[][..], Vec::as_slice) } else { now };
        let mut text = Vec::new();
        let rest = all.get(self.sent..).unwrap_or_default();
        for said in rest.iter().take(PIECE) {
            if self.since.is_none_or(|since| said.at >= since) {
                written(said, self.stamped, &mut text);
            }
            self.sent += 1;
        }
        self.over |= turned && rest.len() <= PIECE;
        text.into()
    }
}
