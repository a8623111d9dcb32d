//! The parts of a download request: the requested range and the conditions (RFC 9110 §13 and §14).

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{FromRequestParts, Path};
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use http::request::Parts;
use http::{HeaderMap, Method};

use domain::clock::Timestamp;
use domain::media::store::{Meta, Part};
use domain::{Error, Result};

/// Larger than any object, and within the range of numbers of every store.
const FAR: u64 = 1 << 53;

/// The name in a download's path. A name that is not valid text becomes the empty name, which no file has. So it gets
/// the API's own error for a file that does not exist, like any other unknown name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.map(|Path(name)| name).unwrap_or_default()))
    }
}

/// The method, the range and the conditions of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRequest {
    /// Whether only the headers are requested.
    pub(super) head: bool,
    /// The requested part, if its condition is met.
    pub(super) range: Part,
    if_match: Option<String>,
    if_unmodified_since: Option<SystemTime>,
    if_none_match: Option<String>,
    if_modified_since: Option<SystemTime>,
    if_range: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for DownloadRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self::new(&parts.method, &parts.headers))
    }
}

impl DownloadRequest {
    /// Parses a request. Headers that cannot be parsed are ignored.
    #[must_use]
    pub fn new(method: &Method, headers: &HeaderMap) -> Self {
        let head = method == Method::HEAD;
        let range = joined(headers, &RANGE).filter(|_| !head).map_or(Part::Whole, |range| part(&range));
        Self {
            head,
            range,
            if_match: joined(headers, &IF_MATCH),
            if_unmodified_since: date(headers, &IF_UNMODIFIED_SINCE),
            if_none_match: joined(headers, &IF_NONE_MATCH),
            if_modified_since: date(headers, &IF_MODIFIED_SINCE),
            if_range: joined(headers, &IF_RANGE).filter(|_| range != Part::Whole),
        }
    }

    /// Whether the response depends on information about the object.
    pub(super) fn conditional(&self) -> bool {
        let is_for_one = self.if_match.is_some() || self.if_unmodified_since.is_some();
        is_for_one || self.if_none_match.is_some() || self.if_modified_since.is_some() || self.if_range.is_some()
    }

    /// Checks the conditions that the object is the one that the client means. They come before all others, and
    /// `If-Unmodified-Since` only counts if there is no `If-Match` (RFC 9110 §13.2.2).
    pub(super) fn check(&self, meta: &Meta) -> Result<()> {
        let holds = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => tags.split(',').map(str::trim).any(|tag| tag == "*" || same(tag, meta)),
            (None, Some(since)) => system_time(meta.modified) <= since,
            (None, None) => true,
        };
        if holds { Ok(()) } else { Err(Error::ConditionFailed) }
    }

    /// Whether the client has the object already. `If-Modified-Since` only counts if there is no `If-None-Match`.
    pub(super) fn not_modified(&self, meta: &Meta) -> bool {
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => {
                tags.split(',').map(str::trim).any(|tag| tag == "*" || opaque(tag) == opaque(&meta.etag))
            }
            (None, Some(since)) => system_time(meta.modified) <= since,
            (None, None) => false,
        }
    }

    /// The part to return: the whole object if the client's other parts are from a different version.
    pub(super) fn part(&self, meta: &Meta) -> Part {
        let holds = self.if_range.as_deref().is_none_or(|validator| {
            same(validator, meta)
                || httpdate::parse_http_date(validator).is_ok_and(|date| date == system_time(meta.modified))
        });
        if holds { self.range } else { Part::Whole }
    }
}

/// All values of a header as one. The gateway joins them with commas in any case.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The time in a header, if it contains one.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    joined(headers, name).and_then(|date| httpdate::parse_http_date(&date).ok())
}

/// Whether a tag is the object's in the strong comparison: a weak tag guarantees nothing about the bytes.
fn same(tag: &str, meta: &Meta) -> bool {
    tag == meta.etag && !tag.starts_with("W/")
}

/// The part of an entity tag that the weak comparison uses.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// The time with the precision of HTTP, which is whole seconds.
pub(super) fn system_time(moment: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(moment.seconds()).unwrap_or_default())
}

/// Parses one range of bytes. For several ranges, other units and invalid values, the whole object is returned, which
/// is always allowed.
fn part(text: &str) -> Part {
    let read = || {
        let (unit, range) = text.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (first.trim(), last.trim()) {
            ("", last) => number(last).map(Part::Last),
            (first, "") => number(first).map(Part::From),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Part::Between(first, last))
            }
        }
    };
    read().unwrap_or(Part::Whole)
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(FAR).min(FAR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_asks_for_the_whole() {
        let cases = [
            ("bytes=0-0", Part::Between(0, 0)),
            ("bytes=2-5", Part::Between(2, 5)),
            ("Bytes = 2 - 5", Part::Between(2, 5)),
            ("bytes=7-", Part::From(7)),
            ("bytes=-3", Part::Last(3)),
            ("bytes=-0", Part::Last(0)),
            ("bytes=99999999999999999999999-", Part::From(FAR)),
            ("bytes=0-99999999999999999999999", Part::Between(0, FAR)),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=5-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("items=0-1", Part::Whole),
            ("bytes", Part::Whole),
            ("", Part::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(part(text), expected, "{text}");
        }
    }
}
