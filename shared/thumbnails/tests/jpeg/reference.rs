//! Compares the results with those of another decoder for the same files.

use std::thread;

use jpeg_decoder::{ColorTransform, Decoder};
use media_formats::jpeg::{Plane, Scale, decode};
use thumbnails::Limits;

use crate::made::{Made, Transform};
use crate::scripts::Script;
use crate::variants::progressions;

/// The qualities of the matrix.
const QUALITIES: [u32; 4] = [30, 75, 95, 100];

/// The restart intervals of the matrix, in units of the scan.
const RESTARTS: [u16; 4] = [0, 1, 3, 7];

/// All factors of luma, those of the colour differences being 1.
fn factors() -> impl Iterator<Item = (u32, u32)> {
    (1..=4).flat_map(|across| (1..=4).map(move |down| (across, down)))
}

/// Ways to write a picture of three components.
fn scripts(luma: (u32, u32)) -> Vec<(&'static str, Script)> {
    let mut scripts =
        vec![("one scan", Script::sequential(&[&[0, 1, 2]])), ("three scans", Script::sequential(&[&[2], &[0], &[1]]))];
    scripts.extend(progressions().into_iter().map(|(name, scans)| (name, Script::progressive(scans))));
    // A unit of a scan has ten blocks at most (T.81, B.2.3).
    scripts.retain(|(_, script)| luma.0 * luma.1 <= 8 || script.scans.iter().all(|scan| scan.components.len() == 1));
    scripts
}

/// All samples from the other decoder, luma and differences in turn.
fn reference(file: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(file);
    // If they are declared as red, green and blue, the decoder returns them unchanged.
    decoder.set_color_transform(ColorTransform::RGB);
    decoder.decode().unwrap()
}

fn luma(file: &[u8], scale: Scale) -> Plane {
    decode(file, Limits::default(), |_| vec![scale, Scale::Eighth, Scale::Eighth]).unwrap().1.swap_remove(0)
}

/// Compares luma. At reduced scales, the expected samples are computed from those of the other decoder: the lowest
/// frequencies of each block, transformed back to fewer points.
fn compare(what: &str, made: &Made, file: &[u8], scales: &[Scale]) {
    let (width, height) = (made.size.0 as usize, made.size.1 as usize);
    let reference: Vec<u8> = reference(file).into_iter().step_by(3).collect();
    assert_eq!(reference.len(), width * height, "{what}");
    let eight = Transform::new(8);
    for scale in scales {
        let plane = luma(file, *scale);
        if *scale == Scale::Whole {
            let most = plane.samples.iter().zip(&reference).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(1), "{what}: {most:?}");
            continue;
        }
        let (side, reduced) = (scale.side(), Transform::new(scale.side()));
        // The reference does not show the samples that fill up the blocks at the edges.
        for (row, column) in (0..height / 8).flat_map(|row| (0..width / 8).map(move |column| (row, column))) {
            let sample = |at: usize| f64::from(reference[(row * 8 + at / 8) * width + column * 8 + at % 8]);
            let expected = reduced.inverse(&eight.forward(&std::array::from_fn(sample)));
            for (at, expected) in expected.iter().enumerate() {
                let index = (row * side + at / side) * plane.width as usize + column * side + at % side;
                let found = f64::from(plane.samples[index]);
                let what = format!("{what} at {scale:?}: {found} for {expected} in block {row}, {column}");
                assert!((found - expected).abs() < 1.6, "{what}");
            }
        }
    }
}

/// Compares every way of writing pictures of `side` columns, with every factor and quality. Returns their number.
fn compare_all(side: u32) -> usize {
    let mut count = 0;
    for (number, luma) in (0..).zip(factors()) {
        let size = (side, 1 + (side * 31 + number * 17) % 70);
        for quality in QUALITIES {
            let made = Made::smooth(size, &[luma, (1, 1), (1, 1)], quality);
            for (name, mut script) in scripts(luma) {
                for restart in RESTARTS {
                    script.restart = restart;
                    script.long_codes = count % 2 == 0;
                    let what = format!("{size:?} {luma:?} quality {quality} restart {restart} in {name}");
                    compare(&what, &made, &script.write(&made), &[Scale::Whole, Scale::ALL[count % 3]]);
                    count += 1;
                }
            }
        }
    }
    count
}

#[test]
fn luma_is_what_another_decoder_sees_over_the_whole_matrix() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let count: usize = thread::scope(|scope| {
        let part = |first| move || (1..=70).skip(first).step_by(threads).map(compare_all).sum::<usize>();
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(part(first))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    });
    // Four factors have more blocks than one scan of all components may; two ways have only scans of one each.
    assert_eq!(count, 70 * (12 * 8 + 4 * 2) * QUALITIES.len() * RESTARTS.len());
}

#[test]
fn all_qualities_and_restart_intervals_at_all_scales() {
    for quality in [1, 10, 50, 75, 90, 100] {
        let made = Made::smooth((67, 45), &[(2, 2), (1, 1), (1, 1)], quality);
        for restart in [0, 1, 2, 7] {
            for (name, mut script) in scripts((2, 2)) {
                script.restart = restart;
                let what = format!("quality {quality} restart {restart} in {name}");
                compare(&what, &made, &script.write(&made), &Scale::ALL);
            }
        }
    }
}

#[test]
fn colour_differences_are_what_another_decoder_sees() {
    let made = Made::smooth((70, 53), &[(1, 1); 3], 90);
    for (name, script) in scripts((1, 1)) {
        let file = script.write(&made);
        let reference = reference(&file);
        let (_, planes) = decode(&file, Limits::default(), |_| vec![Scale::Whole; 3]).unwrap();
        for (channel, plane) in planes.iter().enumerate() {
            let reference = reference.iter().skip(channel).step_by(3);
            assert!(plane.samples.iter().zip(reference).all(|(a, b)| a.abs_diff(*b) <= 1), "{name}: channel {channel}");
        }
    }
}
