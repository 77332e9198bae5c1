//! Where a Service leads while a workload has a mirror: to its own pods of one template, to the mirror's, or, as before, to
//! whatever its selector says. What that said is kept on it until then.

use serde_json::{Map, Value, json};

use super::call::annotation;
use super::change::{Patch, Told};
use super::history::HASH;

/// The selector a Service had before.
pub const SELECTOR: &str = "quarterdeck.io/selector";
/// On a mirror, its pods and the Services led to or kept from them: which one.
pub const MIRROR: &str = "quarterdeck.io/mirror";

/// Where the Services of a workload lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To its own pods of this template only.
    Own {
        hash: String,
        tag: String,
    },
    Mirror {
        tag: String,
    },
    /// As before.
    Free,
}

/// The selector of a Service as it was before it was held.
pub(super) fn before(service: &Value) -> Map<String, Value> {
    let kept = annotation(service, SELECTOR).and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    kept.or_else(|| service.pointer("/spec/selector").and_then(Value::as_object).cloned()).unwrap_or_default()
}

/// What leads a Service that way.
pub(super) fn led(service: &Value, way: &Way) -> Told {
    let before = before(service);
    let mut wanted = before.clone();
    let (kept, tag) = match way {
        Way::Own { hash, tag } => {
            wanted.insert(HASH.to_owned(), json!(hash));
            (json!(Value::Object(before).to_string()), json!(tag))
        }
        Way::Mirror { tag } => {
            wanted.insert(MIRROR.to_owned(), json!(tag));
            (json!(Value::Object(before).to_string()), json!(tag))
        }
        Way::Free => (Value::Null, Value::Null),
    };
    let now = service.pointer("/spec/selector").and_then(Value::as_object).cloned().unwrap_or_default();
    if now == wanted && annotation(service, SELECTOR).is_some() != kept.is_null() {
        return Told::Already;
    }
    let mut selector: Map<String, Value> = now.keys().map(|key| (key.clone(), Value::Null)).collect();
    selector.extend(wanted);
    let notes = json!({ SELECTOR: kept, MIRROR: tag });
    Told::Changed(Patch::Merge, json!({ "metadata": { "annotations": notes }, "spec": { "selector": selector } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies a merge patch to a Service.
    fn merged(mut base: Value, patch: &Value) -> Value {
        fn merge(base: &mut Value, patch: &Value) {
            let Some(patch) = patch.as_object() else {
                *base = patch.clone();
                return;
            };
            if !base.is_object() {
                *base = json!({});
            }
            for (key, value) in patch {
                if value.is_null() {
                    base.as_object_mut().unwrap().remove(key);
                } else {
                    merge(&mut base[key], value);
                }
            }
        }
        merge(&mut base, patch);
        base
    }

    fn lead(service: &Value, way: &Way) -> Value {
        match led(service, way) {
            Told::Changed(Patch::Merge, body) => merged(service.clone(), &body),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_service_is_led_back_and_forth_and_is_as_before_in_the_end() {
        let plain = json!({ "metadata": { "annotations": {} }, "spec": { "selector": { "app": "api" } } });
        let own = Way::Own { hash: "5d4".into(), tag: "m1".into() };
        let there = Way::Mirror { tag: "m1".into() };
        let held = lead(&plain, &own);
        assert_eq!(held["spec"]["selector"], json!({ "app": "api", HASH: "5d4" }));
        let away = lead(&held, &there);
        assert_eq!(away["spec"]["selector"], json!({ "app": "api", MIRROR: "m1" }));
        assert_eq!(led(&away, &there), Told::Already, "told twice");
        let back = lead(&away, &own);
        assert_eq!(back["spec"]["selector"], json!({ "app": "api", HASH: "5d4" }));
        for one in [&held, &away, &back] {
            assert_eq!(Value::Object(before(one)), json!({ "app": "api" }));
            assert_eq!(lead(one, &Way::Free), plain, "nothing of it is left");
        }
        assert_eq!(led(&plain, &Way::Free), Told::Already);
    }
}
