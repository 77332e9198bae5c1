//! A command run in an instance, as it is told: in one line, why it could not be started, and what it left.

use std::sync::Arc;

use crate::observe::capture::Capture;
use crate::observe::text::clean;
use crate::operate::Output;

/// What shells end with where there is no such program, and where it may not be run.
const NO_PROGRAM: i64 = 127;
const NOT_RUNNABLE: i64 = 126;

/// The command in one line, as a person would type it, masked.
pub(in crate::engine) fn words(command: &[Arc<str>]) -> String {
    /// Longest command that is repeated in a message, characters.
    const LONGEST: usize = 80;
    let line = command.join(" ");
    let line = crate::observe::redact::text(&clean(&line)).into_owned();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether the engine says that the program could not be started.
pub(in crate::engine) fn is_no_program(message: &str) -> bool {
    message.contains("OCI runtime")
        || message.contains("executable file not found")
        || message.contains("no such file or directory")
}

/// The code a shell would end with, from the engine's words.
pub(in crate::engine) fn code_of(message: &str) -> i64 {
    // Its own words may have been masked in part: paths such as `/etc/passwd` look like a secret's name.
    if message.contains("denied") { NOT_RUNNABLE } else { NO_PROGRAM }
}

/// What a command left; where it could not even be started, that is said in a line of our own.
pub(in crate::engine) fn ended(mut capture: Capture, code: i64, command: &[Arc<str>], name: &str) -> Output {
    let said = capture.last_line().unwrap_or_default();
    if matches!(code, NO_PROGRAM | NOT_RUNNABLE) && (said.is_empty() || is_no_program(said)) {
        let code = if said.is_empty() { code } else { code_of(said) };
        capture.remark(&cannot_start(code, command, name));
        return finished(capture, code);
    }
    finished(capture, code)
}

/// `npx cannot be run in shop_api_1: there is no such program`.
pub(in crate::engine) fn cannot_start(code: i64, command: &[Arc<str>], place: &str) -> String {
    let program = clean(command.first().map_or("", |program| program.as_ref())).into_owned();
    let why = if code == NOT_RUNNABLE { "it may not be executed" } else { "there is no such program" };
    format!("{program} cannot be run in {place}: {why}")
}

/// What is kept of it.
pub(in crate::engine) fn finished(capture: Capture, code: i64) -> Output {
    let (text, cut) = capture.finish();
    Output { code, text: text.into(), cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::log::Stream;

    #[test]
    fn a_command_is_repeated_safely_and_not_at_length() {
        let of = |list: &[&str]| words(&list.iter().map(|word| Arc::from(*word)).collect::<Vec<_>>());
        assert_eq!(of(&["redis-cli", "BGSAVE"]), "redis-cli BGSAVE");
        assert_eq!(of(&["sh", "-c", "echo \u{1b}[31mx"]), "sh -c echo x");
        assert!(!of(&["login", "--password=hunter2"]).contains("hunter2"));
        assert_eq!(of(&["x".repeat(300).as_str()]).chars().count(), 81);
    }

    #[test]
    fn a_program_that_is_not_there_is_said_to_be_so() {
        let missing = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nope\": executable file \
                       not found in $PATH: unknown";
        let denied = "OCI runtime exec failed: exec: \"/etc/passwd\": permission denied: unknown";
        for (said, code, expected) in [
            (missing, 126, (127, "nope cannot be run in web: there is no such program")),
            (denied, 126, (126, "nope cannot be run in web: it may not be executed")),
            ("", 127, (127, "nope cannot be run in web: there is no such program")),
            ("sh: wget: not found", 127, (127, "sh: wget: not found")),
            ("", 0, (0, "")),
        ] {
            let mut capture = Capture::new(Arc::default());
            capture.take(Stream::Stdout, format!("{said}\r\n").as_bytes());
            let output = ended(capture, code, &["nope".into()], "web");
            assert_eq!((output.code, output.last_line()), expected, "{said}");
        }
    }
}
