//! Bytes of a terminal to messages. Sequences are those of xterm and its kin (ctlseqs), the Linux console and rxvt;
//! what is none of them is left out whole, never typed as its letters.

use std::collections::VecDeque;

use crate::app::Msg;
use crate::keymap::{Chord, Key};

/// Rows a turn of the wheel moves.
const WHEEL: i16 = 3;
/// No sequence is longer; what is, was none.
const LONGEST: usize = 64;
/// Pasted text is cut here.
const PASTE: usize = 1 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Takes a terminal's bytes in, whatever pieces they come in.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The beginning of something whose end has not come yet.
    begun: Vec<u8>,
    /// Text being pasted.
    paste: Option<Vec<u8>>,
}

/// What stands at the beginning of some bytes.
enum Found {
    /// So many bytes, and what they mean, if anything.
    Whole(usize, Option<Msg>),
    /// Pasted text begins after so many bytes.
    Paste(usize),
    /// The end has not come yet.
    Begun,
}

impl Parser {
    /// Takes bytes in; what they mean is added to `out`.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut VecDeque<Msg>) {
        self.begun.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.begun);
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            if self.paste.is_some() {
                rest = self.pasted(rest, out);
                continue;
            }
            match find(rest) {
                Found::Whole(length, msg) => {
                    out.extend(msg);
                    rest = rest.get(length..).unwrap_or_default();
                }
                Found::Paste(length) => {
                    self.paste = Some(Vec::new());
                    rest = rest.get(length..).unwrap_or_default();
                }
                Found::Begun => {
                    self.begun = rest.to_vec();
                    return;
                }
            }
        }
    }

    /// Whether something has begun whose end is waited for.
    pub(super) fn is_begun(&self) -> bool {
        !self.begun.is_empty() && self.paste.is_none()
    }

    /// The end did not come: a lone Esc was the key, Esc and a bracket was that character with alt, anything else is noise.
    pub(super) fn give_up(&mut self, out: &mut VecDeque<Msg>) {
        match self.begun.as_slice() {
            [0x1b] => out.push_back(key(Key::Esc, 1)),
            [0x1b, c @ (b'[' | b'O')] => out.push_back(Msg::Key(Chord::normal(Key::Char(char::from(*c)), false, true, false))),
            _ => {}
        }
        self.begun.clear();
    }

    /// Takes pasted text up to its end mark; answers what stands after it.
    fn pasted<'a>(&mut self, bytes: &'a [u8], out: &mut VecDeque<Msg>) -> &'a [u8] {
        let Some(text) = &mut self.paste else { return bytes };
        if let Some(end) = bytes.windows(PASTE_END.len()).position(|w| w == PASTE_END) {
            text.extend_from_slice(&bytes[..end]);
            text.truncate(PASTE);
            // Terminals send the lines of a paste as if Enter had been pressed.
            let text = String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n");
            out.push_back(Msg::Paste(text.into()));
            self.paste = None;
            return &bytes[end + PASTE_END.len()..];
        }
        // The end mark may have begun with the last bytes.
        let keep = (1..PASTE_END.len()).rev().find(|n| bytes.ends_with(&PASTE_END[..*n])).unwrap_or(0);
        let (now, later) = bytes.split_at(bytes.len() - keep);
        if text.len() < PASTE {
            text.extend_from_slice(now);
        }
        self.begun = later.to_vec();
        &[]
    }
}

fn find(bytes: &[u8]) -> Found {
    match bytes {
        [0x1b] | [0x1b, b'[' | b'O'] => Found::Begun,
        [0x1b, b'[', rest @ ..] => sequence(rest),
        [0x1b, b'O', last, ..] => Found::Whole(3, letter(*last, 1)),
        // Esc pressed twice, or before something else that begins with it.
        [0x1b, 0x1b, ..] => Found::Whole(1, Some(key(Key::Esc, 1))),
        [0x1b, rest @ ..] => match character(rest) {
            Found::Whole(length, Some(Msg::Key(chord))) => {
                Found::Whole(length + 1, Some(Msg::Key(Chord::normal(chord.key, chord.ctrl, true, chord.shift))))
            }
            other => other,
        },
        _ => character(bytes),
    }
}

/// A character as typed, or a control character.
fn character(bytes: &[u8]) -> Found {
    let Some(&first) = bytes.first() else { return Found::Begun };
    let plain = |key| Found::Whole(1, Some(Msg::Key(Chord::from(key))));
    let ctrl = |c| Found::Whole(1, Some(Msg::Key(Chord::normal(Key::Char(c), true, false, false))));
    match first {
        0x00 => ctrl(' '),
        b'\t' => plain(Key::Tab),
        b'\r' | b'\n' => plain(Key::Enter),
        0x08 | 0x7f => plain(Key::Backspace),
        0x01..=0x1a => ctrl(char::from(first - 1 + b'a')),
        0x1b => plain(Key::Esc),
        0x1c..=0x1f => ctrl(char::from(first + 0x40)),
        0x20..=0x7e => plain(Key::Char(char::from(first))),
        0x80.. => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Found {
    let length = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Found::Whole(1, None),
    };
    match std::str::from_utf8(bytes.get(..length).unwrap_or(bytes)) {
        Ok(text) => Found::Whole(length, text.chars().next().map(|c| Msg::Key(Chord::from(c)))),
        // Cut off at the end of what came, or not UTF-8 at all.
        Err(error) if error.error_len().is_none() && bytes.len() < length => Found::Begun,
        Err(_) => Found::Whole(1, None),
    }
}

/// A control sequence, after its introducer: parameters, then a final byte.
fn sequence(rest: &[u8]) -> Found {
    if let [b'[', last, ..] = rest {
        // The Linux console's F1 to F5.
        let number = last.wrapping_sub(b'A').wrapping_add(1);
        return Found::Whole(4, (1..=5).contains(&number).then(|| key(Key::F(number), 1)));
    }
    if rest == b"[" {
        return Found::Begun;
    }
    let Some(end) = rest.iter().position(|b| !matches!(b, 0x20..=0x3f)) else {
        return if rest.len() > LONGEST { Found::Whole(rest.len() + 2, None) } else { Found::Begun };
    };
    let (parameters, last) = (&rest[..end], rest[end]);
    if !matches!(last, 0x40..=0x7e) {
        // Broken off: what broke in is read for itself.
        return Found::Whole(end + 2, None);
    }
    if (parameters, last) == (b"200", b'~') {
        return Found::Paste(end + 3);
    }
    Found::Whole(end + 3, meaning(parameters, last))
}

fn meaning(parameters: &[u8], last: u8) -> Option<Msg> {
    if let Some(mouse) = parameters.strip_prefix(b"<") {
        return click(mouse, last);
    }
    let numbers = numbers(parameters)?;
    let number = |at: usize| numbers.get(at).copied().unwrap_or(1);
    match last {
        b'~' if number(0) == 27 => typed(number(2), number(1)),
        b'~' => numbered(number(0)).map(|k| key(k, number(1))),
        b'u' => typed(number(0), number(1)),
        _ => letter(last, number(1)),
    }
}

/// Numbers between semicolons; an empty one is 1, and what follows a colon says more than is wanted.
fn numbers(parameters: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(parameters).ok()?;
    text.split(';')
        .map(|n| {
            let n = n.split(':').next().unwrap_or_default();
            if n.is_empty() { Some(1) } else { n.parse().ok() }
        })
        .collect()
}

/// Keys told by a number before a tilde.
fn numbered(number: u32) -> Option<Key> {
    let f = |offset: u32| u8::try_from(number - offset).ok().map(Key::F);
    match number {
        1 | 7 => Some(Key::Home),
        2 => Some(Key::Insert),
        3 => Some(Key::Delete),
        4 | 8 => Some(Key::End),
        5 => Some(Key::PageUp),
        6 => Some(Key::PageDown),
        11..=15 => f(10),
        17..=21 => f(11),
        23..=26 => f(12),
        28 | 29 => f(13),
        31..=34 => f(14),
        _ => None,
    }
}

/// Keys told by the last letter.
fn letter(last: u8, modifiers: u32) -> Option<Msg> {
    let named = match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Home,
        b'M' => Key::Enter,
        b'P'..=b'S' => Key::F(last - b'P' + 1),
        b'Z' => Key::BackTab,
        _ => return None,
    };
    Some(key(named, modifiers))
}

/// A character told by its number, with modifiers that have no byte of their own.
fn typed(number: u32, modifiers: u32) -> Option<Msg> {
    char::from_u32(number).map(|c| if c == '\u{8}' { key(Key::Backspace, modifiers) } else { key(Key::Char(c), modifiers) })
}

/// Modifiers are told as one more than the sum of shift 1, alt 2, ctrl 4.
fn key(key: Key, modifiers: u32) -> Msg {
    let held = modifiers.saturating_sub(1);
    Msg::Key(Chord::normal(key, held & 4 != 0, held & 2 != 0, held & 1 != 0))
}

/// A mouse report: button, column and row from 1; `M` is pressed, `m` let go.
fn click(parameters: &[u8], last: u8) -> Option<Msg> {
    let numbers = numbers(parameters)?;
    let &[button, column, row] = numbers.as_slice() else { return None };
    let cell = |n: u32| u16::try_from(n.saturating_sub(1)).ok();
    match (button, last) {
        (64, b'M') => Some(Msg::Wheel(-WHEEL)),
        (65, b'M') => Some(Msg::Wheel(WHEEL)),
        (0, b'M') => Some(Msg::Click(cell(column)?, cell(row)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn say(msg: &Msg) -> String {
        match msg {
            Msg::Key(chord) => chord.to_string(),
            Msg::Paste(text) => format!("paste {text:?}"),
            Msg::Wheel(rows) => format!("wheel {rows}"),
            Msg::Click(x, y) => format!("click {x},{y}"),
            other => format!("{other:?}"),
        }
    }

    /// What the pieces mean, waiting for nothing more at the end.
    fn read(pieces: &[&[u8]]) -> String {
        let (mut parser, mut out) = (Parser::default(), VecDeque::new());
        for piece in pieces {
            parser.take(piece, &mut out);
        }
        parser.give_up(&mut out);
        out.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    const KEYS: &[(&[u8], &str)] = &[
        (b"jG ", "j G space"),
        (b"\r\n\t\x7f\x08", "enter enter tab backspace backspace"),
        (b"\x03\x1a\x00\x1c", "ctrl-c ctrl-z ctrl-space ctrl-\\"),
        ("é界".as_bytes(), "é 界"),
        (b"\x1b", "esc"),
        (b"\x1b\x1b", "esc esc"),
        (b"\x1bx", "alt-x"),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "up down right left home end"),
        (b"\x1bOA\x1bOP\x1bOS\x1bOM", "up f1 f4 enter"),
        (b"\x1b[1;5A\x1b[1;2P\x1b[Z", "ctrl-up shift-f1 backtab"),
        (b"\x1b[2~\x1b[3~\x1b[5~\x1b[6~\x1b[1~\x1b[8~", "insert delete pgup pgdn home end"),
        (b"\x1b[11~\x1b[15~\x1b[17~\x1b[24~\x1b[[A", "f1 f5 f6 f12 f1"),
        (b"\x1b[[@\x1b[[\xffa", "a"),
        (b"\x1b[99;5u\x1b[27;5;9~\x1b[120;3u", "ctrl-c ctrl-tab alt-x"),
        (b"\x1b[<64;3;4M\x1b[<65;3;4M\x1b[<0;3;4M\x1b[<0;3;4m", "wheel -3 wheel 3 click 2,3"),
        (b"\x1b[I\x1b[O\x1b[?62;c\x1b[>0;276;0cx", "x"),
        (b"\x1b[200~rm -rf\ra\x1b[Ab\x1b[201~j", "paste \"rm -rf\\na\\u{1b}[Ab\" j"),
        (b"\xff\xc3(a", "( a"),
        (b"\x1b[1\rj", "enter j"),
    ];

    #[test]
    fn bytes_become_the_keys_people_press() {
        for (bytes, keys) in KEYS {
            let shown = read(&[bytes]);
            let shown = shown.replace("shift-tab", "backtab");
            assert_eq!(shown, *keys, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_sequence_may_come_in_pieces() {
        for (bytes, _) in KEYS {
            for cut in 0..bytes.len() {
                let (a, b) = bytes.split_at(cut);
                assert_eq!(read(&[a, b]), read(&[bytes]), "{:?} cut at {cut}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[test]
    fn a_paste_without_end_stays_bounded() {
        let (mut parser, mut out) = (Parser::default(), VecDeque::new());
        parser.take(b"\x1b[200~", &mut out);
        for _ in 0..64 {
            parser.take("x".repeat(65536).as_bytes(), &mut out);
        }
        assert!(parser.paste.as_ref().is_some_and(|p| p.len() <= PASTE + 65536) && !parser.is_begun());
        parser.take(PASTE_END, &mut out);
        assert!(matches!(out.pop_front(), Some(Msg::Paste(text)) if text.len() == PASTE));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_mean_the_same(bytes in proptest::collection::vec(
            prop_oneof![Just(0x1b), Just(b'['), Just(b'O'), Just(b'~'), Just(b';'), Just(b'2'), any::<u8>()], 0..40), at in 0usize..40) {
            let (a, b) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(read(&[a, b]), read(&[&bytes]));
        }
    }
}
