//! Which pairs make the batch of a step.
//!
//! The order depends on the seed and the number of pairs alone: not on the number of processes, and not on where a
//! run was stopped. Epochs follow each other without a gap, so that every batch is full; a batch may hold the end of
//! one epoch and the beginning of the next.

use asap_core::Stream;

/// A pair in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which pair of the data set.
    pub pair_idx: usize,
    /// The pass over the data set.
    pub epoch: u32,
    /// The place in the global batch, from 0.
    pub place: usize,
}

/// The order of the pairs of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    n_pairs: usize,
    batch_pairs: usize,
    seed: u64,
}

impl Order {
    /// The order under a seed; `None` without pairs or with empty batches.
    pub fn new(n_pairs: usize, batch_pairs: usize, seed: u64) -> Option<Self> {
        (n_pairs > 0 && batch_pairs > 0).then_some(Self {
            n_pairs,
            batch_pairs,
            seed,
        })
    }

    /// The global batch of a step, the first step being 0. Takes time in proportion to the number of pairs: an
    /// epoch is put in order anew.
    pub fn batch(&self, step: u32) -> Vec<Slot> {
        let first = step as usize * self.batch_pairs;
        let mut slots = Vec::with_capacity(self.batch_pairs);
        let mut current: Option<(usize, Vec<usize>)> = None;
        for place in 0..self.batch_pairs {
            let epoch = (first + place) / self.n_pairs;
            if current.as_ref().is_none_or(|(of, _)| *of != epoch) {
                current = Some((epoch, self.permutation(epoch)));
            }
            if let Some((_, permutation)) = &current {
                slots.push(Slot {
                    pair_idx: permutation[(first + place) % self.n_pairs],
                    epoch: epoch as u32,
                    place,
                });
            }
        }
        slots
    }

    fn permutation(&self, epoch: usize) -> Vec<usize> {
        let mut pairs: Vec<usize> = (0..self.n_pairs).collect();
        Stream::new(self.seed, &format!("train/order/epoch/{epoch}")).shuffle(&mut pairs);
        pairs
    }
}

/// The part of a batch that process `rank` of `n_ranks` takes: every n-th pair.
pub fn of_rank(batch: &[Slot], rank: usize, n_ranks: usize) -> Vec<Slot> {
    batch.iter().copied().skip(rank).step_by(n_ranks.max(1)).collect()
}

/// Puts pairs of one size together, at most `n` at once. Sizes come in the order of their first pair.
///
/// The sum over a batch does not depend on the grouping, so pairs of a batch may have different sizes.
pub fn micro_batches<S: Copy + PartialEq>(
    slots: &[Slot],
    size_of: impl Fn(usize) -> S,
    n: usize,
) -> Vec<Vec<Slot>> {
    let mut by_size: Vec<(S, Vec<Slot>)> = Vec::new();
    for slot in slots {
        let size = size_of(slot.pair_idx);
        match by_size.iter_mut().find(|(other, _)| *other == size) {
            Some((_, group)) => group.push(*slot),
            None => by_size.push((size, vec![*slot])),
        }
    }
    let groups = by_size.iter().flat_map(|(_, group)| group.chunks(n.max(1)));
    groups.map(<[Slot]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_holds_every_pair_once() {
        let order = Order::new(10, 4, 3).unwrap();
        let slots: Vec<Slot> = (0..5).flat_map(|step| order.batch(step)).collect();
        for (epoch, part) in slots.chunks(10).enumerate() {
            let mut pairs: Vec<usize> = part.iter().map(|slot| slot.pair_idx).collect();
            pairs.sort_unstable();
            assert_eq!(pairs, (0..10).collect::<Vec<_>>());
            assert!(part.iter().all(|slot| slot.epoch == epoch as u32));
        }
        let pairs = |part: &[Slot]| part.iter().map(|slot| slot.pair_idx).collect::<Vec<_>>();
        assert_ne!(pairs(&slots[..10]), pairs(&slots[10..]));
        assert_ne!(order.batch(0), Order::new(10, 4, 4).unwrap().batch(0));
        // A batch may be larger than the data set.
        assert_eq!(Order::new(2, 5, 0).unwrap().batch(1).len(), 5);
        assert_eq!(Order::new(0, 5, 0), None);
    }

    #[test]
    fn processes_share_one_batch() {
        let batch = Order::new(100, 16, 1).unwrap().batch(7);
        for n_ranks in [1, 2, 3, 8] {
            let mut all: Vec<Slot> = (0..n_ranks)
                .flat_map(|rank| of_rank(&batch, rank, n_ranks))
                .collect();
            all.sort_unstable_by_key(|slot| slot.place);
            assert_eq!(all, batch);
        }
    }

    #[test]
    fn a_micro_batch_has_one_size() {
        let batch = Order::new(100, 16, 1).unwrap().batch(0);
        let groups = micro_batches(&batch, |pair_idx| pair_idx % 3, 2);
        for group in &groups {
            assert!(group.len() <= 2);
            assert!(
                group
                    .iter()
                    .all(|slot| slot.pair_idx % 3 == group[0].pair_idx % 3)
            );
        }
        let mut all = groups.concat();
        all.sort_unstable_by_key(|slot| slot.place);
        assert_eq!(all, batch);
    }
}
