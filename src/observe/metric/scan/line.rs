//! One line of exposition text: Prometheus' format 0.0.4 with its quoted names, and OpenMetrics 1.0.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::borrow::Cow;

use super::super::exposition::Kind;

/// What a line is. Text is as it stands there, not sanitised.
#[derive(Debug, PartialEq)]
pub enum Line<'a> {
    /// Help, units, other comments, an empty line.
    Nothing,
    /// `# EOF`: what comes after it does not count.
    End,
    Kind(Cow<'a, str>, Kind),
    /// All that tells the series apart, as it stands there, and its value. The sample's own time and its exemplar are read
    /// over: all values of a scrape count for the time of the scrape.
    Sample(&'a str, f64),
    /// None of the format.
    Bad,
}

impl<'a> Line<'a> {
    /// Reads a line.
    #[must_use]
    pub fn read(line: &'a str) -> Self {
        let line = line.trim_matches([' ', '\t', '\r']);
        match line.strip_prefix('#') {
            None if line.is_empty() => Self::Nothing,
            None => sample(line).unwrap_or(Self::Bad),
            Some(comment) => comment_of(comment),
        }
    }
}

fn comment_of(comment: &str) -> Line<'_> {
    let comment = comment.trim_start();
    if comment == "EOF" {
        return Line::End;
    }
    let Some(rest) = comment.strip_prefix("TYPE").filter(|rest| rest.starts_with([' ', '\t'])) else { return Line::Nothing };
    let rest = rest.trim_start();
    let named = match quoted(rest) {
        Some((name, rest)) => Some((name, rest)),
        None => rest.split_once([' ', '\t']).map(|(name, rest)| (Cow::Borrowed(name), rest)),
    };
    let Some((name, kind)) = named else { return Line::Bad };
    let kind = match kind.trim() {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" | "gaugehistogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        _ => Kind::Untyped,
    };
    Line::Kind(name, kind)
}

/// `name{label="value",…} value [timestamp] [# exemplar]`.
fn sample(line: &str) -> Option<Line<'_>> {
    let bytes = line.as_bytes();
    let open = bytes.iter().position(|b| matches!(b, b'{' | b' ' | b'\t'))?;
    let end = match line[open..].trim_start().strip_prefix('{') {
        Some(inside) => line.len() - inside.len() + closing(inside)? + 1,
        None => open,
    };
    let (key, rest) = line.split_at(end);
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let value = number(words.next()?)?;
    match words.next() {
        None => {}
        Some("#") => return Some(Line::Sample(key, value)),
        Some(time) => {
            number(time)?;
            if words.next().is_some_and(|word| word != "#") {
                return None;
            }
        }
    }
    Some(Line::Sample(key, value))
}

/// Where the brace closes that was opened before this.
fn closing(inside: &str) -> Option<usize> {
    let mut text = false;
    let mut bytes = inside.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if text => {
                bytes.next();
            }
            b'"' => text = !text,
            b'}' if !text => return Some(at),
            _ => {}
        }
    }
    None
}

/// A series' name, and its labels in the order they stand there.
pub type Parts<'a> = (Cow<'a, str>, Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What stands before the value: `name`, `name{label="value",…}` or `{"name",label="value",…}`.
#[must_use]
pub fn parts(key: &str) -> Option<Parts<'_>> {
    let Some((name, inside)) = key.split_once('{') else { return is_name(key).then(|| (key.into(), Vec::new())) };
    let name = name.trim_end();
    if !name.is_empty() && !is_name(name) {
        return None;
    }
    let mut name = (!name.is_empty()).then_some(Cow::Borrowed(name));
    let mut labels = Vec::new();
    let mut rest = inside.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return if after.is_empty() { name.map(|name| (name, labels)) } else { None };
        }
        let (label, after) = quoted(rest).or_else(|| bare(rest))?;
        let after = after.trim_start();
        rest = match after.strip_prefix('=') {
            Some(after) => {
                let (value, after) = quoted(after.trim_start())?;
                labels.push((label, value));
                after
            }
            // A name in quotes stands where a label would.
            None if name.is_none() && rest.starts_with('"') && labels.is_empty() => {
                name = Some(label);
                after
            }
            None => return None,
        };
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

/// The name of a label, and what comes after it.
fn bare(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let (label, after) = text.split_at(text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?);
    let named = label.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    named.then_some((Cow::Borrowed(label), after))
}

fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
    name.bytes().all(good) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// `"text"`, its escapes undone, and what comes after it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let body = text.strip_prefix('"')?;
    let plain = body.find(['"', '\\'])?;
    if body[plain..].starts_with('"') {
        return Some((Cow::Borrowed(&body[..plain]), &body[plain + 1..]));
    }
    let mut value = body[..plain].to_owned();
    let mut chars = body[plain..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Cow::Owned(value), &body[plain + at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                c @ ('"' | '\\') => value.push(c),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// A figure as the formats write it: `1.5e3`, `+Inf`, `NaN`. Every NaN becomes the same one.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    // The NaN Prometheus makes of all it reads.
    const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);
    match text.bytes().next()? {
        b'0'..=b'9' | b'.' => text.parse().ok(),
        b'+' | b'-' | b'i' | b'I' | b'n' | b'N' => text.parse().ok().map(|n: f64| if n.is_nan() { NAN } else { n }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        for (line, seen) in [
            ("  \r", Line::Nothing),
            ("# HELP up x", Line::Nothing),
            ("#", Line::Nothing),
            ("# EOF", Line::End),
            ("# TYPE http counter", Line::Kind("http".into(), Kind::Counter)),
            ("# TYPE \"http.server\" histogram", Line::Kind("http.server".into(), Kind::Histogram)),
            ("# TYPE http", Line::Bad),
            ("up 1", Line::Sample("up", 1.0)),
            ("up 1 1700000000000", Line::Sample("up", 1.0)),
            ("up\t1.5e3\t1700000000.5 # {trace=\"x y\"} 1 1.2", Line::Sample("up", 1500.0)),
            ("up{a=\"}\\\"\"} +Inf # {} 1", Line::Sample("up{a=\"}\\\"\"}", f64::INFINITY)),
            ("up {a=\"b\"} -Inf", Line::Sample("up {a=\"b\"}", f64::NEG_INFINITY)),
            ("{\"a.b\"} 2", Line::Sample("{\"a.b\"}", 2.0)),
            ("up{a=\"b} 1", Line::Bad),
            ("up", Line::Bad),
            ("up one", Line::Bad),
            ("up 1 two", Line::Bad),
            ("up 1 2 3", Line::Bad),
            ("<html>", Line::Bad),
        ] {
            assert_eq!(Line::read(line), seen, "{line}");
        }
        assert!(matches!(Line::read("n NaN"), Line::Sample("n", n) if n.to_bits() == 0x7ff8_0000_0000_0001));
    }

    #[test]
    fn a_series_is_taken_apart() {
        let seen = |key| {
            parts(key)
                .map(|(name, labels)| labels.iter().fold(name.into_owned(), |all, (name, value)| format!("{all} {name}={value}")))
        };
        for (key, wanted) in [
            ("up", Some("up")),
            ("a:b_c9{}", Some("a:b_c9")),
            ("up {a=\"b\", c = \"d\",}", Some("up a=b c=d")),
            ("up{a=\"x\\\\ \\\"y\\\" \\n \\d\"}", Some("up a=x\\ \"y\" \n \\d")),
            ("{\"a.b\",\"c d\"=\"e\"}", Some("a.b c d=e")),
            ("{a=\"b\"}", None),
            ("up{\"a.b\"}", None),
            ("9up", None),
            ("up{9=\"a\"}", None),
            ("up{a=b}", None),
            ("up{a=\"b\" c=\"d\"}", None),
            ("up{a}", None),
        ] {
            assert_eq!(seen(key).as_deref(), wanted, "{key}");
        }
    }
}
