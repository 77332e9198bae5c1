//! The `qd` command as a person gives it, on an environment of a real stack, with a configuration and a record of its own.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::real_engine::Stack;

/// The learning platform and the store.
pub const LMS: &str = "tests/engines/lms/docker-compose.yml";
pub const CAP: &str = "tests/engines/cap/docker-compose.yml";

/// Blue-green by the service's name on its network, once every green one has answered a page.
pub const BY_NAME: &str = r#"
[environment.deploy]
strategy = "blue-green"
hold = "1s"
healthy_within = "30s"
drain = "2s"
gate = [{ probe = "courses", within = "10s" }]

[[environment.probe]]
name = "courses"
workload = "backend"
http = "http://{instance}:3000/answers"
"#;

/// Where somebody sits who operates one stack, called `shop` here whatever its project is.
pub struct Desk {
    home: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub lines: Vec<Value>,
    pub told: String,
}

impl Ran {
    /// The last line's outcome, why included.
    pub fn outcome(&self) -> String {
        let last = self.lines.last().unwrap_or(&Value::Null);
        format!("{} {}", last["outcome"].as_str().unwrap_or("none"), last["detail"].as_str().unwrap_or_default())
    }

    /// Everything that was told, to be read when it went otherwise.
    fn story(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(Value::to_string).collect();
        format!("{}\n{}", lines.join("\n"), self.told)
    }

    /// It went well to its end.
    pub fn done(&self) {
        assert_eq!(self.code, Some(0), "{}", self.story());
        assert!(self.outcome().starts_with("done "), "{}", self.story());
    }

    /// It failed, and everything is as it was.
    pub fn rolled_back(&self) {
        assert_eq!(self.code, Some(5), "{}", self.story());
        assert!(self.outcome().starts_with("rolled_back "), "{}", self.story());
    }
}

impl Desk {
    /// `more` goes into the environment's part of the configuration, and what follows it.
    pub fn at(stack: &Stack<'_>, more: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (host, project) = (&stack.engine.host, &stack.project);
        let text = format!(
            "[[environment]]\nname = \"shop\"\ntier = \"staging\"\nengine = \"compose\"\nhost = \"{host}\"\nproject = \"{project}\"\n{more}\n"
        );
        std::fs::write(home.path().join("quarterdeck.toml"), text).unwrap();
        let desk = Self { home };
        let check = desk.qd(&["config", "check"]);
        assert_eq!(check.code, Some(0), "{}", check.told);
        desk
    }

    /// Gives a command and waits for its end.
    pub fn qd(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qd"));
        command.args(arguments).current_dir(self.home.path()).stdin(Stdio::null());
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(name, self.home.path());
        }
        for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "NO_COLOR"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ran { code: output.status.code(), lines, told: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// Gives a command that changes something, and says yes.
    pub fn change(&self, arguments: &[&str]) -> Ran {
        let mut all = arguments.to_vec();
        all.extend(["--yes", "-o", "ndjson"]);
        self.qd(&all)
    }

    /// Deploys an image to a workload.
    pub fn deploy(&self, workload: &str, image: &str) -> Ran {
        self.change(&["deploy", &format!("shop/{workload}"), "--image", image])
    }
}

/// Where a service's published port can be reached.
pub fn published(stack: &Stack<'_>, service: &str, port: u16) -> SocketAddr {
    let said = stack.engine.docker(&["port", stack.only(service).as_str(), &port.to_string()]);
    let port: u16 = said.lines().next().and_then(|line| line.rsplit(':').next()).unwrap().trim().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The images of a service's running containers, in the order of the replicas.
pub fn running(stack: &Stack<'_>, service: &str) -> Vec<String> {
    let seen = stack.ids(service).into_iter().map(|id| stack.engine.inspect(&id));
    let seen = seen.filter(|container| container["State"]["Running"] == true);
    seen.map(|container| container["Config"]["Image"].as_str().unwrap_or_default().to_owned()).collect()
}
