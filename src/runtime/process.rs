//! Who is at the keyboard and which processes live: what the operating system knows of people and processes.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use crate::observe::text::clean;
use crate::operate::policy::Actor;

/// Who runs this, read once at start-up.
#[must_use]
pub fn actor() -> Actor {
    let pid = std::process::id();
    Actor {
        user: user().into(),
        host: host().into(),
        ssh: variable("SSH_CONNECTION").and_then(|v| v.split_whitespace().next().map(Arc::from)),
        pid,
        pid_started: started(pid).unwrap_or(0),
    }
}

fn user() -> String {
    // Over sudo the person matters, not root.
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| variable(name));
    named.or_else(account).unwrap_or_else(|| "unknown".to_owned())
}

/// The name of the account this runs under, where no variable says it (cron, containers, bare shells).
fn account() -> Option<String> {
    let uid = fs::metadata("/proc/self").ok()?.uid();
    Some(account_name(&fs::read_to_string("/etc/passwd").unwrap_or_default(), uid).unwrap_or_else(|| format!("uid {uid}")))
}

/// The name of `uid` in the text of `/etc/passwd`: its first field where the third is the id.
fn account_name(passwd: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|f| f.get(2) == Some(&uid.as_str()))
        .map(|f| clean(f[0]).into_owned())
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| clean(name.trim()).into_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| variable("HOSTNAME"))
        .or_else(|| fs::read_to_string("/etc/hostname").ok().map(|name| clean(name.trim()).into_owned()))
        .unwrap_or_else(|| "localhost".to_owned())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|v| !v.is_empty()).map(|v| clean(&v).into_owned())
}

/// The kernel's start time of a process, in clock ticks since boot; `None` when it does not live.
/// Field 22 of `/proc/PID/stat`, see proc(5).
#[must_use]
pub fn started(pid: u32) -> Option<u64> {
    start_field(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The command's name stands in parentheses and may hold anything, parentheses too: the fields count after the last one.
fn start_field(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Those of the processes that live and are the ones meant, not later ones with a reused id. Where the system keeps no
/// `/proc`, every one is taken to live: a lock is never called abandoned on a guess.
#[must_use]
pub fn alive(owners: Vec<(u32, u64)>) -> Vec<(u32, u64)> {
    if !fs::exists("/proc/self/stat").unwrap_or(false) {
        return owners;
    }
    owners.into_iter().filter(|(pid, since)| started(*pid) == Some(*since)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/sh\nbroken\n";
        assert_eq!(account_name(passwd, 1000).as_deref(), Some("ops"));
        assert_eq!(account_name(passwd, 7), None);
    }

    #[test]
    fn the_start_time_is_found_behind_any_command_name() {
        let tail = "S 1 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        for name in ["qd", "a b", "x) S 1 (y", ""] {
            assert_eq!(start_field(&format!("77 ({name}) {tail}")), Some(4242), "{name:?}");
        }
        assert_eq!(start_field("nonsense"), None);
        assert_eq!(start_field("1 (a) S 1"), None);
    }

    #[test]
    fn only_the_very_same_process_counts_as_alive() {
        let me = std::process::id();
        let Some(since) = started(me) else { return };
        assert_eq!(alive(vec![(me, since), (me, since + 1), (u32::MAX, 1)]), [(me, since)]);
    }
}
