//! Characters that are shapes, drawn as shapes: blocks, braille dots and box lines meet at the edges of their cells,
//! whatever font the picture is looked at with.

use std::fmt::Write as _;

/// Adds the outline of a character that is a shape, in a cell of this size at this corner; `false` for any other.
pub fn outline(path: &mut String, c: char, (x, y): (f64, f64), (width, height): (f64, f64)) -> bool {
    match c {
        '▁'..='█' => {
            let part = f64::from(c as u32 - 0x2580) / 8.0;
            rectangle(path, (x, y + height * (1.0 - part)), (width, height * part));
        }
        '▌' => rectangle(path, (x, y), (width / 2.0, height)),
        '\u{2800}'..='\u{28ff}' => dots(path, c as u32 - 0x2800, (x, y), (width, height)),
        '─' => rectangle(path, (x, y + height / 2.0 - 0.5), (width, 1.0)),
        '│' => rectangle(path, (x + width / 2.0 - 0.5, y), (1.0, height)),
        '╭' | '╮' | '╰' | '╯' => corner(path, c, (x, y), (width, height)),
        _ => return false,
    }
    true
}

fn rectangle(path: &mut String, (x, y): (f64, f64), (width, height): (f64, f64)) {
    // Writing to a String cannot fail.
    let _ = write!(path, "M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z");
}

/// Two by four dots.
fn dots(path: &mut String, bits: u32, (x, y): (f64, f64), (width, height): (f64, f64)) {
    const PLACES: [(f64, f64); 8] =
        [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];
    for (bit, (column, line)) in PLACES.into_iter().enumerate() {
        if bits >> bit & 1 == 1 {
            let at = (x + (column + 0.5) * width / 2.0 - 1.2, y + (line + 0.5) * height / 4.0 - 1.2);
            rectangle(path, at, (2.4, 2.4));
        }
    }
}

/// A corner as two short lines from the middle of the cell.
fn corner(path: &mut String, c: char, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let (right, down) = (matches!(c, '╭' | '╰'), matches!(c, '╭' | '╮'));
    let (middle, centre) = (x + width / 2.0, y + height / 2.0);
    rectangle(path, (if right { middle - 0.5 } else { x }, centre - 0.5), (width / 2.0 + 0.5, 1.0));
    rectangle(path, (middle - 0.5, if down { centre } else { y }), (1.0, height / 2.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_fill_their_part_of_the_cell_and_letters_are_left_to_the_font() {
        let shape = |c| {
            let mut path = String::new();
            outline(&mut path, c, (10.0, 20.0), (8.0, 16.0)).then_some(path)
        };
        assert_eq!(shape('█').as_deref(), Some("M10.0 20.0h8.0v16.0h-8.0z"));
        assert_eq!(shape('▄').as_deref(), Some("M10.0 28.0h8.0v8.0h-8.0z"));
        assert_eq!(shape('\u{2801}').as_deref(), Some("M10.8 20.8h2.4v2.4h-2.4z"));
        assert_eq!(shape('╭').map(|p| p.matches('M').count()), Some(2));
        assert_eq!(shape('x'), None);
    }
}
