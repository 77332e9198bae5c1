//! YAML with positions: every value knows where it stands, and every character of a text where it was written, in quotes
//! and blocks too.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Spanned};

/// A value.
#[derive(Debug)]
pub(super) enum Yaml {
    Null,
    Text(String),
    /// A number or a boolean: what was written is in the source.
    Plain,
    List(Vec<Spanned<Yaml>>),
    Map(Vec<(Spanned<String>, Spanned<Yaml>)>),
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    source: &'a str,
    at: &'a Spanned<Yaml>,
}

/// A file's text taken apart.
///
/// # Errors
/// The byte where the syntax breaks, and what is wrong there.
pub(super) fn read(source: &str) -> Result<Spanned<Yaml>, (usize, String)> {
    serde_saphyr::from_str(source).map_err(|error: Error| {
        let offset = error.location().and_then(|l| l.span().byte_offset()).and_then(|b| usize::try_from(b).ok());
        let message = error.without_snippet().to_string();
        // The place is said already.
        let end = message.rfind(" at line ").unwrap_or(message.len());
        let message = message[..end].split(", set DuplicateKeyPolicy").next().unwrap_or_default().to_owned();
        (offset.unwrap_or(source.len()), message)
    })
}

impl<'a> Node<'a> {
    pub(super) fn new(source: &'a str, at: &'a Spanned<Yaml>) -> Self {
        Self { source, at }
    }

    /// The byte where it begins.
    pub(super) fn offset(self) -> usize {
        byte(self.at.defined.span().byte_offset(), self.source.len())
    }

    /// Whether nothing was written.
    pub(super) fn is_null(self) -> bool {
        matches!(self.at.value, Yaml::Null)
    }

    /// A scalar as it was written, quotes and blocks undone.
    pub(super) fn text(self) -> Option<&'a str> {
        match &self.at.value {
            Yaml::Text(text) => Some(text),
            Yaml::Plain => Some(self.written()),
            Yaml::Null | Yaml::List(_) | Yaml::Map(_) => None,
        }
    }

    pub(super) fn items(self) -> Option<impl Iterator<Item = Self>> {
        match &self.at.value {
            Yaml::List(items) => Some(items.iter().map(move |at| Self { source: self.source, at })),
            Yaml::Null | Yaml::Text(_) | Yaml::Plain | Yaml::Map(_) => None,
        }
    }

    /// Keys, where they stand, and values.
    pub(super) fn entries(self) -> Option<impl Iterator<Item = (&'a str, usize, Self)>> {
        match &self.at.value {
            Yaml::Map(entries) => Some(entries.iter().map(move |(key, at)| {
                let offset = byte(key.defined.span().byte_offset(), self.source.len());
                (key.value.as_str(), offset, Self { source: self.source, at })
            })),
            Yaml::Null | Yaml::Text(_) | Yaml::Plain | Yaml::List(_) => None,
        }
    }

    fn written(self) -> &'a str {
        let begin = self.offset();
        let length = byte(self.at.defined.span().byte_len(), 0);
        self.source.get(begin..(begin + length).min(self.source.len())).unwrap_or_default()
    }

    /// The byte of the source where a byte of the text was written. Lines are folded and indents taken away, so it is
    /// counted in what is not white.
    pub(super) fn place(self, offset: usize) -> usize {
        let text = self.text().unwrap_or_default();
        let wanted = text.char_indices().filter(|(at, c)| *at < offset && !c.is_whitespace()).count();
        let begin = self.offset();
        let mut last = begin;
        for (nth, at) in solid(self.written()).enumerate() {
            last = begin + at;
            if nth == wanted {
                return last;
            }
        }
        // Behind the last one: an expression that ends too early.
        last
    }
}

fn byte(at: Option<u64>, otherwise: usize) -> usize {
    at.and_then(|at| usize::try_from(at).ok()).unwrap_or(otherwise)
}

/// Where the characters that are not white stand in what was written, escapes counted as what they mean.
fn solid(written: &str) -> impl Iterator<Item = usize> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut rest = written.char_indices().skip(usize::from(quote.is_some())).peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, c) = rest.next()?;
            match (quote, c) {
                (Some('\''), '\'') => {
                    // Two of them are one; one alone is the end.
                    rest.next_if(|(_, next)| *next == '\'')?;
                    return Some(at);
                }
                (Some('"'), '"') => return None,
                (Some('"'), '\\') => {
                    let length = match rest.next()?.1 {
                        'n' | 't' | 'r' | ' ' | '\n' | '\t' => continue,
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    rest.by_ref().take(length).for_each(drop);
                    return Some(at);
                }
                (_, c) if c.is_whitespace() => {}
                _ => return Some(at),
            }
        }
    })
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        Yaml::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Yaml, E> {
        Ok(Yaml::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Yaml, E> {
        Ok(Yaml::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Yaml, E> {
        Ok(Yaml::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Yaml, E> {
        Ok(Yaml::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Yaml::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Yaml, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(Yaml::Map(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the `!` of each expression is found by its place in the text.
    #[test]
    fn a_place_in_a_text_is_found_where_it_was_written() {
        for source in [
            "e: sum(a) ! 1",
            "e: 'it''s ''!'",
            "e: \"a\\\"\\\\ \\u00e9\\n !\"",
            "e: |-\n    sum(a)\n      > !\n",
            "e: |2\n    ä\n\n    !\nf: 1\n",
            "e: >\n  foo\n  ! bar\n",
            "e: a +\n  b !\n  c",
            "e: 1!",
        ] {
            let root = read(source).unwrap_or_else(|e| panic!("{source}: {e:?}"));
            let (_, _, node) = Node::new(source, &root).entries().and_then(|mut e| e.next()).unwrap();
            let text = node.text().unwrap();
            let place = node.place(text.find('!').unwrap());
            assert_eq!(source.get(place..=place), Some("!"), "{source:?}: {text:?}");
        }
    }

    #[test]
    fn broken_syntax_is_told_with_its_place() {
        let source = "groups:\n- name: x\n  name: y\n";
        let (offset, message) = read(source).unwrap_err();
        assert_eq!((crate::model::problem::position(source, offset), message.as_str()), ((3, 3), "duplicate mapping key: name"));
    }
}
