//! What reaches the terminal is what was drawn, in few bytes: checked on an interpreted screen.

use proptest::prelude::*;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::*;

fn screen(size: (u16, u16)) -> vt100::Parser {
    vt100::Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0)
}

fn draw(painter: &mut Painter, lines: &[Line]) -> Vec<u8> {
    let mut bytes = Vec::new();
    painter.frame(&mut bytes, |frame| {
        let area = frame.area();
        for (row, line) in (0..area.height).zip(lines) {
            frame.buffer_mut().set_line(0, row, line, area.width);
        }
    });
    bytes
}

#[test]
fn an_unchanged_frame_is_no_bytes_and_a_clock_is_few() {
    let mut painter = Painter::new((160, 48), true);
    draw(&mut painter, &[Line::from("14:03:22 UTC").right_aligned()]);
    assert_eq!(draw(&mut painter, &[Line::from("14:03:22 UTC").right_aligned()]), b"");
    let tick = draw(&mut painter, &[Line::from("14:03:23 UTC").right_aligned()]);
    assert!(tick.len() <= 10, "{:?}", String::from_utf8_lossy(&tick));
}

#[test]
fn moving_a_highlight_over_wide_rows_stays_cheap() {
    let mut painter = Painter::new((160, 48), true);
    let rows = |selected: usize| -> Vec<Line<'static>> {
        (0..40)
            .map(|n| {
                let line = Line::from(format!("  workload-{n:02}   Service   1/1   healthy{:120}", ""));
                if n == selected { line.style(Style::new().bg(Color::Blue)) } else { line }
            })
            .collect()
    };
    draw(&mut painter, &rows(3));
    let moved = draw(&mut painter, &rows(4));
    assert!(moved.len() < 200, "{} bytes", moved.len());
}

#[test]
fn a_large_frame_is_one_update_and_a_small_one_needs_no_marks() {
    let mut painter = Painter::new((80, 10), true);
    let large = draw(&mut painter, &[Line::from("x".repeat(80)), Line::from("y".repeat(80))]);
    assert!(large.starts_with(BEGIN_UPDATE) && large.ends_with(END_UPDATE));
    let small = draw(&mut painter, &[Line::from("x".repeat(80)), Line::from(format!("z{}", "y".repeat(79)))]);
    assert!(!small.starts_with(BEGIN_UPDATE));
}

#[test]
fn a_screen_without_cells_is_drawn_without_a_word() {
    let mut painter = Painter::new((0, 0), true);
    assert_eq!(draw(&mut painter, &[]), b"");
    painter.resize((3, 1));
    let bytes = draw(&mut painter, &[Line::from("abc")]);
    let mut screen = screen((3, 1));
    screen.process(&bytes);
    assert_eq!(screen.screen().contents(), "abc");
    painter.resize((0, 0));
    draw(&mut painter, &[]);
}

#[test]
fn what_replaces_half_a_wide_character_leaves_no_colour_behind() {
    let size = (8, 1);
    let (mut painter, mut seen) = (Painter::new(size, true), screen(size));
    seen.process(&draw(&mut painter, &[Line::from("a界")]));
    seen.process(&draw(&mut painter, &[Line::from(vec!["a".into(), Span::styled("b", Style::new().bg(Color::Red))])]));
    let ground = |column| seen.screen().cell(0, column).unwrap().bgcolor();
    assert_eq!((ground(1), ground(2)), (vt100::Color::Idx(1), vt100::Color::Default));
}

fn looks() -> impl Strategy<Value = Style> {
    let colors = prop_oneof![
        Just(Color::Reset),
        Just(Color::Red),
        Just(Color::LightCyan),
        Just(Color::DarkGray),
        any::<u8>().prop_map(Color::Indexed),
        any::<[u8; 3]>().prop_map(|[r, g, b]| Color::Rgb(r, g, b)),
    ];
    let modifiers = prop_oneof![
        Just(Modifier::empty()),
        Just(Modifier::BOLD),
        Just(Modifier::DIM),
        Just(Modifier::REVERSED),
        Just(Modifier::UNDERLINED | Modifier::BOLD),
        Just(Modifier::ITALIC | Modifier::DIM),
    ];
    (colors.clone(), colors, modifiers).prop_map(|(fg, bg, m)| Style::new().fg(fg).bg(bg).add_modifier(m))
}

fn lines() -> impl Strategy<Value = Vec<Vec<(String, Style)>>> {
    let text = prop_oneof![3 => "[a-c ]{0,9}", 2 => " {0,30}", 1 => "[界é●▁x]{0,4}"];
    proptest::collection::vec(proptest::collection::vec((text, looks()), 0..5), 0..6)
}

proptest! {
    /// Any frame after any other shows the same as that frame drawn alone on a fresh screen.
    #[test]
    fn a_changed_frame_looks_like_a_fresh_one(before in lines(), after in lines(), erases: bool) {
        let spans = |rows: &[Vec<(String, Style)>]| -> Vec<Line<'static>> {
            rows.iter().map(|r| Line::from(r.iter().map(|(t, s)| Span::styled(t.clone(), *s)).collect::<Vec<_>>())).collect()
        };
        let size = (32, 6);
        let mut painter = Painter::new(size, erases);
        let mut seen = screen(size);
        seen.process(&draw(&mut painter, &spans(&before)));
        seen.process(&draw(&mut painter, &spans(&after)));
        let mut fresh = screen(size);
        fresh.process(&draw(&mut Painter::new(size, false), &spans(&after)));
        for row in 0..size.1 {
            for column in 0..size.0 {
                let (seen, fresh) = (seen.screen().cell(row, column).unwrap(), fresh.screen().cell(row, column).unwrap());
                let text = |c: &vt100::Cell| if c.contents().is_empty() { " ".to_owned() } else { c.contents().to_owned() };
                prop_assert_eq!(text(seen), text(fresh), "at {},{}", column, row);
                prop_assert_eq!(seen.bgcolor(), fresh.bgcolor(), "at {},{}", column, row);
                prop_assert_eq!(seen.inverse(), fresh.inverse(), "at {},{}", column, row);
                prop_assert_eq!(seen.underline(), fresh.underline(), "at {},{}", column, row);
                if text(seen) != " " {
                    prop_assert_eq!(seen.fgcolor(), fresh.fgcolor(), "at {},{}", column, row);
                    prop_assert_eq!((seen.bold(), seen.dim(), seen.italic()), (fresh.bold(), fresh.dim(), fresh.italic()));
                }
            }
        }
    }
}
