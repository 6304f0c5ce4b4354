//! Clusters of near-duplicate positives: banded hashes and union-find.

use std::collections::BTreeMap;

use asap_core::PositiveId;

use super::thresholds::NearDuplicates;
use crate::hash::distance;

/// Bits of a band; a 64-bit hash has four.
const BAND_BITS: u32 = 16;

/// What is known of a positive.
#[derive(Clone, Debug)]
pub(super) struct PositiveFacts {
    pub(super) id: PositiveId,
    pub(super) phash: u64,
    pub(super) dhash: u64,
    /// Hashes of the corrupted parts, one or more.
    pub(super) part_phashes: Vec<u64>,
    /// Pictures made from one file are one cluster; empty where there is no file.
    pub(super) source_sha256: String,
}

impl PositiveFacts {
    fn is_near(&self, other: &Self, limits: &NearDuplicates) -> bool {
        let is_part_near = || {
            self.part_phashes.iter().any(|&a| {
                let mut others = other.part_phashes.iter();
                others.any(|&b| distance(a, b) <= limits.part_phash_distance_max)
            })
        };
        distance(self.phash, other.phash) <= limits.phash_distance_max
            && distance(self.dhash, other.dhash) <= limits.dhash_distance_max
            && is_part_near()
    }
}

/// The cluster of every positive, numbered in the order of their first members.
///
/// Candidates share a 16-bit band of the pHash up to one bit: two hashes at a distance of 7 or less always do
/// (7 bits over 4 bands leave one band with at most one), so up to `phash_distance_max = 7` nothing is missed.
pub(super) fn clusters(positives: &[PositiveFacts], limits: &NearDuplicates) -> Vec<u32> {
    let mut sets = DisjointSets::new(positives.len());
    join_same_source(positives, &mut sets);
    for band in 0..64 / BAND_BITS {
        let key = |hash: u64| (hash >> (band * BAND_BITS)) as u16;
        let mut buckets: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (idx, positive) in positives.iter().enumerate() {
            let own = key(positive.phash);
            let probes = std::iter::once(own).chain((0..BAND_BITS).map(|bit| own ^ (1 << bit)));
            for candidate in probes.filter_map(|probe| buckets.get(&probe)).flatten() {
                if sets.root(idx) != sets.root(*candidate) && positive.is_near(&positives[*candidate], limits)
                {
                    sets.join(idx, *candidate);
                }
            }
            buckets.entry(own).or_default().push(idx);
        }
    }
    sets.numbered()
}

fn join_same_source(positives: &[PositiveFacts], sets: &mut DisjointSets) {
    let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (idx, positive) in positives.iter().enumerate() {
        if !positive.source_sha256.is_empty() {
            let first = *first_of.entry(&positive.source_sha256).or_insert(idx);
            sets.join(first, idx);
        }
    }
}

/// Union-find with path halving; the smallest index is the root.
struct DisjointSets {
    parent: Vec<usize>,
}

impl DisjointSets {
    fn new(n: usize) -> Self {
        Self {
            parent: (0..n).collect(),
        }
    }

    fn root(&mut self, mut idx: usize) -> usize {
        while self.parent[idx] != idx {
            self.parent[idx] = self.parent[self.parent[idx]];
            idx = self.parent[idx];
        }
        idx
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    fn numbered(&mut self) -> Vec<u32> {
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        (0..self.parent.len())
            .map(|idx| {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(self.root(idx)).or_insert(next)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curate::thresholds::Thresholds;
    use asap_core::Stream;

    fn positive(name: usize, phash: u64) -> PositiveFacts {
        PositiveFacts {
            id: PositiveId::new(&name.to_string(), ""),
            phash,
            dhash: 0,
            part_phashes: vec![0],
            source_sha256: String::new(),
        }
    }

    fn flipped(hash: u64, n_bits: usize, stream: &mut Stream) -> u64 {
        let mut bits: Vec<u32> = (0..64).collect();
        stream.shuffle(&mut bits);
        bits[..n_bits].iter().fold(hash, |hash, bit| hash ^ (1 << bit))
    }

    #[test]
    fn every_near_hash_is_found_wherever_its_bits_lie() {
        let limits = Thresholds::embedded().near_duplicates;
        let mut stream = Stream::new(4, "clusters");
        for _ in 0..300 {
            let base = stream.bits();
            let near = flipped(base, 6, &mut stream);
            assert_eq!(clusters(&[positive(0, base), positive(1, near)], &limits), [0, 0]);
            let far = flipped(base, 7, &mut stream);
            assert_eq!(clusters(&[positive(0, base), positive(1, far)], &limits), [0, 1]);
        }
    }

    #[test]
    fn all_three_hashes_must_be_near() {
        let limits = Thresholds::embedded().near_duplicates;
        let first = positive(0, 0);
        let mut second = positive(1, 0);
        assert_eq!(clusters(&[first.clone(), second.clone()], &limits), [0, 0]);
        second.dhash = 0x1ff;
        assert_eq!(clusters(&[first.clone(), second.clone()], &limits), [0, 1]);
        second.dhash = 0;
        second.part_phashes = vec![0x7ff];
        assert_eq!(clusters(&[first.clone(), second.clone()], &limits), [0, 1]);
        second.part_phashes.push(0x3ff);
        assert_eq!(clusters(&[first, second], &limits), [0, 0]);
    }

    #[test]
    fn clusters_are_chains_and_one_file_is_one_cluster() {
        let limits = Thresholds::embedded().near_duplicates;
        let mut positives = [
            positive(0, 0),
            positive(1, !0),
            positive(2, 0b11_1111),
            positive(3, 0b1111_1111_1111),
            positive(4, 0xffff_0000_0000),
        ];
        assert_eq!(clusters(&positives, &limits), [0, 1, 0, 0, 2]);
        positives[1].source_sha256 = "aa".to_owned();
        positives[4].source_sha256 = "aa".to_owned();
        assert_eq!(clusters(&positives, &limits), [0, 1, 0, 0, 1]);
    }
}
