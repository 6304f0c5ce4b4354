//! How many calls may be under way: additive increase, multiplicative decrease.

use std::time::Duration;

/// How the number of calls under way follows what the server says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimiterPolicy {
    /// Calls under way in the beginning.
    pub start: u32,
    /// Never fewer; at least 1.
    pub min: u32,
    /// Never more.
    pub max: u32,
    /// What a rate limit multiplies the number with.
    pub decrease: f64,
    /// Rate limits within this time of the last cut are one event, and cut once.
    pub cooldown: Duration,
    /// The share that a clean round adds, at least one call. Until the first cut a clean round doubles instead.
    pub increase: f64,
}

impl Default for LimiterPolicy {
    /// The numbers of inspect_ai's adaptive connections, but for `min`: free tiers allow fewer than its 4.
    fn default() -> Self {
        Self {
            start: 20,
            min: 1,
            max: 100,
            decrease: 0.8,
            cooldown: Duration::from_secs(15),
            increase: 0.05,
        }
    }
}

/// The state, without any waiting: a function of what happened and when.
///
/// A *round* is as many clean successes in a row as calls are allowed; a failure of the server begins a new one.
#[derive(Clone, Debug)]
pub(crate) struct Aimd {
    policy: LimiterPolicy,
    limit: f64,
    n_clean: u32,
    is_slow_start: bool,
    cooldown_until: Duration,
}

impl Aimd {
    pub(crate) fn new(policy: LimiterPolicy) -> Self {
        let min = policy.min.max(1);
        let limit = f64::from(policy.start.clamp(min, policy.max.max(min)));
        Self {
            policy,
            limit,
            n_clean: 0,
            is_slow_start: true,
            cooldown_until: Duration::ZERO,
        }
    }

    /// Calls that may be under way.
    pub(crate) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// A call succeeded at its first attempt.
    pub(crate) fn succeeded(&mut self) {
        self.n_clean += 1;
        if (self.n_clean as usize) < self.limit() {
            return;
        }
        self.n_clean = 0;
        let growth = if self.is_slow_start {
            self.limit
        } else {
            (self.limit * self.policy.increase).max(1.0)
        };
        let max = f64::from(self.policy.max.max(self.policy.min).max(1));
        self.limit = (self.limit + growth).min(max);
    }

    /// The server said that there are too many calls; `delay` is how long it asked to wait.
    pub(crate) fn rate_limited(&mut self, now: Duration, delay: Option<Duration>) {
        self.n_clean = 0;
        if now < self.cooldown_until {
            return;
        }
        self.is_slow_start = false;
        let min = f64::from(self.policy.min.max(1));
        self.limit = (self.limit * self.policy.decrease).max(min);
        self.cooldown_until = now + self.policy.cooldown.max(delay.unwrap_or_default());
    }

    /// The server or the network failed, which says nothing about the number of calls: growth pauses.
    pub(crate) fn failed(&mut self) {
        self.n_clean = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit after each event: `+N` for N successes, `-` for a rate limit, `!` for a failure, `wN` for N
    /// seconds that pass.
    fn limits(policy: LimiterPolicy, events: &[&str]) -> Vec<usize> {
        let mut aimd = Aimd::new(policy);
        let mut now = Duration::ZERO;
        let mut seen = Vec::new();
        for event in events {
            let number = || event[1..].parse::<u32>().unwrap();
            match &event[..1] {
                "+" => (0..number()).for_each(|_| aimd.succeeded()),
                "-" => aimd.rate_limited(now, None),
                "!" => aimd.failed(),
                "w" => now += Duration::from_secs(number().into()),
                other => panic!("{other}"),
            }
            seen.push(aimd.limit());
        }
        seen
    }

    #[test]
    fn clean_rounds_double_until_the_first_cut_and_then_add() {
        let events = ["+19", "+1", "+40", "+80", "+99", "-", "+79", "+1", "+84"];
        let expected = [20, 40, 80, 100, 100, 80, 80, 84, 88];
        assert_eq!(limits(LimiterPolicy::default(), &events), expected);
    }

    #[test]
    fn a_burst_of_rate_limits_cuts_once() {
        let events = ["-", "-", "w14", "-", "w1", "-", "w15", "-"];
        let expected = [16, 16, 16, 16, 16, 12, 12, 10];
        assert_eq!(limits(LimiterPolicy::default(), &events), expected);
    }

    #[test]
    fn failures_of_the_server_pause_growth_only() {
        let events = ["+19", "!", "+19", "+1", "!", "!", "+39", "+1"];
        let expected = [20, 20, 20, 40, 40, 40, 40, 80];
        assert_eq!(limits(LimiterPolicy::default(), &events), expected);
    }

    #[test]
    fn the_bounds_hold() {
        let policy = LimiterPolicy {
            start: 2,
            max: 3,
            ..LimiterPolicy::default()
        };
        let events = ["-", "w15", "-", "w15", "-", "+1", "+2", "+3", "+3"];
        assert_eq!(limits(policy, &events), [1, 1, 1, 1, 1, 2, 3, 3, 3]);
        let backwards = LimiterPolicy {
            start: 0,
            min: 0,
            max: 0,
            ..policy
        };
        assert_eq!(limits(backwards, &["+5", "-"]), [1, 1]);
    }

    #[test]
    fn a_delay_that_the_server_names_is_part_of_the_event() {
        let mut aimd = Aimd::new(LimiterPolicy::default());
        aimd.rate_limited(Duration::ZERO, Some(Duration::from_secs(59)));
        aimd.rate_limited(Duration::from_secs(58), None);
        assert_eq!(aimd.limit(), 16);
        aimd.rate_limited(Duration::from_secs(59), None);
        assert_eq!(aimd.limit(), 12);
    }
}
