//! What stands before the message of a line for people: its time, level, logger and the like, in whatever order.

use std::ops::Range;

use super::{Level, time};

/// Pieces looked at before a line is taken to have no level.
const PIECES: usize = 9;

/// The head of a line, as byte ranges of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub time: Range<usize>,
    /// The time stands in brackets, as log4j and its kin write it.
    pub bracketed: bool,
    pub level: Option<Level>,
    pub logger: Range<usize>,
    /// Thread, process and the like; empty ranges are none.
    pub tags: [Range<usize>; 3],
    /// Where the message begins.
    pub message: usize,
}

/// One piece of a head.
struct Piece {
    text: Range<usize>,
    bracket: bool,
    /// A colon or a dash stands after it, so that it is no word of a sentence.
    set_off: bool,
    next: usize,
}

/// Reads the head of a line. Without a level nothing but the time is taken for head.
pub(super) fn read(line: &str) -> Head {
    let mut head = Head::default();
    let mut at = timed(line, &mut head);
    head.message = skip_separators(line, at);
    let mut words = 0;
    let mut end = head.message;
    let (mut logger, mut tags, mut level) = (0..0, [0..0, 0..0, 0..0], None);
    for _ in 0..PIECES {
        let Some(piece) = piece(line, at) else { break };
        let text = &line[piece.text.clone()];
        if level.is_none()
            && let Some(found) = level_of(text, &piece)
        {
            level = Some(found);
        } else if !keep(line, &piece, level.is_some(), &mut logger, &mut tags, &mut words) {
            break;
        }
        at = piece.next;
        end = at;
    }
    if level.is_some() {
        (head.level, head.logger, head.tags) = (level, logger, tags);
        head.message = skip_separators(line, end);
    }
    head
}

/// Takes a piece that is no level for a part of the head, or says that the message begins with it.
fn keep(
    line: &str,
    piece: &Piece,
    leveled: bool,
    logger: &mut Range<usize>,
    tags: &mut [Range<usize>; 3],
    words: &mut u32,
) -> bool {
    let text = &line[piece.text.clone()];
    let number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if piece.bracket || number {
        // After the level a bare number is part of a sentence, unless it is set off (`INFO 1 --- [main]`).
        if number && !piece.bracket && leveled && !piece.set_off {
            return false;
        }
        return match tags.iter_mut().find(|t| unset(t)) {
            Some(free) => {
                *free = piece.text.clone();
                true
            }
            None => false,
        };
    }
    if !is_name(text) {
        return false;
    }
    if leveled {
        // One name set off after the level is the logger.
        if !piece.set_off || !unset(logger) || text.starts_with("http") {
            return false;
        }
    } else if !piece.set_off {
        // Before the level one bare word may stand: `2026-11-21 14:03:22 app ERROR …`.
        *words += 1;
        if *words > 1
            || text.starts_with(|c: char| c.is_ascii_uppercase()) && !text.contains(['.', '-', '_']) && text != "MainThread"
        {
            return false;
        }
    }
    if unset(logger) {
        *logger = piece.text.clone();
    } else if let Some(free) = tags.iter_mut().find(|t| unset(t)) {
        *free = piece.text.clone();
    }
    true
}

/// The time in front; where what follows it begins.
fn timed(line: &str, head: &mut Head) -> usize {
    let bracket = usize::from(line.starts_with('['));
    let length = time::leading(&line[bracket..]);
    if length == 0 {
        return 0;
    }
    head.time = bracket..bracket + length;
    head.bracketed = bracket > 0;
    let end = head.time.end;
    if bracket > 0 && line[end..].starts_with(']') { end + 1 } else { end }
}

/// Spaces, dashes and bars between pieces.
fn skip_separators(line: &str, from: usize) -> usize {
    let bytes = line.as_bytes();
    let mut at = from;
    while let Some(b) = bytes.get(at) {
        let alone = |i: usize| matches!(bytes.get(i), None | Some(b' ' | b'-'));
        match b {
            b' ' | b'|' | b']' => at += 1,
            b'-' if alone(at + 1) => at += 1,
            b':' if from == at || alone(at + 1) => at += 1,
            _ => break,
        }
    }
    at
}

/// The piece at or after this place: a group in brackets, or a word.
fn piece(line: &str, from: usize) -> Option<Piece> {
    let start = skip_separators(line, from);
    let bytes = line.as_bytes();
    let close = match bytes.get(start)? {
        b'[' => Some(b']'),
        b'<' => Some(b'>'),
        b'(' => Some(b')'),
        _ => None,
    };
    if let Some(close) = close {
        let inner = start + 1;
        let end = inner + memchr::memchr(close, &bytes[inner..bytes.len().min(inner + 200)])?;
        let text = trimmed(line, inner..end);
        return Some(Piece { text, bracket: true, set_off: true, next: end + 1 });
    }
    let word = memchr::memchr(b' ', &bytes[start..]).map_or(bytes.len(), |n| start + n);
    // `INFO:app.db:message` and `INFO/MainProcess]` hold more than one piece.
    let end = level_end(line, start..word).unwrap_or_else(|| match line[start..word].find(':') {
        // `INFO:root:message`
        Some(n) if start > 0 && bytes[start - 1] == b':' => start + n + 1,
        Some(_) | None => word,
    });
    let mut text = start..end;
    while text.end > text.start && matches!(bytes[text.end - 1], b':' | b']' | b',' | b'|' | b'/') {
        text.end -= 1;
    }
    let colon = matches!(bytes.get(text.end), Some(b':' | b']' | b'/' | b'|'));
    let mut after = end;
    while bytes.get(after) == Some(&b' ') {
        after += 1;
    }
    let dash = matches!(bytes.get(after), Some(b'-' | b'|' | b':')) && matches!(bytes.get(after + 1), Some(b' ' | b'-'));
    Some(Piece { text, bracket: false, set_off: colon || dash, next: end })
}

/// Where a level ends that more is glued to, `INFO:root:…` or `ERROR/ForkPoolWorker-1]`.
fn level_end(line: &str, word: Range<usize>) -> Option<usize> {
    let glue = line[word.clone()].find([':', '/', ']', '|'])?;
    Level::parse(&line[word.start..word.start + glue])?;
    Some(word.start + glue + 1)
}

fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let text = &line[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

/// The level this piece names, if it stands as one: loud, in brackets, or set off.
fn level_of(text: &str, piece: &Piece) -> Option<Level> {
    if text.len() > 24 {
        return None;
    }
    // Apache's `[core:notice]` and envoy's `[error]`.
    let bare = if piece.bracket { text.rsplit(':').next().unwrap_or(text) } else { text };
    // Words that begin a sentence, however loud.
    let loud = || {
        bare.bytes().all(|b| b.is_ascii_uppercase())
            && !matches!(bare, "INFORMATION" | "SYSTEM" | "NOTE" | "CONFIG" | "LOG" | "FINE")
    };
    if piece.bracket || piece.set_off || loud() { Level::parse(bare) } else { None }
}

fn unset(range: &Range<usize>) -> bool {
    range.start == range.end
}

/// Whether this can name a logger: one word of letters, digits and what joins them.
fn is_name(text: &str) -> bool {
    text.len() <= 120
        && (text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@') || text.contains('#'))
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'/' | b'$' | b'@' | b'#' | b'{' | b'}' | b'=')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_in_whatever_order_they_stand() {
        let table: &[(&str, Option<Level>, &str, &str)] = &[
            ("2026-11-21 14:03:22,123 - app.db - ERROR - slow query", Some(Level::Error), "app.db", "slow query"),
            ("2026-11-21 14:03:22 app WARNING low", Some(Level::Warn), "app", "low"),
            ("2026-11-21 14:03:22,123 INFO app.db: ok", Some(Level::Info), "app.db", "ok"),
            ("2026-11-21T14:03:22.1Z  INFO tower::serve: up", Some(Level::Info), "tower::serve", "up"),
            ("2026-11-21 14:03:22.123  INFO 1 --- [main] c.e.App : up", Some(Level::Info), "c.e.App", "up"),
            ("2026/11/21 14:03:22 [error] 31#31: *1 open() failed", Some(Level::Error), "31#31", "*1 open() failed"),
            ("2026/11/21 14:03:22 http: TLS handshake error", None, "", "http: TLS handshake error"),
            ("[2026-11-21 14:03:22 +0000] [7] [INFO] Booting", Some(Level::Info), "", "Booting"),
            ("[2026-11-21 14:03:22,1: WARNING/MainProcess] late", Some(Level::Warn), "MainProcess", "late"),
            ("[2026-11-21T14:03:22,123][INFO ][o.e.n.Node] [n1] up", Some(Level::Info), "", "up"),
            ("INFO:root:three: things", Some(Level::Info), "root", "three: things"),
            ("INFO:     Started server", Some(Level::Info), "", "Started server"),
            ("[warn] low disk", Some(Level::Warn), "", "low disk"),
            ("no error here, just an info about it", None, "", "no error here, just an info about it"),
            ("Got ERROR from upstream", None, "", "Got ERROR from upstream"),
            ("ERROR", Some(Level::Error), "", ""),
            ("", None, "", ""),
        ];
        for (line, level, logger, message) in table {
            let head = read(line);
            let read = &line[head.logger.clone()];
            assert_eq!((head.level, &line[head.message..]), (*level, *message), "{line}");
            assert_eq!(read, *logger, "{line}");
        }
    }
}
