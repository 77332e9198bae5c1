//! Editing one line of text.

use super::Input;

impl Input {
    /// `text` with the cursor at its end.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// Puts text in at the cursor; control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text.chars().filter(|c| !c.is_control()).take(1000).collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Takes the character before the cursor away. Tells whether there was one.
    pub fn backspace(&mut self) -> bool {
        let start = self.before();
        let had = start < self.cursor;
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
        had
    }

    /// Takes the character under the cursor away.
    pub fn delete(&mut self) {
        let end = self.after();
        self.text.replace_range(self.cursor..end, "");
    }

    /// Takes the word before the cursor away.
    pub fn delete_word(&mut self) {
        let head = &self.text[..self.cursor];
        let trimmed = head.trim_end();
        let start = trimmed.rfind([' ', '/', ':']).map_or(0, |i| i + 1);
        let start = if start == trimmed.len() { trimmed.len().saturating_sub(1) } else { start };
        let start = (0..=start).rev().find(|i| self.text.is_char_boundary(*i)).unwrap_or(0);
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// Takes everything before the cursor away.
    pub fn delete_to_start(&mut self) {
        self.text.replace_range(..self.cursor, "");
        self.cursor = 0;
    }

    /// One character to the left.
    pub fn left(&mut self) {
        self.cursor = self.before();
    }

    /// One character to the right.
    pub fn right(&mut self) {
        self.cursor = self.after();
    }

    /// To the start.
    pub fn home(&mut self) {
        self.cursor = 0;
    }

    /// To the end.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].char_indices().next_back().map_or(0, |(i, _)| i)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_keeps_to_character_boundaries() {
        let mut input = Input::new("aäö");
        input.left();
        input.insert("x\u{1b}\n");
        assert_eq!(input.text, "aäxö");
        assert!(input.backspace() && input.backspace());
        assert_eq!((input.text.as_str(), input.cursor), ("aö", 1));
        input.delete();
        input.delete();
        assert_eq!(input.text, "a");
        assert!(input.backspace() && !input.backspace());
    }

    #[test]
    fn a_word_ends_at_a_space_slash_or_colon() {
        let mut input = Input::new("registry/team/api:1.2 ");
        let mut seen = Vec::new();
        for _ in 0..6 {
            input.delete_word();
            seen.push(input.text.clone());
        }
        assert_eq!(seen, ["registry/team/api:", "registry/team/api", "registry/team/", "registry/team", "registry/", "registry"]);
    }
}
