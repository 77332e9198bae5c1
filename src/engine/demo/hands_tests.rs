//! What is done by hand in the demo world, and the world outside as it is played there.

use std::sync::Arc;
use std::time::Duration;

use super::act_tests::{fresh, known};
use super::still::Still;
use crate::engine::EngineError;
use crate::model::probe::{ProbeKind, ProbeSpec};
use crate::model::{EnvironmentId, Instance, InstanceState, Workload};
use crate::operate::Errand;
use crate::operate::action::{Accepted, Action, InstanceRef, Output, Replica};
use crate::operate::errand::{EngineFigure, Limit, Metric, MetricSource};

fn environment(name: &str) -> EnvironmentId {
    EnvironmentId::new("demo", name)
}

fn workload(still: &Still, environment: &str, name: &str) -> Arc<Workload> {
    let inventory = still.inventory();
    let snapshot = inventory.environments.iter().find(|s| &*s.environment.id.name == environment).unwrap();
    snapshot.workload(&name.into()).unwrap().clone()
}

fn first(still: &Still, environment: &str, name: &str) -> Arc<Instance> {
    workload(still, environment, name).instances[0].clone()
}

fn words(command: &[&str]) -> Vec<Arc<str>> {
    command.iter().map(|word| Arc::from(*word)).collect()
}

fn output(answer: Result<Accepted, EngineError>) -> Output {
    match answer {
        Ok(Accepted::Output(output)) => *output,
        other => panic!("{other:?}"),
    }
}

fn exec(instance: &Instance, command: &[&str]) -> Action {
    Action::Exec { instance: known(&instance.id), command: words(command), timeout: Duration::from_secs(10) }
}

#[test]
fn commands_answer_as_the_world_is() {
    let mut still = fresh();
    let (redis, app) = (first(&still, "staging", "redis"), first(&still, "staging", "app"));
    for (instance, command, code, last) in [
        (&redis, &["redis-cli", "ping"][..], 0, "PONG"),
        (&redis, &["redis-cli", "-p", "6379", "BGSAVE"], 0, "Background saving started"),
        (&redis, &["sh", "-c", "redis-cli PING && exit 3"], 3, "PONG"),
        (&app, &["alembic", "upgrade", "head"], 0, "INFO  [alembic.runtime.migration] Running upgrade, done"),
        (&app, &["false"], 1, ""),
    ] {
        let ended = output(still.execute(&exec(instance, command)));
        assert_eq!((ended.code, ended.last_line()), (code, last), "{command:?}");
    }
    assert_eq!(output(still.execute(&exec(&app, &["redis-cli", "ping"]))).code, 127);
    still.execute(&Action::Stop { instance: known(&redis.id), grace: None }).unwrap();
    assert!(matches!(still.execute(&exec(&redis, &["redis-cli", "ping"])), Err(EngineError::Conflict { .. })));
}

#[test]
fn a_one_off_is_seen_beside_the_replicas_and_run_once() {
    let mut still = fresh();
    let before = workload(&still, "staging", "app");
    let run = |still: &mut Still, slot: u32, image: Option<&str>| {
        let replica = Replica {
            environment: environment("staging"),
            workload: "app".into(),
            like: before.instances[0].id.clone(),
            slot,
            number: None,
            image: image.map(Arc::from),
            digest: None,
            revisions: None,
            hidden: false,
        };
        let command = words(&["alembic", "upgrade", "head"]);
        still.execute(&Action::RunOnce {
            operation: "op-1".into(),
            replica: Box::new(replica),
            command,
            timeout: Duration::from_secs(9),
        })
    };
    assert_eq!(output(run(&mut still, 0, None)).code, 0);
    assert_eq!(output(run(&mut still, 0, None)).code, 0);
    let after = workload(&still, "staging", "app");
    let extra: Vec<_> = after.instances.iter().filter(|i| i.one_off).collect();
    assert_eq!(extra.len(), 1);
    assert_eq!((extra[0].state, extra[0].exit_code), (InstanceState::Exited, Some(0)));
    assert_eq!((after.ready, after.desired, &after.image), (before.ready, before.desired, &before.image));
    still.advance(Duration::from_secs(30));
    assert_eq!(workload(&still, "staging", "app").verdict.health, before.verdict.health);

    let broken = before.image.rsplit_once(':').map(|(repository, _)| format!("{repository}:9.9-broken")).unwrap();
    assert!(matches!(run(&mut still, 1, Some(&broken)), Err(EngineError::NotFound { .. })), "it has not been pulled");
    let ensure = Action::EnsureImage { environment: environment("staging"), image: broken.as_str().into(), digest: None };
    still.execute(&ensure).unwrap();
    assert_eq!(output(run(&mut still, 1, Some(&broken))).code, 1, "its migration fails");

    for slot in [0, 1] {
        let forget = || Action::ForgetOnce { environment: environment("staging"), operation: "op-1".into(), slot };
        assert_eq!(still.execute(&forget()), Ok(Accepted::Done));
        assert_eq!(still.execute(&forget()), Ok(Accepted::AlreadySo));
    }
    assert_eq!(workload(&still, "staging", "app").instances.len(), before.instances.len());
}

#[test]
fn a_file_is_written_and_put_back() {
    let mut still = fresh();
    let app = first(&still, "staging", "app");
    let (path, keep): (Arc<str>, _) = ("/etc/up.conf".into(), "op-1");
    let put = |content: &str| Action::PutFile {
        instance: known(&app.id),
        path: path.clone(),
        content: content.into(),
        keep: keep.into(),
    };
    let restore = Action::RestoreFile { instance: known(&app.id), path: path.clone(), keep: keep.into() };
    let cat = exec(&app, &["cat", "/etc/up.conf"]);
    still.execute(&put("green")).unwrap();
    still.execute(&put("both")).unwrap();
    assert_eq!(output(still.execute(&cat)).last_line(), "both");
    assert_eq!(still.execute(&restore), Ok(Accepted::Done));
    assert_eq!(output(still.execute(&cat)).code, 1, "it was not there before");
    assert_eq!(still.execute(&restore), Ok(Accepted::AlreadySo));
    let join = || Action::Join { instance: known(&app.id), aliases: words(&["live"]) };
    assert_eq!(still.execute(&join()), Ok(Accepted::Done));
    assert_eq!(still.execute(&join()), Ok(Accepted::AlreadySo));
}

fn good(still: &mut Still, errand: Errand) -> Result<Option<f64>, String> {
    match still.execute(&Action::Errand(Box::new(errand))) {
        Ok(Accepted::Reading { value, .. }) => Ok(value),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn probes_and_figures_are_those_of_the_world() {
    let mut still = fresh();
    let redis = first(&still, "staging", "redis");
    let probe = |instances: Vec<InstanceRef>| Errand::Probe {
        probe: Arc::new(ProbeSpec {
            workload: Some("redis".into()),
            ..ProbeSpec::of("cache", ProbeKind::Tcp("{instance}:6379".into()))
        }),
        instances,
    };
    let metric = |name: &str, figure: Option<EngineFigure>, limit| Errand::Metric {
        metric: Box::new(Metric {
            name: name.into(),
            environment: environment("staging"),
            source: match figure {
                Some(figure) => MetricSource::Engine { figure, instances: vec![known(&redis.id)] },
                None => MetricSource::Scrape { urls: Vec::new(), instances: vec![known(&redis.id)] },
            },
            window: Duration::from_secs(5),
        }),
        limit,
    };
    assert!(good(&mut still, probe(vec![known(&redis.id)])).is_ok_and(|ms| ms.is_some()));
    assert!(good(&mut still, metric("cpu", Some(EngineFigure::Cpu), Some(Limit::Below(4.0)))).is_ok_and(|v| v > Some(0.0)));
    assert!(good(&mut still, metric("error_rate", None, Some(Limit::Below(0.05)))).is_ok());
    assert!(good(&mut still, metric("nothing_of_the_kind", None, None)).is_err());

    let tcp = |address: &str| Errand::Tcp { address: address.into(), timeout: Duration::from_secs(3) };
    assert!(good(&mut still, tcp("redis:6379")).is_ok() && good(&mut still, tcp("db.internal:5432")).is_ok());
    let certificate = |days| Errand::Certificate { address: "lms.example:443".into(), days, timeout: Duration::from_secs(3) };
    assert!(good(&mut still, certificate(14)).is_ok() && good(&mut still, certificate(400)).is_err());

    still.execute(&Action::Stop { instance: known(&redis.id), grace: None }).unwrap();
    let why = good(&mut still, probe(vec![known(&redis.id)])).unwrap_err();
    assert!(why.contains(&*redis.name), "{why}");
    assert!(good(&mut still, tcp("redis:6379")).is_err());

    // A real host is looked at for real, and a still world looks at nothing.
    assert!(good(&mut still, tcp("127.0.0.1:1")).is_err_and(|why| why.contains("outside")));
}
