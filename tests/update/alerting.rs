//! Alerts evaluated here and told by a server, silences over them, and the timeline.

use std::sync::Arc;
use std::time::Duration;

use quarterdeck::app::Msg;
use quarterdeck::app::watches::watches;
use quarterdeck::model::{
    Alert, AlertSource, AlertState, EnvironmentId, Guard, Labels, Matcher, ScrapeSpec, ServerSpec, Silence, Source,
};
use quarterdeck::observe::metric::scan::Scanner;
use quarterdeck::observe::rule::file::read;
use quarterdeck::observe::rule::silence::Silences;
use quarterdeck::observe::watch::{Asked, Scraped, Sighting, Told, Watch};
use quarterdeck::operate::policy::Policy;

use crate::fixture::{Deck, at, settings};

const RULES: &str = "groups:\n- name: g\n  rules:\n  - alert: Jobs\n    expr: jobs > 5\n    labels: {severity: page}\n    \
                     annotations: {summary: '{{ $value }} jobs wait'}\n  - {alert: Beyond, expr: 'nothing_like_it(up)'}\n";

fn shop() -> EnvironmentId {
    EnvironmentId::new("here", "shop")
}

fn deck(prometheus: bool) -> Deck {
    let mut settings = settings();
    let scrape = ScrapeSpec {
        workload: Some("api".into()),
        url: "http://exporter/metrics".into(),
        interval: Duration::from_secs(15),
        job: "api".into(),
    };
    let policy = Policy {
        scrapes: vec![scrape.into()],
        rules: read(RULES, "rules.yml").into(),
        silences: Some("/nowhere/silences.json".into()),
        prometheus: prometheus.then(|| ServerSpec::open("http://prometheus:9090").into()),
        ..Policy::of(Guard::Open)
    };
    settings.policies.insert(shop(), policy);
    Deck::shop_with(settings, Guard::Open)
}

/// Something is seen by every watch this is for.
fn see(deck: &mut Deck, sighting: &Sighting, is: impl Fn(&Watch) -> bool) {
    let wanted: Vec<Watch> = watches(&deck.state).into_iter().map(|(_, watch)| watch).filter(|watch| is(watch)).collect();
    assert!(!wanted.is_empty(), "it is watched");
    for watch in wanted {
        deck.send(Msg::Sighted { watch: Box::new(watch), sighting: sighting.clone() });
    }
    deck.send(Msg::Tick);
}

fn scrape(deck: &mut Deck, text: &str) {
    deck.clock += 15;
    let read = Ok(Scanner::default().scan(text));
    let scraped = Sighting::Scraped(Scraped { at: at(deck.clock), took: Duration::from_millis(2), read });
    see(deck, &scraped, |watch| matches!(watch, Watch::Scrape(_)));
}

fn states(deck: &Deck) -> Vec<(String, &'static str, bool, bool)> {
    let row = |a: &Arc<Alert>| (a.name.to_string(), a.state.word(), a.silence.is_some(), a.trouble.is_some());
    deck.state.alerts(&shop()).map(row).collect()
}

fn told(deck: &Deck) -> Vec<String> {
    let items = deck.state.timeline.iter().filter(|(_, item)| item.source == Source::Alert);
    items.map(|(_, item)| format!("{} {} {}", item.subject, item.what, item.detail)).collect()
}

#[test]
fn rules_are_evaluated_silenced_and_told() {
    let mut deck = deck(false);
    deck.send(Msg::Tick);
    assert_eq!(states(&deck), [], "nothing was asked yet: nothing is known");
    scrape(&mut deck, "jobs 9\n");
    let beyond = || ("Beyond".to_owned(), "inactive", false, true);
    assert_eq!(states(&deck), [("Jobs".to_owned(), "firing", false, false), beyond()]);
    assert_eq!((deck.state.alerts_firing(&shop()), told(&deck)), (1, vec!["api firing Jobs: 9 jobs wait".to_owned()]));
    let silence = Silence {
        id: "here-1".into(),
        matchers: vec![Matcher { label: "alertname".into(), value: "Jobs".into(), regex: false, equal: true }],
        why: "known".into(),
        by: "ann@desk".into(),
        from: at(0),
        until: at(deck.clock + 20),
    };
    let kept = Silences { all: vec![silence.into()], ..Silences::default() };
    let asked = Sighting::Silences(Asked { at: at(deck.clock), read: Ok(kept.into()) });
    see(&mut deck, &asked, |watch| matches!(watch, Watch::Silences(_)));
    assert_eq!((states(&deck)[0].2, deck.state.alerts_firing(&shop())), (true, 0));
    deck.clock += 20;
    deck.send(Msg::Tick);
    assert_eq!((states(&deck)[0].2, deck.state.alerts_firing(&shop())), (false, 1), "a silence ends by itself");
    scrape(&mut deck, "jobs 1\n");
    assert_eq!(states(&deck), [("Jobs".to_owned(), "resolved", false, false), beyond()]);
    assert_eq!(told(&deck).len(), 2, "{:?}", told(&deck));
    assert!(told(&deck)[1].starts_with("api resolved Jobs: "), "{:?}", told(&deck));
}

#[test]
fn a_server_that_is_gone_leaves_what_it_told_marked_as_old() {
    let mut deck = deck(true);
    let alert = Alert {
        name: "Down".into(),
        state: AlertState::Firing,
        since: Some(at(0)),
        value: Some(f64::NAN),
        expression: "up == 0".into(),
        labels: Labels::new([("alertname", "Down"), ("job", "api")]),
        annotations: Labels::default(),
        source: AlertSource::Prometheus,
        silence: None,
        trouble: None,
    };
    let is = |watch: &Watch| matches!(watch, Watch::Prometheus(_));
    let alerts = Told { alerts: vec![alert.into()], ..Told::default() };
    see(&mut deck, &Sighting::Alerts(Asked { at: at(1), read: Ok(alerts.into()) }), is);
    assert_eq!(states(&deck), [("Down".to_owned(), "firing", false, false)], "its own rules count, not those of the files");
    see(&mut deck, &Sighting::Alerts(Asked { at: at(2), read: Err("no answer within 10 s".into()) }), is);
    assert_eq!(states(&deck), [("Down".to_owned(), "firing", false, true)]);
    see(&mut deck, &Sighting::Alerts(Asked { at: at(3), read: Ok(Arc::default()) }), is);
    assert_eq!(states(&deck), []);
    let told = told(&deck);
    assert_eq!((told.len(), told[1].starts_with("api resolved Down")), (2, true), "{told:?}");
}
