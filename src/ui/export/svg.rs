//! A screen as a self-contained SVG: text in a monospaced font, runs pinned to their columns, so that it looks the same
//! with whatever such font there is. The same cells always give the same bytes.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::shapes::outline;
use super::{Run, runs};

/// Size of a cell and of the margin around the screen, in pixels.
const CELL: (f64, f64) = (8.43, 18.0);
const MARGIN: f64 = 12.0;
/// From a line's top to the text's base line.
const BASE: f64 = 13.5;

/// What the sixteen colours of a terminal and its two defaults stand for in a picture.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    pub foreground: u32,
    pub background: u32,
    /// In ANSI's order, the bright eight last.
    pub ansi: [u32; 16],
}

/// A dark palette, soft enough for a page.
pub const DARK: Palette = Palette {
    foreground: 0x00d0_d4dc,
    background: 0x0014_171c,
    ansi: [
        0x0023_2831,
        0x00e0_6c75,
        0x008f_c379,
        0x00e0_b65c,
        0x0061_a8f0,
        0x00c0_8ae6,
        0x0056_b6c2,
        0x00c0_c5ce,
        0x0070_7888,
        0x00ff_7b85,
        0x00a5_e08c,
        0x00ff_d27a,
        0x007d_bcff,
        0x00d8_a4ff,
        0x006f_d3e0,
        0x00ff_ffff,
    ],
};

/// A light palette.
pub const LIGHT: Palette = Palette {
    foreground: 0x0024_2933,
    background: 0x00fb_fbf8,
    ansi: [
        0x0024_2933,
        0x00b8_1f2d,
        0x002a_7d2e,
        0x008f_6200,
        0x0015_5fb0,
        0x0083_3aa8,
        0x0000_6f7a,
        0x00c4_c8ce,
        0x006a_7280,
        0x00d0_2f3d,
        0x0035_9339,
        0x00a6_7400,
        0x0020_75cf,
        0x009c_4cc4,
        0x0000_8794,
        0x00ff_ffff,
    ],
};

/// The screen as a picture.
#[must_use]
pub fn svg(buf: &Buffer, palette: &Palette) -> String {
    let (columns, lines) = (f64::from(buf.area.width), f64::from(buf.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * MARGIN, lines * CELL.1 + 2.0 * MARGIN);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"'DejaVu Sans Mono','JetBrains Mono',Menlo,Consolas,monospace\" font-size=\"14\">"
    );
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>", hex(palette.background));
    for line in buf.area.top()..buf.area.bottom() {
        let y = MARGIN + f64::from(line - buf.area.top()) * CELL.1;
        let made = runs(buf, line);
        for run in &made {
            ground(&mut out, run, y, palette);
        }
        for run in &made {
            letters(&mut out, run, y, palette);
        }
    }
    out.push_str("</svg>\n");
    out
}

fn ground(out: &mut String, run: &Run, y: f64, palette: &Palette) {
    let (_, background) = colours(run.style, palette);
    if background != palette.background {
        let (x, width) = (MARGIN + f64::from(run.x) * CELL.0, f64::from(run.cells) * CELL.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            CELL.1,
            hex(background)
        );
    }
}

/// The run's characters: those that are shapes as one outline, the others word by word, each pinned to its column.
fn letters(out: &mut String, run: &Run, y: f64, palette: &Palette) {
    if run.style.add_modifier.contains(Modifier::HIDDEN) {
        return;
    }
    let left = MARGIN + f64::from(run.x) * CELL.0;
    let mut path = String::new();
    let mut word = String::new();
    let mut start = left;
    let mut x = left;
    for c in run.text.chars() {
        let shaped = outline(&mut path, c, (x, y), CELL);
        // A single space stays within its phrase.
        let apart = shaped || (c == ' ' && word.ends_with(' '));
        if apart || word.is_empty() {
            text(out, word.trim_end(), (start, y), run, palette);
            word.clear();
            start = x;
        }
        let leading = word.is_empty() && c == ' ';
        if !apart && !leading {
            word.push(c);
        }
        x += CELL.0;
    }
    text(out, word.trim_end(), (start, y), run, palette);
    if !path.is_empty() {
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"{}\"{}/>", hex(colours(run.style, palette).0), faint(run.style));
    }
}

fn text(out: &mut String, text: &str, (x, y): (f64, f64), run: &Run, palette: &Palette) {
    if text.is_empty() {
        return;
    }
    // A run of one character may be a wide one.
    let cells = if run.text.chars().count() == 1 { f64::from(run.cells) } else { text.chars().count() as f64 };
    let _ = write!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" xml:space=\"preserve\" fill=\"{}\"{}",
        y + BASE,
        cells * CELL.0,
        hex(colours(run.style, palette).0),
        faint(run.style)
    );
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ] {
        if run.style.add_modifier.contains(modifier) {
            out.push_str(attribute);
        }
    }
    out.push('>');
    escape(out, text);
    out.push_str("</text>\n");
}

/// What dimmed text is drawn with.
fn faint(style: Style) -> &'static str {
    if style.add_modifier.contains(Modifier::DIM) { " fill-opacity=\"0.6\"" } else { "" }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// What a style shows: foreground and background, turned round where it says so.
fn colours(style: Style, palette: &Palette) -> (u32, u32) {
    let foreground = style.fg.and_then(|c| rgb(c, palette)).unwrap_or(palette.foreground);
    let background = style.bg.and_then(|c| rgb(c, palette)).unwrap_or(palette.background);
    if style.add_modifier.contains(Modifier::REVERSED) { (background, foreground) } else { (foreground, background) }
}

/// A terminal's colour in a picture; `None` is the default.
fn rgb(color: Color, palette: &Palette) -> Option<u32> {
    let index = match color {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => return Some(u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b)),
        Color::Indexed(n) => n,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    Some(indexed(index, palette))
}

/// The 256 colours: sixteen of the palette's, a cube of six, twenty-four greys.
fn indexed(n: u8, palette: &Palette) -> u32 {
    let step = |v: u8| u32::from(if v == 0 { 0 } else { 55 + v * 40 });
    match n {
        0..=15 => palette.ansi[usize::from(n)],
        16..=231 => {
            let n = n - 16;
            step(n / 36) << 16 | step(n / 6 % 6) << 8 | step(n % 6)
        }
        232..=255 => (8 + u32::from(n - 232) * 10) * 0x0001_0101,
    }
}

fn hex(rgb: u32) -> String {
    format!("#{rgb:06x}")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    fn picture(text: &str, style: Style) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
        buf.set_string(0, 0, text, style);
        svg(&buf, &DARK)
    }

    #[test]
    fn what_means_something_to_xml_is_escaped_and_runs_are_pinned() {
        let made = picture("a<b>&", Style::new().fg(Color::Red));
        assert!(made.contains(">a&lt;b&gt;&amp;</text>"), "{made}");
        assert!(made.contains("x=\"12.0\"") && made.contains("textLength=\"42.1\"") && made.contains("#e06c75"), "{made}");
        assert_eq!(made, picture("a<b>&", Style::new().fg(Color::Red)), "the same again");
    }

    #[test]
    fn colours_of_every_depth_are_known() {
        let bg = |c| picture("x", Style::new().bg(c));
        assert!(bg(Color::Rgb(1, 2, 3)).contains("#010203"));
        assert!(bg(Color::Indexed(196)).contains("#ff0000"));
        assert!(bg(Color::Indexed(244)).contains("#808080"));
        assert!(!bg(Color::Reset).contains("height=\"18.0\" fill"), "the default has no ground of its own");
        assert!(picture("x", Style::new().add_modifier(Modifier::REVERSED)).contains("fill=\"#d0d4dc\"/>"));
    }

    #[test]
    fn a_wide_character_keeps_what_follows_in_its_column() {
        let made = picture("界x", Style::new());
        assert!(made.contains("textLength=\"16.9\"") && made.contains("x=\"28.9\""), "{made}");
    }
}
