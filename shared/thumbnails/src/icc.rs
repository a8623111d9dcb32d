//! Converts pixels with embedded colour profiles to sRGB.
//!
//! A thumbnail has no profile: its pixels are sRGB, which every reader assumes for pixels without a profile. Only the
//! finished thumbnail is converted, so the conversion takes almost no time. A profile is hostile input like the rest of
//! the file. A profile that is damaged, too large or for other pixels is ignored, because it is no reason to refuse
//! complete pixels.

use std::sync::{Arc, Mutex, PoisonError};

use image::DynamicImage;
use moxcms::{
    ColorProfile, DataColorSpace, Layout, ParsingOptions, RenderingIntent, Transform8BitExecutor, TransformOptions,
};

/// The largest profile that is used, in bytes. Matrix profiles have about 600 bytes, profiles of scanners hundreds of
/// thousands, profiles of printing presses up to two million.
pub(crate) const MAX_PROFILE: usize = 3 << 20;

/// The most entries of a colour look-up table. The largest known one has 33 steps in 4 colours.
const MAX_TABLE: usize = 4 * 33 * 33 * 33 * 33;

/// The most entries of a tone curve (ICC.1:2022, 10.6, gives 4096 as the usual maximum).
const MAX_CURVE: usize = 1 << 14;

/// The number of remembered profiles, and the largest size of a remembered one. Making the tables of a profile takes
/// longer than converting a thumbnail, and nearly all photos have one of a few profiles.
const REMEMBERED: usize = 4;
const MAX_REMEMBERED: usize = 8 << 10;

/// Turns the colours of `pixels` from those of `profile` to sRGB. Alpha stays.
pub(crate) fn to_srgb(profile: &[u8], pixels: &mut DynamicImage) {
    let (layout, samples): (_, &mut [u8]) = match pixels {
        DynamicImage::ImageRgb8(pixels) => (Layout::Rgb, pixels),
        DynamicImage::ImageRgba8(pixels) => (Layout::Rgba, pixels),
        DynamicImage::ImageLuma8(pixels) => (Layout::Gray, pixels),
        DynamicImage::ImageLumaA8(pixels) => (Layout::GrayAlpha, pixels),
        // The crate makes no pictures of other depths.
        _ => return,
    };
    let Some(conversion) = conversion(profile, layout).filter(|conversion| !conversion.is_neutral) else { return };
    match layout {
        Layout::Gray => grey(&conversion, samples, 1),
        Layout::GrayAlpha => grey(&conversion, samples, 2),
        _ => {
            let mut out = vec![0; samples.len()];
            if conversion.transform.transform(samples, &mut out).is_ok() {
                samples.copy_from_slice(&out);
            }
        }
    }
}

/// Whether a profile for three colours changes no colour visibly: whether it is one of the many profiles of sRGB.
pub(crate) fn is_srgb(profile: &[u8]) -> bool {
    conversion(profile, Layout::Rgb).is_some_and(|conversion| conversion.is_neutral)
}

/// Converts `inks`, four bytes a pixel where 255 is full ink, to three bytes of sRGB by the profile of a printing
/// press. `None` if the profile cannot be used.
pub(crate) fn cmyk_to_srgb(profile: &[u8], inks: &[u8]) -> Option<Vec<u8>> {
    let profile = parse(profile).filter(|profile| profile.color_space == DataColorSpace::Cmyk)?;
    let transform =
        profile.create_transform_8bit(Layout::Rgba, &ColorProfile::new_srgb(), Layout::Rgb, options()).ok()?;
    let mut out = vec![0; inks.len() / 4 * 3];
    transform.transform(inks.as_chunks::<4>().0.as_flattened(), &mut out).ok()?;
    Some(out)
}

/// A profile for colours that are described by the numbers of ITU-T H.273. `None` for sRGB, and for numbers that pixels
/// of 8 bits do not have.
pub(crate) fn numbered(primaries: u16, transfer: u16) -> Option<Vec<u8>> {
    const BT2020: u16 = 9;
    const DCI_P3: u16 = 11;
    const DISPLAY_P3: u16 = 12;
    // The curves of sRGB and BT.709, which has several numbers. Cameras that state BT.709 mean sRGB.
    let usual = matches!(transfer, 1 | 2 | 6 | 13 | 14 | 15);
    let mut profile = match primaries {
        DISPLAY_P3 | DCI_P3 => ColorProfile::new_display_p3(),
        BT2020 => ColorProfile::new_bt2020(),
        _ => return None,
    };
    if !usual {
        return None;
    }
    // Otherwise the transform would use the numbers instead of the curves.
    profile.cicp = None;
    profile.encode().ok()
}

fn parse(profile: &[u8]) -> Option<ColorProfile> {
    let limits = ParsingOptions {
        max_profile_size: MAX_PROFILE,
        max_allowed_clut_size: MAX_TABLE,
        max_allowed_trc_size: MAX_CURVE,
    };
    ColorProfile::new_from_slice_with_options(profile, limits).ok()
}

fn options() -> TransformOptions {
    TransformOptions { rendering_intent: RenderingIntent::RelativeColorimetric, ..TransformOptions::default() }
}

/// A conversion of pixels of one layout from one profile to sRGB.
#[derive(Clone)]
struct Conversion {
    transform: Arc<Transform8BitExecutor>,
    is_neutral: bool,
}

/// A profile, its layout, and the conversion: `None` if the profile cannot be used.
type Made = (Vec<u8>, Layout, Option<Conversion>);

/// The latest conversions, newest first.
static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());

fn conversion(profile: &[u8], layout: Layout) -> Option<Conversion> {
    if profile.len() > MAX_REMEMBERED {
        return make_conversion(profile, layout);
    }
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = made.iter().position(|(known, of, _)| known == profile && *of == layout) {
        made.get_mut(..=place)?.rotate_right(1);
        return made.first()?.2.clone();
    }
    let conversion = make_conversion(profile, layout);
    made.truncate(REMEMBERED - 1);
    made.insert(0, (profile.to_vec(), layout, conversion.clone()));
    conversion
}

fn make_conversion(profile: &[u8], layout: Layout) -> Option<Conversion> {
    let profile = parse(profile)?;
    let (space, from, to) = match layout {
        Layout::Gray | Layout::GrayAlpha => (DataColorSpace::Gray, Layout::Gray, Layout::Rgb),
        _ => (DataColorSpace::Rgb, layout, layout),
    };
    if profile.color_space != space {
        return None;
    }
    let transform = profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, options()).ok()?;
    let is_neutral = layout == Layout::Rgb && is_neutral(&*transform);
    Some(Conversion { transform, is_neutral })
}

/// Whether no colour of a lattice changes.
fn is_neutral(transform: &Transform8BitExecutor) -> bool {
    let steps = [0, 8, 24, 64, 128, 192, 255_u8];
    let mut colours = Vec::with_capacity(3 * steps.len().pow(3));
    for red in steps {
        for green in steps {
            colours.extend(steps.iter().flat_map(|blue| [red, green, *blue]));
        }
    }
    let mut out = vec![0; colours.len()];
    transform.transform(&colours, &mut out).is_ok() && out.iter().zip(&colours).all(|(a, b)| a.abs_diff(*b) <= 1)
}

/// Converts grey pixels with a look-up table, because there are at most 256 values. `step` is the number of channels of
/// a pixel; luma is the first.
fn grey(conversion: &Conversion, pixels: &mut [u8], step: usize) {
    let values: Vec<u8> = (0..=u8::MAX).collect();
    let mut out = vec![0; 3 * values.len()];
    if conversion.transform.transform(&values, &mut out).is_ok() {
        for luma in pixels.iter_mut().step_by(step) {
            *luma = out.get(3 * usize::from(*luma)).copied().unwrap_or(*luma);
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayAlphaImage, LumaA, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn p3() -> Vec<u8> {
        ColorProfile::new_display_p3().encode().unwrap()
    }

    fn converted(profile: &[u8], pixels: impl Into<DynamicImage>) -> Vec<u8> {
        let mut pixels = pixels.into();
        to_srgb(profile, &mut pixels);
        pixels.into_bytes()
    }

    fn near(pixel: &[u8], expected: &[u8]) -> bool {
        pixel.len() == expected.len() && pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 2)
    }

    #[test]
    fn a_display_p3_patch_becomes_the_same_colour_in_srgb() {
        // Computed from the primaries of Display P3 and sRGB and their common transfer curve.
        for (p3_colour, srgb) in [
            ([234, 51, 35], [255, 0, 0]),
            ([117, 251, 76], [0, 255, 0]),
            ([128, 128, 128], [128, 128, 128]),
            ([200, 150, 100], [208, 149, 92]),
        ] {
            let out = converted(&p3(), RgbImage::from_pixel(2, 1, Rgb(p3_colour)));
            assert!(near(&out[3..], &srgb), "{p3_colour:?} gave {out:?}");
        }
        let out = converted(&p3(), RgbaImage::from_pixel(1, 1, Rgba([200, 150, 100, 77])));
        assert!(near(&out, &[208, 149, 92, 77]), "{out:?}");
    }

    #[test]
    fn srgb_changes_nothing() {
        let profile = ColorProfile::new_srgb().encode().unwrap();
        assert!(is_srgb(&profile) && !is_srgb(&p3()) && !is_srgb(b"garbage"));
        let out = converted(&profile, RgbImage::from_pixel(1, 1, Rgb([13, 77, 201])));
        assert_eq!(out, [13, 77, 201]);
    }

    #[test]
    fn grey_of_another_gamma_becomes_that_of_srgb() {
        let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let out = converted(&profile, GrayAlphaImage::from_pixel(1, 1, LumaA([55, 9])));
        assert!(near(&out, &[128, 9]), "{out:?}");
    }

    #[test]
    fn a_profile_for_other_pixels_or_none_at_all_changes_nothing() {
        let grey = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        for profile in [grey.as_slice(), b"", b"garbage", &[0; 4000], &vec![7; MAX_PROFILE + 1]] {
            assert_eq!(converted(profile, RgbImage::from_pixel(1, 1, Rgb([9, 99, 199]))), [9, 99, 199]);
        }
        assert_eq!(cmyk_to_srgb(&p3(), &[0; 4]), None);
    }

    #[test]
    fn profiles_that_were_forgotten_are_made_again() {
        let gammas = [1.0, 1.5, 1.8, 2.0, 2.4, 2.6];
        let profiles = gammas.map(|gamma| ColorProfile::new_gray_with_gamma(gamma).encode().unwrap());
        let all =
            || profiles.each_ref().map(|profile| converted(profile, GrayAlphaImage::from_pixel(1, 1, LumaA([55, 9]))));
        let first = all();
        assert_eq!(all(), first);
        assert!(first.iter().zip(&first[1..]).all(|(a, b)| a != b));
    }

    #[test]
    fn damaged_profiles_never_panic() {
        let whole = p3();
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff, whole[at] ^ 1] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                converted(&damaged, RgbImage::from_pixel(1, 1, Rgb([9, 99, 199])));
            }
            converted(&whole[..at], RgbImage::from_pixel(1, 1, Rgb([9, 99, 199])));
        }
    }
}
