//! What a service is attached to: ports, volumes and networks, with the names the project gives them on the engine.

use serde_json::{Map, Value};

use super::super::{Fields, scalar};

/// The file around a service.
pub(super) struct Around<'a> {
    pub project: &'a str,
    pub root: &'a Value,
}

impl Around<'_> {
    /// The name a volume or network of the file has on the engine.
    fn full_name(&self, kind: &str, key: &str) -> String {
        let one = self.root.get(kind).and_then(|all| all.get(key));
        let named = one.and_then(|one| one.get("name")).and_then(Value::as_str);
        let external = one.and_then(|one| one.get("external")).filter(|e| !matches!(e, Value::Null | Value::Bool(false)));
        match (named, external) {
            (Some(name), _) => name.to_owned(),
            // The first generation writes the name into `external`.
            (None, Some(external)) => external.get("name").and_then(Value::as_str).unwrap_or(key).to_owned(),
            (None, None) => format!("{}_{key}", self.project),
        }
    }

    pub(super) fn volumes(&self, service: &Map<String, Value>, fields: &mut Fields) {
        for volume in service.get("volumes").and_then(Value::as_array).into_iter().flatten() {
            let mount = match volume {
                Value::Object(long) => self.long(long),
                short => scalar::text(short).map(|text| self.short(&text)),
            };
            fields.extend(mount.map(|(target, what)| (format!("volumes.{target}"), what)));
        }
        let tmpfs = service.get("tmpfs").map(super::words).unwrap_or_default();
        for place in tmpfs {
            let target = place.split(':').next().unwrap_or(&place);
            fields.insert(format!("volumes.{target}"), "tmpfs".to_owned());
        }
    }

    fn long(&self, volume: &Map<String, Value>) -> Option<(String, String)> {
        let of = |key: &str| volume.get(key).and_then(Value::as_str);
        let target = tidy(of("target")?);
        let mode = if volume.get("read_only").and_then(Value::as_bool) == Some(true) { " (read-only)" } else { "" };
        Some(match (of("type").unwrap_or("volume"), of("source")) {
            ("tmpfs", _) => (target, "tmpfs".to_owned()),
            ("bind", source) => (target, format!("{}{mode}", tidy(source.unwrap_or_default()))),
            (_, Some(source)) => (target, format!("volume {}{mode}", self.full_name("volumes", source))),
            (_, None) => (target, format!("anonymous volume{mode}")),
        })
    }

    /// `[source:]target[:mode]`.
    fn short(&self, text: &str) -> (String, String) {
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, mode) = match parts[..] {
            [target] => ("", target, ""),
            [source, target] => (source, target, ""),
            [source, target, mode, ..] => (source, target, mode),
            [] => ("", text, ""),
        };
        let mode = if mode.split(',').any(|m| m == "ro") { " (read-only)" } else { "" };
        let what = match source {
            "" => "anonymous volume".to_owned(),
            path if path.starts_with(['/', '.', '~']) => tidy(path),
            name => format!("volume {}", self.full_name("volumes", name)),
        };
        (tidy(target), format!("{what}{mode}"))
    }

    pub(super) fn networks(&self, name: &str, service: &Map<String, Value>, fields: &mut Fields) {
        if let Some(mode) = service.get("network_mode").and_then(Value::as_str) {
            let mode = mode.split_once(':').map_or(mode, |(kind, _)| if kind == "service" { "container" } else { kind });
            fields.insert("network_mode".to_owned(), mode.to_owned());
            return;
        }
        let mut all: Vec<(String, Vec<String>)> = match service.get("networks") {
            Some(Value::Object(map)) => map
                .iter()
                .map(|(key, network)| (key.clone(), network.get("aliases").map(super::words).unwrap_or_default()))
                .collect(),
            Some(list @ Value::Array(_)) => super::words(list).into_iter().map(|key| (key, Vec::new())).collect(),
            Some(_) | None => Vec::new(),
        };
        if all.is_empty() {
            all.push(("default".to_owned(), Vec::new()));
        }
        for (key, mut aliases) in all {
            aliases.retain(|alias| alias != name);
            aliases.sort();
            let what = if aliases.is_empty() { "attached".to_owned() } else { format!("attached as {}", aliases.join(", ")) };
            fields.insert(format!("networks.{}", self.full_name("networks", &key)), what);
        }
    }
}

/// Where its ports are published.
pub(super) fn ports(service: &Map<String, Value>, fields: &mut Fields) {
    let mut all: Vec<(String, String)> = Vec::new();
    for port in service.get("ports").and_then(Value::as_array).into_iter().flatten() {
        match port {
            Value::Object(long) => {
                let of = |key: &str| long.get(key).and_then(scalar::text).unwrap_or_default();
                let protocol = Some(of("protocol")).filter(|p| !p.is_empty()).unwrap_or_else(|| "tcp".to_owned());
                all.push((format!("{}/{protocol}", of("target")), scalar::published(&of("host_ip"), &of("published"))));
            }
            short => all.extend(scalar::text(short).iter().flat_map(|text| scalar::ports(text))),
        }
    }
    super::super::join(all, "ports", fields);
}

/// A path without the slashes at its end.
fn tidy(path: &str) -> String {
    let short = path.trim_end_matches('/');
    if short.is_empty() { path.to_owned() } else { short.to_owned() }
}
