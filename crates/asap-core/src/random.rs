//! Counter-based random numbers: a stream is named by its key alone.

/// A stream of random numbers that depends on nothing but its seed and its name.
///
/// The bytes are BLAKE3's extendable output, so a stream is the same on every machine and for any
/// number of threads, and two names never share numbers.
pub struct Stream {
    reader: blake3::OutputReader,
}

impl Stream {
    /// The stream named `role` under `seed`, for example `figure/12/pose`.
    pub fn new(seed: u64, role: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("asap random stream v1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(role.as_bytes());
        Self {
            reader: hasher.finalize_xof(),
        }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.reader.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..n`. `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        // The high half of a 128-bit product; the bias is under n / 2^64.
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// `true` with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal (Box-Muller, one of the two values).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// One of the items. The slice must not be empty.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Puts the items in random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_fixed_for_all_time() {
        // Stored datasets name their seeds: these numbers may never change.
        let mut stream = Stream::new(7, "figure/0/pose");
        assert_eq!(
            [stream.bits(), stream.bits()],
            [12_992_940_291_513_910_726, 46_808_034_529_057_354]
        );
        assert_ne!(
            Stream::new(8, "figure/0/pose").bits(),
            Stream::new(7, "figure/0/pose").bits()
        );
        assert_ne!(
            Stream::new(7, "figure/1/pose").bits(),
            Stream::new(7, "figure/0/pose").bits()
        );
    }

    #[test]
    fn moments_are_right() {
        let mut stream = Stream::new(1, "moments");
        let n = 20_000;
        let mean = (0..n).map(|_| stream.unit()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let squares = (0..n).map(|_| stream.normal().powi(2)).sum::<f64>() / f64::from(n);
        assert!((squares - 1.0).abs() < 0.05, "{squares}");
        assert!((0..n).all(|_| stream.below(3) < 3));
    }
}
