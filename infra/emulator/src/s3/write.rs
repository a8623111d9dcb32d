//! The operations that write an object: put, post, copy, complete.

use std::sync::Arc;

use s3s::dto::{
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CopyObjectResult,
    CopySource, ETag, MetadataDirective, PutObjectInput, PutObjectOutput, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::attributes::Attributes;
use super::checksum::{Checksums, receive};
use super::conditions::{ReadConditions, WriteConditions, precondition_failed};
use super::multipart::Place;
use super::store::{Draft, Object};
use super::{Objects, failed};
use crate::delivery::Created;

/// Takes the checksums from the inputs that share these fields.
macro_rules! given_checksums {
    ($input:ident) => {
        Checksums {
            crc32: $input.checksum_crc32.take(),
            crc32c: $input.checksum_crc32c.take(),
            crc64nvme: $input.checksum_crc64nvme.take(),
            sha1: $input.checksum_sha1.take(),
            sha256: $input.checksum_sha256.take(),
        }
    };
}

/// Stores one body as an object; `by` is `Put` or `Post`.
pub async fn put(objects: &Objects, request: S3Request<PutObjectInput>, by: &'static str) -> S3Result<PutObjectOutput> {
    let S3Request { mut input, trailing_headers, .. } = request;
    let given = given_checksums!(input);
    let content_md5 = input.content_md5.take();
    // A request for a missing bucket fails before the body is read.
    objects.store.bucket(&input.bucket)?;
    let received = receive(input.body.take(), content_md5.as_deref(), given, trailing_headers).await?;
    let mut attributes = Attributes::of_put(&mut input);
    attributes.checksums = received.checksums.clone();
    let draft = Draft { key: input.key, e_tag: received.e_tag(), bytes: received.bytes, attributes };
    let conditions = WriteConditions { if_match: input.if_match, if_none_match: input.if_none_match };
    let object = write(objects, &input.bucket, draft, &conditions, by).await?;
    let checksums = received.checksums;
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(object.record.e_tag.clone())),
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        ..PutObjectOutput::default()
    })
}

/// Copies the bytes of an object to another key.
pub async fn copy(objects: &Objects, request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let CopySource::Bucket { bucket, key, .. } = request.input.copy_source.clone() else {
        return Err(s3_error!(NotImplemented, "Access points are not part of the local S3."));
    };
    let source = objects.store.bucket(&bucket)?.object(&key);
    let source = source.ok_or_else(|| objects.guard.no_such_key(&request, &bucket))?;
    let mut input = request.input;
    let conditions = ReadConditions {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        if_modified_since: input.copy_source_if_modified_since.take(),
        if_unmodified_since: input.copy_source_if_unmodified_since.take(),
    };
    // A copy returns 412 where a read would return 304.
    conditions.check(&source).map_err(|_| precondition_failed())?;
    let replaces =
        input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    if !replaces && *bucket == *input.bucket && *key == *input.key {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself \
             without changing the object's metadata."
        ));
    }
    let attributes = if replaces {
        let checksums = source.record.attributes.checksums.clone();
        Attributes { checksums, ..Attributes::of_copy(&mut input) }
    } else {
        source.record.attributes.clone()
    };
    let bytes = source.blob.read(0..source.record.size).await.map_err(failed)?;
    let draft = Draft { key: input.key, bytes, e_tag: source.record.e_tag.clone(), attributes };
    let copied = write(objects, &input.bucket, draft, &WriteConditions::default(), "Copy").await?;
    let result = CopyObjectResult {
        e_tag: Some(ETag::Strong(copied.record.e_tag.clone())),
        last_modified: Some(Timestamp::from(copied.record.modified())),
        ..CopyObjectResult::default()
    };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
}

/// Stores one part of an upload.
pub async fn upload_part(objects: &Objects, request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let S3Request { mut input, trailing_headers, .. } = request;
    let given = given_checksums!(input);
    let content_md5 = input.content_md5.take();
    let received = receive(input.body.take(), content_md5.as_deref(), given, trailing_headers).await?;
    let e_tag = received.e_tag();
    let checksums = received.checksums.clone();
    let place = Place { id: &input.upload_id, bucket: &input.bucket, key: &input.key };
    objects.uploads.keep(&place, input.part_number, received)?;
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(e_tag)),
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        ..UploadPartOutput::default()
    })
}

/// Joins the parts to an object.
pub async fn complete(
    objects: &Objects,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    let place = Place { id: &input.upload_id, bucket: &input.bucket, key: &input.key };
    let draft = objects.uploads.assemble(&place, input.multipart_upload)?;
    let conditions = WriteConditions { if_match: input.if_match, if_none_match: input.if_none_match };
    let by = "CompleteMultipartUpload";
    let object = write(objects, &input.bucket, draft, &conditions, by).await?;
    objects.uploads.end(&place)?;
    Ok(CompleteMultipartUploadOutput {
        e_tag: Some(ETag::Strong(object.record.e_tag.clone())),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..CompleteMultipartUploadOutput::default()
    })
}

/// Writes an object and announces it.
async fn write(
    objects: &Objects,
    bucket: &str,
    draft: Draft,
    conditions: &WriteConditions,
    by: &'static str,
) -> S3Result<Arc<Object>> {
    let object = objects.store.bucket(bucket)?.write(draft, conditions).await?;
    let record = &object.record;
    objects.deliveries.announce(&Created {
        by,
        bucket: bucket.to_owned(),
        key: record.key.clone(),
        size: record.size,
        e_tag: record.e_tag.clone(),
        at: record.modified(),
    });
    Ok(object)
}
