//! The plan, whole, and the question its guard asks; framed in the tier's colour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::operations::question;
use crate::app::state::Confirm;
use crate::model::{Guard, Tier};
use crate::operate::Operation;
use crate::operate::guard::Question;
use crate::theme::Role;

use super::super::plan::{inner_width, line_of, parts};
use super::super::scene::Scene;
use super::super::widget::panel;
use super::super::widget::{Page, Pen};
use super::{Cursor, input, look, on};

pub fn draw(scene: &Scene<'_>, confirm: &Confirm, room: Rect, buf: &mut Buffer) -> Cursor {
    let plan = &confirm.plan;
    let id = &plan.request.environment;
    let tier = scene.state.snapshot(id).map_or(Tier::Unknown, |s| s.environment.tier);
    let name = scene.state.name_of(id);
    let inner = inner_width(room.width);
    let wide = inner + 4;
    let mut page = Page::new();
    for line in parts(plan, &confirm.previews, &name, tier, inner) {
        page.line();
        for part in line {
            page.add(part.text, on(scene, part.role));
        }
    }
    let asks = 2 + u16::from(confirm.refusal.is_some());
    let tall = u16::try_from(page.lines.len()).unwrap_or(u16::MAX).saturating_add(2 + asks);
    let area = panel::middle(room, wide, tall);
    let title = tier.word().to_uppercase();
    let mut look = look(scene, scene.theme.rail(tier));
    look.title = scene.theme.tier(tier);
    let inner = panel::draw(buf, area, &title, look);
    let upper = Rect { height: inner.height.saturating_sub(asks), ..inner };
    let (_, below) = page.draw(buf, upper, line_of(plan, &confirm.previews, &name, tier, wide.saturating_sub(4), confirm.scroll));
    let lower = Rect { y: upper.bottom(), height: inner.height - upper.height, ..inner };
    if below > 0 {
        // What is out of sight must not be agreed to unseen.
        Pen::new(buf, lower, 0).put(&format!("↓ {below} more lines of the plan"), on(scene, Role::Warn));
    }
    if let Some(refusal) = &confirm.refusal {
        Pen::new(buf, lower, 1).put("✖ ", on(scene, Role::Bad)).put(refusal, on(scene, Role::Bad));
    }
    ask(scene, confirm, lower, asks - 1, buf)
}

/// What has to be done to start it.
fn ask(scene: &Scene<'_>, confirm: &Confirm, area: Rect, line: u16, buf: &mut Buffer) -> Cursor {
    let (text, key) = (on(scene, Role::Text), on(scene, Role::Key));
    let mut pen = Pen::new(buf, area, line);
    if confirm.plan.asked().any(|asked| !confirm.plan.confirmed.contains(asked)) {
        pen.put("space", key).put(" ticks what a person must say; ", text);
    }
    if let Operation::Deploy { fast, .. } = &confirm.plan.request.operation
        && (*fast || confirm.plan.before() > 0)
    {
        pen.put("tab", key).put(if *fast { " with the checks before; " } else { " without the checks before; " }, text);
    }
    match question(scene.state, &confirm.plan) {
        Some(Question::Type(name)) => {
            pen.put("type ", text).put(&name, on(scene, Role::Strong)).put(" to start it: ", text);
            let x = pen.x();
            let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
            input(buf, rest, line, &confirm.typed, on(scene, Role::Accent))
        }
        None if confirm.plan.guard == Guard::ReadOnly => {
            pen.put("read-only: nothing can be changed here.  ", on(scene, Role::Warn)).put("esc", key).put(" leaves", text);
            None
        }
        Some(Question::Yes) | None => {
            pen.put("enter", key).put(" starts it, ", text).put("esc", key).put(" leaves and changes nothing", text);
            None
        }
    }
}
