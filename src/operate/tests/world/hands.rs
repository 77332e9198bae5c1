//! What is done by hand in and around the small engine's containers: commands, files, names on the network, looks outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::EngineError;
use crate::model::{InstanceId, OperationId};
use crate::operate::action::{Accepted, Action, InstanceRef, Output};
use crate::operate::plan::{Names, Work, words};

/// What the hands have done, and what will go wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hands {
    /// Looks and commands (by their name in a plan) that go wrong.
    pub failing: BTreeSet<String>,
    /// Files put into containers, and what was there before by the operation that keeps it.
    pub files: BTreeMap<(InstanceId, Arc<str>), Arc<str>>,
    pub kept: BTreeMap<(InstanceId, Arc<str>, OperationId), Option<Arc<str>>>,
    /// Names containers answer to beside their own.
    pub aliases: BTreeMap<InstanceId, BTreeSet<Arc<str>>>,
    /// One-off containers and the code they ended with.
    pub once: BTreeMap<(OperationId, u32), i64>,
    /// How often a command was really run.
    pub runs: BTreeMap<String, u32>,
}

impl Hands {
    /// Does one thing.
    pub fn execute(&mut self, action: &Action) -> Result<Accepted, EngineError> {
        let name = words::name(&Work::Act(action.clone()), &Names::default()).to_string();
        let bad = self.failing.iter().any(|f| name.contains(f.as_str()));
        match action {
            Action::RunOnce { operation, replica, .. } => {
                let key = (operation.clone(), replica.slot);
                if !self.once.contains_key(&key) {
                    *self.runs.entry(name).or_default() += 1;
                    self.once.insert(key.clone(), i64::from(bad));
                }
                Ok(output(self.once[&key]))
            }
            Action::ForgetOnce { operation, slot, .. } => {
                self.once.remove(&(operation.clone(), *slot));
                Ok(Accepted::Done)
            }
            Action::Exec { .. } => {
                *self.runs.entry(name).or_default() += 1;
                Ok(output(i64::from(bad)))
            }
            Action::PutFile { instance, path, content, keep } => {
                let key = (id(instance), path.clone());
                let before = self.files.get(&key).cloned();
                self.kept.entry((key.0.clone(), path.clone(), keep.clone())).or_insert(before);
                self.files.insert(key, content.clone());
                Ok(Accepted::Done)
            }
            Action::RestoreFile { instance, path, keep } => {
                let key = (id(instance), path.clone());
                match self.kept.remove(&(key.0.clone(), path.clone(), keep.clone())) {
                    Some(Some(before)) => {
                        self.files.insert(key, before);
                    }
                    Some(None) => {
                        self.files.remove(&key);
                    }
                    None => return Ok(Accepted::AlreadySo),
                }
                Ok(Accepted::Done)
            }
            Action::ForgetFile { instance, path, keep } => {
                self.kept.remove(&(id(instance), path.clone(), keep.clone()));
                Ok(Accepted::Done)
            }
            Action::Join { instance, aliases } => {
                self.aliases.entry(id(instance)).or_default().extend(aliases.iter().cloned());
                Ok(Accepted::Done)
            }
            _ if bad => Err(EngineError::Unmet { what: name.into(), why: "it is not so".into() }),
            Action::Errand(errand) if !errand.is_look() => {
                *self.runs.entry(name).or_default() += 1;
                Ok(output(0))
            }
            _ => Ok(Accepted::Reading { value: Some(0.01), words: format!("{name} is good").into() }),
        }
    }
}

fn output(code: i64) -> Accepted {
    Accepted::Output(Box::new(Output { code, text: if code == 0 { "all well".into() } else { "it broke".into() }, cut: false }))
}

fn id(instance: &InstanceRef) -> InstanceId {
    match instance {
        InstanceRef::Known(id) => id.clone(),
        InstanceRef::Made(slot) => panic!("slot {slot} is not resolved"),
    }
}
