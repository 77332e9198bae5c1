//! What an image may be called, by the grammar of the distribution project's references. Whether there is one of that
//! name is the engine's to say.

use std::sync::{Arc, LazyLock};

use regex::Regex;

/// `[host[:port]/]path[/path…][:tag][@digest]`; a first part is a host when it has a dot or a port, or is localhost.
const REFERENCE: &str = r"(?x)^
    (?: (?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])? | \[[0-9a-fA-F:]+\]) (?: :[0-9]+ )? / )?
    [a-z0-9]+ (?: (?:\.|_|__|-+) [a-z0-9]+ )* (?: / [a-z0-9]+ (?: (?:\.|_|__|-+) [a-z0-9]+ )* )*
    (?: : [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127} )?
    (?: @ [a-z0-9]+ (?: [+._-] [a-z0-9]+ )* : [0-9a-fA-F]{32,} )?
$";

static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(REFERENCE).ok());

/// What is wrong with the form of an image reference.
#[must_use]
pub fn malformed(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("name an image, like backend:1.5.0")
    } else if text.ends_with([':', '@', '/']) {
        Some("the tag is missing")
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some("an image has no spaces in it")
    } else if FORM.as_ref().is_some_and(|form| !form.is_match(text)) {
        Some("an image is called [registry/]name[:tag][@digest], its name in small letters")
    } else {
        None
    }
}

/// Which container of a template gets `image`: the one named, the only one, the one called like its workload, or the only
/// one whose image comes from the same repository.
///
/// # Errors
/// A sentence that lists those there are, where it is none or could be several.
pub fn container(
    containers: &[(Arc<str>, Arc<str>)],
    named: Option<&str>,
    workload: &str,
    image: &str,
) -> Result<Arc<str>, Arc<str>> {
    let names: Vec<&str> = containers.iter().map(|(name, _)| &**name).collect();
    let listed = names.join(", ");
    if let Some(named) = named {
        let found = containers.iter().find(|(name, _)| **name == *named);
        return found.map(|(name, _)| name.clone()).ok_or_else(|| format!("it has no container {named}, only {listed}").into());
    }
    if let [(only, _)] = containers {
        return Ok(only.clone());
    }
    if let Some((name, _)) = containers.iter().find(|(name, _)| **name == *workload) {
        return Ok(name.clone());
    }
    let mut alike = containers.iter().filter(|(_, now)| repository(now) == repository(image));
    match (alike.next(), alike.next()) {
        (Some((name, _)), None) => Ok(name.clone()),
        _ => Err(format!("it has several containers ({listed}): say which one is meant (--container)").into()),
    }
}

/// An image without its tag and digest.
#[must_use]
pub fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_reference_is_that_of_the_distribution_project() {
        let digest = format!("redis@sha256:{}", "0f".repeat(32));
        let id = format!("sha256:{}", "0f".repeat(32));
        for good in [
            "redis",
            "redis:7.2.5",
            "library/redis",
            "localhost:5000/app:1",
            "reg.example/team/app_x:1.2-rc.1",
            "[::1]:5000/app:1",
            "a/b/c/d:_x",
            "my--app:latest",
            digest.as_str(),
            id.as_str(),
        ] {
            assert_eq!(malformed(good), None, "{good}");
        }
        for bad in [
            "",
            "redis:",
            "redis@",
            "team/",
            "red is",
            "-redis",
            "Redis",
            "team/app:team/app:2",
            "a:b:c",
            "redis@sha256:0f",
            "red\u{1b}is",
            "app:-1",
            "app_",
            "http://reg/app:1",
            "/app",
        ] {
            assert!(malformed(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn the_container_meant_is_found_or_those_there_are_are_listed() {
        let of = |list: &[(&str, &str)]| -> Vec<(Arc<str>, Arc<str>)> {
            list.iter().map(|(name, image)| (Arc::from(*name), Arc::from(*image))).collect()
        };
        let one = of(&[("web", "reg:5000/api:1")]);
        let two = of(&[("web", "reg:5000/api:1"), ("proxy", "envoy@sha256:00")]);
        for (containers, named, workload, image, expected) in [
            (&one, None, "api", "other:2", Ok("web")),
            (&one, Some("db"), "api", "other:2", Err("it has no container db, only web")),
            (&two, Some("proxy"), "api", "other:2", Ok("proxy")),
            (&two, None, "proxy", "other:2", Ok("proxy")),
            (&two, None, "api", "reg:5000/api:2", Ok("web")),
            (&two, None, "api", "envoy:3", Ok("proxy")),
            (&two, None, "api", "other:2", Err("it has several containers (web, proxy): say which one is meant (--container)")),
        ] {
            let found = container(containers, named, workload, image);
            assert_eq!(found.as_deref().map_err(|why| &**why), expected, "{named:?} {workload} {image}");
        }
    }
}
