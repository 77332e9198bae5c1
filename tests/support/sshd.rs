//! A real sshd on the loopback, with keys, known hosts and configuration of its own, and an `ssh` on the PATH that uses
//! them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything awaited may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, gone at the end of the test with every connection to it.
pub struct Sshd {
    folder: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

impl Sshd {
    /// A running server that lets in who has the test's key; `None` where there is none to run, with the reason.
    pub fn start() -> Result<Self, String> {
        let program = server_program().ok_or("there is no sshd (openssh-server)")?;
        if Command::new("ssh").arg("-V").output().is_err() {
            return Err("there is no ssh (openssh-client)".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for key in ["host", "other-host", "person", "stranger"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path(key)).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        fs::copy(path("person.pub"), path("authorized")).unwrap();
        fs::set_permissions(path("authorized"), fs::Permissions::from_mode(0o600)).unwrap();
        for inner in ["bin", "run", "home"] {
            fs::create_dir(path(inner)).unwrap();
        }
        // As root it wants this folder; anybody else cannot make it and does not need it.
        drop(fs::create_dir_all("/run/sshd"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut sshd = Self { folder, port, server: None };
        sshd.configure("");
        sshd.trust("host");
        sshd.client("");
        sshd.up_with(&program);
        Ok(sshd)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the tests' own files of a user are.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The server's own settings, beside what every test needs. They hold from the next start on.
    pub fn configure(&self, more: &str) {
        let name = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "ListenAddress 127.0.0.1:{}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nLogLevel VERBOSE\n{more}\n",
            self.port,
            name("host"),
            name("authorized"),
        );
        fs::write(self.path("sshd.conf"), text).unwrap();
    }

    /// What the person's known hosts hold: the public half of this key.
    pub fn trust(&self, key: &str) {
        let public = fs::read_to_string(self.path(&format!("{key}.pub"))).unwrap();
        fs::write(self.path("known"), format!("[127.0.0.1]:{} {public}", self.port)).unwrap();
    }

    /// The person's known hosts are empty.
    pub fn trust_nobody(&self) {
        fs::write(self.path("known"), "").unwrap();
    }

    /// The person's `~/.ssh/config`, with these lines in front. Every ssh that is started is noted.
    pub fn client(&self, more: &str) {
        let mut config = format!("{more}\n");
        let (known, person) = (self.path("known"), self.path("person"));
        write!(
            config,
            "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  IdentityFile {}\n  IdentitiesOnly yes\n",
            known.display(),
            person.display()
        )
        .unwrap();
        fs::write(self.path("ssh.conf"), config).unwrap();
        let real = program_on_path("ssh");
        let script = format!(
            "#!/bin/sh\necho $$ >>{}\nexec {} -F {} \"$@\"\n",
            self.path("started").display(),
            real.display(),
            self.path("ssh.conf").display()
        );
        fs::write(self.path("bin/ssh"), script).unwrap();
        fs::set_permissions(self.path("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The PATH on which that ssh comes first.
    pub fn search_path(&self) -> String {
        format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap())
    }

    /// The address of a socket behind it.
    pub fn address(&self, socket: &str) -> String {
        format!("ssh://127.0.0.1:{}{socket}", self.port)
    }

    /// The processes of ssh that were started and live.
    pub fn clients(&self) -> Vec<u32> {
        let noted = fs::read_to_string(self.path("started")).unwrap_or_default();
        noted.lines().filter_map(|pid| pid.parse().ok()).filter(|pid| is_alive(*pid)).collect()
    }

    /// People let in so far.
    pub fn let_in(&self) -> usize {
        let log = fs::read_to_string(self.path("sshd.log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("Accepted publickey")).count()
    }

    /// Ends the server and every connection to it.
    pub fn down(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        for pid in below(server.id()) {
            drop(Command::new("kill").args(["-KILL", &pid.to_string()]).output());
        }
        drop(server.kill());
        drop(server.wait());
    }

    /// Starts it again, on the same port.
    pub fn up(&mut self) {
        let program = server_program().unwrap();
        self.up_with(&program);
    }

    fn up_with(&mut self, program: &Path) {
        let log = File::options().create(true).append(true).open(self.path("sshd.log")).unwrap();
        let mut command = Command::new(program);
        command.arg("-D").arg("-e").arg("-f").arg(self.path("sshd.conf"));
        self.server = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        wait_for("sshd", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.down();
    }
}

/// Waits for a condition; a test that waits in vain fails.
#[track_caller]
pub fn wait_for(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every process below this one.
fn below(pid: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all.iter().filter(|(_, p)| *p == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

fn is_alive(pid: u32) -> bool {
    // One that has ended and was not waited for is no more.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// sshd wants to be called by its whole path, and is not on everybody's PATH.
fn server_program() -> Option<PathBuf> {
    ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].iter().map(PathBuf::from).find(|path| path.exists())
}

fn program_on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists()).unwrap()
}
