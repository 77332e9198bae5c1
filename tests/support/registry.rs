//! A registry on the loopback with one image of two layers, to pull from without a network.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Listens until the test process ends.
pub struct Registry {
    /// `127.0.0.1:41234`.
    pub address: String,
}

struct Contents {
    manifest: Vec<u8>,
    /// By digest.
    blobs: Vec<(String, Vec<u8>)>,
    /// `Basic …`, where it asks for credentials.
    credentials: Option<&'static str>,
}

impl Registry {
    /// A registry that serves `app:1` to anybody, or to those who show `credentials` only.
    pub fn start(credentials: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let contents = Arc::new(Contents::new(&address, credentials));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let contents = contents.clone();
                // Whoever asks in TLS first hears nonsense and asks again in the clear.
                std::thread::spawn(move || drop(contents.answer(stream)));
            }
        });
        Self { address }
    }
}

impl Contents {
    fn new(unique: &str, credentials: Option<&'static str>) -> Self {
        let layers: Vec<Vec<u8>> = [200_000, 50].iter().map(|size| layer(unique, *size)).collect();
        let digests: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux",
            "config": { "Cmd": ["/none"], "Labels": { "from": unique } },
            "rootfs": { "type": "layers", "diff_ids": digests },
        });
        let config = config.to_string().into_bytes();
        let described = |kind: &str, blob: &[u8]| serde_json::json!({ "mediaType": format!("application/vnd.docker.{kind}"), "size": blob.len(), "digest": digest(blob) });
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": described("container.image.v1+json", &config),
            "layers": layers.iter().map(|layer| described("image.rootfs.diff.tar", layer)).collect::<Vec<_>>(),
        });
        let blobs = layers.into_iter().chain([config]).map(|blob| (digest(&blob), blob)).collect();
        Self { manifest: manifest.to_string().into_bytes(), blobs, credentials }
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let mut line = Vec::new();
            // A TLS greeting may have no line end: enough is enough.
            if reader.by_ref().take(8192).read_until(b'\n', &mut line)? == 0 || line == b"\r\n" {
                break;
            }
            if head.is_empty() && !line.starts_with(b"GET ") && !line.starts_with(b"HEAD ") {
                return Ok(());
            }
            head.push(String::from_utf8_lossy(&line).trim().to_owned());
        }
        let Some((method, rest)) = head.first().and_then(|line| line.split_once(' ')) else { return Ok(()) };
        let path = rest.split(' ').next().unwrap_or_default();
        let shown = head.iter().find_map(|line| line.strip_prefix("Authorization: "));
        let (status, kind, body): (&str, &str, &[u8]) = if self.credentials.is_some() && shown != self.credentials {
            (
                "401 Unauthorized",
                "application/json",
                br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
            )
        } else if path == "/v2/" {
            ("200 OK", "application/json", b"{}")
        } else if path.ends_with("/manifests/1") || path.ends_with(&format!("/manifests/{}", digest(&self.manifest))) {
            ("200 OK", "application/vnd.docker.distribution.manifest.v2+json", &self.manifest)
        } else if let Some((_, blob)) = self.blobs.iter().find(|(digest, _)| path.ends_with(&format!("/blobs/{digest}"))) {
            ("200 OK", "application/octet-stream", blob)
        } else {
            ("404 Not Found", "application/json", br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nDocker-Content-Digest: {}\r\n\
             Docker-Distribution-Api-Version: registry/2.0\r\nWww-Authenticate: Basic realm=\"test\"\r\nConnection: close\r\n\r\n",
            body.len(),
            digest(body),
        )?;
        if method == "GET" {
            stream.write_all(body)?;
        }
        stream.flush()
    }
}

/// A layer with one file of `size` bytes that no other registry serves.
fn layer(unique: &str, size: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let text: String = unique.chars().cycle().take(size).collect();
    std::fs::write(folder.path().join(format!("file-{size}")), text).unwrap();
    let output = Command::new("tar").arg("-C").arg(folder.path()).args(["-c", "."]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// The content address of these bytes.
pub fn digest(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    format!("sha256:{}", String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default())
}
