//! When a call is made again, and after how long.

use std::time::Duration;

use asap_core::Stream;

/// How often and how patiently a call is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Calls in all, the first one included; at least 1.
    pub max_attempts: u32,
    /// The first wait is at most this long, the second at most twice this long, and so on.
    pub base: Duration,
    /// No wait of ours is longer.
    pub cap: Duration,
    /// A server that asks for a longer wait than this is not waited for.
    pub max_server_delay: Duration,
    /// Limit of one attempt, from the connection to the last byte.
    pub timeout: Duration,
}

impl Default for RetryPolicy {
    /// Eight attempts over some minutes; five minutes for each, for models that think before they answer.
    fn default() -> Self {
        Self {
            max_attempts: 8,
            base: Duration::from_secs(2),
            cap: Duration::from_secs(120),
            max_server_delay: Duration::from_secs(600),
            timeout: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// The wait after attempt number `n_done` (1 for the first), where the server asks for none: exponential
    /// with full jitter, uniform in `[0, min(cap, base * 2^(n_done - 1)))`.
    pub fn backoff(&self, n_done: u32, jitter: &mut Stream) -> Duration {
        let doublings = n_done.saturating_sub(1).min(31);
        let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
        longest.mul_f64(jitter.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_are_spread_over_the_whole() {
        let policy = RetryPolicy::default();
        let mut jitter = Stream::new(1, "test");
        for (n_done, longest_secs) in [(1, 2.0), (2, 4.0), (3, 8.0), (7, 120.0), (4_000_000, 120.0)] {
            let waits: Vec<f64> = (0..400)
                .map(|_| policy.backoff(n_done, &mut jitter).as_secs_f64() / longest_secs)
                .collect();
            let mean = waits.iter().sum::<f64>() / 400.0;
            let largest = waits.iter().copied().fold(0.0, f64::max);
            assert!(largest < 1.0 && largest > 0.95, "{n_done}: {largest}");
            assert!((mean - 0.5).abs() < 0.06, "{n_done}: {mean}");
        }
    }
}
