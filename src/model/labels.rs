//! What tells the series of a family apart: names and values, sorted by name. Without a name or with an empty value there is
//! no such label, as in Prometheus.

use std::fmt;
use std::sync::Arc;

/// The label that holds a series' name.
pub const NAME: &str = "__name__";

/// A set of labels; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Default for Labels {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Labels {
    /// The set of these; of a name given twice the last counts.
    #[must_use]
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(Arc<str>, Arc<str>)> = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        // The sort is stable: of equal names the last one stays last.
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut kept: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match kept.last_mut() {
                Some(last) if last.0 == pair.0 => *last = pair,
                Some(_) | None => kept.push(pair),
            }
        }
        kept.retain(|(name, value)| !name.is_empty() && !value.is_empty());
        Self(kept.into())
    }

    /// The value of a label; empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.find(name).map_or("", |at| &self.0[at].1)
    }

    /// Whether there is such a label.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|(n, _)| (**n).cmp(name)).ok()
    }

    /// Names and values, sorted by name.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(n, v)| (n, v))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, and `name` with this value; an empty value takes it away.
    #[must_use]
    pub fn with(&self, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        let own = self.0.iter().cloned();
        Self::new(own.chain([(name.into(), value.into())]))
    }

    /// Those `keep` wants.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        if self.0.iter().all(|(n, _)| keep(n)) {
            return self.clone();
        }
        Self(self.0.iter().filter(|(n, _)| keep(n)).cloned().collect())
    }
}

impl fmt::Display for Labels {
    /// `name{a="b",c="d"}`, as Prometheus writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get(NAME))?;
        let mut others = self.iter().filter(|(n, _)| ***n != *NAME).peekable();
        if others.peek().is_none() {
            return if self.has(NAME) { Ok(()) } else { f.write_str("{}") };
        }
        f.write_str("{")?;
        for (nth, (name, value)) in others.enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(f, "{comma}{name}=\"{value}\"")?;
        }
        f.write_str("}")
    }
}

impl serde::Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_sorted_and_an_empty_value_is_no_label() {
        let labels = Labels::new([("b", "2"), ("a", "1"), ("c", ""), ("b", "3")]);
        assert_eq!((labels.get("a"), labels.get("b"), labels.get("c"), labels.len()), ("1", "3", "", 2));
        assert_eq!(labels.with("a", "").to_string(), "{b=\"3\"}");
        assert_eq!(labels.with(NAME, "up").with("b", "x\"\n").to_string(), "up{a=\"1\",b=\"x\\\"\\n\"}");
        assert_eq!(labels.only(|n| n == "zz").to_string(), "{}");
        assert_eq!(Labels::new([(NAME, "up")]).to_string(), "up");
    }
}
