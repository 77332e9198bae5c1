//! A sparkline in one line of block characters.

/// The eight heights.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `cells` values, one a cell, right-aligned; `·` where nothing was measured yet. The scale runs from zero to the
/// greatest value in sight, but never below `floor`, so that noise around nothing stays flat.
#[must_use]
pub fn spark(values: &[f64], cells: usize, floor: f64) -> String {
    let shown = &values[values.len().saturating_sub(cells)..];
    // A little air above: a level that only stands still is no wall.
    let top = shown.iter().copied().filter(|v| v.is_finite()).fold(floor, f64::max) * 1.2;
    let mut out = String::with_capacity(cells * 3);
    out.extend(std::iter::repeat_n('·', cells.saturating_sub(shown.len())));
    out.extend(shown.iter().map(|v| block(*v, top)));
    out
}

fn block(value: f64, top: f64) -> char {
    if !value.is_finite() || top <= 0.0 {
        return BLOCKS[0];
    }
    let part = (value / top).clamp(0.0, 1.0) * 7.0;
    let height = (0..8_u8).rev().find(|h| part + 0.5 >= f64::from(*h)).unwrap_or(0);
    BLOCKS[usize::from(height)]
}

/// A bar of `cells` cells filled to `part` (0 to 1).
#[must_use]
pub fn bar(part: f64, cells: u16) -> String {
    let filled = (0..cells).filter(|c| f64::from(*c) + 0.5 <= part.clamp(0.0, 1.0) * f64::from(cells)).count();
    let mut out = "█".repeat(filled);
    out.push_str(&"░".repeat(usize::from(cells) - filled));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_scale_from_zero_and_noise_stays_flat() {
        assert_eq!(spark(&[0.0, 1.0, 2.0, 7.0], 4, 0.0), "▁▂▃▇");
        assert_eq!(spark(&[1.0, 1.0], 4, 0.0), "··▇▇");
        assert_eq!(spark(&[0.001, 0.002], 2, 0.1), "▁▁");
        assert_eq!(spark(&[9.0, 0.0, f64::NAN, 7.0], 3, 0.0), "▁▁▇");
        assert_eq!(spark(&[], 2, 0.0), "··");
        assert_eq!(spark(&[0.0], 1, 0.0), "▁");
    }

    #[test]
    fn a_bar_fills_with_its_part() {
        assert_eq!([bar(0.0, 4), bar(0.5, 4), bar(1.5, 4)], ["░░░░", "██░░", "████"]);
    }
}
