//! What a person is told about a broken file.

use super::*;

fn told(text: &str, walk: impl FnOnce(&Section<'_>)) -> Vec<String> {
    let document = Document::new(text, "x.toml");
    {
        let root = document.root();
        walk(&root);
        root.end();
    }
    document.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn unknown_keys_are_told_with_the_nearest_known_one() {
    let found = told("nmae = 'a'\nzzzzzz = 1\n", |root| {
        root.read("name", read::text);
        root.read("tier", read::text);
    });
    assert_eq!(
        found,
        ["x.toml:1:1: unknown key `nmae`, did you mean `name`?", "x.toml:2:1: unknown key `zzzzzz`, expected `name` or `tier`"]
    );
}

#[test]
fn a_required_key_and_a_wrong_type_are_told() {
    let found = told("name = 3\n", |root| {
        root.require("name", read::text);
        root.require("tier", read::text);
    });
    assert_eq!(found, ["x.toml:1:1: `tier` is missing", "x.toml:1:8: expected a string, found a whole number"]);
}

#[test]
fn every_syntax_error_has_its_place_and_hides_what_follows_from_it() {
    let found = told("name = \ntier = 'a\nengine = 7\n", |root| {
        root.require("name", read::text);
        root.require("tier", read::text);
        root.require("engine", read::text);
        root.require("absent", read::text);
    });
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("x.toml:1:"), "{found:#?}");
    assert!(found[1].starts_with("x.toml:2:"), "{found:#?}");
    assert_eq!(found[2], "x.toml:3:10: expected a string, found a whole number");
}

#[test]
fn tables_of_an_array_are_placed_at_their_heading() {
    let found = told("\n[[environment]]\ntier = 'a'\n\n  [[environment]]\n  name = 'b'\n", |root| {
        root.each("environment", |s| {
            s.require("name", read::text);
            s.read("tier", read::text);
            s.end();
            Some(())
        });
    });
    assert_eq!(found, ["x.toml:2:1: `name` is missing"]);
}
