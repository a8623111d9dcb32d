//! Time on one core, both sides in turn.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thumbnails::{Fit, Limits, Spec, thumbnails};

use crate::sharp::Sharp;
use crate::{Result, SPECS};

/// Each side makes each thumbnail at least this many times, and for at least this long.
const ROUNDS: usize = 7;
const LONG_ENOUGH: Duration = Duration::from_millis(800);

/// The medians of one thumbnail, in microseconds.
struct Medians {
    ours: u64,
    sharp: u64,
}

/// Prints the times of both sides for inputs of a kind.
pub(crate) fn compare(kind: &str, photographs: &[PathBuf], workshop: &Path) -> Result<()> {
    println!("{kind}: medians over the photographs of the median times in ms, and of their ratios\n");
    println!("| thumbnail | ours | sharp | ratio | worst | best |\n|---|---|---|---|---|---|");
    let alpha = kind.ends_with("rgba");
    let mut sharp = Sharp::start(workshop)?;
    let mut rows: Vec<Vec<Medians>> = (0..=SPECS.len()).map(|_| Vec::new()).collect();
    for photograph in photographs {
        let file = sharp.derive(kind, photograph, workshop)?;
        let bytes = std::fs::read(&file)?;
        sharp.load(&file)?;
        for (index, spec) in SPECS.iter().enumerate() {
            rows[index].push(in_turn(&bytes, &[*spec], &mut sharp, alpha)?);
        }
        rows[SPECS.len()].push(in_turn(&bytes, &SPECS, &mut sharp, alpha)?);
    }
    for (index, row) in rows.iter().enumerate() {
        let name = SPECS.get(index).map_or_else(|| "all four".to_owned(), name);
        let mut ratios: Vec<u64> = row.iter().map(|row| row.sharp * 100 / row.ours.max(1)).collect();
        let ratio = median(&mut ratios);
        let [ours, theirs] = [
            median(&mut row.iter().map(|row| row.ours).collect::<Vec<_>>()),
            median(&mut row.iter().map(|row| row.sharp).collect::<Vec<_>>()),
        ];
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            decimal(ours / 10),
            decimal(theirs / 10),
            decimal(ratio),
            decimal(ratios[0]),
            decimal(ratios[ratios.len() - 1])
        );
    }
    println!();
    Ok(())
}

fn in_turn(bytes: &[u8], specs: &[Spec], sharp: &mut Sharp, alpha: bool) -> Result<Medians> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while ours.len() < ROUNDS || start.elapsed() < LONG_ENOUGH {
        let before = Instant::now();
        thumbnails(bytes, specs, Limits::default())?;
        ours.push(u64::try_from(before.elapsed().as_nanos())?);
        let mut sum = 0;
        for spec in specs {
            sum += sharp.time(*spec, alpha)?;
        }
        theirs.push(sum);
    }
    // The first ones warm up.
    let mut kept = [ours.split_off(1), theirs.split_off(1)];
    let [ours, sharp] = [0, 1].map(|side| median(&mut kept[side]) / 1000);
    Ok(Medians { ours, sharp })
}

fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

fn name(spec: &Spec) -> String {
    let fit = if spec.fit == Fit::Cover { "cover" } else { "contain" };
    format!("{fit} {}", spec.width)
}

/// Hundredths, with a point.
fn decimal(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
