//! Files that are damaged after their headers are decoded as far as possible, and split without the invisible bytes.

use media_formats::jpeg::{Part, Plane, Scale, decode, survey};
use thumbnails::Limits;

use crate::made::Made;
use crate::scripts::{Script, scan, segment};
use crate::variants::progressions;

const FACTORS: [(u32, u32); 3] = [(2, 2), (1, 1), (1, 1)];

fn planes(file: &[u8], scale: Scale) -> Vec<Plane> {
    decode(file, Limits::default(), |_| vec![scale; 4]).expect("shown").1
}

/// The lines of a plane.
fn lines(plane: &Plane) -> Vec<&[u8]> {
    plane.samples.chunks(plane.width as usize).collect()
}

/// The number of lines of luma that are equal to `whole`, and the number of grey lines at the end.
fn same_and_grey(whole: &Plane, found: &Plane) -> (usize, usize) {
    let (whole, found) = (lines(whole), lines(found));
    let same = whole.iter().zip(&found).take_while(|(one, other)| one == other).count();
    (same, found.iter().rev().take_while(|line| line.iter().all(|sample| *sample == 128)).count())
}

/// The start of the first scan's data.
fn data(file: &[u8]) -> usize {
    file.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 14
}

fn markers(file: &[u8]) -> Vec<usize> {
    (data(file)..file.len()).filter(|at| matches!(file[*at..], [0xff, 0xd0..=0xd7, ..])).collect()
}

#[test]
fn a_file_cut_anywhere_in_its_scan_shows_what_comes_before_and_grey() {
    let made = Made::new((90, 160), &FACTORS, 4);
    let file = Script::sequential(&[&[0, 1, 2]]).write(&made);
    for scale in Scale::ALL {
        let whole = planes(&file, scale);
        let (mut before, height) = (0, whole[0].height as usize);
        for length in (data(&file)..file.len()).step_by(11) {
            let found = planes(&file[..length], scale);
            let (same, grey) = same_and_grey(&whole[0], &found[0]);
            assert!(same >= before, "{scale:?} {length}");
            // Only the row of units with the cut, two blocks high, may be neither.
            assert!(same + grey + 2 * scale.side() >= height, "{scale:?} {length}: {same} and {grey} of {height}");
            before = same;
        }
        assert!(before + 2 * scale.side() >= height, "{scale:?}: {before} of {height}");
        assert_eq!(planes(&file[..file.len() - 2], scale), whole, "the end alone is missing");
    }
}

#[test]
fn a_progressive_file_cut_between_scans_shows_the_scans_that_are_there() {
    let made = Made::new((50, 41), &FACTORS, 4);
    for (name, scans) in progressions() {
        for count in 1..=scans.len() {
            let whole = Script::progressive(scans[..count].to_vec()).write(&made);
            let open = &whole[..whole.len() - 2];
            for scale in Scale::ALL {
                assert_eq!(planes(open, scale), planes(&whole, scale), "{name}, {count} scans");
            }
        }
    }
}

#[test]
fn components_without_a_scan_are_grey() {
    let made = Made::new((50, 41), &FACTORS, 4);
    let whole = planes(&Script::sequential(&[&[0], &[1], &[2]]).write(&made), Scale::Whole);
    let found = planes(&Script::sequential(&[&[0], &[1]]).write(&made), Scale::Whole);
    assert_eq!(found[..2], whole[..2]);
    assert!(found[2].samples.iter().all(|sample| *sample == 128));
    let found = planes(&Script::progressive(vec![scan(&[1], (0, 0), 0, 0)]).write(&made), Scale::Half);
    assert!(
        found[0].samples.iter().all(|sample| *sample == 128) && found[1].samples.iter().any(|sample| *sample != 128)
    );
}

#[test]
fn damage_between_two_restart_markers_stays_between_them() {
    let made = Made::new((96, 96), &FACTORS, 4);
    for progressive in [false, true] {
        let mut script = Script::sequential(&[&[0, 1, 2]]);
        if progressive {
            script = Script::progressive(vec![scan(&[0, 1, 2], (0, 0), 0, 0)]);
        }
        script.restart = 6;
        let file = script.write(&made);
        let markers = markers(&file);
        assert_eq!(markers.len(), 5);
        for scale in Scale::ALL {
            let whole = planes(&file, scale);
            let mut damaged = file.clone();
            for byte in &mut damaged[markers[1] + 4..markers[2]] {
                *byte = 0;
            }
            let found = planes(&damaged, scale);
            let rows = |plane: &Plane, rows: std::ops::Range<usize>| {
                lines(plane)[rows.start * 2 * scale.side()..rows.end * 2 * scale.side()].concat()
            };
            assert_eq!(rows(&found[0], 0..2), rows(&whole[0], 0..2), "{scale:?}");
            assert_ne!(rows(&found[0], 2..3), rows(&whole[0], 2..3), "{scale:?}");
            assert_eq!(rows(&found[0], 3..6), rows(&whole[0], 3..6), "{scale:?}");
        }
    }
}

#[test]
fn a_restart_marker_that_is_lost_doubled_or_wrong_costs_what_it_stands_before_at_most() {
    let made = Made::new((96, 160), &FACTORS, 9);
    let mut script = Script::sequential(&[&[0, 1, 2]]);
    script.restart = 6;
    let file = script.write(&made);
    let markers = markers(&file);
    let at = markers[3];
    let whole = planes(&file, Scale::Whole);
    let with = |new: &[u8]| planes(&[&file[..at], new, &file[at + 2..]].concat(), Scale::Whole);
    let row = |planes: &[Plane], row: usize| lines(&planes[0])[row * 16..row * 16 + 16].concat();
    for (what, found, lost) in [
        ("doubled", with(&[0xff, 0xd3, 0xff, 0xd3]), 1),
        ("late", with(&[9, 9, 9, 0xff, 0xd3]), 0),
        ("another number", with(&[0xff, 0xd7]), 0),
        ("a marker that is reserved", with(&[0xff, 0x02, 0xff, 0xd3]), 0),
        ("lost", with(&[]), 1),
        ("its zero", with(&[0xff, 0x00]), 1),
    ] {
        for index in 0..10 {
            let same = row(&found, index) == row(&whole, index);
            assert!(same || (4..4 + lost).contains(&index), "{what}: row {index}");
        }
        assert_eq!(row(&found, 4) != row(&whole, 4), lost == 1, "{what}");
    }
    // Two missing markers in a row, and a marker that is not a restart marker, after which nothing is found again.
    let two = planes(&[&file[..at], &file[markers[5]..]].concat(), Scale::Whole);
    let expected: Vec<bool> = (0..10).map(|index| !(4..6).contains(&index)).collect();
    assert_eq!((0..10).map(|index| row(&two, index) == row(&whole, index)).collect::<Vec<_>>(), expected);
    let end = with(&[0xff, 0xd9]);
    assert!((0..10).all(|index| (row(&end, index) == row(&whole, index)) == (index < 4)));
}

#[test]
fn the_standard_tables_may_be_left_out() {
    let mut file = Vec::new();
    let picture = image::RgbImage::from_fn(80, 60, |x, y| {
        image::Rgb([x * 3, y * 4, 90].map(|value| u8::try_from(value).unwrap()))
    });
    // Writes the tables of the standard.
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 90).encode_image(&picture).unwrap();
    let whole = planes(&file, Scale::Whole);
    let mut without = file.clone();
    while let Some(at) = without.windows(2).position(|pair| pair == [0xff, 0xc4]) {
        let length = usize::from(u16::from_be_bytes([without[at + 2], without[at + 3]]));
        without.drain(at..at + 2 + length);
    }
    assert!(without.len() + 300 < file.len());
    assert_eq!(planes(&without, Scale::Whole), whole);
    let lent = survey(&without, u64::MAX).unwrap().lent.expect("tables");
    let mut with = without.clone();
    let scan = with.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let mut tables = Vec::new();
    segment(&mut tables, 0xc4, &lent);
    with.splice(scan..scan, tables);
    assert_eq!((planes(&with, Scale::Whole), survey(&with, u64::MAX).unwrap().lent), (whole, None));
    assert_eq!(survey(&file, u64::MAX).unwrap().lent, None);
}

/// The coded data that a survey finds in a file.
fn coded(file: &[u8]) -> Vec<u8> {
    let parts = survey(file, u64::MAX).expect("shown").parts;
    let stretches =
        parts.into_iter().filter_map(|part| if let Part::Scan { data, .. } = part { Some(data) } else { None });
    stretches.flatten().flat_map(|stretch| file[stretch].to_vec()).collect()
}

#[test]
fn what_stands_behind_the_last_unit_is_none_of_the_scan() {
    let made = Made::new((50, 41), &FACTORS, 4);
    let scripts = progressions().into_iter().map(|(name, scans)| (name, Script::progressive(scans)));
    let scripts = scripts.chain([
        ("one scan", Script::sequential(&[&[0, 1, 2]])),
        ("three scans", Script::sequential(&[&[2], &[0], &[1]])),
    ]);
    for (name, mut script) in scripts {
        for restart in [0, 1, 4] {
            script.restart = restart;
            let file = script.write(&made);
            let right = coded(&file);
            let open = &file[..file.len() - 2];
            for behind in
                [&b""[..], b"PK\x03\x04 an archive", b"\0\0\0", b"\xff\xff", b"\xff\0 \xff\0", b"SEFT\xff\xd9"]
            {
                let found = coded(&[open, behind].concat());
                assert!(found == right, "{name}, restart {restart}: {} bytes for {}", found.len(), right.len());
            }
        }
    }
    let file = Script::sequential(&[&[0, 1, 2]]).write(&made);
    let right = coded(&file);
    let another = [&file[..file.len() - 2], b"\xff\xd8\xff\xe1\0\x04ab", &file[..]].concat();
    assert!(coded(&another) == right, "another picture behind the only scan");
}

#[test]
fn the_data_of_a_whole_file_are_all_of_the_scan() {
    let made = Made::new((50, 41), &FACTORS, 4);
    for restart in [0, 1, 3] {
        let mut script = Script::sequential(&[&[0, 1, 2]]);
        script.restart = restart;
        let file = script.write(&made);
        assert!(coded(&file) == file[data(&file)..file.len() - 2], "restart {restart}");
    }
}

#[test]
fn bytes_between_an_interval_and_its_marker_go() {
    let mut script = Script::sequential(&[&[0, 1, 2]]);
    script.restart = 3;
    let file = script.write(&Made::new((50, 41), &FACTORS, 4));
    let right = coded(&file);
    let mut hiding = file.clone();
    for at in markers(&file).into_iter().rev() {
        hiding.splice(at..at, *b"hidden\xff\x02hidden");
    }
    assert!(coded(&hiding) == right);
}

#[test]
fn samples_that_stand_for_parts_of_pixels_are_refused_by_a_survey() {
    let made = Made::new((50, 41), &[(3, 1), (2, 1), (1, 1)], 4);
    let file = Script::sequential(&[&[0], &[1], &[2]]).write(&made);
    assert!(survey(&file, u64::MAX).is_err() && decode(&file, Limits::default(), |_| vec![Scale::Whole; 3]).is_ok());
}
