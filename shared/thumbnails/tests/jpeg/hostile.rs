//! Bytes made to break the decoder: they are refused with the right error, without panic, and quickly.

use media_formats::jpeg::{Part, Scale, decode, survey};
use thumbnails::{Error, Fit, Limits, Spec, thumbnails};

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

/// The start of the content of the first segment with this marker.
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
    for (what, scans, [first, last, bits]) in [
        ("a band that ends before it begins", vec![dc(), scan(&[0], (5, 63), 0, 0)], [5, 4, 0]),
        ("a band behind the last coefficient", vec![dc(), scan(&[0], (1, 63), 0, 0)], [1, 64, 0]),
        ("AC beside DC", vec![scan(&[0], (0, 0), 0, 0)], [0, 5, 0]),
        ("two bits at once", vec![dc(), scan(&[0], (1, 63), 2, 1)], [1, 63, 0x31]),
        ("a bit that samples do not have", vec![dc(), scan(&[0], (1, 63), 0, 0)], [1, 63, 0x0e]),
    ] {
        let mut file = Script::progressive(scans).write(&made);
        assert!(refusal(&file).is_none(), "{what}");
        let header = file.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
        file[header + 7..header + 10].copy_from_slice(&[first, last, bits]);
        let error = refusal(&file);
        assert!(matches!(error, Some(Error::Broken(_))), "{what}: {error:?}");
    }
    let crowded = Made::new((50, 41), &[(4, 3), (1, 1), (1, 1)], 4);
    assert!(matches!(refusal(&Script::sequential(&[&[0, 1, 2]]).write(&crowded)), Some(Error::Broken(_))));
    let mut unknown = sequential();
    let at = content(&unknown, 0xda);
    unknown[at + 1] = 9;
    assert!(matches!(refusal(&unknown), Some(Error::Broken(_))));
    let mut twice = sequential();
    twice[at + 3] = 1;
    assert!(matches!(refusal(&twice), Some(Error::Broken(_))));
}

#[test]
fn tables_that_make_no_sense_are_refused_where_they_are_used() {
    let file = sequential();
    let at = content(&file, 0xc4);
    for (what, offset, value) in [
        ("more codes than fit", 1, 3),
        ("a code of ones only", 1, 2),
        ("a table 4", 0, 4),
        ("a class 2", 0, 0x20),
        ("a size of 16 bits", 17, 16),
    ] {
        let mut file = file.clone();
        file[at + offset] = value;
        assert!(matches!(refusal(&file), Some(Error::Broken(_))), "{what}");
    }
    let mut quantiser = file.clone();
    let at = content(&quantiser, 0xdb);
    quantiser[at] = 0x14;
    assert!(matches!(refusal(&quantiser), Some(Error::Broken(_))));
    quantiser[at] = 0x11;
    assert!(matches!(refusal(&quantiser), Some(Error::Broken(_))), "the table that the frame names is not there");
}

#[test]
fn a_file_cut_before_its_first_scan_is_refused_and_a_second_frame_too() {
    for (name, file) in [("sequential", sequential()), ("progressive", progressive())] {
        assert!(refusal(&file).is_none(), "{name}");
        for length in 0..content(&file, 0xda) {
            let error = refusal(&file[..length]);
            // If the frame header is cut, the bytes after the end count as its size.
            let refused = matches!(error, Some(Error::Broken(_) | Error::NotAPicture | Error::TooManyPixels { .. }));
            assert!(refused, "{name} cut to {length}: {error:?}");
        }
    }
    for file in [sequential(), progressive()] {
        let frame = file.windows(2).position(|pair| matches!(pair, [0xff, 0xc0 | 0xc2])).unwrap();
        let again = [&file[..frame], &file[frame..frame + 19], &file[frame..]].concat();
        assert!(matches!(refusal(&again), Some(Error::Broken(_))));
    }
    let file = progressive();
    let frame = content(&file, 0xc2) - 4;
    let late = [&file[..file.len() - 2], &file[frame..frame + 19], &[0xff, 0xd9]].concat();
    assert!(matches!(refusal(&late), Some(Error::Broken(_))));
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
            // Some damaged files still show a picture. The test only requires a result.
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

/// The error for `file`, if it is refused.
fn answer(what: &str, file: &[u8]) -> Option<Error> {
    assert!(file.len() <= 20 << 20, "{what} is larger than what the promise is for");
    let refused = in_time(what, || refusal(file));
    let surveyed = in_time(&format!("taking apart {what}"), || survey(file, Limits::default().max_pixels).err());
    assert_eq!(refused.is_some(), surveyed.is_some(), "{what}: {refused:?}, {surveyed:?}");
    refused
}

/// A file that claims these sides, with `rest` after its frame header.
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
    // 512 units of three blocks, each of 8 bits and 63 times 29.
    for (bytes, used) in [(1 << 20, 512 * 3 * (8 + 63 * 29) / 8), (4000, 4000)] {
        let file = claiming(false, (512, 64), 0x11, &data(bytes));
        assert!(refusal(&file).is_none());
        let parts = survey(&file, u64::MAX).unwrap().parts;
        let stretches =
            parts.iter().find_map(|part| if let Part::Scan { data, .. } = part { Some(data) } else { None });
        assert_eq!(stretches.unwrap().iter().map(ExactSizeIterator::len).sum::<usize>(), used);
    }
}

#[test]
fn bombs_are_answered_in_time() {
    let fifty_megapixels = (8192, 6100);
    let tables = [table(0x00, [0, 1]), table(0x10, [0xf0, 0x00])].concat();
    // Every bit is a symbol: a DC difference of none, and coefficients stepped over sixteen at a time.
    let zeros = [tables.clone(), scan_header(&[1, 2, 3], [0, 63], 0), vec![0; 19 << 20]].concat();
    answer("all zeros", &claiming(false, fifty_megapixels, 0x11, &zeros));
    let empty = [tables.clone(), scan_header(&[1, 2, 3], [0, 63], 0)].concat();
    assert!(answer("no data", &claiming(false, fifty_megapixels, 0x11, &empty)).is_none());
    let markers = [tables.clone(), vec![0xff; 19 << 20]].concat();
    assert!(answer("fill bytes", &claiming(false, fifty_megapixels, 0x11, &markers)).is_some());
    let many = table(0x10, [0x01, 0x00]).repeat((19 << 20) / 23);
    assert!(answer("tables", &claiming(false, fifty_megapixels, 0x11, &many)).is_some());

    let within = [tables.clone(), scan_header(&[1, 2, 3], [0, 63], 0), vec![0xff; 19 << 20], vec![0]].concat();
    answer("fill bytes in a scan", &claiming(false, fifty_megapixels, 0x11, &within));
    let again = scan_header(&[1], [0, 63], 0).repeat(100);
    answer("scans of nothing", &claiming(false, fifty_megapixels, 0x11, &[tables.clone(), again].concat()));
    let each = [vec![0xff, 0xdd, 0, 4, 0, 1], tables.clone()].concat();
    let lost: Vec<u8> = (0..100).flat_map(|_| [scan_header(&[1], [0, 63], 0), vec![0xff, 0xd1]].concat()).collect();
    answer("scans of lost restarts", &claiming(false, fifty_megapixels, 0x11, &[each, lost].concat()));
    narrow_bombs_are_answered_in_time(&tables);
}

/// Of a narrow picture even the thumbnail needs every coefficient.
fn narrow_bombs_are_answered_in_time(tables: &[u8]) {
    let wide = (65_000, 500);
    let zeros = vec![0; 4 << 20];
    let first = [tables, &scan_header(&[1, 2, 3], [0, 0], 0), &zeros].concat();
    // The longest run of ended blocks that a table can express: everything in a few bytes.
    let all_ended = |header: Vec<u8>| [table(0x10, [0xe0, 0x00]), header, [0x7f, 0xfe].repeat(60)].concat();
    let mut scans = first.clone();
    for coefficient in 1..64 {
        for bit in (0..14_u8).rev() {
            let high = if bit == 13 { 0 } else { bit + 1 };
            scans.extend(all_ended(scan_header(&[1], [coefficient; 2], high << 4 | bit)));
        }
    }
    assert!(answer("many scans", &claiming(true, wide, 0x11, &scans)).is_some());
    // The maximum number of scans, all the same: no order of scans is refused.
    let mut same = first.clone();
    same.extend(table(0x10, [0x01, 0x00]));
    same.extend(scan_header(&[1], [1, 63], 0x01));
    same.extend(vec![0x55; 7 << 20]);
    same.extend(all_ended(scan_header(&[1], [1, 63], 0x10)).repeat(90));
    assert!(answer("the same scan", &claiming(true, wide, 0x11, &same)).is_none());
    let mut bits = first;
    bits.extend(table(0x10, [0x01, 0x00]));
    bits.extend(scan_header(&[1], [1, 63], 0x01));
    bits.extend(vec![0x55; 7 << 20]);
    bits.extend(scan_header(&[1], [1, 63], 0x10));
    bits.extend(vec![0x55; 7 << 20]);
    answer("many bits", &claiming(true, wide, 0x11, &bits));
    restarts_are_answered_in_time(tables);
}

fn restarts_are_answered_in_time(tables: &[u8]) {
    let restarts: Vec<u8> = (0..9 << 20).flat_map(|at: u32| [0xff, 0xd0 + u8::try_from(at % 8).unwrap()]).collect();
    let each = [tables, &[0xff, 0xdd, 0, 4, 0, 1], &scan_header(&[1, 2, 3], [0, 63], 0), &restarts].concat();
    answer("restart markers", &claiming(false, (8192, 6100), 0x11, &each));
}
