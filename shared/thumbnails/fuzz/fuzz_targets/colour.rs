//! Colour profiles, in a small picture of each kind of pixels.

#![no_main]

mod common;
#[path = "../../tests/it/make/png.rs"]
#[expect(dead_code, reason = "tests make more")]
mod make;

use thumbnails::{Fit, Spec};
use libfuzzer_sys::fuzz_target;
use make::{Kind, Png};

fuzz_target!(|profile: &[u8]| {
    let spec = Spec { width: 8, height: 8, fit: Fit::Cover };
    for kind in [Kind::Grey, Kind::Rgba] {
        let pixel = |x: u32, y: u32| {
            (0..kind.samples()).map(|sample| ((x * 31 + y * 7) as u16 + 40 * sample as u16) % 256).collect()
        };
        let before = vec![(*b"iCCP", make::profile(profile))];
        let png = Png { kind, depth: 8, size: (8, 8), interlaced: false, before, after: Vec::new(), pixel: &pixel };
        common::check(&png.file(), &[spec]);
    }
});
