//! Errors of the library and answers of the server in our words.

use std::error::Error as _;
use std::sync::Arc;

use kube::core::Status;

use crate::engine::EngineError;
use crate::engine::kubernetes::kubeconfig::reason;
use crate::observe::redact;
use crate::observe::text::clean;

/// Longest message passed on, characters.
const LONGEST: usize = 600;

/// An error of the library in our words; `what` was being done at `endpoint`.
#[must_use]
pub fn failure(what: &str, endpoint: &Arc<str>, error: &kube::Error) -> EngineError {
    match error {
        kube::Error::Api(status) => refused(what, endpoint, status),
        kube::Error::Auth(auth) => denied(endpoint, auth),
        kube::Error::SerdeError(cause) => EngineError::Protocol { endpoint: endpoint.clone(), cause: words(&cause.to_string()) },
        kube::Error::InferKubeconfig(_) | kube::Error::InferConfig(_) | kube::Error::RustlsTls(_) | kube::Error::TlsRequired => {
            EngineError::Config { what: endpoint.clone(), why: words(&reason(error)) }
        }
        other => unreachable(endpoint, other),
    }
}

/// What the server itself said. A body that is no Status (plain text of what stands before it) is passed on as it is.
fn refused(what: &str, endpoint: &Arc<str>, status: &Status) -> EngineError {
    let message = words(&status.message);
    let what = || Arc::from(what);
    match status.code {
        401 => {
            EngineError::Permission { endpoint: endpoint.clone(), cause: said(&message, "it does not accept who you are (401)") }
        }
        403 => EngineError::Forbidden { what: what(), why: said(&message, "you may not (403)") },
        404 if status.reason == "NotFound" => EngineError::NotFound { what: subject(status).unwrap_or_else(what) },
        409 => EngineError::Conflict { what: what(), cause: said(&message, "somebody else changed it meanwhile (409)") },
        504 if status.reason == "Timeout" => EngineError::TimedOut { what: what(), seconds: 3 },
        429 => EngineError::Rejected { what: what(), status: 429, message: said(&causes(status), &message) },
        code => EngineError::Rejected { what: what(), status: code, message: said(&message, "it gave no reason") },
    }
}

fn said(message: &Arc<str>, otherwise: &str) -> Arc<str> {
    if message.is_empty() { otherwise.into() } else { message.clone() }
}

/// What a refusal goes back to: `The disruption budget api needs 2 healthy pods and has 2 currently`.
fn causes(status: &Status) -> Arc<str> {
    let all: Vec<&str> = status.details.iter().flat_map(|d| &d.causes).map(|cause| &*cause.message).collect();
    words(&all.join("; "))
}

/// `pods redis-0`, of what is not there.
fn subject(status: &Status) -> Option<Arc<str>> {
    let details = status.details.as_ref().filter(|d| !d.name.is_empty())?;
    Some(words(&format!("{} {}", details.kind, details.name)))
}

/// Who is asking could not be told.
fn denied(endpoint: &Arc<str>, error: &kube::client::AuthError) -> EngineError {
    let cause = match error {
        kube::client::AuthError::AuthExecRun { cmd, out } => {
            let program = cmd.split_whitespace().find(|word| !word.contains('=')).unwrap_or(cmd).trim_matches('"').to_owned();
            let told = String::from_utf8_lossy(&out.stderr);
            format!("the credential plugin {program} failed ({}): {}", out.status, told.trim())
        }
        kube::client::AuthError::AuthExecStart(cause) => format!("the credential plugin cannot be run: {cause}"),
        other => reason(other),
    };
    EngineError::Permission { endpoint: endpoint.clone(), cause: words(&cause) }
}

fn unreachable(endpoint: &Arc<str>, error: &kube::Error) -> EngineError {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(auth) = inner.downcast_ref::<kube::client::AuthError>() {
            return denied(endpoint, auth);
        }
        if inner.is::<rustls::Error>() {
            return EngineError::Tls { endpoint: endpoint.clone(), cause: words(&inner.to_string()) };
        }
        source = inner.source();
    }
    let cause = reason(error);
    // The library wraps what TLS says in an error of reading.
    if cause.contains("certificate") {
        return EngineError::Tls { endpoint: endpoint.clone(), cause: words(&cause) };
    }
    EngineError::Unreachable { endpoint: endpoint.clone(), cause: words(&cause) }
}

/// Sanitised, masked, on one line and not too long.
fn words(text: &str) -> Arc<str> {
    let clean = redact::text(&clean(text.trim())).replace('\n', " ");
    let cut: String = clean.chars().take(LONGEST).collect();
    cut.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: u16, reason: &str, message: &str) -> EngineError {
        let status = Status { code, reason: reason.into(), message: message.into(), ..Status::default() };
        failure("Listing pods", &"context x".into(), &kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn what_the_server_says_is_passed_on() {
        assert_eq!(told(403, "Forbidden", "pods is forbidden").to_string(), "Listing pods is not allowed: pods is forbidden");
        assert!(matches!(told(401, "Unauthorized", "Unauthorized"), EngineError::Permission { .. }));
        assert!(matches!(told(409, "Conflict", "changed"), EngineError::Conflict { .. }));
        // Plain text of something before the server: no Status, no reason.
        assert!(matches!(
            told(404, "Failed to parse error data", "404 page not found"),
            EngineError::Rejected { status: 404, .. }
        ));
        let text = "error trying to reach service: dial tcp";
        assert_eq!(told(503, "", text).to_string(), format!("Listing pods was rejected (503): {text}"));
        assert!(told(503, "", text).is_transient());
    }
}
