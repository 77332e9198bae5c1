//! A state as text and a compact map of its styles.

use std::fmt::Write as _;

use quarterdeck::app::State;
use quarterdeck::theme::Theme;
use quarterdeck::ui::{export, render};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// The cells of a state in the default theme.
pub fn cells(state: &State) -> Buffer {
    in_theme(state, &Theme::default())
}

/// The cells of a state in a theme.
pub fn in_theme(state: &State, theme: &Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| render(state, theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The text alone.
pub fn text(state: &State) -> String {
    export::text(&cells(state))
}

/// The text, then a letter a cell for its style, then what the letters mean.
pub fn styled(state: &State) -> String {
    let buf = cells(state);
    let mut out = export::text(&buf);
    out.push_str("── styles\n");
    let plain = buf.content.last().map(ratatui::buffer::Cell::style);
    let mut known: Vec<Style> = Vec::new();
    for line in buf.content.chunks(usize::from(buf.area.width).max(1)) {
        let mut map = String::new();
        for cell in line {
            let style = cell.style();
            if Some(style) == plain {
                map.push('.');
                continue;
            }
            let at = known.iter().position(|s| *s == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            map.push(char::from(b'a' + u8::try_from(at % 26).unwrap()));
        }
        out.push_str(map.trim_end_matches('.'));
        out.push('\n');
    }
    for (at, style) in known.iter().enumerate() {
        let colours = [("", style.fg), ("on ", style.bg)]
            .into_iter()
            .filter_map(|(word, c)| c.filter(|c| *c != ratatui::style::Color::Reset).map(|c| format!("{word}{c}")))
            .collect::<Vec<_>>()
            .join(" ");
        let _ = writeln!(out, "{} {colours} {:?}", char::from(b'a' + u8::try_from(at % 26).unwrap()), style.add_modifier);
    }
    out
}
