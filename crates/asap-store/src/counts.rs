//! The numbers of `asap data stats`.

use std::collections::BTreeMap;

use asap_core::PairSummary;
use serde::{Deserialize, Serialize};

use crate::{Dataset, Result, RowCounts};

/// A mean with the number of values behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean; `None` of no values.
    pub mean: Option<f64>,
    /// How many pairs have a value.
    pub n: u64,
}

impl Mean {
    fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let (sum, n) = values
            .flatten()
            .fold((0.0, 0u64), |(sum, n), value| (sum + value, n + 1));
        Self {
            mean: (n > 0).then(|| sum / n as f64),
            n,
        }
    }
}

/// Counts and means over a dataset, keyed by the names used in files and addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetStats {
    /// Rows of each table.
    pub rows: RowCounts,
    /// Pairs by split.
    pub by_split: BTreeMap<String, u64>,
    /// Pairs by state.
    pub by_decision: BTreeMap<String, u64>,
    /// Pairs by mechanism.
    pub by_mechanism: BTreeMap<String, u64>,
    /// Pairs by kind of preferred image.
    pub by_source_kind: BTreeMap<String, u64>,
    /// Pairs by operator; a pair of two operators counts for both.
    pub by_operator: BTreeMap<String, u64>,
    /// Pairs by `part/kind`; a pair of two errors counts for both.
    pub by_degradation: BTreeMap<String, u64>,
    /// Pairs by changed region; a pair of two regions counts for both.
    pub by_region: BTreeMap<String, u64>,
    /// Rejected pairs by the rule that they failed.
    pub by_rejection: BTreeMap<String, u64>,
    /// SSIM inside `mask_edit`.
    pub ssim_inside: Mean,
    /// SSIM outside `mask_edit`.
    pub ssim_outside: Mean,
    /// LPIPS inside `mask_edit`.
    pub lpips_inside: Mean,
    /// LPIPS outside `mask_edit`.
    pub lpips_outside: Mean,
}

impl DatasetStats {
    /// Counts pairs; `rows` are handed through.
    pub fn of(rows: RowCounts, pairs: &[PairSummary]) -> Self {
        let mut stats = Self {
            rows,
            ..Self::default()
        };
        for pair in pairs {
            count(&mut stats.by_split, [pair.split.name()]);
            count(&mut stats.by_decision, [pair.decision.name()]);
            count(&mut stats.by_mechanism, [pair.mechanism.name()]);
            count(&mut stats.by_source_kind, [pair.source_kind.name()]);
            count(&mut stats.by_operator, &pair.operators);
            count(
                &mut stats.by_region,
                pair.regions.iter().map(|region| region.name()),
            );
            count(&mut stats.by_rejection, &pair.rejections);
            let names = pair
                .degradations
                .iter()
                .map(|d| format!("{}/{}", d.part.name(), d.kind.name()));
            count(&mut stats.by_degradation, names);
        }
        stats.ssim_inside = Mean::of(pairs.iter().map(|p| p.ssim_inside));
        stats.ssim_outside = Mean::of(pairs.iter().map(|p| p.ssim_outside));
        stats.lpips_inside = Mean::of(pairs.iter().map(|p| p.lpips_inside));
        stats.lpips_outside = Mean::of(pairs.iter().map(|p| p.lpips_outside));
        stats
    }
}

/// Counts each different name of a pair once.
fn count<T: AsRef<str>>(into: &mut BTreeMap<String, u64>, names: impl IntoIterator<Item = T>) {
    let names: std::collections::BTreeSet<String> =
        names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    for name in names {
        *into.entry(name).or_default() += 1;
    }
}

impl Dataset {
    /// Counts and means over all pairs. No image is read.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table).
    pub async fn stats(&self) -> Result<DatasetStats> {
        Ok(DatasetStats::of(self.row_counts(), &self.summaries().await?))
    }
}
