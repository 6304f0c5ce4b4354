//! The quick generator inside of a bootstrap replicate.

use asap_core::Stream;

/// xoshiro256++, its state taken from a [`Stream`].
///
/// A stream is safe and slow: it hashes. A replicate draws up to a hundred thousand numbers, so each takes four
/// words from a stream of its own and goes on from there.
///
/// # Source
/// Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021), algorithm
/// xoshiro256++.
pub(crate) struct Draws {
    state: [u64; 4],
}

impl Draws {
    /// The numbers named `role` under `seed`.
    pub(crate) fn new(seed: u64, role: &str) -> Self {
        let mut stream = Stream::new(seed, role);
        // All four words 0 would stay 0; the chance is 2^-256.
        Self {
            state: std::array::from_fn(|_| stream.bits()),
        }
    }

    /// 64 random bits.
    fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// Uniform in `0..n`. `n` must not be 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // The high half of a 128-bit product; the bias is under n / 2^64.
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Draws as many items as there are, with replacement, and counts how often each was drawn.
    pub(crate) fn multiplicities(&mut self, counts: &mut [u32]) {
        counts.fill(0);
        for _ in 0..counts.len() {
            counts[self.below(counts.len())] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_published_generator() {
        // The first outputs of the authors' C program for the state 1, 2, 3, 4.
        let mut draws = Draws { state: [1, 2, 3, 4] };
        let bits: [u64; 4] = std::array::from_fn(|_| draws.bits());
        assert_eq!(
            bits,
            [
                41_943_041,
                58_720_359,
                3_588_806_011_781_223,
                3_591_011_842_654_386
            ]
        );
    }

    #[test]
    fn multiplicities_sum_to_the_number_of_items() {
        let mut counts = vec![0; 1000];
        Draws::new(3, "test").multiplicities(&mut counts);
        assert_eq!(counts.iter().sum::<u32>(), 1000);
        let absent = counts.iter().filter(|count| **count == 0).count();
        assert!(
            (320..420).contains(&absent),
            "{absent} of 1000 absent, expected about 368"
        );
    }
}
