//! Why pictures have no thumbnails, noted in the bucket.
//!
//! Some damage is found only after most of a picture has been decoded, which takes up to two seconds. So the first process
//! that finds it stores a note beside the picture, and another process reads the note instead of decoding.

use axum::body::Bytes;
use domain::media::store::{Fetched, Part};
use domain::media::{ImageName, ObjectStore};
use domain::{Error, Result};

/// The picture is damaged.
pub(super) const DAMAGED: &str = "the picture is damaged";
/// The decoder does not read this kind.
pub(super) const UNSUPPORTED: &str = "a kind of picture that no thumbnails are made of";
/// The bytes are not a picture at all.
pub(super) const NO_PICTURE: &str = "not a JPEG, PNG, WebP, GIF or HEIC picture";

/// Refusals that no setting changes. What is refused for its size is found in the header, at once, and the limits for it are
/// settings.
const LASTING: [&str; 3] = [DAMAGED, UNSUPPORTED, NO_PICTURE];

/// Which decoder a note is by. Raise it when the decoder shows what it refused before: older notes then do not count.
const DECODER: u32 = 1;

/// Bytes of the longest note that is read.
const LONGEST: u64 = 128;

/// Why a picture has no thumbnails, if that was noted.
pub(super) async fn noted(objects: &dyn ObjectStore, image: &ImageName) -> Result<Option<&'static str>> {
    match objects.get(&image.refusal_key(), Part::Whole, LONGEST).await? {
        Fetched::Found { bytes, .. } => Ok(LASTING.into_iter().find(|words| note(words) == bytes)),
        Fetched::Missing | Fetched::TooLong | Fetched::PastTheEnd => Ok(None),
    }
}

/// Notes why a picture has no thumbnails, if that will stay so.
pub(super) async fn remember(objects: &dyn ObjectStore, image: &ImageName, error: &Error) -> Result<()> {
    if let Error::UnsupportedMedia(reason) = error
        && LASTING.contains(reason)
    {
        objects.put(&image.refusal_key(), "text/plain", note(reason)).await?;
    }
    Ok(())
}

fn note(words: &str) -> Bytes {
    format!("{DECODER}: {words}").into()
}
