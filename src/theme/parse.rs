//! A theme file to a [`Theme`]; every mistake in it is told at once, with its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::style::{Color, Style};
use toml::de::DeValue;

use super::{NAMES, Role, Theme, color};
use crate::document::{Document, Node, Section, read, unknown};
use crate::model::Problem;

/// What one file says, before what it inherits is put below it.
#[derive(Default)]
struct Layer {
    palette: BTreeMap<String, Color>,
    /// Role and how it is written: the palette of whoever inherits it applies.
    roles: BTreeMap<Role, String>,
    instances: Option<Vec<String>>,
}

impl Theme {
    /// Reads a theme file. `find` gives the text of the theme another one `inherits`.
    ///
    /// ```toml
    /// name = "mine"
    /// inherits = "dark"                     # optional
    /// instances = ["blue", "#e0af68"]       # colours that tell the instances of a log apart
    /// [palette]
    /// blue = "#7aa2f7"
    /// [roles]
    /// selection = "bright-white on blue bold"
    /// ```
    ///
    /// # Errors
    /// Every mistake in it: unknown roles, colours and modifiers, a theme that inherits itself.
    pub fn parse(text: &str, file: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let document = Document::new(text, file);
        let root = document.root();
        let name = root.require("name", read::name).unwrap_or_default();
        let below = root.get("inherits").map(|node| ancestors(node, &name, text, find)).unwrap_or_default();
        let own = layer(&root, &below);
        if !root.has("inherits") {
            for role in Role::ALL.iter().filter(|role| !own.roles.contains_key(role)) {
                root.note(format!("`roles.{}` is missing: a theme that inherits nothing says it all", role.word()));
            }
        }
        root.end();
        drop(root);
        let problems = document.problems();
        if problems.is_empty() { Ok(build(name, &own, &below)) } else { Err(problems) }
    }
}

/// Reads the themes below, nearest first; their mistakes are told at the line that inherits them.
fn ancestors(node: Node<'_>, name: &str, own: &str, find: &dyn Fn(&str) -> Option<String>) -> Vec<Layer> {
    let mut chain: Vec<(Arc<str>, String)> = Vec::new();
    let mut next = read::text(node);
    while let Some(wanted) = next {
        // Told apart by their text: a file that changes the shipped theme of its own name may inherit that one.
        let found = find(&wanted);
        let again = match &found {
            Some(text) => text == own || chain.iter().any(|(_, t)| t == text),
            None => *wanted == *name || chain.iter().any(|(n, _)| *n == wanted),
        };
        if again {
            let names = std::iter::once(name).chain(chain.iter().map(|(n, _)| &**n)).chain([&*wanted]);
            node.note(format!("a theme cannot inherit itself: {}", names.collect::<Vec<_>>().join(" → ")));
            return Vec::new();
        }
        let Some(text) = found else {
            node.note(unknown("theme", &wanted, NAMES.into_iter()));
            return Vec::new();
        };
        next = Document::new(&text, "").root().read("inherits", read::text);
        chain.push((wanted, text));
    }
    let mut below: Vec<Layer> = Vec::new();
    for (name, text) in chain.iter().rev() {
        let document = Document::new(text, &format!("themes/{name}.toml"));
        let root = document.root();
        root.get("name");
        root.get("inherits");
        below.insert(0, layer(&root, &below));
        root.end();
        drop(root);
        for problem in document.problems() {
            node.note(problem.to_string());
        }
    }
    below
}

/// What a file says by itself; colours may be those of the palettes below.
fn layer(root: &Section<'_>, below: &[Layer]) -> Layer {
    let mut layer = Layer::default();
    let known = |name: &str| below.iter().find_map(|l| l.palette.get(name).copied());
    if let Some(section) = root.read("palette", Node::section) {
        for (name, offset, node) in section.rest() {
            if color::color(name).is_ok() {
                node.document().note(offset, format!("`{name}` is a colour already: choose another name"));
                continue;
            }
            let DeValue::String(word) = node.value() else {
                node.note_expected("a colour");
                continue;
            };
            match known(word).map_or_else(|| color::color(word), Ok) {
                Ok(color) => drop(layer.palette.insert(name.to_owned(), color)),
                Err(why) => node.note_within(0, why),
            }
        }
    }
    let names: Vec<&str> = layer.palette.keys().chain(below.iter().flat_map(|l| l.palette.keys())).map(String::as_str).collect();
    let palette = |name: &str| layer.palette.get(name).copied().or_else(|| known(name));
    let check = |node: Node<'_>, text: &str, only_colour: bool| {
        let read = color::style(text, &palette, &names);
        let plain = read.as_ref().is_ok_and(|s| s.fg.is_some() && *s == Style { fg: s.fg, ..Style::new() });
        if let Err(mistakes) = &read {
            for (offset, why) in mistakes {
                node.note_within(*offset, why.as_str());
            }
        } else if only_colour && !plain {
            node.note("expected one colour");
        }
    };
    if let Some(section) = root.read("roles", Node::section) {
        layer.roles = roles(&section, &check);
    }
    layer.instances = root.read("instances", |node| {
        let items = node.items("an array of colours")?;
        if items.is_empty() {
            node.note("expected at least one colour");
        }
        Some(items.into_iter().filter_map(|n| word(n).inspect(|text| check(n, text, true))).collect())
    });
    layer
}

/// The roles a file gives a look to.
fn roles(section: &Section<'_>, check: &dyn Fn(Node<'_>, &str, bool)) -> BTreeMap<Role, String> {
    let mut roles = BTreeMap::new();
    for (name, offset, node) in section.rest() {
        let Some(role) = Role::ALL.into_iter().find(|r| r.word() == name) else {
            node.document().note(offset, unknown("role", name, Role::ALL.iter().map(|r| r.word())));
            continue;
        };
        if let Some(text) = word(node) {
            check(node, &text, false);
            roles.insert(role, text);
        }
    }
    roles
}

fn word(node: Node<'_>) -> Option<String> {
    match node.value() {
        DeValue::String(text) => Some(text.to_string()),
        _ => node.mismatch("a string such as \"red on default bold\""),
    }
}

/// Puts the layers together, the nearest on top.
fn build(name: Arc<str>, own: &Layer, below: &[Layer]) -> Theme {
    let layers = || std::iter::once(own).chain(below);
    let palette = |name: &str| layers().find_map(|l| l.palette.get(name).copied());
    let style = |text: &String| color::style(text, &palette, &[]).unwrap_or_default();
    let styles = Role::ALL.map(|role| layers().find_map(|l| l.roles.get(&role)).map(style).unwrap_or_default());
    let instances = layers().find_map(|l| l.instances.as_ref()).map(|all| all.iter().filter_map(|t| style(t).fg).collect());
    Theme { name, styles, instances: instances.unwrap_or_default(), depth: super::ColorDepth::True }
}
