//! What is configured of the demo world: a configuration like any other, read as any other, that comes with the program.

use super::file::{self, File};

/// Its configuration file.
pub const CONFIG: &str = include_str!("demo.toml");
/// The rule files it names, by their path: they come with the program too.
pub const RULES: [(&str, &str); 1] = [("alert_rules.yml", include_str!("demo_rules.yml"))];

/// The configuration, read. It has no mistakes: a test sees to that.
#[must_use]
pub fn file() -> File {
    file::read(CONFIG, "demo.toml").0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_no_mistakes() {
        let (file, problems) = file::read(CONFIG, "demo.toml");
        assert_eq!(problems, []);
        assert_eq!(file.environments.len(), 3);
        for (path, text) in RULES {
            let rules = crate::observe::rule::file::read(text, path);
            assert_eq!(rules.problems, []);
            assert!(rules.all().count() > 5 && rules.all().all(|rule| rule.expr.is_ok()), "{path}");
        }
    }
}
