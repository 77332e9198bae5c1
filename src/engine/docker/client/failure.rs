//! The one place that puts a failed call into our words: what failed, on what, and why.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use bollard::errors::Error;

use crate::engine::EngineError;
use crate::observe::text::clean;

/// Longest message of an engine that is repeated.
const MESSAGE_LIMIT: usize = 600;

/// An error of bollard's in our words. `what` is the thing or the deed it is about (`Container web_1`, `Listing containers`).
#[must_use]
pub fn failure(what: &str, endpoint: &Arc<str>, error: Error) -> EngineError {
    let endpoint = endpoint.clone();
    match error {
        Error::DockerResponseServerError { status_code, message } => answered(what, endpoint, status_code, &message),
        Error::RequestTimeoutError => EngineError::TimedOut { what: what.into(), seconds: super::OPERATION_PATIENCE.as_secs() },
        Error::DockerStreamError { error } => EngineError::Rejected { what: what.into(), status: 500, message: say(&error) },
        Error::DockerContainerWaitError { error, .. } => {
            EngineError::Rejected { what: what.into(), status: 500, message: say(&error) }
        }
        Error::SocketNotFoundError(path) => {
            EngineError::Unreachable { endpoint, cause: say(&format!("the socket {path} does not exist")) }
        }
        Error::JsonDataError { message, .. } => EngineError::Protocol { endpoint, cause: say(&format!("{what}: {message}")) },
        Error::NoHomePathError
        | Error::CertPathError { .. }
        | Error::CertMultipleKeys { .. }
        | Error::CertParseError { .. }
        | Error::NoNativeCertsError { .. }
        | Error::LoadNativeCertsErrors { .. } => EngineError::Tls { endpoint, cause: say(&error.to_string()) },
        // These two show themselves as their cause, so the chain has to begin at it.
        Error::IOError { err } => from_io(endpoint, &err),
        Error::HyperResponseError { err } => from_chain(what, endpoint, &err, true),
        Error::HyperLegacyError { err } => from_chain(what, endpoint, &err, true),
        other => from_chain(what, endpoint, &other, false),
    }
}

/// The engine answered, but not what was hoped for.
fn answered(what: &str, endpoint: Arc<str>, status: u16, message: &str) -> EngineError {
    let what = what.into();
    if message.contains("client version") && (message.contains("too new") || message.contains("too old")) {
        return EngineError::TooOld { endpoint, cause: say(message) };
    }
    match status {
        404 => EngineError::NotFound { what: with(what, message) },
        409 => EngineError::Conflict { what, cause: say(message) },
        _ => EngineError::Rejected { what, status, message: say(message) },
    }
}

/// The engine's words go with ours when they say more (`No such image: x:1`).
fn with(what: Arc<str>, message: &str) -> Arc<str> {
    match message.strip_prefix("No such ").or_else(|| message.strip_prefix("no such ")) {
        Some(rest) if !rest.is_empty() => {
            let mut rest = say(rest).to_string();
            if let Some(first) = rest.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            rest.into()
        }
        Some(_) | None => what,
    }
}

/// Looks for the cause that says most, from the outside in. `on_the_way` when the connection and not the answer failed.
fn from_chain(what: &str, endpoint: Arc<str>, error: &(dyn StdError + 'static), on_the_way: bool) -> EngineError {
    let mut next = Some(error);
    let mut deepest = error.to_string();
    while let Some(current) = next {
        if let Some(error) = current.downcast_ref::<rustls::Error>() {
            return EngineError::Tls { endpoint, cause: say(&error.to_string()) };
        }
        if let Some(error) = current.downcast_ref::<io::Error>() {
            return from_io(endpoint, error);
        }
        if let Some(error) = current.downcast_ref::<hyper::Error>() {
            if error.is_parse() {
                return EngineError::Protocol { endpoint, cause: say("that is not HTTP") };
            }
            if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
                return EngineError::Unreachable { endpoint, cause: "the connection broke off".into() };
            }
        }
        deepest = current.to_string();
        next = current.source();
    }
    if on_the_way {
        EngineError::Unreachable { endpoint, cause: say(&deepest) }
    } else {
        EngineError::Protocol { endpoint, cause: say(&format!("{what}: {deepest}")) }
    }
}

fn from_io(endpoint: Arc<str>, error: &io::Error) -> EngineError {
    if let Some(inner) = error.get_ref() {
        // Said where it happened, in our words already.
        if let Some(known) = inner.downcast_ref::<EngineError>() {
            return known.clone();
        }
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return EngineError::Tls { endpoint, cause: say(&tls.to_string()) };
        }
        // One wraps the other where connections are layered.
        if let Some(inner) = inner.downcast_ref::<io::Error>() {
            return from_io(endpoint, inner);
        }
    }
    let cause = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            return EngineError::Permission { endpoint, cause: "permission denied".into() };
        }
        io::ErrorKind::NotFound => "the socket does not exist".into(),
        io::ErrorKind::ConnectionRefused => "nothing listens there".into(),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => "the connection broke off".into(),
        _ => say(&error.to_string()),
    };
    EngineError::Unreachable { endpoint, cause }
}

/// One safe line, not too long.
fn say(text: &str) -> Arc<str> {
    let text = clean(text.trim());
    match text.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(status_code: u16, message: &str) -> Error {
        Error::DockerResponseServerError { status_code, message: message.into() }
    }

    fn io_error(kind: io::ErrorKind) -> Error {
        io::Error::new(kind, "os words").into()
    }

    #[test]
    fn every_failure_is_a_sentence() {
        let endpoint: Arc<str> = "unix:///d.sock".into();
        for (error, sentence) in [
            (server(404, "No such container: abc"), "Container: abc does not exist"),
            (server(404, "page not found"), "Container web does not exist"),
            (
                server(409, "You cannot remove a running container"),
                "Container web is in the way: You cannot remove a running container",
            ),
            (server(500, "driver failed\u{1b}[2J\nbadly"), "Container web was rejected (500): driver failed␊badly"),
            (
                server(400, "client version 1.53 is too new. Maximum supported API version is 1.41"),
                "unix:///d.sock is too old: client version 1.53 is too new. Maximum supported API version is 1.41",
            ),
            (Error::RequestTimeoutError, "Container web took longer than 120 s"),
            (Error::SocketNotFoundError("/d.sock".into()), "unix:///d.sock cannot be reached: the socket /d.sock does not exist"),
            (io_error(io::ErrorKind::PermissionDenied), "unix:///d.sock may not be opened: permission denied"),
            (io_error(io::ErrorKind::NotFound), "unix:///d.sock cannot be reached: the socket does not exist"),
            (io_error(io::ErrorKind::ConnectionRefused), "unix:///d.sock cannot be reached: nothing listens there"),
            (io_error(io::ErrorKind::BrokenPipe), "unix:///d.sock cannot be reached: the connection broke off"),
            (io_error(io::ErrorKind::Other), "unix:///d.sock cannot be reached: os words"),
            (
                io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError).into(),
                "TLS with unix:///d.sock failed: cannot decrypt peer's message",
            ),
            (Error::APIVersionParseError {}, "unix:///d.sock answered nonsense: Container web: Failed to parse API version"),
        ] {
            assert_eq!(failure("Container web", &endpoint, error).to_string(), sentence);
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let error = failure("X", &"e".into(), server(500, &"é".repeat(5000)));
        assert!(error.to_string().chars().count() < 700);
    }
}
