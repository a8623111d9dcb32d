//! Encodes pixels into the file that clients get.

use std::io::Cursor;

use image::DynamicImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use crate::jpeg_encoder::{LONGEST, Planar, encode};
use crate::{Error, Thumbnail};

/// JPEG quality, of 100. With a lower quality, edges begin to ring at these sizes; with a higher one, files grow
/// without a visible difference.
pub(crate) const QUALITY: u8 = 82;

/// Encodes a finished thumbnail: sRGB, and with alpha only if the picture is partly transparent.
pub(crate) fn plain(pixels: DynamicImage) -> Result<Thumbnail, Error> {
    let (width, height) = (pixels.width(), pixels.height());
    if width.max(height) > LONGEST {
        return Err(Error::Encode("a JPEG has sides of at most 65535 pixels".into()));
    }
    let (bytes, content_type) = match pixels {
        DynamicImage::ImageLuma8(pixels) => {
            let grey = Planar { size: (width, height), luma: pixels.into_raw(), chroma: None };
            (encode(&grey, QUALITY), "image/jpeg")
        }
        pixels if pixels.color().has_alpha() => {
            let mut bytes = Vec::new();
            let out = Cursor::new(&mut bytes);
            let encoder = PngEncoder::new_with_quality(out, CompressionType::Fast, FilterType::Adaptive);
            pixels.write_with_encoder(encoder).map_err(|error| Error::Encode(Box::new(error)))?;
            (bytes, "image/png")
        }
        pixels => (encode(&Planar::from_rgb(&pixels.into_rgb8()), QUALITY), "image/jpeg"),
    };
    Ok(Thumbnail { bytes, content_type, width, height })
}
