//! What is seen of a real engine is what its own tools say: the list, the figures, the logs.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use quarterdeck::engine::docker::connect;
use quarterdeck::engine::{LogQuery, Subject, Topic, Update};
use quarterdeck::model::{Health, InstanceId, Sample, Workload};
use quarterdeck::observe::log::Store;

use crate::real_engine::real_engine;

/// The first thing `pick` picks; a test that waits in vain fails instead of hanging.
async fn first<T>(mut stream: BoxStream<'static, Update>, mut pick: impl FnMut(Update) -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(picked) = pick(stream.next().await.expect("the topic ended")) {
                return picked;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it never came")
}

#[tokio::test]
async fn a_stack_is_seen_as_compose_made_it() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("seen");
    let docker = connect(&engine.spec());
    let environment = stack.environment();
    let snapshot = first(docker.subscribe(Topic::Inventory), |update| match update {
        Update::Inventory(inventory) => {
            let snapshot = inventory.environments.iter().find(|s| s.environment.id == environment)?.clone();
            // Until the background has told everything: health and when it was started.
            let whole = |w: &Workload| w.verdict.health == Health::Healthy && w.instances.iter().all(|i| i.started_at.is_some());
            (snapshot.workloads.len() == 4 && snapshot.workloads.iter().all(|w| whole(w))).then_some(snapshot)
        }
        _ => None,
    })
    .await;
    let names: Vec<&str> = snapshot.workloads.iter().map(|w| w.id.as_str()).collect();
    assert_eq!(names, ["api", "cache", "db", "web"]);
    for workload in &snapshot.workloads {
        let ids: Vec<String> = workload.instances.iter().map(|i| i.id.to_string()).collect();
        assert_eq!(ids, stack.ids(workload.id.as_str()));
        assert_eq!((workload.desired, workload.ready, workload.revision), (1, 1, Some(1)));
        let (instance, told) = (&workload.instances[0], engine.inspect(&ids[0]));
        assert_eq!(format!("/{}", instance.name), told["Name"].as_str().unwrap());
        assert_eq!(instance.digest.as_deref(), told["Image"].as_str());
        assert_eq!(instance.started_at.unwrap().to_string(), told["State"]["StartedAt"].as_str().unwrap());
        assert!(instance.has_healthcheck && !instance.fixed_name && instance.fixed_ports.is_empty());
    }
    let web = &snapshot.workloads[3].instances[0];
    // One, or two where the engine chose another port for IPv6.
    assert!((1..=2).contains(&web.ports.iter().filter(|p| p.host.is_some() && p.container == 8080).count()));

    let db = snapshot.workloads[2].instances[0].id.clone();
    let described = first(docker.subscribe(Topic::Describe(Subject::Instance(db))), |update| match update {
        Update::Description(description) => Some(description.lines.join("\n")),
        _ => None,
    })
    .await;
    assert!(described.contains("DB_PASSWORD=••••••") && !described.contains("s3cret-not-for-eyes"), "{described}");
}

/// A size as the CLI prints it, bytes.
fn size(text: &str) -> f64 {
    let split = text.find(|c: char| c.is_alphabetic()).unwrap();
    let number: f64 = text[..split].parse().unwrap();
    let units =
        [("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)];
    number * units.iter().find(|(unit, _)| *unit == &text[split..]).unwrap().1
}

#[tokio::test]
async fn figures_are_those_of_docker_stats() {
    let Some(engine) = real_engine() else { return };
    // Half a core, whatever else the machine does; memory that stands still.
    let container =
        engine.run("figures", &["--cpus", "0.5", "--memory", "64m", "qd-test/app:1", "sh", "-c", "while :; do :; done"]);
    let docker = connect(&engine.spec());
    let id = InstanceId::new(container.id.as_str());
    let mut topic = docker.subscribe(Topic::Stats { instances: BTreeSet::from([id.clone()]), every: Duration::from_secs(1) });
    let format = "{{.CPUPerc}}|{{.MemUsage}}|{{.NetIO}}|{{.BlockIO}}|{{.PIDs}}";
    // Both read what the engine measures every second: one of our readings is of the second the CLI tells.
    let mut samples: Vec<Sample> = Vec::new();
    let arguments = ["stats", "--no-stream", "--format", format, &container.id].map(str::to_owned);
    let told = tokio::task::spawn_blocking(move || engine.docker(&arguments.each_ref().map(String::as_str)));
    let mut told = std::pin::pin!(told);
    let mut answer = None;
    let mut after = 0;
    while after < 3 {
        tokio::select! {
            update = topic.next() => if let Some(Update::Samples(new)) = update {
                samples.extend(new.into_iter().filter(|s| s.cpu_cores.is_some()));
                after += u32::from(answer.is_some());
            },
            told = &mut told, if answer.is_none() => answer = Some(told.unwrap()),
        }
    }
    let told = answer.unwrap();
    let told: Vec<&str> = told.trim().split('|').collect();
    let pair = |text: &str| text.split_once(" / ").map(|(a, b)| (size(a), size(b))).unwrap();
    // What the kernel holds for it falls in its first seconds: the reading of the same moment is the nearest.
    let used = pair(told[1]).0;
    let distance = |sample: &&Sample| (sample.memory_bytes.unwrap() as f64 - used).abs();
    let sample = samples.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
    let near = |what: &str, ours: f64, theirs: f64, share: f64, slack: f64| {
        assert!((ours - theirs).abs() <= theirs * share + slack, "{what}: {ours} here, {theirs} there");
    };
    let bytes = |figure: Option<u64>| figure.unwrap() as f64;
    let theirs: f64 = told[0].trim_end_matches('%').parse().unwrap();
    let ours: Vec<f64> = samples.iter().filter_map(|s| s.cpu_cores).map(|cores| cores * 100.0).collect();
    assert!(ours.iter().any(|ours| (ours - theirs).abs() < theirs * 0.1 + 0.5), "cpu: {ours:?} here, {theirs} there");
    let (used, limit) = pair(told[1]);
    near("memory", bytes(sample.memory_bytes), used, 0.05, 300_000.0);
    near("limit", bytes(sample.memory_limit_bytes), limit, 0.001, 0.0);
    let (rx, tx) = pair(told[2]);
    near("received", bytes(sample.net_rx_bytes), rx, 0.05, 2000.0);
    near("sent", bytes(sample.net_tx_bytes), tx, 0.05, 2000.0);
    let (read, written) = pair(told[3]);
    near("read", bytes(sample.block_read_bytes), read, 0.05, 8192.0);
    near("written", bytes(sample.block_write_bytes), written, 0.05, 8192.0);
    assert_eq!(sample.pids.unwrap().to_string(), told[4]);
}

#[tokio::test]
async fn a_log_is_that_of_docker_logs_terminals_and_long_lines_too() {
    let Some(engine) = real_engine() else { return };
    let script = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo out $i; echo err $i >&2; done; \
                  head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'no end'";
    for terminal in [&[][..], &["--tty"]] {
        let container = engine.run("logged", &[terminal, &["qd-test/app:1", "sh", "-c", script]].concat());
        engine.docker(&["wait", &container.id]);
        let theirs = engine.try_docker(&["logs", &container.id]);
        let theirs = [&theirs.stdout[..], b"\n", &theirs.stderr].concat();
        let mut theirs: Vec<String> = String::from_utf8(theirs)
            .unwrap()
            .split('\n')
            .map(|l| l.trim_end_matches('\r').to_owned())
            .filter(|l| !l.is_empty())
            .collect();
        let query = |tail| LogQuery { tail, ..LogQuery::of(container.id.as_str().into()) };
        let docker = connect(&engine.spec());
        let read = async |tail| {
            let mut store = Store::new(1 << 20);
            let mut topic = docker.subscribe(Topic::Logs(query(tail)));
            while let Some(update) = topic.next().await {
                if let Update::Logs(batch) = update {
                    store.push(&batch);
                }
            }
            (0..store.len()).filter_map(|i| store.get(i)).map(|l| l.text.to_owned()).collect::<Vec<String>>()
        };
        let mut ours = read(None).await;
        // The engine counts the pieces it cut a line into.
        assert_eq!(read(Some(1)).await, ours[ours.len() - 1..]);
        assert_eq!(ours.iter().map(String::len).max(), Some(40_000));
        theirs.sort_unstable();
        ours.sort_unstable();
        let differs = ours.iter().zip(&theirs).find(|(a, b)| a != b).map(|(a, b)| (a.len(), b.len()));
        assert_eq!((ours.len(), differs), (theirs.len(), None), "with {terminal:?}");
    }
}
