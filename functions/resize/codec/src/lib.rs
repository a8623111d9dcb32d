//! Thumbnails from the bytes of a JPEG, PNG, WebP, GIF or HEIC.
//!
//! [`thumbnails`] is the whole surface: it decodes a picture once and makes every thumbnail that was asked for from
//! that decode. Whatever the bytes are, the answer is thumbnails or an [`Error`], never a panic.

#[cfg(feature = "thumbnails")]
mod encode;
#[cfg(feature = "thumbnails")]
mod exif;
#[cfg(feature = "thumbnails")]
mod geometry;
#[cfg(feature = "thumbnails")]
mod gif;
#[cfg(feature = "thumbnails")]
mod heic;
#[cfg(feature = "thumbnails")]
mod icc;
pub mod jpeg;
#[cfg(feature = "thumbnails")]
mod lanczos;
#[cfg(feature = "thumbnails")]
mod photo;
#[cfg(feature = "thumbnails")]
mod png;
#[cfg(feature = "thumbnails")]
mod raster;
#[cfg(feature = "thumbnails")]
mod sharpen;
#[cfg(feature = "thumbnails")]
mod shrink;
#[cfg(feature = "thumbnails")]
mod small;
#[cfg(feature = "thumbnails")]
mod webp;
#[cfg(feature = "thumbnails")]
mod ycbcr;

#[cfg(feature = "thumbnails")]
use image::metadata::Orientation;

/// How a picture meets a box whose sides have another ratio than its own. Neither way enlarges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Fills the box and crops the middle. The box is met exactly when the picture is at least as large as it on both
    /// sides; otherwise nothing is scaled, and only what sticks out of the box is cropped.
    Cover,
    /// Fits inside the box, so that the whole picture is seen.
    Contain,
}

/// One thumbnail to make: a box in pixels, and how the picture meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Width of the box in pixels, at least 1.
    pub width: u32,
    /// Height of the box in pixels, at least 1.
    pub height: u32,
    /// How the picture meets the box.
    pub fit: Fit,
}

/// What a picture may cost. Both are judged before a pixel is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels (width times height) that the header may claim.
    pub max_pixels: u64,
    /// The most bytes that the decoded picture, and the decoder's own buffers where it counts them, may take.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 50 million pixels, and 512 MiB, which holds them even at 16 bits a channel.
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_bytes: 512 * 1024 * 1024 }
    }
}

/// A finished thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// `image/jpeg`, or `image/png` when the picture has a pixel that is not opaque.
    pub content_type: &'static str,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
}

/// Why there is no thumbnail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a JPEG, PNG, WebP, GIF or HEIC.
    #[error("the bytes are not a JPEG, PNG, WebP, GIF or HEIC")]
    NotAPicture,
    /// The bytes are a kind of picture that few programs write and that is not read here, which the text names.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The header claims more pixels than [`Limits::max_pixels`], or none at all.
    #[error("a picture of {width} by {height} pixels is not within the limit")]
    TooManyPixels {
        /// Width that the header claims, in pixels.
        width: u32,
        /// Height that the header claims, in pixels.
        height: u32,
    },
    /// Decoding would take more than [`Limits::max_bytes`].
    #[error("decoding the picture takes more memory than the limit")]
    TooMuchMemory,
    /// The file is cut short or damaged.
    #[error("the picture is cut short or damaged")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A [`Spec`] has no width or no height.
    #[error("a thumbnail needs a width and a height")]
    EmptyBox,
    /// A thumbnail could not be written.
    #[error("the thumbnail could not be encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes one thumbnail for each of `specs`, in their order, from a single decode of `bytes`.
///
/// ```
/// use handset_codec::{Fit, Limits, Spec, thumbnails};
/// let spec = Spec { width: 128, height: 128, fit: Fit::Cover };
/// let refused = thumbnails(b"<svg onload=alert(1)>", &[spec], Limits::default());
/// assert!(matches!(refused, Err(handset_codec::Error::NotAPicture)));
/// ```
#[cfg(feature = "thumbnails")]
pub fn thumbnails(bytes: &[u8], specs: &[Spec], limits: Limits) -> Result<Vec<Thumbnail>, Error> {
    if specs.iter().any(|spec| spec.width == 0 || spec.height == 0) {
        return Err(Error::EmptyBox);
    }
    if let Some(format) = raster::Format::of(bytes) {
        return raster::pictures(format, bytes, specs, limits)?.into_iter().map(encode::plain).collect();
    }
    if jpeg::is_jpeg(bytes) {
        return photo::thumbnails(bytes, specs, limits);
    }
    Err(Error::NotAPicture)
}

/// The box as the stored, not yet upright, picture has to meet it.
#[cfg(feature = "thumbnails")]
fn turned(spec: &Spec, orientation: Orientation) -> Spec {
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            Spec { width: spec.height, height: spec.width, fit: spec.fit }
        }
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => *spec,
    }
}
