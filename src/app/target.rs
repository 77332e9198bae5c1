//! What a person names on the command line: `ENV/WORKLOAD` or `ENV/WORKLOAD/INSTANCE`. Names may hold `/`: the longest
//! known environment name that fits wins, and a name that fits several things is an error that lists them.

use std::fmt;
use std::sync::Arc;

use crate::model::problem::nearest;
use crate::model::{EnvironmentId, Snapshot};
use crate::operate::Target;

use super::state::State;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub environment: EnvironmentId,
    /// `None`: the environment itself.
    pub target: Option<Target>,
}

/// Why a name stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    Nothing { name: Arc<str>, what: &'static str, nearest: Option<Arc<str>>, known: Vec<Arc<str>> },
    Several { name: Arc<str>, fits: Vec<Arc<str>> },
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing { name, what, nearest: Some(near), .. } => {
                write!(f, "there is no {what} {name} (did you mean {near}?)")
            }
            Self::Nothing { name, what, nearest: None, known } if known.is_empty() => {
                write!(f, "there is no {what} {name}: there is none at all")
            }
            Self::Nothing { name, what, nearest: None, known } => {
                let shown: Vec<&str> = known.iter().take(12).map(|k| &**k).collect();
                let more = if known.len() > shown.len() { ", …" } else { "" };
                write!(f, "there is no {what} {name}; there are {}{more}", shown.join(", "))
            }
            Self::Several { name, fits } => {
                write!(f, "{name} fits several things: {}", fits.iter().map(|k| &**k).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Finds an environment by the name it is shown by, or its own where only one has it.
///
/// # Errors
/// [`NotFound`], with what there is.
pub fn environment(state: &State, name: &str) -> Result<EnvironmentId, NotFound> {
    let all: Vec<(String, EnvironmentId)> =
        every(state).map(|s| (state.name_of(&s.environment.id), s.environment.id.clone())).collect();
    if let Some((_, id)) = all.iter().find(|(shown, _)| shown == name) {
        return Ok(id.clone());
    }
    let fits: Vec<&(String, EnvironmentId)> = all.iter().filter(|(_, id)| *id.name == *name).collect();
    match fits.as_slice() {
        [(_, id)] => Ok(id.clone()),
        [] => Err(nothing(name, "environment", all.iter().map(|(shown, _)| shown.as_str()))),
        [..] => Err(NotFound::Several { name: name.into(), fits: fits.iter().map(|(shown, _)| shown.as_str().into()).collect() }),
    }
}

/// Every environment, whatever `-e` says.
fn every(state: &State) -> impl Iterator<Item = &Arc<Snapshot>> {
    state.connections.values().filter_map(|c| c.inventory.as_ref()).flat_map(|i| i.environments.iter())
}

fn nothing<'a>(name: &str, what: &'static str, known: impl Iterator<Item = &'a str>) -> NotFound {
    let known: Vec<Arc<str>> = known.map(Into::into).collect();
    let nearest = nearest(name, known.iter().map(|k| &**k)).map(Into::into);
    NotFound::Nothing { name: name.into(), what, nearest, known }
}

/// Finds what `text` names. With `within` (`-e ENV`) the environment need not be named again.
///
/// # Errors
/// [`NotFound`], with what there is or everything that fits.
pub fn find(state: &State, text: &str, within: Option<&str>) -> Result<Found, NotFound> {
    if let Some(within) = within {
        let id = environment(state, within)?;
        return match in_environment(state, &id, text) {
            Ok(target) => Ok(Found { environment: id, target: Some(target) }),
            // `-e ENV ENV/WORKLOAD` says the same twice.
            Err(error) => match strip(state, text, &id) {
                Some("") => Ok(Found { environment: id, target: None }),
                Some(rest) => in_environment(state, &id, rest).map(|t| Found { environment: id, target: Some(t) }),
                None => Err(error),
            },
        };
    }
    let mut names: Vec<(String, EnvironmentId)> = Vec::new();
    for snapshot in every(state) {
        let id = &snapshot.environment.id;
        names.push((state.name_of(id), id.clone()));
        if *id.name != *names[names.len() - 1].0 {
            names.push((id.name.to_string(), id.clone()));
        }
    }
    let fits = |name: &str| text == name || text.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    let longest = names.iter().filter(|(name, _)| fits(name)).map(|(name, _)| name.len()).max();
    let Some(longest) = longest else { return without_environment(state, text) };
    let best: Vec<&(String, EnvironmentId)> = names.iter().filter(|(name, _)| fits(name) && name.len() == longest).collect();
    let [(name, id)] = best.as_slice() else {
        let fits = best.iter().map(|(_, id)| state.name_of(id).into()).collect();
        return Err(NotFound::Several { name: text.into(), fits });
    };
    let rest = text[name.len()..].trim_start_matches('/');
    let target = if rest.is_empty() { None } else { Some(in_environment(state, id, rest)?) };
    Ok(Found { environment: id.clone(), target })
}

fn strip<'a>(state: &State, text: &'a str, id: &EnvironmentId) -> Option<&'a str> {
    let shown = state.name_of(id);
    let rest = text.strip_prefix(shown.as_str()).or_else(|| text.strip_prefix(&*id.name))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// No environment is named: a workload or instance that only one environment has is meant.
fn without_environment(state: &State, text: &str) -> Result<Found, NotFound> {
    let mut fits: Vec<Found> = Vec::new();
    for snapshot in state.snapshots() {
        let id = &snapshot.environment.id;
        match in_environment(state, id, text) {
            Ok(target) => fits.push(Found { environment: id.clone(), target: Some(target) }),
            Err(several @ NotFound::Several { .. }) => return Err(several),
            Err(NotFound::Nothing { .. }) => {}
        }
    }
    match (fits.pop(), fits.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(last), false) => {
            fits.push(last);
            let fits = fits.iter().map(|f| format!("{}/{text}", state.name_of(&f.environment)).into()).collect();
            Err(NotFound::Several { name: text.into(), fits })
        }
        (None, _) => {
            let head = text.split('/').next().unwrap_or(text);
            let names: Vec<String> = every(state).map(|s| state.name_of(&s.environment.id)).collect();
            Err(nothing(if text.contains('/') { head } else { text }, "environment", names.iter().map(String::as_str)))
        }
    }
}

/// `WORKLOAD` or `WORKLOAD/INSTANCE`, or an instance by its own name.
fn in_environment(state: &State, id: &EnvironmentId, text: &str) -> Result<Target, NotFound> {
    let Some(snapshot) = state.snapshot(id) else { return Err(nothing(text, "workload", std::iter::empty())) };
    if let Some(workload) = snapshot.workloads.iter().find(|w| w.id.as_str() == text) {
        return Ok(Target { workload: workload.id.clone(), instance: None });
    }
    let mut fits: Vec<(Target, Arc<str>)> = Vec::new();
    let mut inside = None;
    for workload in &snapshot.workloads {
        let rest = text.strip_prefix(workload.id.as_str()).and_then(|rest| rest.strip_prefix('/'));
        inside = rest.map(|rest| (workload, rest)).or(inside);
        let wanted = rest.unwrap_or(text);
        for instance in &workload.instances {
            // By name, by the start of its id as the engine's own tools take it, or (within its workload) by its number.
            let by_id = wanted.len() >= 4 && instance.id.as_str().starts_with(wanted);
            let by_number = rest.is_some() && wanted.parse() == Ok(instance.number);
            if *instance.name == *wanted || by_id || by_number {
                let target = Target { workload: workload.id.clone(), instance: Some(instance.id.clone()) };
                fits.push((target, format!("{}/{}", workload.id, instance.name).into()));
            }
        }
    }
    match fits.len() {
        1 => Ok(fits.remove(0).0),
        0 => Err(match inside {
            Some((workload, rest)) => nothing(rest, "instance", workload.instances.iter().map(|i| &*i.name)),
            None => nothing(text, "workload", snapshot.workloads.iter().map(|w| w.id.as_str())),
        }),
        _ => Err(NotFound::Several { name: text.into(), fits: fits.into_iter().map(|(_, label)| label).collect() }),
    }
}
