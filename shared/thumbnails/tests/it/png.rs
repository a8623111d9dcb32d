//! PNG: every kind of pixel and depth, interlaced or not.

use image::Rgba;

use crate::make::png::{Kind, Png};
use crate::make::{CONTAIN, COVER, letters, one, pixels, quarters};

/// The depths that each kind may have.
const KINDS: [(Kind, &[u8]); 5] = [
    (Kind::Grey, &[1, 2, 4, 8, 16]),
    (Kind::Rgb, &[8, 16]),
    (Kind::Palette, &[1, 2, 4, 8]),
    (Kind::GreyAlpha, &[8, 16]),
    (Kind::Rgba, &[8, 16]),
];

fn full(depth: u8) -> u16 {
    u16::MAX >> (16 - depth)
}

/// Quarters as far as the kind has colours: a grey one has black for what is not white, a palette of one bit too.
fn file(kind: Kind, depth: u8, size: (u32, u32), interlaced: bool) -> Vec<u8> {
    let full = full(depth);
    let colours = quarters(size.0, size.1);
    let pixel = |x, y| {
        let [red, green, blue] = colours.get_pixel(x, y).0.map(|value| if value > 0 { full } else { 0 });
        let white = red & green & blue;
        match kind {
            Kind::Grey => vec![white],
            Kind::GreyAlpha => vec![white, full],
            Kind::Rgb => vec![red, green, blue],
            Kind::Rgba => vec![red, green, blue, full],
            Kind::Palette if depth == 1 => vec![white],
            Kind::Palette => vec![if white > 0 {
                3
            } else {
                [red, green, blue].iter().position(|v| *v > 0).unwrap().try_into().unwrap()
            }],
        }
    };
    let palette: &[u8] =
        if depth == 1 { &[0, 0, 0, 255, 255, 255] } else { &[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255] };
    let before = if kind == Kind::Palette { vec![(*b"PLTE", palette.to_vec())] } else { Vec::new() };
    Png { kind, depth, size, interlaced, before, after: Vec::new(), pixel: &pixel }.file()
}

#[test]
fn every_kind_and_depth_is_read_interlaced_or_not() {
    for (kind, depths) in KINDS {
        for depth in depths {
            let grey = matches!(kind, Kind::Grey | Kind::GreyAlpha) || (kind, *depth) == (Kind::Palette, 1);
            for size in [(300, 200), (1000, 700)] {
                let [whole, interlaced] = [false, true].map(|interlaced| {
                    let made = one(&file(kind, *depth, size, interlaced), CONTAIN);
                    assert_eq!(letters(&made), if grey { "kkkw" } else { "rgbw" }, "{kind:?} {depth}");
                    assert_eq!(made.content_type, "image/jpeg");
                    made.bytes
                });
                assert!(whole == interlaced, "{kind:?} {depth} differs when interlaced");
            }
        }
    }
}

#[test]
fn small_interlaced_pictures_whose_passes_are_empty_are_read() {
    for width in 1..=9 {
        for height in 1..=9 {
            let [whole, interlaced] =
                [false, true].map(|interlaced| one(&file(Kind::Rgba, 8, (width, height), interlaced), COVER).bytes);
            assert!(whole == interlaced, "{width} by {height}");
        }
    }
}

#[test]
fn a_transparent_colour_is_seen_through_in_every_kind() {
    for (kind, depth, colour) in [
        (Kind::Grey, 8, vec![0, 0]),
        (Kind::Grey, 16, vec![0, 0]),
        (Kind::Rgb, 8, vec![0, 0, 0, 0, 0, 255]),
        (Kind::Rgb, 16, vec![0, 0, 0, 0, 255, 255]),
        (Kind::Palette, 4, vec![255, 255, 0]),
    ] {
        for interlaced in [false, true] {
            let mut bytes = file(kind, depth, (200, 200), interlaced);
            let at = bytes.windows(4).position(|word| word == b"IDAT").unwrap() - 4;
            bytes.splice(at..at, crate::make::png::chunk(*b"tRNS", &colour));
            let made = one(&bytes, COVER);
            assert_eq!(made.content_type, "image/png");
            assert_eq!(letters(&made), if kind == Kind::Grey { "...w" } else { "rg.w" }, "{kind:?} {depth}");
        }
    }
}

#[test]
fn outlines_have_no_seam_whatever_is_hidden_behind_them() {
    for hidden in [0, 65_535] {
        for depth in [8, 16] {
            let full = full(depth);
            let pixel = |x: u32, y: u32| {
                let (x, y) = (i64::from(x) - 450, i64::from(y) - 450);
                if x * x + y * y < 400 * 400 {
                    vec![full, full / 2, 0, full]
                } else {
                    vec![hidden & full; 3].into_iter().chain([0]).collect()
                }
            };
            for interlaced in [false, true] {
                let (kind, size) = (Kind::Rgba, (900, 900));
                let before = Vec::new();
                let made =
                    one(&Png { kind, depth, size, interlaced, before, after: Vec::new(), pixel: &pixel }.file(), COVER);
                for Rgba([red, green, blue, alpha]) in pixels(&made).pixels().filter(|pixel| pixel.0[3] > 32) {
                    // Lanczos rings by some percent at a hard edge; a seam would be half as dark.
                    assert!(*red > 239 && green.abs_diff(127) < 16 && *blue < 16, "{red} {green} {blue} at {alpha}");
                }
            }
        }
    }
}

#[test]
fn sixteen_bits_are_as_eight() {
    let eight = |x: u32, y: u32| vec![u16::try_from((x * 3 + y * 5) % 256).unwrap()];
    let sixteen = |x: u32, y: u32| vec![eight(x, y)[0] * 257];
    let make = |depth, pixel: &dyn Fn(u32, u32) -> Vec<u16>| {
        let (kind, size, interlaced) = (Kind::Grey, (777, 555), false);
        one(&Png { kind, depth, size, interlaced, before: Vec::new(), after: Vec::new(), pixel }.file(), COVER)
    };
    assert_eq!(make(8, &eight), make(16, &sixteen));
}
