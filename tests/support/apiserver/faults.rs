//! What a test lets go wrong: each holds until it is taken back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::status::{Failure, failure, plain, too_many_requests};

/// What a request is answered with instead of what it asked for.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 429 with a `Retry-After` of so many seconds.
    Busy(u64),
    /// A `Status` of 500 without a reason.
    Broken(String),
    /// A code and a text that is no `Status`.
    Plain(u16, String),
    /// 200, said to be JSON, with a body that is not what was asked for.
    Garbage(String),
}

impl Answer {
    pub fn failure(&self) -> Failure {
        match self {
            Self::Busy(seconds) => too_many_requests(*seconds),
            Self::Broken(message) => failure(500, "", message.clone()),
            Self::Plain(code, text) => plain(*code, text),
            Self::Garbage(text) => plain(200, text),
        }
    }
}

/// Requests a fault is about: those whose path and query contain the text and whose method is that one, where given.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Empty: every path.
    pub path: String,
    /// `GET`, `PATCH`; empty: every method.
    pub method: String,
    /// How many requests it is about, then it is over; 0: until taken back.
    pub times: usize,
}

impl About {
    /// Every request whose path and query contain the text.
    pub fn path(text: &str) -> Self {
        Self { path: text.into(), ..Self::default() }
    }

    pub fn method(self, method: &str) -> Self {
        Self { method: method.into(), ..self }
    }

    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    fn is(&self, method: &str, path: &str) -> bool {
        path.contains(&self.path) && (self.method.is_empty() || self.method == method)
    }
}

/// Who may not do what. Empty means any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ban {
    pub user: String,
    pub verb: String,
    /// With its subresource: `pods/exec`.
    pub resource: String,
}

/// Everything that is wrong at the moment.
pub struct Faults {
    slow: Mutex<Vec<(About, Duration)>>,
    answers: Mutex<Vec<(About, Answer)>>,
    halves: Mutex<Vec<(About, ())>>,
    bans: Mutex<Vec<Ban>>,
    /// New connections are closed at once.
    pub(super) refuse: AtomicBool,
    /// Nothing is answered and no stream goes on while this holds.
    pub(super) stalled: watch::Sender<bool>,
    pub(super) no_bookmarks: AtomicBool,
    pub(super) no_watch_list: AtomicBool,
    pub(super) no_metrics: AtomicBool,
    /// Counts the cuts: every connection ends when it changes.
    pub(super) cuts: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            slow: Mutex::default(),
            answers: Mutex::default(),
            halves: Mutex::default(),
            bans: Mutex::default(),
            refuse: AtomicBool::new(false),
            stalled: watch::Sender::new(false),
            no_bookmarks: AtomicBool::new(false),
            no_watch_list: AtomicBool::new(false),
            no_metrics: AtomicBool::new(false),
            cuts: watch::Sender::new(0),
        }
    }
}

impl Faults {
    /// Answers these requests so much later.
    pub fn slow(&self, about: About, by: Duration) {
        self.slow.lock().unwrap().push((about, by));
    }

    /// Answers these requests with that.
    pub fn answer(&self, about: About, answer: Answer) {
        self.answers.lock().unwrap().push((about, answer));
    }

    /// Answers these requests with the first half of what is right, and ends the connection.
    pub fn halve(&self, about: About) {
        self.halves.lock().unwrap().push((about, ()));
    }

    /// Forbids with 403.
    pub fn forbid(&self, verb: &str, resource: &str) {
        self.ban(Ban { verb: verb.into(), resource: resource.into(), ..Ban::default() });
    }

    pub fn ban(&self, ban: Ban) {
        self.bans.lock().unwrap().push(ban);
    }

    /// Takes a `forbid` back.
    pub fn allow(&self, verb: &str, resource: &str) {
        self.bans.lock().unwrap().retain(|b| !(b.verb == verb && b.resource == resource && b.user.is_empty()));
    }

    /// Ends every connection, in the middle of whatever it says.
    pub fn cut(&self) {
        self.cuts.send_modify(|n| *n += 1);
    }

    /// Closes new connections at once, as long as it holds. Those that are open stay.
    pub fn refuse(&self, held: bool) {
        self.refuse.store(held, Ordering::SeqCst);
    }

    /// Takes connections and requests and answers nothing, as long as it holds. Open streams fall silent.
    pub fn stall(&self, held: bool) {
        self.stalled.send_replace(held);
    }

    /// Sends no bookmark any more; the end of a streaming list is still marked.
    pub fn no_bookmarks(&self, held: bool) {
        self.no_bookmarks.store(held, Ordering::SeqCst);
    }

    /// Refuses streaming lists with 422, as servers before 1.32 do.
    pub fn no_watch_list(&self, held: bool) {
        self.no_watch_list.store(held, Ordering::SeqCst);
    }

    /// Answers for `metrics.k8s.io` as a server does whose metrics-server is down.
    pub fn no_metrics(&self, held: bool) {
        self.no_metrics.store(held, Ordering::SeqCst);
    }

    /// Takes everything back.
    pub fn heal(&self) {
        self.slow.lock().unwrap().clear();
        self.answers.lock().unwrap().clear();
        self.halves.lock().unwrap().clear();
        self.bans.lock().unwrap().clear();
        for held in [&self.refuse, &self.no_bookmarks, &self.no_watch_list, &self.no_metrics] {
            held.store(false, Ordering::SeqCst);
        }
        self.stall(false);
    }

    pub(super) fn delay(&self, method: &str, path: &str) -> Option<Duration> {
        due(&self.slow, method, path)
    }

    pub(super) fn instead(&self, method: &str, path: &str) -> Option<Answer> {
        due(&self.answers, method, path)
    }

    pub(super) fn halved(&self, method: &str, path: &str) -> bool {
        due(&self.halves, method, path).is_some()
    }

    pub(super) fn forbids(&self, user: &str, verb: &str, resource: &str) -> bool {
        let any = |want: &str, have: &str| want.is_empty() || want == have;
        self.bans.lock().unwrap().iter().any(|b| any(&b.user, user) && any(&b.verb, verb) && any(&b.resource, resource))
    }

    /// Waits while the server is stalled.
    pub(super) async fn pass(&self) {
        // The sender lives as long as the server: the wait ends only when the stall does.
        let _ = self.stalled.subscribe().wait_for(|stalled| !stalled).await;
    }
}

/// What holds for this request; what was for a number of requests only is counted down.
fn due<T: Clone>(faults: &Mutex<Vec<(About, T)>>, method: &str, path: &str) -> Option<T> {
    let mut faults = faults.lock().unwrap();
    let at = faults.iter().position(|(about, _)| about.is(method, path))?;
    let found = faults[at].1.clone();
    if faults[at].0.times == 1 {
        faults.remove(at);
    } else if faults[at].0.times > 1 {
        faults[at].0.times -= 1;
    }
    Some(found)
}
