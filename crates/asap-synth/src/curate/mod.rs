//! The decision which pairs are kept.
//!
//! [`decide`] applies the rules of a [`Thresholds`] file to what was measured on one pair. [`curate`] does so
//! for a whole data set, then removes what says the same twice, divides the clusters among the splits and
//! counts the [`Funnel`]. Neither looks at an image: a pair is a few hundred bytes here, so millions fit into
//! memory and thresholds can be changed in seconds.
//!
//! Near-duplicates are looked for among the pairs that pass everything else, so that a bad pair never
//! pushes out a good one. Positives are compared by hashes ([`Thresholds::near_duplicates`]). Two rejected
//! images of one positive are twins when their masks overlap and the hashes of their parts are near: hashes
//! stand for the SSIM between the two rejected images, which would need both.

mod chart;
mod cluster;
mod decide;
mod funnel;
mod mask_thumb;
mod thresholds;

use std::collections::BTreeMap;

use asap_core::{
    Criterion, Curation, Decision, Evidence, PairId, PositiveId, RegionStats, Rejection, SourceKind, Split,
    StatRegion, Stream, paper,
};

use cluster::PositiveFacts;
pub use decide::decide;
pub use funnel::{Funnel, FunnelRow, PerCriterion};
pub use mask_thumb::MaskThumb;
pub use thresholds::{EMBEDDED_TOML, NearDuplicates, Rules, Splits, Thresholds};

/// How many pairs [`CurationReport::worst_kept`] and [`CurationReport::best_rejected`] name at most.
pub const N_EDGES: usize = 24;

/// What curation knows of a pair.
#[derive(Clone, Debug)]
pub struct CurationInput {
    /// The pair.
    pub pair_id: PairId,
    /// Its preferred image.
    pub positive_id: PositiveId,
    /// What the preferred image is.
    pub source_kind: SourceKind,
    /// SHA-256 of the file that it was made from; empty where there is none. Not that of a table of many
    /// images: positives of one file are one cluster.
    pub source_sha256: String,
    /// Operators with versions.
    pub operators: Vec<String>,
    /// What was measured.
    pub stats: Vec<RegionStats>,
    /// What else was measured.
    pub evidence: Evidence,
    /// Its `mask_edit`, made small.
    pub mask: MaskThumb,
}

/// The result for a data set.
#[derive(Clone, Debug)]
pub struct CurationReport {
    /// The decision on every pair, in the order of the inputs.
    pub curations: Vec<Curation>,
    /// How many failed what.
    pub funnel: Funnel,
    /// The kept pairs nearest to a threshold, nearest first.
    pub worst_kept: Vec<Edge>,
    /// The rejected pairs that failed by least, least first; duplicates are not among them.
    pub best_rejected: Vec<Edge>,
}

/// A pair near the edge of the data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The pair.
    pub pair_id: PairId,
    /// The smallest distance to a threshold, in thresholds; negative for a rejected pair.
    pub margin: f64,
    /// The rule whose threshold it is, as named in the thresholds file.
    pub rule: &'static str,
}

/// Decides on all pairs of a data set.
///
/// The result depends on the set of pairs and on the thresholds; the order of the inputs only numbers the
/// clusters.
pub fn curate(inputs: &[CurationInput], thresholds: &Thresholds) -> CurationReport {
    let mut rejections: Vec<Vec<Rejection>> = inputs
        .iter()
        .map(|input| decide(&input.stats, &input.evidence, thresholds.rules(input.source_kind)))
        .collect();
    let positives = Positives::of(inputs);
    let clusters = cluster::clusters(&positives.facts, &thresholds.near_duplicates);
    reject_twins(inputs, &positives, &thresholds.near_duplicates, &mut rejections);
    reject_crowds(inputs, &positives, &clusters, thresholds, &mut rejections);
    let splits = splits(&positives, &clusters, &thresholds.splits);
    let digest = thresholds.digest();
    let curations: Vec<Curation> = rejections
        .into_iter()
        .zip(&positives.idx_of_pair)
        .map(|(rejections, &positive_idx)| Curation {
            decision: if rejections.is_empty() {
                Decision::Kept
            } else {
                Decision::Rejected
            },
            rejections,
            split: splits[clusters[positive_idx] as usize],
            cluster: clusters[positive_idx],
            thresholds: digest.clone(),
        })
        .collect();
    let (worst_kept, best_rejected) = edges(inputs, &curations, thresholds);
    CurationReport {
        funnel: Funnel::count(inputs, &curations),
        curations,
        worst_kept,
        best_rejected,
    }
}

/// The positives behind the pairs.
struct Positives {
    facts: Vec<PositiveFacts>,
    idx_of_pair: Vec<usize>,
}

impl Positives {
    fn of(inputs: &[CurationInput]) -> Self {
        let mut idx_of: BTreeMap<PositiveId, usize> = BTreeMap::new();
        let mut facts: Vec<PositiveFacts> = Vec::new();
        let mut idx_of_pair = Vec::with_capacity(inputs.len());
        for input in inputs {
            let idx = *idx_of.entry(input.positive_id).or_insert(facts.len());
            if idx == facts.len() {
                facts.push(PositiveFacts {
                    id: input.positive_id,
                    phash: input.evidence.positive_phash,
                    dhash: input.evidence.positive_dhash,
                    part_phashes: Vec::new(),
                    source_sha256: input.source_sha256.clone(),
                });
            }
            let part_phashes = &mut facts[idx].part_phashes;
            if !part_phashes.contains(&input.evidence.part_phash) {
                part_phashes.push(input.evidence.part_phash);
            }
            idx_of_pair.push(idx);
        }
        Self { facts, idx_of_pair }
    }

    /// Indices of the pairs without a rejection, by positive.
    fn passing_pairs(&self, rejections: &[Vec<Rejection>]) -> Vec<Vec<usize>> {
        let mut pairs = vec![Vec::new(); self.facts.len()];
        for (pair_idx, &positive_idx) in self.idx_of_pair.iter().enumerate() {
            if rejections[pair_idx].is_empty() {
                pairs[positive_idx].push(pair_idx);
            }
        }
        pairs
    }
}

fn duplicate(rule: &str, measured: f64, threshold: f64) -> Rejection {
    Rejection {
        criterion: Criterion::NearDuplicate,
        rule: rule.to_owned(),
        measured: Some(measured),
        threshold,
    }
}

/// Of the twins among the rejected images of a positive the one nearest to the paper's mean SSIM stays.
fn reject_twins(
    inputs: &[CurationInput],
    positives: &Positives,
    limits: &NearDuplicates,
    rejections: &mut [Vec<Rejection>],
) {
    let distance_to_paper = |idx: usize| {
        let edit = inputs[idx]
            .stats
            .iter()
            .find(|stats| stats.region == StatRegion::Edit);
        let ssim = edit.and_then(|edit| edit.ssim_inside);
        ssim.map_or(f64::INFINITY, |ssim| (ssim - paper::HAP_TARGET_SSIM).abs())
    };
    for mut pairs in positives.passing_pairs(rejections) {
        pairs.sort_by(|&a, &b| {
            let by_distance = distance_to_paper(a).total_cmp(&distance_to_paper(b));
            by_distance.then(inputs[a].pair_id.cmp(&inputs[b].pair_id))
        });
        let mut kept: Vec<usize> = Vec::with_capacity(pairs.len());
        for idx in pairs {
            let own = &inputs[idx];
            let overlap = kept
                .iter()
                .map(|&other| &inputs[other])
                .filter(|other| {
                    let hashes = (
                        own.evidence.rejected_part_phash,
                        other.evidence.rejected_part_phash,
                    );
                    crate::hash::distance(hashes.0, hashes.1) <= limits.twin_part_phash_distance_max
                })
                .map(|other| own.mask.iou(&other.mask))
                .find(|&iou| iou > limits.twin_mask_iou_max);
            match overlap {
                Some(iou) => {
                    rejections[idx].push(duplicate("twin_mask_iou_max", iou, limits.twin_mask_iou_max));
                }
                None => kept.push(idx),
            }
        }
    }
}

/// Of every cluster the best positives stay: those with most passing pairs, then the sharpest parts.
fn reject_crowds(
    inputs: &[CurationInput],
    positives: &Positives,
    clusters: &[u32],
    thresholds: &Thresholds,
    rejections: &mut [Vec<Rejection>],
) {
    let limit = thresholds.near_duplicates.positives_per_cluster_max;
    let passing = positives.passing_pairs(rejections);
    let sharpness = |positive_idx: usize| {
        let parts = passing[positive_idx]
            .iter()
            .map(|&pair| inputs[pair].evidence.part_sharpness);
        parts.fold(f64::NEG_INFINITY, f64::max)
    };
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (positive_idx, &cluster) in clusters.iter().enumerate() {
        if !passing[positive_idx].is_empty() {
            members.entry(cluster).or_default().push(positive_idx);
        }
    }
    for (_, mut ranked) in members {
        ranked.sort_by(|&a, &b| {
            let by_count = passing[b].len().cmp(&passing[a].len());
            by_count
                .then(sharpness(b).total_cmp(&sharpness(a)))
                .then(positives.facts[a].id.cmp(&positives.facts[b].id))
        });
        for (rank, &positive_idx) in ranked.iter().enumerate().skip(limit as usize) {
            for &pair in &passing[positive_idx] {
                let rank = (rank + 1) as f64;
                rejections[pair].push(duplicate("positives_per_cluster_max", rank, f64::from(limit)));
            }
        }
    }
}

/// The split of every cluster, drawn by its smallest positive id.
fn splits(positives: &Positives, clusters: &[u32], shares: &Splits) -> Vec<Split> {
    let mut smallest: BTreeMap<u32, PositiveId> = BTreeMap::new();
    for (facts, &cluster) in positives.facts.iter().zip(clusters) {
        let id = smallest.entry(cluster).or_insert(facts.id);
        *id = facts.id.min(*id);
    }
    // Clusters are numbered without gaps, so the values stand at the index of their cluster.
    smallest
        .values()
        .map(|id| {
            let drawn = Stream::new(shares.seed, &format!("split/{id}")).unit();
            if drawn < shares.train_share {
                Split::Train
            } else if drawn < shares.train_share + shares.validation_share {
                Split::Validation
            } else {
                Split::Test
            }
        })
        .collect()
}

/// The kept pairs nearest to a threshold and the rejected ones that missed by least.
fn edges(
    inputs: &[CurationInput],
    curations: &[Curation],
    thresholds: &Thresholds,
) -> (Vec<Edge>, Vec<Edge>) {
    let (mut kept, mut rejected) = (Vec::new(), Vec::new());
    for (input, curation) in inputs.iter().zip(curations) {
        let checks = decide::checks(&input.stats, &input.evidence, thresholds.rules(input.source_kind));
        let failed_exactly = |check: &decide::Check| !check.passes() && check.margin().is_none();
        let least = checks
            .iter()
            .filter_map(|check| Some((check.margin()?, check.rule)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((margin, rule)) = least else { continue };
        let edge = Edge {
            pair_id: input.pair_id,
            margin,
            rule,
        };
        if curation.decision == Decision::Kept {
            kept.push(edge);
        } else if margin < 0.0 && !checks.iter().any(failed_exactly) {
            rejected.push(edge);
        }
    }
    kept.sort_by(|a, b| a.margin.total_cmp(&b.margin).then(a.pair_id.cmp(&b.pair_id)));
    rejected.sort_by(|a, b| b.margin.total_cmp(&a.margin).then(a.pair_id.cmp(&b.pair_id)));
    kept.truncate(N_EDGES);
    rejected.truncate(N_EDGES);
    (kept, rejected)
}

#[cfg(test)]
mod tests;
