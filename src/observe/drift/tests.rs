//! The file in the words of both tools, against containers: what differs, and what must not.

use serde_json::json;

use super::wanted::{Generation, Service, Wanted, read};
use super::*;

/// `docker-compose config` of 1.29.
const ONE: &str = r#"
networks:
  back: {}
  outside:
    external: true
    name: edge
services:
  api:
    command: /bin/app --say 'a  b' $$HOME
    cpus: 0.5
    deploy:
      replicas: 2
      resources:
        limits:
          memory: 1g
    entrypoint:
    - /entry
    environment:
      DB_HOST: db
      DB_PASSWORD: s3cret
      EMPTY: ''
      NOWHERE: null
      PORT: 80
    healthcheck:
      interval: 1m30s
      retries: 3
      test: test -f /ok
      timeout: 10s
    image: reg:5000/api
    labels:
      team: core
    mem_limit: 512m
    networks:
      back:
        aliases:
        - backend
        - api
      outside: null
    ports:
    - published: 8080
      target: 80
    - 127.0.0.1:53:53/udp
    - target: 9000
    restart: unless-stopped
    user: '1000'
    volumes:
    - db_data:/data:rw
    - /srv/conf:/etc/conf:ro
    - /cache
  web:
    build:
      context: /srv/web
    restart: 'no'
version: '3.8'
volumes:
  db_data: {}
"#;

/// `docker compose config` of 2.
const TWO: &str = r#"
name: shop
services:
  api:
    command: ["/bin/app", "--say", "a  b", "$$HOME"]
    cpus: 0.5
    deploy:
      replicas: 2
      resources: {limits: {pids: 100}}
      placement: {}
    entrypoint: ["/entry"]
    environment: {DB_HOST: db, DB_PASSWORD: s3cret, EMPTY: "", NOWHERE: null, PORT: "80"}
    healthcheck: {test: [CMD-SHELL, "test -f /ok"], timeout: 10s, interval: 1m30s, retries: 3}
    image: reg:5000/api
    labels: {team: core}
    mem_limit: "536870912"
    networks: {back: {aliases: [backend]}, outside: null}
    ports:
      - {mode: ingress, target: 80, published: "8080", protocol: tcp}
      - {mode: ingress, host_ip: 127.0.0.1, target: 53, published: "53", protocol: udp}
      - {mode: ingress, target: 9000, protocol: tcp}
    restart: unless-stopped
    user: "1000"
    volumes:
      - {type: volume, source: db_data, target: /data, volume: {}}
      - {type: bind, source: /srv/conf, target: /etc/conf, read_only: true, bind: {create_host_path: true}}
      - {type: volume, target: /cache, volume: {}}
  web:
    build: {context: /srv/web, dockerfile: Dockerfile}
    networks: {default: null}
    deploy: {restart_policy: {condition: none}}
    profiles: [extra]
networks:
  back: {name: shop_back, ipam: {}}
  default: {name: shop_default, ipam: {}}
  outside: {name: edge, external: true}
volumes:
  db_data: {name: shop_db_data}
"#;

fn of(generation: Generation) -> Wanted {
    let text = match generation {
        Generation::One => ONE,
        Generation::Two => TWO,
    };
    read(text, "shop", generation).unwrap()
}

#[test]
fn both_tools_ask_for_the_same() {
    let (one, two) = (of(Generation::One), of(Generation::Two));
    let (mut first, second) = (one.services["api"].clone(), two.services["api"].clone());
    // The first generation leaves what is below `deploy` to Swarm, but for the number.
    first.fields.insert("pids_limit".into(), "100".into());
    assert_eq!(first, second);
    assert_eq!((first.replicas, first.is_built, first.image.as_deref()), (Some(2), false, Some("reg:5000/api")));
    for (path, value) in [
        ("command", "/bin/app --say 'a  b' $HOME"),
        ("image", "reg:5000/api:latest"),
        ("environment.PORT", "80"),
        ("environment.EMPTY", ""),
        ("healthcheck.test", "CMD-SHELL 'test -f /ok'"),
        ("healthcheck.interval", "90s"),
        ("memory", "512 MiB"),
        ("networks.shop_back", "attached as backend"),
        ("networks.edge", "attached"),
        ("ports.80/tcp", "8080"),
        ("ports.53/udp", "127.0.0.1:53"),
        ("ports.9000/tcp", "any"),
        ("volumes./data", "volume shop_db_data"),
        ("volumes./etc/conf", "/srv/conf (read-only)"),
        ("volumes./cache", "anonymous volume"),
    ] {
        assert_eq!(first.fields.get(path).map(String::as_str), Some(value), "{path}");
    }
    assert!(!first.fields.contains_key("environment.NOWHERE"));
    let web = |wanted: &Wanted| (wanted.services["web"].fields.clone(), wanted.services["web"].is_built);
    assert_eq!(web(&one), web(&two));
    assert_eq!(web(&one).0, Fields::from([("networks.shop_default".into(), "attached".into())]));
    assert!(two.services["web"].has_profile && !one.services["web"].has_profile);
}

#[test]
fn nonsense_is_told() {
    for text in ["", "services: [", "- a", "version: '3'"] {
        assert!(read(text, "shop", Generation::Two).is_err(), "{text:?}");
    }
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
}

fn lines(drift: Option<Drift>) -> Vec<String> {
    let shown = |value: &Option<Arc<str>>| value.as_deref().unwrap_or("–").to_owned();
    let all = drift.map(|d| d.deviations).unwrap_or_default();
    all.iter().map(|d| format!("{}: {} → {}", d.path, shown(&d.running), shown(&d.wanted))).collect()
}

#[test]
#[allow(clippy::too_many_lines, clippy::type_complexity, reason = "a table")]
fn what_the_image_brings_counts_for_neither() {
    let image =
        fields(&[("command", "/bin/app"), ("environment.PATH", "/bin"), ("labels.v", "1"), ("volumes./d", "anonymous volume")]);
    let table: &[(&[(&str, &str)], &[(&str, &str)], &[&str])] = &[
        // As the image has it, and as the file has it.
        (
            &[("image", "a:1")],
            &[
                ("image", "a:1"),
                ("command", "/bin/app"),
                ("environment.PATH", "/bin"),
                ("labels.v", "1"),
                ("volumes./d", "anonymous volume"),
            ],
            &[],
        ),
        // The file says nothing any more of what was once said.
        (
            &[("image", "a:1")],
            &[
                ("image", "a:1"),
                ("command", "/bin/app -v"),
                ("environment.PATH", "/bin"),
                ("labels.v", "1"),
                ("volumes./d", "anonymous volume"),
                ("environment.OLD", "x"),
            ],
            &["command: /bin/app -v → /bin/app", "environment.OLD: x → –"],
        ),
        // A new entry point takes the image's arguments away.
        (
            &[("image", "a:1"), ("entrypoint", "/e")],
            &[
                ("image", "a:1"),
                ("entrypoint", "/e"),
                ("environment.PATH", "/bin"),
                ("labels.v", "1"),
                ("volumes./d", "anonymous volume"),
            ],
            &[],
        ),
        // What every container has of its own, and what the tool passes on.
        (
            &[("image", "a:1"), ("hostname", "h")],
            &[
                ("image", "a:1"),
                ("hostname", "x"),
                ("container_name", "shop_a_1"),
                ("logging", "local"),
                ("environment.HTTP_PROXY", "p"),
                ("command", "/bin/app"),
                ("environment.PATH", "/bin"),
                ("labels.v", "1"),
                ("volumes./d", "anonymous volume"),
            ],
            &["hostname: x → h"],
        ),
        // A secret is compared by its value and never shown.
        (
            &[("image", "a:1"), ("environment.DB_PASSWORD", "new")],
            &[
                ("image", "a:1"),
                ("environment.DB_PASSWORD", "old"),
                ("command", "/bin/app"),
                ("environment.PATH", "/bin"),
                ("labels.v", "1"),
                ("volumes./d", "anonymous volume"),
            ],
            &["environment.DB_PASSWORD: •••••• → •••••• (another value)"],
        ),
    ];
    for (asked, is, expected) in table {
        let service = Service { fields: fields(asked), ..Service::default() };
        let running = Running { fields: fields(is), image_fields: image.clone(), image_id: "sha256:1".into() };
        assert_eq!(lines(compare(&service, &[running], Some("sha256:1"), 1)), *expected, "{asked:?}");
    }
}

#[test]
fn a_tag_that_moved_and_another_number_are_told() {
    let service = Service { fields: fields(&[("image", "a:1")]), replicas: Some(2), ..Service::default() };
    let running = |image: &str| Running {
        fields: fields(&[("image", image)]),
        image_id: "sha256:0123456789abcdef".into(),
        ..Running::default()
    };
    let drift = compare(&service, &[running("a:1"), running("a:1")], Some("sha256:fedcba9876543210"), 3);
    assert_eq!(lines(drift), ["image.content: 0123456789ab → fedcba987654", "replicas: 3 → 2"]);
    // Another image altogether: its content says nothing more.
    assert_eq!(lines(compare(&service, &[running("a:2")], Some("sha256:fedcba9876543210"), 2)), ["image: a:2 → a:1"]);
    // One of several replicas is enough.
    let drift = compare(&service, &[running("a:1"), running("a:2")], None, 2);
    assert_eq!(lines(drift), ["image: a:2 → a:1"]);
    let built = Service { is_built: true, ..Service::default() };
    assert_eq!(compare(&built, &[running("shop_web")], None, 1), None);
    let value = json!({ "a": 1 });
    assert_eq!(scalar::text(&value), None);
}
