//! WebP: lossy, lossless, with alpha, and animations.

use image::{DynamicImage, Rgba, RgbaImage};

use crate::make::webp::{animation, content, extended, frame, riff, still};
use crate::make::{CONTAIN, COVER, letters, one, pixels, quarters};

fn disc(side: u32) -> DynamicImage {
    let middle = i64::from(side / 2);
    let picture = RgbaImage::from_fn(side, side, |x, y| {
        let (x, y) = (i64::from(x) - middle, i64::from(y) - middle);
        if x * x + y * y < middle * middle * 3 / 4 { Rgba([255, 128, 0, 255]) } else { Rgba([0, 0, 0, 0]) }
    });
    DynamicImage::ImageRgba8(picture)
}

#[test]
fn lossy_and_lossless_pictures_of_every_size_are_read() {
    for lossless in [false, true] {
        for (width, height) in [(1, 1), (90, 60), (200, 150), (300, 200), (512, 512), (700, 2000), (1601, 1203)] {
            let picture = DynamicImage::ImageRgb8(quarters(width, height));
            for spec in [COVER, CONTAIN] {
                let made = one(&still(&picture, lossless), spec);
                assert_eq!(made.content_type, "image/jpeg");
                if width > 1 {
                    assert_eq!(letters(&made), "rgbw", "{width} by {height}, lossless: {lossless}");
                }
            }
        }
    }
}

#[test]
fn outlines_have_no_seam() {
    for lossless in [false, true] {
        for side in [200, 600, 1500] {
            let made = one(&still(&disc(side), lossless), COVER);
            assert_eq!(made.content_type, "image/png");
            let pixels = pixels(&made);
            assert_eq!(pixels.get_pixel(0, 0).0[3], 0);
            // The code has half as many colours across and down as it has pixels, so they bleed into each other; a
            // seam would be half as bright.
            let near = if lossless { 16 } else { 60 };
            for Rgba([red, green, blue, alpha]) in pixels.pixels().filter(|pixel| pixel.0[3] > 64) {
                assert!(
                    255 - red < near && green.abs_diff(128) < near && *blue < near,
                    "{red} {green} {blue} at {alpha}"
                );
            }
        }
    }
}

#[test]
fn alpha_that_hides_nothing_gives_a_jpeg() {
    for lossless in [false, true] {
        let picture = DynamicImage::ImageRgba8(DynamicImage::ImageRgb8(quarters(900, 900)).into_rgba8());
        let made = one(&still(&picture, lossless), COVER);
        assert_eq!((made.content_type, letters(&made)), ("image/jpeg", "rgbw".to_owned()));
    }
}

#[test]
fn an_animation_gives_its_first_frame() {
    let first = DynamicImage::ImageRgb8(quarters(640, 480)).into_rgba8();
    let second = RgbaImage::from_pixel(640, 480, Rgba([0, 0, 255, 255]));
    for lossless in [false, true] {
        let made = one(&animation(&[first.clone(), second.clone()], lossless), COVER);
        assert_eq!((made.content_type, letters(&made)), ("image/jpeg", "rgbw".to_owned()));
        let made = one(&animation(&[disc(480).into_rgba8(), RgbaImage::new(480, 480)], lossless), COVER);
        assert_eq!(made.content_type, "image/png");
    }
}

#[test]
fn a_first_frame_smaller_than_the_canvas_is_surrounded_by_nothing() {
    for lossless in [false, true] {
        let file = still(&DynamicImage::ImageRgb8(quarters(200, 100)), lossless);
        let name = if lossless { *b"VP8L" } else { *b"VP8 " };
        let frame = frame((200, 100), (200, 100), &[(name, content(&file, name))]);
        let flags = extended(0x02, (400, 200));
        let bytes = riff(&[(*b"VP8X", &flags), (*b"ANIM", &[0; 6]), (*b"ANMF", &frame)]);
        let made = one(&bytes, CONTAIN);
        assert_eq!((made.width, made.height, made.content_type), (128, 64, "image/png"));
        assert_eq!(letters(&made), "...w");
        let corner = pixels(&made).get_pixel(68, 36).0;
        assert!(corner[0] > 200 && corner[3] > 250, "{corner:?}");
    }
}

#[test]
fn a_frame_that_sticks_out_of_the_canvas_is_cut_or_refused_but_never_more() {
    let file = still(&DynamicImage::ImageRgb8(quarters(200, 100)), false);
    let frame = frame((300, 150), (200, 100), &[(*b"VP8 ", content(&file, *b"VP8 "))]);
    let flags = extended(0x02, (400, 200));
    let bytes = riff(&[(*b"VP8X", &flags), (*b"ANIM", &[0; 6]), (*b"ANMF", &frame)]);
    assert_eq!(letters(&one(&bytes, CONTAIN)), "...r");
}
