//! State to cells; one file per region of the screen. Rendering writes nothing, and reads nothing but the state.
//!
//! ```text
//!     header    where am I, is it true, what is wrong
//!     tabs      the screens, what the list shows
//!     body      one file per screen: list (with details), logs, health, metrics, describe; or a notice
//!     footer    the keys that apply here, a message, or the line being typed
//!     overlay   help, palette, confirm, prompt, menu, quit, text; the which-key strip
//! ```

mod body;
mod describe;
mod details;
pub mod export;
mod footer;
pub mod format;
mod header;
mod health;
mod list;
mod logs;
mod metrics;
mod notice;
mod overlay;
pub mod plan;
mod scene;
mod strip;
mod tabs;
pub mod widget;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::layout::{self, Area};
use crate::app::state::State;
use crate::theme::{Role, Theme};

use scene::Scene;

/// Draws the state, whole, into the frame. Any size will do.
pub fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buf = frame.buffer_mut();
    buf.set_style(area, theme.style(Role::Text));
    if area.is_empty() {
        return;
    }
    let scene = Scene::new(state, theme);
    let parts = layout::frame(state.size);
    header::draw(&scene, rect(parts.header), buf);
    tabs::draw(&scene, rect(parts.tabs), buf);
    body::draw(&scene, rect(parts.body), buf);
    scene.rail(buf, area);
    footer::draw(&scene, rect(parts.footer), buf);
    strip::draw(&scene, rect(parts.body), buf);
    let cursor = overlay::draw(&scene, &parts, buf);
    if let Some((x, y)) = cursor.filter(|(x, y)| area.contains((*x, *y).into())) {
        frame.set_cursor_position((x, y));
    }
}

/// The same cells in ratatui's words.
fn rect(area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }
}
