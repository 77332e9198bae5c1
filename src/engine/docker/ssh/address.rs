//! `ssh://[user@]host[:port][/path/to/docker.sock]`, taken apart. Pure. Nothing in it may be read by ssh, or by the shell
//! on the host, as anything but what it is.

/// Where a host is and which socket is meant there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshAddress {
    pub user: Option<String>,
    /// A name (of DNS or of `~/.ssh/config`) or a number; an IPv6 number without its brackets.
    pub host: String,
    pub port: Option<u16>,
    /// The engine's socket on the host; without one the usual places are looked at.
    pub socket: Option<String>,
}

impl SshAddress {
    /// Reads what follows `ssh://`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(rest: &str) -> Result<Self, &'static str> {
        let (authority, path) = match rest.find('/') {
            Some(at) => (&rest[..at], &rest[at..]),
            None => (rest, ""),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("a password in the address is not used: load a key into the agent (ssh-add)");
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(number) => number.split_once(']').ok_or("the bracket before the number is never closed")?,
            None => place.split_once(':').map_or((place, ""), |(host, _)| (host, &place[host.len()..])),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some(port) => Some(port.parse().ok().filter(|port| *port > 0).ok_or("the port is no number from 1 to 65535")?),
            None => return Err("what follows the number is no port"),
        };
        let plain = |text: &str| !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain);
        if !plain(host) || !user.is_none_or(plain) {
            return Err("the address needs a host, like ssh://deploy@10.0.0.5");
        }
        if !path.chars().all(|c| c == '/' || (is_plain(c) && c != ':' && c != '%')) {
            return Err("the path of the socket holds characters that a shell would read otherwise");
        }
        let socket = Some(path.to_owned()).filter(|path| path.len() > 1);
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port, socket })
    }

    /// As a person would type it after `ssh`.
    #[must_use]
    pub fn destination(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("{user}{}", self.host)
    }

    /// The whole address.
    #[must_use]
    pub fn text(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("ssh://{user}{host}{port}{}", self.socket.as_deref().unwrap_or_default())
    }
}

/// Means itself to ssh and to any shell.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-+@=,:%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_put_together() {
        for (rest, user, host, port, socket) in [
            ("deploy@10.0.0.5", Some("deploy"), "10.0.0.5", None, None),
            ("prod-1", None, "prod-1", None, None),
            ("deploy@prod:2222/", Some("deploy"), "prod", Some(2222), None),
            ("a@b@host/run/user/1000/docker.sock", Some("a@b"), "host", None, Some("/run/user/1000/docker.sock")),
            ("[fe80::1%eth0]:22/d.sock", None, "fe80::1%eth0", Some(22), Some("/d.sock")),
        ] {
            let read = SshAddress::parse(rest).unwrap();
            let expected =
                SshAddress { user: user.map(str::to_owned), host: host.into(), port, socket: socket.map(str::to_owned) };
            assert_eq!(read, expected, "{rest}");
            assert_eq!(read.text(), format!("ssh://{}", rest.trim_end_matches('/')));
        }
    }

    #[test]
    fn what_ssh_or_a_shell_would_read_otherwise_is_refused() {
        for (rest, why) in [
            ("", "needs a host"),
            ("deploy@", "needs a host"),
            ("@host", "needs a host"),
            ("-oProxyCommand=x", "needs a host"),
            ("-l@host", "needs a host"),
            ("a b", "needs a host"),
            ("$(x)", "needs a host"),
            ("ann:secret@host", "password"),
            ("host:0", "port"),
            ("host:ssh", "port"),
            ("[::1", "bracket"),
            ("[::1]x", "no port"),
            ("host/a b.sock", "characters"),
            ("host/$HOME/d.sock", "characters"),
            ("host/a:b", "characters"),
            ("host/%h.sock", "characters"),
            ("host/'x", "characters"),
        ] {
            let said = SshAddress::parse(rest).unwrap_err();
            assert!(said.contains(why), "{rest}: {said}");
        }
    }
}
