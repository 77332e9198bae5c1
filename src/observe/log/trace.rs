//! Which lines go on with the line before them: stack traces of Python, Java, Go and Node, and whatever is indented.

use super::{Format, Level, Stream};

/// What the last lines of an instance were, carried from chunk to chunk so that a trace may cross them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    streams: [Before; 2],
}

impl Hint {
    pub(super) fn of(&mut self, stream: Stream) -> &mut Before {
        match stream {
            Stream::Stdout => &mut self.streams[0],
            Stream::Stderr => &mut self.streams[1],
        }
    }
}

/// The last line of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    inside: Inside,
    /// It is the report of an error, which an exception may follow.
    loud: bool,
    /// There was one.
    any: bool,
    /// Lines left to mask of a private key that has begun.
    pub key_lines: u16,
}

/// The trace the last line was part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    /// Between `Traceback` and the exception.
    Python,
    /// After the exception, where another may follow.
    Raised,
    /// After the words that say another exception follows.
    Chained,
    Java,
    Go,
    Node,
}

impl Before {
    /// Takes in the next line, whose format and level by itself are known: whether it goes on with the one before.
    pub(super) fn take(&mut self, line: &str, format: Format, level: Option<Level>) -> bool {
        let (inside, goes_on) = self.step(line, format, level);
        self.inside = inside;
        self.any = true;
        if !goes_on {
            self.loud = level.is_some_and(|l| l >= Level::Error) && format != Format::Plain;
        }
        goes_on
    }

    fn step(self, line: &str, format: Format, level: Option<Level>) -> (Inside, bool) {
        let first = line.as_bytes().first().copied();
        match format {
            Format::Plain => {}
            Format::Postgres => return (Inside::Nothing, self.any && level.is_none()),
            // `INFO: …` may begin a line; a line of another format does.
            Format::Logger if !first.is_some_and(|b| b.is_ascii_digit()) && !line.contains("oroutine ") => {
                return if line.starts_with("panic: ") { (Inside::Go, false) } else { self.loose(line) };
            }
            Format::Json
            | Format::Logfmt
            | Format::Klog
            | Format::Access
            | Format::Redis
            | Format::Log4j
            | Format::Syslog
            | Format::Logger => return (Inside::Nothing, false),
        }
        match first {
            None => (self.inside, self.loud || self.inside != Inside::Nothing),
            Some(b' ') => self.indented(line),
            // What only closes brackets ends something that was opened before.
            Some(b'}' | b']' | b')') if self.any && line.bytes().all(|b| matches!(b, b'}' | b']' | b')' | b',' | b';')) => {
                (self.inside, true)
            }
            Some(_) => self.loose(line),
        }
    }

    fn indented(self, line: &str) -> (Inside, bool) {
        let bare = line.trim_start();
        let inside = match self.inside {
            Inside::Nothing if bare.starts_with("at ") && bare.contains(".java:") => Inside::Java,
            Inside::Nothing if bare.starts_with("at ") => Inside::Node,
            Inside::Nothing if bare.starts_with("File \"") => Inside::Python,
            // Exception groups of Python draw a frame.
            Inside::Nothing if bare.ends_with("Traceback (most recent call last):") => Inside::Python,
            other => other,
        };
        (inside, !bare.is_empty() || self.inside != Inside::Nothing)
    }

    /// A line that is not indented.
    fn loose(self, line: &str) -> (Inside, bool) {
        let within = self.inside != Inside::Nothing;
        if line.starts_with("Traceback (most recent call last)") {
            // It belongs to the line that reports it, or to the exception it was raised while handling.
            return (Inside::Python, self.inside == Inside::Chained || (self.loud && !within));
        }
        if line.starts_with("During handling of the above exception")
            || line.starts_with("The above exception was the direct cause")
        {
            return (Inside::Chained, true);
        }
        if line.starts_with("Caused by: ") || line.starts_with("Suppressed: ") || line.starts_with("Wrapped by: ") {
            return (Inside::Java, true);
        }
        if line.starts_with("goroutine ") && line.ends_with("]:") {
            return (Inside::Go, self.any);
        }
        if line.starts_with("panic: ") || line.starts_with("fatal error: ") {
            return (Inside::Go, self.inside == Inside::Go && line.contains("[recovered]"));
        }
        match self.inside {
            Inside::Python if exception(line).is_some() || python_error(line) => return (Inside::Raised, true),
            Inside::Go if go(line) => return (Inside::Go, true),
            Inside::Node if line.starts_with("Node.js v") => return (Inside::Nothing, true),
            Inside::Node if exception(line).is_some() && !self.loud => return (Inside::Node, true),
            Inside::Nothing | Inside::Python | Inside::Raised | Inside::Chained | Inside::Java | Inside::Go | Inside::Node => {}
        }
        if node_place(line) {
            return (Inside::Node, false);
        }
        // The exception right after the line that reports it, as Java's loggers print it.
        if exception(line).is_some() {
            return (Inside::Java, self.loud && !within);
        }
        (Inside::Nothing, false)
    }
}

/// The name of the exception a line begins with: `java.lang.IllegalStateException: …`, `TypeError: …`, `ValueError`.
pub(super) fn exception(line: &str) -> Option<&str> {
    let end = line.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$'))).unwrap_or(line.len());
    let name = &line[..end];
    let rest = &line[end..];
    if !(rest.is_empty() || rest.starts_with(": ") || rest == ":" || rest.starts_with(" [")) {
        return None;
    }
    let last = name.rsplit('.').next()?;
    const ENDS: &[&str] = &["Error", "Exception", "Warning", "Interrupt", "Failure", "Throwable", "Exit", "Timeout"];
    (last.starts_with(|c: char| c.is_ascii_uppercase()) && ENDS.iter().any(|e| last.ends_with(e))).then_some(name)
}

/// In a traceback any dotted name with a colon is the exception: `jwt.exceptions.DecodeError`, `botocore.errorfactory.NoSuchKey: …`.
fn python_error(line: &str) -> bool {
    let end = line.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'))).unwrap_or(line.len());
    end > 0 && (line[end..].is_empty() || line[end..].starts_with(':')) && line.as_bytes()[0].is_ascii_alphabetic()
}

/// The lines of a goroutine: functions with their arguments, where it was made, what ended it.
fn go(line: &str) -> bool {
    line.starts_with("created by ")
        || line.starts_with("[signal ")
        || line.starts_with("exit status ")
        || line.starts_with("[originating from ")
        || line.starts_with("rax ")
        || (line.ends_with(')') && line.find('(').is_some_and(|n| n > 0 && !line[..n].contains(' ')))
}

/// `/app/server.js:10`, which Node prints before the line that threw.
fn node_place(line: &str) -> bool {
    (line.starts_with('/') || line.starts_with("file://") || line.starts_with("node:"))
        && !line.contains(' ')
        && line.rsplit_once(':').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
