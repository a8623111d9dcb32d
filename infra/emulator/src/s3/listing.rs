//! `ListObjectsV2` of a whole bucket: all keys in order, on one page.

use s3s::dto::{ETag, ListObjectsV2Input, ListObjectsV2Output, Object as Listed, Timestamp};
use s3s::{S3Result, s3_error};

use super::object::Object;
use super::store::BucketStore;

/// The listing of a bucket. S3's pages, prefixes and delimiters are not supported.
pub fn list(bucket: &BucketStore, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let texts = [&input.prefix, &input.delimiter, &input.start_after, &input.continuation_token];
    if input.max_keys.is_some() || input.encoding_type.is_some() || texts.into_iter().any(Option::is_some) {
        return Err(s3_error!(NotImplemented, "The local S3 endpoint only lists whole buckets."));
    }
    let contents: Vec<Listed> = bucket.objects().iter().map(|object| listed(object)).collect();
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(contents.len()).ok(),
        is_truncated: Some(false),
        contents: Some(contents),
        name: Some(input.bucket),
        ..ListObjectsV2Output::default()
    })
}

fn listed(object: &Object) -> Listed {
    let record = &object.record;
    Listed {
        key: Some(record.key.clone()),
        size: i64::try_from(record.size).ok(),
        e_tag: Some(ETag::Strong(record.e_tag.clone())),
        last_modified: Some(Timestamp::from(record.modified())),
        ..Listed::default()
    }
}
