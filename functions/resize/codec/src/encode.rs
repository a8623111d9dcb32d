//! From pixels to the file that clients get.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder};

use crate::decode::Picture;
use crate::{Error, Thumbnail};

/// JPEG quality, of 100: below it edges begin to ring at these sizes, above it files grow without being seen to.
const QUALITY: u8 = 82;

/// The largest colour profile worth carrying: matrix profiles have about 600 bytes, look-up tables of printers and
/// scanners hundreds of thousands.
const MAX_PROFILE: usize = 4096;

/// What every thumbnail of one picture is written with.
pub(crate) struct Encoder {
    opaque: bool,
    profile: Option<Vec<u8>>,
}

impl Encoder {
    /// Chooses the format and the profile for the thumbnails of `picture`.
    pub(crate) fn for_picture(picture: &Picture) -> Self {
        Self {
            opaque: opaque(&picture.pixels),
            profile: picture.profile.as_ref().filter(|profile| worth_carrying(profile, &picture.pixels)).cloned(),
        }
    }

    /// Writes one thumbnail.
    pub(crate) fn encode(&self, pixels: DynamicImage) -> Result<Thumbnail, Error> {
        let pixels = match (self.opaque, pixels) {
            (true, pixels @ DynamicImage::ImageLumaA8(_)) => pixels.into_luma8().into(),
            (true, pixels @ DynamicImage::ImageRgba8(_)) => pixels.into_rgb8().into(),
            (_, pixels) => pixels,
        };
        let (width, height) = (pixels.width(), pixels.height());
        let mut bytes = Vec::new();
        let out = Cursor::new(&mut bytes);
        let content_type = if self.opaque {
            self.write(&pixels, JpegEncoder::new_with_quality(out, QUALITY))?;
            "image/jpeg"
        } else {
            self.write(&pixels, PngEncoder::new(out))?;
            "image/png"
        };
        Ok(Thumbnail { bytes, content_type, width, height })
    }

    fn write(&self, pixels: &DynamicImage, mut encoder: impl ImageEncoder) -> Result<(), Error> {
        if let Some(profile) = &self.profile {
            encoder.set_icc_profile(profile.clone()).map_err(|error| Error::Encode(Box::new(error)))?;
        }
        pixels.write_with_encoder(encoder).map_err(|error| Error::Encode(Box::new(error)))
    }
}

/// Whether every pixel is opaque, which a picture with an alpha channel may well be (screenshots, decoded GIFs).
fn opaque(pixels: &DynamicImage) -> bool {
    fn full<S: Copy + PartialEq, const CHANNELS: usize>(samples: &[S], full: S) -> bool {
        let pixels = samples.as_chunks::<CHANNELS>().0;
        pixels.iter().all(|pixel| pixel[CHANNELS - 1] == full)
    }
    match pixels {
        DynamicImage::ImageLumaA8(pixels) => full::<_, 2>(pixels, u8::MAX),
        DynamicImage::ImageRgba8(pixels) => full::<_, 4>(pixels, u8::MAX),
        DynamicImage::ImageLumaA16(pixels) => full::<_, 2>(pixels, u16::MAX),
        DynamicImage::ImageRgba16(pixels) => full::<_, 4>(pixels, u16::MAX),
        pixels => !pixels.has_alpha(),
    }
}

/// Whether a profile changes how the thumbnail looks: it is for the kind of pixels written (bytes 16 to 20 of its
/// header, ICC.1:2022, 7.2.6) and not sRGB, which is what a reader takes pixels without a profile for.
fn worth_carrying(profile: &[u8], pixels: &DynamicImage) -> bool {
    let space: &[u8] = if pixels.color().has_color() { b"RGB " } else { b"GRAY" };
    let says_srgb =
        profile.windows(4).any(|word| word == b"sRGB") || profile.windows(8).any(|word| word == b"s\0R\0G\0B\0");
    profile.len() <= MAX_PROFILE && profile.get(16..20) == Some(space) && !says_srgb
}
