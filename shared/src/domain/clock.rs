//! Time as an argument: the domain never asks the machine what time it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The number of the hour since the Unix epoch, which names the window of an hourly cap.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.seconds().div_euclid(3_600)
    }

    /// The number of the day since the Unix epoch, which names the window of a daily cap.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.seconds().div_euclid(86_400)
    }

    /// The moment `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The moment `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// Whole seconds, rounded up and at least 1, from `now` until this moment: what a `Retry-After` says.
    #[must_use]
    pub fn seconds_from(self, now: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(now.0)).unwrap_or(0).div_ceil(1_000).max(1)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(millis(since_epoch.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_round_up() {
        let now = Timestamp::from_millis(10_000);
        assert_eq!(Timestamp::from_millis(10_001).seconds_from(now), 1);
        assert_eq!(Timestamp::from_millis(12_500).seconds_from(now), 3);
        assert_eq!(Timestamp::from_millis(0).seconds_from(now), 1);
    }

    #[test]
    fn windows_are_numbered_from_the_epoch() {
        let moment = Timestamp::from_millis(86_400_000 + 3_600_000);
        assert_eq!((moment.day(), moment.hour()), (1, 25));
    }
}
