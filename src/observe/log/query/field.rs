//! A condition on a field of a line. A line that does not even name the field is turned away without being read.

use memchr::memmem::Finder;

use super::Compare;
use super::word::Word;
use crate::observe::log::json::{self, Value};
use crate::observe::log::{Format, LineView, logfmt, parse};

/// A name, and what its value must be.
#[derive(Clone, Debug)]
pub(super) struct FieldTest {
    name: String,
    /// The last part of the name, which a structured line must hold.
    key: Finder<'static>,
    value: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Digits, and dots for any character.
    Digits(String, bool),
    Word(Word, Compare),
    Number(f64, Compare),
}

impl FieldTest {
    /// `None` where a number is asked for and this is none.
    pub(super) fn new(name: &str, compare: Compare, value: &str) -> Option<Self> {
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let wanted = match compare {
            Compare::Less | Compare::AtMost | Compare::More | Compare::AtLeast => Wanted::Number(value.parse().ok()?, compare),
            Compare::Holds | Compare::Is | Compare::IsNot if digits => {
                Wanted::Digits(value.to_owned(), compare == Compare::IsNot)
            }
            Compare::Holds | Compare::Is | Compare::IsNot => Wanted::Word(Word::new(value), compare),
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        Some(Self { name: name.to_owned(), key: Finder::new(last).into_owned(), value: wanted })
    }

    pub(super) fn holds(&self, line: &LineView<'_>) -> bool {
        match line.format {
            Format::Json => self.key.find(line.text.as_bytes()).is_some() && self.in_object(line),
            Format::Logfmt => {
                self.key.find(line.text.as_bytes()).is_some()
                    && logfmt::Pairs::new(line.text)
                        .any(|(key, value, quoted)| self.is_named(key) && self.value.fits(&logfmt::read(value, quoted)))
            }
            Format::Plain => false,
            Format::Klog
            | Format::Access
            | Format::Redis
            | Format::Postgres
            | Format::Log4j
            | Format::Syslog
            | Format::Logger => {
                let parsed = parse::parse(line);
                if self.name == "message" {
                    return self.value.fits(&parsed.message);
                }
                parsed.field(&self.name).is_some_and(|value| self.value.fits(value))
            }
        }
    }

    /// Looks at the members as they stand, without putting them together.
    fn in_object(&self, line: &LineView<'_>) -> bool {
        let mut held = false;
        let _ = json::walk(line.text, &mut |path, value| {
            if self.is_path(path) {
                held = match value {
                    Value::Text(raw) if raw.contains('\\') => self.value.fits(&value.read()),
                    Value::Text(raw) | Value::Other(raw) => self.value.fits(raw),
                };
            }
            !held
        });
        held
    }

    fn is_path(&self, path: &[&str]) -> bool {
        let mut rest = self.name.as_str();
        for (n, part) in path.iter().rev().enumerate() {
            let Some(front) = rest.strip_suffix(part) else { return false };
            if front.is_empty() {
                // `status` finds `http.status` too.
                return true;
            }
            let Some(front) = front.strip_suffix('.') else { return false };
            rest = front;
            if n + 1 == path.len() {
                return false;
            }
        }
        false
    }

    fn is_named(&self, key: &str) -> bool {
        key == self.name || key.strip_suffix(self.name.as_str()).is_some_and(|front| front.ends_with('.'))
    }
}

impl Wanted {
    fn fits(&self, value: &str) -> bool {
        match self {
            Self::Digits(pattern, not) => {
                let same = pattern.len() == value.len() && pattern.bytes().zip(value.bytes()).all(|(p, v)| p == b'.' || p == v);
                same != *not
            }
            Self::Word(word, Compare::Is) => word.is(value),
            Self::Word(word, Compare::IsNot) => !word.is(value),
            Self::Word(word, Compare::Holds | Compare::Less | Compare::AtMost | Compare::More | Compare::AtLeast) => {
                word.is_in(value)
            }
            Self::Number(number, compare) => self::number(value).is_some_and(|v| compare.orders(&v, number)),
        }
    }
}

/// The number a value begins with; a unit may follow it.
fn number(value: &str) -> Option<f64> {
    let end = value.bytes().position(|b| !(b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'))).unwrap_or(value.len());
    let unit = value[end..].trim_start();
    let number = if value[end..].starts_with(['e', 'E']) { value.parse().ok() } else { value[..end].parse().ok() };
    number.filter(|_| unit.len() <= 3)
}
