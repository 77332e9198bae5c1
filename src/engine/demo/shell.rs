//! A very small shell inside a demo instance: enough to see that a terminal is handed over and given back.

use super::unit::Unit;
use crate::observe::redact;

/// What one line typed into the shell does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Text(String),
    Exit,
}

/// The shell of one instance, as far as it needs to know it.
#[derive(Clone, Debug)]
pub struct Words {
    host: String,
    command: &'static str,
    env: Vec<String>,
    /// What is typed so far.
    line: String,
}

impl Words {
    /// The shell of an instance.
    #[must_use]
    pub fn of(unit: &Unit) -> Self {
        let host = unit.id.as_str().rsplit('/').next().unwrap_or_default();
        let host = if unit.pod { host } else { host.get(..12).unwrap_or(host) };
        let env = unit.recipe.env.iter().map(|e| redact::text(&redact::env_entry(e)).into_owned()).collect();
        Self { host: host.to_owned(), command: unit.recipe.command, env, line: String::new() }
    }

    /// What it prints first.
    #[must_use]
    pub fn greeting(&self) -> String {
        format!("This is the demo: a shell with a few words (help lists them). ^D leaves.\r\n{}", self.prompt())
    }

    fn prompt(&self) -> String {
        format!("{}:/app# ", self.host)
    }

    /// Takes typed bytes; answers what is printed and whether the shell has ended. Echoes as a terminal would.
    pub fn take(&mut self, bytes: &[u8]) -> (String, bool) {
        let mut out = String::new();
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    out.push_str("\r\n");
                    let line = std::mem::take(&mut self.line);
                    match self.run(line.trim()) {
                        Answer::Text(text) => {
                            out.push_str(&text);
                            out.push_str(&self.prompt());
                        }
                        Answer::Exit => return (out, true),
                    }
                }
                0x04 if self.line.is_empty() => {
                    out.push_str("exit\r\n");
                    return (out, true);
                }
                0x03 => {
                    self.line.clear();
                    out.push_str("^C\r\n");
                    out.push_str(&self.prompt());
                }
                0x7f | 0x08 if self.line.pop().is_some() => out.push_str("\x08 \x08"),
                0x20..=0x7e if self.line.len() < 1024 => {
                    self.line.push(char::from(*byte));
                    out.push(char::from(*byte));
                }
                _ => {}
            }
        }
        (out, false)
    }

    /// What one line does.
    #[must_use]
    pub fn run(&self, line: &str) -> Answer {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let text = match word {
            "" => String::new(),
            "exit" | "logout" => return Answer::Exit,
            "help" => "echo env exit help hostname id ls ps pwd uname".to_owned(),
            "echo" => rest.to_owned(),
            "env" => self.env.join("\r\n"),
            "hostname" => self.host.clone(),
            "id" => "uid=1000(app) gid=1000(app)".to_owned(),
            "ls" => "Dockerfile  README.md  app  config  package.json".to_owned(),
            "ps" => format!("PID   USER     COMMAND\r\n    1 app      {}\r\n   31 app      sh", self.command),
            "pwd" => "/app".to_owned(),
            "uname" => "Linux".to_owned(),
            _ => format!("sh: {word}: not found (this is the demo; help lists what it knows)"),
        };
        Answer::Text(if text.is_empty() { text } else { text + "\r\n" })
    }
}
