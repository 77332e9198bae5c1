//! `[environment.prometheus]` and `[environment.alertmanager]`: an address, and at most one way to log in.

use super::one_of;
use crate::document::{Section, read};
use crate::model::ServerSpec;
use crate::model::server::{Login, Secret, Url};

pub(super) fn read(section: &Section<'_>) -> Option<ServerSpec> {
    let url = section.require("url", read::url);
    let user = section.read("user", read::text);
    let password = secret(section, "the password", ["password", "password_file", "password_env"]);
    let token = secret(section, "the token", ["token", "token_file", "token_env"]);
    let ca = section.read("ca", read::text);
    section.end();
    let said = |keys: [&str; 3]| keys.into_iter().any(|key| section.has(key));
    let (has_password, has_token) =
        (said(["password", "password_file", "password_env"]), said(["token", "token_file", "token_env"]));
    if has_token && (has_password || section.has("user")) {
        section.note("a token and a user exclude each other: each is a way to log in");
    }
    if has_password && !section.has("user") {
        section.note("`user` is missing: a password belongs to somebody");
    }
    if section.has("user") && !has_password {
        section.note("the password of `user`: expected `password`, `password_file` or `password_env`");
    }
    if ca.is_some() && url.as_ref().is_some_and(|url| url.starts_with("http://")) {
        section.note("`ca` is for https:// addresses: this one is in the clear");
    }
    let login = match (token, user, password) {
        (Some(token), _, _) => Login::Bearer(token),
        (None, Some(user), Some(password)) => Login::Basic { user, password },
        (None, _, _) => Login::None,
    };
    Some(ServerSpec { url: Url::new(&url?), login, ca })
}

/// A secret, in clear, in a file or in a variable; nothing where none is given.
fn secret(section: &Section<'_>, what: &str, keys: [&'static str; 3]) -> Option<Secret> {
    if !keys.iter().any(|key| section.has(key)) {
        // Asked for all the same, so that a mistyped one is told with what was meant.
        for key in keys {
            let _ = section.get(key);
        }
        return None;
    }
    let way = one_of(section, what, &keys)?;
    let text = section.read(way, read::text)?;
    Some(if way == keys[0] {
        Secret::Clear(text)
    } else if way == keys[1] {
        Secret::File(text)
    } else {
        Secret::Variable(text)
    })
}
