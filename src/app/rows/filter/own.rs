//! The fields of the filter language that need nothing but the row itself.

use super::Field::{
    By, Detail, Image, Ip, Kind, Label, Node, Outcome, Port, Restarts, Revision, Source, State as InState, What, Workload,
};
use super::{Field, Term, contains};
use crate::app::rows::Subject;

/// Whether the row has what a term asks for.
pub(super) fn own(row: &Subject<'_>, field: Field, term: &Term) -> bool {
    let label = |i: &crate::model::Instance| match term.value.split_once('=') {
        Some((key, value)) => i.labels.iter().any(|(k, v)| k.eq_ignore_ascii_case(key) && contains(v, value)),
        None => i.labels.keys().any(|k| contains(k, &term.value)),
    };
    let some = |text: &Option<std::sync::Arc<str>>| text.as_ref().is_some_and(|t| term.fits(t));
    match (row, field) {
        (Subject::Workload(_, w), Image) => term.fits(&w.image),
        (Subject::Workload(_, w) | Subject::Instance(_, w, _), Kind) => term.fits(w.kind.word()),
        (Subject::Workload(_, w) | Subject::Instance(_, w, _), Workload) => term.fits(w.id.as_str()),
        (Subject::Workload(_, w), Label) => w.instances.iter().any(|i| label(i)),
        (Subject::Workload(_, w), Revision) => term.counts(w.revision.map(|r| r as f64)),
        (Subject::Workload(_, w), Restarts) => term.counts(Some(f64::from(w.restarts()))),
        (Subject::Workload(_, w), InState) => w.instances.iter().any(|i| term.fits(i.state.word())),
        (Subject::Workload(_, w), Node) => w.instances.iter().any(|i| some(&i.node)),
        (Subject::Instance(_, _, i), Image) => term.fits(&i.image),
        (Subject::Instance(_, _, i), InState) => term.fits(i.state.word()),
        (Subject::Instance(_, _, i), Node) => some(&i.node),
        (Subject::Instance(_, _, i), Ip) => some(&i.ip),
        (Subject::Instance(_, _, i), Port) => i.ports.iter().any(|p| term.fits(&p.to_string())),
        (Subject::Instance(_, _, i), Label) => label(i),
        (Subject::Instance(_, _, i), Revision) => term.counts(i.revision.map(|r| r as f64)),
        (Subject::Instance(_, _, i), Restarts) => term.counts(Some(f64::from(i.restarts))),
        (Subject::Revision(_, r), Image) => term.fits(&r.image),
        (Subject::Revision(_, r), Revision) => term.counts(Some(r.number as f64)),
        (Subject::Revision(_, r), By) => some(&r.by),
        (Subject::Revision(_, r), What) => some(&r.cause),
        (Subject::Alert(_, a), InState) => term.fits(if a.silence.is_some() { "silenced" } else { a.state.word() }),
        (Subject::Alert(_, a), Source) => term.fits(a.source.word()),
        (Subject::Alert(_, a), What) => term.fits(a.labels.get("severity")),
        (Subject::Alert(_, a), Detail) => term.fits(&a.words()),
        (Subject::Alert(_, a), Label) => match term.value.split_once('=') {
            Some((name, value)) => a.labels.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && contains(v, value)),
            None => a.labels.iter().any(|(n, _)| contains(n, &term.value)),
        },
        (Subject::Item(_, item), Source) => term.fits(item.source.word()),
        (Subject::Item(_, item), What) => term.fits(&item.what),
        (Subject::Item(_, item), Detail) => term.fits(&item.detail),
        (Subject::Running(m), What) => term.fits(&m.plan.title),
        (Subject::Running(_), Outcome) => term.fits("running"),
        (Subject::Past(p), What) => term.fits(p.title()),
        (Subject::Past(p), Outcome) => term.fits(p.outcome_word()),
        (Subject::Past(p), By) => p.by().is_some_and(|by| term.fits(by)),
        (
            Subject::Connection(_)
            | Subject::Environment(_)
            | Subject::Workload(..)
            | Subject::Instance(..)
            | Subject::Revision(..)
            | Subject::Running(_)
            | Subject::Past(_)
            | Subject::Alert(..)
            | Subject::Item(..),
            _,
        ) => false,
    }
}
