//! What containers that crash again and again wrote last, asked for once for each crash.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::store::Store;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::convert::Key;
use crate::engine::kubernetes::convert::workload::Tail;
use crate::engine::kubernetes::place::encoded;
use crate::observe::text::clean;

/// Logs read at once.
const AT_ONCE: usize = 2;
/// Lines and bytes of a log that are read: enough for a last complaint.
const LINES: u32 = 4;
const BYTES: u32 = 4096;

/// Logs that are being read.
#[derive(Debug, Default)]
pub struct Tails(JoinSet<(Key, Tail)>);

impl Tails {
    /// Begins to read, as far as not enough are being read.
    pub fn start(&mut self, client: &Client, store: &mut Store) {
        while self.0.len() < AT_ONCE
            && let Some((key, container, restarts)) = store.next_crash()
        {
            let client = client.clone();
            self.0.spawn(async move {
                let text = read(&client, &key, &container).await.unwrap_or_default();
                (key, Tail { container, restarts, text })
            });
        }
    }

    /// The next that is read; `None` while none is being read.
    pub async fn next(&mut self) -> Option<(Key, Tail)> {
        self.0.join_next().await?.ok()
    }
}

/// The last lines of the run before; nothing where they cannot be read.
async fn read(client: &Client, key: &Key, container: &str) -> Option<Arc<str>> {
    let pod = format!("/api/v1/namespaces/{}/pods/{}", encoded(&key.namespace), encoded(&key.name));
    let path = format!("{pod}/log?container={}&previous=true&tailLines={LINES}&limitBytes={BYTES}", encoded(container));
    let text = client.get_text("Reading the log of a run that crashed", &path).await.ok()?;
    let lines: Vec<String> = text.lines().map(|line| clean(line).into_owned()).filter(|line| !line.trim().is_empty()).collect();
    Some(client.redaction().text(&lines.join("\n")).into())
}
