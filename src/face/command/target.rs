//! Names on the command line to what they mean: `ENV`, `ENV/WORKLOAD`, `ENV/WORKLOAD/INSTANCE`, or a bare name that
//! fits only one thing.

use crate::app::State;
use crate::model::problem::nearest;
use crate::model::{EnvironmentId, InstanceId, Snapshot, WorkloadId};
use crate::operate::Target;

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub environment: EnvironmentId,
    pub workload: Option<WorkloadId>,
    pub instance: Option<InstanceId>,
}

impl Found {
    /// The target of an operation; `None` when a whole environment is meant.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        self.workload.clone().map(|workload| Target { workload, instance: self.instance.clone() })
    }
}

/// Finds what `name` means. Names may hold `/`: the longest known environment name that fits wins.
///
/// # Errors
/// A sentence when it fits nothing or several things; then it lists them.
pub fn find(state: &State, name: &str) -> Result<Found, String> {
    let environments: Vec<(String, &Snapshot)> =
        state.snapshots().map(|s| (state.name_of(&s.environment.id), s.as_ref())).collect();
    let fitting = environments.iter().filter_map(|(known, snapshot)| {
        let rest = name.strip_prefix(known.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (known, *snapshot, rest.trim_start_matches('/')))
    });
    if let Some((known, snapshot, rest)) = fitting.max_by_key(|(known, ..)| known.len()) {
        let environment = snapshot.environment.id.clone();
        if rest.is_empty() {
            return Ok(Found { environment, workload: None, instance: None });
        }
        return match inside(snapshot, rest).as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(unknown_inside(known, snapshot, rest)),
            several => Err(ambiguous(state, name, several)),
        };
    }
    let found: Vec<Found> = environments.iter().flat_map(|(_, s)| inside(s, name)).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(unknown(state, &environments, name)),
        several => Err(ambiguous(state, name, several)),
    }
}

/// What fits in one environment: a workload, a workload and one of its instances, or an instance alone.
fn inside(snapshot: &Snapshot, name: &str) -> Vec<Found> {
    let environment = &snapshot.environment.id;
    let mut found = Vec::new();
    for workload in &snapshot.workloads {
        let here = |instance: Option<InstanceId>| Found {
            environment: environment.clone(),
            workload: Some(workload.id.clone()),
            instance,
        };
        if workload.id.as_str() == name {
            return vec![here(None)];
        }
        let of_workload = name.strip_prefix(workload.id.as_str()).and_then(|rest| rest.strip_prefix('/'));
        for instance in &workload.instances {
            let number = instance.number.to_string();
            let long_enough = |n: &str| n.len() >= 6 && instance.id.as_str().starts_with(n);
            let fits = |n: &str| *instance.name == *n || instance.id.as_str() == n || long_enough(n);
            if fits(name) || of_workload.is_some_and(|n| fits(n) || n == number) {
                found.push(here(Some(instance.id.clone())));
            }
        }
    }
    found
}

fn unknown_inside(known: &str, snapshot: &Snapshot, rest: &str) -> String {
    let names: Vec<&str> = snapshot.workloads.iter().map(|w| w.id.as_str()).collect();
    let meant = nearest(rest, names.iter().copied()).map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
    format!("{known} has no {rest}{meant}; it has: {}", list(&names))
}

fn unknown(state: &State, environments: &[(String, &Snapshot)], name: &str) -> String {
    if environments.is_empty() {
        return match &state.settings.only {
            Some(only) => no_environment(state, only),
            None => format!("{name} is not known: no environment was found"),
        };
    }
    let workloads = environments.iter().flat_map(|(_, s)| &s.workloads).map(|w| w.id.as_str());
    let known = environments.iter().map(|(known, _)| known.as_str()).chain(workloads);
    let meant = nearest(name, known).map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
    let names: Vec<&str> = environments.iter().map(|(known, _)| known.as_str()).collect();
    format!("{name} is not known{meant}; environments: {}", list(&names))
}

/// What to say when `-e` names no environment that was found.
#[must_use]
pub fn no_environment(state: &State, name: &str) -> String {
    let inventories = state.connections.values().filter_map(|c| c.inventory.as_ref());
    let names: Vec<String> = inventories.flat_map(|i| &i.environments).map(|s| state.name_of(&s.environment.id)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let meant = nearest(name, names.iter().copied()).map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
    format!("there is no environment {name}{meant}; there are: {}", list(&names))
}

fn ambiguous(state: &State, name: &str, several: &[Found]) -> String {
    let mut names: Vec<String> = several
        .iter()
        .map(|f| {
            let workload = f.workload.as_ref().map(|w| format!("/{w}")).unwrap_or_default();
            let instance = f.instance.as_ref().and_then(|id| state.instance(&f.environment.connection, id));
            let instance = instance.map(|(_, _, i)| format!("/{}", i.name)).unwrap_or_default();
            format!("{}{workload}{instance}", state.name_of(&f.environment))
        })
        .collect();
    names.sort();
    format!("{name} fits several: {}", names.join(", "))
}

fn list(names: &[&str]) -> String {
    const MOST: usize = 20;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let more = names.len().saturating_sub(MOST);
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// Waits until what is there is known and finds what `name` means.
///
/// # Errors
/// As [`find`]; and when what is there could not be seen.
pub async fn resolve(driver: &mut super::Driver, name: &str) -> super::Result<Found> {
    driver.inventory().await;
    let unseen = driver.failed().into_iter().next();
    match (find(driver.state(), name), unseen) {
        (Ok(found), _) => Ok(found),
        (Err(_), Some((_, why))) => Err(super::Failure::failed(why)),
        (Err(why), None) => Err(super::Failure::usage(why)),
    }
}
