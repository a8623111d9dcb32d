//! Makes originals, and reads thumbnails.

pub(crate) mod heic;
pub(crate) mod png;
pub(crate) mod webp;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage};
use thumbnails::{Fit, Limits, Spec, Thumbnail, thumbnails};

/// A box of 128 by 128 pixels, filled.
pub(crate) const COVER: Spec = Spec { width: 128, height: 128, fit: Fit::Cover };

/// The same box, with the whole picture inside.
pub(crate) const CONTAIN: Spec = Spec { width: 128, height: 128, fit: Fit::Contain };

/// The thumbnail `spec` of `bytes`.
pub(crate) fn one(bytes: &[u8], spec: Spec) -> Thumbnail {
    thumbnails(bytes, &[spec], Limits::default()).unwrap().pop().unwrap()
}

/// The pixels of a thumbnail.
pub(crate) fn pixels(thumbnail: &Thumbnail) -> RgbaImage {
    let decoded = image::load_from_memory(&thumbnail.bytes).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (thumbnail.width, thumbnail.height));
    assert_eq!(thumbnail.content_type == "image/png", decoded.color().has_alpha());
    decoded.to_rgba8()
}

/// Red, green above; blue, white below: every turn and flip changes it.
pub(crate) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([255, 0, 0]),
        (false, true) => Rgb([0, 255, 0]),
        (true, false) => Rgb([0, 0, 255]),
        (false, false) => Rgb([255, 255, 255]),
    })
}

/// The letter of the colour in the middle of each quarter, line by line; a dot for transparent.
pub(crate) fn letters(thumbnail: &Thumbnail) -> String {
    let pixels = pixels(thumbnail);
    let (width, height) = pixels.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)]
        .into_iter()
        .map(|(x, y)| {
            let Rgba([red, green, blue, alpha]) = *pixels.get_pixel(width * x / 4, height * y / 4);
            match (alpha > 127, red > 127, green > 127, blue > 127) {
                (false, ..) => '.',
                (_, true, false, false) => 'r',
                (_, false, true, false) => 'g',
                (_, false, false, true) => 'b',
                (_, true, true, true) => 'w',
                (_, false, false, false) => 'k',
                _ => '?',
            }
        })
        .collect()
}

/// A JPEG, with an Exif block and a colour profile if they are not empty.
pub(crate) fn jpeg(picture: &RgbImage, exif: &[u8], profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    if !exif.is_empty() {
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
    }
    if !profile.is_empty() {
        encoder.set_icc_profile(profile.to_vec()).unwrap();
    }
    encoder.encode_image(picture).unwrap();
    bytes
}

/// An Exif block with an orientation, and a place that must not be revealed.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"SECRET-PLACE");
    exif
}

/// The colours of a picture of four quarters for each orientation, from 1.
pub(crate) const UPRIGHT: [&str; 8] = ["rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"];
