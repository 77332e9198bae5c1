//! Rows of looks in, health out; and what holds for any row.

use proptest::prelude::*;

use super::*;

fn outcome(second: usize, mark: Mark) -> Outcome {
    Outcome {
        at: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
        ok: mark != Mark::Failed,
        slow: mark == Mark::Late,
        latency: Some(Duration::from_millis(second as u64)),
        words: "200".into(),
        certificate_days: None,
    }
}

fn marks(row: &str) -> Vec<Mark> {
    let mark = |c| match c {
        '+' => Mark::Good,
        '~' => Mark::Late,
        _ => Mark::Failed,
    };
    row.chars().map(mark).collect()
}

/// The health after every look: its first letter, and where it began.
fn after(failures: u32, successes: u32, row: &str) -> String {
    let mut standing = Standing::new(failures, successes);
    let letters = marks(row).into_iter().enumerate().map(|(second, mark)| {
        standing.record(outcome(second, mark));
        match standing.health {
            Health::Unknown => '?',
            Health::Healthy => 'h',
            Health::Degraded => 'd',
            Health::Unhealthy => 'u',
            other => panic!("{other:?}"),
        }
    });
    let letters: String = letters.collect();
    format!("{letters} {}", standing.since.map_or(-1, Timestamp::as_second))
}

#[test]
fn health_turns_when_enough_looks_in_a_row_say_so() {
    for (failures, successes, row, expected) in [
        (3, 1, "+", "h 0"),
        (3, 2, "+-+", "??? -1"),
        (3, 2, "+-++", "???h 2"),
        (3, 1, "---", "??u 0"),
        (3, 1, "+--+--+---", "hhhhhhhhhu 7"),
        (3, 2, "+---+-++", "???uuuuh 6"),
        (1, 1, "-+-", "uhu 2"),
        (3, 1, "+~~+~~~~", "hhhhhhdd 4"),
        (3, 1, "+~~~-~+", "hhhdddh 6"),
        (3, 2, "++~~~++", "?hhhddh 5"),
        (2, 1, "--~", "?ud 2"),
        (2, 1, "~", "d 0"),
        (0, 0, "-+", "uh 1"),
    ] {
        assert_eq!(after(failures, successes, row), expected, "{failures}/{successes} {row}");
    }
}

#[test]
fn a_look_that_came_too_late_changes_nothing() {
    let mut standing = Standing::new(1, 1);
    assert_eq!(standing.record(outcome(5, Mark::Good)), Some(Health::Unknown));
    assert_eq!(standing.record(outcome(5, Mark::Failed)), None);
    assert_eq!(standing.record(outcome(4, Mark::Failed)), None);
    assert_eq!((standing.health, standing.strip().len()), (Health::Healthy, 1));
    assert_eq!(standing.record(outcome(6, Mark::Failed)), Some(Health::Healthy));
}

#[test]
fn latencies_are_those_of_the_answers_on_the_strip() {
    let mut standing = Standing::new(3, 1);
    assert_eq!(standing.latency(0.5), None);
    for second in 1..=200 {
        standing.record(outcome(second, if second % 50 == 0 { Mark::Failed } else { Mark::Good }));
    }
    // Of 81…200, without 100, 150 and 200: 117 answers.
    assert_eq!(standing.strip().len(), STRIP);
    assert_eq!(standing.latency(0.0), Some(Duration::from_millis(81)));
    assert_eq!(standing.latency(0.5), Some(Duration::from_millis(140)));
    assert_eq!(standing.latency(0.95), Some(Duration::from_millis(194)));
    assert_eq!(standing.latency(1.0), Some(Duration::from_millis(199)));
}

proptest! {
    /// Told again from the whole row: the last run of failures or answers that was long enough decides.
    #[test]
    fn any_row_of_looks_is_decided_by_its_runs(
        failures in 1_u32..5,
        successes in 1_u32..5,
        row in proptest::collection::vec(prop_oneof![Just(Mark::Good), Just(Mark::Late), Just(Mark::Failed)], 0..400),
    ) {
        let mut standing = Standing::new(failures, successes);
        let mut down = None;
        let mut run = (Mark::Good, 0_u32);
        for (second, mark) in row.iter().copied().enumerate() {
            let before = standing.health;
            let told = standing.record(outcome(second, mark));
            let alike = (mark == Mark::Failed) == (run.0 == Mark::Failed);
            run = (mark, if alike { run.1 + 1 } else { 1 });
            if mark == Mark::Failed && run.1 >= failures {
                down = Some(true);
            } else if mark != Mark::Failed && run.1 >= successes {
                down = Some(false);
            }
            match standing.health {
                Health::Unknown => prop_assert_eq!(down, None),
                Health::Unhealthy => prop_assert_eq!(down, Some(true)),
                Health::Healthy | Health::Degraded => prop_assert_eq!(down, Some(false)),
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert_eq!(told, (before != standing.health).then_some(before));
            prop_assert!(standing.strip().len() <= STRIP);
            prop_assert!(standing.since.is_none_or(|since| since <= standing.last.as_ref().unwrap().at));
        }
    }
}
