//! The values of one series over some scrapes, packed so that each can be read without the others: a base, and of each value
//! its distance to it in as many bytes as the farthest needs.
//!
//! Counters and gauges are whole or decimal numbers most of the time, so they are packed as whole numbers of some power of
//! ten; what is none of these is packed as bits that differ from the base. Either way the very same bits come back.
//!
//! ```text
//!     byte 0     what (2 bits) · some are absent (1) · never goes down (1) · bytes of the base (4)
//!     byte 1     bytes of a value (4) · power of ten (4)
//!     then       the base, then a distance for each value, all little-endian
//! ```

/// The value of a series that a scrape did not show: the bits Prometheus calls stale, a NaN no endpoint can write.
/// <https://github.com/prometheus/prometheus/blob/main/model/value/value.go>
pub const ABSENT: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether this is [`ABSENT`], and no other NaN.
#[must_use]
pub fn is_absent(value: f64) -> bool {
    value.to_bits() == ABSENT.to_bits()
}

const NONE: u8 = 0;
const DECIMAL: u8 = 1;
const BITS: u8 = 2;
const GAPS: u8 = 4;
const RISING: u8 = 8;

/// Powers of ten that are tried, the likely ones first.
const TENS: [f64; 6] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e6];
/// Whole numbers up to here are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Appends the packed values.
pub fn pack(values: &[f64], out: &mut Vec<u8>) {
    let gaps = values.iter().any(|v| is_absent(*v));
    let Some(first) = values.iter().copied().find(|v| !is_absent(*v)) else {
        out.push(NONE);
        return;
    };
    let rising = !gaps && values.windows(2).all(|w| w[0] <= w[1]) && !first.is_nan();
    let flags = if gaps { GAPS } else { 0 } | if rising { RISING } else { 0 };
    let of_bits = width(values.iter().map(|v| v.to_bits() ^ first.to_bits()).fold(0, |all, bits| all | bits));
    if let Some(power) = TENS.iter().position(|tens| values.iter().all(|v| is_absent(*v) || whole(*v, *tens).is_some())) {
        decimals(values, power, flags, out);
        return;
    }
    head(BITS | flags, of_bits, 0, first.to_bits().swap_bytes(), out);
    for value in values {
        put(value.to_bits() ^ first.to_bits(), of_bits, out);
    }
}

fn decimals(values: &[f64], power: usize, flags: u8, out: &mut Vec<u8>) {
    let numbers = || values.iter().map(|v| if is_absent(*v) { None } else { whole(*v, TENS[power]) });
    let (low, high) = numbers().flatten().fold((i64::MAX, i64::MIN), |(low, high), n| (low.min(n), high.max(n)));
    // The largest code says that there is no value, where one is missing.
    let span = high.abs_diff(low) + u64::from(flags & GAPS != 0);
    let width = width(span);
    let power = u8::try_from(power).unwrap_or(0);
    head(DECIMAL | flags, width, power, ((low << 1) ^ (low >> 63)).cast_unsigned(), out);
    for number in numbers() {
        put(number.map_or(u64::MAX, |n| n.abs_diff(low)), width, out);
    }
}

/// The value as a whole number of `1 / tens`, where that gives the same bits back.
fn whole(value: f64, tens: f64) -> Option<i64> {
    let scaled = (value * tens).round();
    // False for NaN and the infinities too.
    let exact = scaled.abs() < EXACT && (scaled / tens).to_bits() == value.to_bits();
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
    exact.then_some(scaled as i64)
}

fn head(kind: u8, width: u8, power: u8, base: u64, out: &mut Vec<u8>) {
    let of_base = self::width(base);
    out.extend([kind | of_base << 4, width | power << 4]);
    put(base, of_base, out);
}

/// Bytes that hold this number.
fn width(number: u64) -> u8 {
    u8::try_from(8 - number.leading_zeros() / 8).unwrap_or(8)
}

fn put(number: u64, width: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes()[..usize::from(width)]);
}

fn number(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(all)
}

/// Packed values, ready to be read one by one.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    kind: u8,
    width: usize,
    tens: f64,
    base: u64,
    codes: &'a [u8],
}

impl<'a> Packed<'a> {
    /// What [`pack`] has written. Anything else reads as nothing at all.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let nothing = Self { kind: NONE, width: 0, tens: 1.0, base: 0, codes: &[] };
        let [kind, shape, rest @ ..] = bytes else { return nothing };
        let Some((base, codes)) = rest.split_at_checked(usize::from(kind >> 4)) else { return nothing };
        let (width, base) = (usize::from(shape & 15), number(base));
        let tens = TENS.get(usize::from(shape >> 4)).copied().unwrap_or(1.0);
        Self { kind: *kind, width, tens, base: if kind & 3 == BITS { base.swap_bytes() } else { base }, codes }
    }

    /// No value is absent, none is NaN, and none is less than the one before it.
    #[must_use]
    pub fn is_rising(&self) -> bool {
        self.kind & RISING != 0
    }

    /// Whether there is no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kind & 3 == NONE
    }

    /// The value at this place; [`ABSENT`] where there is none.
    #[must_use]
    pub fn get(&self, at: usize) -> f64 {
        let code = self.codes.get(at * self.width..(at + 1) * self.width).map_or(0, number);
        match self.kind & 3 {
            DECIMAL => {
                let none = u64::MAX >> (64 - 8 * self.width.max(1));
                if self.kind & GAPS != 0 && code == none && self.width > 0 {
                    return ABSENT;
                }
                let low = (self.base >> 1).cast_signed() ^ -(self.base & 1).cast_signed();
                low.wrapping_add_unsigned(code) as f64 / self.tens
            }
            BITS => f64::from_bits(self.base ^ code),
            _ => ABSENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(values: &[f64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack(values, &mut bytes);
        bytes
    }

    fn check(values: &[f64]) {
        let bytes = packed(values);
        let read = Packed::new(&bytes);
        let seen: Vec<u64> = (0..values.len()).map(|at| read.get(at).to_bits()).collect();
        assert_eq!(seen, values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), "{values:?}");
        let rising = values.windows(2).all(|w| w[0] <= w[1]) && values.iter().all(|v| !v.is_nan());
        assert_eq!(read.is_rising(), rising && !values.is_empty(), "{values:?}");
    }

    #[test]
    fn the_same_bits_come_back_and_few_bytes_are_needed() {
        for (values, bytes) in [
            (vec![0.0; 24], 2),
            (vec![1.0; 24], 3),
            (vec![ABSENT; 24], 1),
            ((0..24).map(|n| f64::from(1_000_000 + n * 10)).collect(), 2 + 3 + 24),
            ((0..24).map(|n| f64::from(n) * 0.01).collect(), 2 + 24),
            (vec![0.5, 0.25, 12.75], 2 + 1 + 3 * 2),
            (vec![5.0, ABSENT, 260.0], 2 + 1 + 3 * 2),
            (vec![5.0, ABSENT, 5.0], 2 + 1 + 3),
            (vec![f64::INFINITY; 4], 2 + 2),
            (vec![f64::NAN, f64::NEG_INFINITY, 0.1 + 0.2, -0.0, 1e300, ABSENT, f64::MIN_POSITIVE], 2 + 2 + 7 * 8),
        ] {
            check(&values);
            assert_eq!(packed(&values).len(), bytes, "{values:?}");
        }
        assert!(Packed::new(&[]).is_empty() && is_absent(Packed::new(&[0xff]).get(3)), "what is no chunk has no values");
    }

    proptest! {
        #[test]
        fn any_values_come_back(values in prop::collection::vec(prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            any::<i32>().prop_map(f64::from),
            any::<i64>().prop_map(|n| n as f64),
            (0..100_000).prop_map(|n| f64::from(n) / 100.0),
            Just(ABSENT),
        ], 1..40)) {
            check(&values);
        }
    }
}
