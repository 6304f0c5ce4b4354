//! A sum that must not be passed: each call reserves the most that it can cost before it is made.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Money for calls that run side by side.
#[derive(Debug)]
pub(crate) struct Budget {
    most_usd: Option<f64>,
    sums: Mutex<Sums>,
    freed: Notify,
}

#[derive(Debug)]
struct Sums {
    spent_usd: f64,
    reserved_usd: f64,
}

/// What a call has set aside. It must be settled or released.
#[derive(Debug)]
pub(crate) struct Reserved(f64);

/// A call that might pass the limit although nothing else is under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exhausted {
    pub(crate) spent_usd: f64,
    pub(crate) next_usd: f64,
}

impl Budget {
    /// A budget of which `spent_usd` is gone; `None` has no limit.
    pub(crate) fn new(most_usd: Option<f64>, spent_usd: f64) -> Self {
        Self {
            most_usd,
            sums: Mutex::new(Sums {
                spent_usd,
                reserved_usd: 0.0,
            }),
            freed: Notify::new(),
        }
    }

    /// Sets `usd` aside, waiting for calls under way where it depends on them.
    pub(crate) async fn reserve(&self, usd: f64) -> Result<Reserved, Exhausted> {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Listens from here on, so that what is freed between the look and the wait is not missed.
            freed.as_mut().enable();
            if let Some(answer) = self.try_reserve(usd) {
                return answer;
            }
            freed.await;
        }
    }

    fn try_reserve(&self, usd: f64) -> Option<Result<Reserved, Exhausted>> {
        self.with(|sums| {
            let is_over = |sum: f64| self.most_usd.is_some_and(|most| sum > most);
            if !is_over(sums.spent_usd + sums.reserved_usd + usd) {
                sums.reserved_usd += usd;
                return Some(Ok(Reserved(usd)));
            }
            // Even alone it would pass the limit, whatever the calls under way turn out to cost.
            if is_over(sums.spent_usd + usd) || sums.reserved_usd <= 0.0 {
                return Some(Err(Exhausted {
                    spent_usd: sums.spent_usd,
                    next_usd: usd,
                }));
            }
            None
        })
    }

    /// Replaces what was set aside by what it did cost.
    pub(crate) fn settle(&self, reserved: Reserved, usd: f64) {
        self.with(|sums| {
            sums.reserved_usd = (sums.reserved_usd - reserved.0).max(0.0);
            sums.spent_usd += usd;
        });
        self.freed.notify_waiters();
    }

    /// What is spent.
    pub(crate) fn spent_usd(&self) -> f64 {
        self.with(|sums| sums.spent_usd)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Sums) -> T) -> T {
        act(&mut self.sums.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_call_that_could_pass_the_limit_is_not_made() {
        let budget = Budget::new(Some(1.0), 0.25);
        let first = budget.reserve(0.5).await.unwrap();
        // The second must wait: the first may cost all that it set aside.
        let wait = tokio::time::timeout(Duration::from_millis(20), budget.reserve(0.5)).await;
        assert!(wait.is_err());
        budget.settle(first, 0.125);
        let second = budget.reserve(0.5).await.unwrap();
        budget.settle(second, 0.5);
        assert_eq!(budget.spent_usd(), 0.875);
        let exhausted = budget.reserve(0.25).await.unwrap_err();
        assert_eq!((exhausted.spent_usd, exhausted.next_usd), (0.875, 0.25));
    }

    #[tokio::test]
    async fn without_a_limit_nothing_waits() {
        let budget = Budget::new(None, 0.0);
        assert!(budget.reserve(1e9).await.is_ok());
    }
}
