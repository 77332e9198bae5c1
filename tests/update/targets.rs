//! Names on the command line.

use quarterdeck::app::target::find;
use quarterdeck::model::{Guard, Tier};

use crate::fixture::{Deck, environment, shop, snapshot, workload};

fn deck() -> Deck {
    let mut deck = Deck::new(&["here", "prod-1"]);
    let env = |connection: &str, name: &str| environment(connection, name, Tier::Local, Guard::Open);
    deck.live("here").holds(
        "here",
        vec![
            shop(Guard::Open),
            snapshot(env("here", "team"), vec![workload("api", 1), workload("a/b", 2)]),
            snapshot(env("here", "team/blue"), vec![workload("api", 1), workload("only", 2)]),
        ],
    );
    deck.live("prod-1").holds("prod-1", vec![snapshot(env("prod-1", "shop"), vec![workload("api", 2)])]);
    deck
}

/// What is found, as `connection environment workload instance`.
fn found(deck: &Deck, text: &str, within: Option<&str>) -> String {
    match find(&deck.state, text, within) {
        Ok(found) => {
            let mut out = format!("{} {}", found.environment.connection, found.environment.name);
            if let Some(target) = found.target {
                out += &format!(" {}", target.workload);
                out += &target.instance.map(|i| format!(" {i}")).unwrap_or_default();
            }
            out
        }
        Err(error) => format!("✖ {error}"),
    }
}

#[test]
fn names_are_found_or_what_there_is_is_told() {
    let deck = deck();
    let table: &[(&str, Option<&str>, &str)] = &[
        ("here:shop/api", None, "here shop api"),
        ("prod-1:shop/api", None, "prod-1 shop api"),
        ("here:shop", None, "here shop"),
        ("shop/api", None, "✖ shop/api fits several things: here:shop, prod-1:shop"),
        ("team/api", None, "here team api"),
        ("team/a/b", None, "here team a/b"),
        ("team/blue", None, "here team/blue"),
        ("team/blue/api", None, "here team/blue api"),
        ("team/a/b/a/b-2", None, "here team a/b a/b-2-id"),
        ("team/a/b/2", None, "here team a/b a/b-2-id"),
        ("here:shop/api/api-3", None, "here shop api api-3-id"),
        ("here:shop/api/api-9", None, "✖ there is no instance api-9 (did you mean api-1?)"),
        ("here:shop/api-2", None, "here shop api api-2-id"),
        ("here:shop/apj", None, "✖ there is no workload apj (did you mean api?)"),
        ("only", None, "here team/blue only"),
        ("only/only-2", None, "here team/blue only only-2-id"),
        ("api", None, "✖ api fits several things: here:shop/api, team/api, team/blue/api, prod-1:shop/api"),
        ("api", Some("team"), "here team api"),
        ("team/api", Some("team"), "here team api"),
        ("api", Some("shop"), "✖ shop fits several things: here:shop, prod-1:shop"),
        ("api", Some("prod-1:shop"), "prod-1 shop api"),
        ("api", Some("taem"), "✖ there is no environment taem (did you mean team?)"),
        ("zzz/api", None, "✖ there is no environment zzz; there are here:shop, team, team/blue, prod-1:shop"),
    ];
    for (text, within, expected) in table {
        assert_eq!(found(&deck, text, *within), *expected, "{text} within {within:?}");
    }
}
