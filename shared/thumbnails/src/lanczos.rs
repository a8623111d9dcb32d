//! Scales what is small already to the size of a thumbnail, with Lanczos over three lobes.
//!
//! As in Pillow, weights are whole numbers of 16 bits, and lines are scaled before columns. Both are done by one pass,
//! which turns lines into columns: so it always adds samples that lie side by side, and processors add many at once.

use std::f64::consts::PI;
use std::ops::Range;

/// Bits of a sum of 32 bits that are left for fractions: 8 are the sample's, and 2 are room for sums that lie outside
/// what a sample holds, as some weights are negative.
const MAX_PRECISION: i32 = 32 - 8 - 2;

/// Scales a part of a picture that is `size` pixels large to `target` pixels. The part is given by where it begins and
/// how long it is, across and down, in pixels; it lies within the picture and is at least as large as the target.
pub(crate) fn scale<const CHANNELS: usize>(
    samples: &[u8],
    size: (u32, u32),
    part: [(f64, f64); 2],
    target: (u32, u32),
) -> Vec<u8> {
    let (down, mut across) = (Weights::new(size.1, part[1], target.1), Weights::new(size.0, part[0], target.0));
    let columns = across.shift();
    let turned = pass::<CHANNELS>(samples, size.0 as usize, columns.clone(), &down);
    pass::<CHANNELS>(&turned, down.lines.len(), 0..down.lines.len(), &across)
}

/// Makes the weighted sums of lines of `width` pixels, and turns what is in `columns` of them into lines.
fn pass<const CHANNELS: usize>(samples: &[u8], width: usize, columns: Range<usize>, weights: &Weights) -> Vec<u8> {
    let lines = weights.lines.len();
    let mut turned = vec![[0; CHANNELS]; columns.len() * lines];
    let pairs = pairs(samples, width * CHANNELS, columns.start * CHANNELS..columns.end * CHANNELS);
    let mut sums = vec![[0; CHANNELS]; columns.len()];
    for (place, (first, weights_of_line)) in weights.lines.iter().enumerate() {
        sums.fill([1 << (weights.precision - 1); CHANNELS]);
        let sums_of_line = sums.as_flattened_mut();
        // The weights by pairs of lines, of which the first line may be no part.
        let before = first % 2;
        let weight = |at: usize| at.checked_sub(before).and_then(|at| weights_of_line.get(at)).copied().unwrap_or(0);
        let taken = pairs.iter().skip(first / 2).zip((0..before + weights_of_line.len()).step_by(2));
        let taken: Vec<_> = taken.map(|(pair, at)| (pair, [weight(at), weight(at + 1)])).collect();
        let (twos, rest) = taken.as_chunks::<2>();
        for [(one, [a, b]), (other, [c, d])] in twos {
            for (sum, (one, other)) in sums_of_line.iter_mut().zip(one.iter().zip(*other)) {
                *sum += i32::from(one[0]) * i32::from(*a) + i32::from(one[1]) * i32::from(*b);
                *sum += i32::from(other[0]) * i32::from(*c) + i32::from(other[1]) * i32::from(*d);
            }
        }
        for (pair, [a, b]) in rest {
            for (sum, pair) in sums_of_line.iter_mut().zip(*pair) {
                *sum += i32::from(pair[0]) * i32::from(*a) + i32::from(pair[1]) * i32::from(*b);
            }
        }
        let byte = |sum: i32| u8::try_from((sum >> weights.precision).clamp(0, 255)).unwrap_or(u8::MAX);
        let column = turned.iter_mut().skip(place).step_by(lines);
        column.zip(&sums).for_each(|(to, sum)| *to = sum.map(byte));
    }
    turned.into_flattened()
}

/// Samples of a line and of the line below it, one beside the other: processors multiply such pairs and add the two
/// products in one step.
fn pairs(samples: &[u8], stride: usize, part: Range<usize>) -> Vec<Vec<[i16; 2]>> {
    let pair = |lines: &[u8]| -> Vec<[i16; 2]> {
        let of_line = |line: usize| lines.get(line * stride..(line + 1) * stride)?.get(part.clone());
        let (upper, lower) = (of_line(0).unwrap_or_default(), of_line(1));
        match lower {
            Some(lower) => upper.iter().zip(lower).map(|(upper, lower)| [(*upper).into(), (*lower).into()]).collect(),
            None => upper.iter().map(|upper| [(*upper).into(), 0]).collect(),
        }
    };
    samples.chunks((2 * stride).max(1)).map(pair).collect()
}

/// What each line of the result takes of which lines of the source.
struct Weights {
    /// The first of the lines that are taken, and the weights from there on.
    lines: Vec<(usize, Vec<i16>)>,
    /// Bits of a weight behind the point.
    precision: i32,
}

impl Weights {
    /// The weights to scale `length` lines from `start` on, of `source` lines, to `target` lines.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the lines lie within the source, and a weight has the bits of an i16 by its precision"
    )]
    fn new(source: u32, (start, length): (f64, f64), target: u32) -> Self {
        let scale = length / f64::from(target.max(1));
        let (stretch, source) = (scale.max(1.0), f64::from(source));
        // Where lines stay as they are, each is its own only part.
        let copied = scale.to_bits() == 1_f64.to_bits() && start.fract() == 0.0;
        let reach = if copied { 0.5 } else { 3.0 * stretch };
        let line = |line: u32| {
            let centre = start + (f64::from(line) + 0.5) * scale;
            let first = (centre - reach).floor().max(0.0) as u32;
            let end = (centre + reach).ceil().min(source) as u32;
            let weight = |at: u32| weight((f64::from(at) - (centre - 0.5)) * (1.0 / stretch));
            let weights: Vec<f64> = (first..end).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            (first as usize, weights.into_iter().map(|weight| weight / sum).collect::<Vec<_>>())
        };
        let lines: Vec<_> = (0..target).map(line).collect();
        let largest = lines.iter().flat_map(|(_, weights)| weights).copied().fold(0.0, f64::max);
        let fits = |bits: &i32| (largest * f64::from(*bits).exp2()).round() <= f64::from(i16::MAX);
        let precision = (1..MAX_PRECISION).take_while(fits).last().unwrap_or(1);
        let whole = |weight: f64| (weight * f64::from(precision).exp2()).round() as i16;
        let whole = |(first, weights): (usize, Vec<f64>)| (first, weights.into_iter().map(whole).collect());
        Self { lines: lines.into_iter().map(whole).collect(), precision }
    }

    /// Counts lines from the first that is taken; answers which lines are.
    fn shift(&mut self) -> Range<usize> {
        let first = self.lines.first().map_or(0, |(first, _)| *first);
        let end = self.lines.last().map_or(first, |(first, weights)| first + weights.len());
        for line in &mut self.lines {
            line.0 -= first;
        }
        first..end
    }
}

/// sinc(x) sinc(x/3) for less than three to either side. With s = sin(pi x/3) the other sine is s (3 - 4 s²). It takes
/// no sine: weights are a large part of scaling something that is small already.
fn weight(x: f64) -> f64 {
    let third = x.abs() / 3.0;
    if third >= 1.0 {
        return 0.0;
    }
    if third < 1e-6 {
        return 1.0;
    }
    let square = sine(third.min(1.0 - third)).powi(2);
    square * (3.0 - 4.0 * square) / (3.0 * (PI * third).powi(2))
}

/// sin(pi x) for x from 0 to a half, by its series, up to the power that contributes less than a billionth.
fn sine(x: f64) -> f64 {
    let angle = PI * x;
    let square = angle * angle;
    let term = |rest: f64, index: f64| 1.0 - square * (1.0 / (index * (index + 1.0))) * rest;
    angle * [12.0, 10.0, 8.0, 6.0, 4.0, 2.0].into_iter().fold(1.0, term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_the_product_of_two_sincs() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        for step in -40_000..=40_000 {
            let x = f64::from(step) / 10_000.0;
            let exact = if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
            assert!((weight(x) - exact).abs() < 1e-8, "{x}: {} {exact}", weight(x));
        }
        assert!((weight(1e-7) - 1.0).abs() < 1e-8);
    }

    #[test]
    fn each_sample_is_the_weighted_mean_of_those_around_it() {
        let size = (37, 23);
        let sample = |x: u32, y: u32, channel: u32| u8::try_from((x * x * 7 + y * 31 + channel * 85) % 256).unwrap();
        let of_line = |y| (0..size.0).flat_map(move |x| (0..3).map(move |channel| sample(x, y, channel)));
        let samples: Vec<u8> = (0..size.1).flat_map(of_line).collect();
        let (across, down, target) = ((3.25, 30.5), (1.5, 20.25), (17, 8));
        let made = scale::<3>(&samples, size, [across, down], target);
        let weights = |source: u32, (start, length): (f64, f64), target: u32, at: u32| {
            let scale = length / f64::from(target);
            let weight =
                move |line: u32| weight((f64::from(line) + 0.5 - start - (f64::from(at) + 0.5) * scale) / scale);
            let sum: f64 = (0..source).map(weight).sum();
            (0..source).map(move |line| (line, weight(line) / sum))
        };
        for (at, made) in (0..).zip(&made) {
            let (x, y, channel) = (at / 3 % target.0, at / 3 / target.0, at % 3);
            let of_column = |column: u32| -> f64 {
                let of_lines = weights(size.1, down, target.1, y);
                let sum: f64 = of_lines.map(|(line, weight)| weight * f64::from(sample(column, line, channel))).sum();
                sum.clamp(0.0, 255.0)
            };
            let exact: f64 =
                weights(size.0, across, target.0, x).map(|(column, weight)| weight * of_column(column)).sum();
            assert!((exact.clamp(0.0, 255.0) - f64::from(*made)).abs() < 1.5, "{x} {y} {channel}: {made} {exact}");
        }
    }
}
