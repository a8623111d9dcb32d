//! What PNG, WebP, GIF and HEIC have in common: a header is judged, the pixels are averaged as they are decoded, and
//! the averages are cut to size, brought to sRGB and turned upright. (JPEG has a quicker way of its own.)

use image::DynamicImage;
use image::metadata::Orientation;

use crate::geometry::{self, Plan};
use crate::shrink::Reduced;
use crate::ycbcr::Matrix;
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
    /// Which of them `bytes` is, by its content.
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

/// What is known before a pixel is decoded.
pub(crate) struct Header {
    /// Width and height in pixels, as stored: not yet upright.
    pub(crate) size: (u32, u32),
    /// How the stored pixels have to be turned to be upright.
    pub(crate) orientation: Orientation,
    /// The colour profile of the pixels.
    pub(crate) profile: Option<Vec<u8>>,
}

/// Decoded and averaged pixels.
pub(crate) struct Decoded {
    /// An averaged picture for each plan.
    pub(crate) reduced: Reduced,
    /// Whether there is no pixel that something could be seen through.
    pub(crate) opaque: bool,
    /// How the three channels become red, green and blue, where they are not.
    pub(crate) matrix: Option<Matrix>,
}

/// A picture whose header has been read and judged.
pub(crate) trait Raster {
    /// What the header says.
    fn header(&self) -> &Header;

    /// Decodes the pixels for `plans`.
    fn decode(self, plans: &[Plan]) -> Result<Decoded, Error>;
}

/// Makes the picture of each of `specs`: upright, sRGB, 8 bits a channel, and with alpha only where something can be
/// seen through.
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

/// Refuses a picture of more pixels than `limits` allow, or of none.
pub(crate) fn judge(width: u32, height: u32, limits: Limits) -> Result<(u32, u32), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > limits.max_pixels {
        return Err(Error::TooManyPixels { width, height });
    }
    Ok((width, height))
}

fn make(raster: impl Raster, specs: &[Spec]) -> Result<Vec<DynamicImage>, Error> {
    let header = raster.header();
    let (orientation, profile) = (header.orientation, header.profile.clone());
    let plans: Vec<_> =
        specs.iter().map(|spec| geometry::plan(header.size, &crate::turned(spec, orientation))).collect();
    let Decoded { reduced, opaque, matrix } = raster.decode(&plans)?;
    let cut = |(small, plan): (&crate::small::Small, &Plan)| {
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
        // Turning the small picture costs nothing beside turning the original.
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
