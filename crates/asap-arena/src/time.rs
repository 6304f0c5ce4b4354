//! Moments.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// This moment, by the clock of this machine.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// A later moment; the last one that there is where it would be beyond.
    pub fn plus(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(span))
    }

    /// The time since an earlier moment; nothing where that was later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_add_and_subtract_without_passing_the_ends() {
        let noon = UnixMs(1_000);
        assert_eq!(noon.plus(Duration::from_secs(2)), UnixMs(3_000));
        assert_eq!(noon.plus(Duration::MAX), UnixMs(i64::MAX));
        assert_eq!(UnixMs(3_000).since(noon), Duration::from_secs(2));
        assert_eq!(noon.since(UnixMs(3_000)), Duration::ZERO);
    }
}
