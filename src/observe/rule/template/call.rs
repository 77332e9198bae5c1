//! The functions of templates. Prefixes and digits are those of Prometheus.

use regex::RegexBuilder;

use super::Made;
use super::format::{general, printf};

/// A function, and how many arguments it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Humanize,
    Humanize1024,
    HumanizeDuration,
    HumanizePercentage,
    HumanizeTimestamp,
    Printf,
    Print,
    Title,
    ToUpper,
    ToLower,
    StripPort,
    StripDomain,
    Match,
    ReReplaceAll,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
    Not,
    Len,
    Index,
}

/// Names, and the least and the most arguments.
const TABLE: [(&str, Function, usize, usize); 26] = [
    ("humanize", Function::Humanize, 1, 1),
    ("humanize1024", Function::Humanize1024, 1, 1),
    ("humanizeDuration", Function::HumanizeDuration, 1, 1),
    ("humanizePercentage", Function::HumanizePercentage, 1, 1),
    ("humanizeTimestamp", Function::HumanizeTimestamp, 1, 1),
    ("printf", Function::Printf, 1, 20),
    ("print", Function::Print, 1, 20),
    ("title", Function::Title, 1, 1),
    ("toUpper", Function::ToUpper, 1, 1),
    ("toLower", Function::ToLower, 1, 1),
    ("stripPort", Function::StripPort, 1, 1),
    ("stripDomain", Function::StripDomain, 1, 1),
    ("match", Function::Match, 2, 2),
    ("reReplaceAll", Function::ReReplaceAll, 3, 3),
    ("eq", Function::Eq, 2, 20),
    ("ne", Function::Ne, 2, 2),
    ("lt", Function::Lt, 2, 2),
    ("le", Function::Le, 2, 2),
    ("gt", Function::Gt, 2, 2),
    ("ge", Function::Ge, 2, 2),
    ("and", Function::And, 1, 20),
    ("or", Function::Or, 1, 20),
    ("not", Function::Not, 1, 1),
    ("len", Function::Len, 1, 1),
    ("index", Function::Index, 2, 2),
    ("safeHtml", Function::Print, 1, 1),
];

/// Bound of a compiled expression, bytes.
const COMPILED: usize = 1 << 20;

impl Function {
    /// The function of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|(n, ..)| *n == name).map(|(_, function, ..)| *function)
    }

    /// The functions there are.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, ..)| *name)
    }

    /// Whether it takes so many arguments.
    pub(super) fn takes(self, count: usize) -> bool {
        TABLE.iter().any(|(_, function, least, most)| *function == self && (*least..=*most).contains(&count))
    }

    /// Calls it.
    pub(super) fn call(self, arguments: &[Made]) -> Result<Made, String> {
        let text = |at: usize| arguments.get(at).map_or_else(String::new, Made::to_string);
        let said = |text: String| Ok(Made::Text(text));
        let flag = |flag: bool| Ok(Made::Flag(flag));
        match self {
            Self::Humanize => said(humanize(figure(arguments)?)),
            Self::Humanize1024 => said(humanize_1024(figure(arguments)?)),
            Self::HumanizeDuration => said(humanize_duration(figure(arguments)?)),
            Self::HumanizePercentage => said(format!("{}%", four(figure(arguments)? * 100.0))),
            Self::HumanizeTimestamp => humanize_timestamp(figure(arguments)?).map(Made::Text),
            Self::Printf => said(printf(&text(0), arguments.get(1..).unwrap_or_default())),
            Self::Print => said(sprint(arguments)),
            Self::Title => said(title(&text(0))),
            Self::ToUpper => said(text(0).to_uppercase()),
            Self::ToLower => said(text(0).to_lowercase()),
            Self::StripPort => said(strip_port(&text(0))),
            Self::StripDomain => said(strip_domain(&text(0))),
            Self::Match => flag(expression(&text(0))?.is_match(&text(1))),
            Self::ReReplaceAll => said(expression(&text(0))?.replace_all(&text(2), text(1).as_str()).into_owned()),
            Self::Eq => {
                let (first, rest) = arguments.split_first().ok_or("missing argument for comparison")?;
                let same: Vec<bool> =
                    rest.iter().map(|other| compare(first, other, f64::eq, str::eq)).collect::<Result<_, _>>()?;
                flag(same.contains(&true))
            }
            Self::Ne => pair(arguments, f64::ne, str::ne),
            Self::Lt => pair(arguments, f64::lt, |a, b| a < b),
            Self::Le => pair(arguments, f64::le, |a, b| a <= b),
            Self::Gt => pair(arguments, f64::gt, |a, b| a > b),
            Self::Ge => pair(arguments, f64::ge, |a, b| a >= b),
            // The first that decides, or the last.
            Self::And => last(arguments, |made| !made.holds()),
            Self::Or => last(arguments, Made::holds),
            Self::Not => flag(!arguments.first().is_some_and(Made::holds)),
            Self::Len => match arguments.first() {
                Some(Made::Text(text)) => Ok(Made::Number { value: text.len() as f64, whole: true }),
                Some(Made::Labels(labels)) => Ok(Made::Number { value: labels.len() as f64, whole: true }),
                Some(Made::Number { .. } | Made::Flag(_)) | None => Err("error calling len: it has no length".to_owned()),
            },
            Self::Index => match arguments {
                [Made::Labels(labels), Made::Text(name)] => said(labels.get(name).to_owned()),
                _ => Err("error calling index: expected labels and a name".to_owned()),
            },
        }
    }
}

fn last(arguments: &[Made], decides: impl Fn(&Made) -> bool) -> Result<Made, String> {
    let found = arguments.iter().find(|made| decides(made)).or(arguments.last());
    found.cloned().ok_or_else(|| "missing argument".to_owned())
}

fn pair(arguments: &[Made], numbers: impl Fn(&f64, &f64) -> bool, texts: impl Fn(&str, &str) -> bool) -> Result<Made, String> {
    match arguments {
        [a, b] => compare(a, b, numbers, texts).map(Made::Flag),
        _ => Err("missing argument for comparison".to_owned()),
    }
}

/// Go compares whole numbers with whole ones, and others with others.
fn compare(a: &Made, b: &Made, numbers: impl Fn(&f64, &f64) -> bool, texts: impl Fn(&str, &str) -> bool) -> Result<bool, String> {
    match (a, b) {
        (Made::Number { value: a, whole: x }, Made::Number { value: b, whole: y }) if x == y => Ok(numbers(a, b)),
        (Made::Text(a), Made::Text(b)) => Ok(texts(a, b)),
        (Made::Flag(a), Made::Flag(b)) => Ok(texts(&a.to_string(), &b.to_string())),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

/// The one figure that is given, as text too.
fn figure(arguments: &[Made]) -> Result<f64, String> {
    match arguments {
        [Made::Number { value, .. }] => Ok(*value),
        [Made::Text(text)] => match text.as_str() {
            "+Inf" | "Inf" => Ok(f64::INFINITY),
            "-Inf" => Ok(f64::NEG_INFINITY),
            other => other.parse().map_err(|_| format!("parsing {other:?}: invalid syntax")),
        },
        _ => Err("can't convert it to a figure".to_owned()),
    }
}

/// `%.4g`.
fn four(value: f64) -> String {
    general(value, Some(4))
}

const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

fn humanize(mut value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    if value.abs() < 1.0 {
        return small(value);
    }
    let mut prefix = "";
    for larger in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
        if value.abs() < 1000.0 {
            break;
        }
        prefix = larger;
        value /= 1000.0;
    }
    format!("{}{prefix}", four(value))
}

fn small(mut value: f64) -> String {
    let mut prefix = "";
    for smaller in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = smaller;
        value *= 1000.0;
    }
    format!("{}{prefix}", four(value))
}

fn humanize_1024(mut value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    let mut prefix = "";
    for larger in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] {
        if value.abs() < 1024.0 {
            break;
        }
        prefix = larger;
        value /= 1024.0;
    }
    format!("{}{prefix}", four(value))
}

fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value == 0.0 {
        return format!("{}s", four(value));
    }
    if value.abs() < 1.0 {
        return format!("{}s", small(value));
    }
    let (sign, value) = if value < 0.0 { ("-", -value) } else { ("", value) };
    #[allow(clippy::cast_possible_truncation, reason = "a span longer than an i64 of seconds is shown as the longest there is")]
    let whole = value as i64;
    let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86400);
    if days != 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours != 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes != 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", four(value))
    }
}

/// A time in seconds since 1970.
fn humanize_timestamp(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Ok(four(value));
    }
    let wrong = || format!("{} is beyond every calendar", four(value));
    #[allow(clippy::cast_possible_truncation, reason = "what does not fit is beyond every calendar")]
    let nanoseconds = (value * 1e9) as i128;
    let at = jiff::Timestamp::from_nanosecond(nanoseconds).map_err(|_| wrong())?;
    Ok(at.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string())
}

/// Go's `Sprint`: a space between two operands neither of which is text.
fn sprint(arguments: &[Made]) -> String {
    let mut out = String::new();
    for (at, made) in arguments.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| arguments.get(before));
        if before.is_some_and(|before| !matches!(before, Made::Text(_)) && !matches!(made, Made::Text(_))) {
            out.push(' ');
        }
        out.push_str(&made.to_string());
    }
    out
}

/// The first letter of every word large.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '_' || c == '\'';
    }
    out
}

fn strip_port(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, _)) if !host.contains(':') || host.ends_with(']') => host.trim_matches(['[', ']']).to_owned(),
        Some(_) | None => address.to_owned(),
    }
}

/// The first word of a host, with its port; an address of numbers stays.
fn strip_domain(address: &str) -> String {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, Some(port)),
        Some(_) => return address.to_owned(),
        None => (address, None),
    };
    if host.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return address.to_owned();
    }
    let first = host.split('.').next().unwrap_or(host);
    port.map_or_else(|| first.to_owned(), |port| format!("{first}:{port}"))
}

fn expression(text: &str) -> Result<regex::Regex, String> {
    RegexBuilder::new(text).size_limit(COMPILED).build().map_err(|_| format!("error parsing regexp: {text}"))
}
