//! Rule files: found by their patterns as Prometheus finds them, and read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::Problem;
use crate::observe::rule::file::{Rules, read};

/// Files one environment may have; what is more is no list of rules.
const FILES: usize = 500;
/// A file is not longer than this, bytes.
const LONGEST: u64 = 8 << 20;

/// What stands in the files of these patterns. A path without `*` and the like must be there; a pattern may find nothing.
pub(super) fn load(patterns: &[Arc<str>]) -> Rules {
    let mut rules = Rules::default();
    let mut seen: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let found = if is_pattern(pattern) { glob(pattern) } else { vec![PathBuf::from(&**pattern)] };
        for path in found {
            if seen.contains(&path) {
                continue;
            }
            if seen.len() == FILES {
                let file: Arc<str> = path.display().to_string().into();
                let message = format!("an environment may have {FILES} rule files: this one and what follows is left out");
                rules.problems.push(Problem { file, line: 0, column: 0, message });
                return rules;
            }
            rules.add(file(&path));
            seen.push(path);
        }
    }
    rules
}

fn file(path: &Path) -> Rules {
    let shown = path.display().to_string();
    let alone = |problem: Problem| Rules { problems: vec![problem], ..Rules::default() };
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LONGEST) {
        let message = "a rule file is not longer than 8 MiB".to_owned();
        return alone(Problem { file: shown.into(), line: 0, column: 0, message });
    }
    super::text(path).map_or_else(alone, |text| read(&text, &shown))
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths a pattern fits, sorted; `*` and `?` do not go beyond a `/`.
fn glob(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![if pattern.starts_with('/') { PathBuf::from("/") } else { PathBuf::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !is_pattern(part) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let inside = |folder: &PathBuf| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            fs::read_dir(folder).into_iter().flatten().flatten()
        };
        let fits = |folder: &PathBuf| {
            let named = inside(folder).filter_map(|entry| entry.file_name().into_string().ok());
            named.filter(|name| fits(part, name)).map(|name| folder.join(name)).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(fits).collect();
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

/// Whether a name is as a pattern wants it: `*` any text, `?` one character, `[a-z]` one of these, `[^a-z]` none of them.
fn fits(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let next = name.chars().next();
    let after = next.map_or("", |c| &name[c.len_utf8()..]);
    match first {
        '*' => fits(rest, name) || (next.is_some() && fits(pattern, after)),
        '?' => next.is_some() && fits(rest, after),
        '[' => match rest.split_once(']') {
            Some((set, rest)) => next.is_some_and(|c| one_of(set, c)) && fits(rest, after),
            None => false,
        },
        '\\' => {
            let meant = rest.chars().next();
            meant.is_some() && meant == next && fits(&rest[meant.map_or(0, char::len_utf8)..], after)
        }
        other => next == Some(other) && fits(rest, after),
    }
}

fn one_of(set: &str, c: char) -> bool {
    let (set, wanted) = set.strip_prefix('^').map_or((set, true), |rest| (rest, false));
    let chars: Vec<char> = set.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let (low, high, step) = match chars.get(at + 1..at + 3) {
            Some(['-', high]) => (chars[at], *high, 3),
            Some(_) | None => (chars[at], chars[at], 1),
        };
        if (low..=high).contains(&c) {
            return wanted;
        }
        at += step;
    }
    !wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_prometheus_finds() {
        for (pattern, name, expected) in [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a?.yml", "ab.yml", true),
            ("a[0-9].yml", "a7.yml", true),
            ("a[^0-9].yml", "a7.yml", false),
            ("*_rules*", "alert_rules.yml", true),
            ("a\\*", "a*", true),
            ("[", "x", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
        let root = tempfile::tempdir().unwrap();
        let rule = |name: &str| format!("groups:\n- name: {name}\n  rules:\n  - alert: A{name}\n    expr: up == 0\n");
        for (path, name) in [("b/x.yml", "x"), ("a/y.yml", "y"), ("a/z.txt", "z")] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, rule(name)).unwrap();
        }
        let at = |pattern: &str| Arc::from(root.path().join(pattern).display().to_string());
        let names = |rules: &Rules| rules.all().map(|rule| rule.name.to_string()).collect::<Vec<_>>();
        let rules = load(&[at("*/*.yml"), at("a/y.yml")]);
        assert_eq!((names(&rules), rules.problems.len()), (vec!["Ay".to_owned(), "Ax".to_owned()], 0));
        assert_eq!(load(&[at("c/*.yml")]), Rules::default());
        let missing = load(&[at("c.yml")]);
        assert!(missing.problems[0].message.contains("does not exist"), "{missing:?}");
    }
}
