//! JSON as YAML, block style, the way kubectl writes it. Pure.

use serde_json::Value;

/// Longest line of a text that stands on one line, characters.
const LONGEST: usize = 4096;

/// The lines of a value.
#[must_use]
pub fn lines(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    block(value, 0, &mut lines);
    lines
}

fn block(value: &Value, indent: usize, lines: &mut Vec<String>) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                entry(&format!("{pad}{}:", scalar(key)), value, indent, lines);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for item in list {
                let at = lines.len();
                block(item, indent + 2, lines);
                // The first line of an item carries its dash.
                if let Some(first) = lines.get_mut(at) {
                    let text = first.trim_start();
                    *first = format!("{pad}- {text}");
                }
            }
        }
        Value::String(text) => {
            for (n, line) in text_lines(text, indent).into_iter().enumerate() {
                lines.push(if n == 0 { format!("{pad}{line}") } else { line });
            }
        }
        other => lines.push(format!("{pad}{}", flat(other))),
    }
}

fn entry(key: &str, value: &Value, indent: usize, lines: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            lines.push(key.to_owned());
            block(value, indent + 2, lines);
        }
        Value::Array(list) if !list.is_empty() => {
            lines.push(key.to_owned());
            block(value, indent, lines);
        }
        Value::String(text) => {
            for (n, line) in text_lines(text, indent + 2).into_iter().enumerate() {
                lines.push(if n == 0 { format!("{key} {line}") } else { line });
            }
        }
        other => lines.push(format!("{key} {}", flat(other))),
    }
}

fn flat(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => scalar(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A text of several lines as a literal block, one of one line as it is or quoted.
fn text_lines(text: &str, indent: usize) -> Vec<String> {
    let plain = text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control());
    if !plain {
        return vec![scalar(text)];
    }
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) if !body.ends_with('\n') => (body, "|"),
        Some(_) => (text.trim_end_matches('\n'), "|+"),
        None => (text, "|-"),
    };
    let pad = " ".repeat(indent);
    let lines = body.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") });
    std::iter::once(head.to_owned()).chain(lines).collect()
}

/// A text on one line: quoted where it would be read as something else.
fn scalar(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    let odd = text.is_empty()
        || text.starts_with([
            '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', ' ', '=', '~',
        ])
        || text.ends_with([' ', ':'])
        || text.contains(": ")
        || text.contains(" #")
        || text.chars().any(char::is_control);
    let word = text.to_ascii_lowercase();
    let other = matches!(word.as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | ".nan" | ".inf")
        || text.parse::<f64>().is_ok()
        || (text.starts_with(|c: char| c.is_ascii_digit()) && looks_like_a_figure(&text));
    // A command's flag is a word all the same.
    let flag = text.starts_with("--") && !text.contains(": ") && !text.contains(" #") && !text.ends_with([' ', ':']);
    if (odd && !flag) || other { serde_json::to_string(&text).unwrap_or(text) } else { text }
}

/// Times, octal and sexagesimal numbers: readers differ on what they are.
fn looks_like_a_figure(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '-' | '+' | '.' | '_' | 'T' | 'Z' | 'x' | 'o' | 'e' | 'E'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_kubectl_writes_them() {
        let value = json!({
            "apiVersion": "v1",
            "empty": {}, "none": [], "null": null, "on": true, "count": 3,
            "containers": [{"name": "web", "args": ["--verbose", "-c", "a: b"]}, {"name": "proxy"}],
            "nested": [["a", "b"], []],
            "text": "one\ntwo\n", "open": "one\ntwo", "version": "1.10", "time": "2026-11-21T00:00:00Z", "blank": "",
        });
        let expected = "\
apiVersion: v1
blank: \"\"
containers:
- args:
  - --verbose
  - \"-c\"
  - \"a: b\"
  name: web
- name: proxy
count: 3
empty: {}
nested:
- - a
  - b
- []
none: []
\"null\": null
\"on\": true
open: |-
  one
  two
text: |
  one
  two
time: \"2026-11-21T00:00:00Z\"
version: \"1.10\"";
        assert_eq!(lines(&value).join("\n"), expected);
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        for recorded in [
            include_str!("../../../../tests/engines/kubernetes/recorded/deployment.json"),
            include_str!("../../../../tests/engines/kubernetes/recorded/pod-crasher.json"),
        ] {
            let value: Value = serde_json::from_str(recorded).unwrap();
            let text = lines(&value).join("\n");
            let back: Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(back, value);
        }
    }
}
