//! Clusters for the tests: the simulated API server, and a real one where `QD_TEST_KUBECONFIG` names its kubeconfig.

use std::path::PathBuf;
use std::sync::Arc;

use quarterdeck::config::{ConnectionSpec, EnvironmentSpec, KubernetesTarget, TargetSpec};
use quarterdeck::engine::{Engine, EngineError, Report, kubernetes};
use quarterdeck::model::{ConnectionId, EngineKind, EnvironmentId, Guard, Tier};
use quarterdeck::operate::{Accepted, Action, Policy};

use crate::apiserver::ApiServer;
use crate::driver::Place;

/// The context of a kubeconfig as a connection with one environment, of this namespace (`*`: all).
pub fn spec(kubeconfig: PathBuf, context: &str, namespace: &str) -> ConnectionSpec {
    let environment = EnvironmentSpec {
        name: "lms".into(),
        tier: Tier::Local,
        guard: Guard::Open,
        engine: EngineKind::Kubernetes,
        project: namespace.into(),
        files: Vec::new(),
        env_file: None,
        policy: Policy::of(Guard::Open),
    };
    ConnectionSpec {
        id: ConnectionId::new("cluster"),
        target: TargetSpec::Kubernetes(KubernetesTarget { kubeconfig: vec![kubeconfig], context: context.into() }),
        environments: vec![environment],
        discover: false,
        on_demand: false,
        redaction: Arc::default(),
    }
}

pub fn environment() -> EnvironmentId {
    EnvironmentId::new("cluster", "lms")
}

/// The engine of a simulated server, in a namespace, as the user of a context.
pub fn engine_as(server: &ApiServer, context: &str, namespace: &str) -> Arc<dyn Engine> {
    kubernetes::connect(&spec(server.kubeconfig_path(), context, namespace))
}

/// As who may do all, in `lms-ai`.
pub fn engine(server: &ApiServer) -> Arc<dyn Engine> {
    engine_as(server, "lms", "lms-ai")
}

pub fn place(engine: Arc<dyn Engine>) -> Place {
    Place::new(engine, environment())
}

/// Does one small thing.
pub async fn act(engine: &Arc<dyn Engine>, action: Action) -> Result<Accepted, EngineError> {
    let report: Report = Arc::new(|_| ());
    engine.execute(action, report).await
}
