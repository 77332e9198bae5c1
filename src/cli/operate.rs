//! What may be written for commands that change something.

use std::time::Duration;

use clap::{Args, ValueEnum};

#[derive(Clone, Debug, Args)]
pub struct Targets {
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Scale {
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// How many replicas there shall be
    #[arg(value_name = "REPLICAS")]
    pub replicas: u32,
}

#[derive(Clone, Debug, Args)]
pub struct Deploy {
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The image to run
    #[arg(long, value_name = "REF")]
    pub image: String,
    /// Which container of a pod gets it, where there are several
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// How instances are replaced, unless as configured
    #[arg(long, value_enum)]
    pub strategy: Option<Strategy>,
    /// Leave the checks before out and go through freeze windows; the guard is still asked
    #[arg(long)]
    pub fast: bool,
    /// Deploy although nothing tells whether the new ones are well: no health check, no gate, no verification
    #[arg(long)]
    pub unwatched: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Load {
    /// A workload, sent to where it is published; or an environment, sent to its target
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Where to: one of the environment's targets, or a port its workloads publish
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Users at it at the same time; with --rate, connections at most
    #[arg(long, value_name = "N")]
    pub users: Option<u32>,
    /// Requests a second, whatever comes back; without it, each user asks again once it was answered
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// From the first request to the last
    #[arg(long, value_name = "SPAN", value_parser = super::arg::span)]
    pub duration: Option<Duration>,
    /// Over how long users come in, or the rate grows
    #[arg(long, value_name = "SPAN", value_parser = super::arg::span)]
    pub ramp: Option<Duration>,
    /// A user's pause between an answer and the next request
    #[arg(long, value_name = "SPAN", value_parser = super::arg::span, conflicts_with = "rate")]
    pub think: Option<Duration>,
    /// How long an answer may take before it counts as failed
    #[arg(long, value_name = "SPAN", value_parser = super::arg::span)]
    pub timeout: Option<Duration>,
    /// A size by name, which the flags above change: so many concurrent users who think a second between requests
    #[arg(long, value_name = "NAME", value_parser = ["100", "500", "1000", "2000"])]
    pub scenario: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Bounds {
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The least replicas
    #[arg(long, value_name = "N")]
    pub min: u32,
    /// The most replicas
    #[arg(long, value_name = "N")]
    pub max: u32,
}

#[derive(Clone, Debug, Args)]
pub struct Node {
    /// The node, as the cluster names it
    #[arg(value_name = "NODE")]
    pub node: String,
}

#[derive(Clone, Debug, Args)]
pub struct Run {
    /// The runbook; without one they are listed
    #[arg(value_name = "RUNBOOK")]
    pub runbook: Option<String>,
    /// A value for a variable of its own, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::arg::assignment)]
    pub set: Vec<(String, String)>,
}

/// How instances are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// One after the other, each healthy before the next
    Rolling,
    /// All at once, with an interruption
    Recreate,
    /// New ones beside all old ones, then the traffic is switched
    BlueGreen,
}

#[derive(Clone, Debug, Args)]
pub struct Rollback {
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The revision to go back to; the one before the current unless given
    #[arg(long, value_name = "REVISION")]
    pub to: Option<u64>,
}

#[derive(Clone, Debug, Args)]
pub struct Kill {
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// The signal
    #[arg(short, long, value_name = "SIGNAL", default_value = "KILL")]
    pub signal: String,
}

#[derive(Clone, Debug, Args)]
pub struct Recover {
    #[arg(value_name = "ENV")]
    pub name: String,
    #[command(flatten)]
    pub ending: Ending,
}

/// One way or the other.
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Ending {
    /// Do what is left of it
    #[arg(long)]
    pub finish: bool,
    /// Go back to what was before it
    #[arg(long)]
    pub undo: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Lock {
    #[arg(value_name = "ENV")]
    pub name: String,
    /// Why, for whoever finds it locked
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

#[derive(Clone, Debug, Args)]
pub struct Environment {
    #[arg(value_name = "ENV")]
    pub name: String,
}

#[derive(Clone, Debug, Args)]
pub struct Silence {
    #[arg(value_name = "ENV/ALERT")]
    pub alert: String,
    /// How long
    #[arg(long = "for", value_name = "SPAN", value_parser = super::arg::span)]
    pub duration: Duration,
    /// Why, for whoever wonders
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Only alerts with this label; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = super::arg::label)]
    pub labels: Vec<(String, String)>,
}

#[derive(Clone, Debug, Args)]
pub struct Unsilence {
    #[arg(value_name = "ENV/ALERT")]
    pub alert: String,
    /// The silence of this name, where several lie over the alert
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}
