//! What regions are made of: text, sparklines, charts, pages. They know cells and styles, not the state.

pub mod chart;
pub mod page;
pub mod panel;
pub mod spark;
pub mod text;

pub use page::Page;
pub use text::Pen;
