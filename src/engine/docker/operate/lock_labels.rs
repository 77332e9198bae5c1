//! What a lock says of its holder, and whose lock it is: the same words on a container and on a Swarm config.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::model::{LockHolder, OperationId};
use crate::observe::text::clean;

/// How often taking is tried when the lock changes hands between the refusal and the look at who holds it.
pub(in crate::engine::docker) const TRIES: u32 = 3;

/// Whether these labels are the lock of `holder`: an operation's lock is its own wherever it goes on, one taken by hand
/// is the one taken by that person at that moment.
pub(in crate::engine::docker) fn is_of(written: &HashMap<String, String>, holder: &LockHolder) -> bool {
    let label = |key: &str| written.get(key).map(String::as_str);
    let same_operation = label(labels::LOCK_OPERATION) == holder.operation.as_ref().map(OperationId::as_str);
    let since = label(labels::LOCK_SINCE).and_then(|since| since.parse::<Timestamp>().ok());
    let same_person = label(labels::LOCK_BY) == Some(&*holder.by) && since == Some(holder.since);
    label(labels::LOCK).is_some() && same_operation && (holder.operation.is_some() || same_person)
}

/// Somebody else holds the lock, or something else (`thing`) has its name.
pub(in crate::engine::docker) fn held(written: &HashMap<String, String>, words: &str, thing: &str) -> EngineError {
    if !written.contains_key(labels::LOCK) {
        let cause = format!("{thing} has its name and is no lock");
        return EngineError::Conflict { what: words.into(), cause: cause.into() };
    }
    let part = |key: &str| written.get(key).map_or("an unknown time".into(), |text| clean(text).into_owned());
    let by = written.get(labels::LOCK_BY).map_or("somebody".into(), |by| clean(by).into_owned());
    let why = written.get(labels::LOCK_WHY).filter(|why| !why.is_empty()).map(|why| format!(": {}", clean(why)));
    let cause = format!("{by} has held it since {}{}", part(labels::LOCK_SINCE), why.unwrap_or_default());
    EngineError::Conflict { what: words.into(), cause: cause.into() }
}

/// What the lock says of its holder.
pub(in crate::engine::docker) fn labels_of(scope: &str, holder: &LockHolder) -> HashMap<String, String> {
    let mut all = vec![
        (labels::LOCK, scope.to_owned()),
        (labels::LOCK_BY, holder.by.to_string()),
        (labels::LOCK_HOST, holder.host.to_string()),
        (labels::LOCK_PID, holder.pid.to_string()),
        (labels::LOCK_PID_STARTED, holder.pid_started.to_string()),
        (labels::LOCK_WHY, holder.why.to_string()),
        (labels::LOCK_SINCE, holder.since.to_string()),
    ];
    all.extend(holder.operation.as_ref().map(|operation| (labels::LOCK_OPERATION, operation.to_string())));
    all.extend(holder.request.as_ref().map(|request| (labels::LOCK_REQUEST, request.to_string())));
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(by: &str, since: i64, operation: Option<&str>) -> LockHolder {
        LockHolder {
            by: by.into(),
            host: "desk".into(),
            pid: 7,
            pid_started: 99,
            why: "deploy api".into(),
            since: Timestamp::from_second(since).unwrap(),
            operation: operation.map(OperationId::from),
            request: None,
        }
    }

    #[test]
    fn a_lock_is_its_operations_or_its_persons() {
        let table = [
            (holder("ada", 1, Some("op-1")), holder("ada", 1, Some("op-1")), true),
            // Recovered by somebody else, later.
            (holder("ada", 1, Some("op-1")), holder("bob", 2, Some("op-1")), true),
            (holder("ada", 1, Some("op-1")), holder("ada", 1, Some("op-2")), false),
            (holder("ada", 1, Some("op-1")), holder("ada", 1, None), false),
            (holder("ada", 1, None), holder("ada", 1, None), true),
            (holder("ada", 1, None), holder("ada", 2, None), false),
            (holder("ada", 1, None), holder("bob", 1, None), false),
            (holder("ada", 1, None), holder("ada", 1, Some("op-1")), false),
        ];
        for (written, asks, expected) in table {
            assert_eq!(is_of(&labels_of("shop", &written), &asks), expected, "{written:?} asked by {asks:?}");
        }
        assert!(!is_of(&HashMap::new(), &holder("ada", 1, None)), "not a lock at all");
    }

    #[test]
    fn a_conflict_names_holder_reason_and_time() {
        let written = labels_of("shop", &holder("ada\u{1b}[2J@desk", 0, None));
        let error = held(&written, "the lock of shop", "container quarterdeck-lock-shop").to_string();
        assert_eq!(error, "the lock of shop is in the way: ada@desk has held it since 1970-01-01T00:00:00Z: deploy api");
        let error = held(&HashMap::new(), "the lock of shop", "container quarterdeck-lock-shop").to_string();
        assert_eq!(error, "the lock of shop is in the way: container quarterdeck-lock-shop has its name and is no lock");
    }
}
