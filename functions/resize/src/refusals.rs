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
/// The decoder does not support this kind of picture.
pub(super) const UNSUPPORTED: &str = "a kind of picture that no thumbnails are made of";
/// The bytes are not a picture at all.
pub(super) const NO_PICTURE: &str = media_formats::sniff::NOT_A_PICTURE;

/// Refusals that do not depend on settings. A picture that is refused for its size is not noted: the header shows the
/// size at once, and its limits are settings.
const LASTING: [&str; 3] = [DAMAGED, UNSUPPORTED, NO_PICTURE];

/// The version of the decoder in a note. Raise it when the decoder accepts pictures that it refused before; older notes
/// are then ignored.
const DECODER: u32 = 1;

/// Bytes of the longest note that is read.
const LONGEST: u64 = 128;

/// The reason why a picture has no thumbnails, if a note has it.
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
