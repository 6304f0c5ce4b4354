//! Table 1 of the paper as data, shown beside what was measured here and never mixed with it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use asap_core::Sha256;
use serde::Deserialize;

use crate::run::sha256;

const TEXT: &str = include_str!("../../../../datasets/paper/table1.json");

/// What the paper reports.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperTable {
    /// Where the numbers stand.
    pub source: String,
    /// `reported`: nobody has computed them again.
    pub status: String,
    /// The judge.
    pub judge: String,
    /// Prompts of the benchmark; the paper does not say how many judgements stand behind a rate.
    pub n_prompts: u64,
    /// Its rows.
    pub rows: Vec<PaperRow>,
}

/// One row; what is not known of it is absent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperRow {
    /// The model that was trained.
    pub backbone: String,
    /// How it was trained; `base` is the model as it was published.
    pub method: String,
    /// Anatomical error rate, 0 to 1.
    #[serde(default)]
    pub aer: Option<f64>,
    /// Relative superiority index over the backbone.
    #[serde(default)]
    pub rsi: Option<f64>,
    /// Whether the index is 1 because the row is what others are compared with.
    #[serde(default)]
    pub is_reference: bool,
    /// Learned scores by the scorer's name.
    #[serde(default)]
    pub scores: BTreeMap<String, f64>,
}

/// The table.
pub fn paper_table() -> &'static PaperTable {
    static TABLE: LazyLock<PaperTable> = LazyLock::new(|| {
        serde_json::from_str(TEXT).expect("the table in the repository parses: a test reads it")
    });
    &TABLE
}

/// SHA-256 of the table's file.
pub fn paper_table_sha256() -> Sha256 {
    sha256(TEXT.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_papers_as_far_as_it_is_known() {
        let table = paper_table();
        let cell = |backbone: &str, method: &str| {
            let is_it = |row: &&PaperRow| row.backbone == backbone && row.method == method;
            let row = table.rows.iter().find(is_it).unwrap();
            (row.aer, row.rsi)
        };
        assert_eq!(cell("FLUX.1-dev", "base"), (Some(0.417), Some(1.0)));
        assert_eq!(cell("FLUX.1-dev", "ASAP"), (Some(0.289), Some(1.17)));
        assert_eq!(cell("SDXL", "DPO"), (Some(0.775), None));
        assert_eq!(cell("SDXL", "SFT"), (None, None));
        assert!(
            table
                .rows
                .iter()
                .all(|row| row.is_reference == (row.method == "base"))
        );
        assert_eq!(table.n_prompts, u64::from(asap_core::paper::HAF_BENCH_PROMPTS));
    }
}
