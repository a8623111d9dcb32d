//! Every way to code a picture gives the samples that the formulas give.

use media_formats::jpeg::{Plane, Scale, decode};
use thumbnails::{Fit, Limits, Spec, thumbnails};

use crate::made::{Chance, Made};
use crate::scripts::{Scan, Script, scan, segment};

/// Decodes and compares all components, each at its scale.
fn check(what: &str, made: &Made, file: &[u8], scales: &[Scale]) {
    let planes = planes(file, scales).unwrap_or_else(|error| panic!("{what} of {:?}: {error}", made.size));
    assert_eq!(planes.len(), made.components.len());
    for (index, (plane, scale)) in planes.iter().zip(scales).enumerate() {
        made.judge(index, *scale, plane).unwrap_or_else(|error| panic!("{what} of {:?}: {error}", made.size));
    }
}

fn planes(file: &[u8], scales: &[Scale]) -> Result<Vec<Plane>, String> {
    let decoded = decode(file, Limits::default(), |_| scales.to_vec());
    decoded.map(|(_, planes)| planes).map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error)))
}

/// All sampling factors of three components whose colour differences are alike.
fn factors() -> Vec<Vec<(u32, u32)>> {
    let pairs = || (1..=4).flat_map(|across| (1..=4).map(move |down| (across, down)));
    pairs().flat_map(|luma| pairs().map(move |chroma| vec![luma, chroma, chroma])).collect()
}

/// Whether one scan may hold all components.
fn fits_one_scan(factors: &[(u32, u32)]) -> bool {
    factors.iter().map(|(across, down)| across * down).sum::<u32>() <= 10
}

fn four_scales(seed: u64) -> [Scale; 3] {
    let mut chance = Chance(seed * 2 + 1);
    [(); 3].map(|()| Scale::ALL[chance.below(4) as usize])
}

#[test]
fn all_sampling_factors_in_one_scan_or_in_three() {
    let mut chance = Chance(7);
    for (seed, factors) in (0..).zip(factors()) {
        for round in 0..4 {
            let size = (1 + chance.below(70), 1 + chance.below(70));
            let made = Made::new(size, &factors, seed);
            let together = fits_one_scan(&factors) && round % 2 == 0;
            let scans: &[&[usize]] = if together { &[&[0, 1, 2]] } else { &[&[2], &[0], &[1]] };
            let mut script = Script::sequential(scans);
            script.restart = [0, 0, 1, 3][round];
            script.long_codes = round < 2;
            check(&format!("{factors:?}"), &made, &script.write(&made), &four_scales(seed * 4 + round as u64));
        }
    }
}

#[test]
fn every_size_up_to_seventy_at_every_scale() {
    let common: [&[(u32, u32)]; 5] =
        [&[(1, 1)], &[(1, 1); 3], &[(2, 1), (1, 1), (1, 1)], &[(2, 2), (1, 1), (1, 1)], &[(3, 2), (1, 1), (1, 2)]];
    for width in 1..=70 {
        let factors = common[width as usize % 5];
        let made = Made::new((width, 1 + width * 37 % 70), factors, u64::from(width));
        let all: Vec<usize> = (0..factors.len()).collect();
        let file = Script::sequential(&[&all]).write(&made);
        for scale in Scale::ALL {
            check(&format!("{factors:?}"), &made, &file, &vec![scale; factors.len()]);
        }
    }
}

#[test]
fn four_components_and_restart_intervals_of_every_length() {
    let made = Made::new((61, 43), &[(2, 1), (1, 1), (1, 1), (2, 1)], 3);
    for restart in 0..20 {
        let mut script = Script::sequential(&[&[0, 1, 2, 3]]);
        script.restart = restart;
        let scales = [Scale::Eighth, Scale::Quarter, Scale::Half, Scale::Whole];
        check("four components", &made, &script.write(&made), &scales);
    }
}

/// Scripts of three components: in bands, in bits, in both, in the order that encoders use, and in odd ones.
pub fn progressions() -> Vec<(&'static str, Vec<Scan>)> {
    let each = |band, high, low| [0, 1, 2].map(|index| scan(&[index], band, high, low)).to_vec();
    let dc = || vec![scan(&[0, 1, 2], (0, 0), 0, 0)];
    vec![
        ("whole bands", [dc(), each((1, 63), 0, 0)].concat()),
        ("three bands", [dc(), each((1, 5), 0, 0), each((6, 20), 0, 0), each((21, 63), 0, 0)].concat()),
        ("high bands first", [dc(), each((30, 63), 0, 0), each((1, 29), 0, 0)].concat()),
        (
            "bit by bit",
            [
                vec![scan(&[0, 1, 2], (0, 0), 0, 2), scan(&[0, 1, 2], (0, 0), 2, 1), scan(&[0, 1, 2], (0, 0), 1, 0)],
                each((1, 63), 0, 3),
                each((1, 63), 3, 2),
                each((1, 63), 2, 1),
                each((1, 63), 1, 0),
            ]
            .concat(),
        ),
        (
            "as libjpeg does",
            vec![
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
            ],
        ),
        (
            "each DC alone, single coefficients",
            [each((0, 0), 0, 0), each((1, 1), 0, 1), each((2, 63), 0, 0), each((1, 1), 1, 0)].concat(),
        ),
    ]
}

#[test]
fn every_progression_at_every_scale() {
    let mut chance = Chance(99);
    for (name, scans) in progressions() {
        for factors in [[(1, 1); 3], [(2, 2), (1, 1), (1, 1)], [(2, 1), (1, 1), (1, 1)], [(3, 1), (1, 2), (1, 1)]] {
            for round in 0..12_u8 {
                let size = (1 + chance.below(70), 1 + chance.below(70));
                let made = Made::new(size, &factors, round.into());
                let mut script = Script::progressive(scans.clone());
                script.restart = [0, 0, 1, 4][usize::from(round) % 4];
                script.long_codes = round % 3 == 0;
                check(name, &made, &script.write(&made), &four_scales(round.into()));
            }
        }
    }
}

#[test]
fn a_flat_picture_of_many_blocks_ends_them_by_the_thousand() {
    let mut made = Made::new((2048, 1300), &[(1, 1); 3], 1);
    for block in made.components.iter_mut().flat_map(|component| &mut component.blocks) {
        block[1..].fill(0);
    }
    for (name, scans) in progressions() {
        check(name, &made, &Script::progressive(scans).write(&made), &[Scale::Half, Scale::Quarter, Scale::Eighth]);
    }
}

#[test]
fn coefficients_that_are_never_told_are_zero() {
    let mut made = Made::new((50, 50), &[(1, 1); 3], 5);
    let file = Script::progressive(vec![scan(&[0, 1, 2], (0, 0), 0, 0), scan(&[0], (1, 9), 0, 0)]).write(&made);
    for (index, component) in made.components.iter_mut().enumerate() {
        for block in &mut component.blocks {
            block[if index == 0 { 10 } else { 1 }..].fill(0);
        }
    }
    check("a part", &made, &file, &[Scale::Whole; 3]);
}

#[test]
fn fill_bytes_comments_and_stray_bytes_between_segments_do_not_matter() {
    let made = Made::new((40, 30), &[(2, 2), (1, 1), (1, 1)], 8);
    let mut script = Script::sequential(&[&[0, 1, 2]]);
    segment(&mut script.segments, 0xfe, b"\xff\xd9 is no end here");
    script.segments.extend([0xff, 0xff, 0xff]);
    segment(&mut script.segments, 0xef, &[0xff, 0xda, 0, 0]);
    script.segments.extend(b"stray\xff\0bytes");
    check("odd bytes", &made, &script.write(&made), &[Scale::Whole; 3]);
}

#[test]
fn components_may_all_have_the_same_name() {
    let mut made = Made::new((40, 30), &[(2, 2), (1, 1), (1, 1)], 8);
    for component in &mut made.components {
        component.id = 7;
    }
    check("one name", &made, &Script::sequential(&[&[0, 1, 2]]).write(&made), &[Scale::Whole; 3]);
}

#[test]
fn thumbnails_of_every_sampling_and_shape_have_the_size_asked_for() {
    let specs = [(16, Fit::Cover), (16, Fit::Contain), (300, Fit::Contain)].map(|(side, fit)| {
        let (width, height) = (side, side);
        Spec { width, height, fit }
    });
    let mut chance = Chance(11);
    for (seed, factors) in (0..).zip(factors()) {
        let (width, height) = (16 + chance.below(200), 16 + chance.below(200));
        let made = Made::new((width, height), &factors, seed);
        let file = Script::sequential(&[&[0], &[1], &[2]]).write(&made);
        let sizes = thumbnails(&file, &specs, Limits::default())
            .unwrap_or_else(|error| panic!("{factors:?}: {error}"))
            .iter()
            .map(|made| (made.width, made.height))
            .collect::<Vec<_>>();
        assert_eq!((sizes[0], sizes[1].0.max(sizes[1].1), sizes[2]), ((16, 16), 16, (width, height)), "{factors:?}");
    }
    for size in [(65_535, 1), (1, 65_535), (3, 9000), (9000, 3), (1, 1)] {
        let made = Made::new(size, &[(4, 2), (1, 1), (1, 1)], 1);
        let file = Script::sequential(&[&[0, 1, 2]]).write(&made);
        for made in thumbnails(&file, &specs, Limits::default()).unwrap_or_else(|error| panic!("{size:?}: {error}")) {
            assert!(made.width >= 1 && made.height >= 1);
            assert_eq!(image::load_from_memory(&made.bytes).unwrap().width(), made.width);
        }
    }
}
