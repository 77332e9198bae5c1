//! Every way an engine can be named, in a home directory of the test's own.

use super::*;

struct Home {
    directory: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Home {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str, content: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    fn resolve(&self, target: &DockerTarget) -> Result<Endpoint, EngineError> {
        let variable = |name: &str| self.variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        let system_sockets = (self.path("system.sock"), self.path("podman.sock"));
        resolve_in(target, &Surroundings { variable: &variable, home: Some(self.path("")), system_sockets })
    }

    /// The endpoint's text, or the error's.
    fn say(&self, target: &DockerTarget) -> String {
        let text = match self.resolve(target) {
            Ok(endpoint) => endpoint.text.to_string(),
            Err(error) => format!("error: {error}"),
        };
        text.replace(self.directory.path().to_str().unwrap(), "~")
    }
}

fn context(home: &Home, directory: &str, name: &str, endpoint: &str) {
    home.file(
        &format!(".docker/contexts/meta/{directory}/meta.json"),
        &format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{endpoint}}}}}"#),
    );
}

#[test]
fn the_sockets_are_tried_in_order_and_the_first_is_named_when_none_is_there() {
    let home = Home::new().set("XDG_RUNTIME_DIR", "");
    assert_eq!(home.say(&DockerTarget::Ambient), "unix://~/system.sock");
    let mut home = Home::new();
    home.variables.push(("XDG_RUNTIME_DIR", home.path("run").display().to_string()));
    for (socket, seen) in [
        ("podman.sock", "unix://~/podman.sock"),
        ("run/podman/podman.sock", "unix://~/run/podman/podman.sock"),
        (".docker/desktop/docker.sock", "unix://~/.docker/desktop/docker.sock"),
        (".docker/run/docker.sock", "unix://~/.docker/run/docker.sock"),
        ("run/docker.sock", "unix://~/run/docker.sock"),
        ("system.sock", "unix://~/system.sock"),
    ] {
        home.file(socket, "");
        assert_eq!(home.say(&DockerTarget::Ambient), seen);
    }
}

#[test]
fn an_address_says_how_it_is_reached() {
    let home = Home::new();
    let host = |text: &str| DockerTarget::Host(text.into());
    for (address, said) in [
        ("unix:///run/x.sock", "unix:///run/x.sock"),
        ("unix:///run/\u{1b}[31mred.sock", "unix:///run/red.sock"),
        ("tcp://10.0.0.5:2375", "tcp://10.0.0.5:2375"),
        ("tcp://10.0.0.5", "tcp://10.0.0.5:2375"),
        ("10.0.0.5:99", "tcp://10.0.0.5:99"),
        ("tcp://[::1]:2375/", "tcp://[::1]:2375"),
        ("https://engine", "tcp://engine:2376"),
        (
            "tcp://",
            "error: Connecting to tcp:// cannot be done here: the address needs a host and a port, like tcp://10.0.0.5:2376",
        ),
        (
            "fd://",
            "error: Connecting to fd:// cannot be done here: the address must begin with unix://, tcp://, https:// or ssh://",
        ),
        ("ssh://deploy@10.0.0.5", "ssh://deploy@10.0.0.5"),
        ("ssh://prod:2222/run/user/7/docker.sock", "ssh://prod:2222/run/user/7/docker.sock"),
        (
            "ssh://-oProxyCommand=x",
            "error: Connecting to ssh://-oProxyCommand=x cannot be done here: the address needs a host, like ssh://deploy@10.0.0.5",
        ),
    ] {
        assert_eq!(home.say(&host(address)), said, "{address}");
    }
}

#[test]
fn the_environment_goes_before_the_context_and_brings_its_certificates() {
    let home = Home::new().set("DOCKER_HOST", "tcp://engine:2376").set("DOCKER_CONTEXT", "prod").set("DOCKER_TLS_VERIFY", "1");
    home.file(".docker/ca.pem", "").file(".docker/cert.pem", "").file(".docker/key.pem", "");
    let endpoint = home.resolve(&DockerTarget::Ambient).unwrap();
    let pair = Some((home.path(".docker/cert.pem"), home.path(".docker/key.pem")));
    let files = TlsFiles { ca: Some(home.path(".docker/ca.pem")), pair };
    assert_eq!(endpoint.address, Address::Tls("engine:2376".into(), files));

    let home = Home::new().set("DOCKER_HOST", "tcp://engine:2376").set("DOCKER_TLS", "1");
    assert!(home.say(&DockerTarget::Ambient).contains("without checking the engine's certificate"));
}

#[test]
fn the_active_context_is_found_by_its_name_with_its_certificates() {
    let home = Home::new();
    home.file(".docker/config.json", r#"{"auths":{},"currentContext":"prod"}"#);
    context(&home, "aa11", "staging", r#"{"Host":"unix:///staging.sock"}"#);
    context(&home, "bb22", "prod", r#"{"Host":"tcp://10.0.0.5:2376","SkipTLSVerify":false}"#);
    context(&home, "cc33", "loose", r#"{"Host":"tcp://10.0.0.6:2376","SkipTLSVerify":true}"#);
    context(&home, "dd44", "empty", "{}");
    home.file(".docker/contexts/meta/ee55/meta.json", "not json");
    home.file(".docker/contexts/tls/bb22/docker/ca.pem", "");
    let endpoint = home.resolve(&DockerTarget::Ambient).unwrap();
    let files = TlsFiles { ca: Some(home.path(".docker/contexts/tls/bb22/docker/ca.pem")), pair: None };
    assert_eq!(endpoint.address, Address::Tls("10.0.0.5:2376".into(), files));

    let named = |name: &str| DockerTarget::Context(name.into());
    assert_eq!(home.say(&named("staging")), "unix:///staging.sock");
    assert_eq!(home.say(&named("default")), "unix://~/system.sock");
    assert_eq!(
        home.say(&named("gone")),
        "error: The docker context gone cannot be reached: ~/.docker/contexts does not define it (docker context ls shows what is there)"
    );
    assert!(home.say(&named("empty")).ends_with("it names no docker endpoint"));
    assert!(home.say(&named("loose")).contains("TLS without checking"));
    let home = home.set("DOCKER_CONTEXT", "staging");
    assert_eq!(home.say(&DockerTarget::Ambient), "unix:///staging.sock");
    home.file("other/config.json", "{}");
    let other = home.path("other").display().to_string();
    let home = home.set("DOCKER_CONFIG", other);
    assert!(home.say(&DockerTarget::Ambient).contains("does not define it"));
}
