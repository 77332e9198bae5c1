//! What can be written on the command line, and what cannot.

use clap::CommandFactory;

use super::*;

fn read(line: &str) -> Result<Cli, String> {
    Cli::try_parse_from(line.split(' ')).map_err(|e| e.to_string())
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    for line in ["qd -e shop -o json status", "qd status -e shop -o json", "qd -e shop status -o json"] {
        let cli = read(line).expect(line);
        assert_eq!((cli.global.environment.as_deref(), cli.global.output), (Some("shop"), Some(Output::Json)), "{line}");
    }
    for line in ["qd --readonly", "qd --read-only ls", "qd ls --readonly"] {
        assert!(read(line).expect(line).global.read_only, "{line}");
    }
}

#[test]
fn every_command_of_the_contract_is_there() {
    for line in [
        "qd",
        "qd demo --seed 7 --incident bad-deploy --speed 10x",
        "qd --demo status",
        "qd status --for 15s",
        "qd ls shop -o json",
        "qd logs a/b c/d -f --since 10m --tail all --grep x+ --level warn -o ndjson",
        "qd logs a b/c --until 5m --grep x --grep y --exclude z --filter level>=warn --reveal",
        "qd logs a/b --previous --raw --since 2026-11-21T14:00:00Z",
        "qd top -o json",
        "qd health -o json",
        "qd history a/b",
        "qd diff a/b --from 1 --to 2",
        "qd scale a/b 3 --plan",
        "qd restart a/b --yes",
        "qd deploy a/b --image x:1 --strategy recreate --confirm a",
        "qd rollback a/b --to 4",
        "qd start a/b",
        "qd stop a/b c",
        "qd pause a/b",
        "qd unpause a/b",
        "qd kill a/b --signal TERM",
        "qd remove a/b",
        "qd recover a --finish",
        "qd recover a --undo --take-over",
        "qd lock a --why maintenance",
        "qd unlock a",
        "qd audit -o ndjson --since 7d",
        "qd timeline -f -o ndjson",
        "qd doctor -o json",
        "qd config check",
        "qd config show",
        "qd config init",
        "qd info -o json",
        "qd screenshot fleet --size 120x40 --theme dark --format txt",
        "qd completions bash",
        "qd keys",
        "qd themes",
        "qd -H tcp://10.0.0.5:2375 -p shop --keymap vim --refresh 5s --log-file /tmp/x",
        "qd --context prod --config ./x.toml",
    ] {
        assert!(read(line).is_ok(), "{line}: {}", read(line).expect_err(line));
    }
}

#[test]
fn a_wrong_command_line_is_told_in_a_sentence() {
    for (line, part) in [
        ("qd recover a", "--finish|--undo"),
        ("qd recover a --finish --undo", "cannot be used with"),
        ("qd scale a/b", "REPLICAS"),
        ("qd scale a/b many", "invalid"),
        ("qd deploy a/b", "--image"),
        ("qd logs", "TARGET"),
        ("qd logs a/b --since soon", "a span such as 10m"),
        ("qd logs a/b --tail some", "or `all`"),
        ("qd logs a/b --until soon", "a span such as 10m"),
        ("qd logs a/b --level wran", "did you mean `warn`"),
        ("qd lock a", "--why"),
        ("qd screenshot fleet --size big", "120x40"),
        ("qd --refresh 5 status", "no time span"),
        ("qd -H tcp://x --context y", "cannot be used with"),
        ("qd statsu", "status"),
    ] {
        let told = read(line).expect_err(line);
        assert!(told.contains(part), "{line}: {told}");
    }
}
