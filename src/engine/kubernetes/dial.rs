//! A connection to a port of a pod, through the server: nothing of the cluster's network needs to be reached from here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::client::Client;
use super::place::Place;
use crate::engine::{Dialled, EngineError};
use crate::model::InstanceId;
use crate::observe::redact;
use crate::observe::text::clean;

/// How long the server may take to open it.
const PATIENCE: Duration = Duration::from_secs(10);
/// A port nobody listens on is told about this soon.
const REFUSED_WITHIN: Duration = Duration::from_millis(40);

/// Connects to `port` of a pod.
///
/// # Errors
/// When the pod is not there or does not run, nothing listens, or one may not.
pub async fn dial(client: &Client, instance: &InstanceId, port: u16) -> Result<Dialled, EngineError> {
    let place = Place::of(instance)?;
    let what: Arc<str> = format!("Port {port} of {}", place.words()).into();
    let api: Api<Pod> = Api::namespaced(client.kube().await?, &place.namespace);
    let mut forwarder = match tokio::time::timeout(PATIENCE, api.portforward(&place.pod, &[port])).await {
        Ok(Ok(forwarder)) => forwarder,
        Ok(Err(error)) => return Err(client.fail(&what, &error)),
        Err(_) => return Err(EngineError::TimedOut { what, seconds: PATIENCE.as_secs() }),
    };
    let (Some(stream), Some(trouble)) = (forwarder.take_stream(port), forwarder.take_error(port)) else {
        return Err(EngineError::Protocol { endpoint: client.endpoint(), cause: "a port was opened without its streams".into() });
    };
    let mut through = Through { stream, trouble: Some(Box::pin(trouble)) };
    // The pod's node says only what went wrong, never that all is well.
    match tokio::time::timeout(REFUSED_WITHIN, through.troubled()).await {
        Ok(Some(why)) => Err(EngineError::Unmet { what, why: why.into() }),
        Ok(None) | Err(_) => Ok(Box::new(through)),
    }
}

type Trouble = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// A connection, and the node's word on what is wrong with it.
struct Through {
    stream: DuplexStream,
    trouble: Option<Trouble>,
}

impl Through {
    async fn troubled(&mut self) -> Option<String> {
        std::future::poll_fn(|context| self.poll_trouble(context)).await
    }

    /// Ready with what is wrong; with nothing when nothing can be any more.
    fn poll_trouble(&mut self, context: &mut Context<'_>) -> Poll<Option<String>> {
        let Some(trouble) = &mut self.trouble else { return Poll::Ready(None) };
        match trouble.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(said) => {
                self.trouble = None;
                Poll::Ready(said.map(|said| words(&said)))
            }
        }
    }
}

/// The node's words, as short as they can be told: it begins with which forward of which pod it is about.
fn words(said: &str) -> String {
    let said = redact::text(&clean(said.trim())).replace('\n', " ");
    if said.contains("connection refused") || said.contains("Connection refused") {
        return "nothing listens there (connection refused)".to_owned();
    }
    said
}

impl AsyncRead for Through {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            return read;
        }
        match self.poll_trouble(context) {
            Poll::Ready(Some(why)) => Poll::Ready(Err(io::Error::other(why))),
            Poll::Ready(None) | Poll::Pending => read,
        }
    }
}

impl AsyncWrite for Through {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
