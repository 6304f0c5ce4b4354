//! The same figure for everything, for each category and for each subcategory.

use std::collections::BTreeMap;

use asap_core::{Category, Topic};
use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// A figure overall and by place in the taxonomy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table<T> {
    /// Over everything.
    pub overall: T,
    /// By category, those that occur, in the paper's order.
    pub categories: Vec<(Category, T)>,
    /// By category and subcategory, those that occur, sorted.
    pub subcategories: Vec<(Topic, T)>,
}

impl<T> Table<T> {
    /// Computes `cell` for each part of `items`.
    pub(crate) fn build<'a, I>(
        items: &'a [I],
        topic: impl Fn(&I) -> &Topic,
        cell: impl Fn(&[&'a I]) -> Result<T>,
    ) -> Result<Self> {
        let mut categories: BTreeMap<Category, Vec<&I>> = BTreeMap::new();
        let mut subcategories: BTreeMap<Topic, Vec<&I>> = BTreeMap::new();
        for item in items {
            categories.entry(topic(item).category).or_default().push(item);
            subcategories.entry(topic(item).clone()).or_default().push(item);
        }
        Ok(Self {
            overall: cell(&items.iter().collect::<Vec<_>>())?,
            categories: each(categories, &cell)?,
            subcategories: each(subcategories, &cell)?,
        })
    }

    /// The figure of a category; `None` where nothing belongs to it.
    pub fn category(&self, category: Category) -> Option<&T> {
        self.categories
            .iter()
            .find(|(name, _)| *name == category)
            .map(|(_, cell)| cell)
    }
}

fn each<'a, K, I, T>(
    groups: BTreeMap<K, Vec<&'a I>>,
    cell: &impl Fn(&[&'a I]) -> Result<T>,
) -> Result<Vec<(K, T)>> {
    groups
        .into_iter()
        .map(|(key, items)| Ok((key, cell(&items)?)))
        .collect()
}

/// The one value that all have.
pub(crate) fn only<'a, T: PartialEq + ToString>(
    what: &'static str,
    values: impl IntoIterator<Item = &'a T>,
) -> Result<&'a T> {
    let mut values = values.into_iter();
    let first = values.next().ok_or(Error::TooFew {
        what: "judgements",
        least: 1,
        got: 0,
    })?;
    match values.find(|value| *value != first) {
        None => Ok(first),
        Some(second) => Err(Error::Mixed {
            what,
            first: first.to_string(),
            second: second.to_string(),
        }),
    }
}
