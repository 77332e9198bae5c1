//! Files found, read and told about.

use std::fs;

use super::*;
use crate::keymap::{Context, Lookup, parse_keys};
use crate::theme::Role;

struct Home {
    root: tempfile::TempDir,
    paths: Paths,
}

fn home() -> Home {
    let root = tempfile::tempdir().expect("a directory");
    let paths = Paths::below(root.path());
    Home { root, paths }
}

impl Home {
    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(&path, content).expect("written");
        path
    }

    fn load(&self, directory: &str, flags: &Flags) -> Result<Resolved, Vec<Problem>> {
        load_in(&self.paths, flags, &self.root.path().join(directory), &|_| None, &Clusters::default())
    }
}

#[test]
fn the_project_file_is_found_upward_and_goes_before_the_users() {
    let home = home();
    let user = home.write("config/config.toml", "theme = 'dark'\nkeymap = 'vim'\n");
    let project = home.write("work/quarterdeck.toml", "theme = 'light'\n");
    home.write("work/deep/er/x", "");
    let resolved = home.load("work/deep/er", &Flags::default()).expect("resolved");
    assert_eq!((&*resolved.theme, &*resolved.keymap), ("light", "vim"));
    assert_eq!(resolved.files, [user.clone(), project]);
    let other = home.write("other.toml", "theme = 'mono'\n");
    let flags = Flags { config: Some(other.clone()), ..Flags::default() };
    assert_eq!(home.load("work/deep/er", &flags).expect("resolved").files, [user, other]);
}

#[test]
fn the_mistakes_of_every_file_are_told_at_once() {
    let home = home();
    home.write("config/config.toml", "thme = 'dark'\n[[environment]]\nname = 'a'\n");
    home.write("work/quarterdeck.toml", "[[environment]]\nname = 'a'\n[[environment]]\nnam = 'b'\n");
    let told = home.load("work", &Flags::default()).expect_err("mistakes");
    let ends: Vec<String> = told.iter().map(|p| p.to_string().replace(&format!("{}/", home.root.path().display()), "")).collect();
    assert_eq!(
        ends,
        [
            "config/config.toml:1:1: unknown key `thme`, did you mean `theme`?",
            "work/quarterdeck.toml:1:1: the environment `a` is configured already at config/config.toml:2",
            "work/quarterdeck.toml:3:1: `name` is missing",
            "work/quarterdeck.toml:4:1: unknown key `nam`, did you mean `name`?",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let home = home();
    let directory = home.write("dir/x", "").parent().map(Path::to_owned).expect("a parent");
    let latin = home.write("latin.toml", b"theme = 'd\xe4rk'\n");
    for (path, part) in [
        (home.root.path().join("absent.toml"), "absent.toml: this file does not exist"),
        (directory, "dir: this is a directory"),
        (latin, "latin.toml:1:11: not UTF-8"),
    ] {
        let flags = Flags { config: Some(path), ..Flags::default() };
        let told = home.load("", &flags).expect_err("no such file");
        assert!(told[0].to_string().contains(part), "{told:?}");
    }
}

#[test]
fn a_users_keymap_goes_before_the_shipped_one() {
    let home = home();
    let map = keymap(&home.paths, "default").expect("shipped");
    assert_eq!(map.lookup(Context::List, &parse_keys("w")), Lookup::Nothing);
    home.write("config/keymaps/default.toml", "name = 'default'\ninherits = 'default'\n[any]\nw = 'program.quit'\n");
    let map = keymap(&home.paths, "default").expect("the user's");
    assert_eq!(map.lookup(Context::List, &parse_keys("w")), Lookup::Run(crate::app::Command::Quit));
    home.write("config/keymaps/mine.toml", "name = 'mine'\n[any]\nw = 'program.qiut'\n");
    let told = keymap(&home.paths, "mine").expect_err("a mistake");
    assert!(told[0].to_string().ends_with("mine.toml:3:5: unknown command `program.qiut`, did you mean `program.quit`?"));
    assert_eq!(keymaps(&home.paths).last().map(|n| &**n), Some("mine"));
}

#[test]
fn a_users_theme_may_change_the_shipped_one_of_its_name() {
    let home = home();
    let shipped = theme(&home.paths, "dark").expect("shipped");
    home.write("config/themes/dark.toml", "name = 'dark'\ninherits = 'dark'\n[roles]\ngood = 'blue'\n");
    home.write("config/themes/mine.toml", "name = 'mine'\ninherits = 'dark'\n");
    let changed = theme(&home.paths, "dark").expect("the user's");
    assert_ne!(changed.style(Role::Good), shipped.style(Role::Good));
    assert_eq!(changed.style(Role::Bad), shipped.style(Role::Bad));
    let mine = theme(&home.paths, "mine").expect("on the user's dark");
    assert_eq!(mine.style(Role::Good), changed.style(Role::Good));
    assert_eq!(themes(&home.paths).len(), theme::NAMES.len() + 1);
    home.write("config/themes/a.toml", "name = 'a'\ninherits = 'b'\n");
    home.write("config/themes/b.toml", "name = 'b'\ninherits = 'a'\n");
    let told = theme(&home.paths, "a").expect_err("round in a circle");
    assert!(told[0].message.ends_with("cannot inherit itself: a → b → a"), "{told:?}");
}

#[test]
fn names_that_nobody_knows_and_names_that_lead_elsewhere_are_refused() {
    let home = home();
    home.write("config/secret.toml", "name = 'x'\n");
    for name in ["drak", "../secret", "", "/etc/passwd"] {
        let told = theme(&home.paths, name).expect_err(name);
        assert!(told[0].to_string().starts_with("--theme: unknown theme"), "{told:?}");
    }
    assert!(theme(&home.paths, "drak").expect_err("unknown")[0].to_string().contains("did you mean `dark`?"));
}

#[test]
fn checking_looks_at_keymap_and_theme_too() {
    let home = home();
    let config = home.write("q.toml", "theme = 'mine'\nkeymap = 'nope'\n");
    home.write("config/themes/mine.toml", "name = 'mine'\ninherits = 'dark'\n[roles]\ngood = 'blu'\n");
    let told = check(&home.paths, &Flags { config: Some(config), ..Flags::default() });
    assert_eq!(told.len(), 2, "{told:?}");
}
