//! Quitting with operations under way: what becomes of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::update::QUIT_ANSWERS;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Page;
use super::super::widget::panel;
use super::{Cursor, look, on};

pub fn draw(scene: &Scene<'_>, room: Rect, buf: &mut Buffer) -> Cursor {
    let (text, key) = (on(scene, Role::Text), on(scene, Role::Key));
    let mut page = Page::new();
    for machine in scene.state.operations.running.iter().take(6) {
        let place = scene.state.name_of(&machine.plan.request.environment);
        page.line()
            .add("● ", on(scene, Role::Accent))
            .add(machine.plan.title.as_ref(), text)
            .add(format!("  in {place}"), on(scene, Role::Dim));
    }
    page.line();
    for (letter, words) in QUIT_ANSWERS {
        page.line().add(letter, key).add(format!("  {words}"), text);
    }
    let tall = u16::try_from(page.lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = panel::draw(buf, panel::middle(room, 92, tall), "Something is under way", look(scene, scene.style(Role::Warn)));
    page.draw(buf, inner, 0);
    None
}
