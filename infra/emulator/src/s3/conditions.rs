//! Conditional reads, which browsers make after a redirect to a presigned URL.

use http::HeaderMap;
use http::header::{CACHE_CONTROL, ETAG, LAST_MODIFIED};
use s3s::dto::{ETag, ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};
use time::{Duration, OffsetDateTime};

use super::error::precondition_failed;
use super::object::Object;

/// Conditions on the object that a read would return.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
pub struct ReadConditions {
    /// `If-Match`.
    pub if_match: Option<ETagCondition>,
    /// `If-None-Match`.
    pub if_none_match: Option<ETagCondition>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<Timestamp>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Returns 412 or 304 unless the object meets the conditions. An entity tag takes precedence over a time, and 412
    /// over 304 (RFC 9110, 13.2.2).
    pub fn check(&self, object: &Object) -> S3Result<()> {
        let modified = whole_seconds(object.record.modified());
        let is_later = |than: &Timestamp| modified > OffsetDateTime::from(than.clone());
        let failed = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !matches(condition, object),
            (None, Some(time)) => is_later(time),
            (None, None) => false,
        };
        if failed {
            return Err(precondition_failed());
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches_weakly(condition, object),
            (None, Some(time)) => !is_later(time),
            (None, None) => false,
        };
        if unchanged { Err(not_modified(object)) } else { Ok(()) }
    }
}

/// HTTP dates have no fractions of a second, so fractions are ignored.
fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time - Duration::nanoseconds(time.nanosecond().into())
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.as_strong() == Some(&object.record.e_tag),
    }
}

fn matches_weakly(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == object.record.e_tag,
    }
}

/// 304 with the headers that RFC 9110 (15.4.5) requires.
fn not_modified(object: &Object) -> S3Error {
    let mut headers = HeaderMap::new();
    let mut date = Vec::new();
    let modified = Timestamp::from(object.record.modified());
    if let Ok(tag) = ETag::Strong(object.record.e_tag.clone()).to_http_header() {
        headers.insert(ETAG, tag);
    }
    if modified.format(TimestampFormat::HttpDate, &mut date).is_ok()
        && let Ok(date) = date.try_into()
    {
        headers.insert(LAST_MODIFIED, date);
    }
    if let Some(cache) = &object.record.attributes.cache_control
        && let Ok(cache) = cache.try_into()
    {
        headers.insert(CACHE_CONTROL, cache);
    }
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    error.set_headers(headers);
    error
}
