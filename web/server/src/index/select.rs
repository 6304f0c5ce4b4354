//! What a filter lets pass, and what each further choice would.

use asap_app::filter::{Facet, Filter, Measure};
use asap_app::model::{FacetModel, FacetOption, Histogram};
use asap_app::query::GridQuery;

use super::{Index, N_BINS};

/// The rows that pass, in order, with the counts and histograms beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Indices into [`Index::rows`].
    pub order: Vec<u32>,
    /// For each facet the values that some row has, counted over the rows that pass all other filters.
    pub facets: Vec<FacetModel>,
    /// For each measure the rows that pass all filters but its own bounds.
    pub histograms: Vec<Histogram>,
}

/// Each way of failing has a bit: the facets, the measures, the text.
const fn facet_group(facet: Facet) -> u16 {
    1 << facet as u16
}
const fn measure_group(measure: Measure) -> u16 {
    1 << (Facet::ALL.len() + measure as usize)
}
const TEXT_GROUP: u16 = 1 << (Facet::ALL.len() + Measure::ALL.len());

impl Index {
    /// Filters, sorts and counts.
    pub fn select(&self, query: &GridQuery) -> Selection {
        let failed = self.failed(&query.filter);
        Selection {
            order: self.passing(query, &failed),
            facets: self.count_facets(&query.filter, &failed),
            histograms: Measure::ALL
                .iter()
                .map(|&measure| self.histogram(measure, &failed))
                .collect(),
        }
    }

    /// Filters and sorts only.
    pub fn ordered(&self, query: &GridQuery) -> Vec<u32> {
        self.passing(query, &self.failed(&query.filter))
    }

    /// The histogram of a measure over the rows that `keep` accepts.
    pub(crate) fn histogram_of(&self, measure: Measure, keep: impl Fn(usize) -> bool) -> Histogram {
        let failed: Vec<u16> = (0..self.rows.len()).map(|idx| u16::from(!keep(idx))).collect();
        // Bit 0 is a facet's, so it counts as failed for every measure.
        self.histogram(measure, &failed)
    }

    fn passing(&self, query: &GridQuery, failed: &[u16]) -> Vec<u32> {
        let order = self.order(query.sort, query.order).iter().copied();
        order.filter(|&idx| failed[idx as usize] == 0).collect()
    }

    /// For each row the groups that it fails.
    fn failed(&self, filter: &Filter) -> Vec<u16> {
        let mut failed = vec![0; self.rows.len()];
        for facet in Facet::ALL {
            if filter.names(facet).next().is_some() {
                let column = self.columns.facet(facet);
                column.mark_failed(
                    &column.bits_of(filter.names(facet)),
                    facet_group(facet),
                    &mut failed,
                );
            }
        }
        for measure in Measure::ALL {
            let bounds = filter.bounds(measure);
            if !bounds.is_open() {
                let (min, max) = (
                    bounds.min.unwrap_or(f64::NEG_INFINITY),
                    bounds.max.unwrap_or(f64::INFINITY),
                );
                for (failed, &value) in failed.iter_mut().zip(self.columns.measure(measure)) {
                    // A missing value is NaN and lies in no range.
                    *failed |= if value >= min && value <= max {
                        0
                    } else {
                        measure_group(measure)
                    };
                }
            }
        }
        self.columns
            .mark_text_failed(&filter.text, TEXT_GROUP, &mut failed);
        failed
    }

    fn count_facets(&self, filter: &Filter, failed: &[u16]) -> Vec<FacetModel> {
        let count = |facet: Facet| {
            let column = self.columns.facet(facet);
            let mut counts = vec![0_usize; column.names.len()];
            let mut is_used = column.bits_of(std::iter::empty());
            for (row_idx, &failed) in failed.iter().enumerate() {
                let bits = column.bits(row_idx);
                is_used
                    .iter_mut()
                    .zip(bits)
                    .for_each(|(used, bits)| *used |= bits);
                if failed & !facet_group(facet) == 0 {
                    count_bits(bits, &mut counts);
                }
            }
            let options = column
                .names
                .iter()
                .zip(counts)
                .enumerate()
                .filter_map(|(bit, (name, n))| {
                    let is_chosen = filter.has(facet, name);
                    let is_shown = is_chosen || is_used[bit / 64] >> (bit % 64) & 1 == 1;
                    is_shown.then(|| FacetOption {
                        name: name.clone(),
                        n,
                        is_chosen,
                    })
                });
            FacetModel {
                facet,
                options: options.collect(),
            }
        };
        Facet::ALL.into_iter().map(count).collect()
    }

    fn histogram(&self, measure: Measure, failed: &[u16]) -> Histogram {
        let (low, high) = self.axis(measure);
        let mut bins = vec![0; N_BINS];
        let mut n_missing = 0;
        for (&value, &failed) in self.columns.measure(measure).iter().zip(failed) {
            if failed & !measure_group(measure) != 0 {
                continue;
            }
            if value.is_nan() {
                n_missing += 1;
            } else {
                let share = (value - low) / (high - low);
                bins[((share * N_BINS as f64) as usize).min(N_BINS - 1)] += 1;
            }
        }
        Histogram {
            measure,
            low,
            high,
            bins,
            n_missing,
        }
    }
}

fn count_bits(words: &[u64], counts: &mut [usize]) {
    for (word_idx, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            counts[word_idx * 64 + rest.trailing_zeros() as usize] += 1;
            rest &= rest - 1;
        }
    }
}
