//! What an expression gives, ours or Prometheus', how the two are held against each other, and how one is written down.

use quarterdeck::observe::metric::series::Store;
use quarterdeck::observe::rule::expr::{Expr, Value};

/// Labels and values over time, milliseconds; at one time there is one value each.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Error,
    Values(Vec<(String, Vec<(i64, f64)>)>),
}

/// What we give at a time.
pub fn at(store: &Store, expression: &str, at_ms: i64) -> Answer {
    match Expr::parse(expression).map(|expr| expr.at(store, at_ms)) {
        Err(_) | Ok(Err(_)) => Answer::Error,
        Ok(Ok(Value::Scalar(value))) => Answer::Values(vec![("{}".to_owned(), vec![(at_ms, value)])]),
        Ok(Ok(Value::Vector(items))) => {
            Answer::Values(items.into_iter().map(|(labels, value)| (labels.to_string(), vec![(at_ms, value)])).collect())
        }
    }
}

/// What we give over a range.
pub fn over(store: &Store, expression: &str, from_ms: i64, to_ms: i64, step_ms: i64) -> Answer {
    match Expr::parse(expression).map(|expr| expr.over(store, from_ms, to_ms, step_ms)) {
        Err(_) | Ok(Err(_)) => Answer::Error,
        Ok(Ok(runs)) => Answer::Values(runs.into_iter().map(|(labels, values)| (labels.to_string(), values)).collect()),
    }
}

/// How they differ, if they do: numbers by more than a part in 10⁹, order only where it was asked for.
pub fn difference(ours: &Answer, theirs: &Answer, ordered: bool) -> Option<String> {
    let (ours, theirs) = match (ours, theirs) {
        (Answer::Error, Answer::Error) => return None,
        (Answer::Values(ours), Answer::Values(theirs)) => (sorted(ours, ordered), sorted(theirs, ordered)),
        _ => return Some(format!("ours {ours:?}\n    theirs {theirs:?}")),
    };
    if ours.len() != theirs.len() {
        return Some(format!("{} and not {} results: ours {ours:?}\n    theirs {theirs:?}", ours.len(), theirs.len()));
    }
    ours.iter().zip(&theirs).find_map(|((labels, ours), (their_labels, theirs))| {
        let same = labels == their_labels
            && ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|((at, a), (their_at, b))| at == their_at && near(*a, *b));
        (!same).then(|| format!("{labels} {ours:?}\n    {their_labels} {theirs:?}"))
    })
}

fn sorted(rows: &[(String, Vec<(i64, f64)>)], ordered: bool) -> Vec<(String, Vec<(i64, f64)>)> {
    let mut rows = rows.to_vec();
    if !ordered {
        rows.sort_by(|a, b| a.0.cmp(&b.0));
    }
    rows
}

fn near(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// One line a result.
pub fn written(answer: &Answer) -> String {
    match answer {
        Answer::Error => "    !\n".to_owned(),
        Answer::Values(rows) => rows.iter().map(|(labels, values)| format!("    {labels}\t{}\n", values[0].1)).collect(),
    }
}

/// What [`written`] has written of an answer at a time.
pub fn read(text: &str, at_ms: i64) -> Answer {
    if text.trim() == "!" {
        return Answer::Error;
    }
    let row = |line: &str| {
        let (labels, value) = line.trim_start().rsplit_once('\t').unwrap();
        (labels.to_owned(), vec![(at_ms, value.parse().unwrap())])
    };
    Answer::Values(text.lines().map(row).collect())
}
