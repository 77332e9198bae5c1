//! A deploy as planned and half way through, for what draws or drives one.

use std::time::Duration;

use quarterdeck::app::State;
use quarterdeck::model::{EnvironmentId, Guard};
use quarterdeck::operate::action::{Action, InstanceRef};
use quarterdeck::operate::machine::{Machine, Phase, StepProgress, StepState};
use quarterdeck::operate::plan::{Basis, Change, Gate, Names, Plan, Step, Work};
use quarterdeck::operate::policy::OnFailure;
use quarterdeck::operate::{Operation, Request, Target};

use crate::scene::{actor, ago, production};

/// A deploy of three steps an instance.
pub fn plan(environment: EnvironmentId, guard: Guard) -> Plan {
    let known = |n: u32| InstanceRef::Known(format!("backend-{n}").as_str().into());
    let act = |name: String, call: String, action: Action| Step {
        name: name.into(),
        call: call.into(),
        undo: vec![Work::Act(action.clone())],
        work: Work::Act(action),
        optional: false,
    };
    let mut steps = vec![act(
        "fetch backend:1.5.0".into(),
        "POST /images/create?fromImage=backend&tag=1.5.0".into(),
        Action::EnsureImage { environment: environment.clone(), image: "backend:1.5.0".into(), digest: None },
    )];
    for n in 1..=3 {
        steps.push(act(
            format!("start backend-{n}"),
            format!("POST /containers/lms-ai_backend_{n}/start"),
            Action::Start { instance: known(n) },
        ));
        let gate = Gate::Healthy { instance: known(n), within: Duration::from_secs(90), hold: Duration::from_secs(15) };
        steps.push(Step {
            name: format!("backend-{n} is healthy").into(),
            call: "".into(),
            work: Work::Await(gate),
            undo: Vec::new(),
            optional: false,
        });
    }
    Plan {
        at: ago(70),
        id: "02-deploy".into(),
        request: Request {
            environment,
            targets: vec![Target { workload: "backend".into(), instance: None }],
            operation: Operation::Deploy {
                image: "backend:1.5.0".into(),
                container: None,
                strategy: None,
                fast: false,
                unwatched: false,
            },
        },
        title: "deploy backend 1.4.0 → 1.5.0".into(),
        target: "backend".into(),
        endpoint: "tcp://10.0.0.5:2376 · project lms-ai".into(),
        guard,
        destructive: false,
        basis: Basis { workloads: Vec::new() },
        steps,
        changes: vec![
            Change { path: "backend.image".into(), before: "backend:1.4.0 (9f2a41c07b1d)".into(), after: "backend:1.5.0".into() },
            Change { path: "backend.revision".into(), before: "4".into(), after: "5".into() },
        ],
        warnings: vec!["proxypal is unhealthy; it is not part of this".into()],
        on_failure: OnFailure::Auto,
        confirmed: std::collections::BTreeSet::new(),
        notify: Vec::new(),
        lock: None,
        names: Names::default(),
    }
}

/// A deploy half way through.
pub fn running(state: &mut State) {
    let mut plan = plan(production(), Guard::Type);
    plan.id = "01-deploy".into();
    let (mut machine, _) = Machine::new(plan, &actor(), ago(72));
    machine.phase = Phase::Running(4);
    let told = [
        (StepState::Done, "present"),
        (StepState::Done, ""),
        (StepState::Done, "healthy for 15 s"),
        (StepState::Done, ""),
        (StepState::Running, "healthy 6 s, holding 9 s more"),
    ];
    for (at, (state, detail)) in told.into_iter().enumerate() {
        let at_s = i64::try_from(at).unwrap();
        machine.progress[at] = StepProgress {
            state,
            detail: detail.into(),
            output: None,
            load: None,
            readings: Vec::new(),
            began: Some(ago(70 - at_s * 14)),
            ended: (state == StepState::Done).then(|| ago(58 - at_s * 14)),
        };
    }
    state.operations.running.push(machine);
    state.generation += 1;
}
