//! What a keymap file means and what a person is told about a broken one.

use super::*;
use crate::app::state::Screen;

fn keymap(text: &str) -> Keymap {
    Keymap::parse(text, "mine.toml").expect("a keymap without mistakes")
}

fn told(text: &str) -> Vec<String> {
    Keymap::parse(text, "mine.toml").expect_err("mistakes").iter().map(ToString::to_string).collect()
}

#[test]
fn a_context_goes_before_what_is_shared() {
    let map = keymap("name = 'm'\n[any]\nf = 'find.filter'\nw = 'go.fleet'\n[log]\nf = 'logs.follow'\nw = 'none'\n");
    let run = |context, keys: &str| map.lookup(context, &parse_keys(keys));
    assert_eq!(run(Context::List, "f"), Lookup::Run(Command::Filter));
    assert_eq!(run(Context::Log, "f"), Lookup::Run(Command::Log(crate::app::LogCommand::Follow)));
    assert_eq!(run(Context::List, "w"), Lookup::Run(Command::Go(Screen::Fleet)));
    assert_eq!(run(Context::Log, "w"), Lookup::Nothing);
    assert_eq!(run(Context::List, "x"), Lookup::Nothing);
    assert_eq!(run(Context::List, ""), Lookup::Nothing);
}

#[test]
fn a_chord_begun_tells_what_may_follow() {
    let map = keymap(
        "name = 'm'\n[any]\n'g g' = 'move.top'\n'g e' = 'move.bottom'\n'g z z' = 'program.quit'\n'g z q' = 'program.quit'\n",
    );
    let Lookup::Pending(followers) = map.lookup(Context::List, &parse_keys("g")) else { panic!("pending") };
    let shown: Vec<(String, Option<Command>)> = followers.into_iter().map(|(c, r)| (c.to_string(), r)).collect();
    assert_eq!(shown, [("e".to_owned(), Some(Command::Bottom)), ("g".to_owned(), Some(Command::Top)), ("z".to_owned(), None)]);
    assert_eq!(map.lookup(Context::List, &parse_keys("gg")), Lookup::Run(Command::Top));
    assert_eq!(map.lookup(Context::List, &parse_keys("gx")), Lookup::Nothing);
    assert_eq!(map.keys_of(Context::Log, Command::Quit), ["g z z", "g z q"]);
}

#[test]
fn what_is_inherited_can_be_changed_and_taken_out() {
    let map = keymap("name = 'm'\ninherits = 'default'\n[any]\ng = 'none'\n'g g' = 'move.top'\nj = 'move.up'\n");
    assert_eq!(map.lookup(Context::List, &parse_keys("gg")), Lookup::Run(Command::Top));
    assert_eq!(map.lookup(Context::List, &parse_keys("j")), Lookup::Run(Command::Up));
    assert_eq!(map.lookup(Context::List, &parse_keys("G")), Lookup::Run(Command::Bottom));
    assert_eq!(map.keys_of(Context::List, Command::Up).first().map(String::as_str), Some("j"), "one's own come first");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let found = told(
        "name = \"m\"\ninherits = \"defualt\"\nfoo = 1\n\n[any]\nj = \"move.dwon\"\nentr = \"go.in\"\ng = \"move.top\"\n\"g g\" = \"move.top\"\nshift-tab = \"go.previous\"\nbacktab = \"go.next\"\nk = 7\n\"a b c d e\" = \"go.in\"\n\n[lsit]\nx = \"go.in\"\n",
    );
    assert_eq!(
        found,
        [
            "mine.toml:2:12: unknown keymap `defualt`, did you mean `default`?",
            "mine.toml:3:1: unknown key `foo`, expected `name`, `inherits`, `any`, `list`, `log` or `text`",
            "mine.toml:6:5: unknown command `move.dwon`, did you mean `move.down`?",
            "mine.toml:7:1: unknown key `entr`, did you mean `enter`?",
            "mine.toml:9:1: `g g` can never be typed: `g` already runs `move.top` in line 8",
            "mine.toml:11:1: `shift-tab` is given twice: first in line 10",
            "mine.toml:12:5: expected the name of a command, or \"none\", found a whole number",
            "mine.toml:13:1: `a b c d e` is longer than four keys",
            "mine.toml:15:2: unknown key `lsit`, did you mean `list`?",
        ]
    );
}

#[test]
fn a_key_given_twice_in_one_spelling_is_told() {
    let found = told("name = 'm'\n[any]\nj = 'move.down'\nj = 'move.up'\n");
    assert_eq!(found, ["mine.toml:4:1: duplicate key"]);
}

#[test]
fn a_key_that_hides_an_inherited_one_is_told_with_the_way_out() {
    let found = told("name = 'm'\ninherits = 'default'\n[log]\n'g g' = 'move.top'\n");
    assert_eq!(
        found,
        [
            "mine.toml:4:1: `g g` can never be typed: `g` already runs `move.top`; it is inherited, take it out with `\"g\" = \"none\"`"
        ]
    );
}

#[test]
fn the_default_keymap_is_not_empty() {
    assert!(Keymap::default().bindings(Context::List).len() > 50);
}
