//! From bytes to pixels, within the limits.

use std::io::Cursor;

use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::{Error, Limits};

/// A decoded picture, as it is stored: not yet upright.
pub(crate) struct Picture {
    /// The pixels, 8 or 16 bits a channel.
    pub(crate) pixels: DynamicImage,
    /// How the pixels have to be turned to be upright.
    pub(crate) orientation: Orientation,
    /// The colour profile of the file, when it has one.
    pub(crate) profile: Option<Vec<u8>>,
}

impl Picture {
    /// Width and height in pixels, as stored.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }
}

/// Decodes the first frame of `bytes`, having judged its header by `limits`.
pub(crate) fn decode(bytes: &[u8], limits: Limits) -> Result<Picture, Error> {
    let Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Gif)) =
        image::guess_format(bytes)
    else {
        return Err(Error::NotAPicture);
    };
    if format == ImageFormat::Jpeg && !jpeg_has_its_end(bytes) {
        return Err(Error::Broken("the JPEG has no end".into()));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allocation = image::Limits::default();
    allocation.max_alloc = Some(limits.max_bytes);
    reader.limits(allocation);
    let mut decoder = reader.into_decoder().map_err(translate)?;

    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > limits.max_pixels {
        return Err(Error::TooManyPixels { width, height });
    }
    if decoder.total_bytes() > limits.max_bytes {
        return Err(Error::TooMuchMemory);
    }
    // Damaged metadata is no reason to refuse pixels that are whole.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or(None);
    let pixels = DynamicImage::from_decoder(decoder).map_err(translate)?;
    Ok(Picture { pixels, orientation, profile })
}

fn translate(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooMuchMemory,
        error => Error::Broken(Box::new(error)),
    }
}

/// Whether an end-of-image marker follows the first scan. The decoder fills the rest of a JPEG that was cut short with
/// grey instead of refusing it, and a grey thumbnail would be cached for a year.
fn jpeg_has_its_end(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some([0xff, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            // A fill byte before a marker.
            0xff => at += 1,
            &START_OF_SCAN => {
                return bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
            }
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    false
}
