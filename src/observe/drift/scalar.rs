//! The small notations of compose files, each in one way of writing: durations, sizes, commands, image names, ports.

use serde_json::Value;

/// A scalar as the compose tool would hand it to the engine.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Nanoseconds of `1m30s`, `500ms`, `1.5s`; a bare number is nanoseconds.
#[must_use]
pub fn nanoseconds(value: &Value) -> Option<i64> {
    let text = text(value)?;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let mut rest = text.as_str();
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "h" => 3.6e12,
                "m" => 6e10,
                "s" => 1e9,
                "ms" => 1e6,
                "us" | "µs" => 1e3,
                "ns" => 1.0,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    #[allow(clippy::cast_possible_truncation, reason = "a duration of a health check is far from the bound")]
    Some(total.round() as i64)
}

/// `90s`, `1.5s`.
#[must_use]
pub fn duration(nanoseconds: i64) -> String {
    let seconds = nanoseconds as f64 / 1e9;
    format!("{seconds}s")
}

/// Bytes of `512m`, `1.5GB`, `1073741824`.
#[must_use]
pub fn bytes(value: &Value) -> Option<u64> {
    let text = text(value)?.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let factor: f64 = match text[digits..].trim().trim_end_matches("ib").trim_end_matches('b') {
        "" => 1.0,
        "k" => 1024.0,
        "m" => 1024.0 * 1024.0,
        "g" => 1024.0 * 1024.0 * 1024.0,
        "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no machine has so much memory")]
    Some((number * factor) as u64)
}

/// `512 MiB`, or the bytes where that is not even.
#[must_use]
pub fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

/// A command as one line; every word can be told from its neighbours.
#[must_use]
pub fn line<T: AsRef<str>>(words: &[T]) -> String {
    let quoted = words.iter().map(|word| {
        let word = word.as_ref();
        let plain = !word.is_empty() && !word.chars().any(|c| c.is_whitespace() || "'\"\\".contains(c));
        if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The words of a command written as one text, as a shell would read it.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            (_, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// An image's whole name without what may be left out: `docker.io/library/nginx:latest` is `nginx:latest`.
#[must_use]
pub fn image(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").or_else(|| name.strip_prefix("index.docker.io/")).unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let tagged = name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged || name.starts_with("sha256:") { name.to_owned() } else { format!("{name}:latest") }
}

/// Where a container's port is published: its address, unless it is every one, and its port, or that any will do.
#[must_use]
pub fn published(address: &str, port: &str) -> String {
    let port = if port.is_empty() || port == "0" { "any" } else { port };
    if matches!(address, "" | "0.0.0.0" | "::") { port.to_owned() } else { format!("{address}:{port}") }
}

/// The bindings of `[address:][host:]container[/protocol]`, ranges opened out, as (container port, where).
#[must_use]
pub fn ports(text: &str) -> Vec<(String, String)> {
    let (text, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    let (rest, target) = text.rsplit_once(':').unwrap_or(("", text));
    let (address, host) = match rest.rsplit_once(':') {
        Some((address, host)) => (address.trim_matches(['[', ']']), host),
        None => ("", rest),
    };
    let (targets, hosts) = (range(target), range(host));
    let one_each = targets.len() == hosts.len();
    targets
        .iter()
        .enumerate()
        .map(|(at, target)| {
            let port = if one_each { hosts[at].clone() } else { host.to_owned() };
            (format!("{target}/{protocol}"), published(address, &port))
        })
        .collect()
}

fn range(text: &str) -> Vec<String> {
    match text.split_once('-').map(|(from, to)| (from.parse::<u16>(), to.parse::<u16>())) {
        Some((Ok(from), Ok(to))) if from <= to => (from..=to).map(|port| port.to_string()).collect(),
        Some(_) | None => vec![text.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn notations_have_one_way_of_writing() {
        for (given, seconds) in [("1m30s", "90s"), ("90s", "90s"), ("1h0m0s", "3600s"), ("500ms", "0.5s"), ("0s", "0s")] {
            assert_eq!(nanoseconds(&json!(given)).map(duration).as_deref(), Some(seconds), "{given}");
        }
        assert_eq!((nanoseconds(&json!(5_000_000_000_i64)), nanoseconds(&json!("soon"))), (Some(5_000_000_000), None));
        for (given, shown) in [("512m", "512 MiB"), ("1GB", "1024 MiB"), ("1gib", "1024 MiB"), ("1000", "1000 bytes")] {
            assert_eq!(bytes(&json!(given)).map(size).as_deref(), Some(shown), "{given}");
        }
        for (given, whole) in [
            ("nginx", "nginx:latest"),
            ("docker.io/library/nginx:1", "nginx:1"),
            ("reg:5000/a", "reg:5000/a:latest"),
            ("a@sha256:1", "a@sha256:1"),
        ] {
            assert_eq!(image(given), whole);
        }
    }

    #[test]
    fn commands_are_split_as_a_shell_does() {
        for (given, words) in [
            ("sh -c 'echo a  b'", vec!["sh", "-c", "echo a  b"]),
            (r#"a "b \"c" d\ e ''"#, vec!["a", "b \"c", "d e", ""]),
            ("  ", vec![]),
        ] {
            assert_eq!(split(given), words);
            assert_eq!(split(&line(&words)), words);
        }
    }

    #[test]
    fn ports_are_told_apart() {
        let of = |text: &str| ports(text).into_iter().map(|(target, at)| format!("{target}={at}")).collect::<Vec<_>>();
        for (given, bindings) in [
            ("80", vec!["80/tcp=any"]),
            ("8080:80", vec!["80/tcp=8080"]),
            ("127.0.0.1:53:53/udp", vec!["53/udp=127.0.0.1:53"]),
            ("0.0.0.0::80", vec!["80/tcp=any"]),
            ("[::1]:1:2", vec!["2/tcp=::1:1"]),
            ("3000-3001:4000-4001", vec!["4000/tcp=3000", "4001/tcp=3001"]),
            ("8000-8010:80", vec!["80/tcp=8000-8010"]),
        ] {
            assert_eq!(of(given), bindings, "{given}");
        }
    }
}
