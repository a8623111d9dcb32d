//! The only module that reads the machine's clock and random numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// API Gateway's format of `requestContext.time`: the common log format.
const LOG_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// The current time in UTC.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Milliseconds since the Unix epoch.
pub(crate) fn epoch_millis(at: OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// Formats a time as in `requestContext.time`, such as `12/Mar/2020:19:03:58 +0000`.
pub(crate) fn log_time(at: OffsetDateTime) -> String {
    at.format(LOG_TIME).unwrap_or_default()
}

/// Fills a buffer with random bytes from the operating system.
///
/// # Panics
/// If the operating system has no random bytes, which no caller could handle.
pub(crate) fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system provides randomness");
}

/// A request id in API Gateway's format: sixteen characters of base64, such as `JKJaXmPLvHcESHA=`.
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 11];
    random(&mut bytes);
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_written_as_the_gateway_writes_them() {
        let at = datetime!(2020-03-12 19:03:58.390 UTC);
        assert_eq!(log_time(at), "12/Mar/2020:19:03:58 +0000");
        assert_eq!(epoch_millis(at), 1_584_039_838_390);
    }

    #[test]
    fn request_ids_differ_and_have_the_gateway_s_length() {
        assert_eq!(request_id().len(), 16);
        assert_ne!(request_id(), request_id());
    }
}
