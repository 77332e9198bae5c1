//! A literal that is searched for, in any case unless it has an upper-case letter.

use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};

/// Letters by how often they stand in logs, the most frequent last.
const FREQUENT: &[u8] = b"zqjxkvwybgfpmuhldcrsaniote";

#[derive(Clone, Debug)]
pub(super) struct Word {
    text: String,
    find: Find,
}

#[derive(Clone, Debug)]
enum Find {
    Cased(Box<Finder<'static>>),
    /// The place and both cases of its rarest byte.
    AnyCase {
        rare: usize,
        low: u8,
        high: u8,
    },
    /// Any case of letters beyond ASCII.
    Folded(Regex),
}

impl Word {
    pub(super) fn new(text: &str) -> Self {
        let cased = text.chars().any(char::is_uppercase);
        let folded =
            (!text.is_ascii()).then(|| RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build().ok()).flatten();
        let find = match folded {
            Some(regex) if !cased => Find::Folded(regex),
            _ if cased || text.is_empty() || !text.is_ascii() => Find::Cased(Box::new(Finder::new(text).into_owned())),
            _ => {
                let rare = rarest(text.as_bytes());
                let low = text.as_bytes()[rare];
                Find::AnyCase { rare, low, high: low.to_ascii_uppercase() }
            }
        };
        Self { text: text.to_owned(), find }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn cased(&self) -> bool {
        matches!(self.find, Find::Cased(_))
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        let (hay, needle) = (text.as_bytes(), self.text.as_bytes());
        match &self.find {
            Find::Cased(finder) => finder.find(hay).is_some(),
            Find::Folded(regex) => regex.is_match(text),
            Find::AnyCase { rare, low, high } => {
                let Some(last) = hay.len().checked_sub(needle.len()) else { return false };
                let fits = |at: &usize| hay[at - rare..at - rare + needle.len()].eq_ignore_ascii_case(needle);
                let within = &hay[*rare..=last + rare];
                if low == high {
                    memchr::memchr_iter(*low, within).any(|n| fits(&(n + rare)))
                } else {
                    memchr::memchr2_iter(*low, *high, within).any(|n| fits(&(n + rare)))
                }
            }
        }
    }

    /// Whether it is the whole text.
    pub(super) fn is(&self, text: &str) -> bool {
        match &self.find {
            Find::Cased(_) => self.text == text,
            Find::AnyCase { .. } => self.text.eq_ignore_ascii_case(text),
            Find::Folded(_) => self.text.to_lowercase() == text.to_lowercase(),
        }
    }
}

/// Where the byte stands that is met least often.
fn rarest(needle: &[u8]) -> usize {
    let rank = |b: u8| match b {
        b' ' | b'"' => 100,
        // Digits are about as frequent as letters in the middle.
        b'0'..=b'9' => 14,
        b => FREQUENT.iter().position(|f| *f == b.to_ascii_lowercase()).unwrap_or(12),
    };
    needle.iter().enumerate().min_by_key(|(_, b)| rank(**b)).map_or(0, |(n, _)| n)
}
