//! The look of thumbnails: sizes, crops, orientation, transparency and colour, for each format.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{Delay, DynamicImage, Frame, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use thumbnails::{Error, Fit, Limits, Spec, Thumbnail, thumbnails};

const fn spec(side: u32, fit: Fit) -> Spec {
    Spec { width: side, height: side, fit }
}

fn one(bytes: &[u8], spec: Spec) -> Thumbnail {
    let mut made = thumbnails(bytes, &[spec], Limits::default()).unwrap();
    made.pop().unwrap()
}

fn pixels(thumbnail: &Thumbnail) -> RgbaImage {
    let decoded = image::load_from_memory(&thumbnail.bytes).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (thumbnail.width, thumbnail.height));
    decoded.to_rgba8()
}

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Red, green above; blue, white below: no turn or flip leaves it as it was.
fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([255, 0, 0]),
        (false, true) => Rgb([0, 255, 0]),
        (true, false) => Rgb([0, 0, 255]),
        (false, false) => Rgb([255, 255, 255]),
    })
}

/// The letter of the colour in the middle of each quarter, line by line.
fn letters(thumbnail: &Thumbnail) -> String {
    let pixels = pixels(thumbnail);
    let (width, height) = pixels.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)]
        .into_iter()
        .map(|(x, y)| {
            let Rgba([red, green, blue, _]) = *pixels.get_pixel(width * x / 4, height * y / 4);
            match (red > 127, green > 127, blue > 127) {
                (true, false, false) => 'r',
                (false, true, false) => 'g',
                (false, false, true) => 'b',
                (true, true, true) => 'w',
                _ => '?',
            }
        })
        .collect()
}

/// A JPEG with an Exif block that says nothing but its orientation.
fn oriented(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(picture).unwrap();
    bytes
}

#[test]
fn every_format_gives_the_sizes_asked_for_from_one_call() {
    let specs = [spec(128, Fit::Cover), spec(128, Fit::Contain), spec(256, Fit::Cover), spec(256, Fit::Contain)];
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let made = thumbnails(&file(quarters(800, 600), format), &specs, Limits::default()).unwrap();
        let sizes: Vec<_> = made.iter().map(|made| (made.width, made.height)).collect();
        assert_eq!(sizes, [(128, 128), (128, 96), (256, 256), (256, 192)]);
        for made in &made {
            assert_eq!(made.content_type, "image/jpeg");
            assert_eq!(letters(made), "rgbw", "{format:?}");
        }
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let expected = ["rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"];
    for (orientation, expected) in (1..).zip(expected) {
        let original = oriented(&quarters(400, 200), orientation);
        let cover = one(&original, spec(128, Fit::Cover));
        assert_eq!((cover.width, cover.height), (128, 128));
        assert_eq!(letters(&cover), expected, "orientation {orientation}");
        let contain = one(&original, spec(128, Fit::Contain));
        let turned = orientation > 4;
        let size = if turned { (64, 128) } else { (128, 64) };
        assert_eq!((contain.width, contain.height), size);
        assert_eq!(letters(&contain), expected, "orientation {orientation}");
    }
}

#[test]
fn an_orientation_that_does_not_exist_is_ignored() {
    for orientation in [0, 9, 255] {
        let original = oriented(&quarters(400, 200), orientation);
        assert_eq!(letters(&one(&original, spec(128, Fit::Contain))), "rgbw");
    }
}

#[test]
fn nothing_is_enlarged() {
    let small = file(quarters(100, 60), ImageFormat::Png);
    for fit in [Fit::Cover, Fit::Contain] {
        let made = one(&small, spec(128, fit));
        assert_eq!((made.width, made.height), (100, 60));
    }
    let strip = one(&file(quarters(100, 500), ImageFormat::Png), spec(128, Fit::Cover));
    assert_eq!((strip.width, strip.height), (100, 128));
    let strip = one(&file(quarters(100, 500), ImageFormat::Png), spec(128, Fit::Contain));
    assert_eq!((strip.width, strip.height), (26, 128));
}

#[test]
fn transparency_is_kept_as_png_without_dark_seams() {
    let disc = RgbaImage::from_fn(600, 600, |x, y| {
        let (x, y) = (i64::from(x) - 300, i64::from(y) - 300);
        if x * x + y * y < 250 * 250 { Rgba([255, 200, 200, 255]) } else { Rgba([0, 0, 0, 0]) }
    });
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let made = one(&file(disc.clone(), format), spec(128, Fit::Cover));
        assert_eq!(made.content_type, "image/png");
        let pixels = pixels(&made);
        assert_eq!(pixels.get_pixel(0, 0).0[3], 0);
        // Lanczos rings by some percent at a hard edge; a seam would be half as dark.
        for Rgba([red, green, _, alpha]) in pixels.pixels().filter(|pixel| pixel.0[3] > 32) {
            assert!(*red > 240 && (190..=230).contains(green), "seam at alpha {alpha}");
        }
    }
}

#[test]
fn an_alpha_channel_that_hides_nothing_gives_a_jpeg() {
    let opaque = DynamicImage::ImageRgb8(quarters(300, 300)).into_rgba8();
    let made = one(&file(opaque, ImageFormat::Png), spec(128, Fit::Cover));
    assert_eq!(made.content_type, "image/jpeg");
}

#[test]
fn sixteen_bits_and_grey_pictures_work() {
    let deep = DynamicImage::ImageRgb8(quarters(300, 300)).into_rgb16();
    let made = one(&file(deep, ImageFormat::Png), spec(128, Fit::Cover));
    assert_eq!(letters(&made), "rgbw");
    for grey in [
        DynamicImage::ImageLuma8(DynamicImage::ImageRgb8(quarters(300, 300)).into_luma8()),
        DynamicImage::ImageLumaA16(DynamicImage::ImageRgb8(quarters(300, 300)).into_luma_alpha16()),
    ] {
        let made = one(&file(grey, ImageFormat::Png), spec(128, Fit::Cover));
        assert_eq!(made.content_type, "image/jpeg");
        let middle = pixels(&made).get_pixel(96, 96).0;
        assert!(middle[0] > 250 && middle[0] == middle[1]);
    }
}

#[test]
fn an_animation_gives_its_first_frame() {
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new(&mut bytes);
        for colour in [Rgba([255, 0, 0, 255]), Rgba([0, 0, 255, 255])] {
            let picture = RgbaImage::from_pixel(200, 200, colour);
            let frame = Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(100, 1));
            encoder.encode_frame(frame).unwrap();
        }
    }
    assert_eq!(letters(&one(&bytes, spec(128, Fit::Cover))), "rrrr");
}

#[test]
fn metadata_is_left_behind() {
    let mut original = Vec::new();
    let mut encoder = JpegEncoder::new(&mut original);
    encoder.set_exif_metadata(b"MM\0\x2a\0\0\0\x08SECRET-PLACE".to_vec()).unwrap();
    encoder.encode_image(&quarters(300, 300)).unwrap();
    let made = one(&original, spec(128, Fit::Cover));
    assert!(!made.bytes.windows(6).any(|word| word == b"SECRET" || word == b"Exif\0\0"));
}

#[test]
fn a_box_without_sides_is_refused() {
    for (width, height) in [(0, 128), (128, 0)] {
        let fit = Fit::Cover;
        let spec = Spec { width, height, fit };
        let answer = thumbnails(&file(quarters(9, 9), ImageFormat::Png), &[spec], Limits::default());
        assert!(matches!(answer, Err(Error::EmptyBox)));
    }
}

#[test]
fn very_long_pictures_take_moments() {
    for (width, height) in [(65_000, 20), (20, 65_000)] {
        let original = file(quarters(width, height), ImageFormat::Png);
        let made = one(&original, spec(128, Fit::Contain));
        assert_eq!((made.width.max(made.height), made.width.min(made.height)), (128, 1));
        let made = one(&original, spec(128, Fit::Cover));
        assert_eq!((made.width.max(made.height), made.width.min(made.height)), (128, 20));
    }
}
