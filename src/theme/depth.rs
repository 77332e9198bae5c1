//! How many colours a terminal shows, and what becomes of a style on one that shows fewer.

use ratatui::style::{Color, Modifier, Style};

use super::Role;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColorDepth {
    None,
    Ansi16,
    Ansi256,
    True,
}

impl ColorDepth {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ansi16 => "16",
            Self::Ansi256 => "256",
            Self::True => "true",
        }
    }

    /// What the environment says: the values of `NO_COLOR` (any but the empty one counts, see no-color.org),
    /// `COLORTERM` and `TERM`.
    #[must_use]
    pub fn detect(no_color: Option<&str>, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if no_color.is_some_and(|v| !v.is_empty())
            || matches!(term, "dumb" | "vt100" | "vt102" | "vt220")
            || term.ends_with("-mono")
        {
            return Self::None;
        }
        // GNU screen passes COLORTERM on from outside and takes true colour sequences for something else.
        let screen = term.starts_with("screen");
        let says = matches!(colorterm, Some("truecolor" | "24bit"));
        let known = ["kitty", "alacritty", "ghostty", "wezterm", "foot", "direct"].iter().any(|name| term.contains(name));
        match (says || known, term.contains("256color") || screen) {
            (true, _) if !screen => Self::True,
            (_, true) => Self::Ansi256,
            (_, false) => Self::Ansi16,
        }
    }
}

/// The style of a role at a depth. What is known by its background never loses it without being reversed instead.
pub(super) fn style(role: Role, style: Style, text: Style, depth: ColorDepth) -> Style {
    let plain = |c: Option<Color>| c.is_none_or(|c| c == Color::Reset);
    let mut reduced = style;
    reduced.fg = style.fg.map(|c| reduce(c, depth));
    reduced.bg = style.bg.map(|c| reduce(c, depth));
    let ground = text.bg.map(|c| reduce(c, depth));
    let lost = !plain(style.bg) && (depth == ColorDepth::None || (reduced.bg == ground && style.bg != text.bg));
    if depth == ColorDepth::None || lost {
        reduced.fg = None;
        reduced.bg = None;
    } else if reduced.bg.is_some() && reduced.fg == reduced.bg && style.fg != style.bg {
        reduced.fg = Some(if luminance(reduced.bg) > 128 { Color::Black } else { Color::White });
    }
    if lost && role.is_block() { reduced.add_modifier(Modifier::REVERSED) } else { reduced }
}

/// The nearest colour a terminal of this depth has.
pub(super) fn reduce(color: Color, depth: ColorDepth) -> Color {
    match (depth, color) {
        (ColorDepth::True, color) | (ColorDepth::Ansi256, color @ Color::Indexed(_)) => color,
        (ColorDepth::None, _) => Color::Reset,
        (ColorDepth::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(indexed([r, g, b])),
        (ColorDepth::Ansi16, Color::Rgb(r, g, b)) => sixteen([r, g, b]),
        (ColorDepth::Ansi16, Color::Indexed(n)) => sixteen(rgb(n)),
        (ColorDepth::Ansi256 | ColorDepth::Ansi16, named) => named,
    }
}

/// The levels of a channel in the 6×6×6 cube of the 256 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The sixteen as xterm shows them: only which is nearest matters.
const SIXTEEN: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// The red, green and blue of one of the 256.
fn rgb(index: u8) -> [u8; 3] {
    match index {
        0..=15 => SIXTEEN[usize::from(index)].1,
        16..=231 => {
            let cube = index - 16;
            [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[usize::from(level)])
        }
        232..=255 => [8 + (index - 232) * 10; 3],
    }
}

/// The nearest of the 240 that no user changes.
fn indexed(color: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|n| distance(rgb(*n), color)).unwrap_or(16)
}

/// The nearest of the sixteen: by hue where there is one, by lightness where there is none.
fn sixteen(color: [u8; 3]) -> Color {
    let (low, high) = (color.iter().min().copied().unwrap_or(0), color.iter().max().copied().unwrap_or(0));
    if high - low < 48 {
        return match high {
            0..64 => Color::Black,
            64..150 => Color::DarkGray,
            150..225 => Color::Gray,
            225.. => Color::White,
        };
    }
    // The hue at full strength, so that a pastel is still told from white.
    let full = color.map(|c| u8::try_from(u32::from(c - low) * 255 / u32::from(high - low)).unwrap_or(255));
    let hues = SIXTEEN.iter().filter(|(_, rgb)| rgb.iter().max() != rgb.iter().min());
    let bright = |c: [u8; 3]| c.iter().max().copied().unwrap_or(0) == 255;
    let nearest = hues.min_by_key(|(_, rgb)| {
        let strong = rgb.map(|c| if c >= 200 { 255 } else { 0 });
        (distance(strong, full), bright(*rgb) != (high > 240))
    });
    nearest.map_or(Color::Gray, |(named, _)| *named)
}

/// How far apart two colours look, cheaply ("redmean").
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let difference = |i: usize| u32::from(a[i].abs_diff(b[i])).pow(2);
    let red = u32::from(a[0]).midpoint(u32::from(b[0]));
    ((512 + red) * difference(0) + 1_024 * difference(1) + (767 - red) * difference(2)) >> 8
}

/// How light a colour is, 0 to 255.
fn luminance(color: Option<Color>) -> u32 {
    let [r, g, b] = match color {
        Some(Color::Rgb(r, g, b)) => [r, g, b],
        Some(Color::Indexed(n)) => rgb(n),
        Some(named) => SIXTEEN.iter().find(|(c, _)| *c == named).map_or([0; 3], |(_, rgb)| *rgb),
        None => [0; 3],
    };
    (299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_depth_is_read_from_the_environment() {
        use ColorDepth::{Ansi16, Ansi256, None as Off, True};
        type Said = Option<&'static str>;
        let table: &[(Said, Said, Said, ColorDepth)] = &[
            (None, None, None, Ansi16),
            (None, None, Some("linux"), Ansi16),
            (None, None, Some("xterm"), Ansi16),
            (None, None, Some("xterm-256color"), Ansi256),
            (None, Some("truecolor"), Some("xterm-256color"), True),
            (None, Some("24bit"), Some("xterm"), True),
            (None, None, Some("xterm-kitty"), True),
            (None, None, Some("xterm-direct"), True),
            (None, Some("truecolor"), Some("screen.xterm-256color"), Ansi256),
            (None, Some("truecolor"), Some("tmux-256color"), True),
            (None, None, Some("dumb"), Off),
            (None, Some("truecolor"), Some("vt100"), Off),
            (Some("1"), Some("truecolor"), Some("xterm-256color"), Off),
            (Some(""), None, Some("xterm-256color"), Ansi256),
        ];
        for (no_color, colorterm, term, expected) in table {
            assert_eq!(ColorDepth::detect(*no_color, *colorterm, *term), *expected, "{no_color:?} {colorterm:?} {term:?}");
        }
    }

    #[test]
    fn colours_become_the_nearest_there_is() {
        for (hex, wide, narrow) in [
            ([255, 0, 0], 196, Color::LightRed),
            ([0, 0, 0], 16, Color::Black),
            ([255, 255, 255], 231, Color::White),
            ([128, 128, 128], 244, Color::DarkGray),
            ([158, 206, 106], 149, Color::Green),
            ([122, 162, 247], 111, Color::LightBlue),
            ([224, 175, 104], 179, Color::Yellow),
            ([247, 118, 142], 210, Color::LightRed),
        ] {
            let color = Color::Rgb(hex[0], hex[1], hex[2]);
            assert_eq!(reduce(color, ColorDepth::Ansi256), Color::Indexed(wide), "{hex:?}");
            assert_eq!(reduce(color, ColorDepth::Ansi16), narrow, "{hex:?}");
            assert_eq!(reduce(color, ColorDepth::True), color);
        }
        assert_eq!(reduce(Color::Indexed(196), ColorDepth::Ansi16), Color::LightRed);
        assert_eq!(reduce(Color::Red, ColorDepth::Ansi256), Color::Red);
    }

    #[test]
    fn a_lost_background_is_shown_reversed_where_it_is_the_point() {
        let text = Style::new().fg(Color::Rgb(200, 200, 200)).bg(Color::Rgb(10, 10, 20));
        let row = Style::new().fg(Color::Rgb(255, 255, 255)).bg(Color::Rgb(30, 34, 50));
        for depth in [ColorDepth::None, ColorDepth::Ansi16] {
            assert!(style(Role::Selection, row, text, depth).add_modifier.contains(Modifier::REVERSED), "{depth:?}");
            assert!(!style(Role::Overlay, row, text, depth).add_modifier.contains(Modifier::REVERSED), "{depth:?}");
        }
        assert_eq!(style(Role::Selection, row, text, ColorDepth::None).bg, None);
        assert_eq!(style(Role::Selection, row, text, ColorDepth::True), row);
    }
}
