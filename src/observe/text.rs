//! The one sanitiser: text from outside becomes one line of text that is safe to put into cells.
//!
//! Escape sequences (CSI, OSC, DCS, APC, PM, SOS, in 7 and 8 bits) are taken out whole, other control characters are shown
//! as their control pictures, bidirectional overrides, zero-width characters and variation selectors are dropped, tabs
//! become spaces, invalid UTF-8 shows as U+FFFD. What comes out never moves a cursor and never lies about its order.

mod sgr;

use std::borrow::Cow;
use std::str::Chars;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use sgr::{Ansi, Sgr};

/// Cells between two tab stops.
const TAB: usize = 8;
/// Combining marks kept on one base character: enough for every script, too few to climb out of a cell.
const MARKS: u32 = 4;
/// Characters an unterminated string sequence may swallow before it is taken for text.
const STRING_LIMIT: usize = 4096;

/// One safe line of this text; borrowed when it was safe already.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_printable(text.as_bytes()) { Cow::Borrowed(text) } else { clean_slowly(text, &mut |_, _| {}) }
}

/// One safe line of these bytes, which need not be UTF-8.
#[must_use]
pub fn clean_bytes(bytes: &[u8]) -> Cow<'_, str> {
    clean_styled(bytes, &mut |_, _| {})
}

/// The same, and tells where in the cleaned text the look the line asks for changes, and to what.
pub fn clean_styled<'a>(bytes: &'a [u8], changed: &mut dyn FnMut(usize, Sgr)) -> Cow<'a, str> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) if is_printable(bytes) => Cow::Borrowed(text),
        Cow::Borrowed(text) => clean_slowly(text, changed),
        Cow::Owned(text) => Cow::Owned(clean_slowly(&text, changed).into_owned()),
    }
}

/// Whether all of it is printable ASCII. Looks at blocks without leaving early, which the compiler turns into wide steps.
fn is_printable(bytes: &[u8]) -> bool {
    let all = |block: &[u8]| block.iter().fold(true, |good, b| good & b.wrapping_sub(0x20).lt(&0x5f));
    let mut blocks = bytes.chunks_exact(32);
    blocks.by_ref().all(all) && all(blocks.remainder())
}

fn clean_slowly<'a>(text: &'a str, changed: &mut dyn FnMut(usize, Sgr)) -> Cow<'a, str> {
    let mut out = String::with_capacity(text.len());
    let mut look = Sgr::default();
    let mut column = 0;
    let mut marks = 0;
    let mut rest = text.chars();
    loop {
        // Most of most lines is plain: whole runs of it at once.
        let left = rest.as_str();
        let plain = left.bytes().position(|b| !(0x20..0x7f).contains(&b)).unwrap_or(left.len());
        if plain > 0 {
            out.push_str(&left[..plain]);
            column += plain;
            marks = 0;
            rest = left[plain..].chars();
        }
        let Some(c) = rest.next() else { break };
        match c {
            '\u{1b}' | '\u{9b}' => {
                let parameters = if c == '\u{1b}' { skip_escape(&mut rest) } else { skip_csi(&mut rest) };
                if let Some(parameters) = parameters {
                    let before = look;
                    look.apply(parameters);
                    if look != before {
                        changed(out.len(), look);
                    }
                }
            }
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\t' => {
                let spaces = TAB - column % TAB;
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\r' | '\n' if rest.as_str().is_empty() => {}
            c if is_dropped(c) => {}
            c => {
                let shown = picture(c);
                match shown.width() {
                    Some(0) => {
                        marks += 1;
                        if marks <= MARKS && !out.is_empty() {
                            out.push(shown);
                        }
                    }
                    Some(cells @ 1..=2) => {
                        marks = 0;
                        column += cells;
                        out.push(shown);
                    }
                    // No terminal has a cell for more than two (U+17D8).
                    Some(_) | None => {
                        marks = 0;
                        column += 1;
                        out.push('\u{fffd}');
                    }
                }
            }
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// What stands for a control character; others stand for themselves.
fn picture(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        '\u{2028}' | '\u{2029}' => '\u{2424}',
        other => other,
    }
}

/// Characters without a shape of their own that reorder, hide or widen others.
fn is_dropped(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// What comes next, without taking it.
fn peek(rest: &Chars<'_>) -> Option<char> {
    rest.clone().next()
}

/// After ESC: skips the rest of the sequence. The parameters, where it is one that changes the look.
fn skip_escape<'a>(rest: &mut Chars<'a>) -> Option<&'a str> {
    match peek(rest) {
        Some('[') => {
            rest.next();
            return skip_csi(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        // ESC, intermediate bytes, one final byte.
        Some(' '..='/') => {
            while matches!(peek(rest), Some(' '..='/')) {
                rest.next();
            }
            if matches!(peek(rest), Some('0'..='~')) {
                rest.next();
            }
        }
        Some('0'..='~') => {
            rest.next();
        }
        Some(_) | None => {}
    }
    None
}

/// After CSI: parameters, intermediates, one final byte. A sequence broken off ends where the foreign character stands.
fn skip_csi<'a>(rest: &mut Chars<'a>) -> Option<&'a str> {
    let start = rest.as_str();
    while matches!(peek(rest), Some('0'..='?' | ' '..='/')) {
        rest.next();
    }
    let parameters = &start[..start.len() - rest.as_str().len()];
    let end = peek(rest).filter(|c| matches!(c, '@'..='~'))?;
    rest.next();
    (end == 'm' && parameters.bytes().all(|b| matches!(b, b'0'..=b';'))).then_some(parameters)
}

/// After a string introducer: everything up to its terminator. Without one the text after it is kept.
fn skip_string(rest: &mut Chars<'_>) {
    let mut ahead = rest.clone();
    let mut taken = 0;
    loop {
        match ahead.next() {
            None => return,
            Some('\u{7}' | '\u{9c}') => break,
            Some('\u{1b}') => {
                if peek(&ahead) == Some('\\') {
                    ahead.next();
                }
                break;
            }
            Some(_) => {}
        }
        taken += 1;
        if taken > STRING_LIMIT {
            return;
        }
    }
    *rest = ahead;
}

/// How many cells a cleaned text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// A cleaned text in at most this many cells, cut with `…` where it is longer.
#[must_use]
pub fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > cells - 1 {
            break;
        }
        used += w;
        out.push(c);
    }
    out.push('…');
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_harm_is_made_harmless_and_the_rest_is_kept() {
        let table: &[(&str, &str)] = &[
            ("plain text", "plain text"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}P1$r0m\u{1b}\\x", "x"),
            ("\u{1b}_apc\u{1b}\\x", "x"),
            ("\u{9b}2Jx", "x"),
            ("\u{1b}(0lqk", "lqk"),
            ("\u{1b}cx", "x"),
            ("\u{1b}]unterminated", "unterminated"),
            ("a\u{8}b\u{7}", "a␈b␇"),
            ("a\rb\r", "a␍b"),
            ("line\n", "line"),
            ("two\nlines", "two␊lines"),
            ("a\tb", "a       b"),
            ("admin\u{202e}txt.exe", "admintxt.exe"),
            ("a\u{200b}b\u{feff}", "ab"),
            ("中文 ok 👍🏽", "中文 ok 👍🏽"),
            ("e\u{301}", "e\u{301}"),
            ("\u{301}x", "x"),
            ("\u{7f}", "␡"),
            ("\u{17d8}", "\u{fffd}"),
        ];
        for (input, expected) in table {
            assert_eq!(clean(input), *expected, "{input:?}");
        }
        assert_eq!(clean_bytes(b"ok \xff\xfe end"), "ok \u{fffd}\u{fffd} end");
    }

    #[test]
    fn cutting_keeps_within_the_cells() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("中文字", 4), "中…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_cleaned_holds_a_control_character_and_cleaning_twice_changes_nothing(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            for cleaned in [clean(&text).into_owned(), clean_bytes(&bytes).into_owned()] {
                prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_dropped(c)), "{cleaned:?}");
                prop_assert_eq!(clean(&cleaned), cleaned.as_str());
            }
        }

        #[test]
        fn a_fitted_text_fits(text in any::<String>(), cells in 0usize..40) {
            prop_assert!(width(&fit(&clean(&text), cells)) <= cells);
        }
    }
}
