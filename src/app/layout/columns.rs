//! Which columns fit and how wide each is.

use crate::app::rows::ColumnSpec;

/// Cells between two columns.
const GAP: u16 = 2;

/// A column that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into the specs.
    pub index: usize,
    /// From the left edge of the text.
    pub x: u16,
    pub width: u16,
}

/// Places what fits into `width` cells. Where all do not fit the highest rank goes first; what is left over goes to the
/// columns that grow, in equal parts, and no further than `ideal` says it is of use.
pub fn place(specs: &[ColumnSpec], width: u16, ideal: impl Fn(usize) -> u16) -> Vec<Placed> {
    let mut kept: Vec<usize> = (0..specs.len()).collect();
    let total = |kept: &[usize]| -> u16 {
        let gaps = GAP.saturating_mul(u16::try_from(kept.len().saturating_sub(1)).unwrap_or(u16::MAX));
        kept.iter().map(|i| specs[*i].width).fold(gaps, u16::saturating_add)
    };
    while total(&kept) > width {
        // Of equal ranks the rightmost goes.
        let Some((at, rank)) = kept.iter().enumerate().map(|(at, i)| (at, specs[*i].rank)).max_by_key(|(at, rank)| (*rank, *at))
        else {
            break;
        };
        if rank == 0 {
            break;
        }
        kept.remove(at);
    }
    let mut widths: Vec<u16> = kept.iter().map(|i| specs[*i].width).collect();
    let mut left = width.saturating_sub(total(&kept));
    while left > 0 {
        let mut grew = false;
        for (at, index) in kept.iter().enumerate() {
            if left > 0 && specs[*index].grows && widths[at] < ideal(*index) {
                widths[at] += 1;
                left -= 1;
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
    let mut x = 0_u16;
    let mut placed = Vec::with_capacity(kept.len());
    for (index, wide) in kept.into_iter().zip(widths) {
        if x >= width {
            break;
        }
        placed.push(Placed { index, x, width: wide.min(width - x) });
        x = x.saturating_add(wide).saturating_add(GAP);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::rows::Column;

    const fn spec(column: Column, width: u16, grows: bool, rank: u8) -> ColumnSpec {
        ColumnSpec { column, title: "X", width, grows, right: false, rank }
    }

    const SPECS: &[ColumnSpec] = &[
        spec(Column::Name, 10, true, 0),
        spec(Column::Kind, 6, false, 3),
        spec(Column::Image, 8, true, 2),
        spec(Column::Age, 4, false, 1),
    ];

    #[test]
    fn the_highest_rank_goes_first_and_the_rest_is_shared() {
        let kept = |width| place(SPECS, width, |_| u16::MAX).iter().map(|p| (p.index, p.x, p.width)).collect::<Vec<_>>();
        assert_eq!(kept(34), [(0, 0, 10), (1, 12, 6), (2, 20, 8), (3, 30, 4)]);
        assert_eq!(kept(40), [(0, 0, 13), (1, 15, 6), (2, 23, 11), (3, 36, 4)]);
        assert_eq!(kept(30), [(0, 0, 12), (2, 14, 10), (3, 26, 4)]);
        assert_eq!(kept(16), [(0, 0, 10), (3, 12, 4)]);
        assert_eq!(kept(5), [(0, 0, 5)]);
        assert_eq!(kept(0), []);
    }

    #[test]
    fn nothing_grows_beyond_its_use() {
        let placed = place(SPECS, 200, |i| if i == 0 { 14 } else { 9 });
        assert_eq!(placed.iter().map(|p| p.width).collect::<Vec<_>>(), [14, 6, 9, 4]);
    }
}
