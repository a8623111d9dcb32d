//! Orientation: thumbnails are upright for every format and every place of the orientation.

use image::DynamicImage;

use crate::make::png::rgb;
use crate::make::webp::{content, extended, riff, still};
use crate::make::{CONTAIN, COVER, UPRIGHT, exif, jpeg, letters, one, quarters};

/// Files with this orientation, written in each way that a format allows.
fn files(orientation: u8) -> Vec<(&'static str, Vec<u8>)> {
    let picture = quarters(400, 200);
    let block = exif(orientation);
    let prefixed = [b"Exif\0\0".as_slice(), &block].concat();
    let lossy = still(&DynamicImage::ImageRgb8(picture.clone()), false);
    let (pixels, flags) = (content(&lossy, *b"VP8 "), extended(0x08, (400, 200)));
    let webp = |block| riff(&[(*b"VP8X", &flags), (*b"VP8 ", pixels), (*b"EXIF", block)]);
    vec![
        ("jpeg", jpeg(&picture, &block, &[])),
        ("png before", rgb(&picture, vec![(*b"eXIf", block.clone())], Vec::new())),
        ("png after", rgb(&picture, Vec::new(), vec![(*b"eXIf", block.clone())])),
        ("webp", webp(&block)),
        ("webp with the prefix of jpeg", webp(&prefixed)),
    ]
}

#[test]
fn all_eight_come_out_upright_in_every_format() {
    for (orientation, expected) in (1..).zip(UPRIGHT) {
        for (name, file) in files(orientation) {
            assert_eq!(letters(&one(&file, COVER)), expected, "{name} {orientation}");
            let contain = one(&file, CONTAIN);
            let size = if orientation > 4 { (64, 128) } else { (128, 64) };
            assert_eq!((contain.width, contain.height), size, "{name} {orientation}");
            assert_eq!(letters(&contain), expected, "{name} {orientation}");
            assert!(!contain.bytes.windows(6).any(|word| word == b"SECRET"), "{name}");
            assert!(!contain.bytes.windows(4).any(|word| word == b"Exif" || word == b"eXIf"), "{name}");
        }
    }
}

#[test]
fn orientations_that_do_not_exist_are_ignored() {
    for orientation in [0, 9, 255] {
        for (name, file) in files(orientation) {
            assert_eq!(letters(&one(&file, CONTAIN)), "rgbw", "{name} {orientation}");
        }
    }
}
