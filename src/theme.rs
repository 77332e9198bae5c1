//! Typed roles over a palette: call sites say what a thing means, a theme says how that looks. No colour is named
//! anywhere else.

mod color;
mod depth;
mod parse;
mod role;
pub mod sgr;

use std::sync::Arc;

use ratatui::style::{Color, Modifier, Style};

use crate::app::rows::Tone;
use crate::model::{Health, Link, Tier};
use crate::observe::log::Level;
use crate::observe::text::{Ansi, Sgr};

pub use depth::ColorDepth;
pub use role::Role;

/// The themes shipped in the binary.
pub const NAMES: [&str; 6] = ["terminal", "dark", "light", "high-contrast", "colour-blind", "mono"];

/// The text of a theme shipped in the binary.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static str> {
    match name {
        "terminal" => Some(include_str!("../themes/terminal.toml")),
        "dark" => Some(include_str!("../themes/dark.toml")),
        "light" => Some(include_str!("../themes/light.toml")),
        "high-contrast" => Some(include_str!("../themes/high-contrast.toml")),
        "colour-blind" => Some(include_str!("../themes/colour-blind.toml")),
        "mono" => Some(include_str!("../themes/mono.toml")),
        _ => None,
    }
}

/// How everything looks. [`Role::Text`] goes over the whole screen first, everything else is patched onto it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub name: Arc<str>,
    /// In the order of [`Role::ALL`].
    styles: [Style; Role::ALL.len()],
    /// Colours that tell instances apart; never empty unless colours are off.
    instances: Vec<Color>,
    depth: ColorDepth,
}

impl Default for Theme {
    /// The theme `terminal`. A test holds it to be free of mistakes; with one everything would look alike.
    fn default() -> Self {
        let plain = Self {
            name: "terminal".into(),
            styles: [Style::new(); Role::ALL.len()],
            instances: Vec::new(),
            depth: ColorDepth::True,
        };
        let text = builtin("terminal").unwrap_or_default();
        Self::parse(text, "themes/terminal.toml", &|name| builtin(name).map(str::to_owned)).unwrap_or(plain)
    }
}

impl Theme {
    /// How a role looks.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// How a health looks, symbol and word alike.
    #[must_use]
    pub fn health(&self, health: Health) -> Style {
        self.style(match health {
            Health::Healthy => Role::Good,
            Health::Stopped => Role::Dim,
            Health::Unknown => Role::Unknown,
            Health::Starting => Role::Starting,
            Health::Degraded => Role::Warn,
            Health::Unhealthy => Role::Bad,
        })
    }

    /// How the state of a feed looks.
    #[must_use]
    pub fn link(&self, link: &Link) -> Style {
        self.style(match link {
            Link::Live { .. } => Role::Good,
            Link::Connecting => Role::Starting,
            Link::Stale { .. } => Role::Warn,
            Link::Failed { .. } => Role::Bad,
        })
    }

    /// How a tier's name is written: for production a block that cannot be overlooked.
    #[must_use]
    pub fn tier(&self, tier: Tier) -> Style {
        self.style(match tier {
            Tier::Local => Role::TierLocal,
            Tier::Staging => Role::TierStaging,
            Tier::Production => Role::TierProduction,
            Tier::Unknown => Role::TierUnknown,
        })
    }

    /// How lines and rails in a tier's colour are drawn: its block's background, or its text's colour where it has none.
    /// What is written as a block has bold lines, so that production's frame is told apart without colours too.
    #[must_use]
    pub fn rail(&self, tier: Tier) -> Style {
        let name = self.tier(tier);
        let ground = name.bg.filter(|c| *c != Color::Reset);
        let line = Style { fg: ground.or(name.fg), ..Style::new() };
        let block = ground.is_some() || name.add_modifier.contains(Modifier::REVERSED);
        if block { line.add_modifier(Modifier::BOLD) } else { line }
    }

    /// How a log level looks; without one, as text.
    #[must_use]
    pub fn level(&self, level: Option<Level>) -> Style {
        self.style(match level {
            Some(Level::Trace | Level::Debug) => Role::LevelDebug,
            Some(Level::Info) => Role::LevelInfo,
            Some(Level::Warn) => Role::LevelWarn,
            Some(Level::Error) => Role::LevelError,
            Some(Level::Fatal) => Role::LevelFatal,
            None => Role::Text,
        })
    }

    /// The colour of the n-th instance of a log; they come again after a while, which is why each has a letter too.
    #[must_use]
    pub fn instance(&self, index: usize) -> Style {
        let colour = self.instances.get(index % self.instances.len().max(1)).copied();
        Style { fg: colour, ..Style::new() }
    }

    /// How a piece of a log line looks that chose its own look. Its ground stays ours, or a selection could not be told,
    /// and a theme without colours shows none.
    #[must_use]
    pub fn own(&self, look: Sgr) -> Style {
        let fg = look.fg.filter(|_| !self.instances.is_empty()).map(|colour| match colour {
            Ansi::Index(n) => depth::reduce(Color::Indexed(n), self.depth),
            Ansi::Rgb(r, g, b) => depth::reduce(Color::Rgb(r, g, b), self.depth),
        });
        let asked = [
            (look.bold, Modifier::BOLD),
            (look.dim, Modifier::DIM),
            (look.italic, Modifier::ITALIC),
            (look.underline, Modifier::UNDERLINED),
        ];
        let modifiers = asked.into_iter().filter(|(on, _)| *on).map(|(_, m)| m).collect();
        Style { fg, ..Style::new() }.add_modifier(modifiers)
    }

    /// How a cell's meaning looks.
    #[must_use]
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Dim => self.style(Role::Dim),
            Tone::Strong => self.style(Role::Strong),
            Tone::Good => self.style(Role::Good),
            Tone::Warn => self.style(Role::Warn),
            Tone::Bad => self.style(Role::Bad),
            Tone::Health(health) => self.health(health),
            Tone::Tier(tier) => self.tier(tier),
        }
    }

    /// How a row as a whole looks; cells are patched onto it.
    #[must_use]
    pub fn row(&self, selected: bool, marked: bool, stale: bool) -> Style {
        let layers = [(stale, Role::Stale), (marked, Role::Mark), (selected, Role::Selection)];
        let on = layers.into_iter().filter(|(on, _)| *on);
        on.fold(self.style(Role::Text), |below, (_, role)| below.patch(self.style(role)))
    }

    /// The theme as a terminal of this depth can show it. Without colours, what was told by colour alone is told as
    /// the theme `mono` does.
    #[must_use]
    pub fn at_depth(&self, depth: ColorDepth) -> Self {
        let text = self.style(Role::Text);
        let mut reduced = Self {
            name: self.name.clone(),
            styles: Role::ALL.map(|role| depth::style(role, self.style(role), text, depth)),
            instances: self.instances.iter().map(|c| depth::reduce(*c, depth)).collect(),
            depth,
        };
        if depth == ColorDepth::None {
            reduced.instances.clear();
            let mono = builtin("mono").and_then(|text| Self::parse(text, "themes/mono.toml", &|_| None).ok());
            for (style, role) in reduced.styles.iter_mut().zip(Role::ALL).filter(|(s, _)| s.add_modifier.is_empty()) {
                style.add_modifier = mono.as_ref().map_or(Modifier::empty(), |m| m.style(role).add_modifier);
            }
        }
        reduced
    }
}

#[cfg(test)]
mod tests;
