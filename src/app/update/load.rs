//! The size of a load test as it is typed: `100 30s 5s` (users, how long, ramp), `200/s 1m`, `500` (a scenario), each with
//! an address behind it or without.

use std::sync::Arc;
use std::time::Duration;

use crate::observe::load::{Scenario, Shape};

/// Connections of a test that is told a rate only: so many as are asked for in a second, within reason.
const CONNECTIONS: u32 = 200;

/// Reads what was typed.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse(text: &str) -> Result<(Option<Arc<str>>, Shape), Arc<str>> {
    let expected =
        || -> Arc<str> { "users or requests a second, how long, and the ramp are wanted: 100 30s 5s, 200/s 1m, 500".into() };
    let (addresses, rest): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(|word| word.contains("://"));
    let url = match addresses.as_slice() {
        [] => None,
        [one] => Some(Arc::from(*one)),
        [_, _, ..] => return Err("one address is enough".into()),
    };
    let (size, spans) = rest.split_first().ok_or_else(expected)?;
    if let (Some(scenario), []) = (Scenario::named(size), spans) {
        return Ok((url, scenario.shape()));
    }
    let mut shape = Shape::default();
    match size.strip_suffix("/s") {
        Some(rate) => {
            let rate = rate.parse().map_err(|_| expected())?;
            shape.rate = Some(rate);
            shape.users = rate.clamp(1, CONNECTIONS);
        }
        None => shape.users = size.parse().map_err(|_| expected())?,
    }
    match spans {
        [] => {}
        [long] => shape.duration = span(long).ok_or_else(expected)?,
        [long, ramp] => {
            shape.duration = span(long).ok_or_else(expected)?;
            shape.ramp = span(ramp).ok_or_else(expected)?;
        }
        [_, _, _, ..] => return Err(expected()),
    }
    shape.check().map_err(Arc::from)?;
    Ok((url, shape))
}

/// `30s`, `2m`, `1h`.
fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_it_is_typed() {
        let words = |text| parse(text).map(|(url, shape)| format!("{} {}", url.as_deref().unwrap_or("-"), shape.words()));
        for (text, expected) in [
            ("100", "- 100 users for 30 s, 5 s of it ramp, thinking 1 s between requests"),
            ("120 1m", "- 120 users for 1 min"),
            ("100 30s 5s", "- 100 users for 30 s, 5 s of it ramp"),
            ("50/s 2m", "- 50 requests a second over at most 50 connections for 2 min"),
            ("5000/s 2m", "- 5000 requests a second over at most 200 connections for 2 min"),
            ("10 5s http://localhost:8080/x", "http://localhost:8080/x 10 users for 5 s"),
        ] {
            assert_eq!(words(text).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["", "many", "10 30", "10 s", "10 30s 5s 1s", "10 5s 30s", "6000 10s", "10 2h", "0 5s", "http://a http://b 10"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
