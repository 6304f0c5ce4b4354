//! The whole dataset in counts.

use std::collections::{BTreeMap, BTreeSet};

use asap_app::filter::{Facet, Measure};
use asap_app::model::{Coverage, DatasetModel, FunnelRow, Histogram, RuleCount, Tally};
use asap_core::{Decision, PairSummary};

use crate::index::Index;
use crate::state::Snapshot;

/// Counted once for each version.
pub(crate) fn overview<'a>(snapshot: &'a Snapshot, name: &str) -> &'a DatasetModel {
    snapshot.overview.get_or_init(|| count(&snapshot.index, name))
}

fn count(index: &Index, name: &str) -> DatasetModel {
    let rows = index.rows();
    let n_of = |decision: Decision| rows.iter().filter(|row| row.decision == decision).count();
    let positives: BTreeSet<_> = rows.iter().map(|row| row.positive_id).collect();
    let n_kept = n_of(Decision::Kept);
    // Before anything is decided, the distribution of all pairs is the only one there is.
    let is_counted = |row: &PairSummary| n_kept == 0 || row.decision == Decision::Kept;
    let (histograms, means) = Measure::ALL
        .map(|measure| distribution(index, measure, is_counted))
        .into_iter()
        .unzip();
    DatasetModel {
        name: name.to_owned(),
        n_pairs: rows.len(),
        n_positives: positives.len(),
        n_kept,
        n_rejected: n_of(Decision::Rejected),
        funnel: funnel(rows),
        histograms,
        means,
        coverage: coverage(rows),
        tallies: tallies(rows),
    }
}

fn distribution(
    index: &Index,
    measure: Measure,
    is_counted: impl Fn(&PairSummary) -> bool,
) -> (Histogram, Option<f64>) {
    let rows = index.rows();
    let histogram = index.histogram_of(measure, |row_idx| is_counted(&rows[row_idx]));
    let value = |row: &PairSummary| match measure {
        Measure::SsimInside => row.ssim_inside,
        Measure::SsimOutside => row.ssim_outside,
    };
    let counted = rows
        .iter()
        .filter(|row| is_counted(row))
        .filter_map(value)
        .filter(|value| value.is_finite());
    let (sum, n) = counted.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
    (histogram, (n > 0).then(|| sum / n as f64))
}

#[derive(Default)]
struct Counts {
    n: usize,
    n_kept: usize,
    n_rejected: usize,
}

impl Counts {
    fn add(&mut self, decision: Decision) {
        self.n += 1;
        self.n_kept += usize::from(decision == Decision::Kept);
        self.n_rejected += usize::from(decision == Decision::Rejected);
    }

    fn tally(&self, name: &str) -> Tally {
        Tally {
            name: name.to_owned(),
            n: self.n,
            n_kept: self.n_kept,
            n_rejected: self.n_rejected,
        }
    }
}

fn funnel(rows: &[PairSummary]) -> Vec<FunnelRow> {
    let mut operators: BTreeMap<&str, (Counts, BTreeMap<&str, usize>)> = BTreeMap::new();
    for row in rows {
        for operator in row.operators.iter().collect::<BTreeSet<_>>() {
            let (counts, rules) = operators.entry(operator).or_default();
            counts.add(row.decision);
            for rule in &row.rejections {
                *rules.entry(rule).or_default() += 1;
            }
        }
    }
    let mut funnel: Vec<FunnelRow> = operators
        .iter()
        .map(|(name, (counts, rules))| FunnelRow {
            tally: counts.tally(name),
            failed: most_first(rules),
        })
        .collect();
    funnel.sort_by(|a, b| {
        b.tally
            .n
            .cmp(&a.tally.n)
            .then_with(|| a.tally.name.cmp(&b.tally.name))
    });
    funnel
}

fn most_first(rules: &BTreeMap<&str, usize>) -> Vec<RuleCount> {
    let mut failed: Vec<RuleCount> = rules
        .iter()
        .map(|(&rule, &n)| RuleCount {
            rule: rule.to_owned(),
            n,
        })
        .collect();
    failed.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.rule.cmp(&b.rule)));
    failed
}

fn coverage(rows: &[PairSummary]) -> Vec<Coverage> {
    let mut cells: BTreeMap<_, usize> = BTreeMap::new();
    for row in rows {
        // A cell links to the pairs that have both words, which need not belong to one error.
        let parts: BTreeSet<_> = row.degradations.iter().map(|error| error.part).collect();
        let kinds: BTreeSet<_> = row.degradations.iter().map(|error| error.kind).collect();
        for part in &parts {
            for kind in &kinds {
                *cells.entry((*part, *kind)).or_default() += 1;
            }
        }
    }
    let cell = |((part, kind), n): ((asap_core::Part, asap_core::Kind), usize)| Coverage {
        part: part.name().to_owned(),
        kind: kind.name().to_owned(),
        n,
    };
    cells.into_iter().map(cell).collect()
}

fn tallies(rows: &[PairSummary]) -> Vec<(Facet, Vec<Tally>)> {
    let tally = |facet: Facet| {
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for row in rows {
            for name in names(row, facet) {
                counts.entry(name).or_default().add(row.decision);
            }
        }
        let order = facet.names().unwrap_or_default();
        let used = order
            .iter()
            .filter_map(|&name| counts.get(name).map(|counts| counts.tally(name)));
        (facet, used.collect())
    };
    [Facet::Split, Facet::Region, Facet::Source, Facet::Mechanism]
        .map(tally)
        .into()
}

fn names(row: &PairSummary, facet: Facet) -> BTreeSet<&'static str> {
    match facet {
        Facet::Split => BTreeSet::from([row.split.name()]),
        Facet::Source => BTreeSet::from([row.source_kind.name()]),
        Facet::Mechanism => BTreeSet::from([row.mechanism.name()]),
        Facet::Region => row.regions.iter().map(|region| region.name()).collect(),
        Facet::Decision | Facet::Part | Facet::Kind | Facet::Operator => BTreeSet::new(),
    }
}
