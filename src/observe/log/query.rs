//! What a person types to see some lines and not others.
//!
//! Terms stand side by side and all must hold. `word` and `"two words"` stand in the text (case matters where one letter
//! of the term is upper case), `/re/` matches it, `!` before any term turns it round. `level>=warn`, `instance:api-2`,
//! `stream:stderr` and `format:json` ask for what is known of the line. Any other name is a field of it: `name:value` where the
//! value holds this text, `name=value` where it is this, `name!=value`, and `<`, `<=`, `>`, `>=` for numbers. A value of
//! digits and dots is compared whole, a dot standing for any one character: `status:5..`.

mod field;
mod read;
mod word;

use regex::Regex;

use super::{Level, LineView, Stream};
use crate::observe::log::Format;

use field::FieldTest;
use word::Word;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    /// `:`
    Holds,
    /// `=`
    Is,
    /// `!=`
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Compare {
    fn orders<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Holds | Self::Is => left == right,
            Self::IsNot => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// One condition.
#[derive(Clone, Debug)]
enum Test {
    Level(Compare, Level),
    Stream(Stream),
    Format(Format),
    Instance(Word),
    Word(Word),
    Regex(Regex),
    Field(Box<FieldTest>),
}

impl Test {
    /// What it costs to ask, cheap first.
    fn cost(&self) -> u8 {
        match self {
            Self::Level(..) | Self::Stream(_) | Self::Format(_) => 0,
            Self::Instance(_) => 1,
            Self::Word(_) => 2,
            Self::Regex(_) => 3,
            Self::Field(_) => 4,
        }
    }

    fn holds(&self, line: &LineView<'_>, name: &str) -> bool {
        match self {
            Self::Level(compare, level) => line.level.is_some_and(|l| compare.orders(&l, level)),
            Self::Stream(stream) => line.stream == *stream,
            Self::Format(format) => line.format == *format,
            Self::Instance(word) => word.is_in(name),
            Self::Word(word) => word.is_in(line.text),
            Self::Regex(regex) => regex.is_match(line.text),
            Self::Field(test) => test.holds(line),
        }
    }
}

#[derive(Clone, Debug)]
struct Term {
    not: bool,
    test: Test,
}

/// Conditions on a line, read from text.
#[derive(Clone, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
    text: String,
}

/// What is wrong with the text of a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The byte it is wrong at.
    pub at: usize,
    pub message: String,
}

/// What of a query is lit up where it stands in a line.
#[derive(Clone, Copy, Debug)]
pub enum Highlight<'a> {
    /// This text, in any case unless `cased`.
    Word {
        text: &'a str,
        cased: bool,
    },
    Regex(&'a Regex),
}

impl Query {
    /// Reads a query; an empty one holds for every line.
    ///
    /// # Errors
    /// Where a term cannot be read: an open quote, a pattern that is none, a level nobody knows, a number that is none.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut terms = read::terms(text)?;
        terms.sort_by_key(|t| t.test.cost());
        Ok(Self { terms, text: text.to_owned() })
    }

    /// The same, and this pattern in the text: what a search looks for among the lines of a filter.
    #[must_use]
    pub fn and(mut self, regex: Regex) -> Self {
        self.terms.push(Term { not: false, test: Test::Regex(regex) });
        self.terms.sort_by_key(|t| t.test.cost());
        self
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a name is needed to answer it.
    #[must_use]
    pub fn needs_name(&self) -> bool {
        self.terms.iter().any(|t| matches!(t.test, Test::Instance(_)))
    }

    /// Whether the line of the instance of this name is asked for. Markers never are: they are no log text.
    #[must_use]
    pub fn matches(&self, line: &LineView<'_>, name: &str) -> bool {
        line.marker.is_none() && self.terms.iter().all(|t| t.test.holds(line, name) != t.not)
    }

    /// The words and patterns that lines must have, for lighting them up.
    pub fn highlights(&self) -> impl Iterator<Item = Highlight<'_>> {
        self.terms.iter().filter(|t| !t.not).filter_map(|t| match &t.test {
            Test::Word(word) => Some(Highlight::Word { text: word.text(), cased: word.cased() }),
            Test::Regex(regex) => Some(Highlight::Regex(regex)),
            Test::Level(..) | Test::Stream(_) | Test::Format(_) | Test::Instance(_) | Test::Field(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
