//! Questions and changes in the engine's own JSON, for what has to go back exactly as it came.

use std::sync::atomic::Ordering;

use http_body_util::{BodyExt, Limited};
use hyper::Method;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ANSWER_LIMIT, Client, OPERATION_PATIENCE};
use crate::engine::EngineError;

impl Client {
    /// Asks `path` with registry credentials (encoded as the engine's header takes them) and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`Client::get_json`]; a registry is waited for up to two minutes.
    pub async fn get_json_with<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        credentials: Option<&str>,
    ) -> Result<T, EngineError> {
        let body = self.ask(what, Method::GET, path, Bytes::new(), credentials).await?;
        serde_json::from_slice(&body).map_err(|e| self.nonsense(&format!("{what}: {e}")))
    }

    /// Sends `body` to `path`; the answer, where there is one.
    ///
    /// # Errors
    /// What the engine refused, or no answer in two minutes: then it may have been done all the same.
    pub async fn post_json(&self, what: &str, path: &str, body: &Value, credentials: Option<&str>) -> Result<Value, EngineError> {
        let answer = self.ask(what, Method::POST, path, body.to_string().into(), credentials).await?;
        Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    /// Removes what is at `path`.
    ///
    /// # Errors
    /// As [`Client::post_json`].
    pub async fn delete(&self, what: &str, path: &str) -> Result<(), EngineError> {
        self.ask(what, Method::DELETE, path, Bytes::new(), None).await.map(drop)
    }

    async fn ask(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Bytes,
        credentials: Option<&str>,
    ) -> Result<Bytes, EngineError> {
        let line = self.line()?;
        if self.inner.api.load(Ordering::Relaxed) == 0 {
            self.negotiate().await?;
        }
        let path = format!("/v1.{}{path}", self.inner.api.load(Ordering::Relaxed));
        let answer = async {
            let reply = line.connections.ask(method, &path, body, credentials).await.map_err(|e| self.fail(what, e))?;
            let read = Limited::new(reply.into_body(), ANSWER_LIMIT).collect().await;
            read.map(http_body_util::Collected::to_bytes).map_err(|e| self.nonsense(&format!("{what}: {e}")))
        };
        match tokio::time::timeout(OPERATION_PATIENCE, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(EngineError::TimedOut { what: what.into(), seconds: OPERATION_PATIENCE.as_secs() }),
        }
    }
}
