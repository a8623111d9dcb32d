//! `GetObject` and `HeadObject`.

use std::ops::Range;
use std::sync::Arc;

use http::HeaderMap;
use http::header::CONTENT_RANGE;
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Range as Asked, StreamingBlob, Timestamp,
};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Result};

use super::conditions::ReadConditions;
use super::store::Object;
use super::{Objects, failed};

/// The returned part of an object.
struct Slice {
    range: Range<u64>,
    /// `Content-Range`, if a part was requested.
    content_range: Option<String>,
}

/// Fills the fields that both responses share.
macro_rules! fill_common {
    ($output:ident, $object:ident, $slice:ident, $mode:expr) => {{
        let record = &$object.record;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.content_length = i64::try_from($slice.range.end - $slice.range.start).ok();
        $output.e_tag = Some(ETag::Strong(record.e_tag.clone()));
        $output.last_modified = Some(Timestamp::from(record.modified()));
        let wanted = $mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        // Stored checksums cover the whole object, so a part has none.
        if wanted && $slice.content_range.is_none() {
            let checksums = &record.attributes.checksums;
            $output.checksum_crc32.clone_from(&checksums.crc32);
            $output.checksum_crc32c.clone_from(&checksums.crc32c);
            $output.checksum_crc64nvme.clone_from(&checksums.crc64nvme);
            $output.checksum_sha1.clone_from(&checksums.sha1);
            $output.checksum_sha256.clone_from(&checksums.sha256);
            $output.checksum_type = Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT));
        }
        $output.content_range = $slice.content_range;
    }};
}

/// Returns an object or a part of it.
pub async fn get(objects: &Objects, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
    let input = &request.input;
    let object = find(objects, &request, &input.bucket, &input.key)?;
    let input = request.input;
    let conditions = ReadConditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    let slice = Slice::of(&object, input.range)?;
    let bytes = object.blob.read(slice.range.clone()).await.map_err(failed)?;
    let mut output = GetObjectOutput::default();
    object.record.attributes.fill_get(&mut output);
    fill_common!(output, object, slice, input.checksum_mode);
    output.body = Some(StreamingBlob::from(Body::from(bytes)));
    Ok(output)
}

/// Returns the same as `get`, without the bytes.
pub fn head(objects: &Objects, request: S3Request<HeadObjectInput>) -> S3Result<HeadObjectOutput> {
    let input = &request.input;
    let object = find(objects, &request, &input.bucket, &input.key)?;
    let input = request.input;
    let conditions = ReadConditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    let slice = Slice::of(&object, input.range)?;
    let mut output = HeadObjectOutput::default();
    object.record.attributes.fill_head(&mut output);
    fill_common!(output, object, slice, input.checksum_mode);
    Ok(output)
}

fn find<T>(objects: &Objects, request: &S3Request<T>, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
    let found = objects.store.bucket(bucket)?.object(key);
    found.ok_or_else(|| objects.guard.no_such_key(request, bucket))
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
