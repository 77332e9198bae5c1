//! What is watched outside the engines, and what becomes of it: health with reasons and a beginning, rows for dependencies,
//! series, the timeline.

use std::sync::Arc;
use std::time::Duration;

use quarterdeck::app::state::RowId;
use quarterdeck::app::watches::watches;
use quarterdeck::app::{Msg, changes};
use quarterdeck::model::{
    AlertState, EnvironmentId, Guard, Health, InstanceState, ProbeKind, ProbeSpec, ScrapeSpec, Source, Verb, WorkloadKind,
};
use quarterdeck::observe::metric::scan::Scanner;
use quarterdeck::observe::rule::file;
use quarterdeck::observe::watch::{Outcome, Scraped, Sighting, Watch};
use quarterdeck::operate::policy::Policy;

use crate::fixture::{Deck, at, settings, shop};

fn shop_id() -> EnvironmentId {
    EnvironmentId::new("here", "shop")
}

fn probe(name: &str, workload: Option<&str>, kind: ProbeKind) -> Arc<ProbeSpec> {
    Arc::new(ProbeSpec { workload: workload.map(Into::into), failures: 2, ..ProbeSpec::of(name, kind) })
}

fn watched(probes: Vec<Arc<ProbeSpec>>, scrapes: Vec<Arc<ScrapeSpec>>) -> Deck {
    let mut settings = settings();
    settings.policies.insert(shop_id(), Policy { probes, scrapes, ..Policy::of(Guard::Open) });
    Deck::shop_with(settings, Guard::Open)
}

/// Every probe looks once: those whose name holds `bad` fail.
fn look(deck: &mut Deck, bad: &str) {
    deck.clock += 10;
    for (_, watch) in watches(&deck.state) {
        let Watch::Probe(probe) = &watch else { continue };
        let place = probe.instance.as_ref().map_or("", |i| i.as_str());
        let ok = bad.is_empty() || !format!("{} {place}", probe.probe.name).contains(bad);
        let words = if ok { "200 in 3 ms" } else { "answers 503" };
        let latency = Some(Duration::from_millis(3));
        let outcome = Outcome { at: at(deck.clock), ok, slow: false, latency, words: words.into(), certificate_days: None };
        deck.send(Msg::Sighted { watch: Box::new(watch), sighting: Sighting::Probed(outcome) });
    }
    deck.send(Msg::Tick);
}

fn health(deck: &Deck, workload: &str) -> (Health, Option<i64>, Vec<String>) {
    let (_, workload) = deck.state.workload(&shop_id(), &workload.into()).unwrap();
    let verdict = &workload.verdict;
    let since = verdict.since.map(|since| since.as_second() - at(0).as_second());
    (verdict.health, since, verdict.reasons.iter().map(ToString::to_string).collect())
}

fn told(deck: &Deck, source: Source) -> Vec<String> {
    let items = deck.state.timeline.iter().filter(|(_, item)| item.source == source);
    items.map(|(_, item)| format!("{} {} {}", item.subject, item.what, item.detail)).collect()
}

#[test]
fn every_instance_that_runs_is_watched_and_an_address_once() {
    let each = probe("each", Some("api"), ProbeKind::Http("http://{instance}:80/health".into()));
    let exec = probe("ping", Some("db"), ProbeKind::Exec(vec!["redis-cli".into(), "ping".into()]));
    let site = probe("site", None, ProbeKind::Http("https://shop.example/".into()));
    let gone = probe("gone", Some("nothing"), ProbeKind::Http("http://{instance}:80/".into()));
    let mut deck = watched(vec![each, exec, site, gone], Vec::new());
    let of = |deck: &Deck| {
        let names = watches(&deck.state).into_iter().map(|(_, watch)| match watch {
            Watch::Probe(w) => format!("{} {}", w.probe.name, w.instance.map_or_else(String::new, |i| i.to_string())),
            other => format!("{other:?}"),
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(of(&deck), ["each api-1-id", "each api-2-id", "each api-3-id", "ping db-1-id", "site "]);
    deck.state.settings.only = Some("another".into());
    assert!(of(&deck).is_empty(), "what is not shown is not looked at");
}

#[test]
fn a_probe_that_fails_often_enough_turns_its_instance_and_workload_and_is_told() {
    let each = probe("each", Some("api"), ProbeKind::Http("http://{instance}:80/health".into()));
    let mut deck = watched(vec![each], Vec::new());
    look(&mut deck, "");
    assert_eq!(health(&deck, "api"), (Health::Healthy, None, vec![]));
    look(&mut deck, "api-2");
    assert_eq!(health(&deck, "api").0, Health::Healthy, "once is not enough");
    look(&mut deck, "api-2");
    assert_eq!(health(&deck, "api"), (Health::Degraded, Some(30), vec!["api-2: probe each: answers 503".to_owned()]));
    look(&mut deck, "api");
    look(&mut deck, "api");
    assert_eq!(health(&deck, "api").0, Health::Unhealthy, "none is left");
    assert_eq!(health(&deck, "api").1, Some(50));
    look(&mut deck, "");
    assert_eq!(health(&deck, "api"), (Health::Healthy, Some(60), vec![]));
    let told = told(&deck, Source::Health);
    assert!(told.contains(&"api degraded was healthy: api-2: probe each: answers 503".to_owned()), "{told:?}");
    assert!(told.contains(&"api-2 unhealthy was healthy: probe each: answers 503".to_owned()), "{told:?}");
    assert!(told.contains(&"api healthy was degraded".to_owned()), "{told:?}");
}

#[test]
fn an_inventory_that_comes_later_does_not_undo_what_probes_have_seen() {
    let api = probe("api", Some("api"), ProbeKind::Http("http://api.example/".into()));
    let mut deck = watched(vec![api], Vec::new());
    look(&mut deck, "api");
    look(&mut deck, "api");
    assert_eq!(health(&deck, "api").0, Health::Unhealthy);
    deck.clock += 5;
    deck.holds("here", vec![shop(Guard::Open)]);
    assert_eq!(health(&deck, "api"), (Health::Unhealthy, Some(20), vec!["probe api: answers 503".to_owned()]));
    let observed = deck.state.observed(&shop_id()).unwrap();
    assert_eq!(observed.workload(&"api".into()).unwrap().verdict.health, Health::Healthy, "operations see the engine's own");
}

#[test]
fn a_dependency_is_a_row_of_its_own_that_cannot_be_changed() {
    let managed = probe("db.internal", None, ProbeKind::Tcp("db.internal:5432".into()));
    let mut deck = watched(vec![managed], Vec::new());
    look(&mut deck, "");
    deck.press("2");
    assert!(deck.rows().contains(&"db.internal".to_owned()), "{:?}", deck.rows());
    let (_, row) = deck.state.workload(&shop_id(), &"db.internal".into()).unwrap();
    assert_eq!((row.kind, row.verdict.health), (WorkloadKind::Dependency, Health::Healthy));
    assert!(row.capabilities.denied.contains_key(&Verb::Restart));
    look(&mut deck, "db");
    look(&mut deck, "db");
    assert_eq!(health(&deck, "db.internal"), (Health::Unhealthy, Some(30), vec!["probe db.internal: answers 503".to_owned()]));
}

#[test]
fn what_is_scraped_becomes_series_of_its_environment_and_ends_with_its_instance() {
    let scrape = Arc::new(ScrapeSpec {
        workload: Some("api".into()),
        url: "http://{instance}:80/metrics".into(),
        interval: Duration::from_secs(15),
        job: "api".into(),
    });
    let mut deck = watched(Vec::new(), vec![scrape]);
    for (_, watch) in watches(&deck.state) {
        let read = Ok(Scanner::default().scan("jobs_total 3\n"));
        let scraped = Scraped { at: at(deck.clock), took: Duration::from_millis(2), read };
        deck.send(Msg::Sighted { watch: Box::new(watch), sighting: Sighting::Scraped(scraped) });
    }
    let stats = deck.state.watched.series[&shop_id()].stats();
    assert_eq!((stats.targets, deck.state.watched.scrapes.len()), (3, 3));
    let names: Vec<&str> = deck.state.watched.series[&shop_id()].names().map(|n| &**n).collect();
    assert!(names.contains(&"jobs_total") && names.contains(&"up"), "{names:?}");
    // One that has stopped is still a target, so that it is known not to be up.
    let mut stopped = shop(Guard::Open);
    let api = stopped.workloads.iter().position(|w| w.id.as_str() == "api").unwrap();
    let first = &mut Arc::make_mut(&mut stopped.workloads[api]).instances[0];
    Arc::make_mut(first).state = InstanceState::Exited;
    deck.holds("here", vec![stopped]);
    assert_eq!(watches(&deck.state).len(), 3);
    deck.holds("here", vec![]);
    assert_eq!(deck.state.watched.scrapes.len(), 0, "nothing is known of what is gone");
}

/// What the store's rules are, as Prometheus reads them.
const RULES: &str = r#"
groups:
  - name: store
    interval: 15s
    rules:
      - alert: BreakerOpen
        expr: max by (job) (circuit_breaker_state) == 2
        for: 1m
        labels: { severity: critical }
        annotations: { summary: "the breaker of {{ $labels.job }} is OPEN" }
"#;

/// Fifteen seconds pass: every instance of the api is scraped, its breaker in this state.
fn scrape(deck: &mut Deck, breaker: u8) {
    deck.wait(15);
    for (_, watch) in watches(&deck.state) {
        let Watch::Scrape(_) = &watch else { continue };
        let text = format!("# TYPE circuit_breaker_state gauge\ncircuit_breaker_state {breaker}\n");
        let scraped = Scraped { at: at(deck.clock), took: Duration::from_millis(2), read: Ok(Scanner::default().scan(&text)) };
        deck.send(Msg::Sighted { watch: Box::new(watch), sighting: Sighting::Scraped(scraped) });
    }
    deck.send(Msg::Tick);
}

fn state_of(deck: &Deck) -> AlertState {
    deck.state.alerts(&shop_id()).map(|alert| alert.state).max().unwrap_or_default()
}

/// Scrapes on until the alert is so; tells when that was.
fn until(deck: &mut Deck, breaker: u8, wanted: AlertState) -> i64 {
    for _ in 0..10 {
        scrape(deck, breaker);
        if state_of(deck) == wanted {
            return deck.clock;
        }
    }
    panic!("it does not come to {wanted:?}, it is {:?}", state_of(deck));
}

#[test]
fn a_breaker_that_stays_open_fires_is_traced_to_the_deploy_and_resolves() {
    let scrape_spec = Arc::new(ScrapeSpec {
        workload: Some("api".into()),
        url: "http://{instance}:80/metrics".into(),
        interval: Duration::from_secs(15),
        job: "api".into(),
    });
    let rules = Arc::new(file::read(RULES, "rules.yml"));
    assert_eq!(rules.problems, []);
    let mut settings = settings();
    let policy = Policy { scrapes: vec![scrape_spec], rules, ..Policy::of(Guard::Open) };
    settings.policies.insert(shop_id(), policy);
    let mut deck = Deck::shop_with(settings, Guard::Open);
    scrape(&mut deck, 0);
    assert_eq!(state_of(&deck), AlertState::Inactive);
    // Somebody deploys, and half a minute later the breaker opens.
    let mut deployed = shop(Guard::Open);
    let api = deployed.workloads.iter().position(|w| w.id.as_str() == "api").unwrap();
    Arc::make_mut(&mut deployed.workloads[api]).image = "registry:5000/api:2.0".into();
    deck.holds("here", vec![deployed]);
    scrape(&mut deck, 0);
    let opened = deck.clock;
    let pending = until(&mut deck, 2, AlertState::Pending);
    assert!(pending - opened <= 30, "{opened} {pending}");
    assert_eq!(health(&deck, "api").0, Health::Healthy, "not for a minute yet");
    let firing = until(&mut deck, 2, AlertState::Firing);
    assert!((60..=75).contains(&(firing - pending)), "{pending} {firing}");
    assert_eq!(deck.state.alerts_firing(&shop_id()), 1);
    let (judged, since, reasons) = health(&deck, "api");
    assert_eq!((judged, since.is_some()), (Health::Unhealthy, true));
    assert!(reasons[0].contains("the breaker of api is OPEN"), "{reasons:?}");
    // What changed before it: the deploy, first of all.
    let alert = deck.state.alerts(&shop_id()).next().unwrap().clone();
    let asked = changes::about(&deck.state, &RowId::Alert(shop_id(), alert.key())).unwrap();
    assert!(asked.began && asked.workload == Some("api".into()), "{asked:?}");
    let causes = changes::before(&deck.state, asked, changes::WINDOWS[0]).causes;
    assert!(changes::line(&causes[0]).contains("1.0 → 2.0"), "{}", changes::line(&causes[0]));
    // It closes again.
    let closed = deck.clock;
    assert!(until(&mut deck, 0, AlertState::Resolved) - closed <= 30);
    assert_eq!(health(&deck, "api").0, Health::Healthy);
    let told: Vec<String> = told(&deck, Source::Alert).into_iter().map(|t| t.chars().take(12).collect()).collect();
    assert_eq!(told, ["api pending ", "api firing B", "api resolved"]);
}
