//! Decodes WebP with libwebp, directly to a reduced size.

mod riff;

use image::metadata::Orientation;
use webpx::{At, BitstreamFormat, Decoder, DecoderConfig, ImageInfo};

use crate::geometry::Plan;
use crate::raster::{self, Decoded, Header, Raster};
use crate::shrink::{Order, Reduced, Shrink};
use crate::small::{self, Area, Small};
use crate::{Error, Limits, exif, icc};

/// Lossy pictures with alpha are decoded whole up to this many pixels: libwebp scales their colours without regard to
/// their visibility. In larger pictures, the outline is only a small part.
const WHOLE: u64 = 4 << 20;

/// If at least this many pixels become one, the filter that smooths the edges of blocks is left out. It takes a fifth
/// of the time, and its effect is lost in the average.
const UNFILTERED: f64 = 2.0;

/// The size that libwebp decodes to, as a multiple of the thumbnail's size.
const HEADROOM: u32 = 2;

/// A WebP after its header was read.
pub(crate) struct WebP<'a> {
    file: &'a [u8],
    frame: Option<riff::Frame>,
    info: ImageInfo,
    header: Header,
    limits: Limits,
}

impl<'a> WebP<'a> {
    /// Reads the header of `file` and checks it against `limits`.
    pub(crate) fn open(file: &'a [u8], limits: Limits) -> Result<Self, Error> {
        let riff::Container { exif, profile, frame } =
            riff::container(file).ok_or_else(|| Error::Broken("the WebP has no frame".into()))?;
        let info = ImageInfo::from_webp(frame.as_ref().map_or(file, |frame| &frame.still)).map_err(broken)?;
        let own = raster::judge(info.width, info.height, limits)?;
        // libwebp stores lossless pictures completely, in addition to the result.
        if 4 * u64::from(own.0) * u64::from(own.1) > limits.max_bytes {
            return Err(Error::TooMuchMemory);
        }
        let size = match &frame {
            Some(frame) => raster::judge(frame.canvas.0, frame.canvas.1, limits)?,
            None => own,
        };
        let orientation = exif.map_or(Orientation::NoTransforms, exif::orientation);
        let profile = profile.filter(|profile| profile.len() <= icc::MAX_PROFILE).map(<[u8]>::to_vec);
        Ok(Self { file, frame, info, header: Header { size, orientation, profile }, limits })
    }

    /// The position of the pixels on the canvas.
    fn place(&self) -> (u32, u32) {
        self.frame.as_ref().map_or((0, 0), |frame| (frame.x, frame.y))
    }

    /// Whether the pixels are the whole canvas.
    fn covers(&self) -> bool {
        self.place() == (0, 0) && (self.info.width, self.info.height) == self.header.size
    }

    /// Whether something may be seen through.
    fn has_alpha(&self) -> bool {
        self.info.has_alpha || !self.covers()
    }

    /// Decodes to `size`, with four channels if there may be alpha and three otherwise.
    fn pixels(&self, size: (u32, u32), filtered: bool) -> Result<Vec<u8>, Error> {
        let still = self.frame.as_ref().map_or(self.file, |frame| &frame.still);
        let limits = webpx::Limits::none().with_max_pixels(self.limits.max_pixels);
        let config = DecoderConfig::new().limits(limits).bypass_filtering(!filtered);
        let mut decoder = Decoder::new(still).map_err(broken)?.config(config);
        if size != (self.info.width, self.info.height) {
            decoder = decoder.scale(size.0, size.1);
        }
        let decoded = if self.has_alpha() { decoder.decode_rgba_raw() } else { decoder.decode_rgb_raw() };
        Ok(decoded.map_err(broken)?.0)
    }

    /// Decodes to a fraction of the size, a pixel for each `block`.
    fn scaled(&self, block: (f64, f64), plans: usize) -> Result<Decoded, Error> {
        let (width, height) = self.header.size;
        let size = (fraction(width, block.0), fraction(height, block.1));
        let mut samples = self.pixels(size, block.0.min(block.1) < UNFILTERED)?;
        let (channels, mut opaque) = (if self.has_alpha() { 4 } else { 3 }, true);
        if channels == 4 {
            for pixel in samples.as_chunks_mut::<4>().0 {
                opaque &= pixel[3] == u8::MAX;
                *pixel = small::multiplied(*pixel);
            }
        }
        let area = Area { x: 0, y: 0, width, height };
        let block = (f64::from(width) / f64::from(size.0), f64::from(height) / f64::from(size.1));
        let small = Small { area, block, size, channels, samples };
        Ok(Decoded { reduced: Reduced::one(small, plans), opaque, matrix: None })
    }

    /// Decodes whole and averages the rows, which may be a part of the canvas only.
    fn whole<const CHANNELS: usize>(&self, plans: &[Plan]) -> Result<Decoded, Error> {
        let (x, top) = self.place();
        let (width, height) = (self.info.width, self.info.height);
        let pixels = self.pixels((width, height), true)?;
        let mut opaque = self.covers();
        let mut shrink = Shrink::<CHANNELS>::new(plans, Order::Rows);
        for (y, row) in (top..).zip(pixels.chunks_exact(width as usize * CHANNELS)) {
            if CHANNELS == 4 {
                opaque = opaque && row.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == u8::MAX);
            }
            shrink.add((x, 1), y, row);
        }
        Ok(Decoded { reduced: shrink.finish(), opaque, matrix: None })
    }
}

impl Raster for WebP<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(self, plans: &[Plan]) -> Result<Decoded, Error> {
        let (width, height) = self.header.size;
        let lossy = self.info.format != BitstreamFormat::Lossless;
        let delicate = lossy && self.info.has_alpha && u64::from(width) * u64::from(height) <= WHOLE;
        let block = (block(plans, |side| side.0), block(plans, |side| side.1));
        if self.covers() && !delicate && block.0.max(block.1) > 1.0 {
            self.scaled(block, plans.len())
        } else if self.has_alpha() {
            self.whole::<4>(plans)
        } else {
            self.whole::<3>(plans)
        }
    }
}

/// How many pixels of the original may become one, on the side of plans that `side` picks.
fn block(plans: &[Plan], side: impl Fn((u32, u32)) -> u32) -> f64 {
    let blocks = plans.iter().map(|plan| f64::from(side(plan.window)) / f64::from(side(plan.target) * HEADROOM));
    blocks.reduce(f64::min).unwrap_or(1.0).max(1.0)
}

/// `length` divided by `block`, rounded up, so that no thumbnail gets less than it needs.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a block is at least 1, so this is within length"
)]
fn fraction(length: u32, block: f64) -> u32 {
    ((f64::from(length) / block).ceil() as u32).clamp(1, length)
}

fn broken(error: At<webpx::Error>) -> Error {
    match error.error() {
        webpx::Error::LimitExceeded(_) | webpx::Error::OutOfMemory => Error::TooMuchMemory,
        _ => Error::Broken(Box::new(error)),
    }
}
