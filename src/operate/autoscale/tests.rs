//! Policies over figures: single decisions by table, and a whole day of load.

use proptest::prelude::*;

use super::*;

fn policy() -> Autoscale {
    Autoscale {
        workload: "app".into(),
        metric: "cpu".into(),
        above: Some(0.8),
        below: Some(0.3),
        during: Duration::from_secs(60),
        step: 1,
        min: 2,
        max: 10,
        cooldown: Duration::from_secs(120),
        mode: Mode::Act,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

const FREE: Option<&str> = None;

/// Readings ten seconds apart; the decisions that come, with their time.
fn decisions(policy: Autoscale, replicas: u32, held: Option<&str>, values: &[f64]) -> Vec<(i64, String)> {
    let mut scaler = Scaler::new(policy);
    let mut told = Vec::new();
    for (n, value) in values.iter().enumerate() {
        let second = i64::try_from(n).unwrap() * 10;
        if let Some(decision) = scaler.read(at(second), Ok(*value), Around { replicas, held }) {
            let held = decision.held.map(|h| format!(" ({h})")).unwrap_or_default();
            told.push((second, format!("{}{held}", decision.why)));
        }
    }
    told
}

#[test]
fn it_must_hold_and_is_told_once_with_its_numbers() {
    let hot = [0.84; 20];
    assert_eq!(decisions(policy(), 2, FREE, &hot), [(60, "cpu 0.84 > 0.8 for 60 s: 2 → 3".to_owned())]);
    let mut dip = hot;
    dip[3] = 0.5;
    assert_eq!(decisions(policy(), 2, FREE, &dip)[0].0, 100, "what dips in between begins anew");
    assert_eq!(decisions(policy(), 3, FREE, &[0.2; 10]), [(60, "cpu 0.20 < 0.3 for 60 s: 3 → 2".to_owned())]);
    assert_eq!(decisions(policy(), 2, FREE, &[0.1; 10]), [], "never under the least");
    assert_eq!(decisions(policy(), 10, FREE, &[0.99; 10]), [], "never over the most");
    assert_eq!(decisions(policy(), 1, FREE, &[0.5; 10]), [(60, "at least 2 are wanted: 1 → 2".to_owned())]);
    assert_eq!(decisions(policy(), 12, FREE, &[0.5; 10]), [(60, "at most 10 are wanted: 12 → 10".to_owned())]);
    let near = Autoscale { below: Some(0.7), ..policy() };
    assert_eq!(decisions(near, 3, FREE, &[0.6; 10]), [], "two would carry 0.9 each: it would only go up again");
}

#[test]
fn what_stands_in_the_way_is_said_and_nothing_is_done() {
    let told = decisions(policy(), 2, Some("locked by ann@here: maintenance"), &[0.9; 10]);
    assert_eq!(told, [(60, "cpu 0.90 > 0.8 for 60 s: 2 → 3 (locked by ann@here: maintenance)".to_owned())]);
}

#[test]
fn after_a_change_it_rests_and_without_figures_it_decides_nothing() {
    let mut scaler = Scaler::new(policy());
    let around = |replicas| Around { replicas, held: None };
    for n in 0..6 {
        assert_eq!(scaler.read(at(n * 10), Ok(0.9), around(2)), None);
    }
    assert!(scaler.read(at(60), Ok(0.9), around(2)).is_some());
    // Somebody scaled: whoever it was, the cooldown runs from there.
    for n in 7..19 {
        assert_eq!(scaler.read(at(n * 10), Ok(0.9), around(3)), None, "{n}");
    }
    assert!(scaler.read(at(190), Ok(0.9), around(3)).is_some());
    for n in 20..60 {
        let value = if n % 5 == 0 { Err("nobody answers".into()) } else { Ok(0.9) };
        assert_eq!(scaler.read(at(n * 10), value, around(4)), None, "{n}");
    }
    assert_eq!(scaler.read(at(605), Ok(f64::NAN), around(4)), None);
    assert!(scaler.words().contains("unknown (cpu is NaN)"), "{}", scaler.words());
}

/// A day: quiet at night, two waves, a spike, noise; a new replica takes half a minute to carry its share.
#[test]
fn a_day_of_load() {
    let mut scaler = Scaler::new(policy());
    let (mut replicas, mut serving) = (2_u32, 2.0_f64);
    let (mut changes, mut overloaded, mut noise) = (Vec::new(), 0, 12_345_u64);
    for step in 0..8640_i64 {
        let hour = step as f64 / 360.0;
        let wave = (1.0 - (hour / 24.0 * std::f64::consts::TAU).cos()) * 2.2;
        let lunch = (-((hour - 12.0) / 0.8).powi(2)).exp() * 1.5;
        let spike = if (15.0..15.2).contains(&hour) { 2.0 } else { 0.0 };
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let jitter = 1.0 + ((noise >> 40) as f64 / f64::from(1 << 24) - 0.5) * 0.2;
        let load = (0.4 + wave + lunch + spike) * jitter;
        serving += (f64::from(replicas) - serving) / 3.0;
        let value = (load / serving).min(1.2);
        overloaded += i32::from(value > 0.9);
        if let Some(decision) = scaler.read(at(step * 10), Ok(value), Around { replicas, held: None }) {
            assert_eq!(decision.from, replicas);
            changes.push((step * 10, i64::from(decision.to) - i64::from(replicas)));
            replicas = decision.to;
        }
        assert!((2..=10).contains(&replicas));
    }
    let most = changes.len();
    assert!((10..60).contains(&most), "{most} changes in a day");
    assert!(changes.windows(2).all(|w| w[1].0 - w[0].0 >= 120), "the cooldown holds: {changes:?}");
    let turns = changes.windows(2).filter(|w| w[0].1.signum() != w[1].1.signum()).count();
    assert!(turns <= 12, "it follows the waves and does not flap: {turns} turns in {changes:?}");
    assert!(overloaded < 8640 / 50, "{overloaded} of 8640 readings over 0.9");
    assert_eq!(replicas, 2, "at night the least is enough");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is measured and whoever changes the number: in bounds, and never twice within the cooldown.
    #[test]
    fn bounds_and_rest_hold(values in proptest::collection::vec((0.0..2.0_f64, 0..20_u32, any::<bool>()), 1..400)) {
        let mut scaler = Scaler::new(policy());
        let (mut replicas, mut last): (u32, Option<i64>) = (4, None);
        for (n, (value, somebody, held)) in values.into_iter().enumerate() {
            let second = i64::try_from(n).unwrap() * 10;
            // What was before it first looked is not known to it.
            if somebody == 0 && n > 0 {
                replicas = (replicas + 1) % 12;
                last = Some(second);
            }
            let held = held.then_some("locked");
            if let Some(decision) = scaler.read(at(second), Ok(value), Around { replicas, held }) {
                prop_assert_eq!(decision.held.is_some(), held.is_some());
                prop_assert!((2..=10).contains(&decision.to));
                if decision.held.is_none() {
                    prop_assert!(last.is_none_or(|at| second - at >= 120), "{last:?} {second}");
                    replicas = decision.to;
                    last = Some(second);
                }
            }
        }
    }
}
