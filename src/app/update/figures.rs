//! The charts of what is scraped, made when what they are made from has changed and not with every frame.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::State;
use crate::app::figures::scraped::{Range, graphs};
use crate::app::state::{RowId, Screen, Sheet, SheetKey, Window};
use crate::model::{EnvironmentId, InstanceId, WorkloadId};
use crate::observe::metric::series::{Matcher, Must};

/// Makes the charts anew where another thing is looked at, another time, or something was scraped since.
pub fn settle(state: &mut State) {
    if state.nav.view().screen != Screen::Metrics {
        state.sheet = None;
        return;
    }
    let Some(key) = key(state) else {
        state.sheet = None;
        return;
    };
    if state.sheet.as_ref().is_some_and(|sheet| sheet.key == key) {
        return;
    }
    let made = source(state, &key.row).and_then(|(environment, selector, matchers)| {
        let store = state.watched.series.get(&environment)?;
        Some(graphs(store, &selector, &matchers, key.range))
    });
    state.sheet = Some(Sheet { key, graphs: made.unwrap_or_default() });
}

/// What the charts are made from.
fn key(state: &State) -> Option<SheetKey> {
    let row = state.nav.view().table.selected.clone()?;
    let environment = row.environment()?.clone();
    let step_ms = match state.charts.window {
        Window::FiveMinutes => 5_000,
        Window::Quarter => 15_000,
        Window::Half | Window::Hour => 30_000,
    };
    // A moment that goes on changes nothing before a whole step of it has.
    let round = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond().div_euclid(step_ms) * step_ms).unwrap_or(at);
    let (from, to) = state.charts.span(state.now);
    let scraped = state.watched.scrapes.iter().filter(|(watch, _)| watch.environment == environment);
    let newest = scraped.map(|(_, last)| last.at).max();
    Some(SheetKey { row, range: Range { from: round(from), to: round(to), step_ms }, newest })
}

type Source = (EnvironmentId, String, Vec<Matcher>);

/// The series of a row: a selector as it is written in expressions, and as matchers.
fn source(state: &State, row: &RowId) -> Option<Source> {
    match row {
        RowId::Workload(environment, workload) => of_jobs(environment, &jobs(state, environment, Some(workload))),
        RowId::Environment(environment) => of_jobs(environment, &jobs(state, environment, None)),
        RowId::Instance(environment, instance) => of_instance(state, environment, instance),
        RowId::Connection(_) | RowId::Revision(_) | RowId::Operation(_) | RowId::Alert(..) | RowId::Item(_) => None,
    }
}

/// The jobs a workload is scraped as; of a whole environment all of them.
fn jobs(state: &State, environment: &EnvironmentId, workload: Option<&WorkloadId>) -> BTreeSet<Arc<str>> {
    let policy = state.settings.policies.get(environment);
    let scrapes = policy.iter().flat_map(|p| &p.scrapes);
    scrapes.filter(|s| workload.is_none_or(|w| s.workload.as_ref() == Some(&w.0))).map(|s| s.job.clone()).collect()
}

fn of_jobs(environment: &EnvironmentId, jobs: &BTreeSet<Arc<str>>) -> Option<Source> {
    let (selector, matcher) = one_of("job", jobs)?;
    Some((environment.clone(), selector, vec![matcher]))
}

fn of_instance(state: &State, environment: &EnvironmentId, instance: &InstanceId) -> Option<Source> {
    let own = |watch: &&crate::observe::watch::ScrapeWatch| {
        &watch.environment == environment && watch.instance.as_ref().is_some_and(|(id, _)| id == instance)
    };
    let targets: Vec<_> = state.watched.scrapes.keys().filter(own).map(crate::observe::watch::ScrapeWatch::target).collect();
    let values = |label: &str| targets.iter().map(|t| Arc::from(t.labels.get(label))).collect::<BTreeSet<Arc<str>>>();
    let (job, of_job) = one_of("job", &values("job"))?;
    let (place, of_place) = one_of("instance", &values("instance"))?;
    Some((environment.clone(), format!("{job},{place}"), vec![of_job, of_place]))
}

/// `job="api"`, or `job=~"api|web"`; none where there is nothing to be one of.
fn one_of(label: &str, values: &BTreeSet<Arc<str>>) -> Option<(String, Matcher)> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let matcher = |must| Matcher { label: label.into(), must };
    let one = values.first()?;
    if values.len() == 1 {
        return Some((format!("{label}=\"{}\"", quoted(one)), matcher(Must::Be(one.clone()))));
    }
    let pattern = values.iter().map(|v| regex::escape(v)).collect::<Vec<_>>().join("|");
    let whole = regex::Regex::new(&format!("^(?:{pattern})$")).ok()?;
    Some((format!("{label}=~\"{}\"", quoted(&pattern)), matcher(Must::Fit(whole))))
}
