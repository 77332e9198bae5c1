//! Where a request goes: an address taken apart, and where a redirect leads from there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;

/// Where a request goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    /// For certificates and names.
    pub(crate) host: String,
    /// `host:port`, to connect to.
    pub(crate) address: String,
    /// As the request names it.
    pub(crate) authority: String,
    pub(crate) path: String,
    /// User and password of the address, in base64.
    pub(crate) login: Option<String>,
}

impl Target {
    /// Takes an address apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| "it is no address of a web server".to_owned())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(format!("{other} is not spoken, http and https are")),
            None => return Err("it does not begin with http:// or https://".to_owned()),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        let host = authority.host();
        let address = format!("{host}:{}", authority.port_u16().unwrap_or(if tls { 443 } else { 80 }));
        let (login, named) = match authority.as_str().rsplit_once('@') {
            Some((login, named)) => (Some(STANDARD.encode(percent_decoded(login))), named),
            None => (None, authority.as_str()),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { tls, host, address, authority: named.to_owned(), path, login })
    }

    /// The same, by another name: what the request and the certificate are held to.
    pub(crate) fn called(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            name.clone_into(&mut self.authority);
            let bare = name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(name, |(host, _)| host);
            bare.trim_start_matches('[').trim_end_matches(']').clone_into(&mut self.host);
        }
        self
    }

    /// Where a redirect from here leads. Who logs in here does not do so elsewhere.
    pub(crate) fn join(&self, location: &str) -> Result<Self, String> {
        let scheme = if self.tls { "https" } else { "http" };
        let location = location.split('#').next().unwrap_or_default();
        let mut next = if location.contains("://") {
            Self::parse(location)?
        } else if let Some(rest) = location.strip_prefix("//") {
            Self::parse(&format!("{scheme}://{rest}"))?
        } else {
            let folder = self.path.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
            let path = if location.starts_with('/') { location.to_owned() } else { format!("{folder}/{location}") };
            // The place is the same, by whatever name it was called.
            let parsed = Self::parse(&format!("{scheme}://{}{path}", self.address))?;
            return Ok(Self { path: parsed.path, ..self.clone() });
        };
        if next.authority == self.authority && next.tls == self.tls {
            next.address.clone_from(&self.address);
        }
        if next.is_at(self) {
            next.login = next.login.or_else(|| self.login.clone());
        }
        Ok(next)
    }

    /// Whether both are the same server: the same address, both with or both without TLS.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.address == other.address && self.tls == other.tls
    }
}

/// The address for people: without who logs in, and without what is asked.
pub(crate) fn shown(url: &str) -> String {
    if url.starts_with('/') && !url.starts_with("//") {
        return url.split(['?', '#']).next().unwrap_or(url).to_owned();
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/{path}") }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let hex = |code: &[u8]| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok();
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(hex).filter(|_| byte == b'%');
        decoded.push(code.unwrap_or(byte));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    decoded
}

/// Text as it may stand in a query.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (url, expected) in [
            ("http://a/x?y=1", Ok((false, "a:80", "a", "/x?y=1", None))),
            ("https://a.example", Ok((true, "a.example:443", "a.example", "/", None))),
            ("http://[::1]:8080/", Ok((false, "[::1]:8080", "[::1]:8080", "/", None))),
            ("http://me:p%40ss@a:81/", Ok((false, "a:81", "a:81", "/", Some("bWU6cEBzcw==")))),
            ("ftp://a/", Err("ftp is not spoken, http and https are")),
            ("a/b", Err("it is no address of a web server")),
            ("/b", Err("it does not begin with http:// or https://")),
        ] {
            let target = Target::parse(url);
            let seen = target.as_ref().map(|t| (t.tls, &*t.address, &*t.authority, &*t.path, t.login.as_deref()));
            assert_eq!(seen.map_err(String::as_str), expected, "{url}");
        }
        assert_eq!(shown("https://me:secret@a.example/hook/x?token=1#f"), "https://a.example/hook/x");
        assert_eq!(shown("/login?next=/x"), "/login");
        assert_eq!(percent_encoded("up{job=\"a b\"}"), "up%7Bjob%3D%22a%20b%22%7D");
    }

    #[test]
    fn a_redirect_leads_somewhere_and_takes_no_password_along() {
        let from = Target::parse("https://me:x@a.example/api/v1/health?q").unwrap();
        for (location, address, path, login) in [
            ("/login", "a.example:443", "/login", true),
            ("ready", "a.example:443", "/api/v1/ready", true),
            ("https://a.example/x", "a.example:443", "/x", true),
            ("//b.example/x", "b.example:443", "/x", false),
            ("http://a.example/x", "a.example:80", "/x", false),
            ("https://a.example:8443/x", "a.example:8443", "/x", false),
        ] {
            let to = from.join(location).unwrap();
            assert_eq!((&*to.address, &*to.path, to.login.is_some()), (address, path, login), "{location}");
        }
        let called = Target::parse("https://localhost:8443/x").unwrap().called(Some("lms.example:443"));
        for location in ["/y", "https://lms.example:443/y"] {
            let to = called.join(location).unwrap();
            assert_eq!((&*to.host, &*to.authority, &*to.address), ("lms.example", "lms.example:443", "localhost:8443"));
        }
    }
}
