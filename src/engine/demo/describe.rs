//! Definitions as the demo's engines would print them: JSON of a container, YAML of a workload; secrets masked.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::place::{Place, Service};
use super::recipe::Probe;
use super::unit::Unit;
use super::world::World;
use crate::engine::{Description, Subject};
use crate::model::Mechanics;
use crate::observe::redact;

/// What a subject is defined as; `None` where it is not in the world.
#[must_use]
pub fn describe(world: &World, subject: &Subject) -> Option<Description> {
    let text = match subject {
        Subject::Workload(environment, workload) => {
            let place = &world.places[world.place(environment)?];
            let service = place.service(workload.as_str())?;
            match place.stack.mechanics {
                Mechanics::Instances => compose(place, service),
                Mechanics::Declared => manifest(place, service),
            }
        }
        // Only the image of a revision is kept in this world, and it has no nodes.
        Subject::Revision(..) | Subject::Between(..) | Subject::Node(..) => return None,
        Subject::Instance(id) => {
            let place = world.places.iter().find(|p| p.find(id).is_some())?;
            let unit = place.find(id)?;
            match place.stack.mechanics {
                Mechanics::Instances => inspect(place, unit),
                Mechanics::Declared => pod(place, unit),
            }
        }
    };
    let lines = text.lines().map(|line| Arc::from(&*crate::observe::text::clean(line))).collect();
    Some(Description { subject: subject.clone(), lines })
}

/// The environment with its secrets masked.
fn environment(unit_env: &[&str]) -> Vec<String> {
    unit_env.iter().map(|entry| redact::text(&redact::env_entry(entry)).into_owned()).collect()
}

fn test(probe: Option<Probe>) -> Vec<String> {
    match probe {
        Some(Probe::Http { port, path, .. }) => {
            vec!["CMD".into(), "curl".into(), "-fsS".into(), format!("http://localhost:{port}{path}")]
        }
        Some(Probe::RedisPing) => vec!["CMD".into(), "redis-cli".into(), "ping".into()],
        Some(Probe::PgIsReady) => vec!["CMD-SHELL".into(), "pg_isready".into()],
        None => Vec::new(),
    }
}

fn inspect(place: &Place, unit: &Unit) -> String {
    let recipe = unit.recipe;
    let ports: serde_json::Map<String, serde_json::Value> = recipe
        .ports
        .iter()
        .map(|(host, port)| {
            (format!("{port}/tcp"), host.map_or(json!(null), |h| json!([{"HostIp": "0.0.0.0", "HostPort": h.to_string()}])))
        })
        .collect();
    let mut value = json!({
        "Id": unit.id.as_str(),
        "Name": format!("/{}", unit.name),
        "Created": unit.created_at,
        "State": {
            "Status": unit.state.word(), "OOMKilled": unit.oom_killed, "ExitCode": unit.exit_code.unwrap_or(0),
            "StartedAt": unit.started_at, "FinishedAt": unit.finished_at,
        },
        "Image": &*unit.digest,
        "RestartCount": unit.restarts,
        "HostConfig": {
            "Memory": recipe.figures.limit_mib * 1024 * 1024,
            "NetworkMode": format!("{}_default", place.stack.project),
            "RestartPolicy": {"Name": "unless-stopped"},
            "PortBindings": ports,
        },
        "Mounts": recipe.volume.map_or(json!([]), |v| json!([{"Type": "volume", "Name": v, "Destination": "/data"}])),
        "Config": {
            "Image": &*unit.image,
            "Cmd": recipe.command.split(' ').collect::<Vec<_>>(),
            "Env": environment(recipe.env),
            "Labels": unit.labels.iter().map(|(k, v)| (k.to_string(), json!(&**v))).collect::<serde_json::Map<_, _>>(),
        },
        "NetworkSettings": {"Networks": {format!("{}_default", place.stack.project): {"IPAddress": &*unit.ip, "Aliases": [recipe.name]}}},
    });
    if recipe.probe.is_some() {
        value["State"]["Health"] = json!({
            "Status": unit.check.health.word(),
            "Log": [{"End": unit.check.at, "Output": &*unit.check.output}],
        });
        value["Config"]["Healthcheck"] = json!({"Test": test(recipe.probe), "Interval": "15s", "Timeout": "3s", "Retries": 3});
    }
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn compose(place: &Place, service: &Service) -> String {
    let recipe = service.recipe;
    let image = service.units.iter().max_by_key(|u| u.revision).map_or(&service.template.image, |u| &u.image);
    let mut y = String::new();
    let _ = writeln!(y, "# service {} of project {}, as its containers define it", recipe.name, place.stack.project);
    let _ = writeln!(y, "services:\n  {}:\n    image: {image}\n    command: {}", recipe.name, recipe.command);
    list(&mut y, "    environment:", "      - ", &environment(recipe.env));
    let published = recipe.ports.iter().filter_map(|(host, port)| host.map(|host| format!("\"{host}:{port}\"")));
    list(&mut y, "    ports:", "      - ", &published.collect::<Vec<_>>());
    list(&mut y, "    depends_on:", "      - ", recipe.needs);
    list(&mut y, "    volumes:", "      - ", &recipe.volume.map(|v| format!("{v}:/data")).into_iter().collect::<Vec<_>>());
    if recipe.probe.is_some() {
        let _ = writeln!(y, "    healthcheck:\n      test: {:?}\n      interval: 15s\n      timeout: 3s", test(recipe.probe));
    }
    let _ = writeln!(
        y,
        "    restart: unless-stopped\n    mem_limit: {}m\n    scale: {}",
        recipe.figures.limit_mib,
        service.units.len()
    );
    y
}

fn list<T: std::fmt::Display>(y: &mut String, head: &str, lead: &str, items: &[T]) {
    if !items.is_empty() {
        let _ = writeln!(y, "{head}");
        for item in items {
            let _ = writeln!(y, "{lead}{item}");
        }
    }
}

fn manifest(place: &Place, service: &Service) -> String {
    let recipe = service.recipe;
    let mut y = String::new();
    let _ = writeln!(y, "apiVersion: apps/v1\nkind: {}\nmetadata:", recipe.kind);
    let _ =
        writeln!(y, "  name: {}\n  namespace: {}\n  creationTimestamp: {:.0}", recipe.name, place.stack.project, service.born);
    let _ = writeln!(y, "  annotations:\n    deployment.kubernetes.io/revision: \"{}\"", service.template.revision);
    let _ = writeln!(y, "spec:\n  replicas: {}\n  revisionHistoryLimit: 10", service.desired);
    if !super::declared::is_stateful(recipe) {
        let _ =
            writeln!(y, "  strategy:\n    type: RollingUpdate\n    rollingUpdate:\n      maxSurge: 1\n      maxUnavailable: 0");
    }
    let _ = writeln!(y, "  selector:\n    matchLabels:\n      app.kubernetes.io/name: {}", recipe.name);
    let _ = writeln!(y, "  template:\n    spec:\n      containers:");
    container(&mut y, service.recipe, &service.template.image, "      ");
    let ready = service.units.iter().filter(|u| u.answers()).count();
    let updated = service.units.iter().filter(|u| u.template == service.template.hash).count();
    let _ = writeln!(y, "status:\n  replicas: {}\n  readyReplicas: {ready}\n  updatedReplicas: {updated}", service.units.len());
    y
}

fn container(y: &mut String, recipe: &super::recipe::Recipe, image: &str, pad: &str) {
    let _ = writeln!(y, "{pad}- name: {}\n{pad}  image: {image}\n{pad}  args: {:?}", recipe.name, recipe.command);
    list(
        y,
        &format!("{pad}  ports:"),
        &format!("{pad}  - containerPort: "),
        &recipe.ports.iter().map(|p| p.1).collect::<Vec<_>>(),
    );
    if !recipe.env.is_empty() {
        let _ = writeln!(y, "{pad}  env:");
        for entry in environment(recipe.env) {
            let (name, value) = entry.split_once('=').unwrap_or((&entry, ""));
            let _ = writeln!(y, "{pad}  - name: {name}\n{pad}    value: {value:?}");
        }
    }
    let cpu = recipe.figures.cpu_cores * 2000.0;
    let _ = writeln!(
        y,
        "{pad}  resources:\n{pad}    limits:\n{pad}      cpu: {cpu:.0}m\n{pad}      memory: {}Mi",
        recipe.figures.limit_mib
    );
    if let Some(Probe::Http { port, path, .. }) = recipe.probe {
        let _ = writeln!(y, "{pad}  readinessProbe:\n{pad}    httpGet:\n{pad}      path: {path}\n{pad}      port: {port}");
        let _ = writeln!(y, "{pad}    periodSeconds: 15\n{pad}    timeoutSeconds: 3");
    }
}

fn pod(place: &Place, unit: &Unit) -> String {
    let mut y = String::new();
    let _ = writeln!(y, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n  namespace: {}", unit.name, place.stack.project);
    let _ = writeln!(y, "  creationTimestamp: {:.0}\n  labels:", unit.created_at);
    for (key, value) in unit.labels.iter() {
        let _ = writeln!(y, "    {key}: {value}");
    }
    let _ = writeln!(y, "spec:\n  nodeName: {}\n  restartPolicy: Always\n  containers:", unit.node.as_deref().unwrap_or("-"));
    container(&mut y, unit.recipe, &unit.image, "  ");
    let _ = writeln!(
        y,
        "status:\n  phase: {}\n  podIP: {}\n  containerStatuses:",
        if unit.unpulled { "Pending" } else { "Running" },
        unit.ip
    );
    let _ = writeln!(y, "  - name: {}\n    ready: {}\n    restartCount: {}", unit.recipe.name, unit.answers(), unit.restarts);
    if let Some(code) = unit.exit_code {
        let _ = writeln!(y, "    lastState:\n      terminated:\n        exitCode: {code}");
    }
    y
}
