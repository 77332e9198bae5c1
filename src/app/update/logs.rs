//! The log view: what it follows, who joins and leaves, and taking lines in.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::format::{count, seconds_since};
use crate::app::layout;
use crate::app::state::{LogScope, LogSource, LogView, RowId, Screen, View};
use crate::app::{Effect, State};
use crate::engine::LogQuery;
use crate::model::{ConnectionId, EnvironmentId, Instance, InstanceId, Snapshot, Workload, WorkloadId};
use crate::observe::log::{LogBatch, Marker, Store};

use super::{bursts, navigation, older, when};

/// Log read before the time it is opened for.
const BEFORE: SignedDuration = SignedDuration::from_secs(60);
/// How long the first line of that time is waited for.
const SEEKS: SignedDuration = SignedDuration::from_secs(10);
/// Instances one view follows at a time.
const SOURCES: usize = 100;
/// Seconds a source is still listened to after its instance has gone: its last lines are on their way.
const LINGER: u64 = 10;

/// What a log would be opened of.
#[derive(Clone, Debug)]
pub struct Wanted {
    scope: LogScope,
    title: Arc<str>,
    view: View,
}

/// The log of the marked rows, else of the selected one, else of what the screen is about.
///
/// # Errors
/// A sentence when there is nothing to follow.
pub fn of_selection(state: &State) -> Result<Wanted, &'static str> {
    let current = state.nav.view();
    if !current.table.marks.is_empty() {
        return of_marks(state);
    }
    match current.table.selected.as_ref() {
        Some(RowId::Environment(id)) => return Ok(of_environment(id)),
        Some(RowId::Workload(environment, id)) => return Ok(of_workload(environment, id)),
        Some(RowId::Instance(environment, id)) => return of_instance(state, environment, id).ok_or("it has gone"),
        Some(RowId::Item(seq)) => {
            if let Some(found) = of_item(state, *seq) {
                return Ok(found);
            }
        }
        Some(RowId::Alert(id, key)) => {
            let alert = state.alerts(id).find(|a| a.key() == *key);
            return match alert.and_then(|alert| state.workload_of_alert(id, alert)) {
                Some(workload) => Ok(of_workload(id, &workload)),
                None => Ok(of_environment(id)),
            };
        }
        Some(RowId::Connection(_) | RowId::Revision(_) | RowId::Operation(_)) | None => {}
    }
    match (&current.environment, &current.workload, &current.instance) {
        (Some(environment), _, Some(id)) => of_instance(state, environment, id).ok_or("it has gone"),
        (Some(environment), Some(id), None) => Ok(of_workload(environment, id)),
        (Some(environment), None, None) => Ok(of_environment(environment)),
        (None, _, _) => Err("select a workload or an instance first"),
    }
}

fn of_environment(id: &EnvironmentId) -> Wanted {
    let scope = LogScope::Environments(BTreeSet::from([id.clone()]));
    Wanted { scope, title: format!("all of {id}").into(), view: View::of(Screen::Logs, id.clone()) }
}

fn of_environments(ids: BTreeSet<EnvironmentId>) -> Wanted {
    let title = count(ids.len(), "environment").into();
    Wanted { scope: LogScope::Environments(ids), title, view: View::new(Screen::Logs) }
}

fn of_workload(environment: &EnvironmentId, id: &WorkloadId) -> Wanted {
    let view = View { workload: Some(id.clone()), ..View::of(Screen::Logs, environment.clone()) };
    let scope = LogScope::Workloads(environment.clone(), BTreeSet::from([id.clone()]));
    Wanted { scope, title: id.0.clone(), view }
}

fn of_instance(state: &State, environment: &EnvironmentId, id: &InstanceId) -> Option<Wanted> {
    let (_, workload, instance) = state.instance(&environment.connection, id)?;
    let view =
        View { workload: Some(workload.id.clone()), instance: Some(id.clone()), ..View::of(Screen::Logs, environment.clone()) };
    let scope = LogScope::Instances(environment.clone(), BTreeSet::from([id.clone()]));
    Some(Wanted { scope, title: instance.name.clone(), view })
}

fn of_item(state: &State, seq: u64) -> Option<Wanted> {
    let item = state.timeline.get(seq)?;
    let snapshot = state.snapshot(&item.environment)?;
    snapshot.workloads.iter().find_map(|w| {
        if *w.id.as_str() == *item.subject {
            return Some(of_workload(&item.environment, &w.id));
        }
        let instance = w.instances.iter().find(|i| i.name == item.subject)?;
        of_instance(state, &item.environment, &instance.id)
    })
}

fn of_marks(state: &State) -> Result<Wanted, &'static str> {
    let marks = &state.nav.view().table.marks;
    let whole: BTreeSet<EnvironmentId> =
        marks.iter().filter_map(|m| if let RowId::Environment(id) = m { Some(id.clone()) } else { None }).collect();
    match whole.first() {
        Some(one) if whole.len() == 1 => return Ok(of_environment(one)),
        Some(_) => return Ok(of_environments(whole)),
        None => {}
    }
    let Some(environment) = marks.iter().find_map(RowId::environment).cloned() else { return Err("nothing is marked") };
    let (mut workloads, mut instances) = (BTreeSet::new(), BTreeSet::new());
    for row in marks.iter().filter(|m| m.environment() == Some(&environment)) {
        match row {
            RowId::Workload(_, id) => drop(workloads.insert(id.clone())),
            RowId::Instance(_, id) => drop(instances.insert(id.clone())),
            RowId::Connection(_)
            | RowId::Environment(_)
            | RowId::Revision(_)
            | RowId::Operation(_)
            | RowId::Alert(..)
            | RowId::Item(_) => {}
        }
    }
    let view = View::of(Screen::Logs, environment.clone());
    if instances.is_empty() {
        let title = workloads.iter().map(WorkloadId::as_str).collect::<Vec<_>>().join(" + ").into();
        return Ok(Wanted { scope: LogScope::Workloads(environment, workloads), title, view });
    }
    for id in &workloads {
        let found = state.workload(&environment, id);
        instances.extend(found.iter().flat_map(|(_, w)| w.instances.iter()).map(|i| i.id.clone()));
    }
    let title = count(instances.len(), "marked instance").into();
    Ok(Wanted { scope: LogScope::Instances(environment, instances), title, view })
}

/// Opens the log of what is selected.
pub fn open_selected(state: &mut State, previous: bool) {
    if state.nav.view().screen == Screen::Logs && state.logs.as_ref().is_some_and(|l| l.previous == previous) {
        return;
    }
    // What happened then is looked for in the log of then.
    let at = match &state.nav.view().table.selected {
        Some(RowId::Item(seq)) if !previous => state.timeline.get(*seq).map(|item| item.at),
        _ => None,
    };
    match of_selection(state) {
        Ok(wanted) => open(state, wanted, (previous, at)),
        Err(why) => state.say(false, why),
    }
}

/// Opens the log of a workload, or of one of its instances while that is there, at a time.
pub fn open_at(
    state: &mut State,
    environment: &EnvironmentId,
    (workload, instance): (Option<&WorkloadId>, Option<&InstanceId>),
    at: Timestamp,
) {
    let one = instance.and_then(|id| of_instance(state, environment, id));
    let wanted = one.or_else(|| workload.map(|id| of_workload(environment, id)));
    open(state, wanted.unwrap_or_else(|| of_environment(environment)), (false, Some(at)));
}

/// Opens the log of an instance.
pub fn open_instance(state: &mut State, environment: &EnvironmentId, id: &InstanceId) {
    match of_instance(state, environment, id) {
        Some(wanted) => open(state, wanted, (false, None)),
        None => state.say(false, "it has gone"),
    }
}

fn open(state: &mut State, wanted: Wanted, (previous, at): (bool, Option<Timestamp>)) {
    // One log at a time: an older one on the way back gives way.
    state.nav.stack.retain(|v| v.screen != Screen::Logs);
    if state.nav.stack.is_empty() {
        state.nav.stack.push(View::new(Screen::Fleet));
    }
    let title = if previous { format!("{} (the run before)", wanted.title).into() } else { wanted.title };
    let fresh = LogView::new(title, wanted.scope, state.settings.log_bytes, state.settings.log_tail);
    // A little of what was before it belongs to it.
    let since = at.map(|at| at.saturating_sub(BEFORE).unwrap_or(at));
    let until = state.now.saturating_add(SEEKS).unwrap_or(state.now);
    state.logs = Some(LogView { previous, since, seek: at.map(|at| (at, until)), ..fresh });
    navigation::push(state, wanted.view);
    sync(state);
}

/// Reads the log from its end again, as if it had just been opened.
pub fn read_anew(state: &mut State) {
    let bound = state.settings.log_bytes;
    let Some(view) = &mut state.logs else { return };
    view.store = Store::new(bound);
    view.sources.clear();
    view.marks.clear();
    (view.follow, view.cursor, view.new_lines, view.synced) = (true, None, 0, 0);
    view.reset();
    sync(state);
}

/// Compares the sources with what is there: new ones join, those that have gone are let go in time.
pub fn sync(state: &mut State) {
    let Some(view) = &state.logs else { return };
    let lingering = view.sources.iter().any(|s| s.gone.is_some() && !s.ended);
    if view.synced == state.generation && !lingering {
        return;
    }
    let first = view.synced == 0;
    // Only what was really seen says that something has gone.
    let seen: Vec<&Arc<Snapshot>> = view.scope.environments().into_iter().filter_map(|id| state.snapshot(id)).collect();
    if seen.is_empty() {
        return;
    }
    let present: Vec<LogSource> = seen
        .iter()
        .flat_map(|s| s.workloads.iter().flat_map(move |w| w.instances.iter().map(move |i| (s, w, i))))
        .filter(|(_, w, i)| covers(&view.scope, w, i))
        .flat_map(|(s, w, i)| sources(view, &s.environment.id, w, i, first, state.now))
        .collect();
    let seen: BTreeSet<EnvironmentId> = seen.iter().map(|s| s.environment.id.clone()).collect();
    let (now, generation) = (state.now, state.generation);
    let Some(view) = &mut state.logs else { return };
    view.synced = generation;
    let there: BTreeSet<InstanceId> = present.iter().map(|s| s.instance.clone()).collect();
    for source in view.sources.iter_mut().filter(|s| seen.contains(&s.environment)) {
        if there.contains(&source.instance) {
            if let Some(gone) = source.gone.take().filter(|_| source.ended) {
                // Another one of the same name has come (a StatefulSet's pod): it is read from its beginning.
                source.query = LogQuery { tail: None, since: Some(gone), ..source.query.clone() };
                source.ended = false;
            }
        } else {
            let gone = *source.gone.get_or_insert(now);
            source.ended |= seconds_since(now, gone) >= LINGER;
        }
    }
    let left_out = join(view, present);
    if left_out > 0 && first {
        state.say(false, format!("{left_out} more instances are not followed: a log shows at most {SOURCES} at a time"));
    }
}

/// Lets those join that are not known yet; answers how many could not.
fn join(view: &mut LogView, present: Vec<LogSource>) -> usize {
    let known: BTreeSet<InstanceId> = view.sources.iter().map(|s| s.instance.clone()).collect();
    let mut left_out = 0;
    for source in present.into_iter().filter(|s| !known.contains(&s.instance)) {
        let followed = view.sources.iter().filter(|s| !s.ended).count();
        if followed < SOURCES {
            view.sources.push(source);
        } else {
            left_out += 1;
        }
    }
    left_out
}

fn covers(scope: &LogScope, workload: &Workload, instance: &Instance) -> bool {
    match scope {
        LogScope::Workloads(_, ids) => ids.contains(&workload.id),
        LogScope::Instances(_, ids) => ids.contains(&instance.id),
        LogScope::Environments(_) => true,
    }
}

/// New sources, one for each log of an instance. One that joins later is asked for everything since it began, whatever the
/// tail.
fn sources(
    view: &LogView,
    environment: &EnvironmentId,
    workload: &Workload,
    instance: &Instance,
    first: bool,
    now: Timestamp,
) -> Vec<LogSource> {
    let began = instance.created_at.or(instance.started_at).unwrap_or(now);
    let (tail, since) = match (first, view.since) {
        (true, Some(since)) => (None, Some(since)),
        (true, None) => (Some(view.tail), None),
        (false, _) => (None, Some(began)),
    };
    let source = |(id, name): (InstanceId, Arc<str>)| LogSource {
        environment: environment.clone(),
        workload: workload.id.clone(),
        instance: id.clone(),
        name,
        gone: None,
        ended: false,
        // One that joined later is asked for from its beginning.
        begun: !first,
        page: None,
        query: LogQuery { tail, since, follow: !view.previous, previous: view.previous, reveal: view.reveal, ..LogQuery::of(id) },
    };
    instance.logs(view.previous).into_iter().map(source).collect()
}

/// Takes lines in. While paused nothing moves: what came is counted.
pub fn take_in(state: &mut State, connection: &ConnectionId, batch: &LogBatch) -> Vec<Effect> {
    let page = usize::from(layout::log_lines(state.size).height).max(1);
    let Some(view) = &mut state.logs else { return Vec::new() };
    let of = |s: &LogSource| s.instance == batch.instance && &s.environment.connection == connection;
    let Some(at) = view.sources.iter().position(of) else { return Vec::new() };
    let dropped = view.store.dropped() + view.store.cut();
    view.store.push(batch);
    if batch.older {
        older::came(view, at, batch);
    } else if !view.follow {
        view.new_lines += batch.chunk.len() as u64;
    }
    let ended = view.store.newest().any(|l| matches!(l.marker, Some(Marker::Ended(_))));
    view.sources[at].ended |= ended && view.sources[at].gone.is_some();
    view.pushed();
    if view.store.dropped() + view.store.cut() != dropped {
        // What went can be asked for again.
        view.sources.iter_mut().for_each(|s| s.begun = false);
        let store = &view.store;
        view.marks.retain(|seq| store.line(*seq).is_some());
    }
    keep_place(view, page);
    if !batch.older {
        bursts::came(state, at);
    }
    seek(state);
    Vec::new()
}

/// Goes to the time the log was opened for, once it is there.
fn seek(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    let Some((at, until)) = view.seek else { return };
    let there = view.span().is_some_and(|(_, last)| last >= at);
    if there || state.now > until || !view.follow {
        view.seek = None;
    }
    if there && state.now <= until {
        when::go(state, at);
    }
}

/// What the reader looked at may have been dropped: the oldest lines that are left take its place.
fn keep_place(view: &mut LogView, page: usize) {
    if view.follow {
        return;
    }
    if view.store.line(view.anchor).is_none() {
        let index = (page - 1).min(view.len().saturating_sub(1));
        view.anchor = view.line(index).map_or(0, |l| l.seq);
    }
    if view.cursor.is_some_and(|seq| view.store.line(seq).is_none()) {
        view.cursor = view.line(0).map(|l| l.seq);
    }
}
