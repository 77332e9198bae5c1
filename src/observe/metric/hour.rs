//! One instance's last hour: every reading of the last five minutes, before them stretches of ten seconds, before those
//! stretches of a minute, each with its least, greatest and mean value. What is older than an hour is forgotten.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::Figure;
use crate::model::Sample;

/// Figures of an engine's reading.
const FIGURES: usize = Figure::ALL.len();
/// Readings kept as they came, at most: five minutes at one a second.
const READINGS: usize = 300;
/// Stretches of ten seconds kept at most, and of a minute.
const STRETCHES: [usize; 2] = [61, 46];
/// How long a stretch is, milliseconds.
const LONG: [i64; 2] = [10_000, 60_000];
/// How old what each part holds may be: readings, tens of seconds, minutes; milliseconds.
const AGES: [i64; 3] = [5 * 60_000, 15 * 60_000, 60 * 60_000];
/// Room is made in such steps, so that what is reserved is close to what is used.
const GROWS: usize = 8;

/// What a figure was in a stretch of time. Of a single reading all three values are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    pub from: Timestamp,
    /// The end: of a single reading its own time.
    pub until: Timestamp,
    pub low: f64,
    pub high: f64,
    pub mean: f64,
}

/// One reading's figures; counters are rates already. What is not known is no number.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at_ms: i64,
    values: [f32; FIGURES],
}

/// Many readings as one.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    from_ms: i64,
    low: [f32; FIGURES],
    high: [f32; FIGURES],
    mean: [f32; FIGURES],
    count: [u16; FIGURES],
}

impl Bucket {
    fn at(from_ms: i64) -> Self {
        Self { from_ms, low: [f32::NAN; FIGURES], high: [f32::NAN; FIGURES], mean: [0.0; FIGURES], count: [0; FIGURES] }
    }

    /// Takes in a value that stands for so many readings.
    fn take(&mut self, figure: usize, (low, high, mean, count): (f32, f32, f32, u16)) {
        if count == 0 || mean.is_nan() {
            return;
        }
        // The least and greatest of a number and no number is the number.
        self.low[figure] = self.low[figure].min(low);
        self.high[figure] = self.high[figure].max(high);
        let all = self.count[figure].saturating_add(count);
        self.mean[figure] += (mean - self.mean[figure]) * (f32::from(count) / f32::from(all));
        self.count[figure] = all;
    }
}

/// The last hour of one instance: at most [`Hour::BYTES`].
#[derive(Clone, Debug)]
pub struct Hour {
    last: Sample,
    /// Its figures, as exact as they were measured.
    now: [f64; FIGURES],
    readings: VecDeque<Reading>,
    /// Of ten seconds, and of a minute.
    stretches: [VecDeque<Bucket>; 2],
}

impl Hour {
    /// Bytes an hour takes at most, whatever the interval of readings: about 20 KiB.
    pub const BYTES: usize = size_of::<Self>()
        + READINGS.next_multiple_of(GROWS) * size_of::<Reading>()
        + ((STRETCHES[0] + 1).next_multiple_of(GROWS) + (STRETCHES[1] + 1).next_multiple_of(GROWS)) * size_of::<Bucket>();

    /// An hour that begins with this reading.
    #[must_use]
    pub fn new(first: &Sample) -> Self {
        let (last, now) = (first.clone(), values(None, first));
        let mut hour = Self { last, now, readings: VecDeque::new(), stretches: [VecDeque::new(), VecDeque::new()] };
        hour.push();
        hour
    }

    /// Takes in a reading. One that is not newer than the last is left out.
    pub fn record(&mut self, sample: &Sample) {
        if self.last.at >= sample.at {
            return;
        }
        self.now = values(Some(&self.last), sample);
        self.last = sample.clone();
        self.push();
    }

    /// Keeps the last reading, and makes less of what has grown old.
    fn push(&mut self) {
        let now = self.last.at.as_millisecond();
        while self.readings.len() >= READINGS || self.readings.front().is_some_and(|r| r.at_ms < now - AGES[0]) {
            let Some(old) = self.readings.pop_front() else { break };
            let bucket = stretch(&mut self.stretches[0], old.at_ms, LONG[0]);
            for (figure, value) in old.values.into_iter().enumerate() {
                bucket.take(figure, (value, value, value, 1));
            }
        }
        push(&mut self.readings, Reading { at_ms: now, values: self.now.map(short) });
        while old(&self.stretches[0], STRETCHES[0], now - AGES[1] - LONG[0]) {
            let Some(old) = self.stretches[0].pop_front() else { break };
            let bucket = stretch(&mut self.stretches[1], old.from_ms, LONG[1]);
            for figure in 0..FIGURES {
                bucket.take(figure, (old.low[figure], old.high[figure], old.mean[figure], old.count[figure]));
            }
        }
        while old(&self.stretches[1], STRETCHES[1], now - AGES[2] - LONG[1]) {
            self.stretches[1].pop_front();
        }
    }

    /// The last reading, as it came.
    #[must_use]
    pub fn latest(&self) -> &Sample {
        &self.last
    }

    /// The last value of a figure; none where the last reading had none.
    #[must_use]
    pub fn current(&self, figure: Figure) -> Option<f64> {
        Some(self.now[figure as usize]).filter(|v| !v.is_nan())
    }

    /// The values of the last `n` readings that are kept as they came, oldest first, without those that are not known.
    #[must_use]
    pub fn recent(&self, figure: Figure, n: usize) -> Vec<f64> {
        let from = self.readings.len().saturating_sub(n);
        self.readings.range(from..).filter_map(|r| known(r.values[figure as usize])).collect()
    }

    /// A figure over the hour, oldest first. A counter that went back (a restart) gives nothing there: a gap.
    pub fn over(&self, figure: Figure) -> impl Iterator<Item = Stretch> {
        let figure = figure as usize;
        let [tens, minutes] = &self.stretches;
        let long = |buckets: &'_ VecDeque<Bucket>, long: i64| {
            let told = move |b: &Bucket| {
                let value = (b.low[figure], b.high[figure], b.mean[figure]);
                (b.count[figure] > 0).then(|| made(b.from_ms, b.from_ms + long, value))
            };
            buckets.iter().filter_map(told).collect::<Vec<_>>()
        };
        let readings = self.readings.iter().filter_map(move |r| {
            let value = r.values[figure];
            (!value.is_nan()).then(|| made(r.at_ms, r.at_ms, (value, value, value)))
        });
        long(minutes, LONG[1]).into_iter().chain(long(tens, LONG[0])).chain(readings)
    }
}

/// Whether the first of these has to go.
fn old(buckets: &VecDeque<Bucket>, most: usize, before_ms: i64) -> bool {
    buckets.len() > most || buckets.front().is_some_and(|b| b.from_ms < before_ms)
}

/// The last stretch, or a new one where the time is past it.
fn stretch(buckets: &mut VecDeque<Bucket>, at_ms: i64, long: i64) -> &mut Bucket {
    let from_ms = at_ms.div_euclid(long) * long;
    if buckets.back().is_none_or(|b| b.from_ms < from_ms) {
        push(buckets, Bucket::at(from_ms));
    }
    let last = buckets.len() - 1;
    &mut buckets[last]
}

fn push<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == queue.capacity() {
        queue.reserve_exact(GROWS);
    }
    queue.push_back(item);
}

fn made(from_ms: i64, until_ms: i64, (low, high, mean): (f32, f32, f32)) -> Stretch {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
    Stretch { from: at(from_ms), until: at(until_ms), low: low.into(), high: high.into(), mean: mean.into() }
}

fn known(value: f32) -> Option<f64> {
    (!value.is_nan()).then_some(value.into())
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are more than a chart can show")]
fn short(value: f64) -> f32 {
    value as f32
}

/// The figures of a reading; rates come of the one before it. What is not known is no number.
fn values(before: Option<&Sample>, sample: &Sample) -> [f64; FIGURES] {
    Figure::ALL.map(|figure| value(before, sample, figure).unwrap_or(f64::NAN))
}

fn value(before: Option<&Sample>, sample: &Sample, figure: Figure) -> Option<f64> {
    let rate = |counter: fn(&Sample) -> Option<u64>| {
        let before = before?;
        let seconds = sample.at.duration_since(before.at).as_secs_f64();
        let delta = counter(sample)?.checked_sub(counter(before)?)?;
        (seconds > 0.0).then(|| delta as f64 / seconds)
    };
    match figure {
        Figure::Cpu => sample.cpu_cores,
        Figure::Memory => sample.memory_bytes.map(|b| b as f64),
        Figure::NetRx => rate(|s| s.net_rx_bytes),
        Figure::NetTx => rate(|s| s.net_tx_bytes),
        Figure::BlockRead => rate(|s| s.block_read_bytes),
        Figure::BlockWrite => rate(|s| s.block_write_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ms: i64, cpu: f64, rx: u64) -> Sample {
        Sample {
            instance: "a".into(),
            at: Timestamp::from_millisecond(ms).unwrap(),
            cpu_cores: Some(cpu),
            memory_bytes: Some(1 << 30),
            memory_limit_bytes: None,
            net_rx_bytes: Some(rx),
            net_tx_bytes: None,
            block_read_bytes: None,
            block_write_bytes: None,
            pids: None,
        }
    }

    fn filled(every_ms: i64, for_ms: i64, cpu: impl Fn(i64) -> f64) -> Hour {
        let mut hour = Hour::new(&sample(0, cpu(0), 0));
        for ms in (every_ms..=for_ms).step_by(usize::try_from(every_ms).unwrap()) {
            hour.record(&sample(ms, cpu(ms), u64::try_from(ms).unwrap()));
        }
        hour
    }

    #[test]
    fn an_hour_takes_no_more_than_it_says_at_any_interval() {
        const { assert!(Hour::BYTES < 21 * 1024) };
        for every_ms in [500, 1_000, 2_000, 10_000, 90_000] {
            let hour = filled(every_ms, 3 * 3_600_000, |_| 1.0);
            let taken = size_of::<Hour>()
                + hour.readings.capacity() * size_of::<Reading>()
                + hour.stretches.iter().map(|s| s.capacity() * size_of::<Bucket>()).sum::<usize>();
            assert!(taken <= Hour::BYTES, "{taken} bytes at one reading every {every_ms} ms, {} said", Hour::BYTES);
        }
    }

    #[test]
    fn the_whole_hour_is_there_and_no_more_of_it() {
        for every_ms in [1_000, 2_000, 10_000] {
            let hour = filled(every_ms, 2 * 3_600_000, |_| 1.0);
            let all: Vec<Stretch> = hour.over(Figure::Cpu).collect();
            let span = all.last().unwrap().until.as_millisecond() - all[0].from.as_millisecond();
            assert!((3_600_000..=3_600_000 + 120_000).contains(&span), "{span} ms at {every_ms}");
            assert!(all.windows(2).all(|w| w[0].from < w[1].from), "in order");
            let gap = all.windows(2).map(|w| w[1].from.as_millisecond() - w[0].until.as_millisecond()).max();
            assert!(gap <= Some(every_ms), "nothing is missing between: {gap:?} at {every_ms}");
        }
    }

    #[test]
    fn a_spike_is_never_averaged_away() {
        // One reading of a thousand, at every age it can have.
        for age_s in [0_i64, 100, 299, 301, 400, 899, 905, 2_000, 3_500] {
            let spike = 7_200_000 - age_s * 1000;
            let hour = filled(1_000, 7_200_000, |ms| if ms == spike { 9.0 } else { 0.5 });
            let found = hour.over(Figure::Cpu).filter(|s| s.high > 8.9).count();
            assert_eq!(found, 1, "a spike {age_s} s ago");
            assert!(hour.over(Figure::Cpu).all(|s| s.low <= s.mean && s.mean <= s.high));
        }
    }

    #[test]
    fn means_are_of_what_was_measured() {
        let hour = filled(1_000, 1_800_000, |ms| if ms % 2_000 == 0 { 1.0 } else { 3.0 });
        // The youngest stretch is still being filled.
        let whole: Vec<Stretch> = hour.over(Figure::Cpu).filter(|s| s.low < s.high).collect();
        assert!(whole.len() > 60 && whole.iter().all(|s| (s.mean - 2.0).abs() < 0.01), "{whole:?}");
    }

    #[test]
    fn a_counter_that_went_back_is_a_gap_at_every_age() {
        let mut hour = Hour::new(&sample(0, 1.0, 0));
        for second in 1..=7 {
            // The instance was restarted in the fourth second: one reading without a rate, and none that is wrong.
            let rx = if second < 4 { second * 100 } else { (second - 4) * 100 };
            hour.record(&sample(i64::try_from(second).unwrap() * 1000, 1.0, rx));
        }
        let rates: Vec<f64> = hour.over(Figure::NetRx).map(|s| s.mean).collect();
        assert_eq!(rates, [100.0; 6]);
        hour.record(&sample(400_000, 1.0, 300));
        let after: Vec<Stretch> = hour.over(Figure::NetRx).collect();
        assert!((after[0].low - 100.0).abs() < 0.001 && after.iter().all(|s| s.low >= 0.0), "{after:?}");
        assert_eq!(hour.over(Figure::BlockRead).count(), 0, "what is not known is not nothing");
    }

    #[test]
    fn after_a_long_silence_what_is_old_is_still_in_its_place() {
        let mut hour = filled(1_000, 60_000, |_| 1.0);
        hour.record(&sample(50 * 60_000, 2.0, 0));
        let all: Vec<Stretch> = hour.over(Figure::Cpu).collect();
        assert_eq!(all[0].from.as_millisecond(), 0);
        assert!(all.iter().all(|s| s.until.as_millisecond() <= 120_000 || s.from.as_millisecond() == 50 * 60_000), "{all:?}");
        hour.record(&sample(70 * 60_000, 2.0, 0));
        assert!(hour.over(Figure::Cpu).all(|s| s.from.as_millisecond() >= 50 * 60_000));
    }
}
