//! Makes thumbnails of stored pictures, and serves them.
//!
//! All thumbnails of a picture come from one read of the original and one decode, whether an event or a request is
//! first, and each is stored completely by one call. Every process makes the same bytes, so it does no harm if it is
//! killed in between, or does the work twice.

use std::sync::Arc;

use axum::body::Bytes;
use domain::clock::Clock;
use domain::media::store::{Fetched, Meta, Part};
use domain::media::{ImageName, ImageRequest, Mode, ObjectStore, Thumbnail};
use domain::policy::Policy;
use domain::{Error, Fault, Result};
use futures::future::join_all;
use handset_http::download::{self, Download, DownloadRequest};
use runtime::{ConfigError, Env};
use telemetry::metrics::{self, Metric};
use thumbnails::{Fit, Limits, Spec};

use super::{memory_limit, refusals};

/// Makes and serves thumbnails.
pub(super) struct Thumbnails {
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    /// The maximum size of an original in bytes.
    longest: u64,
    limits: Limits,
}

impl Thumbnails {
    pub(super) fn new(
        objects: Arc<dyn ObjectStore>,
        clock: Arc<dyn Clock>,
        policy: &Policy,
        env: &Env,
    ) -> std::result::Result<Self, ConfigError> {
        let longest = policy.image_max_bytes;
        let max_bytes = Limits::default().max_bytes.min(memory_limit::for_decoding(env, longest)?);
        let limits = Limits { max_pixels: policy.image_max_pixels, max_bytes };
        Ok(Self { objects, clock, longest, limits })
    }

    /// Handles a request for a picture or for one of its thumbnails, which is made if it is missing. That a picture has
    /// no thumbnails is found out once: later requests read a note in the bucket.
    pub(super) async fn answer(&self, asked: &ImageRequest, request: &DownloadRequest) -> Result<Download> {
        if let Some(answer) = download::stored(&*self.objects, &asked.key(), request).await? {
            return Ok(answer);
        }
        let thumbnail = asked.thumbnail.ok_or(Error::NotFound("image"))?;
        if let Some(reason) = refusals::noted(&*self.objects, &asked.image).await? {
            return Err(Error::UnsupportedMedia(reason));
        }
        let made = self.make(&asked.image).await?;
        let made = Thumbnail::ALL.iter().zip(&made).find(|(offered, _)| **offered == thumbnail);
        let (_, (meta, bytes)) = made.ok_or_else(|| Fault::new("making a thumbnail", "the codec gave none"))?;
        download::at_hand(meta, bytes, request)
    }

    /// Makes and stores every thumbnail of a picture; returns their total size in bytes. A picture that was just stored
    /// has no note yet, so none is looked for.
    pub(super) async fn make_all(&self, image: &ImageName) -> Result<usize> {
        Ok(self.make(image).await?.iter().map(|(_, bytes)| bytes.len()).sum())
    }

    /// Makes and stores all of them, in the order of the available sizes.
    async fn make(&self, image: &ImageName) -> Result<Vec<(Meta, Bytes)>> {
        let (made, millis) = match self.decode(image).await {
            Ok(made) => made,
            Err(error) => {
                refusals::remember(&*self.objects, image, &error).await?;
                return Err(error);
            }
        };
        // All are tried, so that one failure does not prevent the others from being stored.
        let stored = join_all(Thumbnail::ALL.into_iter().zip(made).map(async |(thumbnail, made)| {
            let (bytes, content_type) = (Bytes::from(made.bytes), made.content_type);
            let etag = self.objects.put(&thumbnail.key(image), content_type, bytes.clone()).await?;
            let modified = self.clock.now();
            Ok((Meta { content_type: content_type.to_owned(), length: bytes.len() as u64, etag, modified }, bytes))
        }));
        let stored = stored.await.into_iter().collect::<Result<Vec<_>>>()?;
        // Counted after they are stored: those that could not be stored are made again.
        metrics::add(Metric::Thumbnails, stored.len() as u64);
        metrics::add(Metric::ThumbnailMillis, millis);
        Ok(stored)
    }

    /// The thumbnails, and the milliseconds they took after the original was read.
    async fn decode(&self, image: &ImageName) -> Result<(Vec<thumbnails::Thumbnail>, u64)> {
        let original = match self.objects.get(&image.key(), Part::Whole, self.longest).await? {
            Fetched::Found { bytes, .. } => bytes,
            Fetched::Missing | Fetched::PastTheEnd => return Err(Error::NotFound("image")),
            Fetched::TooLong => return Err(Error::TooLarge { limit: self.longest }),
        };
        let (limits, specs, began) = (self.limits, Thumbnail::ALL.map(spec), self.clock.now());
        // Decoding takes a processor for up to a second; in the meantime other requests of a local run continue.
        let made = tokio::task::spawn_blocking(move || thumbnails::thumbnails(&original, &specs, limits));
        let made = made.await.map_err(|error| Fault::new("making thumbnails", error))?.map_err(refused)?;
        let millis = self.clock.now().millis().saturating_sub(began.millis());
        Ok((made, u64::try_from(millis).unwrap_or_default()))
    }
}

fn spec(thumbnail: Thumbnail) -> Spec {
    let fit = match thumbnail.mode() {
        Mode::Contain => Fit::Contain,
        Mode::Cover => Fit::Cover,
    };
    Spec { width: thumbnail.side(), height: thumbnail.side(), fit }
}

fn refused(error: thumbnails::Error) -> Error {
    match error {
        thumbnails::Error::NotAPicture => Error::UnsupportedMedia(refusals::NO_PICTURE),
        thumbnails::Error::Unsupported(_) => Error::UnsupportedMedia(refusals::UNSUPPORTED),
        thumbnails::Error::TooManyPixels { .. } => Error::UnsupportedMedia("the picture has too many pixels"),
        thumbnails::Error::TooMuchMemory => Error::UnsupportedMedia("the picture takes too much memory to show"),
        thumbnails::Error::Broken(_) => Error::UnsupportedMedia(refusals::DAMAGED),
        other => Fault::new("making thumbnails", other).into(),
    }
}

#[cfg(test)]
mod tests;
