//! The console through a pty, on the demo world.

use crate::QD;
use crate::pty::Terminal;

fn demo(home: &tempfile::TempDir, arguments: &[&str]) -> Terminal {
    let mut all = vec!["demo", "--speed", "10"];
    all.extend(arguments);
    let mut terminal = Terminal::start(QD, &all, home.path(), (120, 40));
    terminal.wait("the demo world", |s| s.contents().contains("● live"));
    terminal
}

#[test]
fn the_fleet_is_shown_and_the_terminal_is_given_back() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(&home, &[]);
    for name in ["local", "staging", "production"] {
        terminal.wait_text(name);
    }
    assert!(terminal.screen().alternate_screen() && terminal.screen().hide_cursor());
    terminal.send("q");
    let status = terminal.wait_exit();
    assert!(status.success(), "{status:?}");
    terminal.assert_restored();
    assert_eq!(terminal.text().trim(), "", "nothing is left behind");
}

#[test]
fn logs_are_opened_followed_and_searched() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(&home, &["-e", "staging"]);
    terminal.wait_text("chatbot:3.8.0");
    terminal.send("/app\r");
    terminal.send("l");
    terminal.wait_text("chatbot-app-1");
    terminal.send("/session\r");
    terminal.wait("a count of matches", |s| s.contents().contains("match"));
    terminal.send("?");
    terminal.wait_text("Keys of Logs");
    terminal.send("\x1b");
    terminal.wait("the log again", |s| !s.contents().contains("Keys of Logs"));
    terminal.send("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn scaling_asks_does_and_records() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(&home, &["-e", "staging"]);
    terminal.wait_text("chatbot:3.8.0");
    terminal.send("/app\r");
    terminal.wait("only app", |s| !s.contents().contains("pgvector"));
    terminal.send("S");
    terminal.send("\x153\r");
    terminal.wait("the plan, with every call", |s| s.contents().contains("POST /containers"));
    terminal.send("\r");
    terminal.wait("three replicas", |s| s.contents().contains("3/3"));
    terminal.send("8");
    terminal.wait_text("done");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    let journal = std::fs::read_to_string(home.path().join("quarterdeck/audit.jsonl")).expect("the change is on record");
    assert!(journal.lines().next().is_some_and(|l| l.contains(r#""phase":"started""#)), "{journal}");
    assert!(journal.lines().last().is_some_and(|l| l.contains(r#""outcome":"done""#)), "{journal}");
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_given_back() {
    for (name, code) in [("TERM", 143), ("HUP", 129)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = demo(&home, &[]);
        terminal.signal(name);
        assert_eq!(terminal.wait_exit().exit_code(), code, "{name}");
        terminal.assert_restored();
    }
}

#[test]
fn it_is_stopped_and_taken_up_again_by_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start("sh", &["-i"], home.path(), (120, 40));
    terminal.wait_text("prompt>");
    for _ in 0..2 {
        terminal.send(&format!("{QD} demo; echo ended with $?\r"));
        // An environment that can be gone into, not only a feed that lives.
        terminal.wait_text("production");
        terminal.send("\x1a");
        terminal.wait("the shell's prompt", |s| !s.alternate_screen() && s.contents().contains("Stopped"));
        terminal.assert_restored();
        terminal.send("clear; fg\r");
        terminal.wait("the console again", |s| s.alternate_screen() && s.contents().contains("● live"));
        terminal.send("2");
        terminal.wait_text("WORKLOAD");
        terminal.send("q");
        terminal.wait("the end", |s| !s.alternate_screen() && s.contents().contains("prompt>"));
        terminal.send("clear\r");
    }
}

#[test]
fn any_size_is_taken_and_the_picture_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(&home, &[]);
    for size in [(40, 12), (1, 1), (20, 3), (200, 60), (0, 0), (120, 40)] {
        terminal.resize(size);
    }
    terminal.wait("the last size", |s| {
        s.contents().contains("● live") && s.contents().lines().next().is_some_and(|l| l.trim_end().ends_with("UTC"))
    });
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_restored();
}

#[test]
fn a_shell_takes_the_terminal_and_gives_it_back() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(&home, &["-e", "local"]);
    terminal.send("3");
    terminal.wait_text("cap-store-app_ap-1");
    terminal.send("s");
    terminal.wait("the shell's screen", |s| !s.alternate_screen() || s.contents().contains("shell"));
    if terminal.screen().alternate_screen() {
        // Asked what to run: what is offered.
        terminal.send("\r");
        terminal.wait("the shell", |s| !s.alternate_screen());
    }
    terminal.send("exit\r");
    terminal.wait("the console again", |s| s.alternate_screen() && s.contents().contains("● live"));
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_restored();
}
