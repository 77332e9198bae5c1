//! What engines really sent, read back: the formulas and the conversion pinned by recorded payloads.

use std::collections::HashMap;
use std::fmt::Write as _;

use expect_test::expect;
use jiff::Timestamp;
use quarterdeck::engine::docker::convert::{Details, Interner, Places, Seen, assemble, list};
use quarterdeck::engine::docker::stats::{Reading, Reply};
use quarterdeck::engine::docker::wire::Inspected;
use quarterdeck::model::{Inventory, Sample};

fn data(name: &str) -> Vec<u8> {
    std::fs::read(crate::real_engine::root().join("tests/engines/recorded").join(name)).unwrap()
}

fn places() -> Places {
    Places {
        connection: "local".into(),
        endpoint: "unix:///d.sock".into(),
        specs: Vec::new().into(),
        discover: true,
        projects: std::collections::BTreeSet::new(),
    }
}

/// When the payloads were recorded.
fn now() -> Timestamp {
    "2026-11-21T03:35:50Z".parse().unwrap()
}

fn seen(body: &[u8], interner: &mut Interner) -> Vec<Seen> {
    let mut seen = Vec::new();
    list::read(body, |listed| seen.extend(Seen::new(listed, None, interner))).unwrap();
    seen
}

fn inventory(body: &[u8], inspected: &[Inspected], before: Option<&Inventory>) -> Inventory {
    let mut interner = Interner::default();
    let seen = seen(body, &mut interner);
    let details = inspected.iter().filter_map(|i| {
        let seen = seen.iter().find(|s| s.id.as_str() == i.id)?;
        Some((seen.id.clone(), Details::new(i, seen.key(), &mut interner)))
    });
    let details: HashMap<_, _> = details.collect();
    let nothing = HashMap::new();
    assemble(&seen, &details, &places(), &nothing, "Docker 20.10.24, API 1.41".into(), before, (now(), now()))
}

fn say(inventory: &Inventory) -> String {
    let mut out = String::new();
    for snapshot in &inventory.environments {
        writeln!(out, "{} ({})", snapshot.environment.id, snapshot.environment.endpoint).unwrap();
        for w in &snapshot.workloads {
            writeln!(
                out,
                "  {} {} {}/{} {} {} rev {:?}",
                w.kind, w.id, w.ready, w.desired, w.verdict.health, w.image, w.revision
            )
            .unwrap();
            for reason in &w.verdict.reasons {
                writeln!(out, "    because {reason}").unwrap();
            }
            for i in &w.instances {
                write!(out, "    {} {} {}", i.number, i.name, i.state).unwrap();
                write!(out, " {}", i.verdict.health).unwrap();
                for (on, word) in
                    [(i.has_healthcheck, "checked"), (i.one_off, "one-off"), (i.fixed_name, "fixed name"), (i.oom_killed, "oom")]
                {
                    write!(out, "{}", if on { format!(", {word}") } else { String::new() }).unwrap();
                }
                write!(out, ", restarts {}, exit {:?}", i.restarts, i.exit_code).unwrap();
                if let Some(limit) = i.memory_limit_bytes {
                    write!(out, ", limit {limit}").unwrap();
                }
                if !i.ports.is_empty() {
                    let ports: Vec<String> = i.ports.iter().map(ToString::to_string).collect();
                    write!(out, ", ports {} of which fixed {:?}", ports.join(" "), i.fixed_ports).unwrap();
                }
                writeln!(out).unwrap();
            }
        }
    }
    out
}

#[test]
fn a_list_alone_makes_an_inventory() {
    expect![[r"
        containers (unix:///d.sock · containers without a project)
          Container app_tmp 1/1 healthy box:1 rev Some(1)
            1 app_tmp running healthy, restarts 0, exit None
          Container badstart 0/0 stopped box:1 rev Some(1)
            1 badstart created stopped, restarts 0, exit None, ports 0.0.0.0:18080->80/tcp of which fixed [18080]
          Container loose2 1/1 healthy box:1 rev Some(1)
            1 loose2 running healthy, restarts 0, exit None
          Container oom 0/0 stopped box:1 rev Some(1)
            1 oom exited stopped, restarts 0, exit Some(137)
        shop (unix:///d.sock · project shop)
          Service crash 0/1 unhealthy box:1 rev Some(1)
            because the engine restarts it again and again: it ends with exit code 3
            1 shop_crash_1 restarting unhealthy, restarts 0, exit Some(3)
          Service done 0/0 stopped box:1 rev Some(1)
            1 shop_done_1 exited stopped, restarts 0, exit Some(0)
          Service fixed 0/0 stopped box:1 rev Some(1)
            1 the-fixed-one exited stopped, fixed name, restarts 0, exit Some(137)
          Service sick 0/1 unhealthy box:1 rev Some(1)
            because its health check fails
            1 shop_sick_1 running unhealthy, checked, restarts 0, exit None
          Service web 2/3 degraded box:1 rev Some(1)
            because shop_web_3: paused
            1 shop_web_1 running healthy, checked, restarts 0, exit None
            1 shop_web_run_7f9c0569c39c running healthy, checked, one-off, restarts 0, exit None
            2 shop_web_2 running healthy, checked, restarts 0, exit None
            3 shop_web_3 paused degraded, restarts 0, exit None
    "]]
    .assert_eq(&say(&inventory(&data("list-20.10.json"), &[], None)));
}

#[test]
fn inspections_add_what_the_list_lacks() {
    let inspected: Vec<Inspected> = serde_json::from_slice(&data("inspect-20.10.json")).unwrap();
    let inventory = inventory(&data("list-20.10.json"), &inspected, None);
    expect![[r#"
        containers (unix:///d.sock · containers without a project)
          Container app_tmp 1/1 healthy box:1 rev Some(1)
            1 app_tmp running healthy, restarts 0, exit None
          Container badstart 0/1 unhealthy box:1 rev Some(1)
            because could not be started: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nosuchcommand": executable file not found in $PATH: unknown
            1 badstart created unhealthy, restarts 0, exit None, ports 0.0.0.0:18080->80/tcp of which fixed [18080]
          Container loose2 1/1 healthy box:1 rev Some(1)
            1 loose2 running healthy, restarts 0, exit None
          Container oom 0/1 unhealthy box:1 rev Some(1)
            because killed: out of memory
            1 oom exited unhealthy, oom, restarts 0, exit Some(137), limit 8388608
        shop (unix:///d.sock · project shop)
          Service crash 0/1 unhealthy box:1 rev Some(1)
            because the engine restarts it again and again: it ends with exit code 3 (23 restarts)
            1 shop_crash_1 restarting unhealthy, restarts 23, exit Some(3)
          Service done 0/0 stopped box:1 rev Some(1)
            1 shop_done_1 exited stopped, restarts 0, exit Some(0)
          Service fixed 0/0 stopped box:1 rev Some(1)
            1 the-fixed-one exited stopped, fixed name, restarts 0, exit Some(137), ports 81/tcp 0.0.0.0:18080->80/tcp of which fixed [18080]
          Service sick 0/1 unhealthy box:1 rev Some(1)
            because its health check failed 821 times in a row: db: connection refused
            1 shop_sick_1 running unhealthy, checked, restarts 0, exit None
          Service web 2/3 degraded box:1 rev Some(1)
            because shop_web_3: paused
            1 shop_web_1 running healthy, checked, restarts 0, exit None, limit 67108864
            1 shop_web_run_7f9c0569c39c running healthy, checked, one-off, restarts 0, exit None, limit 67108864
            2 shop_web_2 running healthy, checked, restarts 0, exit None, limit 67108864
            3 shop_web_3 paused degraded, checked, restarts 0, exit None, limit 67108864
    "#]].assert_eq(&say(&inventory));
    let shop = &inventory.environments[1];
    let sick = &shop.workload(&"sick".into()).unwrap().instances[0];
    let check = &sick.checks[0];
    assert_eq!((check.output.as_ref(), check.source, check.latency_ms.is_some()), ("db: connection refused", "container", true));
    assert!(shop.workload(&"web".into()).unwrap().instances.iter().any(|i| i.ip.as_deref() == Some("172.17.0.3")));
}

#[test]
fn what_did_not_change_is_shared() {
    let body = data("list-20.10.json");
    let first = inventory(&body, &[], None);
    let second = inventory(&body, &[], Some(&first));
    for (a, b) in first.environments.iter().zip(&second.environments) {
        assert!(std::sync::Arc::ptr_eq(a, b));
    }
    let changed = String::from_utf8(body).unwrap().replacen("(unhealthy)", "(healthy)", 1);
    let third = inventory(changed.as_bytes(), &[], Some(&first));
    assert!(std::sync::Arc::ptr_eq(&first.environments[0], &third.environments[0]));
    let (old, new) = (&first.environments[1], &third.environments[1]);
    assert!(std::sync::Arc::ptr_eq(&old.environment, &new.environment));
    let shared = old.workloads.iter().zip(&new.workloads).filter(|(a, b)| std::sync::Arc::ptr_eq(a, b)).count();
    assert_eq!(shared, old.workloads.len() - 1);
}

#[test]
fn odd_answers_are_shown_as_they_are_and_harm_nothing() {
    let label =
        |name: &str, value: &str| format!("{}:{}", serde_json::to_string(name).unwrap(), serde_json::to_string(value).unwrap());
    let odd = format!(
        r#"[
        {{"Id":""}},
        {{"Id":"{a}","Names":null,"State":"quantum","Labels":null,"Ports":null,"NetworkSettings":null}},
        {{"Id":"{b}","Names":[""],"Image":null,"Status":null,"Created":null}},
        {{"Id":"{c}","Names":["/other/alias","/real"],"State":"running"}},
        {{"Id":"{d}","Names":["/\u001b]0;title\u0007x\u202e\u200b-名前 \u001b[31m"],"State":"running","Image":"img\u001b[2J","Labels":{{{e},{f}}}}},
        {{"Id":["not","text"]}},
        {{"Id":"{g}","Names":["/0123456789ab_real"],"State":"exited","Status":"Exited (1) now","Created":9999999999999999}}
        ]"#,
        a = "a".repeat(64),
        b = "b".repeat(64),
        c = "c".repeat(64),
        d = "d".repeat(64),
        e = label("api.token", "s3cr3t"),
        f = label("note\u{1b}[1m", "two\nlines\u{9b}2J"),
        g = "e".repeat(64),
    );
    let inventory = inventory(odd.as_bytes(), &[], None);
    expect![[r"
        containers (unix:///d.sock · containers without a project)
          Container aaaaaaaaaaaa 0/1 unknown  rev Some(1)
            because the engine gives it a state quarterdeck does not know
            1 aaaaaaaaaaaa unknown unknown, restarts 0, exit None
          Container bbbbbbbbbbbb 0/1 unknown  rev Some(1)
            because the engine gives it a state quarterdeck does not know
            1 bbbbbbbbbbbb unknown unknown, restarts 0, exit None
          Container real 1/1 healthy  rev Some(1)
            1 real running healthy, restarts 0, exit None
            1 0123456789ab_real exited unhealthy, restarts 0, exit Some(1)
          Container x-名前  1/1 healthy img rev Some(1)
            1 x-名前  running healthy, restarts 0, exit None
    "]]
    .assert_eq(&say(&inventory));
    let labels: Vec<String> = inventory.environments[0]
        .workloads
        .iter()
        .flat_map(|w| &w.instances)
        .flat_map(|i| i.labels.iter())
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(labels, ["api.token=••••••", "note=two␊lines"]);
}

#[test]
fn locks_and_revisions_are_read_from_labels() {
    let history = r#"[{"revision":7,"image":"web:1.5","digest":null,"at":"2026-11-21T03:00:00Z","by":"ops@bastion","cause":"deploy"},{"revision":6,"image":"web:1.4","digest":null,"at":null,"by":null,"cause":null}]"#;
    let list = serde_json::json!([
        { "Id": "1".repeat(64), "Names": ["/shop_web_1"], "State": "running", "Created": 1000, "Image": "web:1.5", "Labels": {
            "com.docker.compose.project": "shop", "com.docker.compose.service": "web", "com.docker.compose.container-number": "1",
            "dev.quarterdeck.revision": "7", "dev.quarterdeck.history": history, "dev.quarterdeck.operation": "op-1" } },
        { "Id": "2".repeat(64), "Names": ["/222222222222_shop_web_1"], "State": "exited", "Status": "Exited (0) now", "Created": 900, "Image": "web:1.4", "Labels": {
            "com.docker.compose.project": "shop", "com.docker.compose.service": "web", "com.docker.compose.container-number": "1" } },
        { "Id": "3".repeat(64), "Names": ["/quarterdeck-lock-shop"], "State": "created", "Created": 1001, "Labels": {
            "dev.quarterdeck.lock": "shop", "dev.quarterdeck.lock.by": "ops@bastion", "dev.quarterdeck.lock.host": "bastion",
            "dev.quarterdeck.lock.pid": "42", "dev.quarterdeck.lock.pid-started": "77", "dev.quarterdeck.lock.why": "deploy web",
            "dev.quarterdeck.lock.since": "2026-11-21T03:00:00Z", "dev.quarterdeck.lock.operation": "op-1", "dev.quarterdeck.lock.request": "{\"x\":1}" } },
        { "Id": "4".repeat(64), "Names": ["/quarterdeck-lock-containers"], "State": "created", "Created": 1001, "Labels": { "dev.quarterdeck.lock": "containers" } },
    ]);
    let inventory = inventory(list.to_string().as_bytes(), &[], None);
    let names: Vec<&str> = inventory.environments.iter().map(|e| e.environment.id.name.as_ref()).collect();
    assert_eq!(names, ["containers", "shop"]);
    assert!(inventory.environments[0].workloads.is_empty() && inventory.environments[0].lock.is_some());
    let shop = &inventory.environments[1];
    let lock = shop.lock.as_ref().unwrap();
    assert_eq!(
        (lock.by.as_ref(), lock.pid, lock.pid_started, lock.request.as_deref()),
        ("ops@bastion", 42, 77, Some("{\"x\":1}"))
    );
    let web = shop.workload(&"web".into()).unwrap();
    assert_eq!((web.desired, web.ready, web.revision, web.image.as_ref()), (1, 1, Some(7), "web:1.5"));
    let revisions: Vec<(u64, &str)> = web.revisions.iter().map(|r| (r.number, r.image.as_ref())).collect();
    assert_eq!(revisions, [(7, "web:1.5"), (6, "web:1.4")]);
    let told: Vec<(bool, Option<u64>, bool)> = web.instances.iter().map(|i| (i.set_aside, i.revision, i.fixed_name)).collect();
    assert_eq!(told, [(false, Some(7), false), (true, Some(1), false)]);
    assert!(web.instances[0].made_by.is_some() && !web.instances[0].labels.contains_key("dev.quarterdeck.history"));
}

/// Two readings two seconds of machine time apart; what `docker stats` prints for them.
fn figures(name: &str) -> (Option<Sample>, Vec<Sample>) {
    let replies: Vec<Reply> = serde_json::from_slice(&data(name)).unwrap();
    let mut before: Option<Reading> = None;
    let mut samples = Vec::new();
    for (second, reply) in replies.iter().enumerate() {
        let at = Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
        samples.push(reply.sample("x".into(), at, before));
        before = reply.reading(at);
    }
    (samples.pop(), samples)
}

#[test]
fn figures_follow_the_formulas_of_docker_stats_on_cgroup_1() {
    let (now, first) = figures("stats-cgroup1.json");
    let now = now.unwrap();
    assert_eq!(first[0].cpu_cores, None);
    // 3 s of CPU in 8 s of machine time over four cores: 150 %.
    assert_eq!(now.cpu_cores, Some(1.5));
    assert_eq!(now.memory_bytes, Some(268_435_456 - 52_428_800));
    assert_eq!(now.memory_limit_bytes, Some(536_870_912));
    assert_eq!((now.net_rx_bytes, now.net_tx_bytes), (Some(31_500), Some(52_500)));
    assert_eq!((now.block_read_bytes, now.block_write_bytes), (Some(12_288_000 + 4096), Some(819_200)));
    assert_eq!(now.pids, Some(24));
}

#[test]
fn figures_follow_the_formulas_of_docker_stats_on_cgroup_2() {
    let now = figures("stats-cgroup2.json").0.unwrap();
    // 0.25 s in 2 s of machine time over two cores: 25 %.
    assert_eq!(now.cpu_cores, Some(0.25));
    assert_eq!(now.memory_bytes, Some(231_000_000 - 50_000_000));
    assert_eq!((now.net_rx_bytes, now.net_tx_bytes), (Some(900), Some(1000)));
    assert_eq!((now.block_read_bytes, now.block_write_bytes), (Some(4096), Some(16_384 + 8192)));
    assert_eq!(now.pids, Some(7));
}

#[test]
fn what_does_not_run_has_no_figures_and_a_restart_no_usage() {
    let stopped: Vec<Reply> = serde_json::from_slice(&data("stats-stopped.json")).unwrap();
    assert!(stopped[0].is_empty());
    let mut replies: Vec<Reply> = serde_json::from_slice(&data("stats-cgroup1.json")).unwrap();
    replies.reverse();
    let before = replies[0].reading(now());
    assert_eq!(replies[1].sample("x".into(), now(), before).cpu_cores, None);
    assert!(!replies[0].is_empty());
    let nothing: Reply =
        serde_json::from_str(r#"{"cpu_stats":null,"memory_stats":null,"networks":null,"blkio_stats":null,"pids_stats":null}"#)
            .unwrap();
    let sample = nothing.sample("x".into(), now(), before);
    assert_eq!((sample.cpu_cores, sample.memory_bytes, sample.net_rx_bytes, sample.pids), (None, None, None, None));
}
