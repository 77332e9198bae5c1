//! What is in force for changes, as the text of a configuration file.

use std::sync::Arc;
use std::time::Duration;

use super::{line, quote};
use crate::document::read::spell_duration;
use crate::model::server::{Login, Secret};
use crate::model::{Json, Manner, ProbeKind, ProbeSpec, ServerSpec, WorkloadId};
use crate::observe::redact::{self, MASK};
use crate::operate::Policy;
use crate::operate::autoscale::Autoscale;
use crate::operate::errand::Limit;
use crate::operate::policy::{Asked, Before, Condition, DeployPolicy, LoadPolicy, OnFailure, Place, Switch};
use crate::operate::runbook::{Runbook, RunbookStep};

pub(super) fn show(out: &mut String, policy: &Policy) {
    for (key, server) in [("prometheus", &policy.prometheus), ("alertmanager", &policy.alertmanager)] {
        if let Some(server) = server {
            show_server(out, key, server);
        }
    }
    if !policy.rule_files.is_empty() {
        line(out, &format!("alerts = {{ rules = {} }}", list(&policy.rule_files)));
    }
    for probe in &policy.probes {
        show_probe(out, probe);
    }
    for scrape in &policy.scrapes {
        line(
            out,
            &format!("\n[[environment.scrape]]\n# {}\nurl = {}", scrape.workload.as_deref().unwrap_or("-"), quote(&scrape.url)),
        );
    }
    line(out, "\n[environment.deploy]");
    show_deploy(out, &policy.deploy);
    for (WorkloadId(workload), deploy) in &policy.workloads {
        line(out, &format!("\n[environment.deploy.{}]", quote(workload)));
        show_deploy(out, deploy);
    }
    for scale in &policy.autoscale {
        show_autoscale(out, scale);
    }
    if policy.load != LoadPolicy::default() {
        show_load(out, &policy.load);
    }
    for runbook in &policy.runbooks {
        show_runbook(out, runbook);
    }
}

/// A server; its secrets are not shown, so they must be put in again where they stood in the clear.
fn show_server(out: &mut String, key: &str, server: &ServerSpec) {
    let secret = |key: &str, secret: &Secret| match secret {
        Secret::Clear(_) => format!(", {key} = {}", quote(MASK)),
        Secret::File(path) => format!(", {key}_file = {}", quote(path)),
        Secret::Variable(name) => format!(", {key}_env = {}", quote(name)),
    };
    let login = match &server.login {
        Login::None => String::new(),
        Login::Basic { user, password } => format!(", user = {}{}", quote(user), secret("password", password)),
        Login::Bearer(token) => secret("token", token),
    };
    let ca = server.ca.as_ref().map(|path| format!(", ca = {}", quote(path))).unwrap_or_default();
    line(out, &format!("{key} = {{ url = {}{login}{ca} }}", quote(&server.to_string())));
}

fn show_probe(out: &mut String, probe: &ProbeSpec) {
    line(out, &format!("\n[[environment.probe]]\nname = {}", quote(&probe.name)));
    if let Some(workload) = &probe.workload {
        line(out, &format!("workload = {}", quote(workload)));
    }
    line(
        out,
        &match &probe.kind {
            ProbeKind::Http(url) => format!("http = {}", quote(url)),
            ProbeKind::Tcp(address) => format!("tcp = {}", quote(address)),
            ProbeKind::Tls(address) => format!("tls = {}", quote(address)),
            ProbeKind::Exec(command) => format!("exec = {}", list(command)),
        },
    );
    line(out, &format!("interval = \"{}\"\ntimeout = \"{}\"", spell_duration(probe.interval), spell_duration(probe.timeout)));
    line(out, &format!("failures = {}\nsuccesses = {}", probe.failures, probe.successes));
    if let Some(latency) = probe.latency {
        line(out, &format!("latency = \"{}\"", spell_duration(latency)));
    }
    show_manner(out, &probe.manner);
    let mut expect: Vec<String> = Vec::new();
    expect.extend(probe.expect.status.map(|s| format!("status = {s}")));
    let json: Vec<String> = probe.expect.json.iter().map(|(path, value)| format!("{} = {}", quote(path), json(value))).collect();
    if !json.is_empty() {
        expect.push(format!("json = {{ {} }}", json.join(", ")));
    }
    expect.extend(probe.expect.certificate_days.map(|d| format!("certificate_days = {d}")));
    if !expect.is_empty() {
        line(out, &format!("expect = {{ {} }}", expect.join(", ")));
    }
}

/// How it asks, where that is not the usual way. A header's value is masked, unless it names variables only.
fn show_manner(out: &mut String, manner: &Manner) {
    if manner.head {
        line(out, "method = \"HEAD\"");
    }
    match manner.redirects {
        Manner::REDIRECTS => {}
        0 => line(out, "redirects = \"none\""),
        n => line(out, &format!("redirects = {n}")),
    }
    let header = |(name, value): (&Arc<str>, &Arc<str>)| {
        let masked = if is_secret_header(name) && !value.contains("${") { MASK } else { value };
        format!("{} = {}", quote(name), quote(masked))
    };
    let headers: Vec<String> = manner.headers.iter().map(header).collect();
    if !headers.is_empty() {
        line(out, &format!("headers = {{ {} }}", headers.join(", ")));
    }
    for (key, value) in [("host", &manner.host), ("ca", &manner.ca)] {
        if let Some(value) = value {
            line(out, &format!("{key} = {}", quote(value)));
        }
    }
}

fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    redact::is_secret_name(&name) || ["authorization", "cookie", "key", "session"].iter().any(|word| name.contains(word))
}

fn json(value: &Json) -> String {
    match value {
        Json::Text(text) => quote(text),
        Json::Number(number) => number.to_string(),
        Json::Boolean(value) => value.to_string(),
    }
}

fn show_deploy(out: &mut String, deploy: &DeployPolicy) {
    let rollback = match deploy.rollback {
        OnFailure::Auto => "auto",
        OnFailure::Ask => "ask",
        OnFailure::Never => "never",
    };
    let strategy = deploy.strategy.word();
    line(out, &format!("strategy = \"{strategy}\"\nsurge = {}\nunavailable = {}", deploy.surge, deploy.unavailable));
    let spans =
        [("delay", deploy.delay), ("healthy_within", deploy.healthy_within), ("hold", deploy.hold), ("drain", deploy.drain)];
    for (key, span) in spans {
        line(out, &format!("{key} = \"{}\"", spell_duration(span)));
    }
    line(out, &format!("rollback = \"{rollback}\""));
    tables(out, "before", &deploy.before.iter().map(before).collect::<Vec<_>>());
    tables(out, "gate", &deploy.gate.iter().map(condition).collect::<Vec<_>>());
    if let Some(migrate) = &deploy.migrate {
        let place = match migrate.place {
            Place::OneOff => "container",
            Place::Instance => "instance",
        };
        let timeout = spell_duration(migrate.timeout);
        line(out, &format!("migrate = {{ exec = {}, timeout = \"{timeout}\", in = \"{place}\" }}", list(&migrate.exec)));
    }
    tables(out, "verify", &deploy.verify.iter().map(condition).collect::<Vec<_>>());
    tables(out, "notify", &deploy.notify.iter().map(|url| format!("http = {}", quote(url))).collect::<Vec<_>>());
    let freeze = deploy.freeze.iter().map(|f| {
        let why = f.why.as_ref().map(|why| format!(", why = {}", quote(why))).unwrap_or_default();
        format!("from = \"{}\", to = \"{}\"{why}", f.from, f.to)
    });
    tables(out, "freeze", &freeze.collect::<Vec<_>>());
    match &deploy.switch {
        None => {}
        Some(Switch::Alias(aliases)) => line(out, &format!("switch = {{ alias = {} }}", list(aliases))),
        Some(Switch::Proxy(proxy)) => {
            let test = proxy.test.as_ref().map(|test| format!(", test = {}", list(test))).unwrap_or_default();
            line(
                out,
                &format!(
                    "switch = {{ proxy = {}, file = {}, text = {}, server = {}{test}, reload = {} }}",
                    quote(&proxy.workload),
                    quote(&proxy.file),
                    quote(&proxy.text),
                    quote(&proxy.server),
                    list(&proxy.reload)
                ),
            );
        }
    }
}

fn before(before: &Before) -> String {
    match before {
        Before::EnvFile { path, required } => format!("env_file = {}, required = {}", quote(path), list(required)),
        Before::Tcp(address) => format!("tcp = {}", quote(address)),
        Before::Certificate { address, days } => format!("certificate = {}, days = {days}", quote(address)),
        Before::Disk(bytes) => format!("disk = {bytes}"),
        Before::Runbook(name) => format!("runbook = {}", quote(name)),
        Before::Condition(one) => condition(one),
    }
}

fn condition(condition: &Condition) -> String {
    let asked = match &condition.asked {
        Asked::Probe(probe) => format!("probe = {}", quote(&probe.name)),
        Asked::Metric { name, limit: Limit::Above(bound) } => format!("metric = {}, above = {bound}", quote(name)),
        Asked::Metric { name, limit: Limit::Below(bound) } => format!("metric = {}, below = {bound}", quote(name)),
        Asked::Silent(name) => format!("alert = {}", quote(name.as_deref().unwrap_or("any"))),
        Asked::Command { argv, timeout } => {
            return format!("command = {}, timeout = \"{}\"", list(argv), spell_duration(*timeout));
        }
        Asked::Person(text) => return format!("check = {}", quote(text)),
    };
    let hold = if condition.hold.is_zero() { String::new() } else { format!(", for = \"{}\"", spell_duration(condition.hold)) };
    format!("{asked}, within = \"{}\"{hold}", spell_duration(condition.within))
}

fn show_autoscale(out: &mut String, scale: &Autoscale) {
    line(
        out,
        &format!("\n[[environment.autoscale]]\nworkload = {}\nmetric = {}", quote(&scale.workload.0), quote(&scale.metric)),
    );
    for (key, bound) in [("above", scale.above), ("below", scale.below)] {
        if let Some(bound) = bound {
            line(out, &format!("{key} = {bound}"));
        }
    }
    let (during, cooldown) = (spell_duration(scale.during), spell_duration(scale.cooldown));
    line(out, &format!("for = \"{during}\"\nstep = {}\nmin = {}\nmax = {}", scale.step, scale.min, scale.max));
    line(out, &format!("cooldown = \"{cooldown}\"\nmode = \"{}\"", scale.mode.word()));
}

fn show_load(out: &mut String, load: &LoadPolicy) {
    line(out, &format!("\n[environment.load]\nallowed = {}", load.allowed));
    if !load.targets.is_empty() {
        line(out, &format!("targets = {}", list(&load.targets)));
    }
    line(out, &format!("max_users = {}\nmax_rate = {}", load.max_users, load.max_rate));
    line(out, &format!("abort_error_rate = {}", f64::from(load.abort_percent) / 100.0));
}

fn show_runbook(out: &mut String, runbook: &Runbook) {
    line(out, &format!("\n[[environment.runbook]]\nname = {}", quote(&runbook.name)));
    if let Some(about) = &runbook.about {
        line(out, &format!("about = {}", quote(about)));
    }
    let tiers: Vec<String> = runbook.tiers.iter().map(|t| format!("\"{t}\"")).collect();
    line(out, &format!("tiers = [{}]", tiers.join(", ")));
    tables(out, "steps", &runbook.steps.iter().map(step).collect::<Vec<_>>());
}

fn step(step: &RunbookStep) -> String {
    let time = |key: &str, span: &Option<Duration>| {
        span.map(|span| format!(", {key} = \"{}\"", spell_duration(span))).unwrap_or_default()
    };
    let copy = |way: &str, workload: &str, from: &str, to: &str| {
        format!("{way} = {{ workload = {}, from = {}, to = {} }}", quote(workload), quote(from), quote(to))
    };
    match step {
        RunbookStep::Exec { workload, command, timeout } => {
            format!("exec = {{ workload = {}, command = {}{} }}", quote(workload), list(command), time("timeout", timeout))
        }
        RunbookStep::CopyIn { workload, from, to } => copy("copy_in", workload, from, to),
        RunbookStep::CopyOut { workload, from, to } => copy("copy_out", workload, from, to),
        RunbookStep::Stop { workload } => format!("stop = {{ workload = {} }}", quote(workload)),
        RunbookStep::Start { workload } => format!("start = {{ workload = {} }}", quote(workload)),
        RunbookStep::Wait { probe, within } => format!("wait = {{ probe = {}{} }}", quote(probe), time("within", within)),
        RunbookStep::Sleep(span) => format!("sleep = \"{}\"", spell_duration(*span)),
        RunbookStep::Confirm(text) => format!("confirm = {}", quote(text)),
        RunbookStep::Command { argv, timeout } => format!("command = {}{}", list(argv), time("timeout", timeout)),
        RunbookStep::Http { url, method, body } => {
            let body = body.as_ref().map(|b| format!(", body = {}", quote(b))).unwrap_or_default();
            format!("http = {}, method = \"{method}\"{body}", quote(url))
        }
    }
}

/// An array of inline tables; nothing when it is empty.
fn tables(out: &mut String, key: &str, rows: &[String]) {
    if !rows.is_empty() {
        let rows: Vec<String> = rows.iter().map(|row| format!("  {{ {row} }},")).collect();
        line(out, &format!("{key} = [\n{}\n]", rows.join("\n")));
    }
}

fn list(words: &[Arc<str>]) -> String {
    let words: Vec<String> = words.iter().map(|w| quote(w)).collect();
    format!("[{}]", words.join(", "))
}
