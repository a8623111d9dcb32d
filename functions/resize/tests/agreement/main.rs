//! Upload and thumbnails follow one rule: a file that libjpeg-turbo and libvips show is accepted and has thumbnails,
//! and a file that they refuse is refused at upload. The test compares the results for many damaged files with a table
//! of the two libraries' results, which `reference.py` writes.

mod cases;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use image::RgbaImage;
use media_formats::picture::{Clean, clean};
use thumbnails::{Fit, Limits, Spec, thumbnails};

use self::cases::Case;

const MOST: u64 = 50_000_000;
const CELLS: (usize, usize) = (4, 3);

/// The picture that a reference shows: its size, and red, green and blue of each cell.
struct Shown {
    size: (u32, u32),
    cells: Vec<u8>,
}

/// The table's entry for each case: the checksum of its bytes, and the picture.
fn table() -> BTreeMap<&'static str, (u32, Option<Shown>)> {
    let lines = include_str!("outcomes.txt").lines().filter(|line| !line.starts_with('#'));
    let read = |line: &'static str| {
        let mut words = line.split(' ');
        let (name, sum) = (words.next()?, u32::from_str_radix(words.next()?, 16).ok()?);
        let shown = match words.next()? {
            "shown" => {
                let (width, height) = words.next()?.split_once('x')?;
                let hex = words.next()?.as_bytes().as_chunks::<2>().0;
                let cells = hex.iter().map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
                Some(Shown { size: (width.parse().ok()?, height.parse().ok()?), cells: cells.collect::<Option<_>>()? })
            }
            _ => None,
        };
        Some((name, (sum, shown)))
    };
    lines.map(|line| read(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

/// Our result for a file.
enum Ours {
    /// The file is refused at upload.
    Refused,
    /// The file is stored and has no thumbnails.
    Stored,
    /// The thumbnails of the file: one as large as the picture, because it is not enlarged, and one of an eighth.
    Shown(Clean, [RgbaImage; 2]),
}

fn ours(bytes: &[u8]) -> Ours {
    let Ok(kept) = clean(bytes, MOST) else { return Ours::Refused };
    let spec = |side| Spec { width: side, height: side, fit: Fit::Contain };
    let eighth = kept.facts.width.max(kept.facts.height).div_ceil(8);
    match thumbnails(&kept.bytes, &[spec(256), spec(eighth)], Limits::default()) {
        Ok(made) => {
            let read = |index: usize| image::load_from_memory(&made[index].bytes).expect("a thumbnail").into_rgba8();
            Ours::Shown(kept, [read(0), read(1)])
        }
        Err(_) => Ours::Stored,
    }
}

/// The means of red, green and blue, times alpha, in each cell.
fn cells(picture: &RgbaImage) -> Vec<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let place = |at: usize| u32::try_from(at).expect("a place");
    let pixel = |x, y| picture.get_pixel(place(x), place(y));
    let mut means = Vec::new();
    for (row, column) in (0..CELLS.1).flat_map(|row| (0..CELLS.0).map(move |column| (row, column))) {
        let lines = row * height / CELLS.1..((row + 1) * height / CELLS.1).max(row * height / CELLS.1 + 1);
        let (left, right) = (column * width / CELLS.0, (column + 1) * width / CELLS.0);
        let (mut sums, mut count) = ([0; 3], 0);
        for (y, x) in lines.flat_map(|y| (left..right.max(left + 1)).map(move |x| (y, x))) {
            let [red, green, blue, alpha] = pixel(x, y).0.map(u32::from);
            for (sum, value) in sums.iter_mut().zip([red, green, blue]) {
                *sum += (value * alpha + 127) / 255;
            }
            count += 1;
        }
        means.extend(sums.map(|sum| u8::try_from(sum / count).expect("a mean")));
    }
    means
}

/// The largest difference between cells.
fn distance(some: &[u8], others: &[u8]) -> u8 {
    assert_eq!(some.len(), others.len());
    some.iter().zip(others).map(|(one, other)| one.abs_diff(*other)).max().unwrap_or_default()
}

/// The number of values that differ by more than `most`.
fn away(some: &[u8], others: &[u8], most: u8) -> usize {
    some.iter().zip(others).filter(|(one, other)| one.abs_diff(**other) > most).count()
}

/// The largest distance of cells from the range between the cells of two others.
fn outside(some: &[u8], one: &[u8], other: &[u8]) -> u8 {
    let outside = |((some, one), other): ((&u8, &u8), &u8)| {
        let between = (*one.min(other)..=*one.max(other)).contains(some);
        if between { 0 } else { some.abs_diff(*one).min(some.abs_diff(*other)) }
    };
    some.iter().zip(one).zip(other).map(outside).max().unwrap_or_default()
}

/// Files that we show and the references refuse.
fn is_shown_by_us_alone(name: &str) -> bool {
    // Zeros between the blocks of a GIF: libvips takes them for the end, even before the first frame; Pillow does not.
    // Damage inside an interlaced PNG: libvips shows nothing, and browsers show the part that is there.
    name.contains(".gif-zeros-at") || name.starts_with("interlaced.png") ||
    // A reserved bit, which is cleared when the file is cleaned.
    name == "alpha.webp-flip-20-0"
}

/// Files that libvips shows and we refuse.
fn is_shown_by_libvips_alone(name: &str) -> bool {
    // Chunks before the header of a PNG; nothing else reads such a file.
    name.contains("-before-IHDR")
}

/// Compares the pixels with those of the reference.
fn judge_pixels(case: &str, whole: &[u8], [ours, eighth]: [&[u8]; 2], reference: &[u8]) -> Result<(), String> {
    let (seed, what) = case.split_once('-').expect("a seed");
    let damaged = ["flip", "less", "more", "no-deflate"].iter().any(|damage| what.starts_with(damage));
    match seed.rsplit('.').next() {
        // Coefficients of damaged blocks that need more than 16 bits wrap around in libjpeg's vector code, but not
        // here. And libjpeg smooths blocks of which it knows only the mean.
        Some("jpg") => {
            let far = [away(ours, reference, 6), away(eighth, reference, 24)];
            let most =
                if damaged || seed.starts_with("progressive") || seed.starts_with("restarting") { 12 } else { 0 };
            if far[0] <= most && far[1] <= 9 { Ok(()) } else { Err(format!("{far:?} of 36 are away")) }
        }
        Some("webp") if distance(ours, reference) > 7 => Err(format!("{} away", distance(ours, reference))),
        // libvips loses rows before the damage, as many as its buffers hold. If the damage is not noticed at once,
        // these rows may contain anything.
        Some("png" | "gif") if !damaged && outside(ours, reference, whole) > 10 => {
            Err(format!("{} away", outside(ours, reference, whole)))
        }
        _ => Ok(()),
    }
}

/// Returns the problem of a case, if there is one.
fn judge(case: &Case, whole: &Shown, expected: Option<&Shown>) -> Result<(), String> {
    match (ours(&case.bytes), expected) {
        (Ours::Shown(kept, pictures), expected) => {
            if clean(&kept.bytes, MOST).ok().as_ref() != Some(&kept) {
                return Err("a second cleaning changes it".into());
            }
            let Some(shown) = expected else {
                let alone = is_shown_by_us_alone(&case.name);
                return if alone { Ok(()) } else { Err("shown, but refused by the reference".into()) };
            };
            if (kept.facts.width, kept.facts.height) != shown.size {
                return Err(format!("{:?} instead of {:?}", kept.facts, shown.size));
            }
            let cells = pictures.each_ref().map(cells);
            judge_pixels(&case.name, &whole.cells, cells.each_ref().map(Vec::as_slice), &shown.cells)
        }
        (Ours::Refused, None) => Ok(()),
        // Damage that only decoding finds.
        (Ours::Stored, None) if !case.name.contains(".jpg-") && !case.name.contains(".gif-") => Ok(()),
        (Ours::Stored, None) => Err("stored, but refused by the reference".into()),
        (Ours::Refused, Some(_)) if is_shown_by_libvips_alone(&case.name) => Ok(()),
        (Ours::Refused, Some(_)) => Err("refused, but shown by the reference".into()),
        (Ours::Stored, Some(_)) => Err("has no thumbnail, but is shown by the reference".into()),
    }
}

#[test]
fn what_the_references_show_has_thumbnails_and_what_they_refuse_is_refused() {
    let cases = cases::all();
    if let Some(folder) = option_env!("AGREEMENT_CASES") {
        fs::create_dir_all(folder).unwrap();
        for case in &cases {
            fs::write(Path::new(folder).join(&case.name), &case.bytes).unwrap();
        }
        return;
    }
    let table = table();
    assert_eq!(table.len(), cases.len(), "the table is of other cases");
    let mut wrong = Vec::new();
    for case in &cases {
        let (sum, expected) = &table[case.name.as_str()];
        assert_eq!(*sum, crc32fast::hash(&case.bytes), "{}", case.name);
        let seed = case.name.split('-').next().expect("a seed");
        let whole = table[format!("{seed}-whole").as_str()].1.as_ref().expect("a seed is shown");
        if let Err(what) = judge(case, whole, expected.as_ref()) {
            wrong.push(format!("{}: {what}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
