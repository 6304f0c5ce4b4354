//! The rows by column: one bit a value for what is chosen from, floats for what is measured.

use std::collections::{BTreeMap, BTreeSet};

use asap_app::filter::{Facet, Measure};
use asap_core::PairSummary;
use memchr::memmem;

/// The columns.
#[derive(Debug)]
pub(super) struct Columns {
    facets: Vec<FacetColumn>,
    ssim_inside: Vec<f64>,
    ssim_outside: Vec<f64>,
    text: TextColumn,
}

/// For each row the values of one facet, as bits.
#[derive(Debug)]
pub(super) struct FacetColumn {
    /// The names, by bit.
    pub(super) names: Vec<String>,
    /// Words of 64 bits in a row.
    n_words: usize,
    words: Vec<u64>,
}

impl FacetColumn {
    fn new(rows: &[PairSummary], facet: Facet) -> Self {
        let names: Vec<String> = match facet.names() {
            Some(names) => names.into_iter().map(str::to_owned).collect(),
            None => {
                let used: BTreeSet<&str> = rows.iter().flat_map(|row| values(row, facet)).collect();
                used.into_iter().map(str::to_owned).collect()
            }
        };
        let bit_of: BTreeMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(bit, name)| (name.as_str(), bit))
            .collect();
        let n_words = names.len().div_ceil(64).max(1);
        let mut words = vec![0; n_words * rows.len()];
        for (row, words) in rows.iter().zip(words.chunks_exact_mut(n_words)) {
            for bit in values(row, facet).filter_map(|name| bit_of.get(name)) {
                words[bit / 64] |= 1 << (bit % 64);
            }
        }
        Self {
            names,
            n_words,
            words,
        }
    }

    /// The bits of a row.
    pub(super) fn bits(&self, row_idx: usize) -> &[u64] {
        &self.words[row_idx * self.n_words..][..self.n_words]
    }

    /// The bits of names; names that no row has are left out.
    pub(super) fn bits_of<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<u64> {
        let mut bits = vec![0; self.n_words];
        for name in names {
            if let Some(bit) = self.names.iter().position(|other| other == name) {
                bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        bits
    }

    /// Marks in `failed` the rows that have none of the bits.
    pub(super) fn mark_failed(&self, bits: &[u64], group: u16, failed: &mut [u16]) {
        if let &[bits] = bits {
            for (failed, &word) in failed.iter_mut().zip(&self.words) {
                *failed |= if word & bits == 0 { group } else { 0 };
            }
            return;
        }
        for (failed, words) in failed.iter_mut().zip(self.words.chunks_exact(self.n_words)) {
            let has_one = words.iter().zip(bits).any(|(word, bits)| word & bits != 0);
            *failed |= if has_one { 0 } else { group };
        }
    }
}

/// The values of a row in a facet; a value may come twice.
fn values(row: &PairSummary, facet: Facet) -> Box<dyn Iterator<Item = &str> + '_> {
    let one = |name: &'static str| -> Box<dyn Iterator<Item = &str>> { Box::new(std::iter::once(name)) };
    match facet {
        Facet::Decision => one(row.decision.name()),
        Facet::Mechanism => one(row.mechanism.name()),
        Facet::Source => one(row.source_kind.name()),
        Facet::Split => one(row.split.name()),
        Facet::Region => Box::new(row.regions.iter().map(|region| region.name())),
        Facet::Part => Box::new(row.degradations.iter().map(|error| error.part.name())),
        Facet::Kind => Box::new(row.degradations.iter().map(|error| error.kind.name())),
        Facet::Operator => Box::new(row.operators.iter().map(String::as_str)),
    }
}

/// What is searched: one text for all rows that share prompt and source.
#[derive(Debug)]
struct TextColumn {
    texts: Vec<String>,
    text_of_row: Vec<u32>,
    ids: Vec<String>,
}

impl TextColumn {
    fn new(rows: &[PairSummary]) -> Self {
        let mut text_idx: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut texts = Vec::new();
        let text_of_row = rows
            .iter()
            .map(|row| {
                *text_idx
                    .entry((&row.prompt, &row.source_name))
                    .or_insert_with(|| {
                        texts.push(format!("{}\n{}", row.prompt, row.source_name).to_lowercase());
                        texts.len() as u32 - 1
                    })
            })
            .collect();
        Self {
            texts,
            text_of_row,
            ids: rows.iter().map(|row| row.id.to_string()).collect(),
        }
    }
}

impl Columns {
    pub(super) fn new(rows: &[PairSummary]) -> Self {
        let column = |value: fn(&PairSummary) -> Option<f64>| -> Vec<f64> {
            rows.iter()
                .map(|row| finite(value(row)).unwrap_or(f64::NAN))
                .collect()
        };
        Self {
            facets: Facet::ALL.map(|facet| FacetColumn::new(rows, facet)).into(),
            ssim_inside: column(|row| row.ssim_inside),
            ssim_outside: column(|row| row.ssim_outside),
            text: TextColumn::new(rows),
        }
    }

    pub(super) fn facet(&self, facet: Facet) -> &FacetColumn {
        &self.facets[facet as usize]
    }

    /// The values of a measure; NaN where there is none.
    pub(super) fn measure(&self, measure: Measure) -> &[f64] {
        match measure {
            Measure::SsimInside => &self.ssim_inside,
            Measure::SsimOutside => &self.ssim_outside,
        }
    }

    /// Marks in `failed` the rows in which some word of `text` occurs nowhere.
    pub(super) fn mark_text_failed(&self, text: &str, group: u16, failed: &mut [u16]) {
        let operators = self.facet(Facet::Operator);
        for word in text.to_lowercase().split_whitespace() {
            let finder = memmem::Finder::new(word);
            let in_text: Vec<bool> = self
                .text
                .texts
                .iter()
                .map(|text| finder.find(text.as_bytes()).is_some())
                .collect();
            let of_operators = operators.bits_of(
                operators
                    .names
                    .iter()
                    .map(String::as_str)
                    .filter(|name| finder.find(name.to_lowercase().as_bytes()).is_some()),
            );
            // Shorter words would find ids by chance.
            let can_be_id = word.len() >= 4 && word.bytes().all(|b| b.is_ascii_hexdigit());
            for (row_idx, failed) in failed.iter_mut().enumerate() {
                let is_found = in_text[self.text.text_of_row[row_idx] as usize]
                    || operators
                        .bits(row_idx)
                        .iter()
                        .zip(&of_operators)
                        .any(|(a, b)| a & b != 0)
                    || (can_be_id && self.text.ids[row_idx].starts_with(word));
                *failed |= if is_found { 0 } else { group };
            }
        }
    }
}

/// A value that is a number; anything else counts as not computed.
pub(super) fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}
