//! Multipart uploads. Parts are in memory and are lost when the process ends, as S3 deletes them by the lifecycle rule
//! for incomplete uploads.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{CompletedMultipartUpload, CompletedPart, ETag, Part};
use s3s::{S3Error, S3Result, s3_error};

use super::attributes::Attributes;
use super::checksum::Received;
use super::store::Draft;
use crate::clock;
use crate::hex::hex;

/// The minimum size of every part except the last, in bytes.
const MIN_PART: usize = 5 * 1024 * 1024;

/// The highest number of a part.
const MAX_PARTS: i32 = 10_000;

/// The uploads that are neither completed nor aborted.
#[derive(Debug, Default)]
pub struct Uploads {
    uploads: Mutex<HashMap<String, Upload>>,
}

#[derive(Debug, Clone)]
struct Upload {
    bucket: String,
    key: String,
    attributes: Attributes,
    parts: BTreeMap<i32, (Bytes, [u8; 16])>,
}

impl Uploads {
    /// Starts an upload and returns its id.
    pub fn begin(&self, bucket: String, key: String, attributes: Attributes) -> String {
        let id = clock::random_id();
        let upload = Upload { bucket, key, attributes, parts: BTreeMap::new() };
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.insert(id.clone(), upload);
        id
    }

    /// Stores a part; it replaces an earlier one with the same number.
    pub fn keep(&self, place: &Place<'_>, number: i32, part: Received) -> S3Result<()> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(s3_error!(InvalidArgument, "Part number must be between 1 and 10000"));
        }
        self.with(place, |upload| {
            upload.parts.insert(number, (part.bytes, part.md5));
        })
    }

    /// The parts stored so far.
    pub fn parts(&self, place: &Place<'_>) -> S3Result<Vec<Part>> {
        self.with(place, |upload| {
            let parts = upload.parts.iter().map(|(number, (bytes, md5))| Part {
                part_number: Some(*number),
                size: i64::try_from(bytes.len()).ok(),
                e_tag: Some(ETag::Strong(hex(md5))),
                ..Part::default()
            });
            parts.collect()
        })
    }

    /// Joins the listed parts. The upload remains until it is ended, so a write that failed a condition can be tried
    /// again.
    pub fn assemble(&self, place: &Place<'_>, listed: Option<CompletedMultipartUpload>) -> S3Result<Draft> {
        let listed = listed.and_then(|listed| listed.parts).unwrap_or_default();
        if listed.is_empty() {
            return Err(s3_error!(MalformedXML, "You must specify at least one part"));
        }
        let upload = self.with(place, |upload| upload.clone())?;
        let number_of = |part: &CompletedPart| part.part_number.unwrap_or_default();
        if !listed.is_sorted_by(|one, next| number_of(one) < number_of(next)) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let mut bytes = BytesMut::new();
        let mut digests = Vec::new();
        for (at, part) in listed.iter().enumerate() {
            let (content, md5) = upload
                .parts
                .get(&number_of(part))
                .filter(|(_, md5)| part.e_tag.as_ref().is_some_and(|tag| tag.value() == hex(md5)))
                .ok_or_else(invalid_part)?;
            if at + 1 < listed.len() && content.len() < MIN_PART {
                return Err(s3_error!(EntityTooSmall));
            }
            bytes.extend_from_slice(content);
            digests.extend_from_slice(md5);
        }
        let e_tag = format!("{}-{}", hex(&Md5::checksum(&digests)), listed.len());
        Ok(Draft { key: upload.key, bytes: bytes.freeze(), e_tag, attributes: upload.attributes })
    }

    /// Ends a completed or aborted upload.
    pub fn end(&self, place: &Place<'_>) -> S3Result<()> {
        self.with(place, |_| ())?;
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.remove(place.id);
        Ok(())
    }

    fn with<T>(&self, place: &Place<'_>, work: impl FnOnce(&mut Upload) -> T) -> S3Result<T> {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let upload = uploads
            .get_mut(place.id)
            .filter(|upload| upload.bucket == place.bucket && upload.key == place.key)
            .ok_or_else(|| s3_error!(NoSuchUpload, "The specified upload does not exist."))?;
        Ok(work(upload))
    }
}

/// The identity of an upload; id and key must belong together.
pub struct Place<'a> {
    /// The upload's id.
    pub id: &'a str,
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
}

fn invalid_part() -> S3Error {
    s3_error!(InvalidPart, "One or more of the specified parts could not be found.")
}
