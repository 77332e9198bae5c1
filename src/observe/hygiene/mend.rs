//! How a finding is mended: a line for the stack's own definition, in its engine's words.

use super::{Check, DATABASES, Makeup};
use crate::model::EngineKind;

/// The line for a finding of `makeup`.
pub(super) fn line(check: Check, makeup: &Makeup, engine: EngineKind) -> String {
    match engine {
        EngineKind::Kubernetes => of_a_manifest(check, makeup),
        EngineKind::Compose | EngineKind::Demo => of_a_compose_file(check, makeup, false),
        EngineKind::Swarm => of_a_compose_file(check, makeup, true),
    }
}

fn of_a_compose_file(check: Check, makeup: &Makeup, swarm: bool) -> String {
    match check {
        Check::Passwords | Check::Placeholders | Check::EmptySecrets | Check::PlainSecrets => {
            let key = key(makeup, check);
            if swarm {
                return format!(
                    "openssl rand -hex 24 | docker secret create NAME -, then in the stack file: secrets: [NAME] and {key}_FILE: /run/secrets/NAME"
                );
            }
            format!(
                "in the env file: {key}=…, a value of its own (openssl rand -hex 24), then docker compose up -d; a database that exists keeps its old password until it is changed there"
            )
        }
        Check::Databases => match database(makeup).filter(|_| !swarm) {
            Some((host, inner)) => {
                format!("ports: [\"127.0.0.1:{host}:{inner}\"], or none: services of its network reach it by name")
            }
            None => "leave `ports:` out: services of its network reach it by name".to_owned(),
        },
        Check::Privileges => "take `privileged: true` away and give what it needs by name: cap_add: [NET_ADMIN]".to_owned(),
        Check::EngineSocket => {
            "take the socket out of `volumes:`; where it must see the engine, a proxy that only reads".to_owned()
        }
        Check::HostNetwork => "take `network_mode: host` away and publish what is needed: ports: [\"8080:8080\"]".to_owned(),
        Check::Root => "user: \"10001:10001\" (its files must be that user's), or USER in its Dockerfile".to_owned(),
        Check::Escalation => "security_opt: [no-new-privileges:true]".to_owned(),
        Check::Logs => "logging: { driver: json-file, options: { max-size: \"10m\", max-file: \"3\" } }".to_owned(),
        Check::Health => {
            format!("healthcheck: {{ test: {}, interval: 10s, timeout: 3s, retries: 3 }}", test(&makeup.image))
        }
        Check::Limits => "deploy: { resources: { limits: { memory: 512M, cpus: \"1.0\" } } }".to_owned(),
        Check::Tags => pinned(&makeup.image),
    }
}

fn of_a_manifest(check: Check, makeup: &Makeup) -> String {
    match check {
        Check::Passwords | Check::Placeholders | Check::EmptySecrets | Check::PlainSecrets => {
            let key = key(makeup, check);
            format!(
                "kubectl create secret generic NAME --from-literal={key}=…, then env: [{{ name: {key}, valueFrom: {{ secretKeyRef: {{ name: NAME, key: {key} }} }} }}]"
            )
        }
        Check::Databases => "spec.type of its Service: ClusterIP; from outside, kubectl port-forward".to_owned(),
        Check::Privileges => {
            "securityContext: { privileged: false }, and what it needs by name: capabilities: { add: [NET_ADMIN] }".to_owned()
        }
        Check::EngineSocket => "take the hostPath volume of the socket away".to_owned(),
        Check::HostNetwork => "hostNetwork: false, and a Service for what is to be reached".to_owned(),
        Check::Root => "securityContext: { runAsNonRoot: true, runAsUser: 10001 }".to_owned(),
        Check::Escalation => "securityContext: { allowPrivilegeEscalation: false }".to_owned(),
        Check::Logs => "containerLogMaxSize in the kubelet's configuration".to_owned(),
        Check::Health => {
            let port = makeup.ports.first().map_or_else(|| "PORT".to_owned(), |port| port.container.to_string());
            let probe = format!("{{ httpGet: {{ path: /health, port: {port} }} }}");
            match (makeup.checked, makeup.revived) {
                (Some(false), Some(false)) => format!("readinessProbe: {probe}, livenessProbe: {probe}"),
                (Some(true), _) => format!("livenessProbe: {probe}"),
                (_, _) => format!("readinessProbe: {probe}"),
            }
        }
        Check::Limits => "resources: { limits: { memory: 512Mi, cpu: 500m } }".to_owned(),
        Check::Tags => pinned(&makeup.image),
    }
}

/// The first variable a finding is about.
fn key(makeup: &Makeup, check: Check) -> String {
    use super::Why;
    let is = |why: Why| match check {
        Check::Passwords => matches!(why, Why::Default | Why::LetsAnybodyIn),
        Check::Placeholders => why == Why::Placeholder,
        Check::EmptySecrets => why == Why::Empty,
        Check::PlainSecrets => why == Why::Plain,
        Check::Databases
        | Check::Privileges
        | Check::EngineSocket
        | Check::HostNetwork
        | Check::Root
        | Check::Escalation
        | Check::Logs
        | Check::Health
        | Check::Limits
        | Check::Tags => false,
    };
    let mut keys: Vec<&str> = makeup.keys.iter().filter(|(_, why)| is(*why)).map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    (*keys.first().unwrap_or(&"KEY")).to_owned()
}

/// Host and inner port of the first published database.
fn database(makeup: &Makeup) -> Option<(u16, u16)> {
    let of = |port: &crate::model::Port| {
        let (_, host) = port.host.as_ref()?;
        DATABASES.iter().any(|(known, _)| *known == port.container || known == host).then_some((*host, port.container))
    };
    makeup.ports.iter().find_map(of)
}

/// A check that fits what an image seems to be.
fn test(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    if name.starts_with("redis") || name.starts_with("valkey") {
        "[CMD, redis-cli, ping]"
    } else if name.starts_with("postgres") || name.starts_with("pgvector") {
        "[CMD, pg_isready]"
    } else if name.starts_with("mysql") || name.starts_with("mariadb") {
        "[CMD, mysqladmin, ping]"
    } else {
        "[CMD, curl, -fsS, \"http://localhost:PORT/health\"]"
    }
}

/// An image as it should be named.
fn pinned(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let versioned = last.split_once(':').is_some_and(|(_, tag)| tag != "latest");
    let name = image.strip_suffix(":latest").unwrap_or(image);
    let wanted = if versioned { image.to_owned() } else { format!("{name}:VERSION") };
    format!("image: {wanted}@sha256:… (docker image inspect --format '{{{{index .RepoDigests 0}}}}' {image})")
}
