//! One user: when it asks, over which connection, and what it tells.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Shared;
use super::line::{Line, failed};
use crate::observe::load::Failed;

/// A user that gets no connection does not knock on and on.
const KNOCK_AGAIN: Duration = Duration::from_millis(100);

/// So long after the end requests are sent that were due before it.
const GRACE: Duration = Duration::from_secs(1);

/// Lives until the test is over.
pub(super) async fn live(shared: Arc<Shared>, number: u32) {
    if shared.load.shape.rate.is_some() { keep_pace(&shared, number).await } else { ask_again(&shared, number).await }
}

/// Closed: asks, waits for the answer, thinks, and asks again.
async fn ask_again(shared: &Shared, number: u32) {
    sleep_until(shared.begun + shared.load.shape.begins(number)).await;
    let mut line = None;
    while Instant::now() < shared.ends() {
        let due = Instant::now();
        if !ask(shared, number, &mut line, due).await {
            sleep(KNOCK_AGAIN).await;
        }
        if !shared.load.shape.think.is_zero() {
            let next = Instant::now() + shared.load.shape.think;
            sleep_until(next.min(shared.ends())).await;
        }
    }
}

/// Open: takes the next request that is due, waits for its time, and sends it. When every connection waits for an answer,
/// requests are sent late: their latencies are from when they were due.
async fn keep_pace(shared: &Shared, number: u32) {
    let mut line = None;
    let all = shared.load.shape.requests();
    loop {
        let next = shared.next.fetch_add(1, Ordering::Relaxed);
        if next >= all {
            return;
        }
        let due = shared.begun + shared.load.shape.due(next);
        sleep_until(due).await;
        // What could not be sent in time is told as late, not sent long after the end.
        if Instant::now() > shared.ends() + GRACE {
            return;
        }
        ask(shared, number, &mut line, due).await;
    }
}

/// Asks once and tells; whether there was a connection to ask over.
async fn ask(shared: &Shared, number: u32, line: &mut Option<Line>, due: Instant) -> bool {
    let sent = Instant::now();
    shared.tally(number, crate::observe::load::Tally::ask);
    let asked = timeout(shared.load.shape.timeout, over(shared, number, line)).await;
    let outcome = asked.unwrap_or_else(|_| Err(Failed { waited: true, ..failed("no answer in time") }));
    let spoke = match &outcome {
        Ok(_) => true,
        Err(failed) => failed.waited,
    };
    // After a failure that was no answer, or half of one, nothing more can be asked over it.
    let whole = outcome.as_ref().map_or_else(|failed| failed.kind.starts_with("status "), |_| true);
    if !whole {
        *line = None;
    }
    let now = Instant::now();
    shared.tally(number, |tally| tally.end(now - due, now - sent, outcome));
    spoke
}

/// Asks over the connection there is, or a new one. One that was closed while nobody asked is opened anew without a word.
async fn over(shared: &Shared, number: u32, line: &mut Option<Line>) -> Result<u64, Failed> {
    let place = &shared.place;
    if let Some(open) = line.as_mut().filter(|line| line.is_open()) {
        let used = open.used;
        match open.ask(place).await {
            Err(failed) if used && &*failed.kind == "the connection broke off" => {}
            other => return other,
        }
    }
    shared.tally(number, crate::observe::load::Tally::connect);
    let mut fresh = Line::open(place).await?;
    let answer = fresh.ask(place).await;
    *line = Some(fresh);
    answer
}
