//! What a set holds, counted: the tables of balance.

use std::collections::BTreeMap;

use asap_core::{Category, Prompt, Sha256};
use serde::Serialize;

use super::axis::{Axis, AxisReader, AxisSource, framing_name};
use super::tokens::Tokenizers;
use super::words::Text;
use super::{PromptSet, TokenCounter};

/// Width of a bin of a histogram.
const BIN_WIDTH: usize = 5;

/// Counts of prompts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// The set.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its rows file.
    pub sha256: Sha256,
    /// Prompts.
    pub n_prompts: usize,
    /// Subcategory by persons and by framing, in the order of the taxonomy, or by name.
    pub subcategories: Vec<SubcategoryCount>,
    /// Axes of the taxonomy; of a lone file those that are read from keys.
    pub axes: Vec<AxisCount>,
    /// Factors.
    pub factors: BTreeMap<String, usize>,
    /// Lengths in words.
    pub words: Histogram,
    /// Lengths in CLIP's tokens, exact or estimated from above as the tokenizers are.
    pub clip_tokens: Histogram,
    /// Lengths in BERT's tokens, likewise.
    pub bert_tokens: Histogram,
}

/// Prompts of a subcategory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubcategoryCount {
    /// Its category.
    pub category: Category,
    /// Its id.
    pub subcategory: String,
    /// Prompts.
    pub n_prompts: usize,
    /// By the number of persons.
    pub persons: BTreeMap<u32, usize>,
    /// By framing.
    pub framing: BTreeMap<&'static str, usize>,
}

/// Prompts by the values of an axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisCount {
    /// The id of the axis.
    pub axis: String,
    /// Where its values are read from.
    pub source: AxisSource,
    /// Its values in the order of the taxonomy, then those that it does not list.
    pub values: Vec<ValueCount>,
    /// Prompts that have none of them.
    pub n_unstated: usize,
}

/// Prompts that have a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Prompts that have it.
    pub n_prompts: usize,
    /// Their share of all prompts; none of an empty set.
    pub share: Option<f64>,
    /// The share that the taxonomy asks for.
    pub target: Option<f64>,
}

/// Numbers of prompts by a length.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// The least length; none of an empty set.
    pub min: Option<usize>,
    /// The middle one, the lower of two.
    pub median: Option<usize>,
    /// The greatest.
    pub max: Option<usize>,
    /// Numbers of prompts by the first length of each bin; a bin is five lengths.
    pub bins: BTreeMap<usize, usize>,
}

/// Counts what a set holds.
pub fn stats(set: &PromptSet, tokenizers: &Tokenizers<'_>) -> Stats {
    let rows: Vec<(&Prompt, Text)> = set
        .prompts()
        .iter()
        .map(|it| (it, Text::new(&it.prompt)))
        .collect();
    let axes = set.taxonomy().map_or_else(axes_of_keys, |it| it.axes.clone());
    let tokens =
        |counter: &TokenCounter<'_>| Histogram::of(rows.iter().map(|(it, _)| (counter.count)(&it.prompt)));
    Stats {
        name: set.name().to_owned(),
        version: set.version().to_owned(),
        sha256: set.sha256(),
        n_prompts: rows.len(),
        subcategories: subcategories(set),
        axes: axes.iter().map(|axis| AxisCount::of(axis, &rows)).collect(),
        factors: count(rows.iter().flat_map(|(it, _)| it.factors.iter().cloned())),
        words: Histogram::of(rows.iter().map(|(_, text)| text.words.len())),
        clip_tokens: tokens(&tokenizers.clip),
        bert_tokens: tokens(&tokenizers.bert),
    }
}

fn axes_of_keys() -> Vec<Axis> {
    let sources = [
        ("persons", AxisSource::Persons),
        ("framing", AxisSource::Framing),
        ("hands_expected", AxisSource::HandsExpected),
        ("difficulty", AxisSource::Difficulty),
    ];
    let axes = sources.map(|(id, source)| Axis {
        id: id.to_owned(),
        definition: format!("The key `{id}`."),
        source,
        values: Vec::new(),
    });
    axes.into()
}

fn subcategories(set: &PromptSet) -> Vec<SubcategoryCount> {
    let mut keys: Vec<(Category, String)> = Vec::new();
    let listed = set.taxonomy().map_or(&[][..], |it| &it.subcategories);
    keys.extend(listed.iter().map(|it| (it.category, it.id.clone())));
    let mut others: Vec<_> = set
        .prompts()
        .iter()
        .map(|it| (it.category, it.subcategory.clone()))
        .collect();
    others.sort();
    others.dedup();
    others.retain(|key| !keys.contains(key));
    keys.extend(others);
    keys.into_iter()
        .map(|(category, subcategory)| {
            let prompts = set.prompts().iter();
            let prompts: Vec<&Prompt> = prompts
                .filter(|it| it.category == category && it.subcategory == subcategory)
                .collect();
            SubcategoryCount {
                category,
                n_prompts: prompts.len(),
                persons: count(prompts.iter().map(|it| it.persons)),
                framing: count(prompts.iter().map(|it| framing_name(it.framing))),
                subcategory,
            }
        })
        .collect()
}

impl AxisCount {
    fn of(axis: &Axis, rows: &[(&Prompt, Text)]) -> Self {
        let reader = AxisReader::new(axis);
        let values_of: Vec<Vec<String>> = rows.iter().map(|(it, text)| reader.values_of(it, text)).collect();
        let mut counts = count(values_of.iter().flatten().cloned());
        let value_count = |value: String, n_prompts: usize, target| ValueCount {
            share: (!rows.is_empty()).then(|| n_prompts as f64 / rows.len() as f64),
            value,
            n_prompts,
            target,
        };
        let mut values: Vec<ValueCount> = Vec::new();
        for value in &axis.values {
            let n_prompts = counts.remove(&value.id).unwrap_or(0);
            values.push(value_count(value.id.clone(), n_prompts, value.share));
        }
        values.extend(counts.into_iter().map(|(value, n)| value_count(value, n, None)));
        Self {
            axis: axis.id.clone(),
            source: axis.source,
            values,
            n_unstated: values_of.iter().filter(|values| values.is_empty()).count(),
        }
    }
}

impl Histogram {
    fn of(lengths: impl Iterator<Item = usize>) -> Self {
        let mut lengths: Vec<usize> = lengths.collect();
        lengths.sort_unstable();
        Self {
            min: lengths.first().copied(),
            median: lengths.get(lengths.len().saturating_sub(1) / 2).copied(),
            max: lengths.last().copied(),
            bins: count(lengths.iter().map(|length| length / BIN_WIDTH * BIN_WIDTH)),
        }
    }
}

fn count<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}
