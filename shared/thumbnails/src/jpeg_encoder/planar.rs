//! The layout from which thumbnails are encoded.

use image::RgbImage;

/// A picture of luma and, unless it is grey, two colour differences, as in JFIF: all from 0 to 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planar {
    /// Width and height in pixels, at least 1 and at most `LONGEST` each.
    pub(crate) size: (u32, u32),
    /// Luma, line by line.
    pub(crate) luma: Vec<u8>,
    /// Blue and red difference, of half the width and height, rounded up.
    pub(crate) chroma: Option<[Vec<u8>; 2]>,
}

impl Planar {
    /// Luma of each pixel, and the mean differences of two by two (ITU-T T.871, 7).
    pub(crate) fn from_rgb(pixels: &RgbImage) -> Self {
        let (width, height) = pixels.dimensions();
        let luma = |[red, green, blue]: [f32; 3]| 0.299 * red + 0.587 * green + 0.114 * blue;
        let mut planar = Self { size: (width, height), luma: Vec::new(), chroma: None };
        planar.luma.extend(pixels.pixels().map(|pixel| (luma(pixel.0.map(f32::from)) + 0.5) as u8));
        let mut differences = [const { Vec::new() }; 2];
        let pairs = |length: u32| (0..length.div_ceil(2)).map(move |at| (2 * at, (2 * at + 1).min(length - 1)));
        for (upper, lower) in pairs(height) {
            for (left, right) in pairs(width) {
                let four = [(left, upper), (right, upper), (left, lower), (right, lower)];
                let four = four.map(|(x, y)| pixels.get_pixel(x, y).0.map(f32::from));
                let mean: [f32; 3] =
                    std::array::from_fn(|channel| four.iter().map(|pixel| pixel[channel]).sum::<f32>() / 4.0);
                let [red, _, blue] = mean;
                let luma = luma(mean);
                differences[0].push(((blue - luma) / 1.772 + 128.5) as u8);
                differences[1].push(((red - luma) / 1.402 + 128.5) as u8);
            }
        }
        planar.chroma = Some(differences);
        planar
    }
}
