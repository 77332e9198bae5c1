//! A container as the engine has it, in the words compose files are compared in. The wire's types stop here.

use serde_json::Value;

use crate::observe::drift::{Fields, Running, join, scalar};

/// Labels of the tools themselves.
const TOOLS: [&str; 4] = ["com.docker.compose.", "dev.quarterdeck.", "desktop.docker.io/", "com.docker.desktop."];
/// What the first generation writes into the environment of what it makes anew (`affinity:container`).
const PLACED: &str = "affinity:";
/// Where secrets are mounted: which of them is told by no label.
const SECRETS: &str = "/run/secrets/";

/// What an inspection and its image's say. `service` is what the container answers to without being told.
pub(super) fn read(container: &Value, image: &Value, service: &str) -> Running {
    let mut fields = config(&container["Config"]);
    host(&container["HostConfig"], &mut fields);
    let name = text(&container["Name"]).trim_start_matches('/').to_owned();
    fields.insert("container_name".to_owned(), name.clone());
    put(&mut fields, "hostname", text(&container["Config"]["Hostname"]));
    put(&mut fields, "image", scalar_image(&container["Config"]["Image"]));
    mounts(container, &mut fields);
    networks(container, &[service, &name], &mut fields);
    let mut image_fields = config(&image["Config"]);
    for target in image["Config"]["Volumes"].as_object().into_iter().flatten().map(|(target, _)| target) {
        image_fields.insert(format!("volumes.{}", tidy(target)), "anonymous volume".to_owned());
    }
    Running { fields, image_fields, image_id: text(&container["Image"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn put(fields: &mut Fields, path: &str, value: String) {
    if !value.is_empty() {
        fields.insert(path.to_owned(), value);
    }
}

fn scalar_image(value: &Value) -> String {
    value.as_str().map(scalar::image).unwrap_or_default()
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn set(value: &Value) -> String {
    let mut all = list(value);
    all.sort();
    all.dedup();
    all.join(", ")
}

/// What a container and an image say alike.
fn config(config: &Value) -> Fields {
    let mut fields = Fields::new();
    for (path, key) in [("command", "Cmd"), ("entrypoint", "Entrypoint")] {
        put(&mut fields, path, scalar::line(&list(&config[key])));
    }
    for (path, key) in [("user", "User"), ("working_dir", "WorkingDir"), ("stop_signal", "StopSignal")] {
        put(&mut fields, path, text(&config[key]));
    }
    for (path, key) in [("tty", "Tty"), ("stdin_open", "OpenStdin")] {
        put(&mut fields, path, flag(&config[key]));
    }
    if let Some(seconds) = config["StopTimeout"].as_i64() {
        fields.insert("stop_grace_period".to_owned(), scalar::duration(seconds.saturating_mul(1_000_000_000)));
    }
    for entry in list(&config["Env"]) {
        let (name, value) = entry.split_once('=').unwrap_or((&entry, ""));
        if !name.starts_with(PLACED) {
            fields.insert(format!("environment.{name}"), value.to_owned());
        }
    }
    for (name, value) in config["Labels"].as_object().into_iter().flatten() {
        if !TOOLS.iter().any(|tool| name.starts_with(tool)) {
            fields.insert(format!("labels.{name}"), text(value));
        }
    }
    healthcheck(&config["Healthcheck"], &mut fields);
    fields
}

fn flag(value: &Value) -> String {
    if value.as_bool() == Some(true) { "true".to_owned() } else { String::new() }
}

fn healthcheck(check: &Value, fields: &mut Fields) {
    put(fields, "healthcheck.test", scalar::line(&list(&check["Test"])));
    for (path, key) in [("interval", "Interval"), ("timeout", "Timeout"), ("start_period", "StartPeriod")] {
        if let Some(ns) = check[key].as_i64().filter(|ns| *ns > 0) {
            fields.insert(format!("healthcheck.{path}"), scalar::duration(ns));
        }
    }
    if let Some(retries) = check["Retries"].as_i64().filter(|n| *n > 0) {
        fields.insert("healthcheck.retries".to_owned(), retries.to_string());
    }
}

fn host(host: &Value, fields: &mut Fields) {
    for (path, key) in [("privileged", "Privileged"), ("read_only", "ReadonlyRootfs"), ("init", "Init")] {
        put(fields, path, flag(&host[key]));
    }
    for (path, key) in [
        ("cap_add", "CapAdd"),
        ("cap_drop", "CapDrop"),
        ("security_opt", "SecurityOpt"),
        ("dns", "Dns"),
        ("group_add", "GroupAdd"),
        ("extra_hosts", "ExtraHosts"),
    ] {
        put(fields, path, set(&host[key]));
    }
    let policy = &host["RestartPolicy"];
    let most = policy["MaximumRetryCount"].as_i64().filter(|n| *n > 0);
    match (policy["Name"].as_str().unwrap_or_default(), most) {
        ("" | "no", _) => {}
        ("on-failure", Some(n)) => put(fields, "restart", format!("on-failure:{n}")),
        (name, _) => put(fields, "restart", name.to_owned()),
    }
    for (path, key) in [("memory", "Memory"), ("memory_reservation", "MemoryReservation")] {
        put(fields, path, host[key].as_u64().filter(|bytes| *bytes > 0).map(scalar::size).unwrap_or_default());
    }
    if let Some(nano) = host["NanoCpus"].as_f64().filter(|nano| *nano > 0.0) {
        fields.insert("cpus".to_owned(), (nano / 1e9).to_string());
    }
    put(fields, "pids_limit", host["PidsLimit"].as_i64().filter(|n| *n > 0).map(|n| n.to_string()).unwrap_or_default());
    put(fields, "logging", text(&host["LogConfig"]["Type"]));
    let mut ports = Vec::new();
    for (target, bindings) in host["PortBindings"].as_object().into_iter().flatten() {
        for binding in bindings.as_array().into_iter().flatten() {
            ports.push((target.clone(), scalar::published(&text(&binding["HostIp"]), &text(&binding["HostPort"]))));
        }
    }
    join(ports, "ports", fields);
    for (target, _) in host["Tmpfs"].as_object().into_iter().flatten() {
        fields.insert(format!("volumes.{}", tidy(target)), "tmpfs".to_owned());
    }
}

fn mounts(container: &Value, fields: &mut Fields) {
    for mount in container["Mounts"].as_array().into_iter().flatten() {
        let target = text(&mount["Destination"]);
        if target.starts_with(SECRETS) {
            continue;
        }
        let mode = if mount["RW"].as_bool() == Some(false) { " (read-only)" } else { "" };
        let name = text(&mount["Name"]);
        let anonymous = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let what = match mount["Type"].as_str().unwrap_or_default() {
            "tmpfs" => "tmpfs".to_owned(),
            "bind" => format!("{}{mode}", tidy(&text(&mount["Source"]))),
            _ if anonymous => format!("anonymous volume{mode}"),
            _ => format!("volume {name}{mode}"),
        };
        fields.insert(format!("volumes.{}", tidy(&target)), what);
    }
}

fn networks(container: &Value, own: &[&str], fields: &mut Fields) {
    let mode = container["HostConfig"]["NetworkMode"].as_str().unwrap_or_default();
    let kind = mode.split(':').next().unwrap_or(mode);
    if matches!(kind, "host" | "none" | "bridge" | "container") {
        fields.insert("network_mode".to_owned(), kind.to_owned());
        return;
    }
    let id = text(&container["Id"]);
    for (network, end) in container["NetworkSettings"]["Networks"].as_object().into_iter().flatten() {
        let mut aliases = list(&end["Aliases"]);
        let is_own = |alias: &str| own.contains(&alias) || (alias.len() >= 12 && id.starts_with(alias));
        aliases.retain(|alias| !is_own(alias));
        aliases.sort();
        aliases.dedup();
        let what = if aliases.is_empty() { "attached".to_owned() } else { format!("attached as {}", aliases.join(", ")) };
        fields.insert(format!("networks.{network}"), what);
    }
}

fn tidy(path: &str) -> String {
    let short = path.trim_end_matches('/');
    if short.is_empty() { path.to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As a 20.10 engine tells of a container of docker-compose 1.29.
    #[test]
    fn an_inspection_is_told_in_the_words_of_a_file() {
        let container = json!({
            "Id": "0123456789abcdef", "Name": "/shop_api_1", "Image": "sha256:1",
            "Config": {
                "Image": "a", "Hostname": "0123456789ab", "User": "", "Cmd": ["/bin/app"], "Entrypoint": null,
                "Env": ["A=1=2", "affinity:container==old", "PATH=/bin"],
                "Labels": { "team": "core", "com.docker.compose.project": "shop", "dev.quarterdeck.revision": "2" },
                "Healthcheck": { "Test": ["CMD", "true"], "Interval": 90_000_000_000_i64 }, "StopTimeout": 3,
            },
            "HostConfig": {
                "NetworkMode": "shop_back", "RestartPolicy": { "Name": "on-failure", "MaximumRetryCount": 3 }, "Memory": 67_108_864,
                "NanoCpus": 500_000_000, "PortBindings": { "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] },
                "LogConfig": { "Type": "json-file" }, "Tmpfs": { "/run/": "" }, "CapAdd": null, "Privileged": false,
            },
            "Mounts": [
                { "Type": "volume", "Name": "shop_data", "Destination": "/data", "RW": true },
                { "Type": "volume", "Name": "a".repeat(64), "Destination": "/cache", "RW": true },
                { "Type": "bind", "Source": "/srv/conf/", "Destination": "/etc/conf", "RW": false },
                { "Type": "bind", "Source": "/srv/secret", "Destination": "/run/secrets/db", "RW": false },
            ],
            "NetworkSettings": { "Networks": { "shop_back": { "Aliases": ["api", "0123456789ab", "backend", "shop_api_1"] } } },
        });
        let image = json!({ "Config": { "Env": ["PATH=/bin"], "Cmd": ["/bin/app"], "Volumes": { "/cache": {} } } });
        let running = read(&container, &image, "api");
        let lines: Vec<String> = running.fields.iter().map(|(path, value)| format!("{path}={value}")).collect();
        let expected = [
            "command=/bin/app",
            "container_name=shop_api_1",
            "cpus=0.5",
            "environment.A=1=2",
            "environment.PATH=/bin",
            "healthcheck.interval=90s",
            "healthcheck.test=CMD true",
            "hostname=0123456789ab",
            "image=a:latest",
            "labels.team=core",
            "logging=json-file",
            "memory=64 MiB",
            "networks.shop_back=attached as backend",
            "ports.80/tcp=8080",
            "restart=on-failure:3",
            "stop_grace_period=3s",
            "volumes./cache=anonymous volume",
            "volumes./data=volume shop_data",
            "volumes./etc/conf=/srv/conf (read-only)",
            "volumes./run=tmpfs",
        ];
        assert_eq!(lines, expected);
        let brought: Vec<&str> = running.image_fields.keys().map(String::as_str).collect();
        assert_eq!(brought, ["command", "environment.PATH", "volumes./cache"]);
    }
}
