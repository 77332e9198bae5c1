//! A rule file taken apart: what can be read is, and every mistake is told.

use std::sync::Arc;
use std::time::Duration;

use crate::model::Problem;
use crate::model::problem::{nearest, position};
use crate::observe::redact;
use crate::observe::rule::expr::Expr;
use crate::observe::rule::template::Template;
use crate::observe::rule::yaml::{self, Node};
use crate::observe::text::clean;

use super::{Alerting, Does, Group, Rule, Rules, parse_span};

/// Rules read of one file; what has more is no rule file.
const RULES: usize = 10_000;

/// Reads a rule file; `file` is its name for people.
#[must_use]
pub fn read(source: &str, file: &str) -> Rules {
    let root = yaml::read(source);
    let mut reader = Reader { source, file: file.into(), problems: Vec::new(), rules: 0 };
    let groups = match &root {
        Ok(root) => reader.root(Node::new(source, root)),
        Err((offset, message)) => {
            reader.note(*offset, format!("this is no YAML: {message}"));
            Vec::new()
        }
    };
    reader.problems.sort();
    Rules { groups, problems: reader.problems }
}

/// An expression as it was written, and read.
type Expression = (Arc<str>, Result<Expr, Arc<str>>);

struct Reader<'a> {
    source: &'a str,
    file: Arc<str>,
    problems: Vec<Problem>,
    rules: usize,
}

/// Values of a map by key; those of keys nobody knows have been told.
struct Keys<'a> {
    offset: usize,
    found: Vec<(&'a str, usize, Node<'a>)>,
}

impl<'a> Keys<'a> {
    fn get(&self, key: &str) -> Option<Node<'a>> {
        self.found.iter().find(|(k, _, node)| *k == key && !node.is_null()).map(|(_, _, node)| *node)
    }

    fn key(&self, key: &str) -> Option<usize> {
        self.found.iter().find(|(k, _, _)| *k == key).map(|(_, offset, _)| *offset)
    }
}

impl<'a> Reader<'a> {
    fn note(&mut self, offset: usize, message: impl AsRef<str>) {
        let (line, column) = position(self.source, offset);
        let message = clean(message.as_ref()).into_owned();
        self.problems.push(Problem { file: self.file.clone(), line, column, message });
    }

    fn keys(&mut self, node: Node<'a>, what: &str, known: &[&str]) -> Option<Keys<'a>> {
        let Some(entries) = node.entries() else {
            self.note(node.offset(), format!("expected {what}"));
            return None;
        };
        let found: Vec<_> = entries.collect();
        for (key, offset, _) in found.iter().filter(|(key, _, _)| !known.contains(key)) {
            let near = nearest(key, known.iter().copied()).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            self.note(*offset, format!("unknown key `{key}` in {what}{near}"));
        }
        Some(Keys { offset: node.offset(), found })
    }

    /// The text of a key, if it is there.
    fn text(&mut self, keys: &Keys<'a>, key: &str) -> Option<(&'a str, Node<'a>)> {
        let node = keys.get(key)?;
        let text = node.text();
        if text.is_none() {
            self.note(node.offset(), format!("`{key}`: expected a text"));
        }
        text.map(|text| (text, node))
    }

    fn span(&mut self, keys: &Keys<'a>, key: &str) -> Option<Duration> {
        let (text, node) = self.text(keys, key)?;
        parse_span(text).map_err(|why| self.note(node.offset(), format!("`{key}`: {why}"))).ok()
    }

    fn root(&mut self, node: Node<'a>) -> Vec<Arc<Group>> {
        if node.is_null() {
            return Vec::new();
        }
        let Some(keys) = self.keys(node, "a rule file", &["groups"]) else { return Vec::new() };
        let Some(groups) = keys.get("groups") else { return Vec::new() };
        let Some(groups) = groups.items() else {
            self.note(groups.offset(), "`groups`: expected a list");
            return Vec::new();
        };
        let mut read: Vec<Arc<Group>> = Vec::new();
        for node in groups {
            let Some(group) = self.group(node) else { continue };
            if read.iter().any(|other| other.name == group.name) {
                self.note(node.offset(), format!("the group `{}` is there already", group.name));
            }
            read.push(Arc::new(group));
        }
        read
    }

    fn group(&mut self, node: Node<'a>) -> Option<Group> {
        let known = ["name", "interval", "limit", "query_offset", "labels", "rules"];
        let keys = self.keys(node, "a group", &known)?;
        let name = self.text(&keys, "name").map(|(name, _)| name).filter(|name| !name.trim().is_empty());
        if name.is_none() {
            self.note(keys.offset, "a group needs a `name`");
        }
        let limit = self.text(&keys, "limit").and_then(|(text, node)| {
            let parsed = text.parse().ok();
            if parsed.is_none() {
                self.note(node.offset(), format!("`limit`: expected a whole number, found `{text}`"));
            }
            parsed
        });
        let shared = self.labels(&keys, "labels");
        let mut rules = Vec::new();
        match keys.get("rules").map(|node| (node, node.items())) {
            Some((_, Some(items))) => {
                for item in items {
                    self.rules += 1;
                    if self.rules > RULES {
                        self.note(item.offset(), format!("a file may have {RULES} rules: the rest is left out"));
                        break;
                    }
                    rules.extend(self.rule(item, &shared));
                }
            }
            Some((node, None)) => self.note(node.offset(), "`rules`: expected a list"),
            None => {}
        }
        Some(Group {
            file: self.file.clone(),
            name: safe(name.unwrap_or_default()),
            interval: self.span(&keys, "interval").filter(|span| !span.is_zero()),
            limit: limit.unwrap_or(0),
            offset: self.span(&keys, "query_offset").unwrap_or_default(),
            rules,
        })
    }

    fn rule(&mut self, node: Node<'a>, shared: &[(Arc<str>, Template)]) -> Option<Rule> {
        let known = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];
        let keys = self.keys(node, "a rule", &known)?;
        let (alert, record) = (self.text(&keys, "alert"), self.text(&keys, "record"));
        let is_alert = match (alert, record) {
            (Some(_), None) => true,
            (None, Some((name, node))) => {
                if !is_series(name) {
                    self.note(node.offset(), format!("`record`: `{name}` is no name of a series"));
                }
                for key in ["for", "keep_firing_for", "annotations"] {
                    if let Some(offset) = keys.key(key) {
                        self.note(offset, format!("`{key}` belongs to alerts, this rule records a series"));
                    }
                }
                false
            }
            (Some(_), Some((_, node))) => {
                self.note(node.offset(), "`alert` and `record` exclude each other");
                return None;
            }
            (None, None) => {
                self.note(keys.offset, "a rule needs `alert` or `record`");
                return None;
            }
        };
        let name = alert.or(record).map_or("", |(name, _)| name);
        if name.is_empty() {
            self.note(keys.offset, "the name of a rule must not be empty");
        }
        let mut labels: Vec<(Arc<str>, Template)> = shared.to_vec();
        for (name, value) in self.labels(&keys, "labels") {
            labels.retain(|(other, _)| *other != name);
            labels.push((name, value));
        }
        let (expression, expr) = self.expression(&keys, name)?;
        let does = if is_alert {
            Does::Alert(Alerting {
                after: self.span(&keys, "for").unwrap_or_default(),
                keep: self.span(&keys, "keep_firing_for").unwrap_or_default(),
                annotations: self.labels(&keys, "annotations"),
            })
        } else {
            Does::Record
        };
        let line = position(self.source, keys.offset).0;
        Some(Rule { name: safe(name), expression, expr, labels, does, line })
    }

    fn expression(&mut self, keys: &Keys<'a>, name: &str) -> Option<Expression> {
        let Some((text, node)) = self.text(keys, "expr").filter(|(text, _)| !text.trim().is_empty()) else {
            self.note(keys.key("expr").unwrap_or(keys.offset), format!("the rule `{name}` needs an `expr`"));
            return None;
        };
        let expr = Expr::parse(text).map_err(|fault| {
            self.note(node.place(fault.offset), format!("{}: {}", safe(name), fault.message));
            fault.message
        });
        Some((safe(text.trim()), expr))
    }

    /// Names and templates; mistakes in them are told, and the rule is evaluated all the same.
    fn labels(&mut self, keys: &Keys<'a>, key: &str) -> Vec<(Arc<str>, Template)> {
        let Some(node) = keys.get(key) else { return Vec::new() };
        let Some(entries) = node.entries() else {
            self.note(node.offset(), format!("`{key}`: expected names and texts"));
            return Vec::new();
        };
        let mut read = Vec::new();
        for (name, offset, node) in entries {
            if !is_label(name) || (key == "labels" && name == crate::model::labels::NAME) {
                self.note(offset, format!("`{name}` is no name of a label"));
                continue;
            }
            let text = if node.is_null() { Some("") } else { node.text() };
            let Some(text) = text else {
                self.note(node.offset(), format!("`{name}`: expected a text"));
                continue;
            };
            let (template, fault) = Template::parse(text);
            if let Some(fault) = fault {
                self.note(node.place(fault.offset), format!("{name}: {}; the text is shown as it stands", fault.message));
            }
            read.push((name.into(), template));
        }
        read
    }
}

/// Text of a file, safe to be shown.
fn safe(text: &str) -> Arc<str> {
    redact::text(&clean(text)).as_ref().into()
}

fn is_label(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_series(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}
