//! What changed before this: told on the timeline whoever did it, and asked for from what is not well.

use jiff::Timestamp;
use quarterdeck::app::changes;
use quarterdeck::app::state::{Overlay, RowId, Screen};
use quarterdeck::engine::Update;
use quarterdeck::model::{Guard, Health, Item, Revision, Source};
use quarterdeck::observe::cause::Kind;

use crate::fixture::{Deck, shop, unwell};

fn told(deck: &Deck) -> Vec<String> {
    deck.state.timeline.iter().map(|(_, i)| format!("{} {} {}: {}", i.source.word(), i.subject, i.what, i.detail)).collect()
}

/// The shop with its api changed.
fn with_api(change: impl Fn(&mut quarterdeck::model::Workload)) -> quarterdeck::model::Snapshot {
    let mut snapshot = shop(Guard::Open);
    let at = snapshot.workloads.iter().position(|w| w.id.as_str() == "api").expect("it is there");
    let mut api = (*snapshot.workloads[at]).clone();
    change(&mut api);
    snapshot.workloads[at] = api.into();
    snapshot
}

#[test]
fn what_anybody_changes_is_told_once() {
    let mut deck = Deck::shop(Guard::Open);
    let changed = |w: &mut quarterdeck::model::Workload| {
        w.image = "registry:5000/api:9.9".into();
        w.desired += 1;
    };
    let before = told(&deck).len();
    deck.holds("here", vec![with_api(changed)]);
    deck.holds("here", vec![with_api(changed)]);
    let new = told(&deck).split_off(before);
    assert_eq!(new.len(), 2, "{new:?}");
    assert!(new[0].starts_with("engine api image: api 1.0") && new[0].ends_with(" → 9.9"), "{new:?}");
    assert!(new[1].starts_with("engine api scaled: "), "{new:?}");
}

#[test]
fn what_is_ill_asks_what_was_before_it_and_leads_there() {
    let mut deck = Deck::shop(Guard::Open);
    let id = deck.state.snapshots().next().expect("an environment").environment.id.clone();
    let item = |seconds: i64, subject: &str, what: &str, detail: &str, source| Item {
        at: Timestamp::from_second(deck.state.now.as_second() - seconds).expect("a time"),
        environment: id.clone(),
        subject: subject.into(),
        source,
        what: what.into(),
        detail: detail.into(),
    };
    let items = vec![
        item(3000, "db", "die", "exit code 137", Source::Engine),
        item(2990, "db", "oom", "out of memory", Source::Engine),
        item(100, "api", "unhealthy", "was healthy", Source::Health),
        item(40, "web", "image", "web 1 → 2", Source::Engine),
    ];
    let deployed = deck.state.now.as_second() - 129;
    deck.update("here", Update::Events(items));
    deck.holds(
        "here",
        vec![{
            let revision = |number: u64, tag: &str, at: i64| Revision {
                number,
                image: format!("api:{tag}").into(),
                digest: None,
                at: Timestamp::from_second(at).ok(),
                by: Some("ops@bastion-1".into()),
                cause: Some("deploy".into()),
            };
            with_api(|w| {
                w.revisions = vec![revision(5, "2.3.0", deployed), revision(4, "2.2.0", deployed - 90_000)];
                let ill = unwell(w.clone(), Health::Unhealthy, "exit 1");
                *w = ill;
            })
        }],
    );
    deck.press("2");
    deck.state.nav.view_mut().table.selected = Some(RowId::Workload(id.clone(), "api".into()));
    let asked = changes::of_selection(&deck.state).expect("a workload");
    assert!(asked.began && asked.moment.as_second() == deck.state.now.as_second() - 100, "{asked:?}");
    deck.press("!");
    let Some(Overlay::Changes { changes: answer, .. }) = deck.state.overlays.last() else { panic!("the answer") };
    let first = &answer.causes[0];
    assert_eq!((first.kind, &*first.subject), (Kind::Deploy, "api"), "{:?}", answer.causes);
    assert_eq!(changes::ahead(first.at, answer.asked.moment), "29 s before");
    assert!(changes::line(first).contains("2.2.0 → 2.3.0"), "{}", changes::line(first));
    assert!(changes::line(first).contains("ops@bastion-1"));
    assert!(answer.causes.iter().all(|c| c.at <= answer.asked.moment), "what came after is no cause: {:?}", answer.causes);
    assert!(answer.causes.iter().any(|c| c.kind == Kind::OutOfMemory && &*c.subject == "db"));
    deck.press("d");
    assert_eq!((deck.state.overlays.len(), deck.state.nav.view().screen), (0, Screen::Revisions));
    assert_eq!(deck.state.nav.view().table.selected, Some(RowId::Revision(5)));
}

#[test]
fn more_of_the_past_can_be_asked_for() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("2!");
    let window = |deck: &Deck| match deck.state.overlays.last() {
        Some(Overlay::Changes { changes, .. }) => changes.window.as_secs() / 3600,
        _ => 0,
    };
    let mut seen = vec![window(&deck)];
    for keys in [">", ">", ">", ">", "<"] {
        deck.press(keys);
        seen.push(window(&deck));
    }
    assert_eq!(seen, [1, 6, 24, 168, 168, 24]);
    deck.press("!");
    assert!(deck.state.overlays.is_empty());
}

#[test]
fn a_log_opened_from_the_timeline_goes_to_the_time() {
    let mut deck = Deck::shop(Guard::Open);
    let id = deck.state.snapshots().next().expect("an environment").environment.id.clone();
    let at = Timestamp::from_second(deck.state.now.as_second() - 600).expect("a time");
    let item = Item {
        at,
        environment: id,
        subject: "api".into(),
        source: Source::Engine,
        what: "die".into(),
        detail: "exit code 1".into(),
    };
    deck.update("here", Update::Events(vec![item]));
    deck.press("8");
    let row = deck.state.timeline.iter().find(|(_, i)| &*i.what == "die").map(|(seq, _)| RowId::Item(seq));
    deck.state.nav.view_mut().table.selected = row;
    deck.press("l");
    let logs = deck.state.logs.as_ref().expect("a log");
    assert!(logs.since.is_some_and(|since| since < at), "it is read from a little before");
    assert_eq!(logs.seek.map(|(to, _)| to), Some(at));
    deck.press("6");
}

#[test]
fn figures_of_the_time_are_shown_from_the_timeline() {
    let mut deck = Deck::shop(Guard::Open);
    let id = deck.state.snapshots().next().expect("an environment").environment.id.clone();
    let at = Timestamp::from_second(deck.state.now.as_second() - 120).expect("a time");
    let item = Item {
        at,
        environment: id.clone(),
        subject: "api".into(),
        source: Source::Engine,
        what: "oom".into(),
        detail: "out of memory".into(),
    };
    deck.update("here", Update::Events(vec![item]));
    deck.press("8");
    let row = deck.state.timeline.iter().find(|(_, i)| &*i.what == "oom").map(|(seq, _)| RowId::Item(seq));
    deck.state.nav.view_mut().table.selected = row;
    deck.press("6");
    assert_eq!(deck.state.nav.view().screen, Screen::Metrics);
    assert_eq!(deck.state.charts.cursor, Some(at));
    assert_eq!(deck.selected().as_deref(), Some("shop/api"));
    deck.press("<left>");
    assert!(deck.state.charts.cursor.is_some_and(|c| c < at));
    deck.press("<esc>");
    assert_eq!((deck.state.charts.cursor, deck.state.nav.view().screen), (None, Screen::Metrics));
}
