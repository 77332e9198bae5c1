//! What a plan was made from, and whether it is still so.

use crate::model::{InstanceId, Mechanics, Snapshot, Workload};

use super::Basis;

impl Basis {
    /// The basis that `workloads` are.
    #[must_use]
    pub fn of<'a>(workloads: impl IntoIterator<Item = &'a Workload>) -> Self {
        Self { workloads: workloads.into_iter().map(|w| (w.id.clone(), w.revision, ids(w))).collect() }
    }

    /// What has changed since, in words; empty when nothing has.
    #[must_use]
    pub fn changed(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut found = Vec::new();
        for (id, revision, instances) in &self.workloads {
            let Some(workload) = snapshot.workload(id) else {
                if !instances.is_empty() {
                    found.push(format!("{id} is gone"));
                }
                continue;
            };
            if workload.revision != *revision {
                let of = |r: Option<u64>| r.map_or("none".to_owned(), |n| n.to_string());
                found.push(format!("{id} went from revision {} to {}", of(*revision), of(workload.revision)));
            }
            // Where the engine makes the instances they come and go by themselves: in the midst of a rollout, too.
            let ours = snapshot.environment.mechanics == Mechanics::Instances;
            let now = ids(workload);
            if ours && now != *instances {
                let gone = instances.iter().filter(|i| !now.contains(i)).count();
                let new = now.iter().filter(|i| !instances.contains(i)).count();
                found.push(format!("{id}: {gone} of its instances are gone and {new} are new"));
            }
        }
        found
    }
}

fn ids(workload: &Workload) -> Vec<InstanceId> {
    let mut ids: Vec<InstanceId> = workload.instances.iter().filter(|i| !i.one_off).map(|i| i.id.clone()).collect();
    ids.sort();
    ids
}
