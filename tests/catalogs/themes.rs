//! The shipped themes: what must be told apart can be, at every colour depth, and what must be read can be.

use std::collections::BTreeSet;

use quarterdeck::model::{Health, Tier};
use quarterdeck::observe::log::Level;
use quarterdeck::theme::{ColorDepth, NAMES, Role, Theme, builtin};
use ratatui::style::{Color, Modifier, Style};

use super::sight::{self, contrast, difference};

const DEPTHS: [ColorDepth; 4] = [ColorDepth::None, ColorDepth::Ansi16, ColorDepth::Ansi256, ColorDepth::True];
const HEALTHS: [Health; 5] = [Health::Healthy, Health::Starting, Health::Unknown, Health::Degraded, Health::Unhealthy];
const TIERS: [Tier; 4] = [Tier::Local, Tier::Staging, Tier::Production, Tier::Unknown];

fn load(name: &str) -> Theme {
    let text = builtin(name).unwrap_or_else(|| panic!("{name} is shipped"));
    Theme::parse(text, name, &|n| builtin(n).map(str::to_owned)).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

/// Every theme at every depth, with a name for messages.
fn everywhere() -> Vec<(String, Theme, ColorDepth)> {
    let depths =
        |name: &str| DEPTHS.map(|depth| (format!("{name} at {} colours", depth.word()), load(name).at_depth(depth), depth));
    NAMES.into_iter().flat_map(depths).collect()
}

#[test]
fn every_theme_loads_under_its_name_and_no_other_is_shipped() {
    for name in NAMES {
        assert_eq!(&*load(name).name, name);
    }
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
    let files: BTreeSet<String> = std::fs::read_dir(directory)
        .expect("themes/")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().trim_end_matches(".toml").to_owned())
        .collect();
    assert_eq!(files, NAMES.into_iter().map(str::to_owned).collect());
}

#[test]
fn what_must_be_told_apart_can_be_at_every_depth() {
    for (name, theme, _) in everywhere() {
        let plain = theme.row(false, false, false);
        assert_ne!(theme.row(true, false, false), plain, "{name}: the selected row");
        assert_ne!(theme.row(false, true, false), plain, "{name}: a marked row");
        assert_ne!(theme.row(false, false, true), plain, "{name}: a stale row");
        assert_ne!(theme.row(true, false, true), theme.row(false, false, true), "{name}: the selected row when stale");
        for tier in [Tier::Local, Tier::Staging, Tier::Unknown] {
            assert_ne!(theme.tier(Tier::Production), theme.tier(tier), "{name}: production and {tier}");
            assert_ne!(theme.rail(Tier::Production), theme.rail(tier), "{name}: the frames of production and {tier}");
        }
        assert_ne!(theme.health(Health::Unhealthy), theme.health(Health::Healthy), "{name}: unhealthy");
        assert_ne!(theme.health(Health::Degraded), theme.health(Health::Healthy), "{name}: degraded");
        assert_ne!(theme.level(Some(Level::Error)), theme.level(Some(Level::Info)), "{name}: errors");
        assert_ne!(theme.style(Role::TabActive), theme.style(Role::Tab), "{name}: the tab one is on");
        assert_ne!(theme.style(Role::Match), theme.style(Role::MatchCurrent), "{name}: the current match");
        assert_ne!(plain.patch(theme.style(Role::Match)), plain, "{name}: a match");
        assert_ne!(plain.patch(theme.style(Role::Key)), plain, "{name}: keys");
    }
}

#[test]
fn with_colours_every_health_and_tier_has_its_own_look() {
    for (name, theme, depth) in everywhere() {
        if depth == ColorDepth::None || name.starts_with("mono") {
            continue;
        }
        let healths: BTreeSet<String> = HEALTHS.iter().map(|h| format!("{:?}", theme.health(*h))).collect();
        assert_eq!(healths.len(), HEALTHS.len(), "{name}: {healths:#?}");
        let tiers: BTreeSet<String> = TIERS.iter().map(|t| format!("{:?}", theme.tier(*t))).collect();
        assert_eq!(tiers.len(), TIERS.len(), "{name}: {tiers:#?}");
    }
}

#[test]
fn the_terminal_theme_keeps_to_colours_that_read_on_dark_and_light() {
    let theme = load("terminal");
    for role in Role::ALL {
        let style = theme.style(role);
        for colour in [style.fg, style.bg].into_iter().flatten() {
            assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{role:?}: only the user's own sixteen");
        }
        let ground = style.bg.filter(|c| *c != Color::Reset);
        let extreme = matches!(
            style.fg,
            Some(Color::Black | Color::White | Color::Gray | Color::Blue | Color::DarkGray | Color::LightYellow)
        );
        assert!(ground.is_some() || !extreme, "{role:?}: {:?} vanishes on some ground", style.fg);
        assert!(ground.is_none() || style.fg.is_some(), "{role:?}: a ground needs a colour to be read on it");
    }
}

#[test]
fn without_colours_nothing_is_coloured_and_mono_is_always_so() {
    for (name, theme, depth) in everywhere() {
        for role in Role::ALL {
            let style = theme.style(role);
            let colours: Vec<Color> = [style.fg, style.bg].into_iter().flatten().filter(|c| *c != Color::Reset).collect();
            if depth == ColorDepth::None || name.starts_with("mono") {
                assert_eq!(colours, [], "{name}: {role:?}");
            }
        }
    }
    assert!(load("mono").style(Role::TierProduction).add_modifier.contains(Modifier::REVERSED));
}

/// The colours a style ends up in, over the theme's ground; `None` where the terminal decides.
fn seen(theme: &Theme, below: Role, style: Style) -> Option<([u8; 3], [u8; 3])> {
    let over = theme.style(Role::Text).patch(theme.style(below)).patch(style);
    let rgb = |c: Option<Color>| match c {
        Some(Color::Rgb(r, g, b)) => Some([r, g, b]),
        _ => None,
    };
    rgb(over.fg).zip(rgb(over.bg))
}

#[test]
fn themes_with_a_ground_of_their_own_can_be_read() {
    for name in ["dark", "light", "high-contrast", "colour-blind"] {
        let theme = load(name);
        let strict = name == "high-contrast";
        for role in Role::ALL {
            let least = match role {
                Role::Border | Role::Disabled => 3.0,
                _ if strict => 7.0,
                _ => 4.5,
            };
            let (fg, bg) = seen(&theme, Role::Text, theme.style(role)).unwrap_or_else(|| panic!("{name}: {role:?} has colours"));
            let found = contrast(fg, bg);
            assert!(found >= least, "{name}: {role:?} has a contrast of {found:.1}, {least} is the least");
        }
        for role in [Role::Good, Role::Warn, Role::Bad, Role::Starting, Role::Unknown, Role::Dim] {
            for below in [Role::Overlay, Role::Header] {
                let (fg, bg) = seen(&theme, below, theme.style(role)).expect("colours");
                assert!(contrast(fg, bg) >= 4.0, "{name}: {role:?} on {below:?} has {:.1}", contrast(fg, bg));
            }
        }
    }
}

#[test]
fn health_is_read_on_the_selected_row() {
    for name in ["dark", "light", "colour-blind"] {
        let theme = load(name);
        for health in HEALTHS {
            let (fg, bg) = seen(&theme, Role::Selection, theme.health(health)).expect("colours");
            assert!(contrast(fg, bg) >= 3.5, "{name}: {health} on the selected row has {:.1}", contrast(fg, bg));
        }
    }
}

#[test]
fn the_colour_blind_theme_is_told_apart_without_red_or_green() {
    let theme = load("colour-blind");
    let colour = |health: Health| seen(&theme, Role::Text, theme.health(health)).expect("colours").0;
    for (eye, see) in
        [("every cone", sight::all as fn([u8; 3]) -> [f64; 3]), ("no red", sight::protan), ("no green", sight::deutan)]
    {
        for (a, b) in [
            (Health::Healthy, Health::Degraded),
            (Health::Healthy, Health::Unhealthy),
            (Health::Degraded, Health::Unhealthy),
            (Health::Starting, Health::Unhealthy),
        ] {
            let apart = difference(see(colour(a)), see(colour(b)));
            assert!(apart > 25.0, "with {eye}: {a} and {b} are {apart:.0} apart");
        }
    }
    let dark = load("dark");
    let of = |role: Role| seen(&dark, Role::Text, dark.style(role)).expect("colours").0;
    let same = difference(sight::deutan(of(Role::Good)), sight::deutan(of(Role::Warn)));
    assert!(same < 25.0, "the measure tells good from warn in the dark theme ({same:.0}), so it proves nothing");
}
