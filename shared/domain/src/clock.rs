//! Time as an argument: the domain never reads the machine's clock itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since the Unix epoch.
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

    /// The number of hours since the Unix epoch. It identifies the window of an hourly limit.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.seconds().div_euclid(3_600)
    }

    /// The number of days since the Unix epoch. It identifies the window of a daily limit.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.seconds().div_euclid(86_400)
    }

    /// The time `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The time `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// Whole seconds from `now` until this time, rounded up and at least 1: the value for `Retry-After`.
    #[must_use]
    pub fn seconds_from(self, now: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(now.0)).unwrap_or(0).div_ceil(1_000).max(1)
    }
}

/// A date and a time of day in the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day, 1 to 31.
    pub day: i64,
    /// The hour, 0 to 23.
    pub hour: i64,
    /// The minute.
    pub minute: i64,
    /// The second; leap seconds do not occur.
    pub second: i64,
    /// The millisecond.
    pub milli: i64,
}

impl Timestamp {
    /// The date and time in UTC.
    #[must_use]
    pub fn utc(self) -> Civil {
        let (year, month, day) = date(self.day());
        let second = self.seconds().rem_euclid(86_400);
        Civil {
            year,
            month,
            day,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
            milli: self.0.rem_euclid(1_000),
        }
    }

    /// The time in UTC as RFC 3339 writes it, always with milliseconds: `2026-08-21T10:00:00.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let at = self.utc();
        let date = format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
        format!("{date}T{:02}:{:02}:{:02}.{:03}Z", at.hour, at.minute, at.second, at.milli)
    }

    /// The start of this time's hour.
    #[must_use]
    pub const fn hour_start(self) -> Self {
        Self(self.0 - self.0.rem_euclid(3_600_000))
    }

    /// The date and time in China: eight hours ahead of UTC, all year round.
    #[must_use]
    pub fn in_china(self) -> Civil {
        self.plus(CHINA_STANDARD_TIME).utc()
    }
}

/// How far clocks in China are ahead of UTC.
pub const CHINA_STANDARD_TIME: Duration = Duration::from_hours(8);

/// The date of a day since 1970-01-01. The computation uses eras of 400 years that begin in March, so that a leap day
/// is the last day of its year.
fn date(day: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let since_march = day + 719_468;
    let (era, day) = (since_march.div_euclid(ERA), since_march.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A source of the time.
pub trait Clock: Send + Sync {
    /// The current time.
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
    fn moments_have_a_date_and_a_time_of_day() {
        let civil = |millis| {
            let Civil { year, month, day, hour, minute, second, milli } = Timestamp::from_millis(millis).utc();
            format!("{year}-{month}-{day} {hour}:{minute}:{second}.{milli}")
        };
        assert_eq!(civil(0), "1970-1-1 0:0:0.0");
        assert_eq!(civil(-1), "1969-12-31 23:59:59.999");
        assert_eq!(civil(951_782_400_000), "2000-2-29 0:0:0.0");
        assert_eq!(civil(1_709_251_199_250), "2024-2-29 23:59:59.250");
        assert_eq!(civil(4_107_542_400_000), "2100-3-1 0:0:0.0");
        let moment = Timestamp::from_millis(1_709_251_199_250);
        assert_eq!(moment.rfc3339(), "2024-02-29T23:59:59.250Z");
        assert_eq!(moment.hour_start().rfc3339(), "2024-02-29T23:00:00.000Z");
        let noon = Timestamp::from_millis(1_767_211_200_000);
        assert_eq!((noon.utc().year, noon.utc().hour), (2025, 20));
        assert_eq!((noon.in_china().year, noon.in_china().month, noon.in_china().hour), (2026, 1, 4));
    }

    #[test]
    fn windows_are_numbered_from_the_epoch() {
        let moment = Timestamp::from_millis(86_400_000 + 3_600_000);
        assert_eq!((moment.day(), moment.hour()), (1, 25));
    }
}
