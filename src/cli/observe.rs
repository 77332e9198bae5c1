//! The arguments of commands that only look.

use std::time::Duration;

use clap::Args;

use super::arg::{self, Since, Tail};

#[derive(Clone, Debug, Args)]
pub struct Observe {
    /// Only this environment
    #[arg(value_name = "ENV")]
    pub name: Option<String>,
    /// Watch this long before answering
    #[arg(long = "for", value_name = "SPAN", value_parser = arg::span)]
    pub duration: Option<Duration>,
}

#[derive(Clone, Debug, Args)]
pub struct Ls {
    /// Only this environment
    #[arg(value_name = "ENV")]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Logs {
    /// What to read; several are merged by time
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Go on with what follows
    #[arg(short, long)]
    pub follow: bool,
    /// From then on: a span such as 10m, or a moment such as 2026-11-21T14:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = arg::since)]
    pub since: Option<Since>,
    /// So many lines of history for each instance (of those up to --until), or all
    #[arg(long, value_name = "N|all", value_parser = arg::tail)]
    pub tail: Option<Tail>,
    /// Nothing after then: a span such as 10m (ago), or a moment
    #[arg(long, value_name = "WHEN", value_parser = arg::since)]
    pub until: Option<Since>,
    /// Only lines this regular expression matches; given several times, any of them
    #[arg(long, value_name = "RE")]
    pub grep: Vec<String>,
    /// No lines this regular expression matches; may be given several times
    #[arg(long, value_name = "RE")]
    pub exclude: Vec<String>,
    /// Only lines that fit all of this: `timeout !health level>=warn status:5.. latency_ms>500 instance:api-2 /re/`
    #[arg(long, value_name = "QUERY")]
    pub filter: Option<String>,
    /// Only lines of this level or worse: trace, debug, info, warn, error, fatal
    #[arg(long, value_name = "LEVEL", value_parser = arg::level)]
    pub level: Option<crate::observe::log::Level>,
    /// The run before this one, where the engine keeps it
    #[arg(long, conflicts_with = "follow")]
    pub previous: bool,
    /// Of pods with several containers only this one (all of them are read otherwise)
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<String>,
    /// The line alone, without time and instance (control characters stay out)
    #[arg(long)]
    pub raw: bool,
    /// Secrets as they were written. It is put on record first (`qd audit`), and refused where nothing may be changed
    #[arg(long)]
    pub reveal: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Target {
    #[arg(value_name = "TARGET")]
    pub target: String,
}

#[derive(Clone, Debug, Args)]
pub struct Diff {
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The older revision; the one before --to unless given
    #[arg(long, value_name = "REVISION")]
    pub from: Option<u64>,
    /// The newer revision; the current one unless given
    #[arg(long, value_name = "REVISION")]
    pub to: Option<u64>,
    /// What runs against its compose file, for a workload or a whole environment
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub running: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Audit {
    /// From then on: a span such as 7d, or a moment
    #[arg(long, value_name = "WHEN", value_parser = arg::since)]
    pub since: Option<Since>,
    /// Only the last so many records, or all
    #[arg(long, value_name = "N|all", value_parser = arg::tail)]
    pub tail: Option<Tail>,
}

#[derive(Clone, Debug, Args)]
pub struct Timeline {
    /// Only this environment
    #[arg(value_name = "ENV")]
    pub name: Option<String>,
    /// Watch this long, then end
    #[arg(long = "for", value_name = "SPAN", value_parser = arg::span)]
    pub duration: Option<Duration>,
    /// Go on until interrupted
    #[arg(short, long, conflicts_with = "duration")]
    pub follow: bool,
    /// Only from there: engine, operation, health, alert, log; may be given several times
    #[arg(long, value_name = "SOURCE", value_parser = arg::source)]
    pub source: Vec<crate::model::Source>,
    /// Only what is about something of this name, or part of it
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,
    /// From then on: a span such as 1h, or a moment such as 2026-11-21T14:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = arg::since)]
    pub since: Option<Since>,
    /// Nothing after then: a span such as 10m (ago), or a moment
    #[arg(long, value_name = "WHEN", value_parser = arg::since, conflicts_with = "follow")]
    pub until: Option<Since>,
}

#[derive(Clone, Debug, Args)]
pub struct Changes {
    /// A workload, an instance or an environment, as a target; or an alert by its name
    #[arg(value_name = "TARGET|ALERT")]
    pub name: String,
    /// How far before it to look
    #[arg(long, value_name = "SPAN", value_parser = arg::span)]
    pub before: Option<Duration>,
    /// Before this moment, or so long ago, instead of when it began (or now)
    #[arg(long, value_name = "WHEN", value_parser = arg::since)]
    pub at: Option<Since>,
    /// Watch this long before answering
    #[arg(long = "for", value_name = "SPAN", value_parser = arg::span)]
    pub duration: Option<Duration>,
}

#[derive(Clone, Debug, Args)]
pub struct Autoscale {
    /// Only this environment
    #[arg(value_name = "ENV")]
    pub name: Option<String>,
    /// Watch this long, then end; else until interrupted
    #[arg(long = "for", value_name = "SPAN", value_parser = arg::span)]
    pub duration: Option<Duration>,
}

#[derive(Clone, Debug, Args)]
pub struct Forward {
    /// A workload, of which any instance will do, or one instance
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Port of this machine (the same one unless given, 0 for any that is free) and of the instance; the workload's own port
    /// unless given
    #[arg(value_name = "[LOCAL:]REMOTE", value_parser = arg::ports)]
    pub ports: Vec<(u16, u16)>,
}

#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// Ask published ports 443 for their certificates too, not only the addresses that are configured
    #[arg(long)]
    pub certificates: bool,
}
