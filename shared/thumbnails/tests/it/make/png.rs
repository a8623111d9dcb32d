//! Writes PNG of every kind, interlaced or not. The available crates cannot do this.

use crc32fast::hash;

/// Kinds of pixels: their number in the header, and samples for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    Rgba = 6,
}

impl Kind {
    pub(crate) fn samples(self) -> usize {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// The parts of a PNG.
pub(crate) struct Png<'a> {
    pub(crate) kind: Kind,
    pub(crate) depth: u8,
    pub(crate) size: (u32, u32),
    pub(crate) interlaced: bool,
    /// Chunks between the header and the pixels, and after them.
    pub(crate) before: Vec<([u8; 4], Vec<u8>)>,
    pub(crate) after: Vec<([u8; 4], Vec<u8>)>,
    /// The samples of a pixel.
    pub(crate) pixel: &'a dyn Fn(u32, u32) -> Vec<u16>,
}

/// First column, first row, step across and step down of each pass.
const PASSES: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

impl Png<'_> {
    pub(crate) fn file(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let mut rows = Vec::new();
        let passes = if self.interlaced { &PASSES[..] } else { &[(0, 0, 1, 1)] };
        for (x, y, across, down) in passes {
            for y in (*y..height).step_by(*down as usize).filter(|_| *x < width) {
                let pixels = (*x..width).step_by(*across as usize).map(|x| (self.pixel)(x, y));
                rows.push(0);
                rows.extend(packed(pixels, self.depth, self.kind));
            }
        }
        let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
        header.extend([self.depth, self.kind as u8, 0, 0, u8::from(self.interlaced)]);
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        file.extend(chunk(*b"IHDR", &header));
        file.extend(self.before.iter().flat_map(|(name, content)| chunk(*name, content)));
        file.extend(chunk(*b"IDAT", &fdeflate::compress_to_vec(&rows)));
        file.extend(self.after.iter().flat_map(|(name, content)| chunk(*name, content)));
        file.extend(chunk(*b"IEND", &[]));
        file
    }
}

fn packed(pixels: impl Iterator<Item = Vec<u16>>, depth: u8, kind: Kind) -> Vec<u8> {
    let (mut row, mut bits) = (Vec::new(), 0_usize);
    for pixel in pixels {
        assert_eq!(pixel.len(), kind.samples());
        for sample in pixel {
            if depth == 16 {
                row.extend(sample.to_be_bytes());
                continue;
            }
            if bits.is_multiple_of(8) {
                row.push(0);
            }
            bits += usize::from(depth);
            let shift = (8 - bits % 8) % 8;
            *row.last_mut().unwrap() |= u8::try_from(sample).unwrap() << shift;
        }
    }
    row
}

/// A chunk with its checksum.
pub(crate) fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&name, content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, named.as_slice(), &hash(&named).to_be_bytes()].concat()
}

/// A PNG of 8 bits and three colours.
pub(crate) fn rgb(
    picture: &image::RgbImage,
    before: Vec<([u8; 4], Vec<u8>)>,
    after: Vec<([u8; 4], Vec<u8>)>,
) -> Vec<u8> {
    let pixel = |x, y| picture.get_pixel(x, y).0.map(u16::from).to_vec();
    let (kind, depth, size) = (Kind::Rgb, 8, picture.dimensions());
    Png { kind, depth, size, interlaced: false, before, after, pixel: &pixel }.file()
}

/// The content of a chunk with a colour profile.
pub(crate) fn profile(profile: &[u8]) -> Vec<u8> {
    [b"name\0\0".as_slice(), &fdeflate::compress_to_vec(profile)].concat()
}
