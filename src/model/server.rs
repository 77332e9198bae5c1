//! A server that is asked beside the engines (Prometheus, Alertmanager): where it is, who asks, and whom it must be.

use std::fmt;
use std::sync::Arc;

/// Where a server is and how it lets us in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerSpec {
    pub url: Url,
    pub login: Login,
    /// A file of certificates (PEM) that are trusted beside those this machine trusts.
    pub ca: Option<Arc<str>>,
}

impl ServerSpec {
    /// The server at this address that lets everybody in.
    #[must_use]
    pub fn open(url: &str) -> Self {
        Self { url: Url::new(url), login: Login::None, ca: None }
    }
}

impl fmt::Display for ServerSpec {
    /// The address, without who logs in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// The address of a server, without a `/` at its end. It may hold a name and a password: they are never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Url(Arc<str>);

impl Url {
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').into())
    }

    /// As it is asked, password and all.
    #[must_use]
    pub fn whole(&self) -> &Arc<str> {
        &self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("http", &self.0));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://{host}{path}")
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Login {
    /// Nobody in particular (or whom the address names).
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic { user: Arc<str>, password: Secret },
    /// `Authorization: Bearer`.
    Bearer(Secret),
}

/// Where a secret is. Files and variables are read anew for every request, so that one that is changed is used at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// As it was written in the configuration.
    Clear(Arc<str>),
    /// The text of a file, without white space around it.
    File(Arc<str>),
    /// A variable of the process environment.
    Variable(Arc<str>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear(_) => f.write_str("Clear(••••••)"),
            Self::File(path) => write!(f, "File({path:?})"),
            Self::Variable(name) => write!(f, "Variable({name:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_never_shown() {
        for (url, shown) in [
            ("http://p:9090/", "http://p:9090"),
            ("https://ann:s3cret@p/prom/", "https://p/prom"),
            ("https://ann:p%40@p:1?token=s3cret", "https://p:1"),
            ("http://a@b:s3cret@p", "http://p"),
        ] {
            let password = Secret::Clear("s3cret".into());
            let spec = ServerSpec { login: Login::Basic { user: "ann".into(), password }, ..ServerSpec::open(url) };
            assert_eq!(spec.to_string(), shown, "{url}");
            assert!(!format!("{spec:?}").contains("s3cret"), "{spec:?}");
            assert!(!format!("{:?}", Login::Bearer(Secret::Clear("s3cret".into()))).contains("s3cret"));
        }
    }
}
