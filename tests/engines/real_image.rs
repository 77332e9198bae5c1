//! Images on a real engine: there, pulled with progress, or refused for a reason a person can act on.

use std::sync::Arc;

use quarterdeck::engine::EngineError;
use quarterdeck::model::EnvironmentId;
use quarterdeck::operate::{Accepted, Action};

use crate::real_engine::{RealEngine, not_run, real_engine};
use crate::registry::Registry;

fn ensure(image: &str, digest: Option<&str>) -> Action {
    Action::EnsureImage { environment: EnvironmentId::new("real", "shop"), image: image.into(), digest: digest.map(Arc::from) }
}

/// The registry is on this machine's loopback: an engine elsewhere cannot see it.
fn engine_here() -> Option<&'static RealEngine> {
    let engine = real_engine()?;
    if !engine.host.starts_with("unix://") {
        not_run("pulling from a registry", "the engine is not on this machine and cannot reach the test's registry");
        return None;
    }
    Some(engine)
}

#[tokio::test]
async fn an_image_that_is_there_is_not_fetched() {
    let Some(engine) = real_engine() else { return };
    let id: Arc<str> = engine.image_id("qd-test/app:1").into();
    let there = Ok(Accepted::Image { digest: Some(id.clone()), pulled: false });
    assert_eq!(engine.act(ensure("qd-test/app:1", None)).await, there);
    assert_eq!(engine.act(ensure("qd-test/app:1", Some(&id))).await, there);
    // The tag has moved on, the content is still here.
    assert_eq!(engine.act(ensure("qd-test/app:2", Some(&id))).await, there);
}

#[tokio::test]
async fn an_image_that_is_not_there_is_pulled_with_progress() {
    let Some(engine) = engine_here() else { return };
    let registry = Registry::start(None);
    let image = format!("{}/app:1", registry.address);
    let (answer, said) = engine.act_reporting(ensure(&image, None)).await;
    let id: Arc<str> = engine.image_id(&image).into();
    assert_eq!(answer, Ok(Accepted::Image { digest: Some(id.clone()), pulled: true }));
    assert_eq!(said.first().map(String::as_str), Some(format!("pulling {image}").as_str()));
    assert_eq!(engine.act(ensure(&image, None)).await, Ok(Accepted::Image { digest: Some(id), pulled: false }));

    // A revision's content that is gone, while the tag gives another.
    engine.docker(&["rmi", &image]);
    let gone = format!("sha256:{}", "0".repeat(64));
    let error = engine.act(ensure(&image, Some(&gone))).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { .. }) && error.to_string().contains("tag has moved on"), "{error}");
    engine.docker(&["rmi", &image]);
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_said_why() {
    let Some(engine) = engine_here() else { return };
    let open = Registry::start(None);
    let image = format!("{}/app:9", open.address);
    let error = engine.act(ensure(&image, None)).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { .. }) && error.to_string().contains(&image), "{error:?}");

    let closed = Registry::start(Some("Basic bWU6cGFzcw=="));
    let error = engine.act(ensure(&format!("{}/app:1", closed.address), None)).await.unwrap_err();
    let hint = format!("docker login {}", closed.address);
    assert!(matches!(error, EngineError::Rejected { .. }) && error.to_string().contains(&hint), "{error:?}");

    // Nothing listens there: the port was given back.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = engine.act(ensure(&format!("{nobody}/app:1"), None)).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains(&format!("registry {nobody} cannot be reached")), "{error:?}");

    let error = engine.act(ensure("Not A Reference", None)).await.unwrap_err();
    assert!(error.to_string().contains("Not A Reference"), "{error:?}");
}
