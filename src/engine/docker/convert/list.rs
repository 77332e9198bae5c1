//! The container list read entry by entry: memory for one at a time, and an odd one is passed over, not the whole list.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::engine::docker::wire::Listed;

/// Calls `each` with every entry that can be read; answers how many could not.
///
/// # Errors
/// When the answer is no list at all.
pub fn read(body: &[u8], mut each: impl FnMut(&Listed)) -> Result<usize, String> {
    let mut rest = body.trim_ascii();
    if rest == b"null" {
        return Ok(0);
    }
    rest = rest.strip_prefix(b"[").ok_or("the container list is no list")?.trim_ascii_start();
    let mut odd = 0;
    while !rest.starts_with(b"]") {
        let mut entry = Deserializer::from_slice(rest).into_iter::<Listed>();
        let end = if let Some(Ok(listed)) = entry.next() {
            each(&listed);
            entry.byte_offset()
        } else {
            odd += 1;
            let mut skipped = Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
            match skipped.next() {
                Some(Ok(_)) => skipped.byte_offset(),
                Some(Err(error)) => return Err(format!("the container list breaks off: {error}")),
                None => return Err("the container list breaks off".into()),
            }
        };
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    }
    Ok(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str) -> Result<(Vec<String>, usize), String> {
        let mut ids = Vec::new();
        let odd = read(body.as_bytes(), |listed| ids.push(listed.id.clone()))?;
        Ok((ids, odd))
    }

    #[test]
    fn odd_entries_are_passed_over_and_a_broken_list_is_said() {
        let some = |list: &[&str], odd| Ok((list.iter().map(ToString::to_string).collect(), odd));
        assert_eq!(ids("[]"), some(&[], 0));
        assert_eq!(ids("null\n"), some(&[], 0));
        assert_eq!(ids(r#" [ {"Id":"a"} , {"Id":"b","Names":null,"State":"quantum"} ] "#), some(&["a", "b"], 0));
        assert_eq!(ids(r#"[{"Id":"a"},{"Id":7},{"Id":"c","Ports":[{"PrivatePort":"x"}]},{"Id":"d"}]"#), some(&["a", "d"], 2));
        assert!(ids(r#"{"message":"no"}"#).is_err());
        assert!(ids(r#"[{"Id":"a"},{"Id":"#).is_err());
        assert!(ids(r#"[{"Id":"a"}"#).is_err());
        assert!(ids("").is_err());
    }
}
