//! The command line's part in the configuration.

use super::{Demo, Flags};
use crate::cli::{Command, Global, World};

impl Flags {
    /// What the command line says. `demo` as a command means the same as `--demo`.
    #[must_use]
    pub fn new(global: &Global, command: Option<&Command>) -> Self {
        // A picture is one of the demo unless something real is named.
        let picture = matches!(command, Some(Command::Screenshot(_))) && global.names_nothing_real();
        let demo = global.demo || picture || matches!(command, Some(Command::Demo));
        Self {
            config: global.config.clone(),
            environment: global.environment.as_deref().map(Into::into),
            project: global.project.as_deref().map(Into::into),
            files: global.files.clone(),
            host: global.host.as_deref().map(Into::into),
            context: global.context.as_deref().map(Into::into),
            namespace: global.namespace.as_deref().map(Into::into),
            all_namespaces: global.all_namespaces,
            kubeconfig: global.kubeconfig.clone(),
            targets: command.map(Command::targets).unwrap_or_default().into_iter().map(Into::into).collect(),
            read_only: global.read_only,
            theme: global.theme.as_deref().map(Into::into),
            keymap: global.keymap.as_deref().map(Into::into),
            refresh: global.refresh,
            demo: demo.then(|| Demo::from(&global.world)),
        }
    }
}

impl From<&World> for Demo {
    fn from(world: &World) -> Self {
        let usual = Self::default();
        Self {
            seed: world.seed.unwrap_or(usual.seed),
            incident: world.incident.as_deref().map(Into::into),
            speed_percent: world.speed_percent.unwrap_or(usual.speed_percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn flags(line: &str) -> Flags {
        let cli = Cli::try_parse_from(line.split(' ')).expect(line);
        Flags::new(&cli.global, cli.command.as_ref())
    }

    #[test]
    fn the_demo_is_asked_for_by_command_or_by_flag() {
        let demo = Demo { seed: 3, incident: Some("db-down".into()), speed_percent: 250 };
        assert_eq!(flags("qd demo --seed 3 --incident db-down --speed 2.5").demo, Some(demo.clone()));
        assert_eq!(flags("qd --demo --seed 3 status --incident db-down --speed 2.5x").demo, Some(demo));
        assert_eq!(flags("qd status").demo, None);
    }

    #[test]
    fn flags_are_taken_over() {
        let flags = flags("qd -e shop --context prod --readonly --theme dark --keymap vim --refresh 5s status");
        assert_eq!(flags.environment.as_deref(), Some("shop"));
        assert_eq!(flags.context.as_deref(), Some("prod"));
        assert!(flags.read_only);
        assert_eq!((flags.theme.as_deref(), flags.keymap.as_deref()), (Some("dark"), Some("vim")));
        assert_eq!(flags.refresh, Some(std::time::Duration::from_secs(5)));
    }
}
