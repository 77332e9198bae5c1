//! Image references (`registry/repository:tag@digest`), as far as pulling needs to take them apart. Pure.

/// The registry Docker means where a reference names none.
const HUB: &str = "docker.io";

/// Whether neither a tag nor a digest is named.
pub(super) fn without_tag(image: &str) -> bool {
    !image.rsplit('/').next().unwrap_or(image).contains([':', '@'])
}

/// The registry a reference is fetched from: its first part when that looks like a host, as Docker has it.
pub(in crate::engine::docker) fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        Some(_) | None => HUB,
    }
}

/// How Docker's credential store calls a registry.
pub(super) fn credential_key(registry: &str) -> &str {
    if registry == HUB { "https://index.docker.io/v1/" } else { registry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart_as_docker_does() {
        for (image, bare, host) in [
            ("redis", true, "docker.io"),
            ("redis:7", false, "docker.io"),
            ("library/redis", true, "docker.io"),
            ("localhost/app", true, "localhost"),
            ("localhost:5000/app", true, "localhost:5000"),
            ("reg.example/team/app:1.2", false, "reg.example"),
            ("reg.example/app@sha256:00", false, "reg.example"),
        ] {
            assert_eq!((without_tag(image), registry(image)), (bare, host), "{image}");
        }
        assert_eq!(credential_key(registry("redis")), "https://index.docker.io/v1/");
    }
}
