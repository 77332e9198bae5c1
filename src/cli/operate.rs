//! What may be written for commands that change something.

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
