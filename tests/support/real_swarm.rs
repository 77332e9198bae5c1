//! A real Swarm for tests: a manager that is its only node, and the stacks deployed on it by `docker stack deploy`.

use std::sync::OnceLock;

use quarterdeck::model::EnvironmentId;

use crate::real_engine::{RealEngine, not_run, root};

/// The Swarm tests may use as they like, named by `QD_TEST_SWARM_HOST` (`tests/run` sets it), or `None` after saying loudly
/// that the test is not run; where an engine is required, its lack is a failure.
pub fn real_swarm() -> Option<&'static RealEngine> {
    static ENGINE: OnceLock<Option<RealEngine>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let host = std::env::var("QD_TEST_SWARM_HOST").ok().filter(|host| !host.is_empty())?;
        Some(RealEngine { host })
    });
    if engine.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        not_run(&test, "no real Swarm (run tests/run, or name a manager in QD_TEST_SWARM_HOST)");
        assert!(std::env::var("QD_TEST_REQUIRE_ENGINE").as_deref() != Ok("1"), "a real Swarm is required");
    }
    engine.as_ref()
}

/// A stack, removed at the end of the test.
pub struct SwarmStack<'a> {
    pub engine: &'a RealEngine,
    pub name: String,
}

impl<'a> SwarmStack<'a> {
    /// Deploys the stack of the tests under a name of its own.
    pub fn up(engine: &'a RealEngine, stem: &str) -> Self {
        let stack = Self { engine, name: engine.unique(stem) };
        stack.deploy();
        stack
    }

    /// `docker stack deploy`, once more where it is up.
    pub fn deploy(&self) {
        let file = root().join("tests/engines/stack/swarm.yml");
        let file = file.to_string_lossy();
        self.engine.docker(&["stack", "deploy", "--resolve-image", "never", "--compose-file", &file, &self.name]);
    }

    pub fn environment(&self) -> EnvironmentId {
        EnvironmentId::new("real", self.name.as_str())
    }

    /// A service as the manager has it.
    pub fn inspect(&self, service: &str) -> serde_json::Value {
        let name = format!("{}_{service}", self.name);
        let all: serde_json::Value = serde_json::from_str(&self.engine.docker(&["service", "inspect", &name])).unwrap();
        all[0].clone()
    }
}

impl Drop for SwarmStack<'_> {
    fn drop(&mut self) {
        self.engine.try_docker(&["stack", "rm", &self.name]);
        self.engine.try_docker(&["config", "rm", &format!("quarterdeck-lock-{}", self.name)]);
    }
}
