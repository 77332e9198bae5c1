//! Definitions made from a recorded container that uses whatever a Compose file can say.

use bollard::models::{ContainerInspectResponse, HealthConfig, ImageConfig, ImageInspect};
use jiff::Timestamp;

use super::definition::{Draft, Wanted, draft};
use crate::engine::docker::labels;
use crate::model::Revision;

const CONTAINER: &str = include_str!("../../../../tests/engines/recorded/container-20.10-compose-1.29.json");
const IMAGE: &str = include_str!("../../../../tests/engines/recorded/image-20.10.json");
const ANONYMOUS: &str = "f0fffd77369053cebed3eedeb3274a76bdec1dbb1175b3109461f24740ce7ed5";

fn recorded() -> ContainerInspectResponse {
    serde_json::from_str(CONTAINER).unwrap()
}

fn image() -> ImageConfig {
    serde_json::from_str::<ImageInspect>(IMAGE).unwrap().config.unwrap()
}

fn wanted() -> Wanted<'static> {
    Wanted {
        name: "shop_store_2".into(),
        number: Some(2),
        image: "qd-test/app:2".into(),
        image_id: "sha256:22".into(),
        operation: "op-1",
        slot: 7,
        revisions: None,
        replaces: false,
        hidden: false,
    }
}

fn of(change: impl FnOnce(&mut ContainerInspectResponse, &mut ImageConfig, &mut Wanted<'static>)) -> Draft {
    let (mut like, mut defaults, mut wanted) = (recorded(), image(), wanted());
    change(&mut like, &mut defaults, &mut wanted);
    draft(&like, Some(&defaults), wanted)
}

fn label<'a>(draft: &'a Draft, key: &str) -> Option<&'a str> {
    draft.body.labels.as_ref()?.get(key).map(String::as_str)
}

#[allow(clippy::unnecessary_wraps, reason = "as it stands in a definition")]
fn words(list: &[&str]) -> Option<Vec<String>> {
    Some(list.iter().map(|&word| word.to_owned()).collect())
}

#[test]
fn what_the_author_said_is_kept_and_what_the_image_said_is_left_to_the_image() {
    let made = of(|_, _, _| {});
    let body = made.body;
    assert_eq!(body.image.as_deref(), Some("qd-test/app:2"));
    assert_eq!(body.env, words(&["ROLE=store", "VERSION=7", "EMPTY=", "PASSWORD=a=b c"]), "PATH is the image's");
    assert_eq!(body.hostname.as_deref(), Some("store.internal"));
    assert_eq!(body.domainname.as_deref(), Some("example.test"));
    assert_eq!(body.working_dir.as_deref(), Some("/data"));
    assert_eq!(body.user.as_deref(), Some("0:0"));
    assert_eq!((body.stop_signal.as_deref(), body.stop_timeout), (Some("SIGTERM"), Some(4)));
    assert_eq!(body.entrypoint, words(&["/bin/sh", "-c"]));
    let mut ports = body.exposed_ports.unwrap();
    ports.sort();
    assert_eq!(ports, ["7070/tcp", "8080/tcp", "9090/tcp"], "8080 is the image's, but published too");
    let check = body.healthcheck.unwrap();
    assert_eq!(check.test, words(&["CMD", "test", "-f", "/tmp/healthy"]));
    assert_eq!((check.retries, check.start_period), (Some(5), Some(1_000_000_000)));
    assert_eq!((check.interval, check.timeout), (None, None), "the image's own");
    let labels = body.labels.unwrap();
    assert_eq!(labels["org.opencontainers.image.version"], "mine", "the image has another value");
    assert_eq!(labels["dev.example.owner"], "team a");
}

#[test]
fn the_host_configuration_is_the_sisters() {
    let expected = recorded().host_config.unwrap();
    let made = of(|_, _, _| {}).body.host_config.unwrap();
    assert_eq!(made.binds, words(&["shop_named:/named:rw", "/srv/shop:/here:ro"]), "beside its sister: new volumes of its own");
    assert_eq!(made.container_id_file, None);
    let but = |mut host: bollard::models::HostConfig| {
        host.container_id_file = None;
        host
    };
    assert_eq!(but(made), but(expected));
}

#[test]
fn in_its_sisters_place_it_has_her_nameless_volumes_too() {
    let made = of(|_, _, wanted| wanted.replaces = true).body.host_config.unwrap();
    let carried = format!("{ANONYMOUS}:/anonymous");
    assert_eq!(made.binds, words(&["shop_named:/named:rw", "/srv/shop:/here:ro", &carried]));
}

#[test]
fn it_is_on_every_network_with_its_own_aliases_only() {
    let made = of(|like, _, _| {
        // As Compose 2 has it, the container's own name is an alias too.
        let networks = like.network_settings.as_mut().unwrap().networks.as_mut().unwrap();
        networks.get_mut("shop_outer").unwrap().aliases.as_mut().unwrap().push("shop_store_1".into());
    });
    let first = made.body.networking_config.unwrap().endpoints_config.unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["shop_outer"], "the one of its network mode");
    assert_eq!(first["shop_outer"].aliases, words(&["store", "store.internal", "shop_store_2"]));
    assert_eq!(first["shop_outer"].ip_address, None);
    assert_eq!(first["shop_outer"].mac_address, None);
    let [further] = &made.further[..] else { panic!("{:?}", made.further) };
    assert_eq!(further.network, "shop_inner");
    assert_eq!(further.settings.aliases, words(&["backend", "db", "store", "store.internal"]));
    assert_eq!(further.settings.links.as_ref().unwrap().len(), 3);
}

#[test]
fn networks_follow_the_mode() {
    for (mode, first, further, mode_after) in [
        ("host", None, 0, "host"),
        ("container:abc", None, 0, "container:abc"),
        ("none", None, 0, "none"),
        ("shop_inner", Some("shop_inner"), 1, "shop_inner"),
        // It was taken off the network it was made on.
        ("shop_default", Some("shop_inner"), 1, "shop_inner"),
    ] {
        let made = of(|like, _, _| like.host_config.as_mut().unwrap().network_mode = Some(mode.into()));
        let names = made.body.networking_config.and_then(|config| config.endpoints_config);
        assert_eq!(names.and_then(|names| names.into_keys().next()).as_deref(), first, "{mode}");
        assert_eq!(made.further.len(), further, "{mode}");
        assert_eq!(made.body.host_config.unwrap().network_mode.as_deref(), Some(mode_after));
    }
}

#[test]
fn a_host_name_made_by_the_engine_or_borrowed_is_dropped() {
    let hostname = |name: &str, mode: &str| {
        of(|like, _, _| {
            like.config.as_mut().unwrap().hostname = Some(name.into());
            like.host_config.as_mut().unwrap().network_mode = Some(mode.into());
        })
        .body
        .hostname
    };
    let short = recorded().id.unwrap()[..12].to_owned();
    assert_eq!(hostname(&short, "shop_inner"), None);
    assert_eq!(hostname("node-1", "host"), None);
    assert_eq!(hostname("other", "container:abc"), None);
    assert_eq!(hostname("mine", "shop_inner").as_deref(), Some("mine"));
}

#[test]
fn entrypoint_and_command_are_told_apart_from_the_images() {
    type Words = &'static [&'static str];
    /// Container's entrypoint and command, image's entrypoint and command; what is asked for.
    type Row = (Words, Words, Words, Words, Option<Words>, Option<Words>);
    let table: &[Row] = &[
        (&["e"], &["c"], &["e"], &["c"], None, None),
        (&[], &["c"], &[], &["c"], None, None),
        (&["e"], &["mine"], &["e"], &["c"], None, Some(&["mine"])),
        (&["mine"], &["c"], &["e"], &["c"], Some(&["mine"]), Some(&["c"])),
        (&["mine"], &[], &["e"], &["c"], Some(&["mine"]), None),
        // Named although it is the image's: that dropped the image's command.
        (&["e"], &[], &["e"], &["c"], Some(&["e"]), None),
        // Taken away on purpose.
        (&[], &["mine"], &["e"], &["c"], Some(&[""]), Some(&["mine"])),
    ];
    for (entrypoint, cmd, image_entrypoint, image_cmd, expected_entrypoint, expected_cmd) in table {
        let made = of(|like, image, _| {
            let config = like.config.as_mut().unwrap();
            (config.entrypoint, config.cmd) = (words(entrypoint), words(cmd));
            (image.entrypoint, image.cmd) = (words(image_entrypoint), words(image_cmd));
        });
        let context = format!("{entrypoint:?} {cmd:?} on {image_entrypoint:?} {image_cmd:?}");
        assert_eq!(made.body.entrypoint, expected_entrypoint.and_then(words), "{context}");
        assert_eq!(made.body.cmd, expected_cmd.and_then(words), "{context}");
    }
}

#[test]
fn every_setting_equal_to_the_old_images_is_left_to_the_new_one() {
    let made = of(|like, image, _| {
        let config = like.config.as_ref().unwrap();
        *image = ImageConfig {
            user: config.user.clone(),
            exposed_ports: words(&["7070/tcp"]),
            env: config.env.clone(),
            cmd: config.cmd.clone(),
            healthcheck: config.healthcheck.clone(),
            volumes: words(&["/anonymous"]),
            working_dir: config.working_dir.clone(),
            entrypoint: config.entrypoint.clone(),
            labels: config.labels.clone(),
            stop_signal: config.stop_signal.clone(),
            ..ImageConfig::default()
        };
    });
    let body = &made.body;
    assert_eq!((&body.user, &body.env, &body.cmd, &body.entrypoint), (&None, &None, &None, &None));
    assert_eq!((&body.healthcheck, &body.working_dir, &body.stop_signal), (&None, &None, &None));
    let sorted = |list: &Option<Vec<String>>| {
        let mut list = list.clone().unwrap_or_default();
        list.sort();
        list
    };
    assert_eq!(sorted(&body.exposed_ports), ["8080/tcp", "9090/tcp"], "published ones stay");
    assert_eq!(sorted(&body.volumes), ["/here", "/named"]);
    assert_eq!(label(&made, "dev.example.owner"), None);
    assert_eq!(
        label(&made, labels::PROJECT),
        Some("shop"),
        "an image built by Compose carries its labels; the place is the container's"
    );
}

#[test]
fn a_health_check_switched_off_stays_off() {
    let made = of(|like, _, _| {
        like.config.as_mut().unwrap().healthcheck = Some(HealthConfig { test: words(&["NONE"]), ..HealthConfig::default() });
    });
    assert_eq!(made.body.healthcheck.unwrap().test, words(&["NONE"]));
}

#[test]
fn without_the_old_image_everything_is_kept() {
    let made = draft(&recorded(), None, wanted());
    assert!(made.body.env.unwrap().contains(&"PATH=/bin".to_owned()));
}

#[test]
fn labels_say_which_replica_it_is_and_where_it_comes_from() {
    let revision = |number| Revision {
        number,
        image: "qd-test/app:2".into(),
        digest: Some("sha256:22".into()),
        at: Some(Timestamp::from_second(1_700_000_000).unwrap()),
        by: Some("ada@desk".into()),
        cause: None,
    };
    let revisions: Vec<Revision> = (1..=12).rev().map(revision).collect();
    let (mut like, mut asked) = (recorded(), wanted());
    let given = like.config.as_mut().unwrap().labels.as_mut().unwrap();
    given.insert("com.docker.compose.replace".into(), "shop_store_1".into());
    given.insert(labels::IMAGE.into(), "sha256:11".into());
    given.insert(labels::REVISION.into(), "3".into());
    asked.revisions = Some(&revisions);
    let made = draft(&like, Some(&image()), asked);
    for (key, value) in [
        (labels::NUMBER, Some("2")),
        (labels::ONE_OFF, Some("False")),
        (labels::IMAGE, Some("sha256:22")),
        (labels::OPERATION, Some("op-1")),
        (labels::SLOT, Some("7")),
        (labels::REVISION, Some("12")),
        ("com.docker.compose.replace", None),
        (
            "com.docker.compose.config-hash",
            like.config.as_ref().unwrap().labels.as_ref().unwrap().get("com.docker.compose.config-hash").map(String::as_str),
        ),
    ] {
        assert_eq!(label(&made, key), value, "{key}");
    }
    let history: Vec<Revision> = serde_json::from_str(label(&made, labels::HISTORY).unwrap()).unwrap();
    assert_eq!(history, revisions[..10], "newest first, ten of them");

    let kept = draft(&like, Some(&image()), wanted());
    assert_eq!(label(&kept, labels::REVISION), Some("3"), "without new revisions it is of its sister's");
    assert_eq!(label(&of(|_, _, _| {}), labels::IMAGE), None, "only where Compose writes it");
}

#[test]
fn legacy_links_are_said_the_way_they_are_taken() {
    let made = of(|like, _, _| like.host_config.as_mut().unwrap().links = words(&["/db:/web/database", "/cache:/web/cache"]));
    assert_eq!(made.body.host_config.unwrap().links, words(&["db:database", "cache:cache"]));
}

#[test]
fn one_that_is_hidden_keeps_its_names_for_later() {
    let places = |draft: &Draft| -> Vec<(String, Vec<String>)> {
        let first = draft.body.networking_config.clone().unwrap().endpoints_config.unwrap();
        let first = first.into_iter().map(|(network, settings)| (network, settings.aliases.unwrap_or_default()));
        let further =
            draft.further.iter().map(|place| (place.network.clone(), place.settings.aliases.clone().unwrap_or_default()));
        first.chain(further).collect()
    };
    let open = of(|_, _, _| {});
    assert!(places(&open).iter().any(|(_, names)| !names.is_empty()));
    let hidden = of(|_, _, wanted| wanted.hidden = true);
    assert!(places(&hidden).iter().all(|(_, names)| names.is_empty()));
    let kept: std::collections::BTreeMap<String, Vec<String>> =
        serde_json::from_str(label(&hidden, labels::NAMES).unwrap()).unwrap();
    assert_eq!(kept, places(&open).into_iter().collect());

    // A sister of one that is still hidden is as its definition says.
    let sister = of(|like, _, _| {
        let config = like.config.as_mut().unwrap();
        config.labels.as_mut().unwrap().insert(labels::NAMES.into(), serde_json::to_string(&kept).unwrap());
        for place in like.network_settings.as_mut().unwrap().networks.as_mut().unwrap().values_mut() {
            place.aliases = None;
        }
    });
    assert_eq!(places(&sister), places(&open));
    assert_eq!(label(&sister, labels::NAMES), None);
}
