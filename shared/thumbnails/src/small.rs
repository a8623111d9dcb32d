//! Scales the averaged picture to the exact size, with Lanczos.

use image::{DynamicImage, ImageBuffer, Pixel};

use crate::Error;
use crate::geometry::Plan;
use crate::lanczos::scale;

/// A rectangle of the original, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    /// Left edge.
    pub(crate) x: u32,
    /// Upper edge.
    pub(crate) y: u32,
    /// Width, at least 1.
    pub(crate) width: u32,
    /// Height, at least 1.
    pub(crate) height: u32,
}

impl Area {
    /// The smallest rectangle around both.
    pub(crate) fn and(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let lower = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: lower - y }
    }
}

/// A part of the original, already reduced, 8 bits a channel. With an even number of channels, the last is alpha, and
/// the colours are multiplied by it.
pub(crate) struct Small {
    /// The part of the original that this picture shows.
    pub(crate) area: Area,
    /// The number of pixels of the original for each pixel, across and down.
    pub(crate) block: (f64, f64),
    /// Width and height in pixels.
    pub(crate) size: (u32, u32),
    /// Channels of a pixel, 1 to 4.
    pub(crate) channels: usize,
    /// The pixels, line by line.
    pub(crate) samples: Vec<u8>,
}

impl Small {
    /// Cuts what `plan` shows and scales it, with colours no longer multiplied by alpha.
    pub(crate) fn cut(&self, plan: &Plan) -> Result<DynamicImage, Error> {
        let across = span(plan.x - self.area.x, plan.window.0, self.block.0, self.size.0);
        let down = span(plan.y - self.area.y, plan.window.1, self.block.1, self.size.1);
        let (samples, size, part) = (&self.samples, self.size, [across, down]);
        if samples.len() < size.0 as usize * size.1 as usize * self.channels {
            return Err(Error::Broken("the picture has fewer pixels than it should".into()));
        }
        let picture = match self.channels {
            1 => picture::<image::Luma<u8>>(plan.target, scale::<1>(samples, size, part, plan.target)),
            2 => picture::<image::LumaA<u8>>(plan.target, divided::<2>(scale::<2>(samples, size, part, plan.target))),
            3 => picture::<image::Rgb<u8>>(plan.target, scale::<3>(samples, size, part, plan.target)),
            _ => picture::<image::Rgba<u8>>(plan.target, divided::<4>(scale::<4>(samples, size, part, plan.target))),
        };
        picture.ok_or_else(|| Error::Broken("the thumbnail has fewer pixels than it should".into()))
    }
}

/// The start and the length of a range of the original in the reduced picture, in pixels of the reduced picture.
fn span(start: u32, length: u32, block: f64, size: u32) -> (f64, f64) {
    let (size, start) = (f64::from(size), f64::from(start) / block);
    (start.min(size), (f64::from(length) / block).min(size - start))
}

fn picture<P>((width, height): (u32, u32), samples: Vec<u8>) -> Option<DynamicImage>
where
    P: Pixel<Subpixel = u8> + 'static,
    DynamicImage: From<ImageBuffer<P, Vec<u8>>>,
{
    ImageBuffer::<P, _>::from_raw(width, height, samples).map(DynamicImage::from)
}

/// A pixel with its colours multiplied by its alpha, which is the last channel, and divided by 255 again.
pub(crate) fn multiplied<const CHANNELS: usize>(pixel: [u8; CHANNELS]) -> [u8; CHANNELS] {
    let alpha = u16::from(pixel[CHANNELS - 1]);
    let mut out = pixel.map(|colour| over_255(u16::from(colour) * alpha));
    out[CHANNELS - 1] = pixel[CHANNELS - 1];
    out
}

/// Appends pixels with their colours multiplied by alpha, if they have alpha.
pub(crate) fn push_multiplied<const CHANNELS: usize>(out: &mut Vec<u8>, pixels: &[[u8; CHANNELS]]) {
    if !CHANNELS.is_multiple_of(2) {
        return out.extend_from_slice(pixels.as_flattened());
    }
    let start = out.len();
    out.extend_from_slice(pixels.as_flattened());
    // Handles four pixels at once, which compilers turn into vector instructions.
    let (fours, rest) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<16>();
    let alphas =
        u128::from_ne_bytes(std::array::from_fn(|index| if is_alpha::<CHANNELS>(index) { u8::MAX } else { 0 }));
    for samples in fours {
        // Most pictures with alpha are opaque nearly everywhere.
        if u128::from_ne_bytes(*samples) & alphas == alphas {
            continue;
        }
        let wide = samples.map(u16::from);
        let alpha = |index: usize| index | (CHANNELS - 1);
        let by: [u16; 16] = std::array::from_fn(|index| if alpha(index) == index { 255 } else { wide[alpha(index)] });
        *samples = std::array::from_fn(|index| over_255(wide[index] * by[index]));
    }
    for pixel in rest.as_chunks_mut::<CHANNELS>().0 {
        *pixel = multiplied(*pixel);
    }
}

/// Whether a sample at `index` of a row is alpha.
const fn is_alpha<const CHANNELS: usize>(index: usize) -> bool {
    index % CHANNELS == CHANNELS - 1
}

/// A product of two bytes divided by 255, rounded, without a division (Blinn: Three Wrongs Make a Right, 1995).
fn over_255(product: u16) -> u8 {
    let product = product + 128;
    (product + (product >> 8)).to_be_bytes()[0]
}

/// Undoes the multiplication by alpha. Transparent pixels have no colour.
fn divided<const CHANNELS: usize>(mut samples: Vec<u8>) -> Vec<u8> {
    for pixel in samples.as_chunks_mut::<CHANNELS>().0 {
        if let Some((alpha, colours)) = pixel.split_last_mut() {
            let alpha = u32::from(*alpha);
            for colour in colours {
                let value = (u32::from(*colour) * 0xff + alpha / 2).checked_div(alpha).unwrap_or(0);
                *colour = u8::try_from(value).unwrap_or(u8::MAX);
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(size: (u32, u32), channels: usize, samples: Vec<u8>) -> Small {
        let area = Area { x: 0, y: 0, width: size.0, height: size.1 };
        Small { area, block: (1.0, 1.0), size, channels, samples }
    }

    #[test]
    fn a_cut_of_the_same_size_is_a_copy() {
        let samples: Vec<u8> = (0..=255).collect();
        let small = small((16, 16), 1, samples.clone());
        let plan = Plan { x: 0, y: 0, window: (16, 16), target: (16, 16) };
        assert_eq!(small.cut(&plan).unwrap().into_bytes(), samples);
        let plan = Plan { x: 3, y: 2, window: (2, 1), target: (2, 1) };
        assert_eq!(small.cut(&plan).unwrap().into_bytes(), [35, 36]);
    }

    #[test]
    fn colours_are_divided_by_alpha_again() {
        let small = small((1, 1), 4, vec![64, 128, 200, 128]);
        let plan = Plan { x: 0, y: 0, window: (1, 1), target: (1, 1) };
        let pixels = small.cut(&plan).unwrap().into_bytes();
        assert_eq!(pixels, [128, 255, 255, 128]);
        assert_eq!(divided::<2>(vec![9, 0]), [0, 0]);
    }

    #[test]
    fn multiplication_by_alpha_is_rounded() {
        for alpha in 0..=255 {
            for colour in 0..=255 {
                let exact = (u32::from(colour) * u32::from(alpha) + 127) / 255;
                let exact = [u8::try_from(exact).unwrap(), alpha];
                assert_eq!(multiplied([colour, alpha]), exact);
                let mut row = Vec::new();
                push_multiplied(&mut row, &[[colour, alpha]; 9]);
                assert_eq!(row, exact.repeat(9));
            }
        }
    }

    #[test]
    fn the_last_block_may_be_cut_off() {
        let area = Area { x: 0, y: 0, width: 23, height: 5 };
        let small = Small { area, block: (7.0, 5.0), size: (4, 1), channels: 1, samples: vec![9; 4] };
        let plan = Plan { x: 0, y: 0, window: (23, 5), target: (2, 1) };
        assert_eq!(small.cut(&plan).unwrap().into_bytes(), [9, 9]);
    }
}
