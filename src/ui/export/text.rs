//! A screen as plain text: one line each, nothing at their ends.

use ratatui::buffer::Buffer;

use super::runs;

/// The text of the cells, line by line, trailing blanks taken away.
#[must_use]
pub fn text(buf: &Buffer) -> String {
    let mut out = String::with_capacity(buf.area.area() as usize + usize::from(buf.area.height));
    for line in buf.area.top()..buf.area.bottom() {
        let start = out.len();
        for run in runs(buf, line) {
            out.push_str(&run.text);
        }
        let kept = out[start..].trim_end().len();
        out.truncate(start + kept);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn wide_characters_take_their_two_cells() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 2));
        buf.set_string(0, 0, "a界b", Style::new());
        buf.set_string(0, 1, "é  ", Style::new());
        assert_eq!(text(&buf), "a界b\né\n");
        assert_eq!(text(&Buffer::empty(Rect::ZERO)), "");
    }
}
