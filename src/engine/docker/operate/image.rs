//! Making sure an image is there: looked for first, pulled where it is not, with the pull's many layers told as one line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;

use super::wire::Wire;
use super::{credential, look, reference};
use crate::engine::{EngineError, Report};
use crate::observe::text::clean;
use crate::operate::Accepted;

/// A pull that says nothing for this long is given up: the engine itself goes on trying for hours.
const SILENCE: Duration = Duration::from_secs(120);
/// Time between two reports.
const REPORT_EVERY: Duration = Duration::from_millis(200);

/// Makes sure `image` is there, in exactly the content `digest` where one is named.
pub(super) async fn ensure(wire: &Wire, image: &str, digest: Option<&str>, report: &Report) -> Result<Accepted, EngineError> {
    let wanted = digest.unwrap_or(image);
    if let Some(found) = wire.image(wanted).await? {
        look::check_platform(wire, image, &found).await?;
        return Ok(Accepted::Image { digest: found.id.map(Arc::from), pulled: false });
    }
    pull(wire, image, report).await?;
    let found = wire.image(image).await?;
    if let Some(found) = &found {
        look::check_platform(wire, image, found).await?;
    }
    let found = found.and_then(|image| image.id);
    match (found, digest) {
        (None, _) => Err(EngineError::NotFound { what: format!("image {}", clean(image)).into() }),
        (Some(id), Some(digest)) if id != digest => Err(EngineError::NotFound {
            what: format!(
                "image {} with the content {digest}, which is no longer on this host and whose tag has moved on,",
                clean(image)
            )
            .into(),
        }),
        (Some(id), _) => Ok(Accepted::Image { digest: Some(id.into()), pulled: true }),
    }
}

async fn pull(wire: &Wire, image: &str, report: &Report) -> Result<(), EngineError> {
    let options = CreateImageOptionsBuilder::new().from_image(image);
    // A reference without a tag would mean all of them.
    let options = if reference::without_tag(image) { options.tag("latest") } else { options }.build();
    let credentials = credential::of(reference::registry(image)).await;
    report(format!("pulling {}", clean(image)));
    let docker = wire.docker.clone().with_timeout(SILENCE * 2);
    let mut stream = std::pin::pin!(docker.create_image(Some(options), None, credentials));
    let mut layers = Layers::default();
    let mut said = Instant::now();
    let what = format!("image {image}");
    loop {
        match tokio::time::timeout(SILENCE, stream.next()).await {
            Err(_) => {
                return Err(EngineError::TimedOut {
                    what: format!("pulling {}", clean(image)).into(),
                    seconds: SILENCE.as_secs(),
                });
            }
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) => return Err(refused(image, wire.failure(&what, error))),
            Ok(Some(Ok(line))) => {
                if let Some(error) = line.error_detail.as_ref().and_then(|detail| detail.message.as_deref()) {
                    let rejected = EngineError::Rejected { what: clean(&what).into(), status: 500, message: clean(error).into() };
                    return Err(refused(image, rejected));
                }
                if layers.take(&line) && said.elapsed() >= REPORT_EVERY {
                    said = Instant::now();
                    report(format!("pulling {}: {}", clean(image), layers.words()));
                }
            }
        }
    }
}

/// Sorts a failed pull: not there, not allowed, or its registry does not answer.
pub(super) fn refused(image: &str, error: EngineError) -> EngineError {
    let EngineError::Rejected { what, status, message } = error else { return error };
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["access denied", "unauthorized", "no basic auth", "authentication required", "forbidden"]) {
        let registry = clean(reference::registry(image)).into_owned();
        let message = format!("{message} (log in on this machine: docker login {registry})");
        return EngineError::Rejected { what, status: if status == 500 { 401 } else { status }, message: message.into() };
    }
    if says(&["manifest unknown", "not found", "name unknown", "no such image"]) && !says(&["dial tcp", "lookup"]) {
        return EngineError::NotFound { what: format!("{what} (so its registry says: {message})").into() };
    }
    if says(&["dial tcp", "no such host", "connection refused", "timeout", "tls handshake", "x509", "eof", "lookup"]) {
        let message = format!("its registry {} cannot be reached: {message}", clean(reference::registry(image)));
        return EngineError::Rejected { what, status: 502, message: message.into() };
    }
    EngineError::Rejected { what, status, message }
}

/// The layers of a pull under way.
#[derive(Default)]
struct Layers(BTreeMap<String, Layer>);

#[derive(Default)]
struct Layer {
    fetched: u64,
    total: u64,
    done: bool,
}

impl Layers {
    /// Takes one line of the engine's; whether it was about a layer.
    fn take(&mut self, line: &CreateImageInfo) -> bool {
        let (Some(id), Some(status)) = (line.id.as_ref(), line.status.as_deref()) else { return false };
        // `Pulling from library/redis` is about the whole: its id is the tag.
        if status.starts_with("Pulling from") {
            return false;
        }
        let layer = self.0.entry(id.clone()).or_default();
        match status {
            "Downloading" => {
                let figure = |value: Option<i64>| value.and_then(|v| u64::try_from(v).ok()).unwrap_or(0);
                let detail = line.progress_detail.as_ref();
                layer.fetched = figure(detail.and_then(|d| d.current));
                layer.total = figure(detail.and_then(|d| d.total)).max(layer.total);
            }
            "Download complete" | "Extracting" => layer.fetched = layer.total,
            "Pull complete" | "Already exists" => {
                layer.fetched = layer.total;
                layer.done = true;
            }
            _ => {}
        }
        true
    }

    /// `3 of 5 layers, 12.4 of 50.1 MB`.
    fn words(&self) -> String {
        let done = self.0.values().filter(|layer| layer.done).count();
        let mega = |bytes: u64| bytes as f64 / 1e6;
        let (fetched, total) = self.0.values().fold((0, 0), |(f, t), layer| (f + layer.fetched, t + layer.total));
        let size = if total > 0 { format!(", {:.1} of {:.1} MB", mega(fetched), mega(total)) } else { String::new() };
        format!("{done} of {} layers{size}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    #[test]
    fn many_layers_are_one_line() {
        let mut layers = Layers::default();
        let mut say = |id: &str, status: &str, current: i64, total: i64| {
            layers.take(&CreateImageInfo {
                id: Some(id.into()),
                status: Some(status.into()),
                progress_detail: Some(ProgressDetail { current: Some(current), total: Some(total) }),
                error_detail: None,
            });
            layers.words()
        };
        assert_eq!(say("1.25", "Pulling from library/nginx", 0, 0), "0 of 0 layers");
        assert_eq!(say("a", "Already exists", 0, 0), "1 of 1 layers");
        assert_eq!(say("b", "Pulling fs layer", 0, 0), "1 of 2 layers");
        assert_eq!(say("b", "Downloading", 1_500_000, 4_000_000), "1 of 2 layers, 1.5 of 4.0 MB");
        assert_eq!(say("b", "Extracting", 100, 4_000_000), "1 of 2 layers, 4.0 of 4.0 MB");
        assert_eq!(say("b", "Pull complete", 0, 0), "2 of 2 layers, 4.0 of 4.0 MB");
    }

    #[test]
    fn a_failed_pull_says_what_can_be_done() {
        let of = |status, message: &str| {
            let error = EngineError::Rejected { what: "image reg.example/app:2".into(), status, message: message.into() };
            refused("reg.example/app:2", error)
        };
        assert!(matches!(of(404, "manifest for reg.example/app:2 not found: manifest unknown"), EngineError::NotFound { .. }));
        let denied = of(404, "pull access denied for app, repository does not exist or may require 'docker login'");
        assert!(
            matches!(&denied, EngineError::Rejected { status: 404, message, .. } if message.ends_with("docker login reg.example)")),
            "{denied}"
        );
        assert!(matches!(of(500, "unauthorized: authentication required"), EngineError::Rejected { status: 401, .. }));
        for gone in [
            "Get https://reg.example/v2/: dial tcp 10.0.0.1:443: connect: connection refused",
            "lookup reg.example: no such host",
        ] {
            let error = of(500, gone);
            assert!(error.is_transient() && error.to_string().contains("registry reg.example cannot be reached"), "{error}");
        }
    }
}
