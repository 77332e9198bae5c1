//! What a command is about, as it was written: known before anything is connected.

use super::Command;

impl Command {
    /// The targets and environments named on the command line.
    #[must_use]
    pub fn targets(&self) -> Vec<&str> {
        match self {
            Self::Status(a) | Self::Health(a) | Self::Alerts(a) => a.name.as_deref().into_iter().collect(),
            Self::Ls(a) | Self::Top(a) => a.name.as_deref().into_iter().collect(),
            Self::Timeline(a) => a.name.as_deref().into_iter().collect(),
            Self::Autoscale(a) => a.name.as_deref().into_iter().collect(),
            Self::Logs(a) => a.targets.iter().map(String::as_str).collect(),
            Self::History(a) | Self::Offer(a) => vec![&a.target],
            Self::Changes(a) => a.name.contains('/').then_some(a.name.as_str()).into_iter().collect(),
            Self::Diff(a) => vec![&a.target],
            Self::Forward(a) => vec![&a.target],
            Self::Scale(a) => vec![&a.target],
            Self::Deploy(a) => vec![&a.target],
            Self::Rollback(a) => vec![&a.target],
            Self::Bounds(a) => vec![&a.target],
            Self::Load(a) => vec![&a.target],
            Self::Kill(a) => a.targets.iter().map(String::as_str).collect(),
            Self::Restart(a)
            | Self::Up(a)
            | Self::Start(a)
            | Self::Stop(a)
            | Self::Pause(a)
            | Self::Unpause(a)
            | Self::Remove(a)
            | Self::Trigger(a) => a.targets.iter().map(String::as_str).collect(),
            Self::Recover(a) => vec![&a.name],
            Self::Lock(a) => vec![&a.name],
            Self::Unlock(a) => vec![&a.name],
            Self::Silence(a) => vec![&a.alert],
            Self::Unsilence(a) => vec![&a.alert],
            Self::Demo
            | Self::Cordon(_)
            | Self::Uncordon(_)
            | Self::Drain(_)
            | Self::Run(_)
            | Self::Audit(_)
            | Self::Doctor(_)
            | Self::Config(_)
            | Self::Info
            | Self::Screenshot(_)
            | Self::Completions(_)
            | Self::Keys
            | Self::Themes => Vec::new(),
        }
    }
}
