//! When requests are due, what the books tell, and that a stall is not left out of them.

use super::*;

const MS: Duration = Duration::from_millis(1);

fn open(rate: u32, duration: u64, ramp: u64) -> Shape {
    Shape { rate: Some(rate), duration: Duration::from_secs(duration), ramp: Duration::from_secs(ramp), ..Shape::default() }
}

#[test]
fn requests_are_due_evenly_and_grow_over_the_ramp() {
    let even = open(100, 10, 0);
    assert_eq!((even.due(0), even.due(100), even.due(999)), (Duration::ZERO, Duration::from_secs(1), MS * 9990));
    assert_eq!(even.requests(), 1000);
    let ramped = open(100, 10, 4);
    assert_eq!(ramped.requests(), 800, "a ramp of four seconds sends what two would");
    assert_eq!(ramped.due(200), Duration::from_secs(4));
    assert_eq!(ramped.due(50), Duration::from_secs(2), "at half of it, a quarter");
    assert_eq!(ramped.due(799), MS * 9990);
    let all: Vec<Duration> = (0..800).map(|n| ramped.due(n)).collect();
    assert!(all.is_sorted());
}

#[test]
fn users_come_in_over_the_ramp() {
    let shape = Shape { users: 10, ramp: Duration::from_secs(5), ..Shape::default() };
    assert_eq!((shape.begins(0), shape.begins(5), shape.begins(9)), (Duration::ZERO, MS * 2500, MS * 4500));
}

#[test]
fn what_is_too_much_is_refused_in_a_sentence() {
    let base = Shape::default;
    for (shape, part) in [
        (Shape { users: 5001, ..base() }, "at most 5000 users"),
        (Shape { users: 0, ..base() }, "at least one user"),
        (Shape { rate: Some(20_001), ..base() }, "at most 20000 requests a second"),
        (Shape { rate: Some(0), ..base() }, "at least one user"),
        (Shape { duration: Duration::from_secs(3601), ..base() }, "at most 60 min"),
        (Shape { duration: Duration::ZERO, ..base() }, "some time"),
        (Shape { ramp: Duration::from_secs(31), ..base() }, "the ramp (31 s) is longer"),
        (Shape { timeout: Duration::from_secs(61), ..base() }, "may take at most 1 min"),
    ] {
        assert!(shape.check().is_err_and(|why| why.contains(part)), "{shape:?}: {:?}", shape.check());
    }
    for scenario in SCENARIOS {
        assert_eq!(scenario.shape().check(), Ok(()), "{}", scenario.name);
    }
    assert_eq!(Scenario::named("2000").map(|s| s.users), Some(2000));
    assert_eq!(Scenario::named("2001"), None);
}

/// Books of answers with these latencies after they were due and after they were sent.
fn books(shape: &Shape, answers: impl IntoIterator<Item = (Duration, Duration)>) -> Figures {
    let mut ledger = Ledger::new(shape).unwrap();
    let mut tally = Tally::new().unwrap();
    for (due, sent) in answers {
        tally.ask();
        tally.end(due, sent, Ok(10));
    }
    ledger.add(&mut tally);
    ledger.close(shape.duration, End::Done)
}

fn near(us: u64, expected: Duration) -> bool {
    let expected = expected.as_micros() as f64;
    (us as f64 - expected).abs() <= expected * 0.002
}

#[test]
fn known_latencies_come_out_as_they_went_in() {
    // 1 ms to 1,000 ms, one each.
    let figures = books(&open(100, 10, 0), (1..=1000).map(|n| (MS * n, MS * n)));
    let q = figures.latency;
    for (us, expected) in [(q.p50_us, 500), (q.p90_us, 900), (q.p95_us, 950), (q.p99_us, 990), (q.p999_us, 999), (q.max_us, 1000)]
    {
        assert!(near(us, MS * expected), "{us} µs, {expected} ms expected");
    }
    assert!(near(q.mean_us, Duration::from_micros(500_500)));
    assert_eq!((figures.sent, figures.answered, figures.failed, figures.bytes), (1000, 1000, 0, 10_000));
    assert_eq!(figures.per_second, 100);
}

#[test]
fn a_stall_shows_in_the_open_model_however_few_requests_met_it() {
    // 100 a second for ten seconds; one request stalls for two, and the 200 due meanwhile are sent when it is over.
    let answers = (0..1000).map(|n| {
        let due = MS * 10 * n;
        let stalled = (Duration::from_secs(2)..Duration::from_secs(4)).contains(&due);
        let since_due = if stalled { Duration::from_secs(4).saturating_sub(due) } else { MS };
        let since_sent = if n == 200 { Duration::from_secs(2) } else { MS };
        (since_due, since_sent)
    });
    let figures = books(&open(100, 10, 0), answers);
    assert!(figures.latency.p99_us > 1_800_000, "{:?}", figures.latency);
    assert!(figures.uncorrected.p99_us < 2_000, "{:?}", figures.uncorrected);
}

#[test]
fn a_stall_shows_in_the_closed_model_although_nobody_asked_meanwhile() {
    // One user, an answer every 10 ms, and one that takes two seconds: without correction one in 801.
    let shape = Shape { users: 1, think: MS * 9, ..Shape::default() };
    let answers = (0..800).map(|_| (MS, MS)).chain([(Duration::from_secs(2), Duration::from_secs(2))]);
    let figures = books(&shape, answers);
    assert!(figures.uncorrected.p99_us < 2_000, "{:?}", figures.uncorrected);
    // 200 more would have asked, each waiting 10 ms less than the one before: one in five.
    assert!(near(figures.latency.p99_us, MS * 1900) || figures.latency.p99_us > 1_850_000, "{:?}", figures.latency);
    assert!(figures.latency.p90_us > 900_000, "{:?}", figures.latency);
    assert_eq!(figures.answered, 801, "what is put back in is no request");
}

/// Books a second at a time: what was answered and what failed.
fn seconds(told: &[(u64, u64)]) -> Ledger {
    let mut ledger = Ledger::new(&Shape::default()).unwrap();
    let mut tally = Tally::new().unwrap();
    for (second, (answered, failed)) in told.iter().enumerate() {
        for _ in 0..*answered {
            tally.ask();
            tally.end(MS, MS, Ok(1));
        }
        for _ in 0..*failed {
            tally.ask();
            tally.end(MS, MS, Err(Failed { kind: "status 503".into(), waited: true, bytes: 1 }));
        }
        ledger.add(&mut tally);
        let elapsed = Duration::from_secs(second as u64 + 1);
        assert_eq!(ledger.tick(elapsed).per_second, answered + failed);
    }
    ledger
}

#[test]
fn it_is_failing_when_five_seconds_are_worse_than_allowed() {
    for (told, percent, expected) in [
        (vec![(0, 100); 4], 50, false),
        (vec![(0, 100); 5], 50, true),
        (vec![(50, 50); 5], 50, false),
        (vec![(49, 51); 5], 50, true),
        (vec![(99, 1); 5], 0, true),
        // What was long ago does not count, and neither does what nobody asked.
        ([vec![(0, 100); 5], vec![(100, 0); 5]].concat(), 50, false),
        (vec![(0, 3); 5], 50, false),
        (vec![(0, 100); 9], 100, false),
    ] {
        assert_eq!(seconds(&told).is_failing(percent), expected, "{told:?} {percent}");
    }
}

#[test]
fn what_failed_is_told_by_kind_and_the_end_says_why() {
    let figures = seconds(&[(10, 90)]).close(Duration::from_secs(1), End::Failing);
    assert_eq!(figures.failures, BTreeMap::from([("status 503".into(), 90)]));
    assert_eq!(figures.failure().as_deref(), Some("ended early: 90 % of the requests failed, most by status 503"));
    assert!(figures.words().contains("10 answered, 90 failed (90.0 %), 100/s"), "{}", figures.words());
}

#[test]
fn what_is_due_and_was_not_sent_is_late() {
    let mut ledger = Ledger::new(&open(100, 10, 0)).unwrap();
    let mut tally = Tally::new().unwrap();
    for _ in 0..40 {
        tally.ask();
    }
    ledger.add(&mut tally);
    let figures = ledger.tick(Duration::from_secs(2));
    assert_eq!((figures.late, figures.in_flight), (160, 40));
}

#[test]
fn figures_are_told_as_people_say_them() {
    for (us, expected) in [(820, "820 µs"), (3_140, "3.1 ms"), (41_200, "41 ms"), (1_240_000, "1.24 s")] {
        assert_eq!(latency(us), expected);
    }
    for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(grouped(number), expected);
    }
    assert_eq!(open(200, 90, 5).words(), "200 requests a second over at most 10 connections for 90 s, 5 s of it ramp");
    assert_eq!(
        Scenario::named("100").map(|s| s.shape().words()).as_deref(),
        Some("100 users for 30 s, 5 s of it ramp, thinking 1 s between requests")
    );
}
