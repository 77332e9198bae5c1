//! Probes and scrapes of pods through the API server: nothing of the cluster's network is reached from here.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use quarterdeck::model::{EnvironmentId, InstanceId, ProbeKind, ProbeSpec, ScrapeSpec};
use quarterdeck::observe::watch::{ProbeWatch, ScrapeWatch, Sighting, Watch};
use quarterdeck::probe::watch::follow;

use crate::apiserver::{ApiServer, World};
use crate::cluster;
use crate::store_app::{Setup, serve};

const LIMIT: Duration = Duration::from_secs(30);

/// What is seen first.
async fn first(server: &ApiServer, watch: Watch) -> Sighting {
    let mut sightings = follow(Some(cluster::engine(server)), watch);
    tokio::time::timeout(LIMIT, sightings.next()).await.expect("in time").expect("it never ends")
}

#[tokio::test]
async fn a_pod_is_probed_and_scraped_through_the_server() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    server.listen("lms-ai", "lms-ai-backend", 3000, listener.local_addr().unwrap());
    let setup = Setup { mode: "cp".into(), node: "g1".into(), db: None, open_for: Duration::from_secs(1) };
    std::thread::spawn(move || serve(&listener, setup));
    let pods = server.pods("lms-ai").into_iter();
    let mut names = pods.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned());
    let name = names.find(|name| name.starts_with("lms-ai-backend")).unwrap();
    let pod = InstanceId::new(format!("lms-ai/{name}"));
    let environment = EnvironmentId::new("sim", "lms-ai");
    for (kind, ok, words) in [
        (ProbeKind::Http("http://{instance}:3000/health".into()), true, "200 in "),
        (ProbeKind::Http("http://{instance}:3000/nowhere".into()), false, "answers 404"),
        (ProbeKind::Tcp("{instance}:3000".into()), true, "takes connections in "),
        (ProbeKind::Tcp("{instance}:3001".into()), false, "nothing listens there"),
    ] {
        let probe = Arc::new(ProbeSpec { timeout: Duration::from_secs(10), ..ProbeSpec::of("p", kind.clone()) });
        let watch = ProbeWatch { environment: environment.clone(), probe, instance: Some(pod.clone()) };
        let Sighting::Probed(seen) = first(&server, Watch::Probe(watch)).await else { panic!("a probe's outcome") };
        assert!(seen.ok == ok && seen.words.starts_with(words), "{kind:?}: {seen:?}");
    }
    let url = "http://{instance}:3000/metrics".into();
    let scrape = Arc::new(ScrapeSpec { workload: None, url, interval: Duration::from_secs(15), job: "backend".into() });
    let watch = ScrapeWatch { environment, scrape, instance: Some((pod, "backend-0".into())) };
    let Sighting::Scraped(seen) = first(&server, Watch::Scrape(watch)).await else { panic!("a scrape") };
    assert!(seen.read.as_ref().is_ok_and(|scan| scan.samples >= 13 && scan.unread == 0), "{seen:?}");
}
