//! One request for a log, and what it means when it is refused.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use kube::client::Body;
use kube::core::Status;

use crate::engine::EngineError;
use crate::engine::kubernetes::client::{ANSWER_WITHIN, Client};
use crate::engine::kubernetes::place::{Place, encoded};

/// The longest refusal that is read, bytes.
const REFUSAL: usize = 64 << 10;

/// What is asked for of one container's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// Lines from the end; `None` is all.
    pub tail: Option<u64>,
    /// The server knows whole seconds only: what is older than this very time is for the reader to pass over.
    pub since: Option<Timestamp>,
    pub follow: bool,
    pub previous: bool,
}

/// The path of a log. Times are always asked for; never a number of bytes, which would cut a line off silently.
pub(super) fn path(place: &Place, container: &str, ask: &Ask) -> String {
    let mut path = place.path(&format!("/log?container={}&timestamps=true", encoded(container)));
    if let Some(tail) = ask.tail {
        path.push_str(&format!("&tailLines={tail}"));
    }
    if let Some(since) = ask.since {
        path.push_str(&format!("&sinceTime={}", encoded(&since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())));
    }
    if ask.follow {
        path.push_str("&follow=true");
    }
    if ask.previous {
        path.push_str("&previous=true");
    }
    path
}

/// Opens a log. One that is followed and silent answers only with its first line.
pub(super) async fn open(client: &Client, place: &Place, container: &str, ask: &Ask) -> Result<Body, EngineError> {
    let what = format!("The log of {}", place.words());
    let request = client.request(http::Method::GET, &path(place, container, ask), Vec::new(), None)?;
    let asked = async {
        let kube = client.kube().await?;
        let reply = kube.send(request.map(Body::from)).await.map_err(|error| client.fail(&what, &error))?;
        if reply.status().is_success() {
            return Ok(reply.into_body());
        }
        let code = reply.status().as_u16();
        let body = Limited::new(reply.into_body(), REFUSAL).collect().await.map(http_body_util::Collected::to_bytes);
        Err(client.fail(&what, &kube::Error::Api(Box::new(refusal(code, &body.unwrap_or_default())))))
    };
    if ask.follow {
        return asked.await;
    }
    match tokio::time::timeout(ANSWER_WITHIN, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(EngineError::TimedOut { what: what.into(), seconds: ANSWER_WITHIN.as_secs() }),
    }
}

/// What was answered instead of a log: a Status, or the plain text of something before the server.
fn refusal(code: u16, body: &[u8]) -> Status {
    let mut status = serde_json::from_slice::<Status>(body)
        .unwrap_or_else(|_| Status { message: String::from_utf8_lossy(body).into_owned(), ..Status::default() });
    if status.code == 0 {
        status.code = code;
    }
    status
}

/// What a refusal means for whoever reads the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is nothing to be read, and will not be.
    Never(Arc<str>),
    /// The container has not started yet; with what it waits for.
    NotYet(Arc<str>),
    /// The server answers and cannot hand the log out now: its node does not answer.
    NotNow(Arc<str>),
    /// Nobody answers. The link says so.
    Away,
}

/// Reads a refusal.
pub(super) fn refused(error: &EngineError) -> Refused {
    match error {
        EngineError::NotFound { what } if what.starts_with("container ") => Refused::Never(format!("there is no {what}").into()),
        EngineError::NotFound { .. } => Refused::Never("the pod is gone".into()),
        EngineError::Rejected { status: 400, message, .. } if message.starts_with("previous terminated container") => {
            Refused::Never("there was no run before this one, or it is no longer kept".into())
        }
        EngineError::Rejected { status: 400, message, .. } if message.contains("waiting to start") => {
            Refused::NotYet(message.clone())
        }
        EngineError::Rejected { status: 400, message, .. } => Refused::Never(message.clone()),
        EngineError::Forbidden { why, .. } => Refused::Never(why.clone()),
        EngineError::Rejected { message, .. } => Refused::NotNow(message.clone()),
        EngineError::Permission { cause, .. } => Refused::NotNow(cause.clone()),
        EngineError::Config { why, .. } => Refused::NotNow(why.clone()),
        EngineError::Unreachable { .. }
        | EngineError::Ssh { .. }
        | EngineError::Tls { .. }
        | EngineError::TooOld { .. }
        | EngineError::Conflict { .. }
        | EngineError::TimedOut { .. }
        | EngineError::Unsupported { .. }
        | EngineError::Unmet { .. }
        | EngineError::Protocol { .. } => Refused::Away,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kubernetes::client::failure;

    fn told(code: u16, body: &str) -> Refused {
        let error = kube::Error::Api(Box::new(refusal(code, body.as_bytes())));
        refused(&failure("The log of redis-0", &"context x".into(), &error))
    }

    #[test]
    fn what_a_server_answers_instead_of_a_log_is_understood() {
        macro_rules! recorded {
            ($name:literal) => {
                include_str!(concat!("../../../../tests/engines/kubernetes/recorded/", $name))
            };
        }
        let never = |refused: Refused| if let Refused::Never(why) = refused { why } else { panic!("{refused:?}") };
        assert!(never(told(400, recorded!("400-log-no-previous.json"))).starts_with("there was no run before"));
        assert!(never(told(400, recorded!("400-log-no-such-container.json"))).contains("nope is not valid"));
        assert_eq!(&*never(told(404, recorded!("404-pod.json"))), "the pod is gone");
        let waiting = told(400, recorded!("400-log-image-pull-backoff.json"));
        assert!(matches!(&waiting, Refused::NotYet(why) if why.contains("image can't be pulled")), "{waiting:?}");
        let down = told(500, recorded!("500-log-kubelet-down.json"));
        assert!(matches!(&down, Refused::NotNow(why) if why.contains("connection refused")), "{down:?}");
        let plain = told(503, "no endpoints available");
        assert_eq!(plain, Refused::NotNow("no endpoints available".into()));
    }

    #[test]
    fn a_request_names_everything() {
        let place = Place::of(&"shop/web-1".into()).unwrap();
        let since = "2026-11-21T00:35:59.189336876Z".parse().ok();
        let ask = Ask { tail: Some(5), since, follow: true, previous: true };
        let expected = "/api/v1/namespaces/shop/pods/web-1/log?container=app&timestamps=true&tailLines=5\
                        &sinceTime=2026-11-21T00%3A35%3A59Z&follow=true&previous=true";
        assert_eq!(path(&place, "app", &ask), expected);
    }
}
