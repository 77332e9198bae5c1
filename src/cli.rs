//! Clap types only: what may be written on the command line. What it means is `face`'s business.

mod arg;
mod observe;
mod operate;
mod targets;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use arg::{Since, Size, Tail};
pub use observe::{Audit, Autoscale, Changes, Diff, Doctor, Forward, Logs, Ls, Observe, Target, Timeline};
pub use operate::{
    Bounds, Deploy, Ending, Environment, Kill, Load, Lock, Node, Recover, Rollback, Run, Scale, Silence, Strategy, Targets,
    Unsilence,
};

const EXAMPLES: &str = "\
Examples:
  qd                                        the console on everything that is found
  qd demo --incident bad-deploy             the console on a stack that needs no engine
  qd status -o json                         every environment, for a script (exit code 3: not well)
  qd logs -f shop/backend --level warn      follow the log of a workload
  qd deploy shop/backend --image backend:1.5.0 --plan
                                            what a deploy would do; changes nothing
  qd rollback production/backend --confirm production

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 unhealthy or alerting, 4 refused by a guard, 5 rolled back.";

const ALERTS: &str = "\
An alert is ENV/NAME; with -e ENV the name alone is enough. Where the environment has an Alertmanager, silences are made
there and hold for everybody; else they are kept on this machine and hold for what quarterdeck shows here.";

const TARGETS: &str = "\
A target is ENV/WORKLOAD or ENV/WORKLOAD/INSTANCE; with -e ENV the workload alone is enough. A name that fits several
things is an error that lists them.";

/// See every environment of a stack, follow its logs, deploy and roll back without fear.
#[derive(Clone, Debug, Parser)]
#[command(name = "qd", version, after_help = EXAMPLES, disable_help_subcommand = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Without one: the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that may stand before or after any command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Only this environment
    #[arg(short, long = "env", value_name = "ENV", global = true)]
    pub environment: Option<String>,
    /// Only this Compose project
    #[arg(short, long, value_name = "NAME", global = true, conflicts_with = "environment")]
    pub project: Option<String>,
    /// The compose file of the project, instead of the one configured or noted on its containers; may be repeated
    #[arg(long = "file", value_name = "FILE", global = true)]
    pub files: Vec<PathBuf>,
    /// Only the engine at this address, such as `ssh://deploy@10.0.0.5` or `unix:///path`
    #[arg(short = 'H', long, value_name = "URL", global = true, conflicts_with = "context")]
    pub host: Option<String>,
    /// Only this context of the kubeconfig; where it has none of that name, only the engine of this docker context
    #[arg(long, value_name = "NAME", global = true)]
    pub context: Option<String>,
    /// Only this namespace of the context
    #[arg(short, long, value_name = "NAME", global = true, conflicts_with_all = ["host", "project"])]
    pub namespace: Option<String>,
    /// All namespaces of the context
    #[arg(short = 'A', long, global = true, conflicts_with_all = ["namespace", "host", "project"])]
    pub all_namespaces: bool,
    /// This kubeconfig instead of those of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["host", "project"])]
    pub kubeconfig: Option<PathBuf>,
    /// This file instead of the quarterdeck.toml found upward from here
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Change nothing, whatever the guards allow
    #[arg(long, visible_alias = "readonly", global = true)]
    pub read_only: bool,
    /// Look (`qd themes` lists them)
    #[arg(long, value_name = "NAME", global = true)]
    pub theme: Option<String>,
    /// Keys (`qd keys` shows them): default, vim, k9s, lazydocker or your own
    #[arg(long, value_name = "NAME", global = true)]
    pub keymap: Option<String>,
    /// Interval of statistics
    #[arg(long, value_name = "SPAN", global = true, value_parser = arg::span)]
    pub refresh: Option<Duration>,
    /// Write quarterdeck's own log to this file
    #[arg(long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
    /// How a command answers
    #[arg(short, long, value_name = "FORMAT", global = true, value_enum)]
    pub output: Option<Output>,
    /// Yes to what a `confirm` guard asks
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,
    /// The environment's name, as a `type` guard asks for it
    #[arg(long, value_name = "ENV", global = true)]
    pub confirm: Option<String>,
    /// This is so, as a check of a plan asks a person to say; `all` says so of every one
    #[arg(long, value_name = "TEXT", global = true)]
    pub tick: Vec<String>,
    /// Take over the lock of somebody else's operation, knowingly
    #[arg(long, global = true)]
    pub take_over: bool,
    /// Show what would be done, change nothing
    #[arg(long, global = true)]
    pub plan: bool,
    /// On the demo world instead of real engines
    #[arg(long, global = true)]
    pub demo: bool,
    #[command(flatten)]
    pub world: World,
}

impl Global {
    /// Whether no flag names a real engine or an environment of one.
    #[must_use]
    pub fn names_nothing_real(&self) -> bool {
        self.environment.is_none()
            && self.project.is_none()
            && self.host.is_none()
            && self.context.is_none()
            && self.namespace.is_none()
            && self.kubeconfig.is_none()
            && !self.all_namespaces
    }
}

/// How the demo world is made.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Demo options")]
pub struct World {
    /// The same number, the same world
    #[arg(long, value_name = "N", global = true)]
    pub seed: Option<u64>,
    /// What goes wrong: bad-deploy, breaker-open, memory-leak, db-down
    #[arg(long, value_name = "NAME", global = true)]
    pub incident: Option<String>,
    /// How fast its time runs: 1 is real, 10 is ten times as fast
    #[arg(long = "speed", value_name = "X", global = true, value_parser = arg::speed)]
    pub speed_percent: Option<u32>,
}

/// How a command answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Table,
    /// One document
    Json,
    /// One object a line
    Ndjson,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The console on a made-up stack; needs no engine
    Demo,
    /// One line for each environment; exit code 3 when something is not well
    Status(Observe),
    /// Workloads and their instances
    Ls(Ls),
    /// Print or follow logs
    #[command(after_help = TARGETS)]
    Logs(Logs),
    /// Ports of a workload on this machine, until it is interrupted; goes on when instances are replaced
    #[command(after_help = TARGETS)]
    Forward(Forward),
    /// One sample of every instance's CPU, memory, network and disk
    Top(Ls),
    /// Every check with its last output; exit code 3 when something is not well
    Health(Observe),
    /// Every alert and its state; exit code 3 when one fires that is not silenced
    Alerts(Observe),
    /// Say that an alert is known of and needs nobody for a while
    #[command(after_help = ALERTS)]
    Silence(Silence),
    /// End the silences over an alert, or the one of this name
    #[command(after_help = ALERTS)]
    Unsilence(Unsilence),
    /// The revisions of a workload, newest first
    #[command(after_help = TARGETS)]
    History(Target),
    /// What differs between two revisions, secrets masked
    #[command(after_help = TARGETS)]
    Diff(Diff),
    /// Change the number of replicas
    #[command(after_help = TARGETS)]
    Scale(Scale),
    /// Restart, one instance after the other
    #[command(after_help = TARGETS)]
    Restart(Targets),
    /// Deploy an image: gated, undone by itself when it fails
    #[command(after_help = TARGETS)]
    Deploy(Deploy),
    /// Go back to the previous or any recorded revision
    #[command(after_help = TARGETS)]
    Rollback(Rollback),
    /// Bring services up as their compose file has them (all that differ, when an environment is named)
    #[command(after_help = TARGETS)]
    Up(Targets),
    /// Start what is stopped
    #[command(after_help = TARGETS)]
    Start(Targets),
    /// Stop
    #[command(after_help = TARGETS)]
    Stop(Targets),
    /// Freeze the processes
    #[command(after_help = TARGETS)]
    Pause(Targets),
    /// Let frozen processes go on
    #[command(after_help = TARGETS)]
    Unpause(Targets),
    /// Kill at once, without a chance to finish
    #[command(after_help = TARGETS)]
    Kill(Kill),
    /// Remove the containers; named volumes stay
    #[command(after_help = TARGETS)]
    Remove(Targets),
    /// Start a job of a schedule (CronJob) now
    #[command(after_help = TARGETS)]
    Trigger(Targets),
    /// Set the least and the most replicas an autoscaler may choose
    #[command(after_help = TARGETS)]
    Bounds(Bounds),
    /// Keep new pods off a node of an environment's cluster (-e)
    Cordon(Node),
    /// Let new pods on a node again
    Uncordon(Node),
    /// Keep new pods off a node and move those on it elsewhere
    Drain(Node),
    /// Send requests to a workload or environment whose configuration allows it, and measure the answers
    #[command(after_help = TARGETS)]
    Load(Load),
    /// Run a runbook of an environment (-e), or list them
    Run(Run),
    /// End an operation whose owner died
    Recover(Recover),
    /// Take an environment's lock, so that nobody changes it meanwhile
    Lock(Lock),
    /// Give an environment's lock back
    Unlock(Environment),
    /// Everything that was changed, by whom, and how it ended
    Audit(Audit),
    /// What happens: engine events, changes, operations, health, alerts
    Timeline(Timeline),
    /// What changed before something that is not well, most likely cause first
    #[command(after_help = TARGETS)]
    Changes(Changes),
    /// Ask the ports of a workload, once, what it could be watched by
    Offer(Target),
    /// Follow the autoscaling policies of the configuration: what they read, recommend and do
    Autoscale(Autoscale),
    /// Whether everything quarterdeck needs is there, and how clean what is shown is: passwords, ports, users, limits, tags
    Doctor(Doctor),
    /// Check, show or begin a configuration
    #[command(subcommand)]
    Config(Config),
    /// Every path used, versions, colour depth, keymap and theme in force
    Info,
    /// A screen of the demo world (or of -e ENV) as text or SVG
    Screenshot(Screenshot),
    /// A completion script for a shell
    Completions(Completions),
    /// Every key of the keymap in force, and every command
    Keys,
    /// Every theme there is, as it looks here
    Themes,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Config {
    /// Tell every mistake with file, line and column; exit code 2 when there is one
    Check,
    /// What is in force, all files and flags taken together
    Show,
    /// Print a commented quarterdeck.toml to begin with
    Init,
}

#[derive(Clone, Debug, Args)]
pub struct Screenshot {
    /// fleet, workloads, instances, logs, health, metrics, timeline, operations, revisions, describe
    #[arg(value_name = "SCREEN")]
    pub screen: String,
    /// Columns and rows
    #[arg(long, value_name = "WxH", default_value = "120x40", value_parser = arg::size)]
    pub size: Size,
    #[arg(long, value_enum, default_value = "svg")]
    pub format: Picture,
    /// Keys to press first: `jj<enter>D`
    #[arg(long, value_name = "KEYS", default_value = "")]
    pub keys: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    Svg,
    Txt,
}

#[derive(Clone, Debug, Args)]
pub struct Completions {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests;
