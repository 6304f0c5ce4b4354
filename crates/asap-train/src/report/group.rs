//! Gaps of pairs by what the pairs are like.

use std::collections::BTreeMap;

use super::figure::Group;
use crate::telemetry::{PairRecord, mean_interval};

/// Borders of the bins of mask areas: hands are small, and most of them would share the first of ten equal bins.
const AREAS: [f64; 8] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// Means by tenth of the schedule.
pub(super) fn by_time(pairs: &[&PairRecord]) -> Vec<Group> {
    let borders: Vec<f64> = (0..=10).map(|idx| f64::from(idx) / 10.0).collect();
    by_bin(
        pairs,
        &borders,
        |pair| pair.time,
        |low, high| format!("{low:.1}–{high:.1}"),
    )
}

/// Means by share of the latent grid inside of the mask.
pub(super) fn by_area(pairs: &[&PairRecord]) -> Vec<Group> {
    let label = |low: f64, high: f64| format!("{:.0}–{:.0} %", low * 100.0, high * 100.0);
    by_bin(pairs, &AREAS, |pair| pair.mask_area_share, label)
}

/// Means by part of the body, in the order of the taxonomy; last, pairs without one.
pub(super) fn by_part(pairs: &[&PairRecord]) -> Vec<Group> {
    grouped(pairs, |pair| (pair.part.is_none(), pair.part))
        .into_iter()
        .filter_map(|((_, part), gaps)| {
            group(
                part.map_or("not told", |part| part.name()).replace('_', " "),
                &gaps,
            )
        })
        .collect()
}

/// Means by the way in which the error was made.
pub(super) fn by_mechanism(pairs: &[&PairRecord]) -> Vec<Group> {
    grouped(pairs, |pair| pair.mechanism)
        .into_iter()
        .filter_map(|(mechanism, gaps)| group(mechanism.name().replace('_', " "), &gaps))
        .collect()
}

fn grouped<K: Ord>(pairs: &[&PairRecord], key: impl Fn(&PairRecord) -> K) -> BTreeMap<K, Vec<f64>> {
    let mut groups: BTreeMap<K, Vec<f64>> = BTreeMap::new();
    for pair in pairs {
        groups.entry(key(pair)).or_default().push(pair.delta);
    }
    groups
}

/// Means by bin; a bin holds its lower border and the last one its upper border too. Empty bins are left out.
fn by_bin(
    pairs: &[&PairRecord],
    borders: &[f64],
    value: impl Fn(&PairRecord) -> f64,
    label: impl Fn(f64, f64) -> String,
) -> Vec<Group> {
    let last = borders.len() - 2;
    let bin = |pair: &PairRecord| {
        borders[1..]
            .partition_point(|border| *border <= value(pair))
            .min(last)
    };
    grouped(pairs, bin)
        .into_iter()
        .filter_map(|(idx, gaps)| group(label(borders[idx], borders[idx + 1]), &gaps))
        .collect()
}

fn group(label: String, gaps: &[f64]) -> Option<Group> {
    let (value, interval) = mean_interval(gaps)?;
    Some(Group {
        label,
        n: gaps.len(),
        value,
        interval,
    })
}
