//! Compares the codec with sharp, on given photos: time on one core, quality and memory.
//!
//! ```sh
//! cargo run --release -p thumbnails-bench -- DIRECTORY [PART…]
//! ```
//! DIRECTORY holds JPEG or PNG photographs, best of 3000 pixels and more. Parts are `jpeg`, `progressive`, `png`,
//! `webp`, `gif`, `quality`, `memory`; all of them if none is named. Needs Linux, Node, npm and `taskset`.

mod memory;
mod quality;
mod sharp;
mod speed;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sharp::Sharp;
use thumbnails::{Fit, Limits, Spec, thumbnails};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The core that both sides share, and the argument of the process that is bound to it.
const CORE: &str = "0";
const PINNED: &str = "--pinned";

/// The thumbnails to make: both sizes, both fits.
const SPECS: [Spec; 4] = [
    Spec { width: 128, height: 128, fit: Fit::Cover },
    Spec { width: 256, height: 256, fit: Fit::Cover },
    Spec { width: 128, height: 128, fit: Fit::Contain },
    Spec { width: 256, height: 256, fit: Fit::Contain },
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [memory::ONCE, file, width, height] => {
            let spec = Spec { width: width.parse()?, height: height.parse()?, fit: Fit::Cover };
            memory::once(Path::new(file), spec)
        }
        [PINNED, directory, ref parts @ ..] => compare(Path::new(directory), parts),
        [directory, ..] if Path::new(directory).is_dir() => {
            let own = std::env::current_exe()?;
            let status = Command::new("taskset").args(["-c", CORE]).arg(own).arg(PINNED).args(arguments).status()?;
            if status.success() { Ok(()) } else { Err("the comparison failed".into()) }
        }
        _ => Err("which directory holds the photographs?".into()),
    }
}

fn compare(directory: &Path, parts: &[&str]) -> Result<()> {
    let workshop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/versus-sharp");
    sharp::install(&workshop)?;
    let workshop = workshop.canonicalize()?;
    let photographs = photographs(directory)?;
    println!("{} photographs, core {CORE}, sharp with concurrency 1\n", photographs.len());
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    for (part, kinds) in [
        ("jpeg", &["jpeg-12mp", "jpeg-2mp"][..]),
        ("progressive", &["progressive-12mp"]),
        ("png", &["png-1mp-rgba", "png-12mp"]),
        ("webp", &["webp-2mp", "webp-12mp"]),
        ("gif", &["gif-1mp"]),
    ] {
        for kind in kinds.iter().filter(|_| wanted(part)) {
            speed::compare(kind, &photographs, &workshop)?;
        }
    }
    if wanted("quality") {
        for kind in ["jpeg-12mp", "jpeg-2mp", "progressive-12mp", "png-12mp", "webp-2mp", "webp-12mp"] {
            compare_quality(kind, &photographs, &workshop)?;
        }
    }
    if wanted("memory") {
        compare_memory(&photographs, &workshop)?;
    }
    Ok(())
}

fn photographs(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "jpg" || suffix == "jpeg" || suffix == "png") {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() { Err("the directory holds no photographs".into()) } else { Ok(found) }
}

/// Prints the distance of both sides from a full decode with Lanczos. Only whole pictures are compared, because crops
/// are rounded to pixels in different ways, which would hide all other differences.
fn compare_quality(kind: &str, photographs: &[PathBuf], workshop: &Path) -> Result<()> {
    println!("{kind}: dissimilarity from full decode and Lanczos, lower is better\n");
    println!("| photograph | 128 ours | 128 sharp | 256 ours | 256 sharp |\n|---|---|---|---|---|");
    let mut sharp = Sharp::start(workshop)?;
    for photograph in photographs {
        let file = sharp.derive(kind, photograph, workshop)?;
        let bytes = std::fs::read(&file)?;
        let original = image::load_from_memory(&bytes)?;
        sharp.load(&file)?;
        let mut cells = String::new();
        for spec in &SPECS[2..] {
            let own = thumbnails(&bytes, &[*spec], Limits::default())?;
            let theirs = sharp.thumbnail(*spec, false, &workshop.join("thumbnail"))?;
            for file in own.iter().map(|own| &own.bytes).chain([&theirs]) {
                let picture = image::load_from_memory(file)?.into_rgb8();
                let reference = quality::reference(&original, picture.width(), picture.height());
                write!(cells, " {:.5} |", quality::dissimilarity(&reference, &picture))?;
            }
        }
        println!("| {} |{cells}", photograph.file_stem().unwrap_or_default().display());
    }
    println!();
    Ok(())
}

/// Prints the growth of a process after the file is loaded.
fn compare_memory(photographs: &[PathBuf], workshop: &Path) -> Result<()> {
    println!("memory beyond the idle process with the file loaded, in MB, of a 256 by 256 cover\n");
    println!("| input | ours | sharp |\n|---|---|---|");
    let photograph = photographs.first().ok_or("there is no photograph")?;
    for kind in
        ["jpeg-12mp", "jpeg-50mp", "progressive-12mp", "png-1mp-rgba", "png-12mp", "png-50mp", "webp-12mp", "gif-1mp"]
    {
        // Starts a new process each time, because memory that an old process freed earlier would not count as growth.
        let mut sharp = Sharp::start(workshop)?;
        let file = sharp.derive(kind, photograph, workshop)?;
        let mut sharp = Sharp::start(workshop)?;
        sharp.load(&file)?;
        let theirs = sharp.peak(SPECS[1], kind.ends_with("rgba"))?;
        let own = memory::peak(&file, SPECS[1])?;
        println!(
            "| {kind} | {}.{} | {}.{} |",
            own / 1024,
            own % 1024 * 10 / 1024,
            theirs / 1024,
            theirs % 1024 * 10 / 1024
        );
    }
    Ok(())
}
