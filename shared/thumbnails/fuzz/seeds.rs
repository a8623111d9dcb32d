//! Writes the seeds for fuzzing to `corpus/`, a folder for each target: small files of every kind.

use std::fs;
use std::path::Path;

use image::{DynamicImage, ImageFormat, RgbaImage};
use make::heic::Grid;
use make::png::{Kind, Png, profile};
use make::webp::{animation, extended, frame, riff, still};
use made::Made;
use make::{exif, jpeg, quarters};
use scripts::{Script, scan};

#[path = "../tests/jpeg/made.rs"]
#[expect(dead_code, reason = "tests judge what comes of it too")]
mod made;
#[path = "../tests/jpeg/scripts.rs"]
mod scripts;

#[path = "../tests/it/make/mod.rs"]
#[expect(dead_code, reason = "tests look at thumbnails too")]
mod make;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let kinds = [("jpeg", jpegs()?), ("png", pngs()?), ("webp", webps()), ("gif", gifs()?), ("heic", heics()?)];
    for (target, files) in &kinds {
        write(&corpus.join(target), files)?;
        let boxes = |file: &Vec<u8>| [file.as_slice(), &[16, 9, 1, 40, 40]].concat();
        write(&corpus.join("thumbnails").join(target), &files.iter().map(boxes).collect::<Vec<_>>())?;
    }
    write(&corpus.join("colour"), &profiles()?)
}

fn write(folder: &Path, files: &[Vec<u8>]) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (index, file) in files.iter().enumerate() {
        fs::write(folder.join(format!("seed-{index:02}")), file)?;
    }
    println!("{} in {}", files.len(), folder.display());
    Ok(())
}

/// Noise, so that every symbol of a code is used.
fn noise(width: u32, height: u32) -> DynamicImage {
    let picture = RgbaImage::from_fn(width, height, |x, y| {
        let noise = x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b).rotate_left(13);
        image::Rgba(noise.wrapping_mul(0xc2b2_ae35).to_be_bytes())
    });
    DynamicImage::ImageRgba8(picture)
}

fn saved(picture: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format)?;
    Ok(file.into_inner())
}

fn profiles() -> Result<Vec<Vec<u8>>> {
    use moxcms::ColorProfile;
    let profiles = [
        ColorProfile::new_srgb(),
        ColorProfile::new_display_p3(),
        ColorProfile::new_bt2020(),
        ColorProfile::new_gray_with_gamma(1.8),
    ];
    Ok(profiles.iter().map(ColorProfile::encode).collect::<std::result::Result<_, _>>()?)
}

fn jpegs() -> Result<Vec<Vec<u8>>> {
    let picture = noise(40, 24);
    let profile = &profiles()?[1];
    let mut files = vec![
        jpeg(&quarters(40, 24), &exif(6), &[]),
        jpeg(&picture.to_rgb8(), &[], profile),
        saved(&DynamicImage::ImageLuma8(picture.to_luma8()), ImageFormat::Jpeg)?,
    ];
    files.extend(made_jpegs());
    Ok(files)
}

/// Files with every way to distribute a picture over scans, with sampling factors and restart markers.
fn made_jpegs() -> Vec<Vec<u8>> {
    let bits = vec![
        scan(&[0, 1, 2], (0, 0), 0, 1),
        scan(&[0], (1, 5), 0, 2),
        scan(&[2], (1, 63), 0, 1),
        scan(&[1], (1, 63), 0, 0),
        scan(&[0], (6, 63), 0, 2),
        scan(&[0], (1, 63), 2, 1),
        scan(&[0, 1, 2], (0, 0), 1, 0),
        scan(&[2], (1, 63), 1, 0),
        scan(&[0], (1, 63), 1, 0),
    ];
    let scripts = [Script::sequential(&[&[0, 1, 2]]), Script::sequential(&[&[2], &[0], &[1]]), Script::progressive(bits)];
    let mut files = Vec::new();
    for (number, luma) in (0_u16..).zip([(1, 1), (2, 1), (2, 2), (4, 1)]) {
        let made = Made::new((21, 18), &[luma, (1, 1), (1, 1)], u64::from(number));
        for mut script in scripts.clone() {
            (script.restart, script.long_codes) = (number % 3, number % 2 == 0);
            files.push(script.write(&made));
        }
    }
    let four = Made::new((21, 18), &[(1, 1); 4], 9);
    files.push(Script::sequential(&[&[0, 1, 2, 3]]).write(&four));
    files
}

fn pngs() -> Result<Vec<Vec<u8>>> {
    let profile = profile(&profiles()?[1]);
    let mut files = Vec::new();
    for (kind, depths) in [
        (Kind::Grey, &[1, 2, 4, 8, 16][..]),
        (Kind::Rgb, &[8, 16]),
        (Kind::Palette, &[1, 2, 4, 8]),
        (Kind::GreyAlpha, &[8, 16]),
        (Kind::Rgba, &[8, 16]),
    ] {
        for depth in depths {
            for interlaced in [false, true] {
                let most = if kind == Kind::Palette { 1 } else { u16::MAX >> (16 - depth) };
                let sample =
                    |x: u32, y: u32, sample: usize| ((x * 7 + y * 13 + 50 * sample as u32) % 256) as u16 & most;
                let pixel = |x, y| (0..kind.samples()).map(|index| sample(x, y, index)).collect();
                let before = match kind {
                    Kind::Palette => vec![(*b"PLTE", vec![9, 99, 199, 255, 0, 55]), (*b"tRNS", vec![77])],
                    Kind::Grey => vec![(*b"tRNS", vec![0, 1])],
                    _ => vec![(*b"iCCP", profile.clone())],
                };
                let (size, after) = ((11, 9), vec![(*b"eXIf", exif(5))]);
                files.push(Png { kind, depth: *depth, size, interlaced, before, after, pixel: &pixel }.file());
            }
        }
    }
    Ok(files)
}

fn webps() -> Vec<Vec<u8>> {
    let picture = noise(40, 24);
    let opaque = DynamicImage::ImageRgb8(picture.to_rgb8());
    let flags = extended(0x28, (40, 24));
    let lossy = still(&opaque, false);
    let code = make::webp::content(&lossy, *b"VP8 ");
    let inner = frame((4, 2), (40, 24), &[(*b"VP8 ", code)]);
    vec![
        lossy.clone(),
        still(&opaque, true),
        still(&picture, false),
        still(&picture, true),
        animation(&[picture.to_rgba8(), DynamicImage::ImageRgb8(quarters(40, 24)).into_rgba8()], false),
        riff(&[
            (*b"VP8X", &flags),
            (*b"ICCP", &profiles().unwrap_or_default()[1]),
            (*b"VP8 ", code),
            (*b"EXIF", &exif(8)),
        ]),
        riff(&[(*b"VP8X", &extended(2, (60, 40))), (*b"ANIM", &[0; 6]), (*b"ANMF", &inner)]),
    ]
}

fn gifs() -> Result<Vec<Vec<u8>>> {
    let whole = saved(&noise(40, 24), ImageFormat::Gif)?;
    let mut interlaced = whole.clone();
    if let Some(at) = interlaced.windows(5).position(|bytes| bytes == [0x2c, 0, 0, 0, 0]) {
        interlaced[at + 9] |= 0x40;
    }
    Ok(vec![whole, interlaced, saved(&DynamicImage::ImageRgb8(quarters(20, 20)), ImageFormat::Gif)?])
}

fn heics() -> Result<Vec<Vec<u8>>> {
    let (mut grid, tiles) = Grid::quarters();
    let mut files = vec![grid.file(&tiles)];
    let fractions: [[u8; 8]; 4] =
        [[0, 0, 0, 64, 0, 0, 0, 1], [0, 0, 0, 96, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 2]];
    grid.properties = vec![
        (*b"clap", fractions.as_flattened().to_vec()),
        (*b"irot", vec![1]),
        (*b"imir", vec![0]),
        (*b"colr", b"nclx\0\x0c\0\x0d\0\x06\x80".to_vec()),
    ];
    grid.exif = exif(3);
    files.push(grid.file(&tiles));
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../media/fixtures"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "heic") {
            files.push(fs::read(path)?);
        }
    }
    Ok(files)
}
