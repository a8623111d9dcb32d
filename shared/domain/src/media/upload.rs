//! Processing uploads: which are accepted, how they are stored, and in which order, so that nothing is ever left half
//! done.

use std::sync::Arc;

use bytes::Bytes;
use media_formats::audio;
use media_formats::picture::{self, Clean};
use media_formats::sniff::{Audio, NOT_A_PICTURE, Sniffed, sniff};

use super::media_name::MediaName;
use super::name::{AudioName, ImageName};
use super::store::ObjectStore;
use crate::account::{AccountStore, Caller};
use crate::clock::Clock;
use crate::policy::Policy;
use crate::profile::{Avatar, ProfileChange};
use crate::random::Random;
use crate::{Error, Result};

/// Processes uploads.
pub struct Uploads {
    /// The accounts that own the uploads.
    pub accounts: Arc<dyn AccountStore>,
    /// The store of the files.
    pub objects: Arc<dyn ObjectStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random names.
    pub random: Arc<dyn Random>,
    /// The limits on the size of uploads.
    pub policy: Arc<Policy>,
}

impl Uploads {
    /// Stores a picture without its metadata.
    ///
    /// The account records the picture before it is stored. If storing fails, a record without a picture is left, which
    /// does no harm. A picture that its owner's account has no record of is never left.
    pub async fn image(&self, caller: Caller, bytes: &[u8]) -> Result<ImageName> {
        let picture = self.picture(bytes)?;
        let name = ImageName::generate(&*self.random, picture.facts.format);
        self.record(caller, &name.to_string(), picture.bytes.len()).await?;
        self.objects.put(&name.key(), picture.facts.format.content_type(), picture.bytes.into()).await?;
        Ok(name)
    }

    /// Stores a voice note without its metadata.
    pub async fn audio(&self, caller: Caller, bytes: Bytes) -> Result<AudioName> {
        let kind = self.voice_note(&bytes)?;
        let name = AudioName::generate(&*self.random, kind);
        let bytes = audio::clean(kind, bytes);
        self.record(caller, &name.to_string(), bytes.len()).await?;
        self.objects.put(&name.key(), kind.content_type(), bytes).await?;
        Ok(name)
    }

    /// Stores a picture and then makes it the caller's avatar, so an account never points to a picture that does not
    /// exist. If setting the avatar fails, the picture stays, like any other upload of its owner.
    pub async fn avatar(&self, caller: Caller, bytes: &[u8]) -> Result<ImageName> {
        let name = self.image(caller, bytes).await?;
        let change = ProfileChange { avatar: Some(Avatar::of_image(&name)), ..ProfileChange::default() };
        self.accounts.change_profile(caller, &change, self.clock.now()).await?;
        Ok(name)
    }

    /// A picture or a voice note of a known kind, cleaned and with a new name. Nothing is stored yet.
    pub(super) fn prepare(&self, bytes: Bytes) -> Result<Prepared> {
        let kind = match sniff(&bytes) {
            Sniffed::Audio(kind) => kind,
            Sniffed::Picture(_) => return self.prepare_picture(&bytes),
            Sniffed::OtherPicture => return Err(Error::UnsupportedMedia(NOT_A_PICTURE)),
            Sniffed::Unknown if bytes.is_empty() => return Err(Error::UnsupportedMedia("the upload is empty")),
            Sniffed::Unknown | Sniffed::Text | Sniffed::Forbidden => {
                return Err(Error::UnsupportedMedia("neither a picture nor a voice note of a known format"));
            }
        };
        measure(&bytes, self.policy.audio_max_bytes)?;
        let name = MediaName::Audio(AudioName::generate(&*self.random, kind));
        Ok(Prepared { name, content_type: kind.content_type(), bytes: audio::clean(kind, bytes), size: None })
    }

    fn prepare_picture(&self, bytes: &[u8]) -> Result<Prepared> {
        let Clean { facts, bytes } = self.picture(bytes)?;
        // The last four of the eight orientations are quarter turns.
        let lies = facts.orientation.number() > 4;
        let size = if lies { (facts.height, facts.width) } else { (facts.width, facts.height) };
        let name = MediaName::Image(ImageName::generate(&*self.random, facts.format));
        Ok(Prepared { name, content_type: facts.format.content_type(), bytes: bytes.into(), size: Some(size) })
    }

    /// Counts the bytes that are stored, not the bytes that were sent. Thumbnails are not counted.
    async fn record(&self, caller: Caller, name: &str, bytes: usize) -> Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.accounts.record_upload(caller, name, Some(bytes), self.clock.now()).await
    }

    fn picture(&self, bytes: &[u8]) -> Result<Clean> {
        measure(bytes, self.policy.image_max_bytes)?;
        Ok(picture::clean(bytes, self.policy.image_max_pixels)?)
    }

    /// Audio of an unknown kind is kept as unknown; pictures, text, pages and programs are refused.
    fn voice_note(&self, bytes: &[u8]) -> Result<Audio> {
        measure(bytes, self.policy.audio_max_bytes)?;
        match sniff(bytes) {
            Sniffed::Audio(audio) => Ok(audio),
            Sniffed::Unknown => Ok(Audio::Unknown),
            Sniffed::Picture(_) | Sniffed::OtherPicture => Err(Error::UnsupportedMedia("this is a picture, not audio")),
            Sniffed::Text => Err(Error::UnsupportedMedia("this is text, not audio")),
            Sniffed::Forbidden => Err(Error::UnsupportedMedia("this is a page, a program or an archive, not audio")),
        }
    }
}

/// A file that is ready to be stored.
pub(super) struct Prepared {
    /// Its new name.
    pub name: MediaName,
    /// Its media type.
    pub content_type: &'static str,
    /// The bytes without metadata.
    pub bytes: Bytes,
    /// Width and height of a picture as it is shown.
    pub size: Option<(u32, u32)>,
}

fn measure(bytes: &[u8], limit: u64) -> Result<()> {
    match u64::try_from(bytes.len()) {
        Ok(0) => Err(Error::UnsupportedMedia("the upload is empty")),
        Ok(length) if length <= limit => Ok(()),
        _ => Err(Error::TooLarge { limit }),
    }
}

#[cfg(test)]
mod tests;
