//! Pictures that clients upload directly to the bucket with a presigned upload.
//!
//! A presigned upload is for one picture of one format. The name is chosen beforehand, so the client knows where the
//! picture will be. The uploaded object is not served to anyone. The bucket sends an event, and then the picture is
//! processed like any other upload: its content decides its type, and its metadata is removed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use media_formats::picture;
use media_formats::sniff::Format;
use serde::Serialize;

use super::name::{ImageName, Key, WaitingImage};
use super::store::{Fetched, ObjectStore, Part};
use crate::account::{AccountStore, Caller, Counted};
use crate::clock::{Clock, Timestamp};
use crate::policy::Policy;
use crate::random::Random;
use crate::{Error, Fault, Quota, Result};

/// How long a presigned upload is valid: long enough to upload a large picture over a slow connection that was
/// interrupted once.
pub(super) const UPLOAD_LIFETIME: Duration = Duration::from_mins(10);

/// A form that uploads one object to the bucket: a POST of `multipart/form-data` to `url` with these fields and, as the
/// last one, the part `file`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PresignedUpload {
    /// The URL to send the form to.
    pub url: String,
    /// The fields of the form.
    pub fields: BTreeMap<String, String>,
}

/// The upload to presign.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// The only permitted key.
    pub key: &'a Key,
    /// The only permitted media type.
    pub content_type: &'static str,
    /// The maximum size in bytes.
    pub most: u64,
}

/// Presigns uploads.
#[async_trait]
pub trait UploadSigner: Send + Sync {
    /// A presigned upload that is valid from `now` until `until`. Makes no network call.
    async fn sign(&self, allowed: Allowed<'_>, now: Timestamp, until: Timestamp) -> Result<PresignedUpload>;
}

/// Issues presigned uploads, and processes the uploaded pictures.
pub struct DirectUploads {
    /// The accounts that own the uploads.
    pub accounts: Arc<dyn AccountStore>,
    /// The store of the files.
    pub objects: Arc<dyn ObjectStore>,
    /// Presigns uploads.
    pub signer: Arc<dyn UploadSigner>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random names.
    pub random: Arc<dyn Random>,
    /// The limits on the size of uploads.
    pub policy: Arc<Policy>,
}

impl DirectUploads {
    /// A presigned upload for a picture, and the name that the picture will have. The account records the name now. The
    /// size of the picture is not known yet, so its bytes are counted when it is processed.
    pub async fn invite(&self, caller: Caller, format: Format) -> Result<(ImageName, PresignedUpload)> {
        let (name, now) = (ImageName::generate(&*self.random, format), self.clock.now());
        let upload = self.sign(WaitingImage { owner: caller.user, name }, format, now).await?;
        self.accounts.record_upload(caller, &name.to_string(), None, now).await?;
        Ok((name, upload))
    }

    /// A presigned upload for a picture whose name is known. Makes no network call.
    pub(super) async fn sign(&self, waiting: WaitingImage, format: Format, now: Timestamp) -> Result<PresignedUpload> {
        let key = waiting.key();
        let allowed = Allowed { key: &key, content_type: format.content_type(), most: self.policy.image_max_bytes };
        self.signer.sign(allowed, now, now.plus(UPLOAD_LIFETIME)).await
    }

    /// Processes a picture that was uploaded to the bucket, once. A later upload under the same name is deleted,
    /// because caches keep a served file for ever. A file that is not a picture of its format, or for which the account
    /// has no space, is deleted and refused.
    pub async fn take_in(&self, waiting: &WaitingImage) -> Result<()> {
        let key = waiting.key();
        let bytes = match self.objects.get(&key, Part::Whole, self.policy.image_max_bytes).await? {
            Fetched::Found { bytes, .. } => Ok(bytes),
            // The same event was delivered twice.
            Fetched::Missing => return Ok(()),
            Fetched::TooLong => Err(Error::TooLarge { limit: self.policy.image_max_bytes }),
            Fetched::PastTheEnd => Err(Error::UnsupportedMedia("the upload is empty")),
        };
        let kept = match bytes {
            Ok(bytes) => self.keep(waiting, &bytes).await,
            Err(refusal) => Err(refusal),
        };
        // After a fault the upload stays, and the event is delivered again.
        if !matches!(kept, Err(Error::Fault(_))) {
            self.objects.delete(&key).await?;
        }
        kept
    }

    async fn keep(&self, WaitingImage { owner, name }: &WaitingImage, bytes: &[u8]) -> Result<()> {
        // This check only saves work: if two events are processed at the same time, both may find nothing here.
        if self.objects.head(&name.key()).await?.is_some() {
            return Ok(());
        }
        let picture = picture::clean(bytes, self.policy.image_max_pixels)?;
        let format = name.format().ok_or_else(|| Fault::new("taking in a picture", "a name of no format"))?;
        if picture.facts.format != format {
            return Err(Error::UnsupportedMedia("the picture is not of the format that its ticket was for"));
        }
        let stored = u64::try_from(picture.bytes.len()).unwrap_or(u64::MAX);
        match self.accounts.count_upload(*owner, &name.to_string(), stored).await? {
            Counted::Done => {}
            // The bytes were counted by an event whose processing did not finish. A different upload under the same
            // name was not counted and is deleted.
            Counted::Before(before) if before == stored => {}
            // The same for a picture that its owner has deleted meanwhile.
            Counted::Before(_) | Counted::Deleted => return Ok(()),
            Counted::Full => return Err(Error::Full(Quota::Media)),
        }
        self.objects.put_new(&name.key(), format.content_type(), picture.bytes.into()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
