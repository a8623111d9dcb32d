//! `GetObject` and `HeadObject`.

use std::ops::Range;

use http::HeaderMap;
use http::header::CONTENT_RANGE;
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Range as Asked, StreamingBlob, Timestamp,
};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

use super::conditions::ReadConditions;
use super::error::failed;
use super::object::Object;
use super::objects::Objects;

/// The returned part of an object.
struct Slice {
    range: Range<u64>,
    /// `Content-Range`, if a part was requested.
    content_range: Option<String>,
}

/// The content type that S3 returns for an object stored without one.
const UNTYPED: &str = "binary/octet-stream";

/// Finds the object that a request asks for, checks the request's conditions, and computes the returned part. The two
/// inputs have the same fields, but different types.
macro_rules! select {
    ($objects:ident, $request:ident) => {{
        let input = &$request.input;
        let bucket = $objects.store.bucket(&input.bucket)?;
        let object = match &input.version_id {
            None => bucket.object(&input.key).ok_or_else(|| $objects.guard.no_such_key(&$request, &input.bucket))?,
            Some(id) => bucket.version(&input.key, id).ok_or_else(no_such_version)?,
        };
        if object.record.is_delete_marker {
            return Err(s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource."));
        }
        let conditions = ReadConditions {
            if_match: input.if_match.clone(),
            if_none_match: input.if_none_match.clone(),
            if_modified_since: input.if_modified_since.clone(),
            if_unmodified_since: input.if_unmodified_since.clone(),
        };
        conditions.check(&object)?;
        let slice = Slice::of(&object, input.range)?;
        (object, slice)
    }};
}

/// The response with the fields that both operations share.
macro_rules! describe {
    ($output:ident, $object:ident, $slice:ident, $mode:expr) => {{
        let record = &$object.record;
        let attributes = &record.attributes;
        let wanted = $mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        // The stored checksum covers the whole object, so a part has none.
        let crc32 = attributes.crc32.clone().filter(|_| wanted && $slice.content_range.is_none());
        $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: attributes.cache_control.clone(),
            checksum_type: crc32.as_ref().map(|_| ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
            checksum_crc32: crc32,
            content_disposition: attributes.content_disposition.clone(),
            content_length: i64::try_from($slice.range.end - $slice.range.start).ok(),
            content_range: $slice.content_range,
            content_type: Some(attributes.content_type.clone().unwrap_or_else(|| UNTYPED.to_owned())),
            e_tag: Some(ETag::Strong(record.e_tag.clone())),
            last_modified: Some(Timestamp::from(record.modified())),
            version_id: record.version.clone(),
            ..$output::default()
        }
    }};
}

/// Returns an object or a part of it.
pub async fn get(objects: &Objects, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
    let (object, slice) = select!(objects, request);
    let bytes = object.blob.read(slice.range.clone()).await.map_err(failed)?;
    let mut output = describe!(GetObjectOutput, object, slice, request.input.checksum_mode);
    output.body = Some(StreamingBlob::from(Body::from(bytes)));
    Ok(output)
}

/// Returns the same as `get`, without the bytes.
pub fn head(objects: &Objects, request: S3Request<HeadObjectInput>) -> S3Result<HeadObjectOutput> {
    let (object, slice) = select!(objects, request);
    Ok(describe!(HeadObjectOutput, object, slice, request.input.checksum_mode))
}

impl Slice {
    fn of(object: &Object, asked: Option<Asked>) -> S3Result<Self> {
        let size = object.record.size;
        let Some(asked) = asked else {
            return Ok(Self { range: 0..size, content_range: None });
        };
        let range = asked.check(size).map_err(|_| unsatisfiable(size))?;
        // A suffix range of an empty object selects no bytes.
        if range.is_empty() {
            return Err(unsatisfiable(size));
        }
        let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        Ok(Self { range, content_range: Some(content_range) })
    }
}

fn no_such_version() -> S3Error {
    s3_error!(NoSuchVersion, "The specified version does not exist.")
}

/// 416 with the size, so that the caller can try again (RFC 9110, 15.5.17).
fn unsatisfiable(size: u64) -> S3Error {
    let words = "The requested range is not satisfiable";
    let mut error = S3Error::with_message(S3ErrorCode::InvalidRange, words);
    let mut headers = HeaderMap::new();
    if let Ok(range) = format!("bytes */{size}").try_into() {
        headers.insert(CONTENT_RANGE, range);
    }
    error.set_headers(headers);
    error
}
