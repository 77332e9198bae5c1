//! The shipped keymaps: every command can be reached, common keys are common, no key harms by surprise.

use std::collections::BTreeSet;

use quarterdeck::app::command::COMMANDS;
use quarterdeck::app::state::Screen;
use quarterdeck::app::{Command, LogCommand};
use quarterdeck::keymap::{Chord, Context, Keymap, Lookup, NAMES, builtin};
use quarterdeck::model::Verb;

fn shipped() -> Vec<Keymap> {
    let load = |name: &str| {
        let text = builtin(name).unwrap_or_else(|| panic!("{name} is shipped"));
        Keymap::parse(text, name).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
    };
    NAMES.into_iter().map(load).collect()
}

#[test]
fn every_keymap_loads_under_its_name_and_no_other_is_shipped() {
    for (name, map) in NAMES.iter().zip(shipped()) {
        assert_eq!(&*map.name, *name);
    }
    assert!(builtin("emacs").is_none());
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("keymaps");
    let files: BTreeSet<String> = std::fs::read_dir(directory)
        .expect("keymaps/")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().trim_end_matches(".toml").to_owned())
        .collect();
    assert_eq!(files, NAMES.into_iter().map(str::to_owned).collect());
}

#[test]
fn every_command_has_a_key_in_every_flavour() {
    for map in shipped() {
        for info in COMMANDS {
            let reached = Context::ALL.iter().any(|context| !map.keys_of(*context, info.command).is_empty());
            assert!(reached, "{}: no key for {}", map.name, info.name);
        }
    }
}

#[test]
fn common_keys_do_the_same_in_every_flavour_and_context() {
    let screens = [
        ("1", Screen::Fleet),
        ("2", Screen::Workloads),
        ("3", Screen::Instances),
        ("4", Screen::Logs),
        ("5", Screen::Health),
        ("6", Screen::Metrics),
        ("7", Screen::Alerts),
        ("8", Screen::Timeline),
        ("9", Screen::Operations),
        ("0", Screen::Revisions),
    ];
    let mut common = vec![
        ("j", Command::Down),
        ("down", Command::Down),
        ("k", Command::Up),
        ("up", Command::Up),
        ("pgdn", Command::PageDown),
        ("pgup", Command::PageUp),
        ("home", Command::Top),
        ("end", Command::Bottom),
        ("G", Command::Bottom),
        ("enter", Command::Enter),
        ("esc", Command::Back),
        ("tab", Command::NextScreen),
        ("shift-tab", Command::PreviousScreen),
        ("/", Command::Filter),
        ("n", Command::SearchNext),
        ("N", Command::SearchPrevious),
        (":", Command::Palette),
        ("space", Command::Mark),
        ("?", Command::Help),
        ("c", Command::Copy),
        ("y", Command::Describe),
        ("l", Command::Logs),
        ("r", Command::Operate(Verb::Restart)),
        ("S", Command::Operate(Verb::Scale)),
        ("D", Command::Operate(Verb::Deploy)),
        ("B", Command::Operate(Verb::Rollback)),
        ("q", Command::Quit),
        ("ctrl-c", Command::Quit),
        ("ctrl-z", Command::Suspend),
    ];
    common.extend(screens.map(|(key, screen)| (key, Command::Go(screen))));
    for map in shipped() {
        for context in Context::ALL {
            for (key, command) in &common {
                let chord = Chord::parse(key).expect(key);
                assert_eq!(map.lookup(context, &[chord]), Lookup::Run(*command), "{} {context:?} {key}", map.name);
            }
            let top = map.keys_of(context, Command::Top);
            assert!(top.iter().any(|k| k == "g" || k == "g g"), "{} {context:?}: {top:?}", map.name);
        }
        let log = |key: &str| map.lookup(Context::Log, &[Chord::parse(key).expect(key)]);
        for (key, command) in [
            ("f", Command::Log(LogCommand::Follow)),
            ("w", Command::Log(LogCommand::Wrap)),
            ("t", Command::Log(LogCommand::Stamps)),
        ] {
            assert_eq!(log(key), Lookup::Run(command), "{} log {key}", map.name);
        }
    }
}

#[test]
fn the_letters_of_the_peers_hold_but_for_the_flavour_that_has_its_own() {
    let letters =
        [("p", Command::PreviousLogs), ("d", Command::Describe), ("s", Command::Operate(Verb::Shell)), ("m", Command::Menu)];
    for map in shipped().iter().filter(|m| &*m.name != "lazydocker") {
        for (key, command) in letters {
            assert_eq!(map.lookup(Context::List, &[Chord::parse(key).expect(key)]), Lookup::Run(command), "{} {key}", map.name);
        }
    }
}

#[test]
fn no_key_that_takes_away_somewhere_changes_something_unasked_elsewhere() {
    // What stops, kills, deletes or rolls back in a peer: lazydocker's d and s, k9s' ctrl-d, ctrl-k and ctrl-l, delete, x.
    let peers = ["d", "s", "x", "ctrl-d", "ctrl-k", "ctrl-l", "delete"];
    let mut harmful: BTreeSet<Vec<Chord>> = peers.iter().map(|k| vec![Chord::parse(k).expect(k)]).collect();
    let maps = shipped();
    let all = || maps.iter().flat_map(|map| Context::ALL.into_iter().map(move |context| (map, context)));
    for (map, context) in all() {
        let taking = map.bindings(context).iter().filter(|(_, c)| matches!(c, Command::Operate(verb) if verb.is_destructive()));
        harmful.extend(taking.map(|(keys, _)| keys.clone()));
    }
    for (map, context) in all() {
        for (keys, command) in map.bindings(context).iter().filter(|(keys, _)| harmful.contains(keys)) {
            // Those that ask something first, and those that always ask, are no surprise.
            let unasked = matches!(
                command,
                Command::Operate(Verb::Restart | Verb::Start | Verb::Pause | Verb::Unpause | Verb::Unlock)
                    | Command::Quit
                    | Command::AbortOperation
            );
            assert!(!unasked, "{} {context:?}: {keys:?} runs {command:?}", map.name);
        }
    }
}

#[test]
fn what_takes_away_is_never_on_a_key_that_is_hit_by_accident() {
    let calm = ["enter", "esc", "space", "tab", "up", "down", "left", "right", "backspace", "j", "k", "g", "G", "q"];
    for map in shipped() {
        for context in Context::ALL {
            for (keys, command) in map.bindings(context) {
                let changes = matches!(command, Command::Operate(_));
                let spelled = quarterdeck::keymap::spell(keys);
                assert!(!(changes && calm.contains(&spelled.as_str())), "{}: {spelled} runs {command:?}", map.name);
            }
        }
    }
}
