//! Time that tests can set: everything here that waits, waits by a [`Clock`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time, and how to let it pass.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { start: Instant },
    Manual(ManualClock),
}

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self(Kind::System {
            start: Instant::now(),
        })
    }

    /// Time since the clock began; never goes back.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Kind::System { start } => start.elapsed(),
            Kind::Manual(manual) => manual.lock().now,
        }
    }

    /// Seconds since 1970, for servers that name a time of day.
    pub fn unix_secs(&self) -> u64 {
        match &self.0 {
            Kind::System { .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |age| age.as_secs()),
            Kind::Manual(manual) => {
                let state = manual.lock();
                state.unix_start_secs + state.now.as_secs()
            }
        }
    }

    /// Waits. A manual clock does not: it writes down how long and is that much later at once.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Kind::System { .. } => tokio::time::sleep(duration).await,
            Kind::Manual(manual) => {
                {
                    let mut state = manual.lock();
                    state.now += duration;
                    state.slept.push(duration);
                }
                // Others get their turn, as they would while time passes.
                tokio::task::yield_now().await;
            }
        }
    }
}

impl From<&ManualClock> for Clock {
    fn from(manual: &ManualClock) -> Self {
        Self(Kind::Manual(manual.clone()))
    }
}

/// A clock for tests: it stands still but for [`Clock::sleep`] and [`ManualClock::advance`].
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<ManualState>>);

#[derive(Debug)]
struct ManualState {
    unix_start_secs: u64,
    now: Duration,
    slept: Vec<Duration>,
}

impl ManualClock {
    /// Begins at a time of day.
    pub fn new(unix_start_secs: u64) -> Self {
        Self(Arc::new(Mutex::new(ManualState {
            unix_start_secs,
            now: Duration::ZERO,
            slept: Vec::new(),
        })))
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.lock().now += duration;
    }

    /// How long each [`Clock::sleep`] would have waited, in the order of the calls.
    pub fn slept(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ManualState> {
        // The state is three plain values, whole after every line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
