//! One key with its modifiers: how it is written, and that each is written in one way only.

use std::fmt;

use crate::document;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A character as typed: `G` is shift and g. Space is one.
    Char(char),
    Enter,
    Esc,
    Tab,
    /// Shift and tab.
    BackTab,
    Backspace,
    Delete,
    Insert,
    Home,
    End,
    PageUp,
    PageDown,
    Up,
    Down,
    Left,
    Right,
    /// F1 to F24.
    F(u8),
}

/// The keys that have names. The first name of a key is the one it is shown by.
const NAMED: &[(&str, Key)] = &[
    ("enter", Key::Enter),
    ("return", Key::Enter),
    ("esc", Key::Esc),
    ("escape", Key::Esc),
    ("tab", Key::Tab),
    ("shift-tab", Key::BackTab),
    ("backtab", Key::BackTab),
    ("space", Key::Char(' ')),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("del", Key::Delete),
    ("insert", Key::Insert),
    ("ins", Key::Insert),
    ("home", Key::Home),
    ("end", Key::End),
    ("pgup", Key::PageUp),
    ("pageup", Key::PageUp),
    ("pgdn", Key::PageDown),
    ("pagedown", Key::PageDown),
    ("up", Key::Up),
    ("down", Key::Down),
    ("left", Key::Left),
    ("right", Key::Right),
    ("minus", Key::Char('-')),
];

/// One key with its modifiers, in the one form that is compared: see [`Chord::normal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    pub key: Key,
    pub ctrl: bool,
    pub alt: bool,
    /// Never with a character: it is in the character already.
    pub shift: bool,
}

impl From<Key> for Chord {
    fn from(key: Key) -> Self {
        Self::normal(key, false, false, false)
    }
}

impl From<char> for Chord {
    fn from(c: char) -> Self {
        Self::from(Key::Char(c))
    }
}

impl Chord {
    /// The chord of a key and modifiers however a terminal reports them: shift goes into the character, shift and tab
    /// is one key, a letter with ctrl is lower case, control characters are the keys that send them.
    #[must_use]
    pub fn normal(key: Key, ctrl: bool, alt: bool, shift: bool) -> Self {
        let key = match key {
            Key::Char('\r' | '\n') => Key::Enter,
            Key::Char('\t') => Key::Tab,
            Key::Char('\u{1b}') => Key::Esc,
            Key::Char('\u{7f}') => Key::Backspace,
            Key::Char(c) if ctrl => Key::Char(c.to_ascii_lowercase()),
            Key::Char(c) if shift => Key::Char(c.to_ascii_uppercase()),
            other => other,
        };
        match key {
            Key::Char(_) => Self { key, ctrl, alt, shift: false },
            Key::Tab | Key::BackTab if shift || key == Key::BackTab => Self { key: Key::BackTab, ctrl, alt, shift: false },
            _ => Self { key, ctrl, alt, shift },
        }
    }

    /// The character it types, when it types one.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.key {
            Key::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// Reads `ctrl-c`, `enter`, `G`, `f1`, `shift-tab`, `alt-x`, `?`.
    ///
    /// # Errors
    /// A sentence that names what is unknown and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        let mut rest = text;
        loop {
            let (flag, after) = if let Some(after) = rest.strip_prefix("ctrl-") {
                (&mut ctrl, after)
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (&mut alt, after)
            } else if let Some(after) = rest.strip_prefix("shift-") {
                (&mut shift, after)
            } else {
                break;
            };
            if after.is_empty() {
                return Err(format!("`{text}` ends without a key"));
            }
            if std::mem::replace(flag, true) {
                return Err(format!("`{text}` has a modifier twice"));
            }
            rest = after;
        }
        let key = key(rest)?;
        check(text, key, ctrl, shift)?;
        Ok(Self::normal(key, ctrl, alt, shift))
    }
}

/// The key of this name.
fn key(text: &str) -> Result<Key, String> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return if c.is_control() || c == ' ' {
            Err("write a control key or space by its name".to_owned())
        } else {
            Ok(Key::Char(c))
        };
    }
    if let Some((_, key)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Ok(*key);
    }
    if let Some(number) = text.strip_prefix('f').and_then(|n| n.parse::<u8>().ok())
        && (1..=24).contains(&number)
    {
        return Ok(Key::F(number));
    }
    Err(document::unknown("key", text, NAMED.iter().map(|(name, _)| *name)))
}

/// Refuses what a terminal cannot send, or sends as another key.
fn check(text: &str, key: Key, ctrl: bool, shift: bool) -> Result<(), String> {
    let Key::Char(c) = key else { return Ok(()) };
    if shift && !c.is_ascii_lowercase() {
        return Err(format!("`{text}`: write the character that is typed, without `shift-`"));
    }
    if ctrl && (shift || c.is_ascii_uppercase()) {
        return Err(format!("`{text}`: terminals do not tell shift with ctrl, write `ctrl-{}`", c.to_ascii_lowercase()));
    }
    let same = match c {
        'i' => "tab",
        'j' | 'm' => "enter",
        'h' => "backspace",
        '[' => "esc",
        _ => return Ok(()),
    };
    if ctrl { Err(format!("`{text}` is sent as `{same}` by most terminals: choose another key")) } else { Ok(()) }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, word) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if on {
                f.write_str(word)?;
            }
        }
        match self.key {
            Key::Char(' ') => f.write_str("space"),
            Key::Char(c) => write!(f, "{c}"),
            Key::F(number) => write!(f, "f{number}"),
            named => f.write_str(NAMED.iter().find(|(_, key)| *key == named).map_or("?", |(name, _)| name)),
        }
    }
}

/// A sequence as it is written in a keymap: `g g`.
#[must_use]
pub fn spell(keys: &[Chord]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Keys as tests and scripts write them: `jj<enter>r<ctrl-c>`; `<lt>` is `<`. What is between angle brackets and no
/// key is taken as the characters it is made of.
#[must_use]
pub fn parse_keys(text: &str) -> Vec<Chord> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|r| r.split_once('>')).and_then(|(name, after)| {
            let chord = if name == "lt" { Some(Chord::from('<')) } else { Chord::parse(name).ok() };
            chord.map(|chord| (chord, after))
        });
        let (chord, after) = named.unwrap_or_else(|| (Chord::from(c), &rest[c.len_utf8()..]));
        keys.push(chord);
        rest = after;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_in_one_way_and_read_in_several() {
        for (written, shown) in [
            ("ctrl-c", "ctrl-c"),
            ("enter", "enter"),
            ("return", "enter"),
            ("esc", "esc"),
            ("space", "space"),
            ("G", "G"),
            ("shift-g", "G"),
            ("shift-tab", "shift-tab"),
            ("backtab", "shift-tab"),
            ("f12", "f12"),
            ("f", "f"),
            ("?", "?"),
            ("-", "-"),
            ("minus", "-"),
            ("ctrl--", "ctrl--"),
            ("alt-ctrl-x", "ctrl-alt-x"),
            ("shift-up", "shift-up"),
            ("pagedown", "pgdn"),
            ("ö", "ö"),
            ("ctrl-space", "ctrl-space"),
        ] {
            assert_eq!(Chord::parse(written).map(|c| c.to_string()), Ok(shown.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for key in NAMED.iter().map(|(_, key)| *key).chain((1..=24).map(Key::F)).chain("aZ?ö0-<".chars().map(Key::Char)) {
            let chord = Chord::from(key);
            assert_eq!(Chord::parse(&chord.to_string()), Ok(chord));
        }
    }

    #[test]
    fn what_no_terminal_sends_is_refused_with_a_sentence() {
        for (written, part) in [
            ("ctrl-", "without a key"),
            ("ctrl-ctrl-x", "twice"),
            ("ctrl-i", "`tab`"),
            ("ctrl-C", "ctrl-c"),
            ("ctrl-shift-c", "ctrl-c"),
            ("shift-?", "without `shift-`"),
            ("entr", "did you mean `enter`"),
            ("f25", "unknown key"),
            ("", "unknown key"),
        ] {
            let told = Chord::parse(written).expect_err(written);
            assert!(told.contains(part), "{written}: {told}");
        }
    }

    #[test]
    fn however_a_terminal_reports_it_it_is_one_chord() {
        for (key, ctrl, shift, shown) in [
            (Key::Char('G'), false, true, "G"),
            (Key::Char('g'), false, true, "G"),
            (Key::Char('?'), false, true, "?"),
            (Key::Char('C'), true, false, "ctrl-c"),
            (Key::BackTab, false, true, "shift-tab"),
            (Key::BackTab, false, false, "shift-tab"),
            (Key::Tab, false, true, "shift-tab"),
            (Key::Char('\n'), false, false, "enter"),
        ] {
            assert_eq!(Chord::normal(key, ctrl, false, shift).to_string(), shown);
        }
    }

    #[test]
    fn scripts_of_keys_are_read() {
        let keys = parse_keys("j<enter>G<ctrl-c><lt>x<nope>");
        assert_eq!(spell(&keys), "j enter G ctrl-c < x < n o p e >");
    }
}
