//! What can stand between here and an engine that is reached over ssh: the kinds of trouble, what each asks of a person,
//! and how ssh's own words are told apart.

/// Why an ssh connection is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshTrouble {
    /// There is no `ssh` to start.
    NoProgram,
    /// The name leads nowhere.
    NoName,
    /// Nobody answers at the address, or not in time.
    NoAnswer,
    /// The host shows a key nobody here has seen.
    UnknownHost,
    /// The host shows another key than the one known.
    ChangedHost,
    /// The host lets nobody in with what was offered.
    Denied,
    /// There is no socket of an engine on the host.
    NoSocket,
    /// The socket is there and may not be opened by this user.
    ClosedSocket,
    /// The host opens no way to the socket: nobody listens at it, or its sshd forwards nothing.
    NoWay,
    /// It was there and has ended, or ended before it was.
    Ended,
}

impl SshTrouble {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::NoProgram => "install the OpenSSH client and put ssh on the PATH",
            Self::NoName => "check the name in the address, ~/.ssh/config and DNS",
            Self::NoAnswer => "check the address, its port, the network and the firewall; by hand: ssh HOST",
            Self::UnknownHost => {
                "connect once by hand (ssh HOST), compare the fingerprint with the host's own, and say yes; quarterdeck accepts no key by itself"
            }
            Self::ChangedHost => {
                "find out why before anything else; when the new key is right, remove the old one (ssh-keygen -R HOST) and connect once by hand"
            }
            Self::Denied => {
                "load the key into the agent (ssh-add) or name it in ~/.ssh/config (IdentityFile); nobody is asked for a password"
            }
            Self::NoSocket => "start the engine there, or name its socket: ssh://USER@HOST/run/user/1000/docker.sock",
            Self::ClosedSocket => {
                "add that user to the docker group on the host, or name a rootless engine's socket in the address"
            }
            Self::NoWay => {
                "check that the engine runs there, and that the host's sshd allows it (AllowStreamLocalForwarding yes or local)"
            }
            Self::Ended => "it is tried again by itself; by hand: ssh HOST",
        }
    }

    /// Whether trying again soon may help without anybody doing anything.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::NoName | Self::NoAnswer | Self::NoSocket | Self::NoWay | Self::Ended => true,
            Self::NoProgram | Self::UnknownHost | Self::ChangedHost | Self::Denied | Self::ClosedSocket => false,
        }
    }

    /// What ssh means by what it printed before it ended (OpenSSH, in English), and the words that say it.
    #[must_use]
    pub fn read(printed: &[impl AsRef<str>]) -> (Self, String) {
        let lines = || printed.iter().map(|line| line.as_ref().trim()).filter(|line| !line.is_empty());
        let has = |words: &str| lines().find(|line| line.contains(words));
        if has("REMOTE HOST IDENTIFICATION HAS CHANGED").or(has("has changed and you have requested strict checking")).is_some() {
            return (Self::ChangedHost, "the host key is not the one known here: somebody may be in between".to_owned());
        }
        if has("Host key verification failed").is_some() {
            return (Self::UnknownHost, "the host key is not known here".to_owned());
        }
        for (words, trouble) in [
            ("setsid:", Self::NoProgram),
            ("Permission denied", Self::Denied),
            ("Too many authentication failures", Self::Denied),
            ("No more authentication methods", Self::Denied),
            ("Could not resolve hostname", Self::NoName),
            ("Connection refused", Self::NoAnswer),
            ("No route to host", Self::NoAnswer),
            ("Network is unreachable", Self::NoAnswer),
            ("timed out", Self::NoAnswer),
        ] {
            if let Some(line) = has(words) {
                return (trouble, line.strip_prefix("ssh: ").unwrap_or(line).to_owned());
            }
        }
        (Self::Ended, lines().last().unwrap_or("ssh ended without a word").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_prints_is_told_apart() {
        for (printed, trouble, said) in [
            (&["Host key verification failed."][..], SshTrouble::UnknownHost, "the host key is not known here"),
            (
                &["@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "Host key verification failed."],
                SshTrouble::ChangedHost,
                "the host key is not the one known here: somebody may be in between",
            ),
            (
                &["Authorised users only", "root@127.0.0.1: Permission denied (publickey)."],
                SshTrouble::Denied,
                "root@127.0.0.1: Permission denied (publickey).",
            ),
            (
                &["ssh: connect to host 127.0.0.1 port 22: Connection refused", ""],
                SshTrouble::NoAnswer,
                "connect to host 127.0.0.1 port 22: Connection refused",
            ),
            (
                &["ssh: Could not resolve hostname nohost.invalid: Name or service not known"],
                SshTrouble::NoName,
                "Could not resolve hostname nohost.invalid: Name or service not known",
            ),
            (
                &["setsid: failed to execute ssh: No such file or directory"],
                SshTrouble::NoProgram,
                "setsid: failed to execute ssh: No such file or directory",
            ),
            (
                &["Connection to 10.0.0.5 closed by remote host."],
                SshTrouble::Ended,
                "Connection to 10.0.0.5 closed by remote host.",
            ),
            (&[], SshTrouble::Ended, "ssh ended without a word"),
        ] {
            assert_eq!(SshTrouble::read(printed), (trouble, said.to_owned()), "{printed:?}");
        }
    }

    #[test]
    fn a_person_is_asked_only_where_waiting_does_not_help() {
        for (trouble, transient) in [
            (SshTrouble::Denied, false),
            (SshTrouble::UnknownHost, false),
            (SshTrouble::NoAnswer, true),
            (SshTrouble::Ended, true),
        ] {
            assert_eq!(trouble.is_transient(), transient, "{trouble:?}");
            assert!(!trouble.hint().is_empty());
        }
    }
}
