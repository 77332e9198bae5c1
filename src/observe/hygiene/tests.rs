//! What is held against a container, what is not, and how it is said.

use super::*;

fn good() -> Makeup {
    Makeup {
        user: User::Other,
        log: Some(LogKept::by("json-file", true)),
        checked: Some(true),
        memory_limited: Some(true),
        cpu_limited: Some(true),
        ..Makeup::new(WorkloadId::new("web"), "registry:5000/web:1.2@sha256:9f2a")
    }
}

fn published(address: &str, host: u16, container: u16) -> Port {
    Port { host: Some((address.into(), host)), container, protocol: "tcp".into() }
}

/// The checks that find something, where nothing else is wrong.
fn found(makeup: &Makeup, tier: Tier, engine: EngineKind) -> Vec<(Check, bool)> {
    judge(std::slice::from_ref(makeup), tier, engine).into_iter().map(|f| (f.check, f.grave)).collect()
}

#[test]
fn each_habit_is_found_alone() {
    use Check as C;
    let compose = EngineKind::Compose;
    type Row = (Makeup, Tier, EngineKind, Vec<(Check, bool)>);
    let table: Vec<Row> = vec![
        (good(), Tier::Production, compose, vec![]),
        (Makeup { keys: vec![("A".into(), Why::Default)], ..good() }, Tier::Production, compose, vec![(C::Passwords, true)]),
        (Makeup { keys: vec![("A".into(), Why::Default)], ..good() }, Tier::Staging, compose, vec![(C::Passwords, false)]),
        (Makeup { keys: vec![("A".into(), Why::LetsAnybodyIn)], ..good() }, Tier::Local, compose, vec![(C::Passwords, false)]),
        (
            Makeup { keys: vec![("A".into(), Why::Placeholder)], ..good() },
            Tier::Production,
            compose,
            vec![(C::Placeholders, false)],
        ),
        (Makeup { keys: vec![("A".into(), Why::Empty)], ..good() }, Tier::Production, compose, vec![(C::EmptySecrets, false)]),
        (
            Makeup { keys: vec![("A".into(), Why::Plain)], ..good() },
            Tier::Production,
            EngineKind::Kubernetes,
            vec![(C::PlainSecrets, false)],
        ),
        (Makeup { keys: vec![("A".into(), Why::Plain)], ..good() }, Tier::Production, compose, vec![]),
        (
            Makeup { ports: vec![published("0.0.0.0", 6380, 6379)], ..good() },
            Tier::Production,
            compose,
            vec![(C::Databases, true)],
        ),
        (Makeup { ports: vec![published("::", 5432, 5432)], ..good() }, Tier::Local, compose, vec![(C::Databases, false)]),
        (Makeup { ports: vec![published("127.0.0.1", 5432, 5432)], ..good() }, Tier::Production, compose, vec![]),
        (Makeup { ports: vec![published("0.0.0.0", 80, 8080)], ..good() }, Tier::Production, compose, vec![]),
        (Makeup { privileged: true, ..good() }, Tier::Production, compose, vec![(C::Privileges, false)]),
        (Makeup { sockets: vec!["/var/run/docker.sock".into()], ..good() }, Tier::Local, compose, vec![(C::EngineSocket, false)]),
        (Makeup { host_network: true, ..good() }, Tier::Local, compose, vec![(C::HostNetwork, false)]),
        (Makeup { user: User::Root, ..good() }, Tier::Local, compose, vec![(C::Root, false)]),
        (Makeup { user: User::OfImage, ..good() }, Tier::Local, compose, vec![(C::Root, false)]),
        (Makeup { user: User::Unknown, ..good() }, Tier::Local, compose, vec![]),
        (Makeup { escalates: Some(true), ..good() }, Tier::Local, EngineKind::Kubernetes, vec![(C::Escalation, false)]),
        (Makeup { log: Some(LogKept::by("json-file", false)), ..good() }, Tier::Local, compose, vec![(C::Logs, false)]),
        (Makeup { log: Some(LogKept::by("local", false)), ..good() }, Tier::Local, compose, vec![]),
        (Makeup { log: Some(LogKept::by("json-file", false)), ..good() }, Tier::Local, EngineKind::Kubernetes, vec![]),
        (Makeup { checked: Some(false), ..good() }, Tier::Local, compose, vec![(C::Health, false)]),
        (Makeup { checked: Some(false), serves: false, ..good() }, Tier::Local, compose, vec![]),
        (
            Makeup { checked: Some(true), revived: Some(false), ..good() },
            Tier::Local,
            EngineKind::Kubernetes,
            vec![(C::Health, false)],
        ),
        (Makeup { memory_limited: Some(false), ..good() }, Tier::Local, compose, vec![(C::Limits, false)]),
        (Makeup { image: "web:1.2".into(), ..good() }, Tier::Production, compose, vec![(C::Tags, false)]),
        (Makeup { image: "web:1.2".into(), ..good() }, Tier::Staging, compose, vec![]),
        (Makeup { image: "registry:5000/web".into(), ..good() }, Tier::Staging, compose, vec![(C::Tags, false)]),
        (Makeup { image: "web:latest".into(), ..good() }, Tier::Local, compose, vec![(C::Tags, false)]),
    ];
    for (makeup, tier, engine, expected) in table {
        assert_eq!(found(&makeup, tier, engine), expected, "{tier} {engine} {makeup:?}");
    }
}

#[test]
fn what_is_not_known_is_not_held_against_anybody() {
    let unknown = Makeup::new(WorkloadId::new("web"), "");
    for engine in [EngineKind::Compose, EngineKind::Swarm, EngineKind::Kubernetes, EngineKind::Demo] {
        assert_eq!(found(&unknown, Tier::Production, engine), []);
    }
}

#[test]
fn containers_of_a_workload_are_told_together() {
    let of = |container: &str, memory| Makeup {
        container: Some(container.into()),
        memory_limited: Some(memory),
        cpu_limited: Some(false),
        ..good()
    };
    let findings = judge(&[of("app", true), of("proxy", true), of("agent", false)], Tier::Staging, EngineKind::Kubernetes);
    let told: Vec<&str> = findings.iter().map(|f| f.detail.as_str()).collect();
    assert_eq!(told, ["app, proxy: CPU is not limited; agent: neither memory nor CPU is limited"]);
}

#[test]
fn replicas_of_a_workload_are_told_once() {
    let findings =
        judge(&[Makeup { user: User::Root, ..good() }, Makeup { user: User::Root, ..good() }], Tier::Local, EngineKind::Compose);
    assert_eq!(findings.iter().map(|f| f.detail.as_str()).collect::<Vec<_>>(), ["its process is root"]);
}

#[test]
fn the_way_to_mend_it_is_in_the_engines_own_words() {
    let bad = Makeup {
        ports: vec![published("0.0.0.0", 6380, 6379)],
        keys: vec![("REDIS_PASSWORD".into(), Why::Default)],
        image: "redis:latest".into(),
        checked: Some(false),
        ..good()
    };
    let mended = |engine| -> Vec<(Check, String)> {
        judge(std::slice::from_ref(&bad), Tier::Local, engine).into_iter().map(|f| (f.check, f.mend)).collect()
    };
    for (engine, check, part) in [
        (EngineKind::Compose, Check::Databases, "ports: [\"127.0.0.1:6380:6379\"]"),
        (EngineKind::Compose, Check::Passwords, "REDIS_PASSWORD=…"),
        (EngineKind::Compose, Check::Health, "test: [CMD, redis-cli, ping]"),
        (EngineKind::Compose, Check::Tags, "image: redis:VERSION@sha256:…"),
        (EngineKind::Swarm, Check::Passwords, "REDIS_PASSWORD_FILE: /run/secrets/NAME"),
        (EngineKind::Kubernetes, Check::Passwords, "secretKeyRef: { name: NAME, key: REDIS_PASSWORD }"),
        (EngineKind::Kubernetes, Check::Databases, "ClusterIP"),
    ] {
        let lines = mended(engine);
        let line = lines.iter().find(|(c, _)| *c == check).map(|(_, line)| line.clone()).unwrap_or_default();
        assert!(line.contains(part), "{engine} {check:?}: {line}");
    }
}

#[test]
fn what_is_clear_is_what_was_not_found() {
    let findings = judge(&[Makeup { user: User::Root, ..good() }], Tier::Local, EngineKind::Compose);
    let clear = clear(&findings, EngineKind::Compose);
    assert!(!clear.contains(&Check::Root) && clear.contains(&Check::Passwords) && !clear.contains(&Check::Escalation));
}

#[test]
fn a_user_is_root_by_name_number_or_by_nobody_saying() {
    for (written, expected) in [
        ("", User::Root),
        ("0", User::Root),
        ("root", User::Root),
        ("0:1000", User::Root),
        ("1000", User::Other),
        ("app:app", User::Other),
    ] {
        assert_eq!(User::of(written), expected, "{written}");
    }
}
