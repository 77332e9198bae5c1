//! The inventory of the Kubernetes engine under everything an API server may do to it: lists that expire, watches that are
//! cut, servers that stall or speak plain text, kinds one may not see.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use quarterdeck::engine::{Engine, Topic, Update};
use quarterdeck::model::{Inventory, Item, Link, Snapshot, Verb, Workload, WorkloadId};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::apiserver::{About, Answer, ApiServer, World};
use crate::cluster;

const NAMESPACE: &str = "lms-ai";
const LIMIT: Duration = Duration::from_secs(30);

/// What a reader of the inventory has seen.
struct Reader {
    updates: BoxStream<'static, Update>,
    inventory: Option<Arc<Inventory>>,
    links: Vec<Link>,
    items: Vec<Item>,
}

impl Reader {
    fn new(engine: &Arc<dyn Engine>) -> Self {
        Self { updates: engine.subscribe(Topic::Inventory), inventory: None, links: Vec::new(), items: Vec::new() }
    }

    fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.inventory.as_ref()?.environments.first()
    }

    fn workload(&self, name: &str) -> Option<&Arc<Workload>> {
        self.snapshot()?.workload(&WorkloadId::new(name))
    }

    fn pods(&self, name: &str) -> usize {
        self.workload(name).map_or(0, |w| w.instances.len())
    }

    fn is_listed(&self) -> bool {
        self.snapshot().is_some_and(|s| s.is_listed())
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + LIMIT;
        while !holds(self) {
            let Ok(Some(update)) = timeout_at(end, self.updates.next()).await else {
                let notes = self.snapshot().map(|s| s.notes.clone());
                panic!("{what} never came; link {:?}, notes {notes:?}", self.links.last());
            };
            match update {
                Update::Link(link) => self.links.push(link),
                Update::Inventory(inventory) => self.inventory = Some(inventory),
                Update::Events(items) => self.items.extend(items),
                Update::Samples(_) | Update::Logs(_) | Update::Description(_) => {}
            }
        }
    }
}

/// How often lists were asked for: streamed or by page.
fn lists(server: &ApiServer, plural: &str) -> usize {
    let of = |path: &str| path.ends_with(&format!("/{plural}"));
    let list = |query: &str| query.contains("sendInitialEvents=true") || query.contains("limit=");
    server.requests().iter().filter(|r| of(&r.path) && list(&r.query)).count()
}

async fn watched(server: &ApiServer) -> Reader {
    let mut reader = Reader::new(&cluster::engine(server));
    reader.until("everything", |r| r.is_listed() && r.pods("lms-ai-backend") == 3).await;
    reader
}

#[tokio::test]
async fn a_cluster_is_shown_and_followed() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let mut reader = watched(&server).await;
    assert!(reader.links.last().is_none_or(Link::is_live), "{:?}", reader.links);
    let workload = reader.workload("lms-ai-backend").unwrap();
    assert_eq!((workload.desired, workload.capabilities.denied.get(&Verb::Scale)), (3, None));
    server.change("deployments", NAMESPACE, "lms-ai-backend", |d| d["spec"]["replicas"] = json!(4));
    reader.until("the fourth pod", |r| r.pods("lms-ai-backend") == 4 && r.workload("lms-ai-backend").unwrap().ready == 4).await;
    reader
        .until("its event", |r| r.items.iter().any(|i| &*i.subject == "lms-ai-backend" && &*i.what == "ScalingReplicaSet"))
        .await;
    // One list of each kind was enough.
    assert_eq!((lists(&server, "pods"), lists(&server, "deployments")), (1, 1));
}

#[tokio::test]
async fn a_server_that_streams_no_lists_is_asked_in_pages() {
    let server = ApiServer::start(World::lms());
    server.settle();
    server.faults().no_watch_list(true);
    let mut reader = watched(&server).await;
    assert!(server.requests().iter().any(|r| r.path.ends_with("/pods") && r.query.contains("limit=500")));
    server.change("deployments", NAMESPACE, "lms-ai-backend", |d| d["spec"]["replicas"] = json!(2));
    reader.until("two pods", |r| r.pods("lms-ai-backend") == 2).await;
}

#[tokio::test]
async fn a_watch_that_expired_is_followed_by_a_list_without_a_hole() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let mut reader = watched(&server).await;
    // While nobody can ask, one workload goes and another grows; what there was is then forgotten.
    server.faults().refuse(true);
    server.faults().cut();
    server.delete("statefulsets", NAMESPACE, "redis");
    server.change("deployments", NAMESPACE, "lms-ai-backend", |d| d["spec"]["replicas"] = json!(4));
    server.settle();
    server.compact();
    server.faults().refuse(false);
    reader.until("what changed meanwhile", |r| r.workload("redis").is_none() && r.pods("lms-ai-backend") == 4).await;
    assert!(lists(&server, "pods") > 1);
    // And in an open watch.
    server.compact();
    server.expire_watches();
    server.change("deployments", NAMESPACE, "lms-ai-backend", |d| d["spec"]["replicas"] = json!(3));
    reader.until("three again", |r| r.pods("lms-ai-backend") == 3 && r.is_listed()).await;
}

#[tokio::test]
async fn a_page_that_expired_begins_the_list_again() {
    let server = ApiServer::start(World::large(300, 2));
    server.faults().no_watch_list(true);
    server.faults().answer(About::path("/pods?").times(1), Answer::Plain(503, "apiserver is shutting down".into()));
    server.faults().answer(About::path("continue=").times(2), Answer::Plain(410, "too old".into()));
    let engine = cluster::engine_as(&server, "lms", "*");
    let mut reader = Reader::new(&engine);
    let pods = |r: &Reader| r.snapshot().map_or(0, |s| s.workloads.iter().map(|w| w.instances.len()).sum::<usize>());
    reader.until("all pods", |r| r.is_listed() && pods(r) >= 600).await;
}

#[tokio::test]
async fn a_watch_that_is_cut_goes_on_where_it_was() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let mut reader = watched(&server).await;
    let before = lists(&server, "pods");
    server.faults().cut();
    server.change("deployments", NAMESPACE, "lms-ai-backend", |d| d["spec"]["replicas"] = json!(5));
    reader.until("five pods", |r| r.pods("lms-ai-backend") == 5).await;
    assert_eq!(lists(&server, "pods"), before, "nothing was listed anew");
}

#[tokio::test]
async fn a_server_that_stalls_is_stale_and_what_was_seen_stays() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let mut reader = watched(&server).await;
    reader.until("a live link", |r| r.links.last().is_some_and(Link::is_live)).await;
    server.faults().stall(true);
    reader.until("a stale link", |r| matches!(r.links.last(), Some(Link::Stale { .. }))).await;
    assert_eq!(reader.pods("lms-ai-backend"), 3, "what was seen is kept");
    server.change("deployments", NAMESPACE, "lms-ai-backend", |d| d["spec"]["replicas"] = json!(4));
    server.faults().heal();
    reader.until("a live link", |r| r.links.last().is_some_and(Link::is_live)).await;
    reader.until("what happened meanwhile", |r| r.pods("lms-ai-backend") == 4).await;
}

#[tokio::test]
async fn a_server_that_never_answered_has_failed_with_a_hint() {
    let server = ApiServer::start(World::lms());
    server.faults().refuse(true);
    let mut reader = Reader::new(&cluster::engine(&server));
    reader.until("a failed link", |r| matches!(r.links.last(), Some(Link::Failed { .. }))).await;
    let Some(Link::Failed { error, hint, .. }) = reader.links.last().cloned() else { panic!("a failed link") };
    assert!(error.contains("context lms") && hint.contains("API server"), "{error}; {hint}");
    let failed = |r: &Reader| r.links.iter().filter(|l| matches!(l, Link::Failed { .. })).count();
    reader.until("another attempt", |r| failed(r) > 2).await;
    assert!(reader.inventory.is_none(), "nothing is shown of what was never seen");
    server.faults().refuse(false);
    reader.until("everything", |r| r.is_listed() && r.links.last().is_some_and(Link::is_live)).await;
}

#[tokio::test]
async fn what_one_may_not_see_is_said_and_the_rest_is_shown() {
    let server = ApiServer::start(World::lms());
    server.settle();
    for verb in ["list", "watch"] {
        server.faults().forbid(verb, "nodes");
        server.faults().forbid(verb, "replicasets");
    }
    let reader = watched(&server).await;
    let snapshot = reader.snapshot().unwrap();
    let about = |kind: &str| snapshot.notes.iter().filter(|n| n.contains(kind) && n.contains("forbidden")).count();
    assert_eq!((about("nodes"), about("replicasets")), (1, 1), "{:?}", snapshot.notes);
    let workload = reader.workload("lms-ai-backend").unwrap();
    // Whose the pods are is known without their ReplicaSet.
    assert_eq!((workload.instances.len(), snapshot.nodes.len()), (3, 0));
}

#[tokio::test]
async fn who_may_only_look_is_told_what_is_not_allowed() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let mut reader = Reader::new(&cluster::engine_as(&server, "lms-viewer", NAMESPACE));
    let denied = |r: &Reader| r.workload("lms-ai-backend")?.capabilities.denied.get(&Verb::Scale).cloned();
    reader.until("what is denied", |r| denied(r).is_some()).await;
    assert_eq!(denied(&reader).as_deref(), Some("you may not patch deployments/scale in lms-ai"));
}

#[tokio::test]
async fn plain_text_errors_without_reason_and_nonsense_are_got_over() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let faults = server.faults();
    faults.answer(About::path("/deployments").times(1), Answer::Plain(503, "no healthy upstream".into()));
    faults.answer(About::path("/pods").times(1), Answer::Broken("something went wrong".into()));
    faults.answer(About::path("/replicasets").times(1), Answer::Garbage("<html>".into()));
    faults.answer(About::path("/jobs").times(1), Answer::Busy(1));
    watched(&server).await;
}

#[tokio::test]
async fn what_cannot_be_listed_now_is_neither_shown_as_nothing_nor_planned_on() {
    let server = ApiServer::start(World::lms());
    server.settle();
    server.faults().answer(About::path("/deployments"), Answer::Broken("etcd is slow".into()));
    let mut reader = Reader::new(&cluster::engine(&server));
    let notes = |r: &Reader| r.snapshot().map(|s| s.notes.clone()).unwrap_or_default();
    reader.until("the trouble", |r| notes(r).iter().any(|n| n.contains("etcd is slow")) && r.pods("redis") == 1).await;
    assert!(!reader.is_listed(), "{:?}", notes(&reader));
    server.faults().heal();
    reader.until("everything", |r| r.is_listed() && r.workload("lms-ai-backend").is_some_and(|w| w.revision.is_some())).await;
}
