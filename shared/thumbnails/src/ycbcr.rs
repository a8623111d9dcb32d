//! Luma and colour differences to red, green and blue.

use image::{DynamicImage, Rgb};

/// How luma and two colour differences of 8 bits make a colour (ITU-T H.273, 8.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Matrix {
    /// The offsets that are added to luma, and to both differences, before they are scaled.
    offset: (f32, f32),
    /// What luma, and both differences, are multiplied by.
    scale: (f32, f32),
    /// The share of red and of blue in luma; `None` where the channels are green, blue and red themselves.
    weights: Option<(f32, f32)>,
}

impl Matrix {
    /// The matrix of a code point of H.273, table 4. An unknown or unspecified code point counts as BT.601, the default
    /// of HEIF (ISO/IEC 23000-22, 7.3.6.4).
    pub(crate) fn new(code: u16, full_range: bool) -> Self {
        let weights = match code {
            0 => None,
            1 => Some((0.2126, 0.0722)),
            4 => Some((0.30, 0.11)),
            7 => Some((0.212, 0.087)),
            9 | 10 => Some((0.2627, 0.0593)),
            _ => Some((0.299, 0.114)),
        };
        let (offset, scale) = match (full_range, weights) {
            (true, _) => ((0.0, -128.0), (1.0, 1.0)),
            (false, Some(_)) => ((-16.0, -128.0), (255.0 / 219.0, 255.0 / 224.0)),
            (false, None) => ((-16.0, -16.0), (255.0 / 219.0, 255.0 / 219.0)),
        };
        let offset = if weights.is_none() { (offset.0, offset.0) } else { offset };
        Self { offset, scale, weights }
    }

    /// Turns pixels whose channels are luma and differences to red, green and blue. Grey ones are luma alone.
    pub(crate) fn to_rgb(self, pixels: &mut DynamicImage) {
        match pixels {
            DynamicImage::ImageRgb8(pixels) => {
                for Rgb(pixel) in pixels.pixels_mut() {
                    *pixel = self.colour(*pixel);
                }
            }
            DynamicImage::ImageLuma8(pixels) => {
                for luma in pixels.iter_mut() {
                    *luma = byte((f32::from(*luma) + self.offset.0) * self.scale.0);
                }
            }
            // Neither alpha nor other depths come with a matrix.
            _ => {}
        }
    }

    fn colour(self, [first, second, third]: [u8; 3]) -> [u8; 3] {
        let luma = (f32::from(first) + self.offset.0) * self.scale.0;
        let [blue, red] = [second, third].map(|value| (f32::from(value) + self.offset.1) * self.scale.1);
        let Some((of_red, of_blue)) = self.weights else {
            return [red, luma, blue].map(byte);
        };
        let (blue, red) = (2.0 * (1.0 - of_blue) * blue, 2.0 * (1.0 - of_red) * red);
        let green = -(of_red * red + of_blue * blue) / (1.0 - of_red - of_blue);
        [luma + red, luma + green, luma + blue].map(byte)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
fn byte(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_come_out_in_every_matrix_and_range() {
        for (code, full, from, to) in [
            (6, true, [76, 85, 255], [254, 0, 0]),
            (6, true, [255, 128, 128], [255, 255, 255]),
            (1, false, [16, 128, 128], [0, 0, 0]),
            (1, false, [235, 128, 128], [255, 255, 255]),
            (1, false, [63, 102, 240], [255, 1, 0]),
            (9, true, [15, 255, 118], [0, 0, 255]),
            (0, true, [1, 2, 3], [3, 1, 2]),
            (2, true, [76, 85, 255], [254, 0, 0]),
        ] {
            let out = Matrix::new(code, full).colour(from);
            assert!(out.iter().zip(to).all(|(a, b)| a.abs_diff(b) <= 3), "{code} {from:?} gave {out:?}, not {to:?}");
        }
    }

    #[test]
    fn grey_is_brought_to_the_full_range() {
        let mut grey = DynamicImage::ImageLuma8(image::GrayImage::from_raw(2, 1, vec![16, 235]).unwrap());
        Matrix::new(1, false).to_rgb(&mut grey);
        assert_eq!(grey.into_bytes(), [0, 255]);
    }
}
