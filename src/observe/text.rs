//! The one sanitiser: text from outside becomes text that is safe to put into cells.
