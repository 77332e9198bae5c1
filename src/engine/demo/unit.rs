//! One replica of the demo world: its life from start to end, its check, its figures and what it prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::dice::{self, Dice};
use super::journal::{Journal, Said};
use super::moment::Moment;
use super::recipe::Recipe;
use super::traffic::Traffic;
use super::trouble::{self, Trouble};
use super::{figures, talk};
use crate::model::{Health, InstanceId, InstanceState, OperationId, Revision};

/// Seconds between two checks of a replica that is up.
const CHECK_EVERY: f64 = 15.0;
/// Seconds a trouble lasts before a check tells of it.
const CHECK_LAG: f64 = 2.0;
/// Seconds after its warm-up during which a failing check is forgiven.
const GRACE: f64 = 10.0;
/// Seconds after which a run counts as a good one and the back-off begins anew.
const GOOD_RUN: f64 = 45.0;

/// What happened to a replica, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub subject: Arc<str>,
    pub what: &'static str,
    pub detail: String,
}

/// What a replica's surroundings do to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Situation {
    /// A service it needs that does not answer.
    pub missing: Option<&'static str>,
    /// The store behind it answers so late that its breaker opens.
    pub breaker: bool,
}

/// The last check.
#[derive(Clone, Debug)]
pub struct Checkup {
    pub health: Health,
    pub output: Arc<str>,
    pub at: Option<Timestamp>,
    pub latency_ms: u64,
    pub(super) due: Timestamp,
    /// What is wrong at the moment, and since when.
    pub trouble: Option<Trouble>,
    pub(super) since: Timestamp,
}

/// What it has used since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub rx: f64,
    pub tx: f64,
    pub read: f64,
    pub write: f64,
    /// Bytes lost to a leak.
    pub leaked: f64,
    pub traffic: Traffic,
}

/// One replica.
#[derive(Clone, Debug)]
pub struct Unit {
    pub id: InstanceId,
    pub name: Arc<str>,
    /// The name it had before it was set aside.
    pub proper_name: Arc<str>,
    pub recipe: &'static Recipe,
    pub number: u32,
    /// A pod, which the world replaces, rather than a container, which a person does.
    pub pod: bool,
    pub state: InstanceState,
    pub image: Arc<str>,
    pub digest: Arc<str>,
    /// There is no such image: a pod that waits for one.
    pub unpulled: bool,
    pub revision: u64,
    /// Its own and the ones before it, newest first, as its labels carry them.
    pub revisions: Vec<Revision>,
    /// Which template a pod was made from.
    pub template: Arc<str>,
    pub made_by: Option<OperationId>,
    pub slot: Option<u32>,
    pub set_aside: bool,
    /// Runs a command and is gone soon; no replica.
    pub one_off: bool,
    pub restarts: u32,
    /// Crashes in a row.
    pub crashes: u32,
    pub exit_code: Option<i64>,
    pub oom_killed: bool,
    /// Somebody wants it to run: false once it was stopped by hand.
    pub wanted: bool,
    /// Does not come back by itself, however it ended.
    pub held: bool,
    pub leaking: bool,
    pub slow: bool,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// When it is tried again after a crash.
    pub back_at: Option<Timestamp>,
    /// When a pod being ended is gone.
    pub gone_at: Option<Timestamp>,
    pub node: Option<Arc<str>>,
    pub ip: Arc<str>,
    pub labels: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    pub check: Checkup,
    pub usage: Usage,
    pub journal: Journal,
    /// Counts its runs, from 1.
    pub run: u32,
    pub(super) salt: u64,
    pub(super) dice: Dice,
}

impl Unit {
    /// A replica that was created and not yet started. `ordinal` is never given twice in a world.
    #[must_use]
    pub fn new(recipe: &'static Recipe, seed: u64, ordinal: u64, number: u32, now: Timestamp) -> Self {
        let salt = dice::hash(&format!("{}/{ordinal}", recipe.name)) ^ seed;
        Self {
            id: InstanceId::new(dice::hex(seed, &format!("container {ordinal}"), 64)),
            name: recipe.name.into(),
            proper_name: recipe.name.into(),
            recipe,
            number,
            pod: false,
            state: InstanceState::Created,
            image: "".into(),
            digest: "".into(),
            unpulled: false,
            revision: 0,
            revisions: Vec::new(),
            template: "".into(),
            made_by: None,
            slot: None,
            set_aside: false,
            one_off: false,
            restarts: 0,
            crashes: 0,
            exit_code: None,
            oom_killed: false,
            wanted: true,
            held: false,
            leaking: false,
            slow: false,
            created_at: now,
            started_at: None,
            finished_at: None,
            back_at: None,
            gone_at: None,
            node: None,
            ip: format!("172.22.{}.{}", ordinal / 250 % 250, 2 + ordinal % 250).into(),
            labels: Arc::default(),
            check: Checkup {
                health: Health::Starting,
                output: "".into(),
                at: None,
                latency_ms: 0,
                due: now,
                trouble: None,
                since: now,
            },
            usage: Usage::default(),
            journal: Journal::default(),
            run: 0,
            salt,
            dice: Dice::of(seed, &format!("{}/{ordinal}", recipe.name)),
        }
    }

    /// Gives it a name, which stays its proper one.
    pub fn call(&mut self, name: impl Into<Arc<str>>) {
        self.name = name.into();
        self.proper_name = self.name.clone();
    }

    /// Gives it an image.
    pub fn load(&mut self, image: &Arc<str>) {
        self.image = image.clone();
        self.digest = dice::digest(image).into();
    }

    /// The tag of its image.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.image.rsplit_once(':').map_or("latest", |(_, tag)| tag)
    }

    /// Whether others get an answer from it.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.state == InstanceState::Running
            && !self.set_aside
            && (self.recipe.probe.is_none() || !matches!(self.check.health, Health::Starting | Health::Unhealthy))
    }

    /// Makes it one that has been running for a while when the world begins.
    pub fn settle(&mut self, started: Timestamp, moment: &Moment) {
        self.state = InstanceState::Running;
        self.created_at = started;
        self.started_at = Some(started);
        self.run = 1;
        self.check.health = Health::Healthy;
        self.check.output = self.well();
        self.check.latency_ms = 1 + self.dice.below(12);
        let ago = self.dice.between(0.5, CHECK_EVERY - 0.5);
        self.check.at = Some(moment.later(-ago));
        self.check.due = moment.later(CHECK_EVERY - ago);
        self.check.since = started;
        let lived = moment.since(started).clamp(0.0, 3.0e6);
        figures::spend(self, lived * 0.55);
        talk::reminisce(self, started, moment.now);
    }

    /// What its check prints when all is well.
    fn well(&self) -> Arc<str> {
        match self.recipe.probe {
            Some(super::recipe::Probe::Http { well, .. }) => well.into(),
            Some(super::recipe::Probe::RedisPing) => "PONG".into(),
            Some(super::recipe::Probe::PgIsReady) => "/var/run/postgresql:5432 - accepting connections".into(),
            None => "".into(),
        }
    }

    /// Writes a line into its log now.
    pub fn say(&mut self, at: Timestamp, said: &Said) {
        self.journal.write(at, self.run, said);
    }

    fn tell(&self, told: &mut Vec<Told>, what: &'static str, detail: impl Into<String>) {
        told.push(Told { subject: self.name.clone(), what, detail: detail.into() });
    }

    /// Starts it.
    pub fn start(&mut self, moment: &Moment, told: &mut Vec<Told>) {
        self.state = InstanceState::Running;
        self.started_at = Some(moment.now);
        self.finished_at = None;
        self.back_at = None;
        self.exit_code = None;
        self.oom_killed = false;
        self.wanted = true;
        self.held = false;
        self.slow = false;
        self.run += 1;
        self.usage = Usage::default();
        self.check.health = Health::Starting;
        self.check.output = "".into();
        self.check.at = None;
        self.check.trouble = None;
        self.check.since = moment.now;
        self.check.due = moment.later(self.recipe.warm * self.dice.between(0.9, 1.2));
        for said in trouble::boot(self.recipe, self.tag(), moment.now) {
            self.journal.write(moment.now, self.run, &said);
        }
        self.tell(told, "start", self.image.to_string());
    }

    /// Ends it by its own fault or a signal; it comes back after a while unless it is held or no longer wanted.
    pub fn die(&mut self, moment: &Moment, code: i64, why: &str, told: &mut Vec<Told>) {
        let ran = self.started_at.map_or(0.0, |at| moment.since(at));
        self.state = InstanceState::Exited;
        self.exit_code = Some(code);
        self.finished_at = Some(moment.now);
        let mut how = if why.is_empty() { format!("exited {code}") } else { format!("exited {code} ({why})") };
        self.tell(told, "die", how.clone());
        if self.wanted && !self.held {
            self.crashes = if ran > GOOD_RUN { 1 } else { self.crashes + 1 };
            let first = if self.pod { 5.0 } else { 1.0 };
            let wait = (first * 2_f64.powi(i32::try_from(self.crashes.min(6)).unwrap_or(6) - 1)).min(40.0);
            self.state = InstanceState::Restarting;
            self.back_at = Some(moment.later(wait));
            let _ = write!(how, ", back-off {wait} s");
        }
        self.journal.end(moment.now, self.run, how);
    }

    /// Stops it because somebody wants it stopped.
    pub fn stop(&mut self, moment: &Moment, told: &mut Vec<Told>) {
        self.wanted = false;
        if matches!(self.state, InstanceState::Running | InstanceState::Paused) {
            let said = trouble::plain(self.recipe, moment.now, "INFO", "received SIGTERM, shutting down");
            self.say(moment.now, &said);
            self.die(moment, 0, "", told);
        } else {
            self.state = InstanceState::Exited;
            self.back_at = None;
        }
        self.tell(told, "stop", "");
    }

    /// Lets a moment pass.
    pub fn live(&mut self, moment: &Moment, situation: Situation, told: &mut Vec<Told>) {
        if self.state == InstanceState::Restarting && self.back_at.is_some_and(|at| at <= moment.now) {
            self.start(moment, told);
            self.restarts += 1;
        }
        if self.state != InstanceState::Running {
            return;
        }
        figures::spend(self, moment.passed * moment.load);
        if self.leaking {
            self.usage.leaked += figures::leak(self) * moment.passed;
        }
        if figures::memory(self, moment) >= figures::limit(self.recipe) {
            self.oom_killed = true;
            self.tell(told, "oom", format!("memory limit {} MiB reached", self.recipe.figures.limit_mib));
            self.die(moment, 137, "out of memory", told);
            return;
        }
        let trouble = self.trouble(moment, situation);
        if trouble == Some(Trouble::Fatal) && self.started_at.is_some_and(|at| moment.since(at) > 1.5) {
            let said = Trouble::Fatal.complaint(self.recipe, &mut self.dice, moment.now);
            self.say(moment.now, &said);
            self.die(moment, 1, "", told);
            return;
        }
        self.examine(moment, trouble, told);
        talk::chatter(self, moment, trouble);
    }

    /// What is wrong with it, worst first.
    fn trouble(&self, moment: &Moment, situation: Situation) -> Option<Trouble> {
        let ran = self.started_at.map_or(0.0, |at| moment.since(at));
        if let Some(flaw) = Trouble::of_image(self.recipe, self.tag()) {
            Some(flaw)
        } else if let Some(service) = situation.missing {
            Some(Trouble::Without(service))
        } else if situation.breaker && ran > self.recipe.warm + 4.0 {
            Some(Trouble::BreakerOpen)
        } else if self.slow {
            Some(Trouble::Slow)
        } else if figures::memory(self, moment) > 0.85 * figures::limit(self.recipe) {
            Some(Trouble::Swollen)
        } else {
            None
        }
    }

    /// Runs its check where one is due.
    fn examine(&mut self, moment: &Moment, trouble: Option<Trouble>, told: &mut Vec<Told>) {
        if self.check.trouble != trouble {
            self.check.trouble = trouble;
            self.check.since = moment.now;
            self.check.due = self.check.due.min(moment.later(CHECK_LAG));
        }
        if self.recipe.probe.is_none() || moment.now < self.check.due {
            return;
        }
        let ran = self.started_at.map_or(0.0, |at| moment.since(at));
        let forgiven = self.check.health == Health::Starting && ran < self.recipe.warm + GRACE;
        let (health, output): (Health, Arc<str>) = match trouble {
            None if ran < self.recipe.warm => (Health::Starting, Trouble::Deaf.output(self.recipe).into()),
            None => (Health::Healthy, self.well()),
            Some(Trouble::Deaf) if forgiven => (Health::Starting, Trouble::Deaf.output(self.recipe).into()),
            Some(trouble) => (trouble.health(), trouble.output(self.recipe).into()),
        };
        if health != self.check.health {
            let what = if health == Health::Degraded { "degraded" } else { health.word() };
            self.tell(told, what, trouble.map_or_else(String::new, Trouble::reason));
        }
        self.check.health = health;
        self.check.output = output;
        self.check.at = Some(moment.now);
        self.check.latency_ms =
            if trouble == Some(Trouble::Slow) { 1_880 + self.dice.below(60) } else { 1 + self.dice.below(12) };
        self.check.due = moment.later(if health == Health::Starting { 2.0 } else { CHECK_EVERY });
    }
}
