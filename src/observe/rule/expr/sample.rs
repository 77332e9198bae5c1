//! What a node gives: values, each with what tells it apart. Labels are made only where somebody looks at all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::metric::series::{Series, Store};

/// Values at one time.
#[derive(Debug, Default)]
pub(super) struct Vector {
    pub items: Vec<Item>,
    /// No two have the same labels even without their names.
    pub apart: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub tags: Tags,
    pub value: f64,
}

/// What tells a value apart.
#[derive(Clone, Debug)]
pub(super) enum Tags {
    /// The labels of a series, with or without its name.
    Of(Series, Named),
    Own(Labels),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Yes,
    No,
}

impl Tags {
    pub fn get<'a>(&'a self, store: &'a Store, name: &str) -> &'a str {
        match self {
            Self::Of(_, Named::No) if name == NAME => "",
            Self::Of(series, _) => store.label(*series, name),
            Self::Own(labels) => labels.get(name),
        }
    }

    pub fn labels(&self, store: &Store) -> Labels {
        match self {
            Self::Of(series, Named::Yes) => store.labels(*series),
            Self::Of(series, Named::No) => store.labels(*series).only(|name| name != NAME),
            Self::Own(labels) => labels.clone(),
        }
    }

    /// The same without the name.
    pub fn bare(self) -> Self {
        match self {
            Self::Of(series, _) => Self::Of(series, Named::No),
            Self::Own(labels) => Self::Own(labels.only(|name| name != NAME)),
        }
    }
}

impl Vector {
    /// Of values that already differ without their names.
    pub fn apart(items: Vec<Item>) -> Self {
        Self { items, apart: true }
    }

    /// The same values under labels without names.
    ///
    /// # Errors
    /// Two of them have the same labels then.
    pub fn bare(self, store: &Store) -> Result<Self, Arc<str>> {
        let items = self.items.into_iter().map(|item| Item { tags: item.tags.bare(), ..item }).collect();
        let vector = Self { items, apart: self.apart };
        if !vector.apart {
            vector.check(store)?;
        }
        Ok(Self { apart: true, ..vector })
    }

    /// # Errors
    /// Two values have the same labels.
    pub fn check(&self, store: &Store) -> Result<(), Arc<str>> {
        let mut seen = BTreeSet::new();
        for item in &self.items {
            let labels = item.tags.labels(store);
            if seen.contains(&labels) {
                return Err(format!("two of its results have the same labels: {labels}").into());
            }
            seen.insert(labels);
        }
        Ok(())
    }

    /// Each value turned into another.
    pub fn map(mut self, map: impl Fn(f64) -> f64) -> Self {
        self.items.iter_mut().for_each(|item| item.value = map(item.value));
        self
    }
}
