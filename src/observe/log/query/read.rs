//! Reads the text of a query into its terms.

use regex::Regex;

use super::field::FieldTest;
use super::word::Word;
use super::{Compare, QueryError, Term, Test};
use crate::observe::log::{Format, Level, Stream};

/// Operators, the longer first.
const OPERATORS: &[(&str, Compare)] = &[
    ("!=", Compare::IsNot),
    (">=", Compare::AtLeast),
    ("<=", Compare::AtMost),
    (":", Compare::Holds),
    ("=", Compare::Is),
    (">", Compare::More),
    ("<", Compare::Less),
];

pub(super) fn terms(text: &str) -> Result<Vec<Term>, QueryError> {
    let mut terms = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if at >= text.len() {
            return Ok(terms);
        }
        let not = text[at..].starts_with('!') && text[at + 1..].starts_with(|c: char| !c.is_whitespace());
        if not {
            at += 1;
        }
        let (test, end) = test(text, at)?;
        terms.push(Term { not, test });
        at = end;
    }
}

/// The term that begins here, and where it ends.
fn test(text: &str, at: usize) -> Result<(Test, usize), QueryError> {
    let rest = &text[at..];
    if let Some(inner) = rest.strip_prefix('"') {
        let (literal, used) = quoted(inner).ok_or_else(|| wrong(at, "this quote is not closed"))?;
        return Ok((Test::Word(Word::new(&literal)), at + 1 + used));
    }
    if let Some(inner) = rest.strip_prefix('/')
        && let Some(end) = pattern_end(inner)
    {
        let regex = Regex::new(&inner[..end].replace("\\/", "/")).map_err(|e| wrong(at + 1, &reason(&e)))?;
        return Ok((Test::Regex(regex), at + end + 2));
    }
    let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let name =
        rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'-'))).unwrap_or(rest.len());
    let operator = OPERATORS.iter().find(|(sign, _)| rest[name..].starts_with(sign));
    let value_at = name + operator.map_or(0, |(sign, _)| sign.len());
    let named = name > 0 && rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '@'));
    let bare = &rest[value_at.min(word)..word];
    match operator {
        // `12:30`, `error:` and `http://…` are words.
        Some((_, compare)) if named && !bare.is_empty() && !bare.starts_with("//") => {
            let (value, end) = match rest[value_at..].strip_prefix('"') {
                Some(inner) => {
                    let (value, used) = quoted(inner).ok_or_else(|| wrong(at + value_at, "this quote is not closed"))?;
                    (value, value_at + 1 + used)
                }
                None => (bare.to_owned(), word),
            };
            Ok((asked(&rest[..name], *compare, &value, (at, at + name, at + value_at))?, at + end))
        }
        // `error:` and `key=` may stand in a line; a comparison that is not finished is no word.
        Some((_, compare)) if named && bare.is_empty() && !matches!(compare, Compare::Holds | Compare::Is) => {
            Err(wrong(at + value_at, "a value is wanted here"))
        }
        Some(_) | None => Ok((Test::Word(Word::new(&rest[..word])), at + word)),
    }
}

/// A name compared with a value; the places are those of name, operator and value.
fn asked(name: &str, compare: Compare, value: &str, (_, sign, place): (usize, usize, usize)) -> Result<Test, QueryError> {
    let only_equal = |test: Test| {
        if matches!(compare, Compare::Holds | Compare::Is) { Ok(test) } else { Err(wrong(sign, &format!("`{name}` takes `:`"))) }
    };
    match name {
        "level" => {
            let level =
                Level::parse(value).ok_or_else(|| wrong(place, "levels are trace, debug, info, warn, error and fatal"))?;
            Ok(Test::Level(compare, level))
        }
        "stream" => match value {
            "stdout" => only_equal(Test::Stream(Stream::Stdout)),
            "stderr" => only_equal(Test::Stream(Stream::Stderr)),
            _ => Err(wrong(place, "streams are stdout and stderr")),
        },
        "format" => {
            let format = Format::parse(value)
                .ok_or_else(|| wrong(place, &format!("formats are {}", Format::ALL.map(Format::word).join(", "))))?;
            only_equal(Test::Format(format))
        }
        "instance" => only_equal(Test::Instance(Word::new(value))),
        _ => FieldTest::new(name, compare, value)
            .map(|t| Test::Field(Box::new(t)))
            .ok_or_else(|| wrong(place, "a number is compared here")),
    }
}

/// The text up to the closing quote, `\"` being one of it; and the bytes used, the quote included.
fn quoted(inner: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, at + 1)),
            '\\' => match chars.next()? {
                (_, c @ ('"' | '\\')) => out.push(c),
                (_, c) => out.extend(['\\', c]),
            },
            c => out.push(c),
        }
    }
    None
}

/// Where the slash stands that closes a pattern: the first that is not escaped and has white or nothing after it.
fn pattern_end(inner: &str) -> Option<usize> {
    inner.match_indices('/').map(|(n, _)| n).find(|n| {
        let closes = inner[n + 1..].chars().next().is_none_or(char::is_whitespace);
        *n > 0 && closes && !inner[..*n].ends_with('\\')
    })
}

fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or("");
    last.trim_start_matches("error: ").to_owned()
}

fn wrong(at: usize, message: &str) -> QueryError {
    QueryError { at, message: message.to_owned() }
}
