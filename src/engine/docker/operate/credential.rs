//! Registry credentials of the person at the keyboard, as `docker login` left them: in Docker's configuration file or
//! in the helper it names. Without any, the pull is tried without.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::reference;

/// Bound of a credential helper: one that waits for a person must not hold up a deploy.
const HELPER_LIMIT: Duration = Duration::from_secs(10);
/// What a helper answers as the user where the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// The parts of Docker's configuration file that are about credentials.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    auths: HashMap<String, Auth>,
    #[serde(default, rename = "credHelpers")]
    helpers: HashMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Auth {
    /// `user:password`, in base64.
    #[serde(default)]
    auth: String,
    #[serde(default)]
    identitytoken: String,
}

/// A helper's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// The credentials for `registry` as the engine's header takes them, if there are any.
pub(in crate::engine::docker) async fn encoded(registry: &str) -> Option<String> {
    let found = of(registry).await?;
    Some(URL_SAFE.encode(serde_json::to_vec(&found).ok()?))
}

/// The credentials for `registry`, if there are any.
pub(super) async fn of(registry: &str) -> Option<DockerCredentials> {
    let text = tokio::fs::read_to_string(config_file()?).await.ok()?;
    let file: File = serde_json::from_str(&text).ok()?;
    let key = reference::credential_key(registry);
    let helper = file.helpers.get(registry).or_else(|| file.helpers.get(key)).or(file.store.as_ref());
    if let Some(helper) = helper
        && let Some(found) = ask(helper, key).await
    {
        return Some(found);
    }
    file.stored(registry)
}

fn config_file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".docker")))?;
    Some(folder.join("config.json"))
}

impl File {
    /// What the file itself holds for a registry, whose address may be written with a scheme or a path.
    fn stored(&self, registry: &str) -> Option<DockerCredentials> {
        let host = |key: &str| {
            let key = key.trim_start_matches("https://").trim_start_matches("http://");
            key.split('/').next().unwrap_or(key).to_owned()
        };
        let key = reference::credential_key(registry);
        let auth = self.auths.get(key).or_else(|| {
            let wanted = host(key);
            self.auths.iter().find(|(stored, _)| host(stored) == wanted).map(|(_, auth)| auth)
        })?;
        if !auth.identitytoken.is_empty() {
            return Some(credentials(key, TOKEN_USER, &auth.identitytoken));
        }
        let pair = String::from_utf8(STANDARD.decode(auth.auth.trim()).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        Some(credentials(key, user, password.trim_end_matches('\0')))
    }
}

fn credentials(server: &str, user: &str, secret: &str) -> DockerCredentials {
    let token = user == TOKEN_USER;
    DockerCredentials {
        username: (!token).then(|| user.to_owned()),
        password: (!token).then(|| secret.to_owned()),
        identitytoken: token.then(|| secret.to_owned()),
        serveraddress: Some(server.to_owned()),
        ..DockerCredentials::default()
    }
}

/// Asks `docker-credential-<helper>`, away from the terminal.
async fn ask(helper: &str, key: &str) -> Option<DockerCredentials> {
    // The name comes from a file: it names a program on the path, never one somewhere else.
    if helper.is_empty() || helper.contains(['/', '\\']) {
        return None;
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let asked = async {
        input.write_all(key.as_bytes()).await.ok()?;
        drop(input);
        child.wait_with_output().await.ok()
    };
    let output = tokio::time::timeout(HELPER_LIMIT, asked).await.ok()??;
    let answer: Answer = serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())?;
    Some(credentials(key, &answer.username, &answer.secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_login_left_is_found() {
        let file: File = serde_json::from_str(
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6aHViOnBhc3M="},
                "https://reg.example/v2/":{"auth":"bWU6cGFzcw=="},"token.example":{"auth":"","identitytoken":"tok"},"broken.example":{"auth":"%"}},
                "HttpHeaders":{"x":"y"}}"#,
        )
        .unwrap();
        let user_and_password = |registry: &str| {
            let found = file.stored(registry)?;
            Some((found.username?, found.password?))
        };
        assert_eq!(user_and_password("docker.io"), Some(("me".into(), "hub:pass".into())));
        assert_eq!(user_and_password("reg.example"), Some(("me".into(), "pass".into())));
        assert_eq!(file.stored("token.example").unwrap().identitytoken.as_deref(), Some("tok"));
        assert!(file.stored("broken.example").is_none());
        assert!(file.stored("elsewhere.example").is_none());
    }
}
