//! An env file as Compose reads it, and whether the keys a deploy needs are really filled in. Values are never repeated.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::observe::hygiene::is_placeholder;

/// The keys of an env file's text and what each stands for; of a key that is there twice, the last counts. A value is
/// `None` where it leans on a variable that is neither in the file before it nor known to `is_set`.
#[must_use]
pub fn parse(text: &str, is_set: &dyn Fn(&str) -> bool) -> BTreeMap<String, Option<String>> {
    let mut keys: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() {
        let line = rest.trim_start();
        if line.starts_with('#') {
            rest = after_line(line);
            continue;
        }
        let end = line.find('\n').unwrap_or(line.len());
        let Some(at) = line[..end].find(['=', ':']) else {
            // A key alone takes its value from where Compose runs.
            let key = name(&line[..end]);
            if !key.is_empty() {
                keys.insert(key.to_owned(), is_set(key).then(|| "from the environment".to_owned()));
            }
            rest = &line[end..];
            continue;
        };
        let key = name(&line[..at]).to_owned();
        let (value, after) = value(&line[at + 1..]);
        let leans_on_nothing = value.leans.iter().any(|name| !keys.get(*name).is_some_and(Option::is_some) && !is_set(name));
        keys.insert(key, (!leans_on_nothing).then_some(value.text));
        rest = after;
    }
    keys
}

fn name(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("export ").unwrap_or(text).trim()
}

fn after_line(text: &str) -> &str {
    text.find('\n').map_or("", |end| &text[end + 1..])
}

/// A value as it is written.
struct Value<'a> {
    text: String,
    /// Variables it takes from elsewhere and has no default for.
    leans: Vec<&'a str>,
}

/// The value that begins here, and what comes after it.
fn value(text: &str) -> (Value<'_>, &str) {
    let start = text.trim_start_matches([' ', '\t']);
    if let Some(quote @ ('"' | '\'')) = start.chars().next() {
        let body = &start[1..];
        // A quote that is never closed ends with its line.
        let end = closing(body, quote).unwrap_or_else(|| body.find('\n').unwrap_or(body.len()));
        let (inside, after) = body.split_at(end);
        let leans = if quote == '"' { leans(inside) } else { Vec::new() };
        return (Value { text: inside.to_owned(), leans }, after_line(after));
    }
    let end = start.find('\n').unwrap_or(start.len());
    let line = start[..end].trim_end_matches('\r');
    let comment = if line.starts_with('#') { Some(0) } else { line.find(" #").or_else(|| line.find("\t#")) };
    let plain = line[..comment.unwrap_or(line.len())].trim();
    (Value { text: plain.to_owned(), leans: leans(plain) }, &start[end..])
}

/// Where the quote that closes the text stands.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    body.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = quote == '"' && c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// The variables (`$NAME`, `${NAME}`) a value needs from elsewhere; those with a default (`${NAME:-x}`) it does not.
fn leans(value: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let body = braced.unwrap_or(rest);
        let end = body.find(|c| !is_name(c)).unwrap_or(body.len());
        let begins = body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let bare =
            braced.is_none() || body[end..].starts_with('}') || body[end..].starts_with(['?']) || body[end..].starts_with(":?");
        if begins && bare && !escaped {
            found.push(&body[..end]);
        }
        rest = &body[end..];
    }
    found
}

/// Looks whether `text` fills in every one of `required`; says how many keys are there.
///
/// # Errors
/// What is missing, empty or a placeholder, by key.
pub fn complete(text: &str, required: &[Arc<str>], is_set: &dyn Fn(&str) -> bool) -> Result<String, String> {
    let keys = parse(text, is_set);
    let (mut missing, mut empty, mut unset, mut waiting) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for key in required {
        match keys.get(&**key) {
            None => missing.push(&**key),
            Some(None) => unset.push(&**key),
            Some(Some(value)) if value.trim().is_empty() => empty.push(&**key),
            Some(Some(value)) if is_placeholder(value) => waiting.push(&**key),
            Some(Some(_)) => {}
        }
    }
    let told =
        [(missing, "missing"), (empty, "empty"), (unset, "not set where it is taken from"), (waiting, "still a placeholder")];
    let told: Vec<String> = told
        .iter()
        .filter(|(keys, _)| !keys.is_empty())
        .map(|(keys, how)| format!("{} {} {how}", keys.join(", "), if keys.len() == 1 { "is" } else { "are" }))
        .collect();
    if told.is_empty() { Ok(format!("{} of {} keys needed are set", required.len(), keys.len())) } else { Err(told.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_compose_reads_it() {
        let text = "\u{feff}# head\nA=1\n export B = two words  # why\nC=\"quoted # not a comment\"\nD='single $X'\r\n\nE=\nF\nG: yaml\n\
                    H=\"two\nlines\"\nI=a#b\nJ=\"esc \\\" aped\"\nK=${A}/x\nL=${NOPE}\nM=${NOPE:-fine}\nN=$HOME/x\nO=\"$$literal\"\nA=last\n\
                    P=\"never closed\nQ=after\nR=#only a comment\n";
        let keys = parse(text, &|name| name == "HOME");
        for (key, value) in [
            ("A", Some("last")),
            ("B", Some("two words")),
            ("C", Some("quoted # not a comment")),
            ("D", Some("single $X")),
            ("E", Some("")),
            ("F", None),
            ("G", Some("yaml")),
            ("H", Some("two\nlines")),
            ("I", Some("a#b")),
            ("J", Some("esc \\\" aped")),
            ("K", Some("${A}/x")),
            ("L", None),
            ("M", Some("${NOPE:-fine}")),
            ("N", Some("$HOME/x")),
            ("O", Some("$$literal")),
            ("Q", Some("after")),
            ("R", Some("")),
        ] {
            assert_eq!(keys.get(key).map(Option::as_deref), Some(value), "{key}");
        }
        assert!(keys.contains_key("P"));
    }

    #[test]
    fn what_somebody_has_yet_to_fill_in_is_told_from_a_value() {
        for value in [
            "change_me",
            "CHANGEME",
            "change-me",
            "Change Me",
            "please_change_me_now",
            "xxx",
            "XXXXXXXX",
            "todo",
            "TODO",
            "your_key",
            "your-api-key",
            "your secret here",
            "<password>",
            "{{ password }}",
            "example",
            "replace_me",
            "secret",
            "Password",
            "***",
            "...",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in [
            "hunter2",
            "xx",
            "x",
            "https://api.example/x",
            "yours",
            "todo-list",
            "secretariat",
            "a<b>",
            "0",
            "examples",
            "sk-xxx1",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn what_is_lacking_is_named_and_no_value_is_repeated() {
        let text = "DB_PASSWORD=hunter2\nREDIS_URL=\nJWT=change_me\nKEY=${VAULT_KEY}\n";
        let required = |keys: &[&str]| keys.iter().map(|key| Arc::from(*key)).collect::<Vec<_>>();
        let of = |keys: &[&str]| complete(text, &required(keys), &|_| false);
        assert_eq!(of(&["DB_PASSWORD"]).as_deref(), Ok("1 of 4 keys needed are set"));
        assert_eq!(of(&[]).as_deref(), Ok("0 of 4 keys needed are set"));
        let why = of(&["DB_PASSWORD", "REDIS_URL", "JWT", "KEY", "R2_BUCKET", "R2_KEY"]).unwrap_err();
        assert_eq!(
            why,
            "R2_BUCKET, R2_KEY are missing; REDIS_URL is empty; KEY is not set where it is taken from; JWT is still a placeholder"
        );
    }
}
