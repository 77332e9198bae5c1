//! Chords to commands: parsing keymap files, the trie, what may follow.

/// One key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {}

/// A whole keymap.
#[derive(Debug, Default)]
pub struct Keymap {}
