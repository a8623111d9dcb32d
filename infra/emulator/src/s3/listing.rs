//! `ListObjectsV2`: pages of keys in order, with common prefixes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object as Listed, ObjectStorageClass,
    Timestamp,
};
use s3s::{S3Result, s3_error};

use super::store::{Bucket, Object};

/// The most keys in one page, as in S3.
const MAX_KEYS: i32 = 1_000;

/// Characters that `encoding-type=url` leaves unchanged.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// A page of a listing.
pub fn list(bucket: &Bucket, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let max_keys = input.max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
    let from = match &input.continuation_token {
        Some(token) => Some(Position::parse(token)?),
        None => input.start_after.clone().map(Position::after),
    };
    let page = Page::gather(bucket, &input, from.as_ref(), usize::try_from(max_keys).unwrap_or_default());
    let url = input.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == EncodingType::URL);
    let encode = |text: String| {
        if url { utf8_percent_encode(&text, PLAIN).to_string() } else { text }
    };
    let prefixes = page.prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(encode(prefix)) });
    let contents = page.objects.into_iter().map(|mut listed| {
        listed.key = listed.key.map(encode);
        listed
    });
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(page.count).ok(),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.map(|position| position.to_token()),
        contents: Some(contents.collect()),
        common_prefixes: Some(prefixes.collect()),
        name: Some(input.bucket),
        prefix: input.prefix.map(encode),
        delimiter: input.delimiter.map(encode),
        start_after: input.start_after.map(encode),
        max_keys: Some(max_keys),
        encoding_type: input.encoding_type,
        continuation_token: input.continuation_token,
        ..ListObjectsV2Output::default()
    })
}

/// The end of a page: after this key, and after every key that starts with this common prefix.
#[derive(Debug, Clone, Default)]
struct Position {
    key: String,
    prefix: String,
}

impl Position {
    fn after(key: String) -> Self {
        Self { key, prefix: String::new() }
    }

    /// Tokens are opaque; base64 keeps them that way.
    fn to_token(&self) -> String {
        use base64::Engine as _;
        let parts = serde_json::json!([self.key, self.prefix]).to_string();
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(parts)
    }

    fn parse(token: &str) -> S3Result<Self> {
        use base64::Engine as _;
        base64::prelude::BASE64_URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|json| serde_json::from_slice::<(String, String)>(&json).ok())
            .map(|(key, prefix)| Self { key, prefix })
            .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
    }
}

#[derive(Default)]
struct Page {
    objects: Vec<Listed>,
    prefixes: Vec<String>,
    count: usize,
    next: Option<Position>,
}

impl Page {
    fn gather(bucket: &Bucket, input: &ListObjectsV2Input, from: Option<&Position>, max_keys: usize) -> Self {
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        let mut page = Self::default();
        if max_keys == 0 {
            return page;
        }
        let mut last = from.cloned().unwrap_or_default();
        bucket.visit_after(from.map(|from| from.key.as_str()), |object| {
            let key = &object.record.key;
            let Some(rest) = key.strip_prefix(prefix) else {
                // Keys are in order: after the prefix nothing more can match.
                return key.as_str() < prefix;
            };
            if !last.prefix.is_empty() && key.starts_with(&last.prefix) {
                return true;
            }
            if page.count == max_keys {
                page.next = Some(last.clone());
                return false;
            }
            let group = delimiter
                .and_then(|delimiter| rest.find(delimiter).map(|at| &key[..prefix.len() + at + delimiter.len()]));
            page.count += 1;
            last = Position { key: key.clone(), prefix: group.unwrap_or_default().to_owned() };
            match group {
                Some(group) => page.prefixes.push(group.to_owned()),
                None => page.objects.push(listed(object)),
            }
            true
        });
        page
    }
}

fn listed(object: &Object) -> Listed {
    let record = &object.record;
    Listed {
        key: Some(record.key.clone()),
        size: i64::try_from(record.size).ok(),
        e_tag: Some(ETag::Strong(record.e_tag.clone())),
        last_modified: Some(Timestamp::from(record.modified())),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Listed::default()
    }
}
