//! Listings: `ListObjectsV2` of a whole bucket on one page, and `ListObjectVersions` with a prefix and pages.

use s3s::dto::{
    DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as Listed, ObjectVersion, Timestamp,
};
use s3s::{S3Result, s3_error};

use super::object::Object;
use super::store::BucketStore;

/// The most entries on a page of versions.
const PAGE: usize = 1_000;

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

/// The versions and delete markers of a bucket, a page at a time. S3's delimiters are not supported.
pub fn list_versions(bucket: &BucketStore, input: ListObjectVersionsInput) -> S3Result<ListObjectVersionsOutput> {
    if input.delimiter.is_some() || input.encoding_type.is_some() {
        return Err(s3_error!(NotImplemented, "The local S3 endpoint knows no delimiters."));
    }
    let prefix = input.prefix.clone().unwrap_or_default();
    let mut all = bucket.versions();
    all.retain(|(version, _)| version.record.key.starts_with(&prefix));
    if let Some(after) = &input.key_marker {
        let is_before = |version: &Object| match &input.version_id_marker {
            None => version.record.key <= *after,
            Some(_) => version.record.key < *after,
        };
        all.retain(|(version, _)| !is_before(version));
        let place = input.version_id_marker.as_ref().and_then(|id| {
            all.iter().position(|(version, _)| version.record.key == *after && version.record.version_id() == id)
        });
        if let Some(place) = place {
            all.drain(..=place);
        }
    }
    let most = input.max_keys.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).min(PAGE);
    let is_truncated = all.len() > most;
    all.truncate(most);
    let last = all.last().filter(|_| is_truncated).map(|(version, _)| &version.record);
    let (next_key_marker, next_version_id_marker) =
        last.map(|last| (last.key.clone(), last.version_id().to_owned())).unzip();
    let (markers, versions): (Vec<_>, Vec<_>) = all.iter().partition(|(version, _)| version.record.is_delete_marker);
    Ok(ListObjectVersionsOutput {
        delete_markers: Some(markers.into_iter().map(|(marker, newest)| listed_marker(marker, *newest)).collect()),
        is_truncated: Some(is_truncated),
        key_marker: input.key_marker,
        max_keys: i32::try_from(most).ok(),
        name: Some(input.bucket),
        next_key_marker,
        next_version_id_marker,
        prefix: input.prefix,
        version_id_marker: input.version_id_marker,
        versions: Some(versions.into_iter().map(|(version, newest)| listed_version(version, *newest)).collect()),
        ..ListObjectVersionsOutput::default()
    })
}

fn listed_version(version: &Object, is_latest: bool) -> ObjectVersion {
    let record = &version.record;
    ObjectVersion {
        key: Some(record.key.clone()),
        version_id: Some(record.version_id().to_owned()),
        is_latest: Some(is_latest),
        size: i64::try_from(record.size).ok(),
        e_tag: Some(ETag::Strong(record.e_tag.clone())),
        last_modified: Some(Timestamp::from(record.modified())),
        ..ObjectVersion::default()
    }
}

fn listed_marker(marker: &Object, is_latest: bool) -> DeleteMarkerEntry {
    let record = &marker.record;
    DeleteMarkerEntry {
        key: Some(record.key.clone()),
        version_id: Some(record.version_id().to_owned()),
        is_latest: Some(is_latest),
        last_modified: Some(Timestamp::from(record.modified())),
        ..DeleteMarkerEntry::default()
    }
}
