//! A template taken apart: text, `{{ … }}`, conditions. <https://pkg.go.dev/text/template>

use std::sync::Arc;

use super::call::Function;
use super::{Fault, Node, Term};
use crate::model::problem::nearest;

/// Conditions within conditions, and brackets within brackets.
const DEEPEST: usize = 20;

/// What stands between `{{` and `}}`, and where.
struct Action<'a> {
    text: &'a str,
    offset: usize,
}

/// A piece of a template.
enum Piece<'a> {
    Text(&'a str),
    Action(Action<'a>),
}

/// Where a list of nodes ended.
enum Until<'a> {
    Text,
    End,
    Else(Action<'a>),
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, Fault> {
    let pieces = pieces(text)?;
    let mut rest = pieces.into_iter();
    match list(&mut rest, 0)? {
        (nodes, Until::Text) => Ok(nodes),
        (_, Until::End) => Err(fault(0, "an `end` without its `if`")),
        (_, Until::Else(action)) => Err(fault(action.offset, "an `else` without its `if`")),
    }
}

fn fault(offset: usize, message: impl Into<String>) -> Fault {
    Fault { offset, message: message.into() }
}

/// Text and actions in turn, trimmed where an action asks for it, comments left out.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut pieces = Vec::new();
    let (mut at, mut trim) = (0, false);
    while at < text.len() {
        let rest = &text[at..];
        let Some(open) = rest.find("{{") else {
            pieces.push(Piece::Text(if trim { rest.trim_start() } else { rest }));
            break;
        };
        let begin = at + open + 2;
        let end = close(text, begin).ok_or_else(|| fault(at + open, "`{{` is never closed"))?;
        let mut inside = &text[begin..end];
        let mut before = &rest[..open];
        if trim {
            before = before.trim_start();
        }
        if let Some(trimmed) = inside.strip_prefix('-').filter(|t| t.starts_with(char::is_whitespace)) {
            before = before.trim_end();
            inside = trimmed;
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let trimmed = inside.strip_suffix('-').filter(|t| t.ends_with(char::is_whitespace));
        trim = trimmed.is_some();
        let dropped = usize::from(trim);
        inside = trimmed.unwrap_or(inside);
        let body = inside.trim();
        if !(body.starts_with("/*") && body.ends_with("*/")) {
            let offset = end - dropped - inside.trim_start().len();
            pieces.push(Piece::Action(Action { text: body, offset }));
        }
        at = end + 2;
    }
    Ok(pieces)
}

/// Where the `}}` is that belongs to what begins here: not one in quotes.
fn close(text: &str, begin: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut quote) = (begin, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            (None, b'"' | b'`') => quote = Some(bytes[at]),
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            _ => {}
        }
        at += 1;
    }
    None
}

type Pieces<'a> = std::vec::IntoIter<Piece<'a>>;

fn list<'a>(pieces: &mut Pieces<'a>, depth: usize) -> Result<(Vec<Node>, Until<'a>), Fault> {
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.next() {
        let action = match piece {
            Piece::Text(text) => {
                nodes.push(Node::Text(text.into()));
                continue;
            }
            Piece::Action(action) => action,
        };
        let word = action.text.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
        match word {
            "end" => return Ok((nodes, Until::End)),
            "else" => return Ok((nodes, Until::Else(action))),
            "if" => nodes.push(condition(&action, "if", pieces, depth + 1)?),
            "range" | "with" | "template" | "define" | "block" | "break" | "continue" => {
                return Err(fault(action.offset, format!("`{word}` is not understood here")));
            }
            _ => nodes.push(Node::Term(Words::new(&action).whole()?)),
        }
    }
    Ok((nodes, Until::Text))
}

/// `if …`, what follows it, and its `else`.
fn condition<'a>(action: &Action<'a>, word: &str, pieces: &mut Pieces<'a>, depth: usize) -> Result<Node, Fault> {
    if depth > DEEPEST {
        return Err(fault(action.offset, "conditions within conditions within conditions"));
    }
    let text = action.text.strip_prefix(word).unwrap_or(action.text);
    let offset = action.offset + (action.text.len() - text.len());
    let condition = Words::new(&Action { text, offset }).whole()?;
    let (then, end) = list(pieces, depth)?;
    let otherwise = match end {
        Until::Text => return Err(fault(action.offset, "this `if` has no `end`")),
        Until::End => Vec::new(),
        Until::Else(other) => {
            let text = other.text.strip_prefix("else").unwrap_or(other.text).trim_start();
            if text.is_empty() {
                match list(pieces, depth)? {
                    (nodes, Until::End) => nodes,
                    (_, Until::Text | Until::Else(_)) => return Err(fault(other.offset, "this `else` has no `end`")),
                }
            } else if text.starts_with("if") {
                let offset = other.offset + (other.text.len() - text.len());
                vec![self::condition(&Action { text, offset }, "if", pieces, depth + 1)?]
            } else {
                return Err(fault(other.offset, "after `else` only `if` is understood"));
            }
        }
    };
    Ok(Node::If { condition, then, otherwise })
}

/// The words of an action.
struct Words<'a> {
    rest: &'a str,
    end: usize,
    depth: usize,
}

impl<'a> Words<'a> {
    fn new(action: &Action<'a>) -> Self {
        Self { rest: action.text, end: action.offset + action.text.len(), depth: 0 }
    }

    fn at(&self) -> usize {
        self.end - self.rest.len()
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip();
        let there = self.rest.strip_prefix(c);
        self.rest = there.unwrap_or(self.rest);
        there.is_some()
    }

    /// All of it as one term.
    fn whole(mut self) -> Result<Term, Fault> {
        let term = self.pipeline()?;
        self.skip();
        if self.rest.is_empty() {
            return Ok(term);
        }
        let what = self.rest.split_whitespace().next().unwrap_or_default();
        Err(fault(self.at(), format!("`{what}` is not understood here")))
    }

    /// `a | f x`: what comes before is the last argument of what comes after.
    fn pipeline(&mut self) -> Result<Term, Fault> {
        let mut term = self.command(None)?;
        while self.eat('|') {
            term = self.command(Some(term))?;
        }
        Ok(term)
    }

    fn command(&mut self, piped: Option<Term>) -> Result<Term, Fault> {
        self.skip();
        let at = self.at();
        let name: &str = self.rest;
        let name = &name[..name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len())];
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !matches!(name, "true" | "false" | "nil");
        if !is_name {
            let term = self.operand()?;
            return if piped.is_some() { Err(fault(at, "expected a function after `|`")) } else { Ok(term) };
        }
        let function = Function::named(name).ok_or_else(|| fault(at, unknown(name)))?;
        self.rest = &self.rest[name.len()..];
        let mut arguments = Vec::new();
        loop {
            self.skip();
            if self.rest.is_empty() || self.rest.starts_with(['|', ')']) {
                break;
            }
            arguments.push(self.operand()?);
        }
        arguments.extend(piped);
        if !function.takes(arguments.len()) {
            return Err(fault(at, format!("`{name}` does not take {} arguments", arguments.len())));
        }
        Ok(Term::Call(function, arguments))
    }

    fn operand(&mut self) -> Result<Term, Fault> {
        self.skip();
        let at = self.at();
        if self.eat('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(fault(at, "brackets within brackets within brackets"));
            }
            let term = self.pipeline()?;
            self.depth -= 1;
            return if self.eat(')') { Ok(term) } else { Err(fault(at, "this bracket is never closed")) };
        }
        if self.rest.starts_with(['"', '`']) {
            return self.quoted().map(|text| Term::Text(text.into()));
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || matches!(c, '|' | '(' | ')' | ',')).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.rest = &self.rest[end..];
        term(word).ok_or_else(|| {
            let what = if word.is_empty() { self.rest.get(..1).unwrap_or("nothing") } else { word };
            fault(at, format!("`{what}` is not understood here"))
        })
    }

    /// `"text"` with escapes, or `` `text` `` without.
    fn quoted(&mut self) -> Result<String, Fault> {
        let at = self.at();
        let open = fault(at, "this text has no end");
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map_or('"', |(_, c)| c);
        let mut text = String::new();
        while let Some((index, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = &self.rest[index + 1..];
                    return Ok(text);
                }
                '\\' if quote == '"' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, c @ ('"' | '\\' | '\''))) => text.push(c),
                    _ => return Err(fault(at + index, "this escape is not understood")),
                },
                other => text.push(other),
            }
        }
        Err(open)
    }
}

fn unknown(name: &str) -> String {
    match name {
        "query" | "first" | "value" | "label" | "strvalue" | "sortByLabel" | "externalURL" | "pathPrefix" | "args" | "tmpl"
        | "graphLink" | "tableLink" | "parseDuration" | "toTime" => {
            format!("the function `{name}` needs a Prometheus server, or is not understood here")
        }
        _ => match nearest(name, Function::names()) {
            Some(near) => format!("unknown function `{name}`, did you mean `{near}`?"),
            None => format!("unknown function `{name}`"),
        },
    }
}

/// A value, a label or a figure.
fn term(word: &str) -> Option<Term> {
    let label = |rest: &str, make: fn(Arc<str>) -> Term| {
        let good = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        good.then(|| make(rest.into()))
    };
    match word {
        "true" => return Some(Term::Flag(true)),
        "false" => return Some(Term::Flag(false)),
        "$value" | ".Value" => return Some(Term::Value),
        "$labels" | ".Labels" => return Some(Term::Labels),
        "$externalLabels" | ".ExternalLabels" => return Some(Term::NoLabels),
        "$externalURL" | ".ExternalURL" => return Some(Term::Nothing),
        _ => {}
    }
    for prefix in ["$labels.", ".Labels."] {
        if let Some(rest) = word.strip_prefix(prefix) {
            return label(rest, Term::Label);
        }
    }
    for prefix in ["$externalLabels.", ".ExternalLabels."] {
        if let Some(rest) = word.strip_prefix(prefix) {
            return label(rest, |_| Term::Nothing);
        }
    }
    if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    let value: f64 = word.parse().ok()?;
    Some(Term::Number { value, whole: word.parse::<i64>().is_ok() })
}
