//! What every engine promises, whatever runs behind it: each promise is one function, called for each engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use quarterdeck::engine::{LogQuery, Topic, Update};
use quarterdeck::model::{Health, InstanceId, Sample, Workload};
use quarterdeck::observe::log::Store;
use quarterdeck::operate::Operation;
use quarterdeck::operate::machine::{Machine, Outcome, Phase};
use quarterdeck::operate::plan::Work;
use quarterdeck::operate::refusal::Refusal;
use quarterdeck::operate::request::Ending;
use quarterdeck::operate::{Action, audit};

use crate::driver::{Ended, Place, healthy, ids, person};

const PATIENCE: Duration = Duration::from_secs(60);

/// A workload to work on and the images it can be given.
pub struct Case {
    pub place: Place,
    pub workload: &'static str,
    /// Another image that gets healthy.
    pub good: &'static str,
    /// One that starts and never does.
    pub bad: &'static str,
    /// A reference to nothing.
    pub missing: &'static str,
    /// The engine is told a wanted state and chooses the instances itself: they need not be the same ones.
    pub declared: bool,
}

impl Case {
    async fn now(&self) -> Arc<Workload> {
        self.place.workload(self.workload).await
    }

    async fn operate(&self, operation: Operation) -> Ended {
        match self.place.operate(operation, &[self.workload]).await {
            Ok(ended) => ended,
            Err(refusal) => panic!("refused: {refusal}"),
        }
    }

    async fn done(&self, operation: Operation) -> Ended {
        let ended = self.operate(operation).await;
        assert_eq!(ended.outcome, Outcome::Done, "{}: {}", ended.plan.title, ended.detail);
        ended
    }

    /// Nothing of an operation is left: no lock, and these very instances, well.
    async fn is_as_before(&self, before: &Workload) -> Arc<Workload> {
        let after = self.place.settled(self.workload, before.replicas().count()).await;
        assert_eq!(after.image, before.image);
        if !self.declared {
            assert_eq!(ids(&after), ids(before), "the same instances");
            assert_eq!(after.instances.len(), before.instances.len(), "and none beside");
            let names = |w: &Workload| w.instances.iter().map(|i| i.name.clone()).collect::<Vec<_>>();
            assert_eq!((names(&after), after.revision), (names(before), before.revision));
        }
        self.place.until("no lock", |s| s.lock.is_none()).await;
        after
    }
}

fn deploy(image: &str) -> Operation {
    Operation::Deploy { image: image.into(), container: None, strategy: None, fast: false, unwatched: false }
}

pub async fn it_lists_what_is_there(case: &Case) {
    let snapshot = case.place.look().await;
    assert!(!snapshot.environment.endpoint.is_empty());
    let names: Vec<&str> = snapshot.workloads.iter().map(|w| w.id.as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let workload = case.place.settled(case.workload, case.now().await.replicas().count()).await;
    assert_eq!(workload.verdict.health, Health::Healthy, "{:?}", workload.verdict.reasons);
    assert_eq!(workload.ready, workload.desired);
    assert!(workload.digest.is_some() && !workload.image.is_empty());
    for instance in &workload.instances {
        assert!(instance.has_healthcheck && instance.started_at.is_some() && instance.number > 0, "{instance:?}");
    }
}

pub async fn it_follows_logs_in_order(case: &Case) {
    let instance = ids(&*case.now().await)[0].clone();
    let query = LogQuery { tail: Some(5), ..LogQuery::of(instance.clone()) };
    let history = read(case, query.clone(), |_| false).await;
    assert!((1..=5).contains(&history.len()), "{history:?}");
    let newest = history.last().unwrap().0;
    // Following goes on after the history: at least one line newer than all of it comes.
    let followed = read(case, LogQuery { follow: true, ..query }, |lines| lines.last().is_some_and(|(at, _)| *at > newest)).await;
    assert!(followed.iter().map(|(at, _)| at).is_sorted(), "{followed:?}");
    assert!(followed.iter().all(|(_, text)| !text.contains('\u{1b}')));
}

/// The lines of a log until `enough`, or to its end.
async fn read(case: &Case, query: LogQuery, enough: impl Fn(&[(Timestamp, String)]) -> bool) -> Vec<(Timestamp, String)> {
    let mut stream = case.place.engine.subscribe(Topic::Logs(query));
    let mut store = Store::new(1 << 20);
    let mut lines = Vec::new();
    let reading = async {
        while let Some(update) = stream.next().await {
            let Update::Logs(batch) = update else { continue };
            store.push(&batch);
            let all = (0..store.len()).filter_map(|index| store.get(index)).filter(|line| line.marker.is_none());
            lines = all.map(|line| (line.at, line.text.to_owned())).collect();
            if enough(&lines) {
                break;
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "no more lines come");
    lines
}

pub async fn it_measures_what_is_asked_for(case: &Case) {
    let wanted: BTreeSet<InstanceId> = ids(&*case.now().await).into_iter().collect();
    let samples = samples(case, &wanted).await;
    for sample in &samples {
        assert!(sample.memory_bytes.is_some_and(|bytes| bytes > 0), "{sample:?}");
        assert!(sample.cpu_cores.is_some_and(|cores| (0.0..64.0).contains(&cores)), "{sample:?}");
    }
}

/// One reading with a CPU figure of each instance.
pub async fn samples(case: &Case, wanted: &BTreeSet<InstanceId>) -> Vec<Sample> {
    let every = Duration::from_millis(500);
    let mut stream = case.place.engine.subscribe(Topic::Stats { instances: wanted.clone(), every });
    let mut found: Vec<Sample> = Vec::new();
    let reading = async {
        while let Some(update) = stream.next().await {
            let Update::Samples(samples) = update else { continue };
            for sample in samples.into_iter().filter(|s| s.cpu_cores.is_some()) {
                assert!(wanted.contains(&sample.instance), "not asked for: {sample:?}");
                found.retain(|s| s.instance != sample.instance);
                found.push(sample);
            }
            if found.len() == wanted.len() {
                break;
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "no figures: {found:?}");
    found
}

/// Scales to each number in turn; `check` looks from another side after each.
pub async fn it_scales(case: &Case, steps: &[u32], check: impl Fn(u32)) {
    for &to in steps {
        let before = case.now().await;
        case.done(Operation::Scale { to }).await;
        let after = case.place.settled(case.workload, to as usize).await;
        let (old, new) = (ids(&before), ids(&after));
        let kept = old.len().min(new.len());
        let stays =
            if case.declared { new.iter().filter(|id| old.contains(id)).count() == kept } else { old[..kept] == new[..kept] };
        assert!(stays, "what need not go stays, and the highest numbers go first: {old:?} {new:?}");
        assert_eq!(after.verdict.health, Health::Healthy);
        check(to);
    }
}

pub async fn it_restarts_one_by_one(case: &Case) {
    let before = case.now().await;
    case.done(Operation::Restart).await;
    let after = case.place.settled(case.workload, before.replicas().count()).await;
    if case.declared {
        assert!(ids(&after).iter().all(|id| !ids(&before).contains(id)), "all are new");
        return;
    }
    assert_eq!(ids(&before), ids(&after));
    for (old, new) in before.replicas().zip(after.replicas()) {
        assert!(new.started_at > old.started_at, "{} was not restarted", new.name);
    }
}

pub async fn it_stops_and_starts_and_pauses(case: &Case) {
    use quarterdeck::model::InstanceState::{Exited, Paused, Running};
    for (operation, state) in [
        (Operation::Pause, Paused),
        (Operation::Unpause, Running),
        (Operation::Stop, Exited),
        (Operation::Start, Running),
        (Operation::Kill { signal: "SIGKILL".into() }, Exited),
        (Operation::Start, Running),
    ] {
        let title = case.done(operation).await.plan.title;
        let id = case.workload.into();
        let so = |s: &quarterdeck::model::Snapshot| s.workload(&id).is_some_and(|w| w.replicas().all(|i| i.state == state));
        case.place.until(&title, so).await;
    }
}

/// Deploys an image that gets healthy: every instance is new and a revision tells of it.
pub async fn it_deploys(case: &Case) {
    let before = case.now().await;
    let ended = case.done(deploy(case.good)).await;
    let after = case.place.settled(case.workload, before.replicas().count()).await;
    assert_eq!(&*after.image, case.good);
    assert!(ids(&after).iter().all(|id| !ids(&before).contains(id)), "all are new");
    assert_eq!(after.instances.len(), before.instances.len(), "the old ones are gone");
    assert_eq!(after.revision, Some(before.revision.unwrap_or(1) + 1));
    let newest = &after.revisions[0];
    assert_eq!((&*newest.image, newest.by.as_deref()), (case.good, Some("ada@desk")));
    if !case.declared {
        assert_eq!(newest.digest, after.digest);
    }
    let phases: Vec<audit::Phase> = ended.records.iter().map(|record| record.phase).collect();
    assert_eq!((phases.first(), phases.last()), (Some(&audit::Phase::Started), Some(&audit::Phase::Ended)));
}

/// Deploys an image that never gets healthy: the old instances are back by themselves.
pub async fn it_takes_a_bad_deploy_back(case: &Case) {
    let before = case.place.settled(case.workload, case.now().await.replicas().count()).await;
    let mut impatient = case.place.clone();
    impatient.policy.deploy.healthy_within = Duration::from_secs(4);
    let ended = impatient.operate(deploy(case.bad), &[case.workload]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::RolledBack, "{}", ended.detail);
    let told = ended.detail.contains("healthy") || ended.detail.contains("probe failed");
    assert!(told, "says what was wrong: {}", ended.detail);
    case.is_as_before(&before).await;
}

pub async fn it_says_that_an_image_is_missing(case: &Case) {
    let before = case.place.settled(case.workload, case.now().await.replicas().count()).await;
    let ended = case.operate(deploy(case.missing)).await;
    assert!(matches!(ended.outcome, Outcome::Failed | Outcome::RolledBack), "{:?}", ended.outcome);
    assert!(ended.detail.contains(case.missing), "{}", ended.detail);
    case.is_as_before(&before).await;
}

/// Rolls back to a named revision and to the one before; each is a revision of its own.
pub async fn it_rolls_back(case: &Case) {
    let first = case.now().await;
    let number = first.revision.unwrap_or(1);
    case.done(deploy(case.good)).await;
    let deployed = case.place.settled(case.workload, first.replicas().count()).await;
    case.done(Operation::Rollback { to: Some(number) }).await;
    let back = case.place.settled(case.workload, first.replicas().count()).await;
    assert_eq!((&back.image, &back.digest), (&first.image, &first.digest));
    assert_eq!(back.revision, Some(number + 2), "going back is a revision too");
    let known: Vec<u64> = back.revisions.iter().take(3).map(|r| r.number).collect();
    // A cluster gives the old definition the new number: then the old one is no more.
    let renumbered = case.declared && known == [number + 2, number + 1];
    assert!(renumbered || known == [number + 2, number + 1, number], "{known:?}");
    case.done(Operation::Rollback { to: None }).await;
    let again = case.place.settled(case.workload, first.replicas().count()).await;
    assert_eq!((&again.image, &again.digest), (&deployed.image, &deployed.digest));
    let refusal = case.place.plan(Operation::Rollback { to: Some(4711) }, &[case.workload]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownRevision { .. }), "{refusal}");
}

/// While one person holds the lock nobody else starts anything, and a plan made before it was taken does not run.
pub async fn it_lets_one_person_work_at_a_time(case: &Case) {
    let bob = case.place.by(person("bob", 2));
    let early = bob.plan(Operation::Restart, &[case.workload]).await.unwrap();
    let before = case.now().await;
    let ended = case.place.operate(Operation::Lock { why: "database move".into() }, &[]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    let seen = case.place.until("the lock", |s| s.lock.is_some()).await;
    let holder = seen.lock.clone().unwrap();
    assert_eq!((&*holder.by, &*holder.why), ("ada@desk", "database move"));

    let refusal = bob.plan(Operation::Restart, &[case.workload]).await.unwrap_err();
    assert!(refusal.to_string().contains("ada@desk") && refusal.to_string().contains("database move"), "{refusal}");
    let ended = bob.run(early).await;
    assert_eq!(ended.outcome, Outcome::Refused, "{}", ended.detail);
    assert!(ended.detail.contains("ada@desk"), "{}", ended.detail);

    // Its holder works under it, and has it still afterwards.
    case.done(Operation::Restart).await;
    let seen = case.place.until("the lock by hand", |s| s.lock.as_ref().is_some_and(|l| l.operation.is_none())).await;
    assert_eq!(seen.lock.as_ref().map(|l| l.why.clone()).as_deref(), Some("database move"));
    let ended = case.place.operate(Operation::Unlock, &[]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    case.is_as_before(&before).await;
}

/// Deploys and dies at the first step for which `at` holds; then another process ends it.
pub async fn it_recovers(case: &Case, ending: Ending, at: impl Fn(&Work) -> bool) {
    let before = case.place.settled(case.workload, case.now().await.replicas().count()).await;
    let plan = case.place.plan(deploy(case.good), &[case.workload]).await.unwrap();
    let here = |machine: &Machine| match machine.phase {
        Phase::Running(index) => at(&machine.plan.steps[index].work),
        _ => false,
    };
    let ended = case.place.run_until(plan, here).await;
    assert!(ended.is_none(), "it died: {ended:?}");

    let heir = case.place.by(person("bob", 2));
    let refusal = heir.plan(Operation::Restart, &[case.workload]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Unfinished { .. }), "{refusal}");
    let ended = heir.operate(Operation::Recover { ending }, &[]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}: {}", ended.plan.title, ended.detail);
    match ending {
        Ending::Undo => drop(case.is_as_before(&before).await),
        Ending::Finish => {
            let after = case.place.settled(case.workload, before.replicas().count()).await;
            assert_eq!(&*after.image, case.good);
            assert_eq!(after.instances.len(), before.instances.len(), "nothing is left over");
            assert!(after.replicas().all(|i| healthy(i) && i.revision == after.revision));
            case.place.until("no lock", |s| s.lock.is_none()).await;
        }
    }
}

/// A moment of an operation: what it does, and the work it does it by.
pub type Moment = (&'static str, fn(&Work) -> bool);

/// The moments at which an operation may die: before anything, in the middle of a replacement, while it waits, at the end.
pub fn moments() -> Vec<Moment> {
    vec![
        ("looking for the image", |work| matches!(work, Work::Act(Action::EnsureImage { .. }))),
        ("setting aside", |work| matches!(work, Work::Act(Action::SetAside { .. }))),
        ("creating", |work| matches!(work, Work::Act(Action::Create { .. }))),
        ("starting", |work| matches!(work, Work::Act(Action::Start { .. }))),
        ("waiting", |work| matches!(work, Work::Await(_))),
        ("stopping the old one", |work| matches!(work, Work::Act(Action::Stop { .. }))),
        ("removing the old one", |work| matches!(work, Work::Act(Action::Remove { .. }))),
    ]
}
