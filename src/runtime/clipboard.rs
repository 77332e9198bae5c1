//! Copying over the terminal itself (OSC 52): reaches the clipboard of the machine the person sits at, over ssh too.

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;

/// The most bytes of text that are copied: terminals and multiplexers cut longer sequences (xterm at 75,000 characters
/// of base64) and would leave the clipboard with half of it.
pub const LIMIT: usize = 56_000;

/// GNU screen passes on pieces of at most 768 bytes.
const SCREEN_PIECE: usize = 700;

/// What stands between us and the terminal and must be told to pass the sequence on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    None,
    Tmux,
    Screen,
}

impl Multiplexer {
    /// Read from `TMUX` and `STY`.
    #[must_use]
    pub fn detect() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        if set("TMUX") {
            Self::Tmux
        } else if set("STY") {
            Self::Screen
        } else {
            Self::None
        }
    }
}

/// The sequence that copies `text`.
///
/// # Errors
/// A sentence when the text is too long.
pub fn sequence(text: &str, through: Multiplexer) -> Result<String, String> {
    if text.len() > LIMIT {
        return Err(format!(
            "{} KiB are too much for the terminal's clipboard ({} KiB at most): save to a file instead",
            text.len().div_ceil(1024),
            LIMIT / 1024
        ));
    }
    let mut plain = String::new();
    if CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain).is_err() {
        return Err("the text could not be encoded".to_owned());
    }
    Ok(match through {
        Multiplexer::None => plain,
        Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
        Multiplexer::Screen => pieces(&plain),
    })
}

/// Wraps in pieces screen passes through. The end mark of the sequence would end the piece: BEL ends it as well.
fn pieces(plain: &str) -> String {
    let body = plain.strip_suffix("\x1b\\").map_or_else(|| plain.to_owned(), |p| format!("{p}\x07"));
    let mut wrapped = String::new();
    let mut rest = body.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII: every offset is a character boundary.
        let (piece, after) = rest.split_at(rest.len().min(SCREEN_PIECE));
        wrapped.push_str("\x1bP");
        wrapped.push_str(piece);
        wrapped.push_str("\x1b\\");
        rest = after;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_wrapped_for_what_stands_between() {
        let plain = sequence("hello", Multiplexer::None).unwrap();
        assert_eq!(plain, "\x1b]52;c;aGVsbG8=\x1b\\");
        assert_eq!(sequence("hello", Multiplexer::Tmux).unwrap(), "\x1bPtmux;\x1b\x1b]52;c;aGVsbG8=\x1b\x1b\\\x1b\\");
        assert_eq!(sequence("hello", Multiplexer::Screen).unwrap(), "\x1bP\x1b]52;c;aGVsbG8=\x07\x1b\\");
    }

    #[test]
    fn long_text_is_cut_for_screen_and_refused_beyond_the_limit() {
        let long = sequence(&"x".repeat(3_000), Multiplexer::Screen).unwrap();
        assert!(long.split("\x1b\\").all(|piece| piece.len() <= SCREEN_PIECE + 2));
        assert!(sequence(&"x".repeat(LIMIT), Multiplexer::None).is_ok());
        let refused = sequence(&"x".repeat(LIMIT + 1), Multiplexer::None).unwrap_err();
        assert!(refused.contains("save"), "{refused}");
    }
}
