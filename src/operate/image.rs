//! What an image may be called, by the grammar of the distribution project's references. Whether there is one of that
//! name is the engine's to say.

use std::sync::LazyLock;

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
}
