//! Colour: thumbnails are sRGB, whatever the profile of the original.

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use moxcms::ColorProfile;

use crate::make::heic::{Grid, code};
use crate::make::png::{Kind, Png, profile, rgb};
use crate::make::webp::{content, extended, riff, still};
use crate::make::{COVER, jpeg, one, pixels};

/// The red, green and a skin tone of sRGB, as a telephone stores them: in Display P3.
const PATCHES: [([u8; 3], [u8; 3]); 3] =
    [([234, 51, 35], [255, 0, 0]), ([117, 251, 76], [0, 255, 0]), ([200, 150, 100], [208, 149, 92])];

fn p3() -> Vec<u8> {
    ColorProfile::new_display_p3().encode().unwrap()
}

fn patch(colour: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(300, 300, Rgb(colour))
}

/// The colour in the middle of the thumbnail, which must have no profile.
fn middle(bytes: &[u8]) -> [u8; 3] {
    let made = one(bytes, COVER);
    for mark in [&b"ICC_PROFILE"[..], b"iCCP", b"acsp"] {
        assert!(!made.bytes.windows(mark.len()).any(|word| word == mark), "the thumbnail has a profile");
    }
    let [red, green, blue, _] = pixels(&made).get_pixel(made.width / 2, made.height / 2).0;
    [red, green, blue]
}

#[track_caller]
fn assert_near(colour: [u8; 3], expected: [u8; 3], what: &str) {
    assert!(colour.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4), "{what}: {colour:?}, not {expected:?}");
}

#[test]
fn a_display_p3_patch_looks_the_same_in_every_format() {
    for (stored, seen) in PATCHES {
        let picture = patch(stored);
        assert_near(middle(&jpeg(&picture, &[], &p3())), seen, "jpeg");
        assert_near(middle(&rgb(&picture, vec![(*b"iCCP", profile(&p3()))], Vec::new())), seen, "png");
        let (flags, picture) = (extended(0x20, (300, 300)), DynamicImage::ImageRgb8(picture));
        for (name, lossless) in [(*b"VP8 ", false), (*b"VP8L", true)] {
            let file = still(&picture, lossless);
            let bytes = riff(&[(*b"VP8X", &flags), (*b"ICCP", &p3()), (name, content(&file, name))]);
            // Lossy colours are rounded to fewer steps, which the conversion makes larger where a channel is near 0.
            if lossless || !seen.contains(&0) {
                assert_near(middle(&bytes), seen, "webp");
            }
        }
    }
}

#[test]
fn a_heic_says_its_colours_with_a_profile_or_by_number() {
    let (mut grid, _) = Grid::quarters();
    let tiles = [const { include_bytes!("../../../media/fixtures/skin.heic").as_slice() }; 4].map(code);
    let numbers = |primaries: u8| (*b"colr", [b"nclx".as_slice(), &[0, primaries, 0, 13, 0, 6, 0x80]].concat());
    let (stored, seen) = PATCHES[2];
    for (what, properties, expected) in [
        ("nothing", vec![], stored),
        ("numbers of sRGB", vec![numbers(1)], stored),
        ("numbers of Display P3", vec![numbers(12)], seen),
        ("profile", vec![(*b"colr", [b"prof".as_slice(), &p3()].concat())], seen),
        ("numbers and profile", vec![numbers(1), (*b"colr", [b"rICC".as_slice(), &p3()].concat())], seen),
    ] {
        grid.properties = properties;
        assert_near(middle(&grid.file(&tiles)), expected, what);
    }
}

#[test]
fn a_profile_that_swaps_nothing_changes_nothing() {
    let srgb = ColorProfile::new_srgb().encode().unwrap();
    for colour in [[13, 77, 201], [255, 255, 255], [0, 0, 0], [128, 128, 128]] {
        assert_near(middle(&jpeg(&patch(colour), &[], &srgb)), colour, "jpeg");
        assert_near(middle(&rgb(&patch(colour), vec![(*b"iCCP", profile(&srgb))], Vec::new())), colour, "png");
    }
}

#[test]
fn grey_with_a_profile_stays_grey() {
    let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let (kind, depth, size, interlaced) = (Kind::Grey, 8, (300, 300), false);
    let before = vec![(*b"iCCP", profile(&linear))];
    let bytes = Png { kind, depth, size, interlaced, before, after: Vec::new(), pixel: &|_, _| vec![55] }.file();
    assert_near(middle(&bytes), [128, 128, 128], "png");
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    image::ImageEncoder::set_icc_profile(&mut encoder, linear).unwrap();
    encoder.encode_image(&GrayImage::from_pixel(300, 300, Luma([55]))).unwrap();
    assert_near(middle(&bytes), [128, 128, 128], "jpeg");
}

#[test]
fn profiles_that_are_damaged_or_for_other_pixels_are_ignored() {
    let grey = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let mut cut = p3();
    cut.truncate(200);
    for wrong in [grey, cut, vec![0; 4000], b"x".to_vec()] {
        let colour = [200, 150, 100];
        assert_near(middle(&jpeg(&patch(colour), &[], &wrong)), colour, "jpeg");
        assert_near(middle(&rgb(&patch(colour), vec![(*b"iCCP", profile(&wrong))], Vec::new())), colour, "png");
    }
}
