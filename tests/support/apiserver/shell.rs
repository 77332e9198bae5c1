//! What commands say in a container: a table of common ones, and what a test has put beside it.

use super::hub::{Hub, Said};
use super::store::Entry;
use jiff::Timestamp;

/// How a command ended.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: i32,
    /// What it wrote that is no text.
    pub bytes: Option<Vec<u8>>,
}

impl Ran {
    fn said(out: impl Into<String>) -> Self {
        Self { out: out.into(), ..Self::default() }
    }

    fn failed(code: i32, err: String) -> Self {
        Self { err, code, ..Self::default() }
    }
}

/// Seconds of the cluster a command takes: those it sleeps.
pub fn lasts(command: &[String]) -> Option<f64> {
    let text = command.join(" ");
    let (_, rest) = text.split_once("sleep ")?;
    rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?.parse().ok()
}

impl Hub {
    /// Runs a command in a pod.
    pub fn run(&self, namespace: &str, pod: &str, command: &[String], input: &[u8]) -> Ran {
        let text = command.join(" ");
        let insides = self.insides.lock().unwrap();
        if let Some(known) = insides.commands.iter().find(|c| text.contains(&c.contains)) {
            return Ran { out: known.out.clone(), err: known.err.clone(), code: known.code, bytes: None };
        }
        let file = |path: &str| {
            let mut known =
                insides.files.iter().filter(|((n, p, at), _)| n == namespace && pod.starts_with(p.as_str()) && at == path);
            known.next().map(|(_, bytes)| bytes.clone())
        };
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["sh" | "/bin/sh" | "bash", "-c" | "-ec", script] => script_of(script, pod, &file),
            [] => Ran::default(),
            words => one(words, pod, input, &file),
        }
    }

    /// Lets a container say a line.
    pub fn say(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let place = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        self.insides.lock().unwrap().logs.entry(place).or_default().push(Said { at: Timestamp::now(), text: text.to_owned() });
        self.said.send_modify(|n| *n += 1);
    }

    /// Lets a container say many lines at once.
    pub fn say_all(&self, namespace: &str, pod: &str, container: &str, lines: &[String]) {
        let (place, at) = ((namespace.to_owned(), pod.to_owned(), container.to_owned()), Timestamp::now());
        let said = lines.iter().map(|text| Said { at, text: text.clone() });
        self.insides.lock().unwrap().logs.entry(place).or_default().extend(said);
        self.said.send_modify(|n| *n += 1);
    }

    /// A container starts anew: what it said so far was said by the one before.
    pub fn turn_log(&self, pod: &Entry, container: &str) {
        let place = (pod.namespace().to_owned(), pod.name().to_owned(), container.to_owned());
        let mut insides = self.insides.lock().unwrap();
        if let Some(said) = insides.logs.remove(&place) {
            insides.previous.insert(place, said);
        }
        drop(insides);
        self.said.send_modify(|n| *n += 1);
    }
}

type Files<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// Commands one after the other, as far as they are plain.
fn script_of(script: &str, pod: &str, file: Files) -> Ran {
    let mut all = Ran::default();
    for line in script.split([';', '\n']).flat_map(|l| l.split("&&")).map(str::trim).filter(|l| !l.is_empty()) {
        let words: Vec<String> = line.split_whitespace().map(|w| w.trim_matches(['"', '\'']).to_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["exit", code] = words.as_slice() {
            all.code = code.parse().unwrap_or(0);
            return all;
        }
        let ran = one(&words, pod, b"", file);
        all.out.push_str(&ran.out);
        all.err.push_str(&ran.err);
        all.code = ran.code;
        if ran.bytes.is_some() {
            all.bytes = ran.bytes;
        }
    }
    all
}

fn one(words: &[&str], pod: &str, input: &[u8], file: Files) -> Ran {
    match words {
        ["echo", "-n", rest @ ..] => Ran::said(rest.join(" ")),
        ["echo", rest @ ..] => Ran::said(format!("{}\n", rest.join(" "))),
        ["cat"] => Ran::said(String::from_utf8_lossy(input)),
        ["cat", path] => match file(path) {
            Some(bytes) => Ran { bytes: Some(bytes), ..Ran::default() },
            None => Ran::failed(1, format!("cat: {path}: No such file or directory\n")),
        },
        ["hostname"] => Ran::said(format!("{pod}\n")),
        [] | ["true" | ":" | "sleep" | "trap" | "test", ..] => Ran::default(),
        ["false"] => Ran::failed(1, String::new()),
        ["tar", "cf" | "-cf" | "c", "-", rest @ ..] => tarred(rest, file),
        ["ls", path] if file(path).is_some() => Ran::said(format!("{path}\n")),
        [command, ..] => Ran::failed(127, format!("sh: {command}: not found\n")),
    }
}

/// One file as a tape archive; `-C folder name`, or its whole path.
fn tarred(words: &[&str], file: Files) -> Ran {
    let (path, name) = match words {
        ["-C", folder, name] | ["-C", folder, "--", name] => {
            (format!("{}/{name}", folder.trim_end_matches('/')), (*name).to_owned())
        }
        [path] | ["--", path] => ((*path).to_owned(), path.trim_start_matches('/').to_owned()),
        _ => return Ran::failed(2, "tar: not understood\n".into()),
    };
    let Some(bytes) = file(&path) else {
        return Ran::failed(1, format!("tar: {name}: Cannot stat: No such file or directory\n"));
    };
    let mut head = [0u8; 512];
    let mut put = |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name.get(..name.len().min(99)).unwrap_or_default());
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", bytes.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = head.to_vec();
    archive.extend(&bytes);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    Ran { bytes: Some(archive), ..Ran::default() }
}
