//! A service's task template (its definition): what it says, and whether two of them say the same.

use serde_json::Value;

/// The image it names, without the digest it may be pinned to, and that digest.
#[must_use]
pub fn image(template: &Value) -> (&str, Option<&str>) {
    let text = template["ContainerSpec"]["Image"].as_str().unwrap_or_default();
    text.split_once('@').map_or((text, None), |(image, digest)| (image, Some(digest)))
}

/// Whether it brings a health check of its own; `None` leaves that to the image.
#[must_use]
pub fn health_check(template: &Value) -> Option<bool> {
    let test = template["ContainerSpec"]["Healthcheck"]["Test"].as_array()?;
    let first = test.first()?.as_str()?;
    Some(!matches!(first, "NONE" | ""))
}

/// The memory limit, bytes.
#[must_use]
pub fn memory_limit(template: &Value) -> Option<u64> {
    template["Resources"]["Limits"]["MemoryBytes"].as_u64().filter(|bytes| *bytes > 0)
}

/// Names under `ContainerSpec` (`Secrets`, `Configs`), never what they hold.
pub fn names<'a>(template: &'a Value, list: &str, name: &'a str) -> impl Iterator<Item = &'a str> {
    template["ContainerSpec"][list].as_array().into_iter().flatten().filter_map(move |one| one[name].as_str())
}

/// The networks it is attached to, by name or id.
pub fn networks(template: &Value) -> impl Iterator<Item = &str> {
    template["Networks"].as_array().into_iter().flatten().filter_map(|one| one["Target"].as_str())
}

/// How often a restart was forced.
#[must_use]
pub fn forced(template: &Value) -> u64 {
    template["ForceUpdate"].as_u64().unwrap_or(0)
}

/// A number that is the same for templates that mean the same: what is empty counts as absent, as does how often a
/// restart was forced. FNV-1a, 64 bits: it only has to be the same on every host and in every version.
#[must_use]
pub fn fingerprint(template: &Value) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.value(template, true);
    hash.0
}

struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn value(&mut self, value: &Value, top: bool) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => self.bytes(value.to_string().as_bytes()),
            Value::String(text) => {
                self.bytes(b"\"");
                self.bytes(text.as_bytes());
            }
            Value::Array(list) => {
                self.bytes(b"[");
                for one in list {
                    self.bytes(b",");
                    self.value(one, false);
                }
            }
            Value::Object(map) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                self.bytes(b"{");
                // A task's own copy of the template lacks the runtime.
                let aside = |key: &str| top && matches!(key, "ForceUpdate" | "Runtime");
                for key in keys.into_iter().filter(|key| !is_empty(&map[*key]) && !aside(key)) {
                    self.bytes(key.as_bytes());
                    self.bytes(b":");
                    self.value(&map[key], false);
                }
            }
        }
    }
}

/// Whether a value says nothing, however deep.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_the_same_when_they_mean_the_same() {
        let one = json!({ "ContainerSpec": { "Image": "a:1", "Env": ["A=1"], "Init": false }, "ForceUpdate": 0, "Runtime": "container" });
        let same = [
            json!({ "ForceUpdate": 7, "ContainerSpec": { "Env": ["A=1"], "Image": "a:1", "DNSConfig": {}, "Privileges": { "SELinuxContext": null } } }),
            json!({ "ContainerSpec": { "Image": "a:1", "Env": ["A=1"] }, "Placement": { "Platforms": [] } }),
        ];
        let other = [
            json!({ "ContainerSpec": { "Image": "a:2", "Env": ["A=1"] } }),
            json!({ "ContainerSpec": { "Image": "a:1", "Env": ["A=2"] } }),
            json!({ "ContainerSpec": { "Image": "a:1", "Env": ["A=1"], "Init": true } }),
            json!({ "ContainerSpec": { "Image": "a:1", "Env": ["A=1", "B=1"] } }),
        ];
        assert!(same.iter().all(|t| fingerprint(t) == fingerprint(&one)));
        assert!(other.iter().all(|t| fingerprint(t) != fingerprint(&one)));
        // The same on every host, for ever: it is compared with what another version has written.
        let plain = json!({ "ContainerSpec": { "Image": "a:1" } });
        assert_eq!(fingerprint(&plain), 0xb09a_64a9_11b1_e9b8);
    }

    #[test]
    fn an_image_is_split_from_its_digest() {
        let of = |image: &str| json!({ "ContainerSpec": { "Image": image } });
        assert_eq!(image(&of("reg:5000/a:1@sha256:00")), ("reg:5000/a:1", Some("sha256:00")));
        assert_eq!(image(&of("reg:5000/a:1")), ("reg:5000/a:1", None));
        assert_eq!(image(&Value::Null), ("", None));
    }

    #[test]
    fn a_health_check_may_be_its_own_switched_off_or_the_images() {
        let of = |check: Value| health_check(&json!({ "ContainerSpec": { "Healthcheck": check } }));
        assert_eq!(of(json!({ "Test": ["CMD", "true"] })), Some(true));
        assert_eq!(of(json!({ "Test": ["NONE"] })), Some(false));
        assert_eq!(of(json!({ "Interval": 5 })), None);
        assert_eq!(of(Value::Null), None);
    }
}
