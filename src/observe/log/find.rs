//! Goes from a line to the next one that is wanted, among those shown, no further than it is given lines to look at.

use super::{Lens, LineView, Store};

/// What came of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This line is wanted.
    At(u64),
    /// Up to this line none is; the search goes on from here.
    More(u64),
    /// There is none that way.
    Nothing,
}

/// The next wanted line after this one, or before it; without one from the first, or the last. Looks at `budget` lines at
/// most. Before a lens is complete a search backwards ends at what it knows: let it work first.
#[must_use]
pub fn find(
    store: &Store,
    lens: &Lens,
    from: Option<u64>,
    forward: bool,
    wanted: &dyn Fn(&LineView<'_>) -> bool,
    budget: usize,
) -> Found {
    let len = lens.len(store);
    let at = from.and_then(|seq| lens.index_of(store, seq));
    // A line that is not shown stands before the one at its place.
    let shown = from.is_some() && at.is_some_and(|at| lens.seq(store, at) == from);
    let next = match (forward, at) {
        (true, Some(at)) => at + usize::from(shown),
        (true, None) => 0,
        (false, at) => at.unwrap_or(len),
    };
    let places: &mut dyn Iterator<Item = usize> = if forward { &mut (next..len) } else { &mut (0..next).rev() };
    let mut last = None;
    for place in places {
        let Some(line) = lens.seq(store, place).and_then(|seq| store.line(seq)) else { continue };
        if let Some((seen, looked)) = last
            && looked >= budget.max(1)
        {
            return Found::More(seen);
        }
        if wanted(&line) {
            return Found::At(line.seq);
        }
        last = Some((line.seq, last.map_or(1, |(_, looked)| looked + 1)));
    }
    Found::Nothing
}
