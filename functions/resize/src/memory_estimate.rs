//! Reads a picture's header and estimates the memory to decode it, before any of it is decoded.
//!
//! The figures are upper bounds of the codec's memory according to its documentation: rows for PNG and GIF, planes for
//! JPEG, coefficients too for progressive JPEG, whole pictures for lossless WebP, tiles for HEIC. A header without a
//! size counts as the largest accepted picture.

/// Bytes that every decode takes: averages, thumbnails, the encoder.
const ALWAYS: u64 = 16 << 20;

/// The most bytes of memory to decode `bytes`, if it is a picture of at most `max_pixels`.
pub(super) fn memory(bytes: &[u8], max_pixels: u64) -> u64 {
    // Rows; a decoder holds a few, with up to 8 bytes a pixel.
    let rows = |width: u64| ALWAYS + 32 * width.min(max_pixels);
    let whole = |each: u64, pixels: Option<u64>| ALWAYS + each * pixels.unwrap_or(max_pixels).min(max_pixels);
    match bytes {
        [0xff, 0xd8, ..] => match jpeg(bytes) {
            Some((pixels, false)) => whole(3, Some(pixels)),
            Some((pixels, true)) => whole(10, Some(pixels)),
            None => whole(10, None),
        },
        [0x89, b'P', b'N', b'G', ..] => rows(number(bytes, 16).unwrap_or(u64::MAX)),
        [b'G', b'I', b'F', ..] => rows(u64::from(u16::MAX)),
        [b'R', b'I', b'F', b'F', ..] => whole(10, webp(bytes)),
        _ => whole(24, heic(bytes)),
    }
}

/// Four bytes, most significant first.
fn number(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|four| u64::from(u32::from_be_bytes(*four)))
}

/// Three bytes, least significant first.
fn three(bytes: &[u8], at: usize) -> Option<u64> {
    let [low, middle, high] = *bytes.get(at..)?.first_chunk()?;
    Some(u64::from(u32::from_le_bytes([low, middle, high, 0])))
}

/// The pixels of the first frame, and whether it is progressive.
fn jpeg(bytes: &[u8]) -> Option<(u64, bool)> {
    let mut rest = bytes.get(2..)?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else { return None };
        if let 0xc0..=0xc2 = marker {
            let [height_0, height_1, width_0, width_1] = *rest.get(5..)?.first_chunk()?;
            let side = |bytes| u64::from(u16::from_be_bytes(bytes));
            return Some((side([height_0, height_1]) * side([width_0, width_1]), marker == 0xc2));
        }
        rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
    }
}

/// The pixels of the canvas, or of the only picture.
fn webp(bytes: &[u8]) -> Option<u64> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((three(bytes, 24)? + 1) * (three(bytes, 27)? + 1)),
        b"VP8L" => {
            let bits = u32::from_le_bytes(*bytes.get(21..)?.first_chunk()?);
            Some(u64::from((bits & 0x3fff) + 1) * u64::from((bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => {
            let [width_0, width_1, height_0, height_1] = *bytes.get(26..)?.first_chunk()?;
            let side = |bytes| u64::from(u16::from_le_bytes(bytes) & 0x3fff);
            Some(side([width_0, width_1]) * side([height_0, height_1]))
        }
        _ => None,
    }
}

/// The pixels of the largest picture in the container: the whole picture, or a tile that extends beyond it. This
/// project writes the files when it accepts them, with their sizes at the front.
fn heic(bytes: &[u8]) -> Option<u64> {
    let head = bytes.get(..bytes.len().min(1 << 16))?;
    let sizes = head.windows(4).enumerate().filter(|(_, window)| window == b"ispe");
    sizes.filter_map(|(at, _)| Some(number(bytes, at + 8)?.saturating_mul(number(bytes, at + 12)?))).max()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::webp::WebPEncoder;
    use image::{ExtendedColorType, ImageFormat, RgbImage};

    use super::*;

    const MOST: u64 = 50_000_000;

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(1000, 600).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_says_what_it_claims() {
        let jpeg = encoded(ImageFormat::Jpeg);
        assert_eq!(memory(&jpeg, MOST), ALWAYS + 3 * 600_000);
        let mut progressive = jpeg.clone();
        let frame = progressive.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        progressive[frame + 1] = 0xc2;
        assert_eq!(memory(&progressive, MOST), ALWAYS + 10 * 600_000);
        assert_eq!(memory(&encoded(ImageFormat::Png), MOST), ALWAYS + 32 * 1000);
        assert_eq!(memory(&encoded(ImageFormat::Gif), MOST), ALWAYS + 32 * 65_535);
        assert_eq!(memory(&encoded(ImageFormat::WebP), MOST), ALWAYS + 10 * 600_000);
        let mut extended = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut extended);
        image::ImageEncoder::set_icc_profile(&mut encoder, vec![1; 8]).unwrap();
        encoder.encode(&RgbImage::new(1000, 600), 1000, 600, ExtendedColorType::Rgb8).unwrap();
        assert_eq!((&extended[12..16], memory(&extended, MOST)), (&b"VP8X"[..], ALWAYS + 10 * 600_000));
        let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\xe8\x03\x58\x02";
        assert_eq!(memory(lossy, MOST), ALWAYS + 10 * 600_000);
        let heic = include_bytes!("../../../shared/media/fixtures/quarters.heic");
        assert_eq!(memory(heic, MOST), ALWAYS + 24 * 512 * 512);
    }

    #[test]
    fn what_says_nothing_claims_the_most_and_nothing_claims_more() {
        for head in [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xe0\xff\xff", b"RIFF", b"RIFF\0\0\0\0WEBPVP8X", b"ftyp"] {
            assert!(memory(head, MOST) >= ALWAYS + 10 * MOST, "{head:?}");
        }
        assert_eq!(memory(b"\x89PNG", MOST), ALWAYS + 32 * MOST);
        let huge = [&b"....ispe\0\0\0\0"[..], &[0xff; 8]].concat();
        assert_eq!(memory(&huge, MOST), ALWAYS + 24 * MOST);
    }
}
