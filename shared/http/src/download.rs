//! Downloads of media, the same for pictures and voice notes: ranges, conditional requests, caching, and links for
//! files that are too long to pass through a function (RFC 9110 §13 to §15, RFC 9111, RFC 8246).

mod described;
mod request;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use http::response::Builder;
use http::{Response, StatusCode};

pub use described::{AudioResponses, PictureResponses};
pub use request::{DownloadRequest, Name};

use domain::media::Key;
use domain::media::store::{Fetched, LinkFor, Meta, ObjectStore, Part};
use domain::{Fault, Result};

/// Maximum number of bytes that pass through a function: as base64 they become 5.6 MB of Lambda's 6 MB response. Longer
/// files are read through a link.
pub const MOST: u64 = 4 * 1024 * 1024;

/// A name is never used twice, so the content under it never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// A link is valid for 15 minutes. A redirect to it may be reused while most of that time is left.
const WHILE_THE_LINK_WORKS: &str = "private, max-age=300";

/// A complete response.
pub type Download = Response<axum::body::Body>;

/// Answers a request for the object with this `key`; returns `None` if it does not exist, since a missing object does
/// not fail a condition. Takes one call to the store, or two if the request is conditional and the response contains
/// bytes.
pub async fn stored(objects: &dyn ObjectStore, key: &Key, request: &DownloadRequest) -> Result<Option<Download>> {
    if request.head || request.conditional() {
        let Some(meta) = objects.head(key).await? else { return Ok(None) };
        request.check(&meta)?;
        if request.not_modified(&meta) {
            return not_modified(&meta).map(Some);
        }
        if meta.length > MOST {
            return redirect(objects, key, request).await.map(Some);
        }
        if request.head {
            return whole(&meta, axum::body::Body::empty()).map(Some);
        }
        return fetch(objects, key, request, request.part(&meta)).await;
    }
    fetch(objects, key, request, request.range).await
}

/// Answers a request for an object whose bytes are in memory, at most [`MOST`] of them.
pub fn at_hand(meta: &Meta, bytes: &Bytes, request: &DownloadRequest) -> Result<Download> {
    request.check(meta)?;
    if request.not_modified(meta) {
        return not_modified(meta);
    }
    if request.head {
        return whole(meta, axum::body::Body::empty());
    }
    let part = request.part(meta);
    let Some((first, end)) = part.within(meta.length) else { return past_the_end(meta.length) };
    let slice = usize::try_from(first).ok().zip(usize::try_from(end).ok()).filter(|(_, end)| *end <= bytes.len());
    let (from, to) = slice.ok_or_else(|| Fault::new("answering a download", "an object shorter than it says"))?;
    found(part, meta, first, bytes.slice(from..to))
}

async fn fetch(
    objects: &dyn ObjectStore,
    key: &Key,
    request: &DownloadRequest,
    part: Part,
) -> Result<Option<Download>> {
    match objects.get(key, part, MOST).await? {
        Fetched::Missing => Ok(None),
        Fetched::TooLong => redirect(objects, key, request).await.map(Some),
        Fetched::Found { meta, first, bytes } => found(part, &meta, first, bytes).map(Some),
        // Only the total length is unknown, and whether the object must be read through a link.
        Fetched::PastTheEnd => match objects.head(key).await? {
            None => Ok(None),
            Some(meta) if meta.length > MOST => redirect(objects, key, request).await.map(Some),
            Some(meta) => past_the_end(meta.length).map(Some),
        },
    }
}

fn found(part: Part, meta: &Meta, first: u64, bytes: Bytes) -> Result<Download> {
    if part == Part::Whole {
        return whole(meta, bytes.into());
    }
    let last = first + (bytes.len() as u64).saturating_sub(1);
    let answer = described(StatusCode::PARTIAL_CONTENT, meta).header(CONTENT_LENGTH, bytes.len());
    finish(answer.header(CONTENT_RANGE, format!("bytes {first}-{last}/{}", meta.length)), bytes.into())
}

fn whole(meta: &Meta, body: axum::body::Body) -> Result<Download> {
    finish(described(StatusCode::OK, meta).header(CONTENT_LENGTH, meta.length), body)
}

/// The headers of a response with bytes.
fn described(status: StatusCode, meta: &Meta) -> Builder {
    let mut answer = validators(status, meta).header(CONTENT_TYPE, &meta.content_type).header(ACCEPT_RANGES, "bytes");
    answer = answer.header(X_CONTENT_TYPE_OPTIONS, "nosniff");
    if meta.content_type == "application/octet-stream" {
        answer = answer.header(CONTENT_DISPOSITION, "attachment");
    }
    answer
}

fn validators(status: StatusCode, meta: &Meta) -> Builder {
    let modified = httpdate::fmt_http_date(request::system_time(meta.modified));
    let answer = Response::builder().status(status).header(CACHE_CONTROL, IMMUTABLE);
    answer.header(ETAG, &meta.etag).header(LAST_MODIFIED, modified)
}

fn not_modified(meta: &Meta) -> Result<Download> {
    finish(validators(StatusCode::NOT_MODIFIED, meta), axum::body::Body::empty())
}

fn past_the_end(length: u64) -> Result<Download> {
    let answer = Response::builder().status(StatusCode::RANGE_NOT_SATISFIABLE).header(ACCEPT_RANGES, "bytes");
    finish(answer.header(CONTENT_RANGE, format!("bytes */{length}")), axum::body::Body::empty())
}

async fn redirect(objects: &dyn ObjectStore, key: &Key, request: &DownloadRequest) -> Result<Download> {
    let method = if request.head { LinkFor::Head } else { LinkFor::Get };
    let link = objects.link(key, method).await?;
    let answer = Response::builder().status(StatusCode::FOUND).header(LOCATION, link);
    finish(answer.header(CACHE_CONTROL, WHILE_THE_LINK_WORKS), axum::body::Body::empty())
}

fn finish(answer: Builder, body: axum::body::Body) -> Result<Download> {
    Ok(answer.body(body).map_err(|error| Fault::new("answering a download", error))?)
}

#[cfg(test)]
mod tests;
