//! What a kubeconfig adds to what is configured, and what the flags choose of it.

use super::super::{Address, resolve};
use super::*;
use crate::config::{DockerTarget, Resolved, file};
use crate::model::Guard;

/// An account of a cloud, with colons and a slash in its name as they have.
const ARN: &str = "arn:aws:eks:eu-1:7:cluster/shop";

fn clusters() -> Clusters {
    let contexts = vec!["prod-eu".into(), "kind".into(), ARN.into()];
    Clusters { files: vec!["/k/config".into()], contexts, current: Some("kind".into()), trouble: None }
}

fn flags(line: &str) -> Flags {
    use clap::Parser;
    let cli = crate::cli::Cli::try_parse_from(line.split(' ')).expect(line);
    Flags::new(&cli.global, cli.command.as_ref())
}

const CONFIGURED: &str = "
[[environment]]
name = 'shop'
tier = 'production'
engine = 'kubernetes'
context = 'prod-eu'
namespace = 'shop'
";

fn resolved(text: &str, line: &str, clusters: &Clusters, docker: bool) -> Result<Resolved, String> {
    let here =
        move |target: &DockerTarget| (docker || *target != DockerTarget::Ambient).then(|| "unix:///run/docker.sock".into());
    let address: &Address<'_> = &here;
    let files = vec![("q.toml".into(), file::read(text, "q.toml").0)];
    resolve(files, &flags(line), address, clusters).map_err(|p| p[0].to_string())
}

/// `id (searched +, on demand ?) environment=namespace:guard …`.
fn picture(resolved: &Resolved) -> Vec<String> {
    let each = resolved.connections.iter().map(|c| {
        let sign = if c.discover {
            "+"
        } else if c.on_demand {
            "?"
        } else {
            ""
        };
        let environments: Vec<String> = c.environments.iter().map(|e| format!(" {}={}:{}", e.name, e.project, e.guard)).collect();
        format!("{}{sign}{}", c.id, environments.concat())
    });
    each.collect()
}

#[test]
fn every_context_is_there_to_be_opened_and_flags_choose() {
    let arn = format!("{ARN}? {ARN}=:confirm");
    let named = format!("{ARN}:kube-system {ARN}:kube-system=kube-system:confirm");
    let table: &[(&str, &str, &[&str])] = &[
        ("", "qd", &["local+", "prod-eu? prod-eu=:confirm", "kind? kind=:confirm", &arn]),
        // What is configured on a context is connected, and that context is not offered beside it.
        (CONFIGURED, "qd", &["local+", "prod-eu shop=shop:type", "kind? kind=:confirm", &arn]),
        ("", "qd -e kind", &["kind kind=:confirm"]),
        ("", "qd -e kind:shop", &["kind:shop kind:shop=shop:confirm"]),
        ("", "qd -e kind:*", &["kind:* kind:*=*:confirm"]),
        ("", "qd -n shop", &["kind:shop kind:shop=shop:confirm"]),
        ("", "qd --context prod-eu -A", &["prod-eu:* prod-eu:*=*:confirm"]),
        // The same place as a configured environment: its name and its guard.
        (CONFIGURED, "qd --context prod-eu -n shop", &["prod-eu shop=shop:type"]),
        (CONFIGURED, "qd -e shop", &["prod-eu shop=shop:type"]),
        ("", "qd logs kind/api", &["local+", "kind kind=:confirm", "prod-eu? prod-eu=:confirm", &arn]),
        (
            "",
            &format!("qd logs {ARN}:kube-system/dns/dns-1"),
            &["local+", &named, "prod-eu? prod-eu=:confirm", "kind? kind=:confirm", &arn],
        ),
        ("", "qd --host tcp://10.0.0.5:2375", &["10.0.0.5+"]),
        // No such context in the kubeconfig: one of Docker.
        ("", "qd --context desktop", &["desktop+"]),
    ];
    for (text, line, expected) in table {
        assert_eq!(picture(&resolved(text, line, &clusters(), true).expect(line)), *expected, "{line}");
    }
}

#[test]
fn without_an_engine_here_the_clusters_are_all_there_is() {
    let told = picture(&resolved("", "qd", &clusters(), false).expect("resolved"));
    assert_eq!(told[0], "prod-eu? prod-eu=:confirm");
    let one = Clusters { contexts: vec!["kind".into()], ..clusters() };
    assert_eq!(picture(&resolved("", "qd", &one, false).expect("resolved")), ["kind kind=:confirm"], "nothing else to look at");
}

#[test]
fn what_leads_nowhere_is_told_with_its_flag() {
    let table = [
        ("qd --context prod-us -n shop", "--context: unknown context `prod-us`"),
        ("qd --kubeconfig /nowhere -n shop", "--kubeconfig: it is broken"),
    ];
    for (line, expected) in table {
        let trouble = line.contains("kubeconfig").then(|| "it is broken".into());
        let told = resolved("", line, &Clusters { trouble, ..clusters() }, true).expect_err(line);
        assert!(told.starts_with(expected), "{told}");
    }
    let none = Clusters { current: None, ..clusters() };
    assert!(resolved("", "qd -n shop", &none, true).expect_err("none is current").contains("--context"));
    // A broken kubeconfig nobody asked for hides nothing else.
    let broken = Clusters { trouble: Some("it is broken".into()), ..Clusters::default() };
    let resolved = resolved("", "qd", &broken, true).expect("resolved");
    assert_eq!((picture(&resolved), resolved.unsupported.len()), (vec!["local+".to_owned()], 1));
    assert_eq!(Guard::Confirm, Tier::default().default_guard());
}
