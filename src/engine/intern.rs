//! One copy of every repeated text: a hundred containers of a project say the same label values.

use std::collections::HashSet;
use std::sync::Arc;

use crate::observe::text::clean;

/// Sanitised texts, each kept once.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
}

impl Interner {
    /// This text, sanitised.
    pub fn text(&mut self, raw: &str) -> Arc<str> {
        let text = clean(raw);
        if let Some(known) = self.texts.get(text.as_ref()) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(text.clone());
        text
    }

    /// Lets go of what nobody else holds.
    pub fn sweep(&mut self) {
        self.texts.retain(|text| Arc::strong_count(text) > 1);
    }

    /// Texts kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_only_while_it_is_used() {
        let mut interner = Interner::default();
        let (a, b) = (interner.text("x\u{1b}[31m"), interner.text("x"));
        assert!(Arc::ptr_eq(&a, &b));
        drop((a, b));
        let kept = interner.text("y");
        interner.sweep();
        assert_eq!((interner.len(), kept.as_ref()), (1, "y"));
    }
}
