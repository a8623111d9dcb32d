//! Thumbnails of a JPEG. Luma and colour differences are not converted between the file and the thumbnail. This is
//! faster than a conversion to red, green and blue, and avoids its rounding errors.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::encode::{self, QUALITY};
use crate::geometry::{self, Plan};
use crate::jpeg::{self, Colour, Header, Plane, Scale};
use crate::jpeg_encoder::{self, Planar};
use crate::small::{Area, Small};
use crate::{Error, Limits, Spec, Thumbnail, exif, icc, sharpen};

/// Makes a thumbnail for each of `specs` of the JPEG `bytes`.
pub(crate) fn thumbnails(bytes: &[u8], specs: &[Spec], limits: Limits) -> Result<Vec<Thumbnail>, Error> {
    let mut plans = Vec::new();
    let mut orientation = Orientation::NoTransforms;
    let (mut header, planes) = jpeg::decode(bytes, limits, |header| {
        orientation = header.exif.as_deref().map_or(orientation, exif::orientation);
        plans = specs.iter().map(|spec| geometry::plan(header.size, &crate::turned(spec, orientation))).collect();
        scales(header, &plans)
    })?;
    header.profile = header.profile.filter(|profile| !icc::is_srgb(profile));
    let prepared = |(index, mut plane): (usize, Plane)| {
        let strength = strength(&header, index, plane.scale);
        sharpen::sharpen(&mut plane, strength);
        small(&header, plane)
    };
    let planes: Vec<_> = planes.into_iter().enumerate().map(prepared).collect();
    plans.iter().map(|plan| thumbnail(&header, orientation, &planes, plan)).collect()
}

/// Whether the reduced planes can be encoded without a conversion.
fn is_direct(header: &Header) -> bool {
    matches!(header.colour, Colour::Grey | Colour::Ycc) && header.profile.is_none()
}

/// The smallest scale of each component that is large enough for all thumbnails. Colour differences have half the size
/// in thumbnails.
fn scales(header: &Header, plans: &[Plan]) -> Vec<Scale> {
    let scale = |(index, spacing): (usize, &(f64, f64))| {
        let enough = |scale: &Scale| {
            let reduction = scale.reduction();
            plans.iter().all(|plan| {
                let differences = index > 0 && matches!(header.colour, Colour::Ycc);
                let (width, height) = if differences { half(plan.target) } else { plan.target };
                f64::from(plan.window.0) >= f64::from(width) * spacing.0 * reduction
                    && f64::from(plan.window.1) >= f64::from(height) * spacing.1 * reduction
            })
        };
        Scale::ALL.into_iter().find(enough).unwrap_or(Scale::Whole)
    };
    header.spacing.iter().enumerate().map(scale).collect()
}

/// How much a plane is sharpened, in 64ths. A mean of a block has less contrast than the samples that Lanczos would
/// use, most of all in fine detail. Colour differences lose more when a reader interpolates those of the thumbnail.
/// With these values, fourteen photos are nearest to a full decode with Lanczos.
fn strength(header: &Header, component: usize, scale: Scale) -> i16 {
    match (scale, component > 0 && is_direct(header)) {
        (Scale::Whole, _) | (Scale::Half, false) => 0,
        (Scale::Quarter, false) => 1,
        (Scale::Eighth, false) => 4,
        (_, true) => 12,
    }
}

/// Half a size, rounded up.
fn half((width, height): (u32, u32)) -> (u32, u32) {
    (width.div_ceil(2), height.div_ceil(2))
}

fn small(header: &Header, plane: Plane) -> Small {
    let area = Area { x: 0, y: 0, width: header.size.0, height: header.size.1 };
    Small { area, block: plane.spacing, size: (plane.width, plane.height), channels: 1, samples: plane.samples }
}

fn thumbnail(header: &Header, orientation: Orientation, planes: &[Small], plan: &Plan) -> Result<Thumbnail, Error> {
    let cut = |(index, plane): (usize, &Small)| {
        let target = if index > 0 && is_direct(header) { half(plan.target) } else { plan.target };
        plane.cut(&Plan { target, ..*plan })
    };
    if is_direct(header) {
        let upright = |plane| {
            let mut pixels = cut(plane)?;
            pixels.apply_orientation(orientation);
            Ok((pixels.width(), pixels.height(), pixels.into_bytes()))
        };
        let planes = planes.iter().enumerate().map(upright).collect::<Result<Vec<_>, Error>>()?;
        let mut planes = planes.into_iter();
        let Some((width, height, luma)) = planes.next() else { return Err(mismatch()) };
        let mut differences = planes.map(|(.., samples)| samples);
        let chroma = differences.next().zip(differences.next()).map(|(blue, red)| [blue, red]);
        let bytes = jpeg_encoder::encode(&Planar { size: (width, height), luma, chroma }, QUALITY);
        return Ok(Thumbnail { bytes, content_type: "image/jpeg", width, height });
    }
    let planes =
        planes.iter().enumerate().map(|plane| Ok(cut(plane)?.into_bytes())).collect::<Result<Vec<_>, Error>>()?;
    let mut pixels = colours(header, &planes, plan.target)?;
    pixels.apply_orientation(orientation);
    encode::plain(pixels)
}

/// The sRGB colours of planes that are all of `size`.
fn colours(header: &Header, planes: &[Vec<u8>], size: (u32, u32)) -> Result<DynamicImage, Error> {
    let profile = header.profile.as_deref();
    let [first, second, third, fourth @ ..] = planes else {
        let grey = planes.first().cloned().and_then(|luma| image::GrayImage::from_raw(size.0, size.1, luma));
        let mut grey = DynamicImage::from(grey.ok_or_else(mismatch)?);
        if let Some(profile) = profile {
            icc::to_srgb(profile, &mut grey);
        }
        return Ok(grey);
    };
    let triples = first.iter().zip(second).zip(third).map(|((a, b), c)| [*a, *b, *c]);
    let triples: Vec<[u8; 3]> = match header.colour {
        Colour::Ycc | Colour::Ycck => triples.map(rgb).collect(),
        _ => triples.collect(),
    };
    let samples = match (header.colour, fourth.first()) {
        (Colour::Cmyk, Some(black)) => {
            printed(profile, &inks(&triples, black, |[c, m, y], k| [c, m, y, k].map(|ink| 255 - ink)))
        }
        // CMYK has 255 minus the ink. YCCK has the ink itself in the places of red, green and blue.
        (Colour::Ycck, Some(black)) => printed(profile, &inks(&triples, black, |[c, m, y], k| [c, m, y, 255 - k])),
        _ => triples.into_flattened(),
    };
    let mut pixels = DynamicImage::from(RgbImage::from_raw(size.0, size.1, samples).ok_or_else(mismatch)?);
    if let (Some(profile), Colour::Rgb | Colour::Ycc) = (profile, header.colour) {
        icc::to_srgb(profile, &mut pixels);
    }
    Ok(pixels)
}

/// The inks of each pixel, where 255 is full ink. `ink` computes them from the samples.
fn inks(triples: &[[u8; 3]], black: &[u8], ink: impl Fn([u8; 3], u8) -> [u8; 4]) -> Vec<u8> {
    triples.iter().zip(black).flat_map(|(triple, black)| ink(*triple, *black)).collect()
}

/// This cannot happen: the planes have the size to which they were cut, and there is at least one.
fn mismatch() -> Error {
    Error::Broken("the planes of the JPEG do not make a picture".into())
}

/// The colours of inks on paper, with four inks of 0 to 255 a pixel: by the profile of the press, or else as filters
/// that each absorb one colour.
fn printed(profile: Option<&[u8]>, inks: &[u8]) -> Vec<u8> {
    profile.and_then(|profile| icc::cmyk_to_srgb(profile, inks)).unwrap_or_else(|| {
        let filtered = |[c, m, y, k]: &[u8; 4]| {
            [c, m, y].map(|ink| {
                let light = (255 - u32::from(*ink)) * (255 - u32::from(*k));
                u8::try_from((light + 127) / 255).unwrap_or(u8::MAX)
            })
        };
        inks.as_chunks::<4>().0.iter().flat_map(filtered).collect()
    })
}

/// Red, green and blue from luma and differences (ITU-T T.871, 7).
fn rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let luma = f32::from(luma);
    let (blue, red) = (f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue].map(byte)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
fn byte(value: f32) -> u8 {
    (value + 0.5) as u8
}
