//! The colours of thumbnails, for every layout of the file's planes.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, RgbImage};
use media_formats::jpeg::{Colour, Scale, decode};
use thumbnails::{Fit, Limits, Spec, Thumbnail, thumbnails};

use crate::made::Made;
use crate::scripts::{Script, segment};

const WHOLE: Spec = Spec { width: 256, height: 256, fit: Fit::Contain };

fn thumbnail(file: &[u8]) -> (Thumbnail, RgbImage) {
    let made = thumbnails(file, &[WHOLE], Limits::default()).unwrap().pop().unwrap();
    let pixels = image::load_from_memory(&made.bytes).unwrap();
    (made, pixels.into_rgb8())
}

fn assert_close(found: [u8; 3], expected: [u8; 3], what: &str) {
    assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4), "{what}: {found:?} instead of {expected:?}");
}

/// A picture of one colour, whose samples are these.
fn flat(samples: &[u8]) -> Made {
    let mut made = Made::new((48, 32), &vec![(1, 1); samples.len()], 1);
    made.steps[0] = 1;
    for (component, sample) in made.components.iter_mut().zip(samples) {
        component.blocks.fill([0; 64]);
        for block in &mut component.blocks {
            block[0] = (i32::from(*sample) - 128) * 8;
        }
    }
    made
}

fn adobe(transform: u8) -> Vec<u8> {
    let mut segments = Vec::new();
    segment(&mut segments, 0xee, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat());
    segments
}

fn jfif() -> Vec<u8> {
    let mut segments = Vec::new();
    segment(&mut segments, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segments
}

fn written(made: &Made, segments: Vec<u8>) -> Vec<u8> {
    let all: Vec<usize> = (0..made.components.len()).collect();
    let mut script = Script::sequential(&[&all]);
    script.segments = segments;
    script.write(made)
}

#[test]
fn three_planes_are_what_the_markers_and_names_say() {
    let made = flat(&[200, 100, 50]);
    let mut named = made.clone();
    for (component, name) in named.components.iter_mut().zip(*b"RGB") {
        component.id = name;
    }
    let (ycc, rgb) = ([91, 255, 150], [200, 100, 50]);
    for (what, file, colour, expected) in [
        ("nothing said", written(&made, Vec::new()), Colour::Ycc, ycc),
        ("JFIF", written(&named, jfif()), Colour::Ycc, ycc),
        ("Adobe, transformed", written(&named, adobe(1)), Colour::Ycc, ycc),
        ("Adobe, as they are", written(&made, adobe(0)), Colour::Rgb, rgb),
        ("JFIF counts more than Adobe", written(&made, [jfif(), adobe(0)].concat()), Colour::Ycc, ycc),
        ("named", written(&named, Vec::new()), Colour::Rgb, rgb),
    ] {
        let (header, _) = decode(&file, Limits::default(), |_| vec![Scale::Eighth; 3]).unwrap();
        assert_eq!(header.colour, colour, "{what}");
        assert_close(thumbnail(&file).1.get_pixel(20, 20).0, expected, what);
    }
}

#[test]
fn four_planes_are_inks() {
    // Cyan 40, magenta 100, yellow 200, black 50 of 255.
    let light = |ink: u32| u8::try_from((255 - ink) * (255 - 50) / 255).unwrap();
    let expected = [light(40), light(100), light(200)];
    // 255 less each ink, whether Adobe says that it is so or nothing is said.
    let inks = flat(&[215, 155, 55, 205]);
    // What 40, 100 and 200 are as luma and differences (libjpeg's `JCS_YCCK`), and 255 less the black.
    let ycck = flat(&[93, 188, 90, 205]);
    for (what, file, colour) in [
        ("no marker", written(&inks, Vec::new()), Colour::Cmyk),
        ("JFIF", written(&inks, jfif()), Colour::Cmyk),
        ("Adobe's inks", written(&inks, adobe(0)), Colour::Cmyk),
        ("YCCK", written(&ycck, adobe(2)), Colour::Ycck),
        ("another transform", written(&ycck, adobe(1)), Colour::Ycck),
    ] {
        let (header, _) = decode(&file, Limits::default(), |_| vec![Scale::Eighth; 4]).unwrap();
        assert_eq!(header.colour, colour, "{what}");
        assert_close(thumbnail(&file).1.get_pixel(9, 9).0, expected, what);
    }
}

#[test]
fn grey_stays_grey_and_has_one_plane() {
    let (made, pixels) = thumbnail(&written(&flat(&[77]), jfif()));
    assert_close(pixels.get_pixel(5, 5).0, [77; 3], "grey");
    let (header, planes) = decode(&made.bytes, Limits::default(), |_| vec![Scale::Whole]).unwrap();
    assert_eq!((header.colour, planes.len()), (Colour::Grey, 1));
}

#[test]
fn a_profile_in_pieces_is_put_together_and_one_with_a_piece_missing_is_none() {
    let made = flat(&[90, 120, 130]);
    let piece = |number: u8, count: u8, bytes: &[u8]| {
        let mut segments = Vec::new();
        segment(&mut segments, 0xe2, &[b"ICC_PROFILE\0", [number, count].as_slice(), bytes].concat());
        segments
    };
    let profile = |segments: Vec<u8>| {
        let file = written(&made, segments);
        decode(&file, Limits::default(), |_| vec![Scale::Eighth; 3]).unwrap().0.profile
    };
    assert_eq!(profile([piece(2, 2, b"cd"), piece(1, 2, b"ab")].concat()), Some(b"abcd".to_vec()));
    assert_eq!(profile(piece(1, 2, b"ab")), None);
    assert_eq!(profile(piece(0, 1, b"ab")), None);
    assert_eq!(profile([piece(1, 2, b"ab"), piece(1, 2, b"ab")].concat()), None);
    assert_eq!(profile(Vec::new()), None);
}

/// A picture of one colour with a profile.
fn profiled(profile: Vec<u8>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 98);
    encoder.set_icc_profile(profile).unwrap();
    encoder.encode_image(&RgbImage::from_pixel(64, 64, image::Rgb([200, 100, 50]))).unwrap();
    file
}

#[test]
fn display_p3_is_brought_to_srgb_and_the_profile_left_behind() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let (made, pixels) = thumbnail(&profiled(profile));
    // 200, 100, 50 of Display P3 as sRGB, by the matrices of both.
    assert_close(pixels.get_pixel(30, 30).0, [213, 95, 33], "Display P3");
    assert!(!made.bytes.windows(11).any(|word| word == b"ICC_PROFILE"));
}

#[test]
fn a_profile_that_is_none_changes_nothing() {
    let file = profiled(b"no profile at all".to_vec());
    assert_close(thumbnail(&file).1.get_pixel(30, 30).0, [200, 100, 50], "damaged profile");
}

#[test]
fn small_pictures_keep_the_samples_they_have() {
    let colours = |x: u32, y: u32| [x * 2, y * 3, 128].map(|value| u8::try_from(value).unwrap());
    let mut file = Vec::new();
    let picture = RgbImage::from_fn(81, 60, |x, y| image::Rgb(colours(x, y)));
    JpegEncoder::new_with_quality(&mut file, 97).encode_image(&picture).unwrap();
    let (made, small) = thumbnail(&file);
    assert_eq!((made.width, made.height), (81, 60));
    for (x, y) in [(0, 0), (80, 0), (0, 59), (80, 59), (40, 30)] {
        assert_close(small.get_pixel(x, y).0, colours(x, y), &format!("{x}, {y}"));
    }
}
