//! Parses arguments, installs error hooks, picks a face, sets the exit code.

fn main() {}
