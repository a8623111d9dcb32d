//! Restores the contrast that averaging removed.

use crate::jpeg::Plane;

/// Adds to each sample `strength` 64ths, at most 31, of its difference to each of its four neighbours. Beyond the edge,
/// the last sample is repeated.
pub(crate) fn sharpen(plane: &mut Plane, strength: i16) {
    let width = plane.width as usize;
    if strength == 0 || width == 0 {
        return;
    }
    let mut above: Vec<u8> = plane.samples.iter().take(width).copied().collect();
    let mut line = above.clone();
    for start in (0..plane.samples.len()).step_by(width) {
        let (here, below) = plane.samples[start..].split_at_mut(width);
        line.copy_from_slice(here);
        let below = below.get(..width).unwrap_or(&line);
        sharpen_line(here, &line, &above, below, strength);
        std::mem::swap(&mut above, &mut line);
    }
}

fn sharpen_line(out: &mut [u8], line: &[u8], above: &[u8], below: &[u8], strength: i16) {
    let sharper = |here: u8, [a, b, c, d]: [u8; 4]| {
        // 16 bits are enough for four times 255 times 31.
        let around = [a, b, c, d].map(i16::from).iter().sum::<i16>();
        let difference = 4 * i16::from(here) - around;
        u8::try_from((i16::from(here) + ((difference * strength + 32) >> 6)).clamp(0, 255)).unwrap_or(u8::MAX)
    };
    let last = line.len() - 1;
    for at in [0, last] {
        out[at] = sharper(line[at], [line[at.saturating_sub(1)], line[(at + 1).min(last)], above[at], below[at]]);
    }
    if last < 2 {
        return;
    }
    // Slices of equal length, so that the loop needs no checks and is vectorised.
    let [here, above, below] = [line, above, below].map(|line| &line[1..last]);
    let (left, right, out) = (&line[..last - 1], &line[2..=last], &mut out[1..last]);
    for at in 0..last - 1 {
        out[at] = sharper(here[at], [left[at], right[at], above[at], below[at]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::Scale;

    fn plane(width: u32, samples: &[u8]) -> Plane {
        let height = u32::try_from(samples.len()).unwrap() / width;
        Plane { width, height, scale: Scale::Eighth, spacing: (8.0, 8.0), samples: samples.to_vec() }
    }

    #[test]
    fn flat_stays_flat_and_an_edge_gets_steeper() {
        let mut flat = plane(3, &[90; 12]);
        sharpen(&mut flat, 12);
        assert_eq!(flat.samples, [90; 12]);
        let mut edge = plane(4, &[100, 100, 164, 164, 100, 100, 164, 164]);
        sharpen(&mut edge, 4);
        assert_eq!(edge.samples, [100, 96, 168, 164, 100, 96, 168, 164]);
        let mut edge = plane(1, &[0, 255, 255]);
        sharpen(&mut edge, 4);
        assert_eq!(edge.samples, [0, 255, 255]);
    }

    #[test]
    fn each_sample_sees_its_neighbours_as_they_were() {
        let samples: Vec<u8> = (0..7 * 5_u32).map(|at| u8::try_from(at * at * 37 % 256).unwrap()).collect();
        let at = |x: i32, y: i32| i32::from(samples[usize::try_from(y.clamp(0, 4) * 7 + x.clamp(0, 6)).unwrap()]);
        let mut sharp = plane(7, &samples);
        sharpen(&mut sharp, 9);
        for (index, value) in (0..).zip(&sharp.samples) {
            let (x, y) = (index % 7, index / 7);
            let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            let expected = at(x, y) + (((4 * at(x, y) - around) * 9 + 32) >> 6);
            assert_eq!(i32::from(*value), expected.clamp(0, 255));
        }
    }

    #[test]
    fn nothing_at_all_is_survived() {
        let mut empty = Plane { samples: Vec::new(), ..plane(1, &[]) };
        sharpen(&mut empty, 4);
        empty.width = 0;
        sharpen(&mut empty, 4);
    }
}
