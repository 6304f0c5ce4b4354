//! `asap data stats`: what a dataset holds, counted.

use std::collections::BTreeMap;

use anyhow::Result;
use asap_core::{Decision, PairSummary, paper};
use asap_store::Dataset;
use serde::Serialize;

use super::lpips::{self, Measured};
use crate::args::StatsArgs;
use crate::printer::Printer;
use crate::table::{self, Align};

/// Counts of pairs, unless the name says otherwise.
#[derive(Debug, Serialize)]
struct Stats {
    dataset: String,
    version: u64,
    n_positives: u64,
    n_pairs: usize,
    n_kept: usize,
    n_rejected: usize,
    n_pending: usize,
    splits: BTreeMap<String, usize>,
    sources: BTreeMap<String, usize>,
    mechanisms: BTreeMap<String, usize>,
    regions: BTreeMap<String, usize>,
    operators: BTreeMap<String, usize>,
    /// Of the kept pairs, or of all where none is kept yet.
    means: Means,
    /// What `--lpips` did.
    lpips: Option<Measured>,
}

/// Means over the pairs in which the value was measured.
#[derive(Debug, Serialize)]
struct Means {
    over: &'static str,
    ssim_inside: Option<f64>,
    ssim_outside: Option<f64>,
    lpips_inside: Option<f64>,
    lpips_outside: Option<f64>,
    mask_share: Option<f64>,
    /// Pairs that the means are over, and those of them with LPIPS inside.
    n_pairs: usize,
    n_lpips: usize,
}

pub(crate) async fn run(args: &StatsArgs, printer: Printer) -> Result<()> {
    let mut dataset = match args.at {
        Some(version) => Dataset::open_at(&args.dataset, version).await?,
        None => Dataset::open(&args.dataset).await?,
    };
    let measured = match args.lpips {
        true => Some(lpips::measure(&mut dataset, args, printer).await?),
        false => None,
    };
    let mut stats = Stats::of(&dataset.summaries().await?);
    stats.dataset = args.dataset.display().to_string();
    stats.version = dataset.version();
    stats.n_positives = dataset.row_counts().positives;
    stats.lpips = measured;
    printer.data(&stats.text(), &stats)
}

impl Stats {
    fn of(pairs: &[PairSummary]) -> Self {
        let n_decided = |decision| pairs.iter().filter(|pair| pair.decision == decision).count();
        let one =
            |name: fn(&PairSummary) -> &'static str| count(pairs.iter().map(|pair| name(pair).to_owned()));
        Self {
            dataset: String::new(),
            version: 0,
            n_positives: 0,
            n_pairs: pairs.len(),
            n_kept: n_decided(Decision::Kept),
            n_rejected: n_decided(Decision::Rejected),
            n_pending: n_decided(Decision::Pending),
            splits: one(|pair| pair.split.name()),
            sources: one(|pair| pair.source_kind.name()),
            mechanisms: one(|pair| pair.mechanism.name()),
            regions: count(
                pairs
                    .iter()
                    .flat_map(|pair| &pair.regions)
                    .map(|region| region.name().to_owned()),
            ),
            operators: count(pairs.iter().flat_map(|pair| &pair.operators).cloned()),
            means: Means::of(pairs),
            lpips: None,
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "`{}` version {}: {} pairs from {} positives; {} kept, {} rejected, {} pending\n\n",
            self.dataset,
            self.version,
            self.n_pairs,
            self.n_positives,
            self.n_kept,
            self.n_rejected,
            self.n_pending
        );
        let mut rows = Vec::new();
        for (title, counts) in [
            ("split", &self.splits),
            ("source", &self.sources),
            ("mechanism", &self.mechanisms),
            ("region", &self.regions),
            ("operator", &self.operators),
        ] {
            rows.extend(counts.iter().enumerate().map(|(idx, (name, n))| {
                let title = if idx == 0 { title } else { "" };
                [title.to_owned(), name.clone(), n.to_string()]
            }));
        }
        text.push_str(&table::render([Align::Left, Align::Left, Align::Right], rows));
        text.push('\n');
        text.push_str(&self.means.text());
        if let Some(measured) = &self.lpips {
            text.push_str(&measured.text());
        }
        text
    }
}

impl Means {
    fn of(pairs: &[PairSummary]) -> Self {
        let kept: Vec<&PairSummary> = pairs
            .iter()
            .filter(|pair| pair.decision == Decision::Kept)
            .collect();
        let (over, pairs) = if kept.is_empty() {
            ("all", pairs.iter().collect())
        } else {
            ("kept", kept)
        };
        let mean_of =
            |value: fn(&PairSummary) -> Option<f64>| mean(pairs.iter().filter_map(|pair| value(pair)));
        Self {
            over,
            ssim_inside: mean_of(|pair| pair.ssim_inside),
            ssim_outside: mean_of(|pair| pair.ssim_outside),
            lpips_inside: mean_of(|pair| pair.lpips_inside),
            lpips_outside: mean_of(|pair| pair.lpips_outside),
            mask_share: mean_of(|pair| pair.mask_share),
            n_pairs: pairs.len(),
            n_lpips: pairs.iter().filter(|pair| pair.lpips_inside.is_some()).count(),
        }
    }

    fn text(&self) -> String {
        let row = |name: &str, value, paper: Option<f64>| {
            [name.to_owned(), table::number(value, 4), table::number(paper, 4)]
        };
        let lpips = |name: &str, value: Option<f64>, paper| {
            let name = if (1..self.n_pairs).contains(&self.n_lpips) {
                format!("{name} ({} of {} pairs)", self.n_lpips, self.n_pairs)
            } else {
                name.to_owned()
            };
            [
                name,
                table::or_not_computed(value, 4),
                table::number(Some(paper), 4),
            ]
        };
        let header = [
            format!("means of {} pairs", self.over),
            "here".to_owned(),
            "paper".to_owned(),
        ];
        table::render(
            [Align::Left, Align::Right, Align::Right],
            [
                header,
                row(
                    "SSIM inside the edit",
                    self.ssim_inside,
                    Some(paper::HAP_TARGET_SSIM),
                ),
                row("SSIM outside", self.ssim_outside, Some(paper::HAP_ELSEWHERE_SSIM)),
                lpips(
                    "LPIPS inside the edit",
                    self.lpips_inside,
                    paper::HAP_TARGET_LPIPS,
                ),
                lpips("LPIPS outside", self.lpips_outside, paper::HAP_ELSEWHERE_LPIPS),
                row("share of the image that is edited", self.mask_share, None),
            ],
        )
    }
}

fn count(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0_u64, 0.0), |(n, sum), value| (n + 1, sum + value));
    (n > 0).then(|| sum / n as f64)
}
