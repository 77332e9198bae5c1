//! Two definitions of one thing, as lines of `path: value`, and what differs between them. Pure.

use std::collections::BTreeMap;

/// What is at one path in either; nothing where it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What differs, by path.
#[must_use]
pub fn compare<T: AsRef<str>>(before: &[T], after: &[T]) -> Vec<Difference> {
    let mut all: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for (path, value) in before.iter().filter_map(|line| line.as_ref().split_once(": ")) {
        all.entry(path).or_default().0 = Some(value);
    }
    for (path, value) in after.iter().filter_map(|line| line.as_ref().split_once(": ")) {
        all.entry(path).or_default().1 = Some(value);
    }
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let differs = all.into_iter().filter(|(_, (before, after))| before != after);
    differs.map(|(path, (b, a))| Difference { path: path.to_owned(), before: owned(b), after: owned(a) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_by_path() {
        let (before, after) = (["a: 1", "b: x: y", "c: same"], ["b: x: z", "c: same", "d: new"]);
        let told: Vec<(String, Option<String>, Option<String>)> =
            compare(&before, &after).into_iter().map(|d| (d.path, d.before, d.after)).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("a".to_owned(), text("1"), None),
                ("b".to_owned(), text("x: y"), text("x: z")),
                ("d".to_owned(), None, text("new")),
            ]
        );
    }
}
