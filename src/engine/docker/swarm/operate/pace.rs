//! The update settings of a service while an operation goes on: the plan's, with its own kept beside for afterwards.

use serde_json::{Value, json};

use super::change::label;
use crate::engine::docker::labels;
use crate::operate::Pacing;

/// Puts the plan's settings in the place of the service's own. On failure the manager stops and leaves the rest to the
/// operation: going back by itself, it may end what is good.
pub(super) fn set(spec: &mut Value, pacing: Option<&Pacing>) {
    let Some(pacing) = pacing else { return };
    if spec["Labels"][labels::OWN_PACE].is_null() {
        let own = spec["UpdateConfig"].to_string();
        label(spec, labels::OWN_PACE, Some(&own));
    }
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    spec["UpdateConfig"] = json!({
        "Parallelism": pacing.at_once,
        "Delay": nanos(pacing.delay),
        "FailureAction": "pause",
        "Monitor": nanos(pacing.watch),
        "MaxFailureRatio": 0.0,
        "Order": if pacing.new_first { "start-first" } else { "stop-first" },
    });
}

/// Puts the service's own settings back. False where they are in place.
pub(super) fn give_back(spec: &mut Value) -> bool {
    let Some(own) = spec["Labels"][labels::OWN_PACE].as_str() else { return false };
    // What cannot be read any more leaves the engine's defaults.
    let own: Value = serde_json::from_str(own).unwrap_or(Value::Null);
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("UpdateConfig");
        if !own.is_null() {
            spec.insert("UpdateConfig".to_owned(), own);
        }
    }
    label(spec, labels::OWN_PACE, None);
    true
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn its_own_settings_come_back_whatever_was_set_between() {
        let pacing = |at_once| {
            let second = Duration::from_secs(1);
            Pacing { at_once, new_first: true, delay: Duration::ZERO, watch: second }
        };
        for own in [Value::Null, json!({ "Parallelism": 2, "FailureAction": "rollback", "Order": "stop-first" })] {
            let before = json!({ "Name": "web", "Labels": { "a": "b" }, "UpdateConfig": own });
            let mut spec = before.clone();
            set(&mut spec, None);
            assert_eq!(spec, before);
            set(&mut spec, Some(&pacing(1)));
            set(&mut spec, Some(&pacing(3)));
            assert_eq!(spec["UpdateConfig"]["Parallelism"], 3);
            assert_eq!(spec["UpdateConfig"]["FailureAction"], "pause");
            assert_eq!(spec["UpdateConfig"]["Monitor"], 1_000_000_000_u64);
            assert!(give_back(&mut spec));
            assert_eq!(spec["UpdateConfig"], own);
            assert_eq!(spec["Labels"], json!({ "a": "b" }));
            assert!(!give_back(&mut spec));
        }
    }
}
