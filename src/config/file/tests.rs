//! What a configuration file means and what a person is told about a broken one.

use super::*;
use crate::model::Manner;
use crate::operate::policy::Switch;

/// Every key of a whole configuration, as documented.
const WHOLE: &str = r#"
theme = "dark"
keymap = "vim"
refresh = "5s"
read_only = true
[logs]
bytes = "32MiB"
tail = 500

[[environment]]
name = "production"
tier = "production"
engine = "compose"
host = "ssh://deploy@10.0.0.5"
project = "lms-ai"
files = ["docker-compose.prod.yml"]
env_file = ".env.production"
guard = "type"

[[environment.probe]]
name = "api"
workload = "backend"
http = "https://lms.example/health"
interval = "10s"
timeout = "3s"
failures = 3
successes = 1
expect = { status = 200, json = { "status" = "healthy", "components.db" = "up" }, certificate_days = 14 }
latency = "500ms"
method = "HEAD"
redirects = "none"
headers = { Authorization = "Bearer ${HEALTH_TOKEN}", "X-Key" = "s3cret" }
host = "lms.example"
ca = "tls/authority.pem"
[[environment.probe]]
name = "db"
tcp = "db:5432"
[[environment.probe]]
name = "tls"
tls = "lms.example:443"
[[environment.probe]]
name = "pg"
workload = "db"
exec = ["pg_isready"]

[[environment.scrape]]
workload = "backend"
port = 3000
path = "/metrics"
interval = "15s"
job = "lms-ai-backend"
[[environment.scrape]]
url = "http://exporter:9121/metrics"

[environment.prometheus]
url = "http://prometheus:9090"

[environment.alerts]
rules = ["monitoring/alert_rules.yml"]

[environment.deploy]
strategy = "rolling"
surge = 1
unavailable = 0
delay = "10s"
healthy_within = "90s"
hold = "15s"
rollback = "auto"
before = [ { env_file = ".env.production", required = ["DB_PASSWORD"] }, { tcp = "db.internal:5432" }, { certificate = "lms.example:443", days = 14 }, { check = "Backup verified" }, { runbook = "backup-redis" } ]
migrate = { exec = ["npx", "prisma", "migrate", "deploy"], timeout = "5m" }
verify = [ { probe = "api" }, { metric = "error_rate", below = 0.05, for = "30s" }, { command = ["npm", "run", "test:smoke"] } ]
notify = [ { http = "https://hooks.example/x" } ]
freeze = [ { from = "2026-12-24T00:00:00Z", to = 2026-12-27T00:00:00Z, why = "holidays" } ]

[environment.deploy.worker]
strategy = "blue-green"

[environment.load]
allowed = true
targets = ["https://lms.example/"]
max_users = 200
max_rate = 500
abort_error_rate = 0.2

[[environment.autoscale]]
workload = "app"
metric = "cpu"
above = 0.8
below = 0.3
for = "60s"
step = 1
min = 2
max = 10
cooldown = "60s"
mode = "recommend"

[[environment.runbook]]
name = "backup-redis"
tiers = ["local", "staging", "production"]
steps = [ { exec = { workload = "redis", command = ["redis-cli", "BGSAVE"] } }, { copy_out = { workload = "redis", from = "/data/dump.rdb", to = "backups/redis-{date}.rdb" } }, { wait = { probe = "api", within = "60s" } }, { confirm = "Sure?" }, { stop = { workload = "redis" } } ]

[[environment]]
name = "cluster"
engine = "kubernetes"
context = "prod-eu"
namespace = "lms-ai"
kubeconfig = "~/.kube/prod"
"#;

fn told(text: &str) -> Vec<String> {
    parse(text, "quarterdeck.toml").expect_err("mistakes").iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_documented_is_read() {
    let file = parse(WHOLE, "quarterdeck.toml").unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(file.settings.log_store_bytes, Some(32 << 20));
    let [production, cluster] = &file.environments[..] else { panic!("two environments") };
    assert_eq!((production.line, production.column), (10, 1));
    assert_eq!((production.tier, production.guard), (Some(Tier::Production), Some(Guard::Type)));
    assert_eq!(production.probes.len(), 4);
    assert_eq!(production.probes[0].expect.json.len(), 2);
    let Manner { head, redirects, headers, host, ca } = &production.probes[0].manner;
    assert_eq!((*head, *redirects, headers.len(), host.is_some(), ca.is_some()), (true, 0, 2, true, true));
    assert_eq!(production.probes[0].latency, Some(Duration::from_millis(500)));
    assert_eq!(production.scrapes.len(), 2);
    assert_eq!(production.deploy.before.len(), 5);
    assert_eq!(production.deploy.hold, Some(Duration::from_secs(15)));
    assert_eq!(production.deploy.freeze.len(), 1);
    assert_eq!(production.deploy_of[0].0.as_ref(), "worker");
    assert_eq!(production.deploy_of[0].1.strategy, Some(crate::operate::request::Strategy::BlueGreen));
    let load = &production.load;
    assert_eq!((load.allowed, load.max_users, load.max_rate, load.abort_percent), (true, 200, 500, 20));
    assert_eq!(load.targets, ["https://lms.example/".into()]);
    assert_eq!(production.autoscale[0].mode, crate::operate::autoscale::Mode::Recommend);
    assert_eq!(production.runbooks[0].runbook.steps.len(), 5);
    assert_eq!((cluster.engine, cluster.context.as_deref()), (EngineKind::Kubernetes, Some("prod-eu")));
}

#[test]
fn ten_mistakes_are_ten_errors_at_their_places() {
    let found = told(
        r#"refresh = 5
thme = "dark"

[[environment]]
name = "shop"
tier = "prodution"
projct = "shop"
guard = "typ"

[environment.deploy]
surge = -1
hold = "15"
migrate = { exec = [] }

[[environment]]
name = "shop"
host = "10.0.0.5"
namespace = "x"
"#,
    );
    assert_eq!(
        found,
        [
            "quarterdeck.toml:1:11: expected a time span such as \"10s\", found a whole number",
            "quarterdeck.toml:2:1: unknown key `thme`, did you mean `theme`?",
            "quarterdeck.toml:6:8: unknown value `prodution`, did you mean `production`?",
            "quarterdeck.toml:7:1: unknown key `projct`, did you mean `project`?",
            "quarterdeck.toml:8:9: unknown value `typ`, did you mean `type`?",
            "quarterdeck.toml:11:9: expected a whole number from 0 to 1000, found -1",
            "quarterdeck.toml:12:8: `15` is no time span: expected a number with a unit, such as `10s`, `1m30s` or `500ms`",
            "quarterdeck.toml:13:20: expected an array of strings, found an empty one",
            "quarterdeck.toml:15:1: the environment `shop` is configured already at quarterdeck.toml:4",
            "quarterdeck.toml:17:8: `10.0.0.5` is no engine's address: expected an address such as `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376` or `ssh://deploy@10.0.0.5`",
            "quarterdeck.toml:18:1: `namespace` belongs to kubernetes; here no `engine` is given, so it is compose",
        ]
    );
}

/// Each mistake of an environment is told, and nothing else.
fn told_alone(table: &[(&str, &str)]) {
    for (rest, part) in table {
        let found = told(&format!("[[environment]]\nname = \"a\"\n{rest}\n"));
        assert!(found.iter().any(|f| f.starts_with(&format!("quarterdeck.toml:{part}"))), "{rest}\n{found:#?}");
        assert_eq!(found.len(), 1, "{rest}\n{found:#?}");
    }
}

#[test]
fn each_mistake_is_told_in_its_own_words() {
    let table: &[(&str, &str)] = &[
        ("host = 'tcp://h:1'\ndocker_context = 'x'", "1:1: `host` and `docker_context` exclude each other"),
        ("host = 'unix://docker.sock'", "3:8: a socket's path begins with `/`"),
        ("host = 'npipe:////./pipe'", "3:8: `npipe:////./pipe` is no engine's address"),
        ("project = ''", "3:11: must not be empty"),
        ("project = \"a\\u001b[31m\"", "3:11: must not hold the control character \\u{1b}"),
        ("files = 'x.yml'", "3:9: expected an array of strings, found a string"),
        ("files = ['x', 3]", "3:15: expected a string, found a whole number"),
        ("deploy = 3", "3:10: expected a table, found a whole number"),
        ("[environment.deploy]\nsurge = 0", "3:1: `surge` and `unavailable` cannot both be 0"),
        ("[environment.deploy]\nholdd = '3s'", "4:1: unknown key `holdd`, did you mean `hold`?"),
        ("[environment.deploy.web]\nsurgee = 1", "4:1: unknown key `surgee`, did you mean `surge`?"),
        (
            "[environment.deploy]\nverify = [{ probe = 'api' }]",
            "4:21: unknown probe `api`: this environment has no [[environment.probe]]",
        ),
        ("[environment.deploy]\nbefore = [{ runbook = 'b' }]", "4:23: unknown runbook `b`"),
        ("[environment.deploy]\nbefore = [{ tcp = 'db' }]", "4:19: expected `HOST:PORT`"),
        (
            "[environment.deploy]\nbefore = [{ tcp = 'db:1', check = 'x' }]",
            "4:11: a check before: `tcp` or `check` exclude each other",
        ),
        ("[environment.deploy]\nbefore = [{ tpc = 'db:1' }]", "4:11: a check before: expected `env_file`"),
        (
            "[environment.deploy]\nfreeze = [{ from = '2026-12-24', to = '2027-01-01T00:00:00Z' }]",
            "4:20: expected a moment with its offset",
        ),
        ("[environment.deploy]\nverify = [{ metric = 'x' }]", "4:11: a limit: expected `above` or `below`"),
        (
            "[[environment.autoscale]]\nworkload = 'x'\nmetric = 'cpu'\nmin = 3\nmax = 2\nabove = 1",
            "3:1: `min` must not be more than `max`",
        ),
        ("[[environment.runbook]]\nname = 'r'\nsteps = [{ exec = { workload = 'x' } }]", "5:19: `command` is missing"),
        ("[[environment.runbook]]\nname = 'r'\nsteps = [{ exce = 1 }]", "5:10: a step: expected `exec`"),
        ("[environment.load]\ntargets = ['lms.example']\nallowed = true", "4:12: expected an address such as"),
        ("[environment.load]\nmax_users = 6000\nallowed = true", "4:13: "),
        ("[environment.load]\nabort_error_rate = 20\nallowed = true", "4:20: a part of all requests is wanted"),
        ("[environment.load]\nmax_users = 10", "3:1: `allowed` is missing"),
        ("[environment.prometheus]\nurl = 'prometheus:9090'", "4:7: expected an address such as"),
        ("[environment.prometheus]\nurl = 'http://p'\nuser = 'a'", "3:1: the password of `user`: expected `password`"),
        ("[environment.prometheus]\nurl = 'http://p'\npasword = 'a'", "5:1: unknown key `pasword`, did you mean `password`?"),
        (
            "[environment.alertmanager]\nurl = 'http://p'\ntoken = 'a'\ntoken_env = 'B'",
            "3:1: the token: `token` or `token_env` exclude",
        ),
        (
            "[environment.alertmanager]\nurl = 'http://p'\nuser = 'a'\npassword = 'b'\ntoken = 'c'",
            "3:1: a token and a user exclude",
        ),
        ("[environment.alertmanager]\nurl = 'http://p'\nca = 'ca.pem'", "3:1: `ca` is for https"),
        ("probe = 3", "3:9: expected an array of tables, found a whole number"),
    ];
    told_alone(table);
}

#[test]
fn each_mistake_of_a_probe_is_told_in_its_own_words() {
    told_alone(&[
        ("[[environment.probe]]\nname = 'p'", "3:1: what a probe does: expected `http`, `tcp`, `tls` or `exec`"),
        ("[[environment.probe]]\nname = 'p'\nexec = ['x']", "3:1: `exec` needs `workload`"),
        ("[[environment.probe]]\nname = 'p'\nhttp = 'ftp://x'", "5:8: expected an address such as"),
        (
            "[[environment.probe]]\nname = 'p'\ntcp = 'x:1'\nexpect = { status = 200 }",
            "6:10: `status` and `json` are what an `http` probe expects",
        ),
        ("[[environment.probe]]\nname = 'p'\ntcp = 'x:1'\ntimeout = '0s'", "6:11: must be longer than nothing"),
        (
            "[[environment.probe]]\nname = 'p'\ntls = 'x:1'\nredirects = 'none'",
            "3:1: `method`, `redirects` and `headers` belong to an `http` probe",
        ),
        (
            "[[environment.probe]]\nname = 'p'\ntcp = 'x:1'\nca = 'x.pem'",
            "3:1: `host` and `ca` belong to an `http` or `tls` probe",
        ),
        ("[[environment.probe]]\nname = 'p'\nhttp = 'http://x'\nredirects = 'some'", "6:13: unknown value `some`"),
        ("[[environment.probe]]\nname = 'p'\nhttp = 'http://x'\nredirects = 99", "6:13: expected a whole number from 0 to 20"),
        ("[[environment.probe]]\nname = 'p'\nhttp = 'http://x'\nmethod = 'POST'", "6:10: unknown value `POST`"),
        ("[[environment.probe]]\nname = 'p'\nhttp = 'http://x'\nheaders = { 'a b' = 'x' }", "6:13: `a b` is no name of a header"),
        (
            "[[environment.probe]]\nname = 'p'\nhttp = 'http://x'\nheaders = { Host = 'x' }",
            "6:13: the name that is asked for is given as `host`",
        ),
        ("[[environment.probe]]\nname = 'p'\nhttp = 'http://x'\nlatency = '3s'", "3:1: `latency` must be shorter than `timeout`"),
        ("[[environment.scrape]]\nworkload = 'x'", "3:1: `port` is missing"),
        ("[[environment.scrape]]\nworkload = 'x'\nport = 70000", "5:8: expected a whole number from 1 to 65535, found 70000"),
    ]);
}

#[test]
fn what_is_masked_is_read_and_what_is_wrong_with_it_has_its_place() {
    let text = "[logs]\nredact = { off = ['email'], patterns = [{ name = 'order', regex = 'ORD-[0-9]{8}' }, { regex = 'pin (\\d+)' }] }\n";
    let redact = parse(text, "quarterdeck.toml").unwrap().settings.redact.unwrap();
    let redaction = redact.redaction();
    assert_eq!(redaction.text("ORD-12345678 by ada@example.org, pin 1234"), "•order• by ada@example.org, pin ••••••");
    let table: &[(&str, &str)] = &[
        ("redact = { off = ['emial'] }", "2:19: unknown kind of secret `emial`"),
        ("redact = { patterns = [{ name = 'x' }] }", "2:24: `regex` is missing"),
        ("redact = { patterns = [{ regex = '(' }] }", "2:34: this is no regular expression: unclosed group"),
        ("redact = { patterns = [{ regex = 'x*' }] }", "2:34: this regular expression matches nothing at all"),
        ("redact = 'all'", "2:10: expected a table"),
        ("bytes = '1KiB'", "2:9: expected from 1MiB to 4GiB"),
    ];
    for (line, part) in table {
        let found = told(&format!("[logs]\n{line}\n"));
        assert!(found.len() == 1 && found[0].starts_with(&format!("quarterdeck.toml:{part}")), "{line}\n{found:#?}");
    }
}

#[test]
fn what_a_proxy_is_to_read_may_have_many_lines() {
    let text = |text: &str| {
        let switch = format!("proxy = 'web'\nfile = '/etc/a.conf'\nserver = '{{instance}}'\nreload = ['r']\ntext = \"{text}\"");
        format!("[[environment]]\nname = \"a\"\n[environment.deploy.switch]\n{switch}\n")
    };
    let file = parse(&text("upstream pool {\\n\\t{servers}\\n}\\n"), "quarterdeck.toml").unwrap_or_else(|p| panic!("{p:#?}"));
    let Some(Switch::Proxy(proxy)) = &file.environments[0].deploy.switch else { panic!("a proxy") };
    assert_eq!(&*proxy.text, "upstream pool {\n\t{servers}\n}\n");
    let told = told(&text("{servers}\\u001b"));
    assert_eq!(told, ["quarterdeck.toml:8:8: must not hold the control character \\u{1b}"]);
}

#[test]
fn broken_syntax_is_told_with_its_place_and_does_not_hide_the_rest() {
    let found = told("theme = \n[[environment]\nname = \"a\"\n\n[[environment]]\nname = \"b\"\ntier = \"prod\"\n");
    assert!(found[0].starts_with("quarterdeck.toml:1:"), "{found:#?}");
    assert!(found.iter().any(|f| f.starts_with("quarterdeck.toml:2:")), "{found:#?}");
    assert!(found.iter().any(|f| f.starts_with("quarterdeck.toml:7:8: unknown value `prod`")), "{found:#?}");
}

#[test]
fn an_empty_file_is_no_mistake() {
    assert_eq!(parse("", "quarterdeck.toml"), Ok(File::default()));
}

#[test]
fn the_template_is_sound_as_it_is_and_with_every_line_switched_on() {
    let template = crate::config::TEMPLATE;
    assert_eq!(parse(template, "quarterdeck.toml"), Ok(File::default()));
    let on: String =
        template.lines().filter(|l| !l.starts_with("##")).map(|l| format!("{}\n", l.strip_prefix('#').unwrap_or(l))).collect();
    let file = parse(&on, "quarterdeck.toml").unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!((file.environments.len(), file.environments[0].deploy_of.len()), (1, 1));
}
