//! Files that every phone shows although they are not as they should be: taken in, repaired, and with thumbnails.

use image::DynamicImage;

use crate::support::pictures::{alike, chunk, corners, decoded, gif, holds, jpeg, png, segment};
use crate::support::{Backend, Person, run, shared};

/// Data that are hidden in a file and not visible in the picture.
const SECRET: &[u8] = b"22.5431N 114.0579E";

const SUFFIXES: [&str; 4] = ["@128w_128h_1c", "@128w_128h_0c", "@256w_256h_1c", "@256w_256h_0c"];

/// Uploads a file and answers what is served, after looking at all of its thumbnails: they are as large as those of the
/// whole picture, and of the same colours if they should be.
async fn served(backend: &Backend, person: &Person, what: &str, bytes: Vec<u8>, whole: Option<&[u8]>) -> Vec<u8> {
    let src = backend.post_image(person, bytes).await;
    let kept = backend.bytes(&src).await;
    for suffix in SUFFIXES {
        let made = decoded(&backend.bytes(&format!("{src}{suffix}")).await).1;
        if let Some(whole) = whole {
            let whole = backend.post_image(person, whole.to_vec()).await;
            let expected = decoded(&backend.bytes(&format!("{whole}{suffix}")).await).1;
            assert_eq!((made.width(), made.height()), (expected.width(), expected.height()), "{what} {suffix}");
            assert!(alike(corners(&made), corners(&expected)), "{what} {suffix}: {:?}", corners(&made));
        }
    }
    kept
}

/// A JPEG with this in front of its tables.
fn jpeg_with(stray: &[u8]) -> Vec<u8> {
    let mut bytes = jpeg(320, 240);
    let tables = bytes.windows(2).position(|pair| pair == [0xff, 0xdb]).expect("tables");
    bytes.splice(tables..tables, stray.iter().copied());
    bytes
}

#[test]
fn a_jpeg_without_its_end_or_with_stray_bytes_is_stored_as_it_should_have_been() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let whole = jpeg(320, 240);
        let open = &whole[..whole.len() - 2];
        let trailer = |parts: &[&[u8]]| [open, &parts.concat()].concat();
        let another = jpeg_with(&segment(0xe1, SECRET));
        for (what, bytes) in [
            ("no end", open.to_vec()),
            ("a trailer instead", trailer(&[b"\0\0\x01\x0aImage_Data", SECRET, b"SEFT"])),
            ("an archive instead", trailer(&[b"PK\x03\x04", SECRET])),
            ("a trailer before the end", trailer(&[b"SEFH", SECRET, b"SEFT\xff\xd9"])),
            ("another picture instead", trailer(&[&another])),
            ("another picture behind", [&whole[..], &another].concat()),
            ("stray 00 E1", jpeg_with(&[b"\0\xe1\x01\x92", SECRET].concat())),
            ("zeros between segments", jpeg_with(&[0; 64])),
            ("fill bytes between segments", jpeg_with(&[0xff; 9])),
            ("a segment without a length", jpeg_with(b"\xff\xe7\0\0")),
        ] {
            let kept = served(backend, &person, what, bytes, Some(&whole)).await;
            assert!(kept == whole, "{what}: {} bytes for {}", kept.len(), whole.len());
        }
    });
}

#[test]
fn a_jpeg_without_huffman_tables_is_stored_with_the_standard_ones() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let whole = jpeg(320, 240);
        let mut without = whole.clone();
        while let Some(at) = without.windows(2).position(|pair| pair == [0xff, 0xc4]) {
            let length = usize::from(u16::from_be_bytes([without[at + 2], without[at + 3]]));
            without.drain(at..at + 2 + length);
        }
        let kept = served(backend, &person, "no tables", without, Some(&whole)).await;
        // The reader of these tests knows no tables but those of the file.
        assert!(decoded(&kept).1 == decoded(&whole).1);
    });
}

#[test]
fn a_jpeg_whose_scan_is_damaged_has_thumbnails_of_what_is_there() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let whole = jpeg(320, 240);
        let start = whole.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan") + 14;
        let end = whole.len() - 2;
        let closed = |end: usize| [&whole[..end], &[0xff, 0xd9]].concat();
        served(backend, &person, "two bytes short", closed(end - 2), Some(&whole)).await;
        let most = closed(start + (end - start) * 3 / 5);
        let kept = served(backend, &person, "60 % of a scan", most.clone(), None).await;
        assert!(kept == most);
        let src = backend.post_image(&person, kept).await;
        let (_, made, _) = decoded(&backend.bytes(&format!("{src}@256w_256h_0c")).await);
        let [left, right, below, _] = corners(&made);
        let [expected_left, expected_right, ..] = corners(&decoded(&whole).1);
        assert!(alike([left, right, left, right], [expected_left, expected_right, expected_left, expected_right]));
        assert!(alike([below; 4], [[128; 3]; 4]), "{below:?}");
    });
}

#[test]
fn a_restart_marker_that_is_damaged_costs_what_it_stands_before_at_most() {
    const FILE: &[u8] = include_bytes!("../../functions/resize/tests/agreement/seeds/restarts.jpg");
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let start = FILE.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan") + 14;
        let markers: Vec<_> = (start..FILE.len() - 2).filter(|at| FILE[*at] == 0xff && FILE[at + 1] >= 0xd0).collect();
        for at in markers {
            for new in [&b""[..], b"\xff\xd9", b"\xff\0", b"\xff\xd1", b"\0\0"] {
                let damaged = [&FILE[..at], new, &FILE[at + 2..]].concat();
                served(backend, &person, &format!("{new:?} at {at}"), damaged, None).await;
            }
        }
    });
}

#[test]
fn a_png_with_a_wrong_checksum_in_what_is_not_needed_is_stored_repaired() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let whole = png(300, 200);
        let (header, rest) = whole.split_at(33);
        let wrong = |kind: &[u8; 4], data: &[u8]| {
            let mut chunk = chunk(*kind, data);
            let last = chunk.len() - 1;
            chunk[last] ^= 0x40;
            chunk
        };
        for (kind, data) in [
            (b"iCCP", &b"name\0\0profile"[..]),
            (b"gAMA", &[0, 0, 0xb1, 0x8f]),
            (b"pHYs", &[0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1]),
            (b"sRGB", &[0]),
            (b"bKGD", &[0; 6]),
            (b"sBIT", &[8; 3]),
        ] {
            let bytes = [header, &wrong(kind, data), rest].concat();
            let kept = served(backend, &person, &String::from_utf8_lossy(kind), bytes, Some(&whole)).await;
            assert!(kept == whole, "{kind:?}");
        }
        let (open, _) = whole.split_at(whole.len() - 12);
        for (what, end) in [("a wrong sum of the end", wrong(b"IEND", b"")), ("no end", Vec::new())] {
            let kept = served(backend, &person, what, [open, &end].concat(), Some(&whole)).await;
            assert!(kept == whole, "{what}");
        }
    });
}

#[test]
fn a_gif_without_its_trailer_or_with_zeros_between_blocks_is_stored_as_it_should_have_been() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let whole = gif(400, 300);
        let open = &whole[..whole.len() - 1];
        // Whatever stands before the first frame ends with a zero, and so do the frame and all blocks.
        let frame = whole.windows(5).position(|window| window == [0x2c, 0, 0, 0, 0]).expect("a frame");
        for (what, bytes) in [
            ("no trailer", open.to_vec()),
            ("zeros before the trailer", [open, &[0; 9], b"\x3b"].concat()),
            ("zeros instead of the trailer", [open, &[0; 9]].concat()),
            ("another file instead", [open, b"PK\x03\x04", SECRET].concat()),
            ("zeros before the frame", [&whole[..frame], &[0; 5], &whole[frame..]].concat()),
        ] {
            let kept = served(backend, &person, what, bytes, Some(&whole)).await;
            assert!(kept == whole && !holds(&kept, SECRET), "{what}: {} bytes for {}", kept.len(), whole.len());
        }
    });
}

#[test]
fn inks_look_as_they_are_printed_whatever_says_how_they_are_stored() {
    const CMYK: &[u8] = include_bytes!("../../functions/resize/tests/agreement/seeds/cmyk.jpg");
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let adobe = CMYK.windows(5).position(|window| window == b"Adobe").expect("a segment");
        let mut unmarked = CMYK.to_vec();
        unmarked.drain(adobe - 4..adobe + 12);
        let mut made: Vec<DynamicImage> = Vec::new();
        for bytes in [CMYK.to_vec(), unmarked] {
            let src = backend.post_image(&person, bytes).await;
            made.push(decoded(&backend.bytes(&format!("{src}@128w_128h_0c")).await).1);
        }
        // The drawing behind it: red grows to the right and green downwards.
        let [[red, green, _], [more_red, ..], [_, more_green, _], _] = corners(&made[0]);
        assert!(more_red > red + 60 && more_green > green + 60, "{:?}", corners(&made[0]));
        assert!(alike(corners(&made[0]), corners(&made[1])), "{:?}", corners(&made[1]));
    });
}

#[test]
fn luma_and_differences_of_inks_are_no_negative() {
    const YCCK: &[u8] = include_bytes!("../../shared/media/fixtures/ycck.jpg");
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, YCCK.to_vec()).await;
        for suffix in SUFFIXES {
            let made = decoded(&backend.bytes(&format!("{src}{suffix}")).await).1;
            let expected = [[220, 40, 40], [40, 180, 60], [50, 70, 210], [230, 200, 40]];
            assert!(alike(corners(&made), expected), "{suffix}: {:?}", corners(&made));
        }
    });
}
