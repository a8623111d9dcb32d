//! Writes a baseline JPEG (T.81, annex F) from luma and colour differences of half its size.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "codes, coefficients and samples are cut out of wider words, where T.81 bounds them"
)]
#![expect(clippy::inline_always, reason = "a call for each symbol would take as long as the symbol")]

mod code;
mod forward;
mod planar;

pub(crate) use planar::Planar;

use code::{Code, Counts, Token, Writer};

use media_formats::jpeg::{ZIGZAG, marker};

/// The longest side of a picture in pixels.
pub(crate) const LONGEST: u32 = 65_535;

/// The quantisation steps of luma to which the quality refers (T.81, table K.1), line by line.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// The quantisation steps of colour differences (T.81, table K.2).
const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// The quantised coefficients of a component, block by block in the order of the scan.
struct Blocks {
    blocks: Vec<[i16; 64]>,
    /// Blocks of each unit of the scan.
    of_unit: usize,
}

/// Encodes `picture` with `quality`, 1 to 100, as defined by libjpeg.
pub(crate) fn encode(picture: &Planar, quality: u8) -> Vec<u8> {
    let steps = [scaled(&LUMA, quality), scaled(&CHROMA, quality)];
    let tokens = tokens(&components(picture, &steps));
    let mut counts = [const { Counts::new() }; 4];
    for token in &tokens {
        counts[usize::from(token.table & 3)].add(token.symbol);
    }
    let used = if picture.chroma.is_some() { 4 } else { 2 };
    let codes = counts.map(|counts| counts.code());
    let mut out = Vec::with_capacity(picture.luma.len() / 3 + 1024);
    head(&mut out, picture, &steps, &codes[..used]);
    let mut writer = Writer::new(out);
    for token in tokens {
        writer.put(&codes[usize::from(token.table & 3)], token);
    }
    let mut out = writer.finish();
    out.extend([0xff, marker::EOI]);
    out
}

/// The table of steps for a quality, line by line: unchanged at 50, all steps 1 at 100.
fn scaled(table: &[u8; 64], quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    table.map(|step| ((u32::from(step) * percent + 50) / 100).clamp(1, 255) as u8)
}

fn components(picture: &Planar, [luma, chroma]: &[[u8; 64]; 2]) -> Vec<Blocks> {
    let (width, height) = (picture.size.0 as usize, picture.size.1 as usize);
    let Some(differences) = &picture.chroma else {
        return vec![blocks(&picture.luma, (width, height), 1, (width.div_ceil(8), height.div_ceil(8)), luma)];
    };
    let units = (width.div_ceil(16), height.div_ceil(16));
    let half = (width.div_ceil(2), height.div_ceil(2));
    let mut components = vec![blocks(&picture.luma, (width, height), 2, units, luma)];
    components.extend(differences.iter().map(|plane| blocks(plane, half, 1, units, chroma)));
    components
}

/// The blocks of a plane in units of `side` by `side` blocks.
fn blocks(
    plane: &[u8],
    (width, height): (usize, usize),
    side: usize,
    units: (usize, usize),
    steps: &[u8; 64],
) -> Blocks {
    // The forward transform transposes the block.
    let inverse: [f32; 64] = std::array::from_fn(|at| 1.0 / f32::from(steps[at % 8 * 8 + at / 8]));
    let mut blocks = Vec::with_capacity(units.0 * units.1 * side * side);
    for (row, column) in (0..units.1).flat_map(|row| (0..units.0).map(move |column| (row, column))) {
        for (down, across) in (0..side).flat_map(|down| (0..side).map(move |across| (down, across))) {
            let (x, y) = ((column * side + across) * 8, (row * side + down) * 8);
            let mut block = [[0.0; 8]; 8];
            for (line, samples) in block.iter_mut().enumerate() {
                // Beyond the edge, the last sample is repeated, which needs the fewest bits.
                let start = (y + line).min(height.saturating_sub(1)) * width;
                let line = plane.get(start..start + width).unwrap_or_default();
                let eight = line.get(x..).and_then(<[u8]>::first_chunk).copied();
                let eight: [u8; 8] = eight.unwrap_or_else(|| {
                    std::array::from_fn(|at| line.get(x + at).or(line.last()).copied().unwrap_or(128))
                });
                *samples = eight.map(|sample| f32::from(sample) - 128.0);
            }
            blocks.push(forward::coefficients(&block, &inverse));
        }
    }
    Blocks { blocks, of_unit: side * side }
}

/// The bits of `value` (T.81, F.1.2.1), and their number.
#[inline(always)]
fn magnitude(value: i16) -> (u16, u8) {
    let size = 16 - value.unsigned_abs().leading_zeros();
    let bits = value.wrapping_sub(i16::from(value < 0)).cast_unsigned();
    (bits & ((1 << size) - 1) as u16, size as u8)
}

/// The content of the scan. Tables 0 and 1 are for luma: DC differences and AC coefficients. Tables 2 and 3 are for the
/// colour differences.
fn tokens(components: &[Blocks]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(components.iter().map(|component| component.blocks.len() * 8).sum());
    let mut before = [0; 3];
    let mut rest: Vec<_> =
        components.iter().map(|component| component.blocks.chunks_exact(component.of_unit)).collect();
    loop {
        for ((blocks, before), table) in rest.iter_mut().zip(&mut before).zip([0, 2, 2]) {
            let Some(unit) = blocks.next() else { return tokens };
            for block in unit {
                let (bits, size) = magnitude(block[0] - *before);
                *before = block[0];
                tokens.push(Token { table, symbol: size, bits });
                ac_tokens(block, table + 1, &mut tokens);
            }
        }
    }
}

/// The AC coefficients of a block (T.81, F.1.2.2).
fn ac_tokens(block: &[i16; 64], table: u8, tokens: &mut Vec<Token>) {
    let is_there = |(index, value): (usize, &i16)| u64::from(*value != 0) << index;
    let mut there = block.iter().enumerate().map(is_there).fold(0, |all, one| all | one) & !1;
    let mut next = 1;
    while there != 0 {
        let index = there.trailing_zeros() as usize;
        there &= there - 1;
        let (bits, size) = magnitude(block[index & 63]);
        let mut run = (index - next) as u8;
        next = index + 1;
        while run > 15 {
            tokens.push(Token { table, symbol: 0xf0, bits: 0 });
            run -= 16;
        }
        tokens.push(Token { table, symbol: run << 4 | size, bits });
    }
    if next < 64 {
        tokens.push(Token { table, symbol: 0, bits: 0 });
    }
}

/// Writes everything that comes before the coded data.
fn head(out: &mut Vec<u8>, picture: &Planar, steps: &[[u8; 64]; 2], codes: &[Code]) {
    const APP0: u8 = 0xe0;
    out.extend([0xff, marker::SOI]);
    // JFIF 1.1, square pixels, no preview (ITU-T T.871, 10.1).
    segment(out, APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let count = if picture.chroma.is_some() { 3 } else { 1 };
    for (index, table) in (0..).zip(steps).take(codes.len() / 2) {
        let mut content = vec![index];
        content.extend(ZIGZAG.map(|at| table[usize::from(at)]));
        segment(out, marker::DQT, &content);
    }
    let [y1, y0] = (picture.size.1 as u16).to_be_bytes();
    let [x1, x0] = (picture.size.0 as u16).to_be_bytes();
    let mut content = vec![8, y1, y0, x1, x0, count];
    for component in 0..count {
        let factors = if component == 0 && count > 1 { 0x22 } else { 0x11 };
        content.extend([component + 1, factors, component.min(1)]);
    }
    segment(out, marker::SOF0, &content);
    // Class above, number below.
    for (name, code) in [0x00, 0x10, 0x01, 0x11].into_iter().zip(codes) {
        segment(out, marker::DHT, &[&[name], code.counts.as_slice(), &code.symbols].concat());
    }
    let mut content = vec![count];
    content.extend((0..count).flat_map(|component| [component + 1, component.min(1) * 0x11]));
    content.extend([0, 63, 0]);
    segment(out, marker::SOS, &content);
}

fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    out.extend([0xff, marker]);
    out.extend((content.len() as u16 + 2).to_be_bytes());
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::jpeg::{Scale, decode};

    fn plane(width: u32, height: u32, slope: u32) -> Vec<u8> {
        let sample = |x: u32, y: u32| ((40 + x * slope + y * 3) % 200) as u8;
        (0..height).flat_map(|y| (0..width).map(move |x| sample(x, y))).collect()
    }

    fn picture(width: u32, height: u32, grey: bool) -> Planar {
        let half = (width.div_ceil(2), height.div_ceil(2));
        let chroma = (!grey).then(|| [plane(half.0, half.1, 2), plane(half.0, half.1, 1)]);
        Planar { size: (width, height), luma: plane(width, height, 1), chroma }
    }

    #[test]
    fn every_size_comes_back_as_it_was() {
        for side in 1..=40 {
            for grey in [true, false] {
                let size = (side, 1 + side * 7 % 40);
                let picture = picture(size.0, size.1, grey);
                let file = encode(&picture, 100);
                let (header, planes) = decode(&file, Limits::default(), |_| vec![Scale::Whole; 3]).unwrap();
                assert_eq!(header.size, size);
                let chroma = picture.chroma.unwrap_or_default();
                let expected = [&picture.luma, &chroma[0], &chroma[1]];
                for (plane, expected) in planes.iter().zip(expected) {
                    assert_eq!(plane.samples.len(), expected.len());
                    let most = plane.samples.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
                    assert!(most <= Some(2), "{size:?}: {most:?}");
                }
                let other = image::load_from_memory(&file).unwrap();
                assert_eq!((other.width(), other.height()), size);
                assert_eq!(other.color().has_color(), !grey);
            }
        }
    }

    #[test]
    fn lower_quality_is_smaller_and_still_a_picture() {
        let sizes = [100, 82, 50, 10, 1].map(|quality| {
            let file = encode(&picture(200, 150, false), quality);
            assert_eq!(image::load_from_memory(&file).unwrap().width(), 200);
            file.len()
        });
        assert!(sizes.is_sorted_by(|larger, smaller| larger > smaller), "{sizes:?}");
    }

    #[test]
    fn noise_of_the_full_range_is_written_too() {
        let mut picture = picture(64, 64, false);
        for (at, sample) in (0_u32..).zip(&mut picture.luma) {
            *sample = if at.wrapping_mul(2_654_435_761) >> 31 == 0 { 0 } else { 255 };
        }
        let (_, planes) = decode(&encode(&picture, 100), Limits::default(), |_| vec![Scale::Whole; 3]).unwrap();
        assert!(planes[0].samples.iter().zip(&picture.luma).all(|(a, b)| a.abs_diff(*b) <= 2));
    }
}
