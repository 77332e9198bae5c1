//! Going about: in, back, across screens and environments, through overlays.

use expect_test::{Expect, expect};
use quarterdeck::app::state::{Overlay, Screen};
use quarterdeck::app::{Command, Msg};
use quarterdeck::engine::Update;
use quarterdeck::model::{Guard, Link};

use crate::fixture::{Deck, at, screen};

fn check(mut deck: Deck, keys: &str, expect: &Expect) {
    deck.press(keys);
    expect.assert_eq(&deck.look());
}

#[test]
fn the_only_environment_is_shown_at_once() {
    check(
        Deck::shop(Guard::Open),
        "",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
    "#]],
    );
}

#[test]
fn several_environments_begin_with_the_fleet() {
    check(
        Deck::fleet(),
        "",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
    "#]],
    );
}

#[test]
fn nothing_moves_by_itself_while_an_endpoint_has_not_answered_or_the_person_has_moved() {
    let mut deck = Deck::new(&["here", "slow"]);
    deck.live("here").holds("here", vec![crate::fixture::shop(Guard::Open)]);
    assert_eq!(screen(&deck), Screen::Fleet, "there may be more to come");
    let failed = Link::Failed { since: at(0), error: "no such host".into(), hint: "check".into(), retry_at: None };
    deck.update("slow", Update::Link(failed));
    assert_eq!(screen(&deck), Screen::Workloads);
    let mut deck = Deck::new(&["here"]);
    deck.press("8").live("here").holds("here", vec![crate::fixture::shop(Guard::Open)]);
    assert_eq!(screen(&deck), Screen::Timeline);
}

#[test]
fn enter_goes_in_and_esc_back() {
    check(
        Deck::fleet(),
        "j<enter><enter><enter>",
        &expect![[r#"
        Fleet() > Workloads(here:tools) > Instances(here:tools cron) > Logs(here:tools cron cron-1-id)
    "#]],
    );
    check(
        Deck::shop(Guard::Open),
        "j<enter><esc>",
        &expect![[r#"
        Workloads(here:shop)
          shop/api
        ▸ shop/db
          shop/web
    "#]],
    );
    check(
        Deck::shop(Guard::Open),
        "<enter><enter><esc><esc><esc><esc>",
        &expect![[r#"
        Workloads(here:shop)
        ▸ shop/api
          shop/db
          shop/web
    "#]],
    );
}

#[test]
fn digits_switch_screens_and_keep_what_is_looked_at() {
    check(
        Deck::shop(Guard::Open),
        "j<enter>58",
        &expect![[r#"
        Workloads(here:shop) > Instances(here:shop db) > Timeline(here:shop db)
    "#]],
    );
    check(
        Deck::shop(Guard::Open),
        "j50",
        &expect![[r#"
            Workloads(here:shop) > Revisions(here:shop web)
            ▸ registry:5000/web:1.0
              registry:5000/web:0.9
        "#]],
    );
    check(
        Deck::fleet(),
        "jj5",
        &expect![[r#"
        Fleet() > Health()
        ▸ here:shop/web
          here:shop/web/web-1
          here:shop/api
          prod-1:shop/api
          tools/cron
          here:shop/db
    "#]],
    );
    check(
        Deck::fleet(),
        "0",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
        says: select a workload or an instance first
    "#]],
    );
}

#[test]
fn a_switch_takes_the_place_of_the_last_and_what_lies_below_is_gone_back_to() {
    check(
        Deck::fleet(),
        "<enter>5672",
        &expect![[r#"
        Fleet() > Workloads(here:shop)
        ▸ here:shop/api
          here:shop/db
          here:shop/web
    "#]],
    );
    check(
        Deck::fleet(),
        "<enter>57<esc>",
        &expect![[r#"
        Fleet() > Workloads(here:shop)
        ▸ here:shop/api
          here:shop/db
          here:shop/web
    "#]],
    );
    check(
        Deck::fleet(),
        "<enter>51",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
    "#]],
    );
}

#[test]
fn tab_leads_round_every_screen_that_has_something_to_show() {
    let mut deck = Deck::shop(Guard::Open);
    let mut seen = vec![screen(&deck)];
    for _ in 0..Screen::ALL.len() {
        deck.press("<tab>");
        seen.push(screen(&deck));
        if seen.first() == seen.last() {
            break;
        }
    }
    assert_eq!(seen.len(), Screen::ALL.len() + 1, "{seen:?}");
    let depth = deck.state.nav.stack.len();
    assert!(depth <= 3, "going round leaves no trail: {depth}");
}

#[test]
fn the_same_screen_of_the_next_environment() {
    check(
        Deck::fleet(),
        "<enter>5]",
        &expect![[r#"
        Fleet() > Health(here:tools)
        ▸ tools/cron
    "#]],
    );
    check(
        Deck::fleet(),
        "<enter>[",
        &expect![[r#"
        Fleet() > Workloads(prod-1:shop)
        ▸ prod-1:shop/api
    "#]],
    );
}

#[test]
fn the_palette_runs_anything_and_jumps_anywhere() {
    check(
        Deck::fleet(),
        ":restart",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
        over: palette "restart"
    "#]],
    );
    check(
        Deck::fleet(),
        "'prod-1:shop api<enter>",
        &expect![[r#"
        Fleet() > Workloads(prod-1:shop)
        ▸ prod-1:shop/api
    "#]],
    );
    check(
        Deck::shop(Guard::Open),
        ":health<enter>",
        &expect![[r#"
            Workloads(here:shop) > Health(here:shop)
            ▸ shop/web
              shop/web/web-1
              shop/api
              shop/db
        "#]],
    );
    check(
        Deck::shop(Guard::Open),
        "'web-2<enter>",
        &expect![[r#"
        Workloads(here:shop) > Instances(here:shop web)
          shop/web/web-1
        ▸ shop/web/web-2
    "#]],
    );
}

#[test]
fn what_does_not_apply_says_why() {
    check(
        Deck::fleet(),
        ":roll back<enter>",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
        over: palette "roll back"
        says: select a workload or an instance first
    "#]],
    );
    check(
        Deck::fleet(),
        "f",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
    "#]],
    );
    check(
        Deck::fleet(),
        "0",
        &expect![[r#"
        Fleet()
        ▸ here:shop
          tools
          prod-1:shop
        says: select a workload or an instance first
    "#]],
    );
}

#[test]
fn quitting_helping_and_leaving_always_work() {
    for before in ["", ":", "/x", "m", "?", "S", "D", "o", "T"] {
        let mut deck = Deck::shop(Guard::Type);
        deck.press(before).press("<ctrl-c>");
        assert_eq!(deck.wanted(), ["Quit"], "after {before}");
    }
    let mut deck = Deck::shop(Guard::Type);
    deck.press("?").press("restart").press("<esc><esc>");
    assert!(deck.state.overlays.is_empty());
    deck.press("q");
    assert_eq!(deck.wanted(), ["Quit"]);
}

#[test]
fn messages_go_after_a_while_and_bad_news_stays_longer() {
    let mut deck = Deck::shop(Guard::Open);
    deck.send(Msg::Note { ok: true, text: "saved".into() }).send(Msg::Note { ok: false, text: "full".into() });
    assert_eq!(deck.state.messages.len(), 2);
    deck.wait(6);
    assert_eq!(deck.state.messages.iter().map(|m| &*m.text).collect::<Vec<_>>(), ["full"]);
    deck.wait(6);
    assert!(deck.state.messages.is_empty());
    for n in 0..50 {
        deck.send(Msg::Note { ok: true, text: format!("{n}").into() });
    }
    assert_eq!(deck.state.messages.len(), 20);
}

#[test]
fn every_command_on_every_screen_at_any_size_is_answered() {
    for info in quarterdeck::app::command::COMMANDS {
        for target in Screen::ALL {
            for size in [(80, 24), (0, 0), (1, 1), (3, 200)] {
                let mut deck = Deck::shop(Guard::Open);
                deck.send(Msg::Resize(size.0, size.1)).send(Msg::Run(Command::Go(target)));
                deck.send(Msg::Run(info.command)).send(Msg::Wheel(3)).send(Msg::Wheel(-3)).send(Msg::Click(1, 2));
                deck.press("<esc><esc>");
            }
        }
    }
}

#[test]
fn pasted_text_is_never_taken_for_keys() {
    let mut deck = Deck::shop(Guard::Open);
    deck.send(Msg::Paste("q\nrm -rf".into()));
    assert!(deck.wanted().is_empty());
    deck.press("/").send(Msg::Paste("we\u{1b}[31m\nsecond".into()));
    let Some(Overlay::Prompt(prompt)) = deck.state.overlays.last() else { panic!("the prompt is open") };
    assert!(prompt.input.text.starts_with("we") && !prompt.input.text.contains(['\u{1b}', '\n']), "{:?}", prompt.input.text);
    let mut deck = Deck::shop(Guard::Type);
    deck.press("r").send(Msg::Paste("shop".into())).press("<enter>");
    assert!(deck.state.operations.running.is_empty(), "a name that was pasted was not typed");
}

#[test]
fn a_pasted_reference_replaces_the_name_offered_and_a_tag_completes_it() {
    let text = |pasted: &str| {
        let mut deck = Deck::shop(Guard::Open);
        deck.press("D").send(Msg::Paste(pasted.into()));
        let Some(Overlay::Prompt(prompt)) = deck.state.overlays.last() else { panic!("the prompt is open") };
        prompt.input.text.clone()
    };
    assert_eq!(text("2.0"), "registry:5000/api:2.0");
    assert_eq!(text("reg.example/shop/api:2.0"), "reg.example/shop/api:2.0");
}

#[test]
fn the_mouse_selects_opens_and_switches() {
    let mut deck = Deck::shop(Guard::Open);
    // Header, tabs, heading, then api, db, web.
    deck.send(Msg::Click(10, 4));
    assert_eq!(deck.selected().as_deref(), Some("shop/db"));
    deck.send(Msg::Click(10, 4));
    assert_eq!(screen(&deck), Screen::Instances);
    deck.send(Msg::Click(2, 1));
    assert_eq!(screen(&deck), Screen::Fleet);
    deck.press("2").send(Msg::Wheel(-5)).send(Msg::Wheel(1));
    assert_eq!(deck.selected().as_deref(), Some("shop/db"));
}
