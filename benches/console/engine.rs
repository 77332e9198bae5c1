//! The containers the figures are measured on, made with the docker command on the engine that is given.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const IMAGE: &str = "qd-bench";
/// Every container of ours begins with this.
pub const PREFIX: &str = "fleet-";

pub struct Engine {
    pub host: String,
}

impl Engine {
    /// The engine of `QD_TEST_DOCKER_HOST`; says what to do where there is none.
    pub fn given() -> Option<Self> {
        std::env::var("QD_TEST_DOCKER_HOST").ok().map(|host| Self { host })
    }

    pub fn socket(&self) -> PathBuf {
        Path::new(self.host.trim_start_matches("unix://")).to_path_buf()
    }

    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker").args(["-H", &self.host]).args(arguments).output().expect("the docker command runs");
        if !output.status.success() {
            eprintln!("docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// An image of busybox and the log generator, from what the machine has.
    pub fn image(&self) {
        if !self.docker(&["images", "-q", IMAGE]).is_empty() {
            return;
        }
        let root = std::env::temp_dir().join("qd-bench-image");
        let bin = root.join("bin");
        std::fs::create_dir_all(&bin).expect("a folder can be made");
        std::fs::copy("/bin/busybox", bin.join("busybox")).expect("busybox-static is installed");
        for name in ["sh", "sleep", "printf"] {
            drop(std::os::unix::fs::symlink("busybox", bin.join(name)));
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/logspam.c");
        let built = Command::new("cc").args(["-O2", "-static", "-o"]).arg(bin.join("logspam")).arg(source).status();
        assert!(built.is_ok_and(|s| s.success()), "the log generator compiles");
        let mut tar =
            Command::new("tar").arg("-C").arg(&root).args(["-c", "."]).stdout(Stdio::piped()).spawn().expect("tar runs");
        let import = Command::new("docker")
            .args(["-H", &self.host, "import", "-", IMAGE])
            .stdin(tar.stdout.take().expect("tar writes"))
            .stdout(Stdio::null())
            .status();
        assert!(tar.wait().is_ok_and(|s| s.success()), "the folder is packed");
        assert!(import.is_ok_and(|s| s.success()), "the image is imported");
    }

    /// Grows or shrinks the fleet to `count` containers in projects of twenty; one in ten logs a line a second.
    pub fn fleet(&self, count: usize) {
        let have = self.docker(&["ps", "-aq", "--filter", &format!("name=^{PREFIX}")]).lines().count();
        for n in have..count {
            let command: &[&str] = if n % 10 == 0 { &["logspam", "1", "0", "80"] } else { &["sleep", "1000000"] };
            let network: &[&str] = if n < 100 { &[] } else { &["--network", "none"] };
            let (name, project, service) = (
                format!("{PREFIX}{n:03}"),
                format!("com.docker.compose.project=bench{}", n / 20),
                format!("com.docker.compose.service=fleet-{n:03}"),
            );
            let mut arguments = vec!["run", "-d", "--name", &name, "--label", &project, "--label", &service];
            arguments.extend(network);
            arguments.push(IMAGE);
            arguments.extend(command);
            self.docker(&arguments);
        }
        for n in count..have {
            self.docker(&["rm", "-f", &format!("{PREFIX}{n:03}")]);
        }
    }

    /// A container of its own project that runs `command`.
    pub fn run(&self, name: &str, command: &[&str]) {
        let label = format!("com.docker.compose.service={name}");
        let mut arguments =
            vec!["run", "-d", "--name", name, "--label", "com.docker.compose.project=bench-log", "--label", &label, IMAGE];
        arguments.extend(command);
        self.docker(&["rm", "-f", name]);
        self.docker(&arguments);
    }

    pub fn remove(&self, name: &str) {
        self.docker(&["rm", "-f", name]);
    }
}
