//! Real servers on private ports, and one that only asks for a token.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The password `test`, as Prometheus keeps it (its documentation's own example).
const HASH: &str = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay";
const WITHIN: Duration = Duration::from_secs(60);

/// Whether a program can be run.
pub fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// A server, ended with this.
pub struct Server {
    pub url: String,
    pub folder: TempDir,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// A Prometheus with these rules, which lets in `ann` with the password `test`.
    pub async fn prometheus(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("rules.yml", rules);
        write("prometheus.yml", "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n");
        write("web.yml", &format!("basic_auth_users: {{ann: '{HASH}'}}\n"));
        let port = port().await;
        let mut command = Command::new("prometheus");
        command.arg("--config.file=prometheus.yml").arg("--web.config.file=web.yml").arg("--storage.tsdb.path=data");
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        Self::start(folder, command, port).await
    }

    /// An Alertmanager that tells nobody.
    pub async fn alertmanager() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("am.yml"), "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
        let port = port().await;
        let mut command = Command::new("prometheus-alertmanager");
        command.args(["--config.file=am.yml", "--storage.path=data", "--cluster.listen-address="]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        Self::start(folder, command, port).await
    }

    async fn start(folder: TempDir, mut command: Command, port: u16) -> Self {
        let log = |path: &Path| std::fs::File::create(path.join("log")).unwrap();
        let child = command.current_dir(folder.path()).stdout(Stdio::null()).stderr(log(folder.path())).spawn().unwrap();
        let server = Self { url: format!("http://127.0.0.1:{port}"), folder, child };
        server.until(async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        server
    }

    /// What comes of asking again and again.
    pub async fn until<T>(&self, ask: impl AsyncFn() -> Option<T>) -> T {
        let end = Instant::now() + WITHIN;
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "{} did not come to it: {log}", self.url);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A port nobody listens on.
async fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A server without alerts for whoever sends this `Authorization`.
pub async fn asks_for(authorization: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut some = [0; 1024];
                let n = stream.read(&mut some).await.unwrap_or(0);
                if n == 0 {
                    break;
                }
                asked.extend_from_slice(&some[..n]);
            }
            let known = String::from_utf8_lossy(&asked).contains(authorization);
            let body = r#"{"status":"success","data":{"groups":[]}}"#;
            let status = if known { "200 OK" } else { "401 Unauthorized" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    url
}
