//! A real Docker engine for tests: where it is, the stacks brought up on it by the real `docker-compose`, and their end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use quarterdeck::config::{ConnectionSpec, DockerTarget, TargetSpec};
use quarterdeck::engine::docker::client::Client;
use quarterdeck::engine::docker::operate::execute;
use quarterdeck::engine::{EngineError, Report};
use quarterdeck::model::{ConnectionId, EnvironmentId, InstanceId};
use quarterdeck::operate::action::InstanceRef;
use quarterdeck::operate::{Accepted, Action};
use serde_json::Value;

#[path = "not_run.rs"]
mod not_run;
pub use not_run::not_run;

/// The engine tests may use as they like, named by `QD_TEST_DOCKER_HOST` (`tests/run` sets it).
pub struct RealEngine {
    pub host: String,
}

/// The real engine, or `None` after saying loudly that the test is not run; where one is required, its lack is a failure.
pub fn real_engine() -> Option<&'static RealEngine> {
    static ENGINE: OnceLock<Option<RealEngine>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let host = std::env::var("QD_TEST_DOCKER_HOST").ok().filter(|host| !host.is_empty())?;
        make_images("images", &host);
        Some(RealEngine { host })
    });
    if engine.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        not_run(&test, "no real Docker engine (run tests/run, or name one in QD_TEST_DOCKER_HOST)");
        assert!(std::env::var("QD_TEST_REQUIRE_ENGINE").as_deref() != Ok("1"), "a real engine is required");
    }
    engine.as_ref()
}

/// The same engine with the images of the larger stacks on it.
pub fn with_stack_images(engine: &'static RealEngine) -> &'static RealEngine {
    make_images("stack-images", &engine.host);
    engine
}

/// The same engine with the store on it that breaks on demand.
pub fn with_store_image(engine: &'static RealEngine) -> &'static RealEngine {
    make_images("store-image", &engine.host);
    engine
}

fn make_images(script: &str, host: &str) {
    let made = Command::new(root().join("tests/support/engine").join(script)).arg(host).output().unwrap();
    assert!(made.status.success(), "the test images cannot be made: {}", String::from_utf8_lossy(&made.stderr));
}

/// The package's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl RealEngine {
    /// How it is configured.
    pub fn spec(&self) -> ConnectionSpec {
        ConnectionSpec {
            id: ConnectionId::new("real"),
            target: TargetSpec::Docker(DockerTarget::Host(self.host.as_str().into())),
            environments: Vec::new(),
            discover: true,
            on_demand: false,
            redaction: std::sync::Arc::default(),
        }
    }

    /// Does one action as the console would; what it reports is left aside.
    pub async fn act(&self, action: Action) -> Result<Accepted, EngineError> {
        Box::pin(self.act_reporting(action)).await.0
    }

    /// Does one action and keeps what it reports.
    pub async fn act_reporting(&self, action: Action) -> (Result<Accepted, EngineError>, Vec<String>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let report: Report = {
            let said = said.clone();
            Arc::new(move |line| said.lock().unwrap_or_else(PoisonError::into_inner).push(line))
        };
        let answer = match action.errand() {
            Some(errand) => {
                let engine = quarterdeck::engine::docker::connect(&self.spec());
                Box::pin(quarterdeck::probe::perform(Some(engine), errand.clone(), report, Arc::default())).await
            }
            None => Box::pin(execute(&Client::new(&self.spec()), action, report)).await,
        };
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (answer, said)
    }

    /// What the CLI says; it must succeed.
    pub fn docker(&self, args: &[&str]) -> String {
        succeeded("docker", args, &self.try_docker(args))
    }

    /// What the CLI does, whatever that is.
    pub fn try_docker(&self, args: &[&str]) -> Output {
        Command::new("docker").arg("--host").arg(&self.host).args(args).output().unwrap()
    }

    /// A container as the engine shows it.
    pub fn inspect(&self, container: &str) -> Value {
        let all: Value = serde_json::from_str(&self.docker(&["inspect", container])).unwrap();
        all[0].clone()
    }

    /// The content an image reference means.
    pub fn image_id(&self, image: &str) -> String {
        self.docker(&["image", "inspect", "--format", "{{.Id}}", image]).trim().to_owned()
    }

    /// A name no other test has, on any engine.
    #[allow(clippy::unused_self, reason = "names are for this engine, whichever it is")]
    pub fn unique(&self, stem: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
        format!("qd{stem}{:x}{:x}{:x}", std::process::id(), nanos >> 10, COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// A loose container with these arguments of `docker run`, gone at the end of the test.
    pub fn run(&self, stem: &str, args: &[&str]) -> Loose<'_> {
        let name = self.unique(stem);
        let mut all = vec!["run", "--detach", "--name", &name];
        all.extend(args);
        let id = self.docker(&all).trim().to_owned();
        Loose { engine: self, name, id }
    }

    /// The stack of four services, up and healthy.
    pub fn stack(&self, stem: &str) -> Stack<'_> {
        self.stack_of(stem, "tests/engines/stack/docker-compose.yml")
    }

    /// Another Compose file's stack.
    pub fn stack_of(&self, stem: &str, file: &str) -> Stack<'_> {
        self.services_of(stem, file, &[])
    }

    /// Some of the services of a Compose file, and what they depend on; all where none is named.
    pub fn services_of(&self, stem: &str, file: &str, services: &[&str]) -> Stack<'_> {
        let stack = Stack { engine: self, project: self.unique(stem), file: root().join(file) };
        let mut arguments = vec!["up", "-d"];
        arguments.extend(services);
        stack.compose(&arguments);
        stack
    }
}

fn succeeded(program: &str, args: &[&str], output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {} failed: {said}", args.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A container outside any project.
pub struct Loose<'a> {
    engine: &'a RealEngine,
    pub name: String,
    pub id: String,
}

impl Drop for Loose<'_> {
    fn drop(&mut self) {
        // What took its place has its name.
        self.engine.try_docker(&["rm", "--force", "--volumes", &self.id, &self.name]);
    }
}

/// A Compose project, taken down at the end of the test.
pub struct Stack<'a> {
    pub engine: &'a RealEngine,
    pub project: String,
    file: PathBuf,
}

impl Stack<'_> {
    /// What the real `docker-compose` says; it must succeed.
    pub fn compose(&self, args: &[&str]) -> String {
        succeeded("docker-compose", args, &self.try_compose(args))
    }

    fn try_compose(&self, args: &[&str]) -> Output {
        let mut command = compose_command();
        command.env("DOCKER_HOST", &self.engine.host).arg("--project-name").arg(&self.project).arg("--file").arg(&self.file);
        command.args(args).current_dir(self.file.parent().unwrap_or(Path::new("/"))).output().unwrap()
    }

    /// The environment it is.
    pub fn environment(&self) -> EnvironmentId {
        EnvironmentId::new("real", self.project.as_str())
    }

    /// The full ids of a service's containers, lowest number first; those set aside last.
    pub fn ids(&self, service: &str) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        let format = "{{.Names}} {{.ID}}";
        let listed =
            self.engine.docker(&["ps", "--all", "--no-trunc", "--filter", &project, "--filter", &service, "--format", format]);
        let mut named: Vec<(bool, usize, &str, &str)> = listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, id)| (!name.starts_with(&self.project), name.len(), name, id))
            .collect();
        named.sort_unstable();
        named.into_iter().map(|(.., id)| id.to_owned()).collect()
    }

    /// The only container of a service.
    pub fn only(&self, service: &str) -> InstanceId {
        let ids = self.ids(service);
        assert_eq!(ids.len(), 1, "containers of {service}: {ids:?}");
        InstanceId::new(ids[0].as_str())
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        // Containers first and by label: nothing has to be asked to stop, and those set aside go too.
        let project = format!("label=com.docker.compose.project={}", self.project);
        let listed = self.engine.try_docker(&["ps", "--all", "--quiet", "--filter", &project]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let lock = format!("quarterdeck-lock-{}", self.project);
        let mut args = vec!["rm", "--force", "--volumes", &lock];
        args.extend(listed.split_whitespace());
        self.engine.try_docker(&args);
        self.try_compose(&["down", "--volumes", "--remove-orphans"]);
    }
}

/// Compose 1 where it is there, else the plugin of the CLI.
fn compose_command() -> Command {
    static PLUGIN: OnceLock<bool> = OnceLock::new();
    if *PLUGIN.get_or_init(|| Command::new("docker-compose").arg("version").output().is_err()) {
        let mut command = Command::new("docker");
        command.arg("compose");
        return command;
    }
    Command::new("docker-compose")
}

/// An instance that exists.
pub fn known(id: &str) -> InstanceRef {
    InstanceRef::Known(InstanceId::new(id))
}

/// The instance an answer tells of.
pub fn made(answer: Result<Accepted, EngineError>) -> String {
    match answer {
        Ok(Accepted::Made(id)) => id.as_str().to_owned(),
        other => panic!("expected a new instance, got {other:?}"),
    }
}
