//! A source file as code alone: comments, strings and tests taken out, grouped imports written in full.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One file.
pub struct Source {
    /// From the package's root, with forward slashes.
    pub path: String,
    /// `app` for `src/app.rs` and everything in `src/app/`.
    pub room: String,
    pub text: String,
    /// Compiled for tests only.
    pub is_test: bool,
    /// The code, line by line, and the paths its imports name.
    lines: Vec<(usize, String)>,
}

/// Every Rust file below a directory of the package.
pub fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join(directory), &mut paths);
    paths.sort();
    let texts: Vec<(String, String)> = paths
        .into_iter()
        .map(|path| {
            let shown = path.strip_prefix(root).expect("below the root").display().to_string().replace('\\', "/");
            (shown, fs::read_to_string(&path).expect("a readable source"))
        })
        .collect();
    let tests: BTreeSet<String> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_test = |path: &str| {
        path.starts_with("tests/") || tests.iter().any(|t| path == format!("{t}.rs") || path.starts_with(&format!("{t}/")))
    };
    texts.iter().map(|(path, text)| Source::new(path, text, is_test(path))).collect()
}

fn collect(directory: &Path, paths: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

/// The files (without `.rs`) of modules declared for tests only.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let own = path.trim_end_matches(".rs");
    let parent = own.rsplit_once('/').map_or("", |(parent, _)| parent);
    let below = if own == "src/lib" || own == "src/main" { parent } else { own };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut modules = Vec::new();
    for (index, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[cfg(test)]") {
        let named = lines.get(index + 1).and_then(|l| l.strip_prefix("#[path = \"")).and_then(|l| l.strip_suffix(".rs\"]"));
        let declared = lines.iter().skip(index + 1).take(2).find_map(|l| l.trim_start_matches("pub ").strip_prefix("mod "));
        match (named, declared.and_then(|d| d.strip_suffix(';'))) {
            (Some(file), _) => modules.push(format!("{parent}/{file}")),
            (None, Some(module)) => modules.push(format!("{below}/{module}")),
            (None, None) => {}
        }
    }
    modules
}

impl Source {
    pub fn new(path: &str, text: &str, is_test: bool) -> Self {
        let inside = path.strip_prefix("src/").unwrap_or(path);
        let room = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs").to_owned();
        let code = bare(text);
        // Unit tests come last in a file.
        let code = code.find("#[cfg(test)]\nmod tests {").map_or(code.as_str(), |end| &code[..end]);
        let mut lines: Vec<(usize, String)> = code.lines().enumerate().map(|(n, line)| (n + 1, line.to_owned())).collect();
        lines.extend(imports(code));
        Self { path: path.to_owned(), room, text: text.to_owned(), is_test, lines }
    }

    /// The lines that name something, as a whole word where it begins or ends with a letter.
    pub fn lines_with(&self, name: &str) -> Vec<usize> {
        let found: BTreeSet<usize> = self.lines.iter().filter(|(_, line)| holds(line, name)).map(|(n, _)| *n).collect();
        found.into_iter().collect()
    }

    /// The rooms of this crate it names.
    pub fn rooms(&self) -> Vec<String> {
        let mut rooms = BTreeSet::new();
        for (_, line) in &self.lines {
            for (at, _) in line.match_indices("crate::") {
                let name: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !name.is_empty() {
                    rooms.insert(name);
                }
            }
        }
        rooms.into_iter().collect()
    }
}

fn holds(line: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(name).any(|(at, _)| {
        let before = word(name.chars().next()) && word(line[..at].chars().next_back());
        let after = word(name.chars().next_back()) && word(line[at + name.len()..].chars().next());
        !before && !after
    })
}

/// Every path of every `use`, written in full, with the line it begins in.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let Some(end) = code[at..].find(';') else { continue };
        let starts_line = code[..at].rsplit('\n').next().is_some_and(|l| l.trim().is_empty() || l.trim().starts_with("pub"));
        if starts_line {
            let line = code[..at].matches('\n').count() + 1;
            let tree: String = code[at + 4..at + end].split_whitespace().collect::<Vec<_>>().join(" ");
            expand("", &tree, &mut |path| all.push((line, path)));
        }
    }
    all
}

fn expand(prefix: &str, tree: &str, found: &mut dyn FnMut(String)) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        if !tree.is_empty() {
            found(format!("{prefix}{tree}"));
        }
        return;
    };
    let prefix = format!("{prefix}{}", &tree[..open]);
    let inner = tree[open + 1..].trim_end().trim_end_matches('}');
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in tree[open + 1..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                expand(&prefix, &tree[open + 1 + start..open + 1 + at], found);
                return;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &tree[open + 1 + start..open + 1 + at], found);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inner[start.min(inner.len())..], found);
}

/// The text with comments and what is in quotes blanked, lines kept.
fn bare(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if rest.starts_with('"') {
            quoted(rest, '"')
        } else if rest.starts_with('\'') {
            // A lifetime is not closed again after one character.
            let character = rest.chars().nth(1) == Some('\\') || rest.chars().nth(2) == Some('\'');
            if character { quoted(rest, '\'') } else { 0 }
        } else {
            0
        };
        if length == 0 {
            let c = rest.chars().next().unwrap_or(' ');
            out.push(c);
            at += c.len_utf8();
        } else {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            at += length;
        }
    }
    out
}

/// The length of a raw string that begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(1 + hashes + 1 + body.find(&close)? + close.len())
}

/// The length of a string or character that begins here.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}
