//! The common path of PNG, WebP, GIF and HEIC: the header is checked, the pixels are averaged while they are decoded,
//! and the averages are cut to size, converted to sRGB and turned upright. (JPEG has its own, faster path.)

use image::DynamicImage;

use crate::geometry::{self, Plan};
use crate::raster::{Decoded, Raster};
use crate::small::Small;
use crate::{Error, Limits, Spec, gif, heic, icc, png, webp};

/// The formats that are decoded by rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    WebP,
    Gif,
    Heic,
}

impl Format {
    /// The format of `bytes`, by its content.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            bytes if heic::is_heic(bytes) => Some(Self::Heic),
            _ => None,
        }
    }
}

/// Makes the picture of each of `specs`: upright, sRGB, 8 bits a channel, and with alpha only if the picture is partly
/// transparent.
pub(crate) fn pictures(
    format: Format,
    bytes: &[u8],
    specs: &[Spec],
    limits: Limits,
) -> Result<Vec<DynamicImage>, Error> {
    match format {
        Format::Png => make(png::Png::open(bytes, limits)?, specs),
        Format::WebP => make(webp::WebP::open(bytes, limits)?, specs),
        Format::Gif => make(gif::Gif::open(bytes, limits)?, specs),
        Format::Heic => make(heic::Heic::open(bytes, limits)?, specs),
    }
}

fn make(raster: impl Raster, specs: &[Spec]) -> Result<Vec<DynamicImage>, Error> {
    let header = raster.header();
    let (orientation, profile) = (header.orientation, header.profile.clone());
    let plans: Vec<_> =
        specs.iter().map(|spec| geometry::plan(header.size, &crate::turned(spec, orientation))).collect();
    let Decoded { reduced, opaque, matrix } = raster.decode(&plans)?;
    let cut = |(small, plan): (&Small, &Plan)| {
        let mut pixels = small.cut(plan)?;
        if opaque {
            pixels = without_alpha(pixels);
        }
        if let Some(matrix) = matrix {
            matrix.to_rgb(&mut pixels);
        }
        if let Some(profile) = &profile {
            icc::to_srgb(profile, &mut pixels);
        }
        // To turn the small picture takes almost no time, compared with the original.
        pixels.apply_orientation(orientation);
        Ok(pixels)
    };
    reduced.smalls().zip(&plans).map(cut).collect()
}

fn without_alpha(pixels: DynamicImage) -> DynamicImage {
    match pixels {
        pixels @ DynamicImage::ImageLumaA8(_) => pixels.into_luma8().into(),
        pixels @ DynamicImage::ImageRgba8(_) => pixels.into_rgb8().into(),
        pixels => pixels,
    }
}
