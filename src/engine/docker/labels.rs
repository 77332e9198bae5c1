//! The labels read and written on containers and Swarm services: the engine's own, and ours, which carry revisions and
//! locks.

/// Compose's project name.
pub const PROJECT: &str = "com.docker.compose.project";
/// Compose's service name.
pub const SERVICE: &str = "com.docker.compose.service";
/// Compose's replica number, from 1.
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `True` for containers of `docker compose run`.
pub const ONE_OFF: &str = "com.docker.compose.oneoff";
/// The image id a Compose v2 container was made from.
pub const IMAGE: &str = "com.docker.compose.image";

/// Swarm: the stack a service belongs to.
pub const STACK: &str = "com.docker.stack.namespace";
/// Swarm: the task a container is of.
pub const TASK: &str = "com.docker.swarm.task.id";
/// Swarm: the service a container is of, by name.
pub const TASK_SERVICE: &str = "com.docker.swarm.service.name";

/// The number of the revision a container belongs to.
pub const REVISION: &str = "dev.quarterdeck.revision";
/// The last ten revisions as a JSON array, newest (its own) first.
pub const HISTORY: &str = "dev.quarterdeck.history";
/// The operation that made the container.
pub const OPERATION: &str = "dev.quarterdeck.operation";
/// The names (aliases) a replica made hidden will have on each of its networks, as a JSON object.
pub const NAMES: &str = "dev.quarterdeck.names";
/// Which of the replicas that operation makes it is.
pub const SLOT: &str = "dev.quarterdeck.slot";

/// On a service: how many replicas it had before it was stopped.
pub const RESTING: &str = "dev.quarterdeck.resting";
/// On a service: its own update settings (JSON), while a pacing of ours is in their place.
pub const OWN_PACE: &str = "dev.quarterdeck.own-update-config";

/// On a service: the task template of a revision (JSON). It may hold secrets: never shown.
#[must_use]
pub fn template(revision: u64) -> String {
    format!("{TEMPLATE}{revision}")
}
/// What the names of templates begin with.
pub const TEMPLATE: &str = "dev.quarterdeck.template.";

/// On a lock container: the scope locked (the project's name, or [`LOOSE`]).
pub const LOCK: &str = "dev.quarterdeck.lock";
pub const LOCK_BY: &str = "dev.quarterdeck.lock.by";
pub const LOCK_HOST: &str = "dev.quarterdeck.lock.host";
pub const LOCK_PID: &str = "dev.quarterdeck.lock.pid";
pub const LOCK_PID_STARTED: &str = "dev.quarterdeck.lock.pid-started";
pub const LOCK_WHY: &str = "dev.quarterdeck.lock.why";
pub const LOCK_SINCE: &str = "dev.quarterdeck.lock.since";
pub const LOCK_OPERATION: &str = "dev.quarterdeck.lock.operation";
pub const LOCK_REQUEST: &str = "dev.quarterdeck.lock.request";

/// The name of the environment that holds containers of no project.
pub const LOOSE: &str = "containers";
/// The name of the environment that holds Swarm services of no stack.
pub const NO_STACK: &str = "swarm";

/// The name of a scope's lock container: creating it is atomic, the engine refuses a second one.
#[must_use]
pub fn lock_name(scope: &str) -> String {
    format!("quarterdeck-lock-{scope}")
}
