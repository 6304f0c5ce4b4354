//! How many pairs failed what, per operator.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use asap_core::{Criterion, Curation, Decision, SourceKind};
use serde::{Deserialize, Serialize};

use super::{CurationInput, chart};

/// A count for each criterion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerCriterion {
    /// (1) The preferred image.
    pub positive_quality: u64,
    /// (2) The error.
    pub visible_degradation: u64,
    /// (3) The background.
    pub background_preserved: u64,
    /// The size of the mask.
    pub mask_sanity: u64,
    /// Said already.
    pub near_duplicate: u64,
}

impl PerCriterion {
    /// The count of a criterion.
    pub const fn get(&self, criterion: Criterion) -> u64 {
        match criterion {
            Criterion::PositiveQuality => self.positive_quality,
            Criterion::VisibleDegradation => self.visible_degradation,
            Criterion::BackgroundPreserved => self.background_preserved,
            Criterion::MaskSanity => self.mask_sanity,
            Criterion::NearDuplicate => self.near_duplicate,
        }
    }

    fn add(&mut self, criterion: Criterion) {
        *match criterion {
            Criterion::PositiveQuality => &mut self.positive_quality,
            Criterion::VisibleDegradation => &mut self.visible_degradation,
            Criterion::BackgroundPreserved => &mut self.background_preserved,
            Criterion::MaskSanity => &mut self.mask_sanity,
            Criterion::NearDuplicate => &mut self.near_duplicate,
        } += 1;
    }
}

/// The pairs of one operator on one kind of source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelRow {
    /// The kind of source; none in the row of all pairs.
    pub source_kind: Option<SourceKind>,
    /// The operator without its version; `all` in the row of all pairs.
    pub operator: String,
    /// Pairs made.
    pub made: u64,
    /// Pairs by the first criterion that they failed: made = kept + the sum of these.
    pub first_failed: PerCriterion,
    /// Pairs that failed a criterion, whatever else they failed.
    pub failed: PerCriterion,
    /// Pairs kept.
    pub kept: u64,
}

/// The table of a data set.
///
/// A pair that several operators made together counts in the row of each; `all` counts it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// By source and operator, sorted.
    pub rows: Vec<FunnelRow>,
    /// All pairs.
    pub all: FunnelRow,
    /// How many pairs failed each rule, by `criterion/rule`.
    pub rules: BTreeMap<String, u64>,
}

impl FunnelRow {
    fn new(source_kind: Option<SourceKind>, operator: &str) -> Self {
        Self {
            source_kind,
            operator: operator.to_owned(),
            made: 0,
            first_failed: PerCriterion::default(),
            failed: PerCriterion::default(),
            kept: 0,
        }
    }

    fn add(&mut self, curation: &Curation) {
        self.made += 1;
        self.kept += u64::from(curation.decision == Decision::Kept);
        let is_failed = |criterion: &Criterion| {
            let mut rejections = curation.rejections.iter();
            rejections.any(|rejection| rejection.criterion == *criterion)
        };
        for (nth, criterion) in Criterion::ALL.into_iter().filter(is_failed).enumerate() {
            self.failed.add(criterion);
            if nth == 0 {
                self.first_failed.add(criterion);
            }
        }
    }

    /// The kept share, 0 to 1; `None` where nothing was made.
    pub fn kept_share(&self) -> Option<f64> {
        (self.made > 0).then(|| self.kept as f64 / self.made as f64)
    }
}

impl Funnel {
    /// Counts decisions; `curations` are those of `inputs`, in the same order.
    pub fn count(inputs: &[CurationInput], curations: &[Curation]) -> Self {
        let mut rows: BTreeMap<(SourceKind, String), FunnelRow> = BTreeMap::new();
        let mut all = FunnelRow::new(None, "all");
        let mut rules: BTreeMap<String, u64> = BTreeMap::new();
        for (input, curation) in inputs.iter().zip(curations) {
            all.add(curation);
            let mut operators: Vec<&str> = input.operators.iter().map(|label| id_of(label)).collect();
            operators.sort_unstable();
            operators.dedup();
            for operator in operators {
                rows.entry((input.source_kind, operator.to_owned()))
                    .or_insert_with(|| FunnelRow::new(Some(input.source_kind), operator))
                    .add(curation);
            }
            for rejection in &curation.rejections {
                let rule = format!("{}/{}", rejection.criterion.name(), rejection.rule);
                *rules.entry(rule).or_default() += 1;
            }
        }
        Self {
            rows: rows.into_values().collect(),
            all,
            rules,
        }
    }

    /// An aligned table: pairs by the first criterion that they failed.
    pub fn to_text(&self) -> String {
        let header = [
            "source",
            "operator",
            "made",
            "positive",
            "visible",
            "background",
            "mask",
            "duplicate",
            "kept",
            "kept %",
        ];
        let mut lines: Vec<Vec<String>> = vec![header.map(str::to_owned).to_vec()];
        lines.extend(self.rows.iter().chain([&self.all]).map(cells));
        let widths: Vec<usize> = (0..header.len())
            .map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in lines {
            let mut row = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                // Names to the left, numbers to the right. Writing to a string cannot fail.
                let _ = if column < 2 {
                    write!(row, "{cell:<width$}  ")
                } else {
                    write!(row, "{cell:>width$}  ")
                };
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// The table as a chart: a bar for every operator, divided by what became of its pairs.
    pub fn to_svg(&self) -> String {
        chart::svg(self)
    }
}

/// The operator without its version.
fn id_of(label: &str) -> &str {
    label.split_once('@').map_or(label, |(id, _)| id)
}

fn cells(row: &FunnelRow) -> Vec<String> {
    let source = row.source_kind.map_or("", SourceKind::name);
    let mut cells = vec![source.to_owned(), row.operator.clone(), row.made.to_string()];
    cells.extend(Criterion::ALL.map(|criterion| row.first_failed.get(criterion).to_string()));
    cells.push(row.kept.to_string());
    cells.push(
        row.kept_share()
            .map_or_else(String::new, |share| format!("{:.1}", share * 100.0)),
    );
    cells
}
