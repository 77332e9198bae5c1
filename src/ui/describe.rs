//! The definition as the engine has it, keys apart from values.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::engine::Subject;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::{format, notice};

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(description) = &scene.state.description else {
        let headline = ("◌ Asking the engine", scene.style(Role::Warn));
        return notice::draw(scene, area, buf, headline, &["The definition shows here as soon as it has answered."]);
    };
    let subject = match &description.subject {
        Subject::Workload(_, id) => id.to_string(),
        Subject::Revision(_, id, number) => format!("{id}, revision {number}"),
        Subject::Between(_, id, from, to) => format!("{id}, revision {from} → {to}"),
        Subject::Node(_, name) => name.to_string(),
        Subject::Instance(id) => {
            scene.snapshot.and_then(|s| s.instance(id)).map_or_else(|| id.to_string(), |(_, instance)| instance.name.to_string())
        }
    };
    let title = u16::from(area.height > 2);
    let body = Rect { y: area.y + title, height: area.height - title, ..area };
    let height = usize::from(body.height);
    let first = scene.view.scroll.min(description.lines.len().saturating_sub(height));
    if title > 0 {
        let end = (first + height).min(description.lines.len());
        let at = format!("{}–{} of {} lines", first + 1, end, format::count(description.lines.len() as u64));
        Pen::new(buf, area, 0)
            .put_at_end(" ", scene.style(Role::Dim))
            .put_at_end(&at, scene.style(Role::Dim))
            .skip(3)
            .put(&subject, scene.style(Role::Strong))
            .put("  as the engine has it, secrets masked", scene.style(Role::Dim));
    }
    let (key, value, mark) = (scene.style(Role::Key), scene.style(Role::Text), scene.style(Role::Dim));
    for (line, at) in description.lines.iter().skip(first).take(height).zip(0_u16..) {
        let mut pen = Pen::new(buf, body, at);
        pen.skip(3);
        match split(line) {
            Some((name, rest)) => pen.put(name, key).put(":", mark).put(rest, value),
            None => pen.put(line, value),
        };
    }
}

/// A line's key (with its indent and quotes) and what follows the colon.
fn split(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start_matches([' ', '-']);
    let indent = line.len() - trimmed.len();
    let end = if let Some(rest) = trimmed.strip_prefix('"') {
        let close = rest.find('"')? + 2;
        trimmed[close..].starts_with(':').then_some(close)?
    } else {
        let colon = trimmed.find(": ").or_else(|| trimmed.strip_suffix(':').map(str::len))?;
        trimmed[..colon].chars().all(|c| c.is_alphanumeric() || "_-./ ".contains(c)).then_some(colon)?
    };
    Some((&line[..indent + end], &line[indent + end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_values() {
        assert_eq!(split("  \"Image\": \"a:1\","), Some(("  \"Image\"", " \"a:1\",")));
        assert_eq!(split("  - name: web"), Some(("  - name", " web")));
        assert_eq!(split("spec:"), Some(("spec", "")));
        assert_eq!(split("    \"http://x: y\","), None);
        assert_eq!(split("{"), None);
        assert_eq!(split(""), None);
    }
}
