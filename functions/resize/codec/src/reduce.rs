//! Scaling down: whole blocks of pixels are averaged to about twice the size wanted, Lanczos does the rest.
//!
//! The average reads every pixel of the original once and is cheap; Lanczos keeps edges sharp and is dear, so it only
//! sees the small picture. Colours are weighted by their alpha on the way, as an average of "transparent black" and
//! "opaque white" must not be grey.

use std::ops::Range;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Pixel, RgbImage, RgbaImage};

use crate::decode::Picture;
use crate::geometry::Plan;

/// How many times the target's size the averaged picture keeps, so that Lanczos has detail to work from.
const HEADROOM: u32 = 2;

/// Makes the thumbnail of `plan`, not yet upright, at 8 bits a channel and with as many channels as the picture has.
pub(crate) fn reduce(picture: &Picture, plan: &Plan) -> DynamicImage {
    let stride = picture.size().0;
    match &picture.pixels {
        DynamicImage::ImageLuma8(pixels) => small::<u8, 1>(pixels, stride, plan),
        DynamicImage::ImageLumaA8(pixels) => small::<u8, 2>(pixels, stride, plan),
        DynamicImage::ImageRgb8(pixels) => small::<u8, 3>(pixels, stride, plan),
        DynamicImage::ImageRgba8(pixels) => small::<u8, 4>(pixels, stride, plan),
        DynamicImage::ImageLuma16(pixels) => small::<u16, 1>(pixels, stride, plan),
        DynamicImage::ImageLumaA16(pixels) => small::<u16, 2>(pixels, stride, plan),
        DynamicImage::ImageRgb16(pixels) => small::<u16, 3>(pixels, stride, plan),
        DynamicImage::ImageRgba16(pixels) => small::<u16, 4>(pixels, stride, plan),
        // None of the four formats decodes to floats.
        other => small::<u8, 4>(&other.to_rgba8(), stride, plan),
    }
}

/// A channel of a pixel: 8 or 16 bits.
trait Sample: Copy + Into<u64> {
    /// The value of full intensity.
    const FULL: u64;
}

impl Sample for u8 {
    const FULL: u64 = 0xff;
}

impl Sample for u16 {
    const FULL: u64 = 0xffff;
}

fn small<S: Sample, const CHANNELS: usize>(samples: &[S], stride: u32, plan: &Plan) -> DynamicImage {
    let (width, height) = (averaged(plan.window.0, plan.target.0), averaged(plan.window.1, plan.target.1));
    let average = average::<S, CHANNELS>(samples, stride, plan, (width, height));
    match CHANNELS {
        1 => finish(GrayImage::from_raw(width, height, average), plan),
        2 => divide_alpha(finish(GrayAlphaImage::from_raw(width, height, average), plan)),
        3 => finish(RgbImage::from_raw(width, height, average), plan),
        _ => divide_alpha(finish(RgbaImage::from_raw(width, height, average), plan)),
    }
}

/// The side that is left after averaging: the largest that whole blocks give and Lanczos should see.
fn averaged(window: u32, target: u32) -> u32 {
    window / (window / (target * HEADROOM)).max(1)
}

/// Averages the blocks of the plan's window to a picture of `size` pixels, 8 bits a channel. Colours come out
/// multiplied by their alpha.
fn average<S: Sample, const CHANNELS: usize>(samples: &[S], stride: u32, plan: &Plan, size: (u32, u32)) -> Vec<u8> {
    let colours = colours::<CHANNELS>();
    let row_length = stride as usize * CHANNELS;
    let mut out = Vec::with_capacity(size.0 as usize * size.1 as usize * CHANNELS);
    let columns: Vec<Range<usize>> = (0..size.0).map(|column| block(plan.x, plan.window.0, size.0, column)).collect();
    let mut sums = vec![[0_u64; CHANNELS]; columns.len()];
    for line in 0..size.1 {
        let rows = block(plan.y, plan.window.1, size.1, line);
        sums.fill([0; CHANNELS]);
        for row in samples.chunks_exact(row_length).skip(rows.start).take(rows.len()) {
            for (sum, columns) in sums.iter_mut().zip(&columns) {
                for pixel in row[columns.start * CHANNELS..columns.end * CHANNELS].as_chunks::<CHANNELS>().0 {
                    add(sum, pixel, colours);
                }
            }
        }
        for (sum, columns) in sums.iter().zip(&columns) {
            push_mean::<S, CHANNELS>(&mut out, sum, (rows.len() * columns.len()) as u64, colours);
        }
    }
    out
}

/// How many of the channels are colours; one more is alpha where the count is even.
const fn colours<const CHANNELS: usize>() -> usize {
    CHANNELS - (CHANNELS + 1) % 2
}

/// The pixels of the original that pixel `index` of `size` stands for. Blocks differ by a pixel where the division
/// leaves a rest, so that the last is not smaller than the others.
fn block(start: u32, window: u32, size: u32, index: u32) -> Range<usize> {
    let edge = |index: u32| {
        let offset = u64::from(window) * u64::from(index) / u64::from(size);
        start as usize + usize::try_from(offset).unwrap_or(usize::MAX)
    };
    edge(index)..edge(index + 1)
}

fn add<S: Sample, const CHANNELS: usize>(sum: &mut [u64; CHANNELS], pixel: &[S; CHANNELS], colours: usize) {
    if colours == CHANNELS {
        for (sum, sample) in sum.iter_mut().zip(pixel) {
            *sum += (*sample).into();
        }
    } else {
        let alpha: u64 = pixel[colours].into();
        for (sum, sample) in sum.iter_mut().zip(&pixel[..colours]) {
            *sum += (*sample).into() * alpha;
        }
        sum[colours] += alpha;
    }
}

/// Divides the sums of `count` pixels back to 8 bits, rounded.
fn push_mean<S: Sample, const CHANNELS: usize>(out: &mut Vec<u8>, sum: &[u64; CHANNELS], count: u64, colours: usize) {
    for (channel, sum) in sum.iter().enumerate() {
        let weighted = colours != CHANNELS && channel != colours;
        let full = if weighted { S::FULL * S::FULL } else { S::FULL } * count;
        let mean = (sum * 0xff + full / 2) / full;
        out.push(u8::try_from(mean).unwrap_or(u8::MAX));
    }
}

fn finish<P>(average: Option<ImageBuffer<P, Vec<u8>>>, plan: &Plan) -> DynamicImage
where
    P: Pixel<Subpixel = u8> + 'static,
    DynamicImage: From<ImageBuffer<P, Vec<u8>>>,
{
    let average = average.unwrap_or_else(|| unreachable!("the average has a value per channel"));
    if average.dimensions() == plan.target {
        return average.into();
    }
    imageops::resize(&average, plan.target.0, plan.target.1, FilterType::Lanczos3).into()
}

/// Undoes the weighting of colours by alpha.
fn divide_alpha(mut pixels: DynamicImage) -> DynamicImage {
    match &mut pixels {
        DynamicImage::ImageLumaA8(buffer) => {
            for [luma, alpha] in buffer.as_chunks_mut::<2>().0 {
                *luma = divided(*luma, *alpha);
            }
        }
        DynamicImage::ImageRgba8(buffer) => {
            for [red, green, blue, alpha] in buffer.as_chunks_mut::<4>().0 {
                for colour in [red, green, blue] {
                    *colour = divided(*colour, *alpha);
                }
            }
        }
        _ => {}
    }
    pixels
}

/// A colour without its alpha; where nothing is seen there is no colour either.
fn divided(colour: u8, alpha: u8) -> u8 {
    let (colour, alpha) = (u32::from(colour), u32::from(alpha));
    (colour * 0xff + alpha / 2).checked_div(alpha).map_or(0, |value| u8::try_from(value).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(window: (u32, u32), target: (u32, u32)) -> Plan {
        let (x, y) = (0, 0);
        Plan { x, y, window, target }
    }

    #[test]
    fn blocks_cover_the_window_without_gap_or_overlap() {
        for (window, size) in [(10, 3), (1, 1), (50_000_000, 256), (257, 256), (7, 7)] {
            let mut at = 5;
            for index in 0..size {
                let range = block(5, window, size, index);
                assert_eq!(range.start, at);
                assert!(range.end > range.start);
                at = range.end;
            }
            assert_eq!(at, 5 + window as usize);
        }
    }

    #[test]
    fn the_average_of_a_flat_colour_is_that_colour_at_both_depths() {
        let flat = vec![200_u8; 3 * 12 * 12];
        let out = average::<u8, 3>(&flat, 12, &plan((12, 12), (2, 2)), (4, 4));
        assert!(out.iter().all(|value| *value == 200));
        let flat = vec![0xffff_u16; 12 * 12];
        let out = average::<u16, 1>(&flat, 12, &plan((12, 12), (2, 2)), (4, 4));
        assert!(out.iter().all(|value| *value == 0xff));
    }

    #[test]
    fn transparent_pixels_do_not_darken_their_neighbours() {
        let half = [[255_u8, 255, 255, 255], [0, 0, 0, 0]].concat();
        let out = average::<u8, 4>(&half, 2, &plan((2, 1), (1, 1)), (1, 1));
        let small = RgbaImage::from_raw(1, 1, out).unwrap();
        let small = divide_alpha(DynamicImage::ImageRgba8(small)).into_rgba8();
        assert_eq!(small.get_pixel(0, 0).0, [255, 255, 255, 128]);
    }

    #[test]
    fn averaging_leaves_lanczos_at_least_the_headroom() {
        assert_eq!(averaged(4000, 128), 4000 / 15);
        assert_eq!(averaged(300, 256), 300);
        assert_eq!(averaged(1, 1), 1);
        assert!(averaged(50_000_000, 1) >= 2);
    }
}
