//! Bytes made to break the decoder: refused with the error that says why, without panic, and soon.

use handset_codec::jpeg::{Scale, decode};
use handset_codec::{Error, Fit, Limits, Spec, thumbnails};

use crate::clock::in_time;
use crate::made::{Chance, Made};
use crate::scripts::{Script, scan, segment};

const SPECS: [Spec; 2] =
    [Spec { width: 128, height: 128, fit: Fit::Cover }, Spec { width: 256, height: 256, fit: Fit::Contain }];

fn refusal(file: &[u8]) -> Option<Error> {
    thumbnails(file, &SPECS, Limits::default()).err()
}

fn sequential() -> Vec<u8> {
    Script::sequential(&[&[0, 1, 2]]).write(&Made::new((50, 41), &[(2, 2), (1, 1), (1, 1)], 4))
}

fn progressive() -> Vec<u8> {
    let scans = vec![
        scan(&[0, 1, 2], (0, 0), 0, 1),
        scan(&[0], (1, 63), 0, 1),
        scan(&[1], (1, 63), 0, 0),
        scan(&[2], (1, 63), 0, 0),
        scan(&[0, 1, 2], (0, 0), 1, 0),
        scan(&[0], (1, 63), 1, 0),
    ];
    let mut script = Script::progressive(scans);
    script.restart = 3;
    script.write(&Made::new((50, 41), &[(2, 2), (1, 1), (1, 1)], 4))
}

/// Where the content of the first segment with this marker begins.
fn content(file: &[u8], marker: u8) -> usize {
    file.windows(2).position(|pair| pair == [0xff, marker]).unwrap() + 4
}

#[test]
fn kinds_that_are_not_read_are_named() {
    for (marker, word) in [
        (0xc3, "loss"),
        (0xc5, "hierarchical"),
        (0xc6, "hierarchical"),
        (0xc7, "hierarchical"),
        (0xc9, "arithmetic"),
        (0xca, "arithmetic"),
        (0xcb, "arithmetic"),
        (0xcd, "hierarchical"),
        (0xcf, "hierarchical"),
    ] {
        let mut file = sequential();
        let at = content(&file, 0xc0);
        file[at - 3] = marker;
        let error = refusal(&file);
        assert!(matches!(error, Some(Error::Unsupported(name)) if name.contains(word)), "{marker:x}: {error:?}");
    }
    let mut file = sequential();
    let at = content(&file, 0xc0);
    file[at] = 12;
    assert!(matches!(refusal(&file), Some(Error::Unsupported(name)) if name.contains("8 bits")));
}

#[test]
fn frames_that_make_no_sense_are_refused() {
    let at = content(&sequential(), 0xc0);
    for (what, offset, value) in [
        ("no components", 5, 0),
        ("two components", 5, 2),
        ("five components", 5, 5),
        ("factor 0", 7, 0x01),
        ("factor 5", 7, 0x15),
        ("table 4", 8, 4),
        ("table that is not there", 8, 3),
        ("the same name twice", 9, 1),
    ] {
        let mut file = sequential();
        file[at + offset] = value;
        assert!(matches!(refusal(&file), Some(Error::Broken(_))), "{what}");
    }
    let mut file = sequential();
    file[at + 1..at + 3].fill(0);
    assert!(matches!(refusal(&file), Some(Error::TooManyPixels { height: 0, .. })));
    file[at + 1..at + 5].fill(0xff);
    assert!(matches!(refusal(&file), Some(Error::TooManyPixels { width: 65_535, height: 65_535 })));
}

#[test]
fn scans_that_make_no_sense_are_refused() {
    let made = Made::new((50, 41), &[(2, 2), (1, 1), (1, 1)], 4);
    let dc = || scan(&[0, 1, 2], (0, 0), 0, 0);
    for (what, scans) in [
        ("AC before and after", vec![dc(), scan(&[0], (1, 63), 0, 0), scan(&[0], (1, 63), 0, 0)]),
        ("refined without a first", vec![dc(), scan(&[0], (1, 63), 1, 0)]),
        ("refined from another bit", vec![dc(), scan(&[0], (1, 63), 0, 2), scan(&[0], (1, 63), 1, 0)]),
        ("DC again", vec![dc(), dc()]),
        ("one component without DC", vec![scan(&[0], (0, 0), 0, 0), scan(&[1], (0, 0), 0, 0)]),
    ] {
        let error = refusal(&Script::progressive(scans).write(&made));
        assert!(matches!(error, Some(Error::Broken(_))), "{what}: {error:?}");
    }
    let twice = Script::sequential(&[&[0], &[0], &[1], &[2]]).write(&made);
    assert!(matches!(refusal(&twice), Some(Error::Broken(_))));
    let missing = Script::sequential(&[&[0], &[1]]).write(&made);
    assert!(matches!(refusal(&missing), Some(Error::Broken(_))));
    let crowded = Made::new((50, 41), &[(4, 3), (1, 1), (1, 1)], 4);
    assert!(matches!(refusal(&Script::sequential(&[&[0, 1, 2]]).write(&crowded)), Some(Error::Broken(_))));
}

#[test]
fn a_file_cut_anywhere_is_refused_and_a_second_frame_too() {
    for (name, file) in [("sequential", sequential()), ("progressive", progressive())] {
        assert!(refusal(&file).is_none(), "{name}");
        for length in (0..file.len() - 3).step_by(7).chain(file.len() - 40..file.len() - 3) {
            let error = refusal(&file[..length]);
            assert!(matches!(error, Some(Error::Broken(_) | Error::NotAPicture)), "{name} cut to {length}: {error:?}");
        }
    }
    let file = sequential();
    let frame = content(&file, 0xc0) - 4;
    let again = [&file[..frame], &file[frame..frame + 19], &file[frame..]].concat();
    assert!(matches!(refusal(&again), Some(Error::Broken(_))));
}

#[test]
fn lost_and_exchanged_restart_markers_are_noticed() {
    let mut script = Script::sequential(&[&[0, 1, 2]]);
    script.restart = 2;
    let file = script.write(&Made::new((50, 41), &[(2, 2), (1, 1), (1, 1)], 4));
    let at = file.windows(2).position(|pair| pair == [0xff, 0xd1]).unwrap();
    for (what, marker) in [("another", 0xd2), ("an end", 0xd9), ("none", 0x00)] {
        let mut damaged = file.clone();
        damaged[at + 1] = marker;
        assert!(matches!(refusal(&damaged), Some(Error::Broken(_))), "{what}");
    }
}

#[test]
fn damaged_bytes_never_panic_at_any_scale() {
    let mut chance = Chance(5);
    for file in [sequential(), progressive()] {
        for round in 0..4000 {
            let mut damaged = file.clone();
            for _ in 0..=round % 3 {
                let at = chance.below(u32::try_from(file.len()).unwrap()) as usize;
                damaged[at] = [0x00, 0xff, 0xd0, u8::try_from(chance.below(256)).unwrap()][chance.below(4) as usize];
            }
            let scales = [0; 4].map(|_| Scale::ALL[chance.below(4) as usize]);
            let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
            // Some damage leaves a picture; the promise is only an answer.
            let _ = decode(&damaged, limits, |_| scales.to_vec());
        }
    }
}

#[test]
fn planes_larger_than_the_limit_are_refused_before_they_are_made() {
    let limits = Limits { max_bytes: 1000, ..Limits::default() };
    let error = decode(&sequential(), limits, |_| vec![Scale::Whole; 3]).err();
    assert!(matches!(error, Some(Error::TooMuchMemory)), "{error:?}");
    assert!(decode(&sequential(), limits, |_| vec![Scale::Eighth; 3]).is_ok());
}

/// Why `file` was refused, if it was.
fn answer(what: &str, file: &[u8]) -> Option<Error> {
    assert!(file.len() <= 20 << 20, "{what} is larger than what the promise is for");
    in_time(what, || refusal(file))
}

/// A file that claims these sides, with what `rest` puts behind its frame header.
fn claiming(progressive: bool, (width, height): (u16, u16), factors: u8, rest: &[u8]) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    segment(&mut file, 0xdb, &[&[0], [1; 64].as_slice()].concat());
    let ([y1, y0], [x1, x0]) = (height.to_be_bytes(), width.to_be_bytes());
    let frame = [8, y1, y0, x1, x0, 3, 1, factors, 0, 2, 0x11, 0, 3, 0x11, 0];
    segment(&mut file, if progressive { 0xc2 } else { 0xc0 }, &frame);
    file.extend(rest);
    file
}

/// A table of codes of one bit and two, for these symbols.
fn table(name: u8, symbols: [u8; 2]) -> Vec<u8> {
    let mut out = Vec::new();
    segment(&mut out, 0xc4, &[&[name, 1, 1], [0; 14].as_slice(), &symbols].concat());
    out
}

fn scan_header(components: &[u8], band: [u8; 2], bits: u8) -> Vec<u8> {
    let mut content = vec![u8::try_from(components.len()).unwrap()];
    content.extend(components.iter().flat_map(|id| [*id, 0]));
    content.extend(band);
    content.push(bits);
    let mut out = Vec::new();
    segment(&mut out, 0xda, &content);
    out
}

#[test]
fn the_longest_code_of_the_longest_number_uses_no_bits_that_are_not_there() {
    let one_code = |name: u8, length: usize, symbol: u8| {
        let mut counts = [0; 16];
        counts[length - 1] = 1;
        let mut out = Vec::new();
        segment(&mut out, 0xc4, &[&[name], counts.as_slice(), &[symbol]].concat());
        out
    };
    // All zeros are a difference of seven bits, and then codes of fourteen bits for numbers of fifteen.
    let tables = [one_code(0x00, 1, 7), one_code(0x10, 14, 0x0f)].concat();
    let data = |bytes| [tables.clone(), scan_header(&[1, 2, 3], [0, 63], 0), vec![0; bytes]].concat();
    assert!(refusal(&claiming(false, (512, 64), 0x11, &data(1 << 20))).is_none());
    assert!(refusal(&claiming(false, (512, 64), 0x11, &data(4000))).is_some(), "cut short");
}

#[test]
fn bombs_are_answered_in_time() {
    let fifty_megapixels = (8192, 6100);
    let tables = [table(0x00, [0, 1]), table(0x10, [0xf0, 0x00])].concat();
    // Every bit is a symbol: a DC difference of none, and coefficients stepped over sixteen at a time.
    let zeros = [tables.clone(), scan_header(&[1, 2, 3], [0, 63], 0), vec![0; 19 << 20]].concat();
    answer("all zeros", &claiming(false, fifty_megapixels, 0x11, &zeros));
    let empty = [tables.clone(), scan_header(&[1, 2, 3], [0, 63], 0)].concat();
    assert!(answer("no data", &claiming(false, fifty_megapixels, 0x11, &empty)).is_some());
    let markers = [tables.clone(), vec![0xff; 19 << 20]].concat();
    assert!(answer("fill bytes", &claiming(false, fifty_megapixels, 0x11, &markers)).is_some());
    let many = table(0x10, [0x01, 0x00]).repeat((19 << 20) / 23);
    assert!(answer("tables", &claiming(false, fifty_megapixels, 0x11, &many)).is_some());

    // A narrow picture, of which even the thumbnail needs every coefficient.
    let wide = (65_000, 500);
    let first = [tables.clone(), scan_header(&[1, 2, 3], [0, 0], 0), vec![0; 4 << 20]].concat();
    let mut scans = first.clone();
    for coefficient in 1..64 {
        for bit in (0..14_u8).rev() {
            let high = if bit == 13 { 0 } else { bit + 1 };
            // The longest run of ended blocks that a table can tell: everything in a few bytes.
            scans.extend(table(0x10, [0xe0, 0x00]));
            scans.extend(scan_header(&[1], [coefficient; 2], high << 4 | bit));
            scans.extend([0x7f, 0xfe].repeat(60));
        }
    }
    assert!(answer("many scans", &claiming(true, wide, 0x11, &scans)).is_some());
    let mut bits = first;
    bits.extend(table(0x10, [0x01, 0x00]));
    bits.extend(scan_header(&[1], [1, 63], 0x01));
    bits.extend(vec![0x55; 7 << 20]);
    bits.extend(scan_header(&[1], [1, 63], 0x10));
    bits.extend(vec![0x55; 7 << 20]);
    answer("many bits", &claiming(true, wide, 0x11, &bits));
    let restarts: Vec<u8> = (0..9 << 20).flat_map(|at: u32| [0xff, 0xd0 + u8::try_from(at % 8).unwrap()]).collect();
    let each = [tables, vec![0xff, 0xdd, 0, 4, 0, 1], scan_header(&[1, 2, 3], [0, 63], 0), restarts].concat();
    answer("restart markers", &claiming(false, fifty_megapixels, 0x11, &each));
}
