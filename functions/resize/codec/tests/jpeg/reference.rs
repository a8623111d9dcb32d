//! What another decoder makes of the same files.

use handset_codec::Limits;
use handset_codec::jpeg::{Plane, Scale, decode};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::made::{Made, Transform};
use crate::scripts::{Script, scan};

/// The factors of luma that the other decoder reads, those of the colour differences being 1.
const FACTORS: [(u32, u32); 8] = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (1, 4), (2, 4)];

fn written(made: &Made, restart: u16, progressive: bool) -> Vec<u8> {
    let mut script = if progressive {
        Script::progressive(vec![
            scan(&[0, 1, 2], (0, 0), 0, 1),
            scan(&[0], (1, 5), 0, 2),
            scan(&[2], (1, 63), 0, 1),
            scan(&[1], (1, 63), 0, 1),
            scan(&[0], (6, 63), 0, 2),
            scan(&[0], (1, 63), 2, 1),
            scan(&[0, 1, 2], (0, 0), 1, 0),
            scan(&[2], (1, 63), 1, 0),
            scan(&[1], (1, 63), 1, 0),
            scan(&[0], (1, 63), 1, 0),
        ])
    } else {
        Script::sequential(&[&[0, 1, 2]])
    };
    script.restart = restart;
    script.write(made)
}

fn reference(file: &[u8], colours: ColorSpace) -> Vec<u8> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(colours);
    JpegDecoder::new_with_options(ZCursor::new(file), options).decode().unwrap()
}

fn luma(file: &[u8], scale: Scale) -> Plane {
    decode(file, Limits::default(), |_| vec![scale, Scale::Eighth, Scale::Eighth]).unwrap().1.swap_remove(0)
}

/// Compares luma. At reduced scales, what has to come out is made of the other decoder's samples: the lowest
/// frequencies of each block, transformed back to fewer points.
fn compare(what: &str, made: &Made, file: &[u8], scales: &[Scale]) {
    let (width, height) = (made.size.0 as usize, made.size.1 as usize);
    let reference = reference(file, ColorSpace::Luma);
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
        // What a block is filled up with at the edges, the reference does not tell.
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

#[test]
fn luma_is_what_another_decoder_sees_over_the_whole_matrix() {
    for side in 1..=70_u32 {
        for (number, luma) in (0..).zip(FACTORS) {
            let size = (side, 1 + (side * 31 + number * 17) % 70);
            let quality = [30, 75, 95, 100][(side + number) as usize % 4];
            let restart = [0, 1, 3][side as usize % 3];
            let made = Made::smooth(size, &[luma, (1, 1), (1, 1)], quality);
            for progressive in [false, true] {
                // In progressive pictures with more lines of luma than of colour the other decoder loses its way, where
                // libjpeg gives what the formulas give.
                if progressive && luma.1 > 1 {
                    continue;
                }
                let what = format!("{size:?} {luma:?} quality {quality} restart {restart} progressive {progressive}");
                let more = Scale::ALL[(side + number) as usize % 3];
                compare(&what, &made, &written(&made, restart, progressive), &[Scale::Whole, more]);
            }
        }
    }
}

#[test]
fn all_qualities_and_restart_intervals_at_all_scales() {
    for quality in [1, 10, 50, 75, 90, 100] {
        let made = Made::smooth((67, 45), &[(2, 2), (1, 1), (1, 1)], quality);
        for restart in [0, 1, 2, 7] {
            for progressive in [false, true] {
                let what = format!("quality {quality} restart {restart} progressive {progressive}");
                compare(&what, &made, &written(&made, restart, progressive), &Scale::ALL);
            }
        }
    }
}

#[test]
fn colour_differences_are_what_another_decoder_sees() {
    let made = Made::smooth((70, 53), &[(1, 1); 3], 90);
    for progressive in [false, true] {
        let file = written(&made, 0, progressive);
        let reference = reference(&file, ColorSpace::YCbCr);
        let (_, planes) = decode(&file, Limits::default(), |_| vec![Scale::Whole; 3]).unwrap();
        for (channel, plane) in planes.iter().enumerate() {
            let reference = reference.iter().skip(channel).step_by(3);
            assert!(plane.samples.iter().zip(reference).all(|(a, b)| a.abs_diff(*b) <= 1), "channel {channel}");
        }
    }
}
