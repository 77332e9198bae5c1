//! Requests to a server beside the engines: who asks is read where it is kept, anew each time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::http::{Answer, Ask};
use crate::model::ServerSpec;
use crate::model::server::{Login, Secret};

/// A file with a secret is never read further, bytes.
const SECRET: u64 = 64 << 10;
/// Redirects that are followed.
const FOLLOWED: u32 = 3;

/// Asks for what is at `path`. An answer that is no login is an error that says what to do.
pub(super) async fn get(server: &ServerSpec, path: &str, limit: Duration) -> Result<Answer, String> {
    send(server, Method::GET, path, None, limit).await
}

/// Sends a request with a JSON body, or none.
pub(super) async fn send(
    server: &ServerSpec,
    method: Method,
    path: &str,
    body: Option<&str>,
    limit: Duration,
) -> Result<Answer, String> {
    let url = format!("{}{path}", server.url.whole());
    let headers: Vec<(HeaderName, HeaderValue)> =
        login(&server.login).await?.map(|login| (AUTHORIZATION, login)).into_iter().collect();
    // A POST that is sent on would be a GET: only what is asked is followed.
    let redirects = if method == Method::GET { FOLLOWED } else { 0 };
    let ask = Ask { method, body, redirects, headers: &headers, ca: server.ca.as_deref(), ..Ask::get(&url) };
    let answer = ask.send(limit).await.map_err(|fault| fault.why)?;
    match (answer.status, &server.login) {
        (401, Login::None) => Err("it asks who we are: give `user` and a password, or a token".to_owned()),
        (401, Login::Basic { user, password }) => {
            Err(format!("it does not let {user} in: check {}", place(password, "password")))
        }
        (401, Login::Bearer(token)) => Err(format!("it does not take the token: check {}", place(token, "token"))),
        (403, _) => Err("it knows us, but does not allow this".to_owned()),
        (_, _) => Ok(answer),
    }
}

async fn login(login: &Login) -> Result<Option<HeaderValue>, String> {
    let (scheme, secret) = match login {
        Login::None => return Ok(None),
        Login::Basic { user, password } => {
            let password = read(password).await?;
            ("Basic", STANDARD.encode(format!("{user}:{password}")))
        }
        Login::Bearer(token) => ("Bearer", read(token).await?),
    };
    let mut value = HeaderValue::from_str(&format!("{scheme} {secret}"))
        .map_err(|_| "the token holds characters that no token has".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

async fn read(secret: &Secret) -> Result<String, String> {
    match secret {
        Secret::Clear(text) => Ok(text.to_string()),
        Secret::Variable(name) => std::env::var(&**name).map_err(|_| format!("the variable {name} with the secret is not set")),
        Secret::File(path) => {
            let said = |why: String| format!("the secret in {path} cannot be read: {why}");
            let size = tokio::fs::metadata(&**path).await.map_err(|error| said(error.to_string()))?.len();
            if size > SECRET {
                return Err(said("it is longer than 64 KiB".to_owned()));
            }
            let text = tokio::fs::read_to_string(&**path).await.map_err(|error| said(error.to_string()))?;
            Ok(text.trim().to_owned())
        }
    }
}

/// Where a secret that was not taken comes from.
fn place(secret: &Secret, key: &str) -> String {
    match secret {
        Secret::Clear(_) => format!("`{key}` in the configuration"),
        Secret::File(path) => path.to_string(),
        Secret::Variable(name) => format!("the variable {name}"),
    }
}
