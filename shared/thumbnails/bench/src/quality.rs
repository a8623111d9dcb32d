//! The distance of a thumbnail from the one of a full decode with Lanczos.
//!
//! Structural dissimilarity (Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment, 2004) of luma and both colour
//! differences, at the full size and at half of it. 0 is no difference.

use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};

/// The weights of luma and of each colour difference.
const CHANNELS: [f64; 3] = [0.8, 0.1, 0.1];

/// Deviation of the window in pixels, and its reach to each side.
const SIGMA: f64 = 1.5;
const REACH: usize = 5;

/// Constants of the paper for values from 0 to 255.
const C1: f64 = 6.5025;
const C2: f64 = 58.5225;

/// The picture that a thumbnail is compared with: all of `original`, scaled by Lanczos to the size of the thumbnail.
pub(crate) fn reference(original: &DynamicImage, width: u32, height: u32) -> RgbImage {
    original.resize_exact(width, height, FilterType::Lanczos3).into_rgb8()
}

/// The distance of `picture` from `reference`, which has the same size.
pub(crate) fn dissimilarity(reference: &RgbImage, picture: &RgbImage) -> f64 {
    let mut planes = (planes(reference), planes(picture));
    let mut size = (reference.width() as usize, reference.height() as usize);
    let mut sum = 0.0;
    for scale in 0..2 {
        if scale > 0 {
            planes = (planes.0.map(|plane| halved(&plane, size)), planes.1.map(|plane| halved(&plane, size)));
            size = (size.0 / 2, size.1 / 2);
        }
        for ((share, a), b) in CHANNELS.iter().zip(&planes.0).zip(&planes.1) {
            sum += share * similarity(a, b, size) / 2.0;
        }
    }
    1.0 / sum - 1.0
}

/// Luma and both colour differences of JFIF.
fn planes(picture: &RgbImage) -> [Vec<f64>; 3] {
    let plane = |weights: [f64; 3]| {
        picture.pixels().map(|pixel| pixel.0.iter().zip(weights).map(|(c, w)| f64::from(*c) * w).sum()).collect()
    };
    [plane([0.299, 0.587, 0.114]), plane([-0.168_736, -0.331_264, 0.5]), plane([0.5, -0.418_688, -0.081_312])]
}

fn halved(plane: &[f64], (width, height): (usize, usize)) -> Vec<f64> {
    let at = |x: usize, y: usize| plane[y * width + x];
    let mean = |x: usize, y: usize| (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0;
    (0..height / 2).flat_map(|y| (0..width / 2).map(move |x| mean(2 * x, 2 * y))).collect()
}

/// Mean similarity of two planes.
fn similarity(a: &[f64], b: &[f64], size: (usize, usize)) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>();
    let [mean_a, mean_b] = [a, b].map(|plane| blurred(plane, size));
    let [squares_a, squares_b, products] =
        [product(a, a), product(b, b), product(a, b)].map(|plane| blurred(&plane, size));
    let mut sum = 0.0;
    for index in 0..a.len() {
        let (ma, mb) = (mean_a[index], mean_b[index]);
        let (variance_a, variance_b) = (squares_a[index] - ma * ma, squares_b[index] - mb * mb);
        let covariance = products[index] - ma * mb;
        sum += (2.0 * ma * mb + C1) * (2.0 * covariance + C2)
            / ((ma * ma + mb * mb + C1) * (variance_a + variance_b + C2));
    }
    #[expect(clippy::cast_precision_loss, reason = "thumbnails have few pixels")]
    let count = a.len() as f64;
    sum / count
}

/// Weighs each pixel's neighbours by a Gaussian. Neighbours outside the picture are left out.
fn blurred(plane: &[f64], (width, height): (usize, usize)) -> Vec<f64> {
    let across = along(plane, width, |start| (start * width, 1), height);
    along(&across, height, |start| (start, width), width)
}

/// Blurs `lines` lines of `length` pixels; `line` returns the start of each line and the distance between its pixels.
fn along(plane: &[f64], length: usize, line: impl Fn(usize) -> (usize, usize), lines: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "the reach is a few pixels")]
    let weight = |distance: usize| (-(distance as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp();
    let weights: Vec<f64> = (0..=REACH).map(weight).collect();
    let mut out = vec![0.0; plane.len()];
    for (start, step) in (0..lines).map(line) {
        for at in 0..length {
            let (mut sum, mut total) = (0.0, 0.0);
            for other in at.saturating_sub(REACH)..length.min(at + REACH + 1) {
                let weight = weights[at.abs_diff(other)];
                sum += weight * plane[start + other * step];
                total += weight;
            }
            out[start + at * step] = sum / total;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32, strength: u32) -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| {
            let noise = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729) ^ seed).wrapping_mul(2_654_435_761) >> 24;
            let value = |base: u32| u8::try_from((base * 3 + noise * strength / 64).min(255)).unwrap();
            image::Rgb([value(x), value(y), value(x.midpoint(y))])
        })
    }

    #[test]
    fn the_same_picture_is_not_dissimilar_and_more_noise_is_more_so() {
        let clean = noise(1, 0);
        assert!(dissimilarity(&clean, &clean).abs() < 1e-9);
        let (some, more) = (dissimilarity(&clean, &noise(1, 4)), dissimilarity(&clean, &noise(1, 16)));
        assert!(0.0 < some && some < more, "{some} {more}");
    }
}
