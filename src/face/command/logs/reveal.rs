//! Secrets are revealed on purpose only, and that is put on record before the first line is read.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::app::State;
use crate::model::Guard;
use crate::operate::audit::{Deed, Record};
use crate::runtime::journal::Journal;

use super::super::target::Found;
use super::super::{Exit, Failure, Result};

/// Puts on record that the logs in scope are read with their secrets.
///
/// # Errors
/// Where nothing may be changed, and when it cannot be put on record: then nothing is revealed.
pub(super) fn record(state: &State, journal: &Journal, scope: &[Found]) -> Result<()> {
    let mut told = BTreeSet::new();
    for found in scope {
        let Some(snapshot) = state.snapshot(&found.environment) else { continue };
        if state.policy(&snapshot.environment).guard == Guard::ReadOnly {
            let text = format!("{} is read-only: its secrets are not revealed", state.name_of(&found.environment));
            return Err(Failure { exit: Exit::Refused, text });
        }
        let target = match (&found.instance, &found.workload) {
            (Some(id), _) => {
                state.instance(&found.environment.connection, id).map_or_else(|| id.to_string(), |(.., i)| i.name.to_string())
            }
            (None, Some(workload)) => workload.to_string(),
            (None, None) => "all".to_owned(),
        };
        if !told.insert((&found.environment, target.clone())) {
            continue;
        }
        let deed = Deed {
            kind: "reveal",
            environment: state.name_of(&found.environment).into(),
            endpoint: snapshot.environment.endpoint.clone(),
            target: target.into(),
            detail: "the log was printed unmasked".into(),
        };
        let record = Record::of_deed(deed, &state.actor, Timestamp::now());
        journal.append(&record).map_err(|why| Failure::failed(format!("{why}: nothing is revealed")))?;
    }
    Ok(())
}
