//! Making thumbnails of stored pictures, and serving them.

use std::sync::Arc;

use axum::body::Bytes;
use codec::{Fit, Limits, Spec};
use futures::future::try_join_all;
use shared::domain::clock::Clock;
use shared::domain::media::store::{Fetched, Meta, Part};
use shared::domain::media::{ImageName, ImageRequest, Mode, ObjectStore, Thumbnail};
use shared::domain::policy::Policy;
use shared::domain::{Error, Fault, Result};
use shared::http::download::{self, Answer, DownloadRequest};

/// Makes and serves thumbnails.
pub(super) struct Thumbnails {
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    /// The longest original in bytes.
    longest: u64,
    limits: Limits,
}

impl Thumbnails {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>, policy: &Policy) -> Self {
        let limits = Limits { max_pixels: policy.image_max_pixels, ..Limits::default() };
        Self { objects, clock, longest: policy.image_max_bytes, limits }
    }

    /// Answers a request for a picture or for one of its thumbnails, which is made when it is missing.
    pub(super) async fn answer(&self, asked: &ImageRequest, request: &DownloadRequest) -> Result<Answer> {
        if let Some(answer) = download::stored(&*self.objects, &asked.key(), request).await? {
            return Ok(answer);
        }
        let thumbnail = asked.thumbnail.ok_or(Error::NotFound("image"))?;
        let (meta, bytes) = self.make_one(&asked.image, thumbnail).await?;
        download::at_hand(&meta, &bytes, request)
    }

    /// Makes and stores every thumbnail of a picture, from one read and one decode; answers their bytes in sum.
    pub(super) async fn make_all(&self, image: &ImageName) -> Result<usize> {
        let made = self.make(image, &Thumbnail::ALL).await?;
        let bytes = made.iter().map(|made| made.bytes.len()).sum();
        try_join_all(Thumbnail::ALL.into_iter().zip(made).map(async |(thumbnail, made)| {
            self.objects.put(&thumbnail.key(image), made.content_type, made.bytes.into()).await
        }))
        .await?;
        Ok(bytes)
    }

    async fn make_one(&self, image: &ImageName, thumbnail: Thumbnail) -> Result<(Meta, Bytes)> {
        let made = self.make(image, &[thumbnail]).await?.pop();
        let made = made.ok_or_else(|| Fault::new("making a thumbnail", "the codec gave none"))?;
        let bytes = Bytes::from(made.bytes);
        let etag = self.objects.put(&thumbnail.key(image), made.content_type, bytes.clone()).await?;
        let content_type = made.content_type.to_owned();
        Ok((Meta { content_type, length: bytes.len() as u64, etag, modified: self.clock.now() }, bytes))
    }

    async fn make(&self, image: &ImageName, thumbnails: &[Thumbnail]) -> Result<Vec<codec::Thumbnail>> {
        let original = match self.objects.get(&image.key(), Part::Whole, self.longest).await? {
            Fetched::Found { bytes, .. } => bytes,
            Fetched::Missing | Fetched::PastTheEnd => return Err(Error::NotFound("image")),
            Fetched::TooLong => return Err(Error::TooLarge { limit: self.longest }),
        };
        let specs: Vec<_> = thumbnails.iter().map(|thumbnail| spec(*thumbnail)).collect();
        let limits = self.limits;
        // Decoding takes a processor for as long as a second; other requests of a local run go on meanwhile.
        let made = tokio::task::spawn_blocking(move || codec::thumbnails(&original, &specs, limits)).await;
        made.map_err(|error| Fault::new("making thumbnails", error))?.map_err(refused)
    }
}

fn spec(thumbnail: Thumbnail) -> Spec {
    let fit = match thumbnail.mode() {
        Mode::Contain => Fit::Contain,
        Mode::Cover => Fit::Cover,
    };
    Spec { width: thumbnail.side(), height: thumbnail.side(), fit }
}

fn refused(error: codec::Error) -> Error {
    match error {
        codec::Error::NotAPicture => Error::UnsupportedMedia("not a JPEG, PNG, WebP or GIF picture"),
        codec::Error::TooManyPixels { .. } => Error::UnsupportedMedia("the picture has too many pixels"),
        codec::Error::TooMuchMemory => Error::UnsupportedMedia("the picture takes too much memory to show"),
        codec::Error::Broken(_) => Error::UnsupportedMedia("the picture is damaged"),
        other => Fault::new("making thumbnails", other).into(),
    }
}

#[cfg(test)]
mod tests;
