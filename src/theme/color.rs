//! Colours and styles as they are written in a theme file.

use ratatui::style::{Color, Modifier, Style};

use crate::document::unknown;

/// The sixteen colours every terminal has and the user has chosen, and the terminal's own.
const NAMED: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// Reads a colour: a name, `#rrggbb`, or a number of the 256.
///
/// # Errors
/// A sentence that says what is expected.
pub(super) fn color(word: &str) -> Result<Color, String> {
    if let Some((_, color)) = NAMED.iter().find(|(name, _)| *name == word) {
        return Ok(*color);
    }
    if let Some(hex) = word.strip_prefix('#') {
        let number = (hex.len() == 6 && hex.is_ascii()).then(|| u32::from_str_radix(hex, 16).ok()).flatten();
        let [_, r, g, b] = number.ok_or_else(|| format!("`{word}` is no colour: expected `#rrggbb`"))?.to_be_bytes();
        return Ok(Color::Rgb(r, g, b));
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return word.parse().map(Color::Indexed).map_err(|_| format!("`{word}` is no colour: expected 0 to 255"));
    }
    Err(unknown("colour", word, NAMED.iter().map(|(name, _)| *name)))
}

/// Reads a style: `[COLOUR] [on COLOUR] [bold|dim|italic|underlined|reversed]…`; every mistake with its byte offset.
pub(super) fn style(text: &str, palette: &dyn Fn(&str) -> Option<Color>, words: &[&str]) -> Result<Style, Vec<(usize, String)>> {
    let mut style = Style::new();
    let mut mistakes = Vec::new();
    let mut ground = false;
    for (offset, word) in split(text) {
        if word == "on" && !ground {
            ground = true;
        } else if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word && !ground) {
            style = style.add_modifier(*modifier);
        } else {
            let slot = if ground { &mut style.bg } else { &mut style.fg };
            match palette(word).map_or_else(|| color(word), Ok) {
                Ok(_) if slot.is_some() => mistakes.push((offset, format!("`{word}`: there is a colour already"))),
                Ok(color) => *slot = Some(color),
                Err(why) => mistakes.push((offset, better(word, why, words))),
            }
            ground = false;
        }
    }
    if ground {
        mistakes.push((text.len(), "a colour is missing after `on`".to_owned()));
    }
    if mistakes.is_empty() { Ok(style) } else { Err(mistakes) }
}

/// An unknown word may be meant as a colour of the palette or a modifier too.
fn better(word: &str, why: String, palette: &[&str]) -> String {
    if word.starts_with('#') || word.bytes().all(|b| b.is_ascii_digit()) {
        return why;
    }
    let known = palette.iter().copied().chain(MODIFIERS.iter().map(|(n, _)| *n)).chain(NAMED.iter().map(|(n, _)| *n));
    match crate::model::problem::nearest(word, known) {
        Some(near) => format!("unknown colour or modifier `{word}`, did you mean `{near}`?"),
        None => format!("unknown colour or modifier `{word}`, expected a name such as `bright-red`, `#rrggbb` or 0 to 255"),
    }
}

/// Words and their byte offsets.
fn split(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}
