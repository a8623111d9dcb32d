//! How many captchas a program reads: `tesseract` as Debian packages it, in the ways people set it on captchas.
//!
//! Each way is a preparation of the picture and a page segmentation mode, with the alphabet given away. It has to read
//! fewer than one in twenty. Without `tesseract` (Debian: `apt-get install tesseract-ocr`) the test says so and ends.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use domain::captcha::{ALPHABET, Picture};
use domain::crypto::SystemRandom;
use domain::random;
use image::{GrayImage, Luma, imageops};

/// Pictures. More give a finer number and take longer: about half a second each.
const PICTURES: usize = 60;
/// Of them, fewer than one in twenty may be read in any one way.
const MAY_BE_READ: usize = PICTURES / 20 - 1;

/// A single block, a line, a word, and a line without any thought of layout.
const MODES: [&str; 4] = ["6", "7", "8", "13"];

/// A way to prepare a picture.
type Preparation = (&'static str, fn(&GrayImage) -> GrayImage);

const PREPARATIONS: [Preparation; 6] = [
    ("as it is", GrayImage::clone),
    ("black and white", |picture| threshold(picture, 128)),
    ("median", median),
    ("enlarged", enlarge),
    ("median, enlarged, black and white", |picture| threshold(&enlarge(&median(picture)), 128)),
    ("enlarged, black and white, smoothed", |picture| median(&median(&threshold(&enlarge(picture), 150)))),
];

fn threshold(picture: &GrayImage, at: u8) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        Luma([if picture.get_pixel(x, y)[0] < at { 0 } else { 255 }])
    })
}

fn median(picture: &GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    GrayImage::from_fn(width, height, |x, y| {
        let near = |at: u32, end: u32| at.saturating_sub(1)..=(at + 1).min(end - 1);
        let mut levels: Vec<_> =
            near(y, height).flat_map(|y| near(x, width).map(move |x| picture.get_pixel(x, y)[0])).collect();
        levels.sort_unstable();
        Luma([levels[levels.len() / 2]])
    })
}

fn enlarge(picture: &GrayImage) -> GrayImage {
    imageops::resize(picture, picture.width() * 3, picture.height() * 3, imageops::FilterType::CatmullRom)
}

/// The text that tesseract reads in each picture of a list.
fn read(list: &Path, mode: &str) -> Vec<String> {
    let alphabet: String = ALPHABET.iter().collect();
    let output = Command::new("tesseract")
        .args([list.as_os_str(), "-".as_ref()])
        .args(["--psm", mode, "-c", &format!("tessedit_char_whitelist={alphabet}")])
        .env("OMP_THREAD_LIMIT", "1")
        .output()
        .expect("tesseract runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pages = String::from_utf8_lossy(&output.stdout);
    pages.split('\u{c}').map(|page| page.chars().filter(char::is_ascii_alphanumeric).collect()).collect()
}

#[test]
fn tesseract_reads_fewer_than_one_captcha_in_twenty() {
    if Command::new("tesseract").arg("--version").output().is_err() {
        println!("skipped: tesseract is not installed (Debian: apt-get install tesseract-ocr)");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captchas");
    fs::create_dir_all(&folder).unwrap();
    let mut drawn = Vec::new();
    for _ in 0..PICTURES {
        let text: String = (0..4).map(|_| ALPHABET[usize::from(random::bytes::<1>(&SystemRandom)[0]) % 16]).collect();
        let jpeg = Picture::of(&text, &SystemRandom).jpeg().unwrap();
        drawn.push((text, image::load_from_memory(&jpeg).unwrap().to_luma8()));
    }
    let mut in_any_way = HashSet::new();
    for (name, prepare) in PREPARATIONS {
        let paths: Vec<_> = (0..PICTURES).map(|index| folder.join(format!("{index}.png"))).collect();
        for ((_, picture), path) in drawn.iter().zip(&paths) {
            prepare(picture).save(path).unwrap();
        }
        let list = folder.join("list.txt");
        let lines: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        fs::write(&list, lines.join("\n") + "\n").unwrap();
        for mode in MODES {
            let pages = read(&list, mode);
            assert!(pages.len() >= PICTURES, "{} pages of {PICTURES} pictures", pages.len());
            let right: Vec<_> =
                (0..PICTURES).filter(|index| pages[*index].eq_ignore_ascii_case(&drawn[*index].0)).collect();
            println!("{name}, mode {mode}: {} of {PICTURES}", right.len());
            assert!(right.len() <= MAY_BE_READ, "{name}, mode {mode}: {} of {PICTURES}", right.len());
            in_any_way.extend(right);
        }
    }
    println!("in any way: {} of {PICTURES}", in_any_way.len());
}
