//! What a theme file means and what a person is told about a broken one.

use super::*;

fn find(name: &str) -> Option<String> {
    match name {
        "round" => Some("name = 'round'\ninherits = 'about'\n".to_owned()),
        "about" => Some("name = 'about'\ninherits = 'round'\n".to_owned()),
        "broken" => Some("name = 'broken'\ninherits = 'dark'\n[roles]\nbad = 'rouge'\n".to_owned()),
        "middle" => Some("name = 'middle'\ninherits = 'dark'\n[palette]\nmine = 'leaf'\n[roles]\nbad = 'mine'\n".to_owned()),
        other => builtin(other).map(str::to_owned),
    }
}

fn theme(text: &str) -> Theme {
    Theme::parse(text, "mine.toml", &find).expect("a theme without mistakes")
}

fn told(text: &str) -> Vec<String> {
    Theme::parse(text, "mine.toml", &find).expect_err("mistakes").iter().map(ToString::to_string).collect()
}

#[test]
fn a_theme_changes_what_it_inherits_by_palette_and_by_role() {
    let dark = theme("name = 'm'\ninherits = 'dark'\n");
    let mine = theme("name = 'm'\ninherits = 'dark'\n[palette]\nleaf = '#010203'\n[roles]\nwarn = '208 underlined'\n");
    assert_eq!(mine.style(Role::Good).fg, Some(Color::Rgb(1, 2, 3)), "roles below take the palette above");
    assert_eq!(mine.style(Role::Warn), Style::new().fg(Color::Indexed(208)).add_modifier(Modifier::UNDERLINED));
    assert_eq!(mine.style(Role::Bad), dark.style(Role::Bad));
    let third = theme("name = 'm'\ninherits = 'middle'\n");
    assert_eq!(third.style(Role::Bad).fg, dark.style(Role::Good).fg, "a palette may use the one below it");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let found = told(
        "name = \"m\"\ninherits = \"dark\"\ninstances = [\"bleu\", \"bold\"]\ncolor = 1\n\n[palette]\nsea = \"#12345\"\nred = \"blue\"\n\n[roles]\ngoood = \"red\"\ngood = \"gren bold\"\nwarn = \"yellow on\"\nbad = \"red blue\"\nmark = 3\nstale = \"300 bolt\"\n",
    );
    assert_eq!(
        found,
        [
            "mine.toml:3:15: unknown colour or modifier `bleu`, did you mean `blue`?",
            "mine.toml:3:22: expected one colour",
            "mine.toml:4:1: unknown key `color`, expected `name`, `inherits`, `palette`, `roles` or `instances`",
            "mine.toml:7:8: `#12345` is no colour: expected `#rrggbb`",
            "mine.toml:8:1: `red` is a colour already: choose another name",
            "mine.toml:11:1: unknown role `goood`, did you mean `good`?",
            "mine.toml:12:9: unknown colour or modifier `gren`, did you mean `green`?",
            "mine.toml:13:18: a colour is missing after `on`",
            "mine.toml:14:12: `blue`: there is a colour already",
            "mine.toml:15:8: expected a string such as \"red on default bold\", found a whole number",
            "mine.toml:16:10: `300` is no colour: expected 0 to 255",
            "mine.toml:16:14: unknown colour or modifier `bolt`, did you mean `bold`?",
        ]
    );
}

#[test]
fn what_is_inherited_must_exist_be_sound_and_not_go_round() {
    assert_eq!(told("name = 'm'\ninherits = 'drak'\n"), ["mine.toml:2:12: unknown theme `drak`, did you mean `dark`?"]);
    assert_eq!(
        told("name = 'm'\ninherits = 'round'\n"),
        ["mine.toml:2:12: a theme cannot inherit itself: m → round → about → round"]
    );
    assert_eq!(told("name = 'm'\ninherits = 'm'\n"), ["mine.toml:2:12: a theme cannot inherit itself: m → m"]);
    let [found] = &told("name = 'm'\ninherits = 'broken'\n")[..] else { panic!("one mistake") };
    assert!(found.starts_with("mine.toml:2:12: themes/broken.toml:4:8: unknown colour"), "{found}");
}

#[test]
fn a_theme_that_inherits_nothing_says_it_all() {
    let found = told("name = 'm'\n[roles]\ntext = 'default'\n");
    assert_eq!(found.len(), Role::ALL.len() - 1);
    assert_eq!(found[0], "mine.toml:1:1: `roles.accent` is missing: a theme that inherits nothing says it all");
}

#[test]
fn without_colours_what_matters_still_stands_out() {
    for name in NAMES {
        let text = builtin(name).expect(name);
        let bare = Theme::parse(text, name, &find).expect(name).at_depth(ColorDepth::None);
        for role in Role::ALL {
            let style = bare.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{name} {role:?}");
        }
        assert_ne!(bare.row(true, false, false), bare.row(false, false, false), "{name}: selection");
        assert_ne!(bare.tier(Tier::Production), bare.tier(Tier::Local), "{name}: production");
        assert_eq!(bare.instance(3), Style::new());
    }
}

#[test]
fn roles_are_in_the_order_of_their_numbers() {
    for (index, role) in Role::ALL.into_iter().enumerate() {
        assert_eq!(role as usize, index);
    }
}

#[test]
fn instances_get_colours_in_turn() {
    let theme = Theme::default();
    assert_ne!(theme.instance(0), theme.instance(1));
    assert_eq!(theme.instance(0), theme.instance(theme.instances.len()));
}
