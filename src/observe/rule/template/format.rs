//! Figures written as Go's `fmt` writes them. <https://pkg.go.dev/fmt>

use std::iter::Peekable;
use std::str::Chars;

use super::Made;

/// `%g`: with so many digits that count, or as many as are needed. The exponent is written where it is below -4, or not
/// below the precision (6 where there is none).
pub(super) fn general(value: f64, digits: Option<usize>) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let precise = digits.map(|d| d.max(1));
    let scientific = precise.map_or_else(|| format!("{value:e}"), |d| format!("{value:.*e}", d - 1));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let threshold = i32::try_from(precise.unwrap_or(6)).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= threshold {
        return format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    let places = usize::try_from(fraction(mantissa) - exponent).unwrap_or(0);
    format!("{:.*}", places, rounded(value, mantissa, exponent))
}

/// Digits behind the point.
fn fraction(mantissa: &str) -> i32 {
    mantissa.split_once('.').map_or(0, |(_, rest)| i32::try_from(rest.len()).unwrap_or(0))
}

/// The figure to the digits that are kept.
fn rounded(value: f64, mantissa: &str, exponent: i32) -> f64 {
    format!("{mantissa}e{exponent}").parse().unwrap_or(value)
}

/// `%e`.
fn scientific(value: f64, digits: Option<usize>) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let text = format!("{value:.*e}", digits.unwrap_or(6));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some("NaN");
    }
    value.is_infinite().then_some(if value > 0.0 { "+Inf" } else { "-Inf" })
}

/// One `%…` of a format.
#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// A width or precision beyond this is none.
const WIDEST: usize = 1_000;

/// Go's `Sprintf`.
pub(super) fn printf(format: &str, arguments: &[Made]) -> String {
    let mut out = String::new();
    let mut rest = arguments.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | '0' | ' ' | '#')) {
            verb.minus |= flag == '-';
            verb.plus |= flag == '+';
            verb.zero |= flag == '0';
        }
        verb.width = number(&mut chars);
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(number(&mut chars));
        }
        match chars.next() {
            Some('%') => out.push('%'),
            Some(letter) => match rest.next() {
                Some(argument) => out.push_str(&verb.write(letter, argument)),
                None => out.push_str(&format!("%!{letter}(MISSING)")),
            },
            None => out.push_str("%!(NOVERB)"),
        }
    }
    let extra: Vec<String> = rest.map(|made| format!("{}={made}", kind(made))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn number(chars: &mut Peekable<Chars<'_>>) -> usize {
    let mut n = 0;
    while let Some(digit) = chars.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10)) {
        n = (n * 10 + digit as usize).min(WIDEST);
    }
    n
}

fn kind(made: &Made) -> &'static str {
    match made {
        Made::Text(_) => "string",
        Made::Number { whole: true, .. } => "int",
        Made::Number { whole: false, .. } => "float64",
        Made::Flag(_) => "bool",
        Made::Labels(_) => "map[string]string",
    }
}

impl Verb {
    fn write(&self, letter: char, made: &Made) -> String {
        let precision = self.precision;
        let text = match (letter, made) {
            ('v', _) if precision.is_none() => made.to_string(),
            ('s' | 'v', Made::Text(text)) => text.chars().take(precision.unwrap_or(usize::MAX)).collect(),
            ('q', Made::Text(text)) => format!("{text:?}"),
            ('t', Made::Flag(flag)) => flag.to_string(),
            ('d', Made::Number { value, whole: true }) => format!("{value:.0}"),
            ('f' | 'F', Made::Number { value, whole: false }) => {
                special(*value).map_or_else(|| format!("{value:.*}", precision.unwrap_or(6)), str::to_owned)
            }
            ('g' | 'G' | 'v', Made::Number { value, whole: false }) => general(*value, precision),
            ('e' | 'E', Made::Number { value, whole: false }) => scientific(*value, precision),
            // As Go says that a figure of the one kind is no figure of the other.
            _ => format!("%!{letter}({}={made})", kind(made)),
        };
        let sign = matches!(made, Made::Number { value, .. } if self.plus && *value >= 0.0);
        self.pad(if sign { format!("+{text}") } else { text }, matches!(made, Made::Number { .. }))
    }

    fn pad(&self, text: String, number: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        if self.minus {
            return text + &" ".repeat(missing);
        }
        if !(self.zero && number) {
            return " ".repeat(missing) + &text;
        }
        match text.strip_prefix(['-', '+']) {
            Some(rest) => format!("{}{}{rest}", &text[..1], "0".repeat(missing)),
            None => "0".repeat(missing) + &text,
        }
    }
}
