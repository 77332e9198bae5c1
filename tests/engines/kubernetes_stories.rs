//! Watches of a real API server replayed in the order they came, told as the story a person would have seen.

use std::fmt::Write as _;

use expect_test::expect;
use quarterdeck::engine::kubernetes::watch::Kind;
use quarterdeck::model::{Health, WorkloadId};

use crate::kubernetes_recorded::{Cluster, NAMESPACE, check, line_of, recorded};

impl Cluster {
    /// Replays a story and tells every change of a workload and of the nodes.
    fn replay(&mut self, story: &str, name: &str) -> String {
        let (mut out, mut last) = (String::new(), String::new());
        for line in recorded(&format!("watch/{story}.txt")).lines() {
            let (at, rest) = line.split_once(' ').unwrap();
            let (kind, event) = rest.split_once(' ').unwrap();
            let kind = Kind::ALL.into_iter().find(|k| k.plural() == kind).unwrap();
            self.hear(kind, event);
            let snapshot = self.snapshot();
            let Some(workload) = snapshot.workload(&WorkloadId::new(name)) else { continue };
            let nodes = snapshot.nodes.iter().filter(|n| n.verdict.health != Health::Healthy);
            let nodes: String = nodes.map(|n| format!(" · {} {}", n.name, n.verdict.health)).collect();
            let now = format!("{}{nodes}", line_of(workload));
            if now != last {
                let seconds = at.parse::<f64>().unwrap() / 1000.0;
                writeln!(out, "{seconds:.1} {now}").unwrap();
                last = now;
            }
        }
        out
    }
}

#[test]
fn scaling_up_and_down_is_told_as_it_went() {
    let found = Cluster::begun().replay("scale-3-5-3", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 2 healthy
        1.1 3/5 rev 2 degraded [running, 0 old]: 3 of 5 instances exist
        1.1 3/5 rev 2 degraded: 3 of 5 instances exist
        1.1 3/5 rev 2 degraded: 4 of 5 instances exist
        1.1 3/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: is being set up on its node
        1.2 3/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: ContainerCreating
        1.9 3/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: not ready yet
        4.2 4/5 rev 2 starting: lms-ai-backend-69b5846bdc-t7fb4: not ready yet
        4.3 5/5 rev 2 healthy
        6.4 5/3 rev 2 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        6.4 4/3 rev 2 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        6.5 4/3 rev 2 healthy
        6.5 3/3 rev 2 healthy
    "#]],
    );
}

#[test]
fn a_rollout_is_followed_to_its_real_end() {
    let mut cluster = Cluster::begun();
    cluster.replay("scale-3-5-3", "lms-ai-backend");
    let found = cluster.replay("rollout-1.1.0", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 2 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        1.2 3/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.2 3/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: 0 of 3 updated
        1.2 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: waits for a node
        1.2 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: is being set up on its node
        1.2 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: ContainerCreating
        2.0 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-4svgm: not ready yet
        2.6 4/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: 1 of 3 updated
        2.6 3/3 rev 3 starting [running, 3 old]: an update is under way, 3 still as before: 1 of 3 updated
        2.6 3/3 rev 3 starting [running, 3 old]: lms-ai-backend-78cf4dc6bd-ftj4l: waits for a node
        2.7 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: waits for a node
        2.7 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: is being set up on its node
        3.3 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: ContainerCreating
        3.4 3/3 rev 3 starting [running, 2 old]: lms-ai-backend-78cf4dc6bd-ftj4l: not ready yet
        5.6 4/3 rev 3 starting [running, 2 old]: an update is under way, 2 still as before: 2 of 3 updated
        5.6 3/3 rev 3 starting [running, 2 old]: an update is under way, 2 still as before: 2 of 3 updated
        5.6 3/3 rev 3 starting [running, 1 old]: an update is under way, 1 still as before: 2 of 3 updated
        5.6 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: waits for a node
        5.6 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: is being set up on its node
        5.6 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: ContainerCreating
        6.2 3/3 rev 3 starting [running, 1 old]: lms-ai-backend-78cf4dc6bd-nlvtd: not ready yet
        6.6 4/3 rev 3 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        6.6 3/3 rev 3 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        6.6 3/3 rev 3 healthy
    "#]],
    );
    let workload = cluster.workload("lms-ai-backend");
    assert!(workload.rollout.is_none() && workload.instances.iter().all(|i| i.revision == workload.revision));
}

#[test]
fn an_image_that_is_not_there_is_said_and_taken_back() {
    let mut cluster = Cluster::begun();
    for story in ["scale-3-5-3", "rollout-1.1.0"] {
        cluster.replay(story, "lms-ai-backend");
    }
    let found = cluster.replay("rollout-failed-image", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 3 healthy
        1.1 3/3 rev 3 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 4 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: waits for a node
        1.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: is being set up on its node
        1.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: ContainerCreating
        1.7 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: Failed: Failed to pull image "registry.invalid/lms/ai-backend:9.9.9": failed to pull and unpack image "registry.inval
        1.7 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: Failed: Error: ErrImagePull
        2.1 3/3 rev 4 starting [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: Failed: Error: ImagePullBackOff
        2.1 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        15.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ImagePullBackOff: Back-off pulling image "registry.invalid/lms/ai-backend:9.9.9": ErrImagePull: failed to pu
        29.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        42.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ImagePullBackOff: Back-off pulling image "registry.invalid/lms/ai-backend:9.9.9": ErrImagePull: failed to pu
        56.0 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        61.6 3/3 rev 4 degraded [paused, 3 old]: ProgressDeadlineExceeded: ReplicaSet "lms-ai-backend-5c5b595574" has timed out progressing.
    "#]],
    );
    let found = cluster.replay("undo", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 4 degraded [paused, 3 old]: ProgressDeadlineExceeded: ReplicaSet "lms-ai-backend-5c5b595574" has timed out progressing.
        1.1 3/3 rev 4 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        1.1 3/3 rev 5 degraded [running, 3 old]: lms-ai-backend-5c5b595574-vht5z: backend: ErrImagePull: failed to pull and unpack image "registry.invalid/lms/ai-backend:9.9.9": failed to resolve ima
        1.2 3/3 rev 5 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.2 3/3 rev 5 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        1.3 3/3 rev 5 healthy
    "#]],
    );
}

#[test]
fn what_never_becomes_ready_is_told_with_its_probe() {
    let mut cluster = Cluster::begun();
    for story in ["scale-3-5-3", "rollout-1.1.0", "rollout-failed-image", "undo"] {
        cluster.replay(story, "lms-ai-backend");
    }
    let found = cluster.replay("rollout-never-ready-and-undo", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        1.1 3/3 rev 5 healthy
        1.1 3/3 rev 5 starting [running, 0 old]: an update is under way, 0 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 6 starting [running, 3 old]: an update is under way, 3 still as before: the controller has not seen the last change yet
        1.1 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: waits for a node
        1.1 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: is being set up on its node
        1.8 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: ContainerCreating
        1.9 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: not ready yet
        4.1 3/3 rev 6 starting [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        8.1 3/3 rev 6 degraded [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.2 3/3 rev 7 degraded [running, 3 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.2 3/3 rev 7 degraded [running, 1 old]: lms-ai-backend-657dbdfff6-wwxcl: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.3 3/3 rev 7 starting [running, 1 old]: an update is under way, 1 still as before: 1 old ones still to go
        13.3 3/3 rev 7 healthy
    "#]],
    );
}

#[test]
fn a_node_that_is_away_takes_its_pods_readiness_with_it() {
    let mut cluster = Cluster::new(Some(NAMESPACE));
    let found = cluster.replay("kubelet-down", "lms-ai-backend");
    check(
        &found,
        &expect![[r#"
        56.0 0/1 rev - unhealthy: not ready: the kubelet of node-1 is not heard of
        56.0 0/10 rev 14 unhealthy: not ready: the kubelet of node-1 is not heard of
        56.0 0/10 rev 14 unhealthy: not ready: the kubelet of node-1 is not heard of · node-1 unhealthy
        56.0 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-9d8b9: not ready: the kubelet of node-1 is not heard of · node-1 unhealthy
        56.2 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-qltl6: not ready: the kubelet of node-1 is not heard of · node-1 unhealthy
        63.6 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-qltl6: not ready: the kubelet of node-1 is not heard of
        64.6 0/10 rev 14 unhealthy: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        64.9 1/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        64.9 2/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.5 3/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.5 4/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.7 5/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.9 6/10 rev 14 degraded: lms-ai-backend-d48b48fcc-qltl6: not ready any more
        65.9 7/10 rev 14 degraded: lms-ai-backend-d48b48fcc-c27nr: not ready any more
        66.0 8/10 rev 14 degraded: lms-ai-backend-d48b48fcc-c27nr: not ready any more
        66.5 9/10 rev 14 degraded: lms-ai-backend-d48b48fcc-c27nr: not ready any more
        66.6 10/10 rev 14 healthy
    "#]],
    );
}
