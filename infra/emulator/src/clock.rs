//! The only module that reads the machine's clock and random numbers.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// S3's time format: RFC 3339 with milliseconds and `Z`.
const EVENT_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The current time in UTC.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The current time in milliseconds since the Unix epoch.
pub fn epoch_millis() -> u64 {
    u64::try_from(now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// Formats a time as in S3 events, for example `2026-03-01T12:00:00.250Z`.
pub fn event_time(at: OffsetDateTime) -> String {
    at.format(EVENT_TIME).unwrap_or_default()
}

/// Formats a time given in seconds since the Unix epoch.
pub fn time_of(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    at.map(event_time).unwrap_or_default()
}

/// A random identifier in UUID format, as AWS uses for request and message ids.
pub fn random_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
