//! What files and flags mean together.

use super::*;
use crate::model::{Guard, Tier};
use crate::operate::policy::DeployPolicy;
use crate::operate::request::Strategy;

fn files(texts: &[(&str, &str)]) -> Vec<(PathBuf, File)> {
    texts.iter().map(|(name, text)| ((*name).into(), file::read(text, name).0)).collect()
}

/// The ambient engine is the default socket; the context `prod` leads to 10.0.0.5.
fn address(target: &DockerTarget) -> Option<Arc<str>> {
    match target {
        DockerTarget::Ambient => Some("unix:///var/run/docker.sock".into()),
        DockerTarget::Context(name) if &**name == "prod" => Some("tcp://10.0.0.5:2376".into()),
        DockerTarget::Context(_) => None,
        DockerTarget::Host(host) => Some(host.clone()),
    }
}

/// Where no kubeconfig is.
fn resolve(files: Vec<(PathBuf, File)>, flags: &Flags, address: &Address<'_>) -> Result<Resolved, Vec<Problem>> {
    super::resolve(files, flags, address, &Clusters::default())
}

fn resolved(texts: &[(&str, &str)], flags: &Flags) -> Resolved {
    resolve(files(texts), flags, &address).unwrap_or_else(|p| panic!("{p:#?}"))
}

/// `id (what is searched: +) environment:guard …`, one for each connection.
fn picture(resolved: &Resolved) -> Vec<String> {
    let connections = resolved.connections.iter();
    connections
        .map(|c| {
            let environments: Vec<String> = c.environments.iter().map(|e| format!(" {}:{}", e.name, e.guard)).collect();
            format!("{}{}{}", c.id, if c.discover { "+" } else { "" }, environments.concat())
        })
        .collect()
}

const TWO_HOSTS: &str = "
[[environment]]
name = 'production'
tier = 'production'
host = 'tcp://10.0.0.5:2376'
project = 'shop'
[[environment]]
name = 'staging'
tier = 'staging'
host = 'ssh://deploy@10.0.0.6'
project = 'shop'
[[environment]]
name = 'dev'
tier = 'local'
";

#[test]
fn without_a_file_the_engine_at_hand_is_searched() {
    let resolved = resolved(&[], &Flags::default());
    assert_eq!(picture(&resolved), ["local+"]);
    assert_eq!(resolved.connections[0].target, TargetSpec::Docker(DockerTarget::Ambient));
    assert_eq!((&*resolved.theme, &*resolved.keymap, resolved.log_bytes), ("terminal", "default", 64 << 20));
}

#[test]
fn flags_choose_what_is_connected() {
    let on = |text: &str| Some(Arc::<str>::from(text));
    let table: &[(Flags, &[&str])] = &[
        (Flags::default(), &["local+ dev:open", "10.0.0.5 production:type", "10.0.0.6 staging:confirm"]),
        (Flags { host: on("tcp://10.9.9.9:2375"), ..Flags::default() }, &["10.9.9.9+"]),
        (Flags { host: on("tcp://10.0.0.5:2376"), ..Flags::default() }, &["10.0.0.5+ production:type"]),
        (Flags { context: on("prod"), ..Flags::default() }, &["prod+ production:type"]),
        (Flags { context: on("other"), ..Flags::default() }, &["other+"]),
        (Flags { host: on("unix:///run/docker.sock"), ..Flags::default() }, &["local+ dev:open"]),
        (Flags { environment: on("staging"), ..Flags::default() }, &["10.0.0.6 staging:confirm"]),
        (Flags { environment: on("dev"), ..Flags::default() }, &["local+ dev:open"]),
        (Flags { project: on("dev"), ..Flags::default() }, &["local+ dev:open"]),
        (
            Flags { environment: on("found"), ..Flags::default() },
            &["local+ dev:open", "10.0.0.5 production:type", "10.0.0.6 staging:confirm"],
        ),
        (
            Flags { demo: Some(super::super::Demo::default()), ..Flags::default() },
            &["demo+ local:open production:type staging:confirm"],
        ),
    ];
    for (flags, expected) in table {
        assert_eq!(picture(&resolved(&[("q.toml", TWO_HOSTS)], flags)), *expected, "{flags:?}");
    }
}

#[test]
fn a_project_chooses_its_environment_where_there_is_one() {
    let flags = |project: &str, host: Option<&str>| Flags {
        project: Some(project.into()),
        host: host.map(Into::into),
        ..Flags::default()
    };
    let of = |flags: &Flags| resolve(files(&[("q.toml", TWO_HOSTS)]), flags, &address);
    assert_eq!(of(&flags("found", None)).expect("resolved").only.as_deref(), Some("found"));
    assert_eq!(of(&flags("shop", Some("tcp://10.0.0.5:2376"))).expect("resolved").only.as_deref(), Some("production"));
    let told = of(&flags("shop", None)).expect_err("two of them");
    assert_eq!(
        told[0].to_string(),
        "--project: `shop` is configured as `production` or `staging`: say with --env which is meant"
    );
}

#[test]
fn the_same_engine_by_another_address_is_one_connection() {
    let text =
        "[[environment]]\nname = 'a'\nhost = 'unix:///run/docker.sock'\nguard = 'read-only'\n[[environment]]\nname = 'b'\n";
    assert_eq!(picture(&resolved(&[("q.toml", text)], &Flags::default())), ["local+ a:read-only b:confirm"]);
    let text =
        "[[environment]]\nname = 'a'\ndocker_context = 'prod'\n[[environment]]\nname = 'b'\nhost = 'tcp://10.0.0.5:2376'\n";
    assert_eq!(picture(&resolved(&[("q.toml", text)], &Flags::default())), ["local+", "prod a:confirm b:confirm"]);
}

#[test]
fn an_engine_that_is_not_here_is_left_out_where_others_are_configured() {
    let nowhere = |target: &DockerTarget| address(target).filter(|_| *target != DockerTarget::Ambient);
    let far = "[[environment]]\nname = 'a'\nhost = 'tcp://10.0.0.5:2376'\n";
    let resolved = resolve(files(&[("q.toml", far)]), &Flags::default(), &nowhere).expect("resolved");
    assert_eq!(picture(&resolved), ["10.0.0.5 a:confirm"]);
    let none = resolve(Vec::new(), &Flags::default(), &nowhere).expect("resolved");
    assert_eq!(picture(&none), ["local+"]);
}

#[test]
fn environments_that_clash_are_told_with_both_places() {
    let text = "[[environment]]\nname = 'a'\nproject = 'shop'\n";
    let same_name = resolve(files(&[("u.toml", text), ("q.toml", text)]), &Flags::default(), &address).expect_err("clash");
    assert_eq!(same_name[0].to_string(), "q.toml:1:1: the environment `a` is configured already at u.toml:1");
    let other = "\n[[environment]]\nname = 'b'\nhost = 'unix:///run/docker.sock'\nproject = 'shop'\n";
    let same_place = resolve(files(&[("u.toml", text), ("q.toml", other)]), &Flags::default(), &address).expect_err("clash");
    assert_eq!(
        same_place[0].to_string(),
        "q.toml:2:1: project `shop` of this engine is configured already at u.toml:1, with another name and guard"
    );
}

#[test]
fn the_project_goes_before_the_user_and_flags_before_both() {
    let user = "theme = 'dark'\nkeymap = 'vim'\nread_only = true\nrefresh = '9s'\n[logs]\ntail = 5\n";
    let project = "theme = 'light'\nread_only = false\n[logs]\nstore_bytes = '1MiB'\n";
    let flags = Flags { theme: Some("mono".into()), ..Flags::default() };
    let both = resolved(&[("u.toml", user), ("q.toml", project)], &Flags::default());
    assert_eq!((&*both.theme, &*both.keymap, both.refresh), ("light", "vim", Duration::from_secs(9)));
    assert_eq!((both.log_tail, both.log_bytes), (5, 1 << 20));
    assert!(both.read_only, "what is read-only for the user stays so");
    assert_eq!(&*resolved(&[("u.toml", user), ("q.toml", project)], &flags).theme, "mono");
}

#[test]
fn policies_are_laid_over_each_other() {
    let text = "
[[environment]]
name = 'a'
tier = 'staging'
[environment.deploy]
surge = 2
hold = '20s'
migrate = { exec = ['x'] }
[environment.deploy.web]
strategy = 'recreate'
hold = '5s'
";
    let resolved = resolved(&[("q.toml", text)], &Flags::default());
    let policy = &resolved.connections[0].environments[0].policy;
    assert_eq!((policy.guard, resolved.connections[0].environments[0].tier), (Guard::Confirm, Tier::Staging));
    assert_eq!((policy.deploy.surge, policy.deploy.hold), (2, Duration::from_secs(20)));
    assert_eq!(policy.deploy.healthy_within, DeployPolicy::default().healthy_within);
    let web = policy.deploy_of(&"web".into());
    assert_eq!((web.strategy, web.surge, web.hold), (Strategy::Recreate, 2, Duration::from_secs(5)));
    assert_eq!(web.migrate.as_ref().map(|m| m.exec.len()), Some(1), "what is not written is as below");
}

#[test]
fn what_leads_nowhere_is_said_and_no_error() {
    let text = "[[environment]]\nname = 'k'\nengine = 'kubernetes'\n[[environment]]\nname = 's'\nengine = 'swarm'\n[[environment]]\nname = 'd'\nengine = 'demo'\n";
    let resolved = resolved(&[("q.toml", text)], &Flags::default());
    assert_eq!(picture(&resolved), ["local+ s:confirm", "demo d:confirm"]);
    let names: Vec<&str> = resolved.unsupported.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["k"]);
}

#[test]
fn a_host_that_is_none_is_told() {
    let flags = Flags { host: Some("10.0.0.5".into()), ..Flags::default() };
    let told = resolve(Vec::new(), &flags, &address).expect_err("no address");
    assert!(told[0].to_string().starts_with("--host: `10.0.0.5` is no engine's address"), "{told:?}");
}

#[test]
fn endpoints_are_called_by_a_word_each() {
    let host = |text: &str| TargetSpec::Docker(DockerTarget::Host(text.into()));
    for (target, name) in [
        (host("ssh://deploy@10.0.0.5"), "10.0.0.5"),
        (host("tcp://build.example:2376"), "build.example"),
        (host("tcp://[fe80::1]:2376"), "fe80::1"),
        (host("https://docker.example/x"), "docker.example"),
        (host("unix:///run/user/1000/docker.sock"), "local"),
        (TargetSpec::Docker(DockerTarget::Context("prod".into())), "prod"),
    ] {
        assert_eq!(short(&target), name);
    }
    let text = "[[environment]]\nname = 'a'\nhost = 'tcp://h:1'\n[[environment]]\nname = 'b'\nhost = 'tcp://h:2'\n";
    assert_eq!(picture(&resolved(&[("q.toml", text)], &Flags::default())), ["local+", "h a:confirm", "h-2 b:confirm"]);
}

#[test]
fn a_probe_is_shown_with_its_manner_and_without_what_is_secret_in_it() {
    let probe = "[[environment.probe]]\nname = 'api'\nhttp = 'https://x/health'\nlatency = '500ms'\nmethod = 'HEAD'\nredirects = 2\n\
                 host = 'lms.example'\nca = 'tls/ca.pem'\n\
                 headers = { Authorization = 'Bearer abcdef', X-Api-Key = '${KEY}', X-Trace = 'on' }\n";
    let text = format!("[[environment]]\nname = 'shop'\nhost = 'tcp://h:1'\n{probe}");
    let first = resolved(&[("/etc/q.toml", &text)], &Flags::default());
    let shown = super::super::show(&first);
    for line in [
        "latency = \"500ms\"",
        "method = \"HEAD\"",
        "redirects = 2",
        "headers = { \"Authorization\" = \"••••••\", \"X-Api-Key\" = \"${KEY}\", \"X-Trace\" = \"on\" }",
        "host = \"lms.example\"",
        "ca = \"/etc/tls/ca.pem\"",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    assert!(!format!("{first:?}").contains("abcdef"));
}

#[test]
fn what_is_shown_can_be_read_back_and_means_the_same() {
    let text = format!("{TWO_HOSTS}[environment.deploy]\nsurge = 3\n[environment.deploy.\"odd name\"]\nhold = '1m30s'\n");
    let first = resolved(&[("q.toml", &text)], &Flags::default());
    let shown = super::super::show(&first);
    let (file, problems) = file::read(&shown, "shown");
    assert_eq!(problems, Vec::new(), "{shown}");
    let second = resolve(vec![("q.toml".into(), file)], &Flags::default(), &address).expect("resolved");
    assert_eq!(super::super::show(&second), shown);
    assert_eq!(picture(&second), picture(&first));
}
