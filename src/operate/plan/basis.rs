//! What a plan was made from, and whether it is still so.

use crate::model::{InstanceId, Mechanics, Snapshot, Workload};

use super::{Basis, Was};

impl Basis {
    /// The basis that `workloads` are.
    #[must_use]
    pub fn of<'a>(workloads: impl IntoIterator<Item = &'a Workload>) -> Self {
        let was = |w: &Workload| Was { workload: w.id.clone(), revision: w.revision, desired: w.desired, instances: ids(w) };
        Self { workloads: workloads.into_iter().map(was).collect() }
    }

    /// What has changed since, in words; empty when nothing has.
    #[must_use]
    pub fn changed(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut found = Vec::new();
        for Was { workload: id, revision, desired, instances } in &self.workloads {
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
            match snapshot.environment.mechanics {
                Mechanics::Instances => {
                    let now = ids(workload);
                    if now != *instances {
                        let gone = instances.iter().filter(|i| !now.contains(i)).count();
                        let new = now.iter().filter(|i| !instances.contains(i)).count();
                        found.push(format!("{id}: {gone} of its instances are gone and {new} are new"));
                    }
                }
                // The engine makes the instances: they come and go by themselves, in the midst of a rollout too.
                Mechanics::Declared => {
                    // An autoscaler changes that all the time.
                    let scaled = workload.controller.as_ref().is_some_and(|c| c.scaler.is_some());
                    if workload.desired != *desired && !scaled {
                        found.push(format!("{id} is to have {} instances now, not {desired}", workload.desired));
                    }
                }
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
