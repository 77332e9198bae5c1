//! What the server says when it cannot: `Status` objects as a real one writes them, and the bodies that are none.

use serde_json::{Value, json};

use super::kind::Kind;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: u16,
    /// A `Status`, or a text where a real server answers in plain text.
    pub body: Value,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u64>,
}

pub type Outcome<T> = Result<T, Failure>;

/// A `Status` of failure; without `reason` where a real server gives none.
pub fn failure(code: u16, reason: &str, message: impl Into<String>) -> Failure {
    let message = message.into();
    let mut body =
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code });
    if !reason.is_empty() {
        body["reason"] = json!(reason);
    }
    Failure { code, body, retry_after: None }
}

impl Failure {
    fn details(mut self, details: Value) -> Self {
        self.body["details"] = details;
        self
    }
}

/// A body that is no `Status`.
pub fn plain(code: u16, text: &str) -> Failure {
    Failure { code, body: json!(text), retry_after: None }
}

fn named(kind: &Kind, name: &str, as_kind: bool) -> Value {
    let mut details = json!({ "kind": if as_kind { kind.name } else { kind.plural } });
    if !kind.group.is_empty() {
        details["group"] = json!(kind.group);
    }
    if !name.is_empty() {
        details["name"] = json!(name);
    }
    details
}

pub fn bad_request(message: impl Into<String>) -> Failure {
    failure(400, "BadRequest", message)
}

pub fn unauthorized() -> Failure {
    failure(401, "Unauthorized", "Unauthorized")
}

/// `resource` with its subresource: `pods/exec`.
pub fn forbidden(user: &str, verb: &str, kind: &Kind, resource: &str, namespace: Option<&str>, name: &str) -> Failure {
    let subject = if name.is_empty() { kind.qualified() } else { format!("{} \"{name}\"", kind.qualified()) };
    let place = namespace.map_or("at the cluster scope".to_owned(), |n| format!("in the namespace \"{n}\""));
    let message = format!(
        "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{}\" {place}",
        kind.group
    );
    failure(403, "Forbidden", message).details(named(kind, name, false))
}

pub fn not_found(kind: &Kind, name: &str) -> Failure {
    failure(404, "NotFound", format!("{} \"{name}\" not found", kind.qualified())).details(named(kind, name, false))
}

/// What is not an API at all.
pub fn no_such_path() -> Failure {
    plain(404, "404 page not found\n")
}

pub fn no_such_resource() -> Failure {
    failure(404, "NotFound", "the server could not find the requested resource").details(json!({}))
}

pub fn method_not_allowed() -> Failure {
    failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource").details(json!({}))
}

pub fn not_acceptable() -> Failure {
    let message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                   application/vnd.kubernetes.protobuf, application/json;stream=watch, \
                   application/vnd.kubernetes.protobuf;stream=watch";
    failure(406, "NotAcceptable", message).details(json!({}))
}

pub fn already_exists(kind: &Kind, name: &str) -> Failure {
    failure(409, "AlreadyExists", format!("{} \"{name}\" already exists", kind.qualified())).details(named(kind, name, false))
}

pub fn conflict(kind: &Kind, name: &str) -> Failure {
    let message = format!(
        "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to the latest \
         version and try again",
        kind.qualified()
    );
    failure(409, "Conflict", message).details(named(kind, name, false))
}

/// A `PUT` that means another object of the same name.
pub fn replaced_another(kind: &Kind, name: &str, (want, have): (&str, &str)) -> Failure {
    let mut failure = conflict(kind, name);
    let message = format!(
        "Operation cannot be fulfilled on {} \"{name}\": StorageError: invalid object, Code: 4, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: UID in precondition: {want}, UID in object meta: {have}",
        kind.qualified()
    );
    failure.body["message"] = json!(message);
    failure
}

/// A `DELETE` that means another object, or another version of it.
pub fn deleted_another(kind: &Kind, name: &str, what: &str, (want, have): (&str, &str)) -> Failure {
    let what = if what == "uid" { "UID" } else { "ResourceVersion" };
    let message = format!(
        "Operation cannot be fulfilled on {} \"{name}\": the {what} in the precondition ({want}) does not match the {what} in \
         record ({have}). The object might have been {}",
        kind.qualified_kind(),
        if what == "UID" { "deleted and then recreated" } else { "modified" }
    );
    failure(409, "Conflict", message).details(named(kind, name, true))
}

/// A page whose version is gone; `token` goes on without the promise of one moment.
pub fn page_expired(token: &str) -> Failure {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
                   the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
                   Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
                   deleted between the time the first chunk was returned and now may show up in the list.";
    let mut gone = failure(410, "Expired", message);
    gone.body["metadata"] = json!({ "continue": token });
    gone
}

pub fn list_expired() -> Failure {
    failure(410, "Expired", "The resourceVersion for the provided list is too old.")
}

/// What comes in the `ERROR` event of a watch.
pub fn watch_expired(asked: u64, oldest: u64) -> Failure {
    failure(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
}

pub fn unsupported_media_type() -> Failure {
    failure(415, "UnsupportedMediaType", "415: Unsupported Media Type").details(json!({}))
}

/// One thing wrong with one field.
pub struct Cause {
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl Cause {
    pub fn invalid(field: &str, value: &Value, why: &str) -> Self {
        Self { reason: "FieldValueInvalid", field: field.into(), message: format!("Invalid value: {value}: {why}") }
    }

    pub fn required(field: &str, why: &str) -> Self {
        let message = if why.is_empty() { "Required value".into() } else { format!("Required value: {why}") };
        Self { reason: "FieldValueRequired", field: field.into(), message }
    }
}

fn invalid_with(subject: &str, details: Value, causes: &[Cause]) -> Failure {
    let said: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
    let said = if said.len() == 1 { said[0].clone() } else { format!("[{}]", said.join(", ")) };
    let mut details = details;
    details["causes"] =
        causes.iter().map(|c| json!({ "reason": c.reason, "message": c.message, "field": c.field })).collect::<Vec<_>>().into();
    failure(422, "Invalid", format!("{subject} is invalid: {said}")).details(details)
}

/// An object whose fields do not hold.
pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Failure {
    invalid_with(&format!("{} \"{name}\"", kind.qualified_kind()), named(kind, name, true), causes)
}

/// What a server that knows no streaming lists says when asked for one.
pub fn no_watch_list() -> Failure {
    let why = "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    let cause = Cause { reason: "FieldValueForbidden", field: "sendInitialEvents".into(), message: why.into() };
    invalid_with("ListOptions.meta.k8s.io \"\"", json!({ "group": "meta.k8s.io", "kind": "ListOptions" }), &[cause])
}

/// A streaming list without the match it needs, or the match without a streaming list.
pub fn watch_list_and_match(listed: bool) -> Failure {
    let why = if listed {
        "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    } else {
        "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    };
    let cause = Cause { reason: "FieldValueForbidden", field: "resourceVersionMatch".into(), message: why.into() };
    invalid_with("ListOptions.meta.k8s.io \"\"", json!({ "group": "meta.k8s.io", "kind": "ListOptions" }), &[cause])
}

/// An eviction that a disruption budget forbids.
pub fn disruption(budget: &str, needs: i64, healthy: i64) -> Failure {
    let why = format!("The disruption budget {budget} needs {needs} healthy pods and has {healthy} currently");
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    failure(429, "TooManyRequests", message).details(json!({ "causes": [{ "reason": "DisruptionBudget", "message": why }] }))
}

/// A server with more to do than it takes on.
pub fn too_many_requests(seconds: u64) -> Failure {
    let mut failure = plain(429, "Too many requests, please try again later.\n");
    failure.retry_after = Some(seconds);
    failure
}

/// A version of the future, asked for longer than the server waits.
pub fn too_large(asked: u64, current: u64) -> Failure {
    failure(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {current}")).details(json!({
        "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
        "retryAfterSeconds": 1
    }))
}

/// The `Status` of something done that has no object of its own.
pub fn success(code: u16) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code })
}
