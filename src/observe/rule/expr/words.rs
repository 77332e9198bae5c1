//! An expression word by word, and where each stands: the parser of the language tells no places, so they are found here. What
//! it would stumble over (durations without a unit, brackets without end) is refused before it sees it.

use super::Fault;

/// Bytes an expression may have.
const LONG: usize = 16_384;
/// Words an expression may have.
const MANY: usize = 2_000;
/// Brackets that may stand in brackets.
const DEEP: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Name,
    Number,
    Text,
    Operator,
    Open,
    Close,
    Comma,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub at: usize,
    pub text: &'a str,
    pub what: What,
}

/// The words of an expression, as far as they can be told apart and its brackets pair up.
pub(super) fn words(text: &str) -> Result<Vec<Word<'_>>, Fault> {
    if text.len() > LONG {
        return Err(Fault::new(LONG, format!("an expression may have {LONG} bytes")));
    }
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut open: Vec<Word<'_>> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if c == '#' {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
            continue;
        }
        let in_range = open.last().is_some_and(|open| open.text == "[");
        let (what, length) = word(&text[at..], c, in_range).ok_or_else(|| Fault::new(at, trouble(c)))?;
        let word = Word { at, text: &text[at..at + length], what };
        pair(word, &mut open)?;
        unit(word, words.as_slice(), in_range)?;
        words.push(word);
        if words.len() > MANY {
            return Err(Fault::new(at, format!("an expression may have {MANY} words")));
        }
        at += length;
    }
    match open.last() {
        Some(open) => Err(Fault::new(open.at, format!("{} is not closed", open.text))),
        None if words.is_empty() => Err(Fault::new(0, "there is no expression")),
        None => Ok(words),
    }
}

fn trouble(c: char) -> String {
    match c {
        '"' | '\'' | '`' => "this text does not end".to_owned(),
        other => format!("{} means nothing here", other.escape_debug()),
    }
}

/// What begins here, and its bytes.
fn word(rest: &str, c: char, in_range: bool) -> Option<(What, usize)> {
    let run = |good: fn(char) -> bool| rest.find(|c| !good(c)).unwrap_or(rest.len());
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    Some(match c {
        '(' | '[' | '{' => (What::Open, 1),
        ')' | ']' | '}' => (What::Close, 1),
        ',' => (What::Comma, 1),
        '"' | '\'' | '`' => (What::Text, quoted(rest, c)?),
        ':' if in_range => (What::Operator, 1),
        '0'..='9' => (What::Number, number(rest)),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (What::Number, number(rest)),
        c if name(c) && in_range => (What::Name, run(|c| c.is_ascii_alphanumeric() || c == '_')),
        c if name(c) => (What::Name, run(name)),
        '=' | '!' | '<' | '>' if rest[1..].starts_with(['=', '~']) => (What::Operator, 2),
        '+' | '-' | '*' | '/' | '%' | '^' | '<' | '>' | '=' | '@' => (What::Operator, 1),
        _ => return None,
    })
}

fn number(rest: &str) -> usize {
    let mut last = ' ';
    let ends = |c: char| {
        let exponent = matches!(last, 'e' | 'E') && matches!(c, '+' | '-') && !rest.starts_with("0x");
        last = c;
        !(c.is_ascii_alphanumeric() || c == '.' || exponent)
    };
    rest.find(ends).unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote != '`' => {
                chars.next();
            }
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn pair<'a>(word: Word<'a>, open: &mut Vec<Word<'a>>) -> Result<(), Fault> {
    match word.what {
        What::Open if open.len() == DEEP => Err(Fault::new(word.at, format!("more than {DEEP} brackets stand in each other"))),
        What::Open => {
            open.push(word);
            Ok(())
        }
        What::Close => match open.pop() {
            Some(before) if matches!((before.text, word.text), ("(", ")") | ("[", "]") | ("{", "}")) => Ok(()),
            Some(_) | None => Err(Fault::new(word.at, format!("{} closes nothing", word.text))),
        },
        What::Name | What::Number | What::Text | What::Operator | What::Comma => Ok(()),
    }
}

/// Holds durations to what Prometheus takes for one: numbers with units.
fn unit(word: Word<'_>, before: &[Word<'_>], in_range: bool) -> Result<(), Fault> {
    let after_offset = match before {
        [.., offset, sign] if matches!(sign.text, "-" | "+") => offset.text.eq_ignore_ascii_case("offset"),
        [.., offset] => offset.text.eq_ignore_ascii_case("offset"),
        [] => false,
    };
    if word.what != What::Number || !(in_range || after_offset) {
        return Ok(());
    }
    let units = word.text.trim_start_matches(|c: char| c.is_ascii_digit());
    let long = word.text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 9);
    if units.is_empty() || long || !word.text.bytes().all(|b| b.is_ascii_digit() || b"ywdhms".contains(&b)) {
        return Err(Fault::new(word.at, format!("{} is no duration, as 5m or 1h30m is", word.text)));
    }
    Ok(())
}

/// What the words may be to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Operand,
    Infix,
    Sign,
    Modifier,
    Open,
    Close,
    Comma,
}

fn part(word: &Word<'_>) -> Part {
    match word.what {
        What::Name => match word.text.to_ascii_lowercase().as_str() {
            "and" | "or" | "unless" | "atan2" => Part::Infix,
            "by" | "without" | "on" | "ignoring" | "group_left" | "group_right" | "bool" | "offset" => Part::Modifier,
            _ => Part::Operand,
        },
        What::Number | What::Text => Part::Operand,
        What::Operator if matches!(word.text, "+" | "-") => Part::Sign,
        What::Operator if word.text == "@" => Part::Modifier,
        What::Operator => Part::Infix,
        What::Open => Part::Open,
        What::Close => Part::Close,
        What::Comma => Part::Comma,
    }
}

/// Where a text that is no expression goes wrong, as far as neighbours tell: the first word that cannot stand after the one
/// before it, else the end.
pub(super) fn suspect<'a>(words: &[Word<'a>], text: &'a str) -> (usize, Option<&'a str>) {
    let mut before = Part::Open;
    let mut braces = false;
    for word in words {
        let this = part(word);
        let ended = matches!(before, Part::Operand | Part::Close);
        let misplaced = match this {
            Part::Operand => ended,
            Part::Infix | Part::Comma => !ended,
            Part::Close => matches!(before, Part::Infix | Part::Sign | Part::Modifier),
            Part::Sign | Part::Modifier | Part::Open => false,
        };
        if misplaced && !braces {
            return (word.at, Some(word.text));
        }
        match word.text {
            "{" => braces = true,
            "}" => braces = false,
            _ => {}
        }
        before = this;
    }
    (text.trim_end().len(), None)
}
