//! What the decoders of PNG, WebP, GIF and HEIC have in common: a header that is checked before a pixel is decoded, and
//! pixels that are averaged while they are decoded.

use image::metadata::Orientation;

use crate::geometry::Plan;
use crate::shrink::Reduced;
use crate::ycbcr::Matrix;
use crate::{Error, Limits};

/// The information that is known before a pixel is decoded.
pub(crate) struct Header {
    /// Width and height in pixels, as stored: not yet upright.
    pub(crate) size: (u32, u32),
    /// The orientation that makes the stored pixels upright.
    pub(crate) orientation: Orientation,
    /// The colour profile of the pixels.
    pub(crate) profile: Option<Vec<u8>>,
}

/// Decoded and averaged pixels.
pub(crate) struct Decoded {
    /// An averaged picture for each plan.
    pub(crate) reduced: Reduced,
    /// Whether all pixels are opaque.
    pub(crate) opaque: bool,
    /// How the three channels become red, green and blue, if they are not.
    pub(crate) matrix: Option<Matrix>,
}

/// A picture whose header was read and checked.
pub(crate) trait Raster {
    /// The information in the header.
    fn header(&self) -> &Header;

    /// Decodes the pixels for `plans`.
    fn decode(self, plans: &[Plan]) -> Result<Decoded, Error>;
}

/// Refuses a picture with more pixels than `limits` allow, or without pixels.
pub(crate) fn judge(width: u32, height: u32, limits: Limits) -> Result<(u32, u32), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > limits.max_pixels {
        return Err(Error::TooManyPixels { width, height });
    }
    Ok((width, height))
}
