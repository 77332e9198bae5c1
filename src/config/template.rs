//! What `qd config init` prints: every key there is, in words.

/// A commented `quarterdeck.toml`. Lines with `##` explain; a line with `#` works once the `#` is taken away.
pub const TEMPLATE: &str = include_str!("template.toml");
