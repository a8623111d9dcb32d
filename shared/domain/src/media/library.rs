//! The pictures and voice notes that a user owns: adding, listing, and deleting them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::Format;
use super::direct::{DirectUploads, PresignedUpload, UPLOAD_LIFETIME};
use super::media_name::MediaName;
use super::name::{ImageName, WaitingImage};
use super::upload::{Prepared, Uploads};
use crate::account::{AccountStore, Caller};
use crate::clock::Timestamp;
use crate::once::Once;
use crate::profile::{Avatar, ProfileChange};
use crate::{Error, Result};

/// The error for a name that is not one of the caller's own stored pictures.
pub const NOT_OWN_PICTURE: Error =
    Error::Invalid { field: "media", rule: "must be the name or the URL of a picture that you have uploaded" };

/// What an account records about a picture or a voice note that it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRecord {
    /// The name.
    pub name: MediaName,
    /// When it was recorded.
    pub made: Timestamp,
    /// The size of the stored file. `None` until a presigned upload is accepted.
    pub bytes: Option<u64>,
}

/// The result of recording an upload that may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded now.
    New,
    /// An earlier request with the same key recorded this name, and nothing is recorded now.
    Before(MediaName),
}

/// A page of the media of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaPage {
    /// The stored media, in the order of their names.
    pub records: Vec<MediaRecord>,
    /// The name after which the next page begins. `None` on the last page.
    pub next: Option<MediaName>,
}

/// The store of media records. Every method checks the session and returns [`Error::Unauthenticated`] when it has ended.
#[async_trait]
pub trait MediaStore: Send + Sync {
    /// Like [`AccountStore::record_upload`] for a request with a key: the upload is recorded and counted once. One round
    /// trip. [`Error::IdempotencyKeyReused`] if the key belongs to another request.
    async fn record_once(
        &self,
        caller: Caller,
        name: &MediaName,
        bytes: Option<u64>,
        once: &Once,
        now: Timestamp,
    ) -> Result<Recorded>;

    /// The caller's record with this name, unless it was deleted. One round trip.
    async fn media(&self, caller: Caller, name: &MediaName, now: Timestamp) -> Result<Option<MediaRecord>>;

    /// At most so many of the caller's stored media whose names come after `after`. One round trip, unless many records
    /// in between are of deleted media or of presigned uploads that were not used. After four, the page is shorter.
    async fn media_page(
        &self,
        caller: Caller,
        after: Option<&MediaName>,
        most: usize,
        now: Timestamp,
    ) -> Result<MediaPage>;

    /// Marks the caller's record with this name as deleted, gives its bytes back to the account, and removes the
    /// account's picture if it is this one: once, and all or nothing. Returns `false` if it was marked before. Two round
    /// trips. [`Error::NotFound`] if the caller has no such record.
    async fn discard(&self, caller: Caller, name: &MediaName, now: Timestamp) -> Result<bool>;

    /// Makes one of the caller's stored pictures the account's picture. One round trip. [`Error::Invalid`] if the caller
    /// has no such picture.
    async fn show(&self, caller: Caller, picture: &ImageName, now: Timestamp) -> Result<()>;
}

/// The media of users.
pub struct Library {
    /// Processes files.
    pub uploads: Arc<Uploads>,
    /// Issues presigned uploads.
    pub direct: Arc<DirectUploads>,
    /// The records.
    pub store: Arc<dyn MediaStore>,
}

/// A picture or a voice note that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its name.
    pub name: MediaName,
    /// The size of the stored file.
    pub bytes: usize,
    /// Width and height of a picture as it is shown.
    pub size: Option<(u32, u32)>,
}

/// A presigned upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The name that the picture will have.
    pub name: ImageName,
    /// The form to send.
    pub upload: PresignedUpload,
    /// Until when the form can be sent.
    pub until: Timestamp,
}

impl Library {
    /// Stores a picture or a voice note without its metadata. A repeated request gets what the first one stored.
    pub async fn add(&self, caller: Caller, bytes: Bytes, once: Option<&Once>) -> Result<Added> {
        let file = self.uploads.prepare(bytes)?;
        let (now, length) = (self.uploads.clock.now(), file.bytes.len());
        let counted = Some(u64::try_from(length).unwrap_or(u64::MAX));
        let name = match once {
            None => {
                self.accounts().record_upload(caller, &file.name.to_string(), counted, now).await?;
                file.name
            }
            Some(once) => match self.store.record_once(caller, &file.name, counted, once, now).await? {
                Recorded::New => file.name,
                Recorded::Before(name) => return self.add_again(caller, name, file).await,
            },
        };
        let Prepared { content_type, bytes, size, .. } = file;
        self.uploads.objects.put(&name.key(), content_type, bytes).await?;
        Ok(Added { name, bytes: length, size })
    }

    /// The result of a repeated request. The first one may have stopped before it stored the file, or still be storing
    /// it; the file is the same.
    async fn add_again(&self, caller: Caller, name: MediaName, file: Prepared) -> Result<Added> {
        let record = self.store.media(caller, &name, self.uploads.clock.now()).await?;
        record.ok_or(Error::NotFound("media"))?;
        let (length, key) = (file.bytes.len(), name.key());
        if self.uploads.objects.head(&key).await?.is_none() {
            self.uploads.objects.put_new(&key, file.content_type, file.bytes).await?;
        }
        Ok(Added { name, bytes: length, size: file.size })
    }

    /// A presigned upload of a picture. A repeated request gets one for the same name, which is valid from now.
    pub async fn invite(&self, caller: Caller, format: Format, once: Option<&Once>) -> Result<Invitation> {
        let now = self.direct.clock.now();
        let until = now.plus(UPLOAD_LIFETIME);
        let Some(once) = once else {
            let (name, upload) = self.direct.invite(caller, format).await?;
            return Ok(Invitation { name, upload, until });
        };
        let new = ImageName::generate(&*self.direct.random, format);
        let name = match self.store.record_once(caller, &MediaName::Image(new), None, once, now).await? {
            Recorded::Before(MediaName::Image(name)) => name,
            // The key belongs to this request, and this request only makes names of pictures.
            Recorded::Before(MediaName::Audio(_)) => return Err(Error::IdempotencyKeyReused),
            Recorded::New => new,
        };
        let upload = self.direct.sign(WaitingImage { owner: caller.user, name }, format, now).await?;
        Ok(Invitation { name, upload, until })
    }

    /// One of the caller's media.
    pub async fn get(&self, caller: Caller, name: &MediaName) -> Result<MediaRecord> {
        let record = self.store.media(caller, name, self.uploads.clock.now()).await?;
        record.ok_or(Error::NotFound("media"))
    }

    /// A page of the caller's media.
    pub async fn list(&self, caller: Caller, after: Option<&MediaName>, most: usize) -> Result<MediaPage> {
        self.store.media_page(caller, after, most, self.uploads.clock.now()).await
    }

    /// Deletes one of the caller's media with everything that was made of it. The account gets its bytes back once.
    ///
    /// The record is marked first. If the objects cannot be deleted then, the caller gets an error, and the next attempt
    /// deletes them; it is then refused like any other for a name that is gone.
    pub async fn delete(&self, caller: Caller, name: &MediaName) -> Result<()> {
        let first = self.store.discard(caller, name, self.uploads.clock.now()).await?;
        self.uploads.objects.delete_all(&name.objects(caller.user)).await?;
        if first { Ok(()) } else { Err(Error::NotFound("media")) }
    }

    /// Makes one of the caller's own pictures the caller's avatar.
    pub async fn show(&self, caller: Caller, picture: &ImageName) -> Result<()> {
        self.store.show(caller, picture, self.uploads.clock.now()).await
    }

    /// Removes the caller's avatar. The picture stays.
    pub async fn hide(&self, caller: Caller) -> Result<()> {
        let change = ProfileChange { avatar: Some(Avatar::none()), ..ProfileChange::default() };
        self.accounts().change_profile(caller, &change, self.uploads.clock.now()).await
    }

    fn accounts(&self) -> &dyn AccountStore {
        &*self.uploads.accounts
    }
}
