//! An hour of two applications, the same every time: counters that begin anew, gauges, gaps, series that come late or go, values
//! that are no numbers, histograms.

use quarterdeck::model::Labels;
use quarterdeck::observe::metric::series::Store;

/// The first scrape, milliseconds since 1970.
pub const BEGIN: i64 = 1_700_000_000_000;
const STEP: i64 = 15_000;
const SCRAPES: i64 = 232;

/// One series, its times in milliseconds.
pub struct Fed {
    pub labels: Vec<(&'static str, String)>,
    pub values: Vec<(i64, f64)>,
}

/// Numbers that look like chance.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

struct Feed {
    series: Vec<Fed>,
}

impl Feed {
    fn add(&mut self, labels: &[(&'static str, &str)], mut value: impl FnMut(i64) -> Option<f64>) {
        let mut dice = Dice(labels.iter().flat_map(|(_, v)| v.bytes()).fold(7, |h, b| h * 31 % 1_000_003 + u64::from(b)));
        // Scrapes are a little late, each target in its own way.
        let late = (dice.next(15_000) / 10 * 10).cast_signed();
        let at = |n: i64, dice: &mut Dice| BEGIN + n * STEP + late + if late % 3 == 0 { dice.next(400).cast_signed() } else { 0 };
        let values = (0..SCRAPES).map(|n| (at(n, &mut dice), value(n))).filter_map(|(at, v)| Some((at, v?))).collect();
        self.series.push(Fed { labels: labels.iter().map(|(n, v)| (*n, (*v).to_owned())).collect(), values });
    }

    /// A counter that grows by up to `most` and begins anew at `anew`.
    fn counter(&mut self, labels: &[(&'static str, &str)], most: u64, anew: &[i64]) {
        let mut dice = Dice(most * 97 + labels.iter().flat_map(|(_, v)| v.bytes()).map(u64::from).sum::<u64>());
        let mut count = dice.next(500);
        self.add(labels, |n| {
            count = if anew.contains(&n) { dice.next(3) } else { count + dice.next(most + 1) };
            Some(count as f64)
        });
    }

    /// A histogram: how many of each step's observations lie below each bound.
    fn histogram(&mut self, name: [&'static str; 3], labels: &[(&'static str, &str)], bounds: &[(&str, u64)], anew: &[i64]) {
        let mut total = 0;
        for (bound, share) in bounds {
            let mut dice = Dice(*share + labels.len() as u64);
            let mut count = 0;
            let labels: Vec<(&str, &str)> =
                [("__name__", name[0]), ("le", bound)].into_iter().chain(labels.iter().copied()).collect();
            let mut values = Vec::new();
            self.add(&labels, |n| {
                count = if anew.contains(&n) { 0 } else { count + share * (3 + n.cast_unsigned() % 5) / 10 + dice.next(2) };
                values.push(count);
                Some(count as f64)
            });
            total = count;
        }
        let with = |name: &'static str| -> Vec<(&'static str, &str)> {
            std::iter::once(("__name__", name)).chain(labels.iter().copied()).collect()
        };
        self.add(&with(name[1]), |n| Some(total as f64 * 0.173 * (n + 1) as f64 / SCRAPES as f64));
        self.add(&with(name[2]), |n| Some((total.cast_signed() * (n + 1) / SCRAPES) as f64));
    }
}

fn learning(feed: &mut Feed) {
    for (instance, anew) in [("backend-1:3000", &[][..]), ("backend-2:3000", &[90]), ("backend-3:3000", &[40, 41, 180])] {
        let own = |name: &'static str| [("__name__", name), ("job", "lms-ai-backend"), ("instance", instance)];
        feed.add(&own("up"), |n| Some(if instance == "backend-2:3000" && (88..=93).contains(&n) { 0.0 } else { 1.0 }));
        for model in ["small", "large"] {
            let with = |name: &'static str| [own(name).as_slice(), &[("model", model)]].concat();
            feed.counter(&with("ai_requests_total"), if model == "small" { 60 } else { 9 }, anew);
            feed.counter(&with("ai_errors_total"), if instance == "backend-3:3000" { 4 } else { 1 }, anew);
        }
        let duration =
            ["ai_request_duration_seconds_bucket", "ai_request_duration_seconds_sum", "ai_request_duration_seconds_count"];
        let bounds = [("0.5", 4), ("1", 9), ("2.5", 20), ("5", 26), ("10", 29), ("+Inf", 30)];
        feed.histogram(duration, &own("")[1..], &bounds, anew);
        for (quantile, by) in [("0.5", 1.25), ("0.95", 6.5)] {
            let labels = [own("ai_request_duration_seconds").as_slice(), &[("quantile", quantile)]].concat();
            feed.add(&labels, |n| Some(by + (n % 17) as f64 * 0.1));
        }
        feed.add(&own("process_start_time_seconds"), |_| Some(1_699_990_000.25));
        feed.add(&own("process_cpu_seconds_total"), |n| Some((n * n) as f64 * 0.01 + 3.33));
    }
    let backend = [("job", "lms-ai-backend"), ("instance", "backend-1:3000")];
    let own = |name: &'static str| [&[("__name__", name)], backend.as_slice()].concat();
    feed.add(&own("ai_monthly_cost_usd"), |n| Some(120.0 + n as f64 * 0.21));
    feed.add(&[("__name__", "up"), ("job", "redis"), ("instance", "redis:6379")], |n| Some(if n > 200 { 0.0 } else { 1.0 }));
    feed.add(&[("__name__", "up"), ("job", "proxypal"), ("instance", "proxypal:8888")], |n| (n < 150).then_some(1.0));
}

fn store(feed: &mut Feed) {
    for (mode, node) in [("cp", "g1"), ("cp", "g2"), ("ap", "g1"), ("ap", "g2")] {
        let instance = if mode == "cp" { "app_cp:5001" } else { "app_ap:5002" };
        let own =
            |name: &'static str| [("__name__", name), ("job", "cap"), ("instance", instance), ("mode", mode), ("node", node)];
        let breaker = |n: i64| {
            Some(if node == "g2" && n > 120 && n < 170 {
                2.0
            } else if n == 170 {
                1.0
            } else {
                0.0
            })
        };
        feed.add(&own("circuit_breaker_state"), breaker);
        let stale = |n: i64| Some(if node == "g2" && n > 130 { 31_000.0 + n as f64 } else { (n * 37 % 900) as f64 });
        feed.add(&own("data_staleness_ms"), stale);
        feed.counter(&own("db_connection_failures_total"), if node == "g2" { 3 } else { 1 }, &[77]);
        feed.counter(&own("db_connections_total"), 12, &[77]);
    }
    for mode in ["cp", "ap"] {
        let instance = if mode == "cp" { "app_cp:5001" } else { "app_ap:5002" };
        for operation in ["read", "write"] {
            for (status, most) in [("success", 40), ("error", 5)] {
                let labels = [
                    ("__name__", "app_requests_total"),
                    ("job", "cap"),
                    ("instance", instance),
                    ("mode", mode),
                    ("operation", operation),
                    ("status", status),
                ];
                feed.counter(&labels, most, if mode == "ap" { &[100] } else { &[] });
            }
            let labels = [("job", "cap"), ("instance", instance), ("mode", mode), ("operation", operation)];
            let names =
                ["app_request_latency_seconds_bucket", "app_request_latency_seconds_sum", "app_request_latency_seconds_count"];
            let slow = if operation == "write" { 3 } else { 1 };
            let bounds = [("0.01", 5), ("0.05", 12 / slow), ("0.1", 20), ("0.5", 33), ("1.0", 36), ("+Inf", 40)];
            feed.histogram(names, &labels, &bounds, &[]);
        }
    }
}

fn oddities(feed: &mut Feed) {
    let wave = |n: i64| ((n as f64) * 0.37).sin();
    feed.add(&[("__name__", "temperature"), ("room", "a")], |n| Some(20.0 + 5.0 * wave(n)));
    feed.add(&[("__name__", "temperature"), ("room", "b")], |n| Some(-3.0 * wave(n + 9)));
    feed.add(&[("__name__", "temperature"), ("room", "c"), ("floor", "2")], |n| (n % 40 < 25).then(|| 1e9 + wave(n)));
    feed.add(&[("__name__", "odd"), ("kind", "nan")], |n| Some(if n % 3 == 0 { f64::NAN } else { n as f64 }));
    feed.add(&[("__name__", "odd"), ("kind", "inf")], |n| Some(if n % 5 == 0 { f64::INFINITY } else { n as f64 + 0.25 }));
    feed.add(&[("__name__", "odd"), ("kind", "both")], |n| {
        Some([f64::NEG_INFINITY, f64::INFINITY, 1.0, f64::NAN][usize::try_from(n % 4).unwrap()])
    });
    feed.add(&[("__name__", "odd"), ("kind", "always")], |_| Some(f64::NAN));
    feed.add(&[("__name__", "still")], |_| Some(42.5));
    feed.add(&[("__name__", "late"), ("x", "1")], |n| (n > 180).then_some(n as f64));
    feed.add(&[("__name__", "gone"), ("x", "1")], |n| (n < 60).then_some(n as f64));
    feed.add(&[("__name__", "once"), ("x", "1")], |n| (n == 225).then_some(7.0));
    feed.add(&[("__name__", "tiny")], |n| Some(1e-300 * n as f64));
    feed.add(&[("__name__", "falling")], |n| Some(500.0 - 2.0 * n as f64));
    feed.add(&[("__name__", "steps"), ("by", "hand")], |n| Some((n / 7 % 5) as f64));
    feed.add(&[("__name__", "one"), ("a", "1"), ("b", "x")], |_| Some(10.0));
    feed.add(&[("__name__", "one"), ("a", "2"), ("b", "y")], |_| Some(20.0));
    feed.add(&[("__name__", "many"), ("a", "1"), ("c", "p")], |n| Some(n as f64));
    feed.add(&[("__name__", "many"), ("a", "1"), ("c", "q")], |n| Some(2.0 * n as f64));
    feed.add(&[("__name__", "many"), ("a", "2"), ("c", "p")], |n| Some(3.0 * n as f64));
    feed.add(&[("__name__", "many"), ("a", "3"), ("c", "r")], |n| Some(4.0 * n as f64));
    feed.add(&[("__name__", "bad_bucket"), ("le", "1")], |n| Some(n as f64));
    feed.add(&[("__name__", "bad_bucket"), ("le", "2")], |n| Some(2.0 * n as f64));
    feed.add(&[("__name__", "low_bucket"), ("le", "-1")], |n| Some(n as f64));
    feed.add(&[("__name__", "low_bucket"), ("le", "0")], |n| Some(2.0 * n as f64 - 5.0));
    feed.add(&[("__name__", "low_bucket"), ("le", "0.0")], |_| Some(1.0));
    feed.add(&[("__name__", "low_bucket"), ("le", "+Inf")], |n| Some(3.0 * n as f64));
    feed.add(&[("__name__", "low_bucket"), ("le", "wide")], |_| Some(1e6));
}

/// All series.
pub fn series() -> Vec<Fed> {
    let mut feed = Feed { series: Vec::new() };
    learning(&mut feed);
    store(&mut feed);
    oddities(&mut feed);
    feed.series
}

/// The same in a store of ours.
pub fn stored() -> Store {
    let mut store = Store::new(64 << 20);
    for fed in series() {
        let labels = Labels::new(fed.labels.iter().map(|(n, v)| (*n, v.as_str())));
        for (at, value) in fed.values {
            store.append(&labels, at, value);
        }
    }
    store
}

/// The same as OpenMetrics with times.
pub fn text() -> String {
    let mut text = String::new();
    for fed in series() {
        let name = &fed.labels.iter().find(|(n, _)| *n == "__name__").unwrap().1;
        let others: Vec<String> =
            fed.labels.iter().filter(|(n, _)| *n != "__name__").map(|(n, v)| format!("{n}=\"{v}\"")).collect();
        for (at, value) in &fed.values {
            let value = match value {
                v if v.is_nan() => "NaN".to_owned(),
                v if v.is_infinite() => if *v > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
                v => format!("{v:e}"),
            };
            text += &format!("{name}{{{}}} {value} {}.{:03}\n", others.join(","), at / 1000, at % 1000);
        }
    }
    text + "# EOF\n"
}
