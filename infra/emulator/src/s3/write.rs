//! `PutObject` and form uploads.

use s3s::dto::{ChecksumAlgorithm, ETag, ETagCondition, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Result, s3_error};

use super::checksum::receive;
use super::object::Attributes;
use super::objects::Objects;
use super::store::Draft;
use crate::delivery::Created;

/// Stores one body as an object and announces it; `by` is `Put` or `Post`.
pub async fn put(objects: &Objects, request: S3Request<PutObjectInput>, by: &'static str) -> S3Result<PutObjectOutput> {
    let S3Request { mut input, trailing_headers, .. } = request;
    refuse_unsupported(&input)?;
    // A request for a missing bucket fails before the body is read.
    let bucket = objects.store.bucket(&input.bucket)?;
    let given = input.checksum_crc32.take();
    let received = receive(input.body.take(), input.content_md5.as_deref(), given, trailing_headers).await?;
    let attributes = Attributes {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        crc32: received.crc32.clone(),
    };
    let draft = Draft { key: input.key, e_tag: received.e_tag, bytes: received.bytes, attributes };
    let object = bucket.write(draft, input.if_none_match.is_some()).await?;
    let record = &object.record;
    objects.deliveries.announce(&Created {
        by,
        bucket: input.bucket,
        key: record.key.clone(),
        size: record.size,
        e_tag: record.e_tag.clone(),
        at: record.modified(),
    });
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(record.e_tag.clone())),
        checksum_crc32: received.crc32,
        version_id: record.version.clone(),
        ..PutObjectOutput::default()
    })
}

/// Refuses a request whose conditions, checksums or headers would otherwise be ignored.
fn refuse_unsupported(input: &PutObjectInput) -> S3Result<()> {
    let sums = [&input.checksum_crc32c, &input.checksum_crc64nvme, &input.checksum_sha1, &input.checksum_sha256];
    let other_algorithm = |named: &ChecksumAlgorithm| named.as_str() != ChecksumAlgorithm::CRC32;
    // The SDK describes by `aws-chunked` how it sends the body.
    let other_encoding = |names: &str| names.split(',').any(|name| !matches!(name.trim(), "" | "aws-chunked"));
    let problem = if input.if_match.is_some() || matches!(input.if_none_match, Some(ETagCondition::ETag(_))) {
        "The local S3 endpoint knows one condition of a write: If-None-Match with *."
    } else if input.checksum_algorithm.as_ref().is_some_and(other_algorithm) || sums.into_iter().any(Option::is_some) {
        "The local S3 endpoint knows one checksum: CRC-32."
    } else if input.content_encoding.as_deref().is_some_and(other_encoding)
        || input.content_language.is_some()
        || input.acl.is_some()
        || input.tagging.is_some()
        || input.metadata.as_ref().is_some_and(|metadata| !metadata.is_empty())
    {
        "The local S3 endpoint does not keep encodings, languages, access lists, tags and metadata."
    } else {
        return Ok(());
    };
    Err(s3_error!(NotImplemented, "{problem}"))
}
