//! What is run on the host beside the forwarding: a look at which sockets are there, then nothing but waiting for the end of its
//! input. It ends with whoever started it, however that one ends. Pure.

/// Where engines listen by default; looked at in this order when the address names no socket.
const USUAL: [&str; 6] = [
    "/var/run/docker.sock",
    "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock",
    "$HOME/.docker/run/docker.sock",
    "${DOCKER_HOST#unix://}",
    "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/podman/podman.sock",
    "/run/podman/podman.sock",
];
/// Begins the lines meant for us: a host may print others when somebody logs in.
const MARK: &str = "quarterdeck-socket";

/// The socket that is forwarded before anything is known of the host.
pub(super) fn first_guess() -> &'static str {
    USUAL[0]
}

/// The command for the host's shell, whichever that is: single quotes, and neither quote nor `!` within.
pub(super) fn command(socket: Option<&str>) -> String {
    let places: Vec<String> = match socket {
        Some(socket) => vec![format!("\"{socket}\"")],
        None => USUAL.iter().map(|place| format!("\"{place}\"")).collect(),
    };
    let look =
        format!("if [ -S \"$s\" ]; then if [ -w \"$s\" ]; then echo {MARK} open \"$s\"; else echo {MARK} closed \"$s\"; fi; fi");
    format!("exec sh -c 'for s in {}; do {look}; done; echo {MARK} end; exec cat >/dev/null'", places.join(" "))
}

/// What the host said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub open: Vec<String>,
    pub closed: Vec<String>,
    /// Everything has been said.
    pub whole: bool,
}

/// How the look ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What is forwarded is there.
    Here,
    /// Another one is: it has to be forwarded instead.
    Elsewhere(String),
    /// It is there and not for this user.
    Closed(String),
    Nothing,
}

impl Seen {
    /// Takes a line in; one that is not for us is left aside.
    pub(super) fn line(&mut self, line: &str) {
        let mut words = line.trim().splitn(3, ' ');
        if words.next() != Some(MARK) {
            return;
        }
        match (words.next(), words.next()) {
            (Some("open"), Some(path)) => self.open.push(path.to_owned()),
            (Some("closed"), Some(path)) => self.closed.push(path.to_owned()),
            (Some("end"), None) => self.whole = true,
            (_, _) => {}
        }
    }

    /// What that means where `forwarded` is.
    pub(super) fn found(&self, forwarded: &str) -> Found {
        if self.open.iter().any(|path| path == forwarded) {
            return Found::Here;
        }
        match (self.open.first(), self.closed.first()) {
            // It goes into a command line: only what means itself there.
            (Some(path), _) if super::address::SshAddress::parse(&format!("host{path}")).is_ok() => {
                Found::Elsewhere(path.clone())
            }
            (_, Some(path)) => Found::Closed(path.clone()),
            (Some(_) | None, None) => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        let mut seen = Seen::default();
        text.lines().for_each(|line| seen.line(line));
        seen
    }

    #[test]
    fn lines_of_others_are_left_aside() {
        let seen =
            seen("Welcome\nquarterdeck-socket open /a b.sock\r\nquarterdeck-socket closed /c.sock\nquarterdeck-socket end\n");
        let expected = Seen { open: vec!["/a b.sock".into()], closed: vec!["/c.sock".into()], whole: true };
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_first_open_socket_is_taken() {
        for (text, found) in [
            ("quarterdeck-socket open /other\nquarterdeck-socket open /d.sock", Found::Here),
            (
                "quarterdeck-socket closed /d.sock\nquarterdeck-socket open /run/user/7/docker.sock",
                Found::Elsewhere("/run/user/7/docker.sock".into()),
            ),
            ("quarterdeck-socket open /$(x)", Found::Nothing),
            ("quarterdeck-socket closed /d.sock", Found::Closed("/d.sock".into())),
            ("", Found::Nothing),
        ] {
            assert_eq!(seen(text).found("/d.sock"), found, "{text}");
        }
    }

    #[test]
    fn the_command_is_one_word_for_any_shell() {
        for socket in [None, Some("/d.sock")] {
            let command = command(socket);
            let inner = command.strip_prefix("exec sh -c '").and_then(|c| c.strip_suffix('\'')).unwrap();
            assert!(!inner.contains(['\'', '!', '\\', '\n']), "{inner}");
        }
    }
}
