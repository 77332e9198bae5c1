//! What an expression gives: one figure now, or series over time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{ask, figure, labels};
use crate::model::{Labels, ServerSpec};
use crate::probe::ASKED;
use crate::probe::http::percent_encoded;

/// Points Prometheus gives of one series at most.
const POINTS: u64 = 11_000;
/// Series taken of one answer; what is more is no chart.
const SERIES: usize = 200;

/// One series of an answer, oldest point first.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub labels: Labels,
    pub points: Vec<(Timestamp, f64)>,
}

/// What a range query gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Courses {
    pub courses: Vec<Course>,
    /// Series that were left out.
    pub dropped: usize,
}

/// What an instant query gives.
#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Value,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// The one figure an expression gives now.
pub(in crate::probe) async fn single(prometheus: &ServerSpec, expression: &str) -> Result<f64, String> {
    let path = format!("/api/v1/query?query={}", percent_encoded(expression));
    only(&ask::<Data>(prometheus, &path, ASKED).await?)
}

/// What an expression gives from `from` to `to`, a value each `step` (made longer where the server gives fewer points).
///
/// # Errors
/// A sentence when the server cannot be asked or does not understand.
pub async fn range(
    prometheus: &ServerSpec,
    expression: &str,
    (from, to): (Timestamp, Timestamp),
    step: Duration,
) -> Result<Courses, String> {
    let span = to.duration_since(from).as_secs().max(0).unsigned_abs();
    let step = step.as_secs_f64().max(span as f64 / POINTS as f64).max(0.001);
    let seconds = |at: Timestamp| at.as_millisecond() as f64 / 1000.0;
    let (query, start, end) = (percent_encoded(expression), seconds(from), seconds(to));
    let path = format!("/api/v1/query_range?query={query}&start={start:.3}&end={end:.3}&step={step:.3}");
    Ok(courses(ask::<Matrix>(prometheus, &path, ASKED).await?))
}

fn courses(matrix: Matrix) -> Courses {
    let dropped = matrix.result.len().saturating_sub(SERIES);
    let course = |series: Series| Course {
        labels: labels(&series.metric),
        points: series.values.iter().filter_map(|(at, text)| Some((moment(*at)?, figure(text)?))).collect(),
    };
    Courses { courses: matrix.result.into_iter().take(SERIES).map(course).collect(), dropped }
}

/// A time in seconds since 1970, to the millisecond.
fn moment(seconds: f64) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation, reason = "beyond an i64 it is no time, which `from_millisecond` says")]
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

/// The one value a query has given.
fn only(data: &Data) -> Result<f64, String> {
    let value = |pair: &Value| pair.get(1).and_then(Value::as_str).and_then(figure);
    let found = match (data.kind.as_str(), &data.result) {
        ("scalar", pair) => value(pair),
        ("vector", Value::Array(series)) => match series.as_slice() {
            [] => return Err("the expression gives nothing".to_owned()),
            [one] => one.get("value").and_then(value),
            many => {
                return Err(format!("the expression gives {} series, not one: put sum(), max() or avg() around it", many.len()));
            }
        },
        (other, _) => return Err(format!("the expression gives a {other}, not a figure")),
    };
    match found {
        Some(value) if value.is_nan() => Err("the expression gives no number (NaN)".to_owned()),
        Some(value) => Ok(value),
        None => Err("Prometheus answers something that is no figure".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_must_give_one_figure() {
        for (text, expected) in [
            (r#"{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"0.25"]}]}"#, Ok(0.25)),
            (r#"{"resultType":"scalar","result":[1700000000,"3"]}"#, Ok(3.0)),
            (r#"{"resultType":"vector","result":[]}"#, Err("the expression gives nothing")),
            (r#"{"resultType":"vector","result":[{"value":[1,"NaN"]}]}"#, Err("the expression gives no number (NaN)")),
            (
                r#"{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}"#,
                Err("the expression gives 2 series, not one: put sum(), max() or avg() around it"),
            ),
            (r#"{"resultType":"matrix","result":[]}"#, Err("the expression gives a matrix, not a figure")),
        ] {
            let data: Data = serde_json::from_str(text).unwrap();
            assert_eq!(only(&data), expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_range_gives_series_over_time() {
        let text = r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a\u001b"},"values":[[1700000000.5,"1"],[1700000015,"NaN"]]}]}"#;
        let read = courses(serde_json::from_str(text).unwrap());
        let course = &read.courses[0];
        assert_eq!((course.labels.get("__name__"), course.points.len(), read.dropped), ("up", 2, 0));
        assert!(!course.labels.get("job").contains('\u{1b}'));
        assert_eq!(course.points[0], (Timestamp::from_millisecond(1_700_000_000_500).unwrap(), 1.0));
        assert!(course.points[1].1.is_nan());
    }
}
