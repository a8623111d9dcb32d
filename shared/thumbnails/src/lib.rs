//! Thumbnails from the bytes of a JPEG, PNG, WebP, GIF or HEIC.
//!
//! [`thumbnails`] is the only function: it decodes a picture once and makes all requested thumbnails from that decode.
//! For any bytes, the result is thumbnails or an [`Error`], never a panic.

mod decode;
mod encode;
mod exif;
mod geometry;
mod gif;
mod heic;
mod icc;
mod jpeg_encoder;
mod lanczos;
mod photo;
mod png;
mod raster;
mod sharpen;
mod shrink;
mod small;
mod webp;
mod ycbcr;

use image::metadata::Orientation;
use media_formats::jpeg;
pub use media_formats::{Error, Limits};

/// How a picture fits into a box with another ratio of sides. No picture is enlarged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Fills the box and keeps the middle. If the picture is at least as large as the box on both sides, the thumbnail
    /// has exactly the size of the box. Otherwise the picture is not scaled, and only the parts outside the box are
    /// cropped.
    Cover,
    /// Fits the whole picture inside the box.
    Contain,
}

/// A thumbnail to make: a box in pixels, and how the picture fits into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Width of the box in pixels, at least 1.
    pub width: u32,
    /// Height of the box in pixels, at least 1.
    pub height: u32,
    /// How the picture fits into the box.
    pub fit: Fit,
}

/// A finished thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// `image/jpeg`, or `image/png` if the picture has a pixel that is not opaque.
    pub content_type: &'static str,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
}

/// Makes one thumbnail for each of `specs`, in their order, from a single decode of `bytes`.
///
/// ```
/// use thumbnails::{Fit, Limits, Spec, thumbnails};
/// let spec = Spec { width: 128, height: 128, fit: Fit::Cover };
/// let refused = thumbnails(b"<svg onload=alert(1)>", &[spec], Limits::default());
/// assert!(matches!(refused, Err(thumbnails::Error::NotAPicture)));
/// ```
pub fn thumbnails(bytes: &[u8], specs: &[Spec], limits: Limits) -> Result<Vec<Thumbnail>, Error> {
    if specs.iter().any(|spec| spec.width == 0 || spec.height == 0) {
        return Err(Error::EmptyBox);
    }
    if let Some(format) = decode::Format::of(bytes) {
        return decode::pictures(format, bytes, specs, limits)?.into_iter().map(encode::plain).collect();
    }
    if jpeg::is_jpeg(bytes) {
        return photo::thumbnails(bytes, specs, limits);
    }
    Err(Error::NotAPicture)
}

/// The box for the stored picture, before it is turned upright.
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
