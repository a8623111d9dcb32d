//! Files made to break a decoder: every one is refused with its error, and none panics.

use std::io::Cursor;

use handset_codec::{Error, Fit, Limits, Spec, thumbnails};
use image::{ImageFormat, RgbImage};

const SPEC: Spec = Spec { width: 128, height: 128, fit: Fit::Cover };

fn refusal(bytes: &[u8]) -> Option<Error> {
    thumbnails(bytes, &[SPEC], Limits::default()).err()
}

fn good(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(160, 140, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 251;
        image::Rgb([noise, x % 256, y % 256].map(|value| u8::try_from(value).unwrap()))
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

const FORMATS: [ImageFormat; 4] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];

/// CRC-32 of PNG (ISO 3309), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A PNG that claims another size than it has, with the checksum made right.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = good(ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// A JPEG that claims another size than it has.
fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = good(ImageFormat::Jpeg);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

/// A GIF whose logical screen is of another size than its picture.
fn gif_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = good(ImageFormat::Gif);
    bytes[6..8].copy_from_slice(&width.to_le_bytes());
    bytes[8..10].copy_from_slice(&height.to_le_bytes());
    bytes
}

/// A lossless WebP of 16384 by 16384 pixels in a few bytes.
fn webp_claiming_the_most() -> Vec<u8> {
    let mut bytes = good(ImageFormat::WebP);
    let at = bytes.windows(4).position(|word| word == b"VP8L").unwrap();
    bytes[at + 9..at + 13].copy_from_slice(&0x0fff_ffff_u32.to_le_bytes());
    bytes
}

#[test]
fn what_is_no_picture_is_called_so() {
    let files: [&[u8]; 8] = [
        b"",
        b"\xff",
        b"<html><script>alert(1)</script>",
        b"\x7fELF\x02\x01\x01",
        b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0",
        b"II\x2a\0\x08\0\0\0",
        b"%PDF-1.7",
        b"#!AMR\n",
    ];
    for file in files {
        assert!(matches!(refusal(file), Some(Error::NotAPicture)), "{file:?}");
    }
}

#[test]
fn claims_of_too_many_pixels_or_none_are_refused_before_decoding() {
    let files = [
        ("png bomb", png_claiming(65_500, 65_500)),
        ("png one line too many", png_claiming(50_000_001, 1)),
        ("jpeg bomb", jpeg_claiming(65_500, 65_500)),
        ("gif bomb", gif_claiming(65_500, 65_500)),
        ("gif without width", gif_claiming(0, 9)),
        ("gif without height", gif_claiming(9, 0)),
        ("webp bomb", webp_claiming_the_most()),
    ];
    for (name, file) in files {
        let error = refusal(&file);
        assert!(matches!(error, Some(Error::TooManyPixels { .. })), "{name}: {error:?}");
    }
    for (name, file) in [
        ("jpeg", jpeg_claiming(0, 9)),
        ("png", png_claiming(0, 9)),
        ("png of the most that its header holds", png_claiming(u32::MAX, u32::MAX)),
    ] {
        assert!(refusal(&file).is_some(), "{name}");
    }
}

#[test]
fn the_limits_are_arguments() {
    let file = good(ImageFormat::Png);
    let pixels = Limits { max_pixels: 160 * 140 - 1, ..Limits::default() };
    let error = thumbnails(&file, &[SPEC], pixels).err();
    assert!(matches!(error, Some(Error::TooManyPixels { width: 160, height: 140 })));
    let memory = Limits { max_bytes: 1000, ..Limits::default() };
    let error = thumbnails(&file, &[SPEC], memory).err();
    assert!(matches!(error, Some(Error::TooMuchMemory)), "{error:?}");
}

#[test]
fn a_file_cut_anywhere_is_refused_and_never_panics() {
    for format in FORMATS {
        let whole = good(format);
        assert!(refusal(&whole).is_none(), "{format:?}");
        // What follows the last pixel (a trailer, a checksum) may go without harm.
        let needed = whole.len() - 24;
        for length in (0..needed).step_by(97).chain(0..64) {
            assert!(refusal(&whole[..length]).is_some(), "{format:?} cut to {length}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    for format in FORMATS {
        let whole = good(format);
        for at in (0..whole.len()).step_by(1 + whole.len() / 80).chain(0..64) {
            for value in [0x00, 0x7f, 0xff, whole[at] ^ 0x01] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                // Some damage leaves a picture; the promise is only an answer.
                let _ = refusal(&damaged);
            }
        }
    }
}

#[test]
fn only_the_signature_of_a_format_is_broken() {
    let files: [&[u8]; 4] = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x04\0\0\0WEBP"];
    for file in files {
        assert!(matches!(refusal(file), Some(Error::Broken(_))), "{file:?}");
    }
}
