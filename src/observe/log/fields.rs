//! The fields of a line as JSON values: of a JSON line with the types they have there, of any other a number where one
//! stands.

use serde_json::{Map, Value};

use super::{Format, LineView, Parsed};

/// The fields by name.
pub(super) fn fields(line: &LineView<'_>, parsed: &Parsed<'_>) -> Map<String, Value> {
    if parsed.fields.is_empty() {
        return Map::new();
    }
    let whole = if line.format == Format::Json { serde_json::from_str(line.text).ok() } else { None };
    let typed = |name: &str, text: &str| match &whole {
        Some(whole) => find(whole, name).cloned(),
        None => number(text),
    };
    let value = |name: &str, text: &str| typed(name, text).unwrap_or_else(|| Value::String(text.to_owned()));
    parsed.fields.iter().map(|(name, text)| (name.to_string(), value(name, text))).collect()
}

/// What a name leads to: a member, or one of an object within, `a.b`.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| {
        name.match_indices('.').find_map(|(dot, _)| {
            let (outer, inner) = (&name[..dot], &name[dot + 1..]);
            object.get(outer).and_then(|within| find(within, inner))
        })
    })
}

/// A number, where the text is one as JSON writes it: `007` and a phone number stay text.
fn number(text: &str) -> Option<Value> {
    let first = text.as_bytes().first()?;
    if !(first.is_ascii_digit() || *first == b'-') || text.len() > 15 {
        return None;
    }
    serde_json::from_str::<serde_json::Number>(text).ok().map(Value::Number)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;

    use super::super::{ChunkBuilder, LogBatch, Stream, parse};
    use super::*;

    #[test]
    fn values_have_the_types_they_came_with() {
        let table = [
            (
                r#"{"level":"info","msg":"request","status":200,"id":"7","http":{"path":"/a"},"ok":true,"none":null}"#,
                ("request", json!({"status": 200, "id": "7", "http.path": "/a", "ok": true, "none": null})),
            ),
            ("level=warn msg=slow ms=900 code=007 to=db-1", ("slow", json!({"ms": 900, "code": "007", "to": "db-1"}))),
            ("just a line", ("just a line", json!({}))),
        ];
        for (text, (message, expected)) in table {
            let mut chunk = ChunkBuilder::new();
            chunk.line(Timestamp::UNIX_EPOCH, Stream::Stdout, text.as_bytes());
            let batch = LogBatch::new("a".into(), Arc::new(chunk.finish()));
            let line = batch.line(0).unwrap();
            let parsed = parse(&line);
            assert_eq!((&*parsed.message, Value::Object(fields(&line, &parsed))), (message, expected), "{text}");
        }
    }
}
