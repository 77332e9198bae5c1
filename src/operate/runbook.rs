//! Runbooks: named lists of steps from the configuration, and the variables in their texts.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::Tier;

/// A named list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    pub name: Arc<str>,
    /// What it is for, in a sentence.
    pub about: Option<Arc<str>>,
    /// Where it may run; everywhere when empty.
    pub tiers: Vec<Tier>,
    pub steps: Vec<RunbookStep>,
}

/// One step of a runbook. A workload may be `name` (its first running instance) or `name/NUMBER` (that instance); stop and
/// start are about the whole workload unless a number is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunbookStep {
    Exec {
        workload: Arc<str>,
        command: Vec<Arc<str>>,
        timeout: Option<Duration>,
    },
    CopyIn {
        workload: Arc<str>,
        from: Arc<str>,
        to: Arc<str>,
    },
    CopyOut {
        workload: Arc<str>,
        from: Arc<str>,
        to: Arc<str>,
    },
    Stop {
        workload: Arc<str>,
    },
    Start {
        workload: Arc<str>,
    },
    Wait {
        probe: Arc<str>,
        within: Option<Duration>,
    },
    Sleep(Duration),
    /// A person says yes to this.
    Confirm(Arc<str>),
    /// A command on this machine.
    Command {
        argv: Vec<Arc<str>>,
        timeout: Option<Duration>,
    },
    Http {
        url: Arc<str>,
        method: Arc<str>,
        body: Option<Arc<str>>,
    },
}

impl RunbookStep {
    /// The workload it is about, without an instance's number.
    #[must_use]
    pub fn workload(&self) -> Option<&str> {
        match self {
            Self::Exec { workload, .. }
            | Self::CopyIn { workload, .. }
            | Self::CopyOut { workload, .. }
            | Self::Stop { workload }
            | Self::Start { workload } => Some(split(workload).0),
            Self::Wait { .. } | Self::Sleep(_) | Self::Confirm(_) | Self::Command { .. } | Self::Http { .. } => None,
        }
    }
}

/// `redis/2` is instance 2 of `redis`.
#[must_use]
pub fn split(workload: &str) -> (&str, Option<u32>) {
    match workload.rsplit_once('/') {
        Some((name, number)) => number.parse().map_or((workload, None), |n| (name, Some(n))),
        None => (workload, None),
    }
}

/// What variables in a runbook's texts stand for.
#[derive(Clone, Debug)]
pub struct Variables<'a> {
    pub environment: &'a str,
    /// The engine's name of the instance a step is about, where it is about one.
    pub instance: Option<&'a str>,
    pub now: Timestamp,
    /// Given by the person who runs it.
    pub given: &'a [(Arc<str>, Arc<str>)],
}

impl Variables<'_> {
    /// The text with its variables put in: `{env}`, `{date}` (2026-11-21), `{time}` (20261121T140322Z), `{instance}`, and
    /// those that were given. What is no variable's name stays as it is.
    ///
    /// # Errors
    /// The name of a variable that has no value here.
    pub fn fill(&self, text: &str) -> Result<Arc<str>, Arc<str>> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            let after = &rest[open + 1..];
            let name = after.find('}').map(|close| &after[..close]).filter(|name| is_name(name));
            let Some(name) = name else {
                out.push('{');
                rest = after;
                continue;
            };
            out.push_str(&self.value(name).ok_or_else(|| Arc::from(name))?);
            rest = &after[name.len() + 1..];
        }
        out.push_str(rest);
        Ok(out.into())
    }

    fn value(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.given.iter().find(|(given, _)| &**given == name) {
            return Some(value.to_string());
        }
        match name {
            "env" => Some(self.environment.replace('/', "-")),
            "date" => Some(self.now.strftime("%Y-%m-%d").to_string()),
            "time" => Some(self.now.strftime("%Y%m%dT%H%M%SZ").to_string()),
            "instance" => self.instance.map(str::to_owned),
            _ => None,
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_and_nothing_else_is_touched() {
        let given = [("key".into(), "a b".into())];
        let now = "2026-11-21T14:03:22Z".parse().unwrap();
        let some = Variables { environment: "eu/lms", instance: Some("lms-redis-1"), now, given: &given };
        let table = [
            ("backups/{env}-{date}.rdb", Ok("backups/eu-lms-2026-11-21.rdb")),
            ("{instance} at {time}", Ok("lms-redis-1 at 20261121T140322Z")),
            ("GET {key}", Ok("GET a b")),
            ("{\"a\": {}} {A} ${HOME", Ok("{\"a\": {}} {A} ${HOME")),
            ("awk '{print $1}'", Ok("awk '{print $1}'")),
            ("{what}", Err("what")),
        ];
        for (text, expected) in table {
            assert_eq!(some.fill(text).as_deref().map_err(|e| &**e), expected, "{text}");
        }
        let none = Variables { instance: None, ..some };
        assert_eq!(none.fill("{instance}").unwrap_err().as_ref(), "instance");
    }

    #[test]
    fn an_instance_is_named_by_its_number() {
        for (text, expected) in [("redis", ("redis", None)), ("redis/2", ("redis", Some(2))), ("a/b", ("a/b", None))] {
            assert_eq!(split(text), expected);
        }
    }
}
