//! Permits for calls: as many as the server bears, handed out in the order of asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::aimd::{Aimd, LimiterPolicy};
use crate::clock::Clock;

/// Limits how many calls to one server are under way. Clones share the limit.
///
/// Each attempt of a [`crate::ChatClient`] takes a permit by itself, so a runner may start as many tasks as it
/// likes; it takes permits of its own only for calls that it makes itself.
///
/// ```
/// use asap_remote::{Clock, Limiter, LimiterPolicy};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let limiter = Limiter::new(LimiterPolicy::default(), Clock::system());
/// let permit = limiter.acquire().await;
/// assert_eq!((limiter.limit(), limiter.in_flight()), (20, 1));
/// permit.rate_limited(None); // what the server said
/// assert_eq!((limiter.limit(), limiter.in_flight()), (16, 0));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    aimd: Aimd,
    in_flight: usize,
    /// No call begins before this time: the server asked for it.
    not_before: Duration,
}

impl Limiter {
    /// A limiter with nothing under way.
    pub fn new(policy: LimiterPolicy, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            clock,
            state: Mutex::new(State {
                aimd: Aimd::new(policy),
                in_flight: 0,
                not_before: Duration::ZERO,
            }),
            freed: Notify::new(),
        }))
    }

    /// Waits until a call may begin: there is room, and a pause that the server asked for is over.
    pub async fn acquire(&self) -> Permit {
        loop {
            // Made before the look at the state, so that no wake-up between the two is lost.
            let freed = self.0.freed.notified();
            let pause = {
                let mut state = self.0.lock();
                let pause = state.not_before.saturating_sub(self.0.clock.now());
                if pause.is_zero() && state.in_flight < state.aimd.limit() {
                    state.in_flight += 1;
                    let is_room_left = state.in_flight < state.aimd.limit();
                    drop(state);
                    if is_room_left {
                        self.0.freed.notify_one();
                    }
                    return Permit {
                        shared: self.0.clone(),
                    };
                }
                pause
            };
            if pause.is_zero() {
                freed.await;
            } else {
                // Whoever waits for room learns of the pause too: a wake-up that this task took must not be lost
                // should it be dropped while it sleeps.
                self.0.freed.notify_one();
                self.0.clock.sleep(pause).await;
            }
        }
    }

    /// Calls that may be under way now.
    pub fn limit(&self) -> usize {
        self.0.lock().aimd.limit()
    }

    /// Calls that are under way now.
    pub fn in_flight(&self) -> usize {
        self.0.lock().in_flight
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is plain numbers, whole after every line.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make one call. Dropped without a word it gives the right back and changes nothing.
#[must_use = "a permit that is dropped at once limits nothing"]
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
}

impl Permit {
    /// The call succeeded, at its first attempt. After a retry, drop the permit instead: that is no reason to
    /// ask for more.
    pub fn succeeded(self) {
        self.shared.lock().aimd.succeeded();
    }

    /// The server said that there are too many calls, and perhaps how long to wait: nobody begins one before.
    pub fn rate_limited(self, delay: Option<Duration>) {
        let now = self.shared.clock.now();
        let mut state = self.shared.lock();
        state.aimd.rate_limited(now, delay);
        state.not_before = state.not_before.max(now + delay.unwrap_or_default());
    }

    /// The server or the network failed.
    pub fn failed(self) {
        self.shared.lock().aimd.failed();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.lock().in_flight -= 1;
        self.shared.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures::FutureExt as _;
    use futures::poll;

    use super::*;
    use crate::clock::ManualClock;

    fn limiter(start: u32) -> (Limiter, ManualClock) {
        let clock = ManualClock::new(0);
        let policy = LimiterPolicy {
            start,
            ..LimiterPolicy::default()
        };
        (Limiter::new(policy, Clock::from(&clock)), clock)
    }

    #[tokio::test]
    async fn those_who_wait_go_on_in_order_as_room_comes() {
        let (limiter, _clock) = limiter(2);
        let first = limiter.acquire().await;
        let second = limiter.acquire().await;
        let mut third = Box::pin(limiter.acquire());
        let mut fourth = Box::pin(limiter.acquire());
        assert!(poll!(&mut third).is_pending() && poll!(&mut fourth).is_pending());
        drop(first);
        let Poll::Ready(third) = poll!(&mut third) else {
            panic!("room for the third");
        };
        assert!(poll!(&mut fourth).is_pending());
        // A cut below what is under way: nobody begins until enough have ended.
        third.rate_limited(None);
        assert_eq!((limiter.limit(), limiter.in_flight()), (1, 1));
        assert!(poll!(&mut fourth).is_pending());
        drop(second);
        assert!(poll!(&mut fourth).is_ready());
    }

    #[tokio::test]
    async fn growth_wakes_all_that_there_is_room_for() {
        let (limiter, _clock) = limiter(1);
        let first = limiter.acquire().await;
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move { limiter.acquire().await })
            })
            .collect();
        tokio::task::yield_now().await;
        // One clean round doubles the limit to 2, so two of the three go on, and the third after one of them.
        first.succeeded();
        let mut permits = futures::stream::FuturesUnordered::from_iter(tasks);
        use futures::StreamExt as _;
        let one = permits.next().await.unwrap().unwrap();
        let two = permits.next().await.unwrap().unwrap();
        assert_eq!((limiter.limit(), limiter.in_flight()), (2, 2));
        assert!(permits.next().now_or_never().is_none());
        drop(one);
        let three = permits.next().await.unwrap().unwrap();
        assert_eq!(limiter.in_flight(), 2);
        drop((two, three));
        assert_eq!(limiter.in_flight(), 0);
    }

    #[tokio::test]
    async fn a_task_that_is_dropped_in_a_pause_takes_no_wake_up_with_it() {
        let limiter = Limiter::new(
            LimiterPolicy {
                start: 1,
                ..LimiterPolicy::default()
            },
            Clock::system(),
        );
        let only = limiter.acquire().await;
        let mut dropped = Box::pin(limiter.acquire());
        let mut other = Box::pin(limiter.acquire());
        assert!(poll!(&mut dropped).is_pending() && poll!(&mut other).is_pending());
        only.rate_limited(Some(Duration::from_millis(20)));
        // Woken into the pause, and given up there.
        assert!(poll!(&mut dropped).is_pending());
        drop(dropped);
        tokio::time::timeout(Duration::from_secs(30), other)
            .await
            .unwrap()
            .succeeded();
    }

    #[tokio::test]
    async fn nobody_begins_before_the_time_that_the_server_named() {
        let (limiter, clock) = limiter(5);
        limiter
            .acquire()
            .await
            .rate_limited(Some(Duration::from_secs(59)));
        clock.advance(Duration::from_secs(20));
        drop(limiter.acquire().await);
        assert_eq!(clock.slept(), [Duration::from_secs(39)]);
        drop(limiter.acquire().await);
        assert_eq!(clock.slept().len(), 1);
    }
}
