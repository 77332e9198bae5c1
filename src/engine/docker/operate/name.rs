//! Container names as Compose makes them: a replica's own, and the one it bears while it is set aside.

/// Characters of an id in a short id.
const SHORT: usize = 12;

/// The first twelve characters of a container's id.
pub(super) fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// The name a container has when it is not set aside. `name` may have the engine's leading slash.
pub(super) fn proper<'a>(id: &str, name: &'a str) -> &'a str {
    let name = name.trim_start_matches('/');
    name.strip_prefix(short(id)).and_then(|rest| rest.strip_prefix('_')).filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// The name a container has while it is set aside.
pub(super) fn aside(id: &str, name: &str) -> String {
    format!("{}_{}", short(id), proper(id, name))
}

/// The name of replica `to` of the service whose replica `from` is called `proper`, in the form that one has
/// (`project_service_1` or `project-service-1`). `None` when the name does not end in its number: it was given in the
/// definition and cannot be doubled.
pub(super) fn renumbered(proper: &str, from: u32, to: u32) -> Option<String> {
    let stem = proper.strip_suffix(&from.to_string())?;
    (stem.ends_with('_') || stem.ends_with('-')).then(|| format!("{stem}{to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_name_set_aside_is_given_back_and_no_other_is_touched() {
        for (name, expected) in [
            ("/shop_api_1", "shop_api_1"),
            ("/0123456789ab_shop_api_1", "shop_api_1"),
            // Another container's short id, or something that only looks like one, is part of the name.
            ("/fedcba987654_shop_api_1", "fedcba987654_shop_api_1"),
            ("/0123456789ab_", "0123456789ab_"),
            ("plain", "plain"),
        ] {
            assert_eq!(proper(ID, name), expected, "{name}");
        }
        assert_eq!(aside(ID, "/shop_api_1"), "0123456789ab_shop_api_1");
        assert_eq!(aside(ID, "/0123456789ab_shop_api_1"), "0123456789ab_shop_api_1");
    }

    #[test]
    fn a_replicas_name_keeps_the_form_of_its_sisters() {
        for (name, from, to, expected) in [
            ("shop_api_1", 1, 2, Some("shop_api_2")),
            ("shop-api-9", 9, 10, Some("shop-api-10")),
            ("my_shop-v2-api-12", 12, 3, Some("my_shop-v2-api-3")),
            ("the-database", 1, 2, None),
            ("redis1", 1, 2, None),
            ("shop_api_11", 1, 2, None),
        ] {
            assert_eq!(renumbered(name, from, to).as_deref(), expected, "{name}");
        }
    }
}
