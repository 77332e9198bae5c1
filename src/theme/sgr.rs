//! Styles as a terminal is told them (SGR of ECMA-48): the shortest change from the one in force to the one wanted.

use std::fmt::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier, Style};

/// What of a look is seen on a blank cell.
const ON_BLANK: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Look {
    /// How this cell looks.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// The same as far as it is seen on a blank.
    #[must_use]
    pub fn on_blank(self) -> Self {
        if self.shows_on_blank() { self } else { Self { fg: Color::Reset, bg: self.bg, modifier: Modifier::empty() } }
    }

    /// Whether a blank looks like more than its background.
    #[must_use]
    pub fn shows_on_blank(self) -> bool {
        self.modifier.intersects(ON_BLANK)
    }
}

const DEFAULT: Look = Look { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Text in a style, for lines that are printed and not drawn; the style ends with it.
#[must_use]
pub fn painted(text: &str, style: Style) -> String {
    let mut cell = Cell::EMPTY;
    cell.set_style(style);
    let look = Look::of(&cell);
    if look == DEFAULT {
        return text.to_owned();
    }
    let mut bytes = Vec::new();
    change(&mut bytes, None, look);
    // The codes are ASCII.
    format!("{}{text}\x1b[m", String::from_utf8_lossy(&bytes))
}

/// Modifiers with the codes that set and unset them. Bold and dim share the one that unsets.
const MODIFIERS: [(Modifier, u8, u8); 8] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Appends the sequence that leads from one look (or an unknown one) to another.
pub fn change(bytes: &mut Vec<u8>, from: Option<Look>, to: Look) {
    // From scratch an empty parameter stands for 0.
    let mut whole = String::new();
    if to != DEFAULT {
        whole.push('0');
        step(&mut whole, DEFAULT, to);
    }
    let parameters = match from {
        None => whole,
        Some(from) => {
            let mut near = String::new();
            step(&mut near, from, to);
            let near = near.trim_start_matches(';');
            if near.len() <= whole.len() { near.to_owned() } else { whole }
        }
    };
    bytes.extend_from_slice(b"\x1b[");
    bytes.extend_from_slice(parameters.as_bytes());
    bytes.push(b'm');
}

/// Appends the parameters that differ, each with a semicolon before it.
fn step(out: &mut String, from: Look, to: Look) {
    let gone = from.modifier - to.modifier;
    let mut there = from.modifier;
    for (modifier, _, unset) in MODIFIERS {
        if gone.contains(modifier) && there.contains(modifier) {
            parameter(out, unset);
            for (other, _, same) in MODIFIERS {
                if same == unset {
                    there -= other;
                }
            }
        }
    }
    for (modifier, set, _) in MODIFIERS {
        if to.modifier.contains(modifier) && !there.contains(modifier) {
            parameter(out, set);
        }
    }
    if from.fg != to.fg {
        color(out, to.fg, 30);
    }
    if from.bg != to.bg {
        color(out, to.bg, 40);
    }
}

fn parameter(out: &mut String, code: u8) {
    // Writing to a string does not fail.
    let _ = write!(out, ";{code}");
}

/// `base` is 30 for the foreground, 40 for the background.
fn color(out: &mut String, color: Color, base: u8) {
    let ansi = match color {
        Color::Reset => return parameter(out, base + 9),
        Color::Indexed(index) => {
            let _ = write!(out, ";{};5;{index}", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(out, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
    };
    parameter(out, base + ansi);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_of_two_ways_is_taken() {
        let look = |style: Style| {
            let mut cell = Cell::EMPTY;
            cell.set_style(style);
            Look::of(&cell)
        };
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let dim = Style::new().add_modifier(Modifier::DIM);
        let table = [
            (Style::new(), bold, "1"),
            (bold, Style::new(), ""),
            (bold, dim, "0;2"),
            (bold.fg(Color::Indexed(99)), dim.fg(Color::Indexed(99)), "22;2"),
            (bold.fg(Color::Red), bold.fg(Color::Green), "32"),
            (bold.bg(Color::Indexed(17)), bold, "49"),
            (Style::new(), Style::new().fg(Color::Rgb(1, 2, 3)), "38;2;1;2;3"),
            (Style::new(), Style::new().bg(Color::LightBlue), "104"),
        ];
        for (from, to, parameters) in table {
            let mut bytes = Vec::new();
            change(&mut bytes, Some(look(from)), look(to));
            assert_eq!(String::from_utf8_lossy(&bytes), format!("\x1b[{parameters}m"), "{from:?} to {to:?}");
        }
        assert_eq!(painted("x", Style::new()), "x");
        assert_eq!(painted("x", bold), "\x1b[0;1mx\x1b[m");
    }
}
