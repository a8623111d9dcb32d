//! Files that are not pictures, are damaged, state wrong sizes or contain something else.

use reqwest::Method;

use super::{assert_in_envelope, holdings, own, png_claiming};
use crate::support::backend::{answer, read};
use crate::support::heic::QUARTERS;
use crate::support::pictures::{Noise, decoded, gif, holds, jpeg, one_of_each, segment, size, webp};
use crate::support::{Backend, Person, run, shared};

/// Both upload routes reject these bytes with 400.
async fn assert_no_picture(backend: &Backend, person: &Person, what: &str, bytes: &[u8]) {
    for (method, path) in [(Method::POST, "/images"), (Method::PUT, "/users/me/avatar")] {
        let (status, body) = answer(backend.upload(person, method, path, bytes.to_vec())).await;
        assert_eq!(status, 400, "{what} to {path}: {body}");
        assert_in_envelope(what, status, &body);
    }
}

/// A JPEG whose frame states this size.
fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = jpeg(8, 8);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

fn gif_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = gif(8, 8);
    let image = bytes.windows(5).position(|window| window == [0x2c, 0, 0, 0, 0]).expect("a frame");
    for at in [6, image + 5] {
        bytes[at..at + 2].copy_from_slice(&width.to_le_bytes());
        bytes[at + 2..at + 4].copy_from_slice(&height.to_le_bytes());
    }
    bytes
}

/// A lossless WebP; after its signature it has 14 bits each for width and height minus one.
fn webp_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = webp(8, 8);
    let signature = bytes.windows(4).position(|window| window == b"VP8L").expect("a picture") + 8;
    let bits = (width - 1) | ((height - 1) << 14);
    bytes[signature + 1..signature + 5].copy_from_slice(&bits.to_le_bytes());
    bytes
}

/// A picture of each format with its media type, most of them of this size.
fn pictures(width: u32, height: u32) -> Vec<(&'static str, Vec<u8>)> {
    let made = one_of_each(width, height).into_iter().map(|(kind, _, bytes)| (kind, bytes));
    made.chain([("image/heic", QUARTERS.to_vec())]).collect()
}

/// From which byte on something of a picture is seen, where its format needs no more.
fn seen_from(kind: &str, bytes: &[u8]) -> usize {
    let at = |what: &[u8]| bytes.windows(what.len()).position(|window| window == what).expect("pixels");
    match kind {
        "image/jpeg" => at(&[0xff, 0xda]) + 14,
        "image/png" => at(b"IDAT") + 4,
        "image/gif" => {
            let frame = at(&[0x2c, 0, 0, 0, 0]);
            let packed = bytes[frame + 9];
            // The frame's own colours, the size of its codes, the length of a block, and one byte of it.
            frame + 10 + if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) } + 3
        }
        _ => bytes.len(),
    }
}

#[test]
fn a_picture_that_is_cut_short_is_refused_if_nothing_of_it_is_seen() {
    run(async {
        let (backend, person, before) = own().await;
        for (kind, whole) in pictures(24, 18) {
            let first = seen_from(kind, &whole).min(whole.len());
            let near = (first.saturating_sub(14))..first.saturating_sub(if kind == "image/jpeg" { 3 } else { 0 });
            for length in (1..first.saturating_sub(14)).step_by((whole.len() / 24).max(1)).chain(near) {
                assert_no_picture(&backend, &person, &format!("{length} bytes of a {kind}"), &whole[..length]).await;
            }
        }
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn a_picture_that_is_cut_short_is_closed_and_has_thumbnails_of_what_is_there() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for (kind, whole) in pictures(48, 36) {
            let first = seen_from(kind, &whole);
            for length in (first..whole.len()).step_by((whole.len() / 12).max(1)) {
                let src = backend.post_image(&person, whole[..length].to_vec()).await;
                let kept = backend.bytes(&src).await;
                let end: &[u8] = match kind {
                    "image/jpeg" => b"\xff\xd9",
                    "image/png" => b"IEND\xae\x42\x60\x82",
                    _ => b"\x3b",
                };
                assert!(kept.ends_with(end), "{kind} cut to {length}");
                for suffix in ["@128w_128h_1c", "@128w_128h_0c", "@256w_256h_1c", "@256w_256h_0c"] {
                    assert_eq!(
                        size(&backend.bytes(&format!("{src}{suffix}")).await),
                        (48, 36),
                        "{kind} cut to {length}"
                    );
                }
            }
        }
    });
}

#[test]
fn a_picture_that_claims_too_many_pixels_or_none_is_refused() {
    run(async {
        let (backend, person, before) = own().await;
        let small = jpeg_claiming(65_500, 65_500);
        assert!(small.len() < 1_000, "{}", small.len());
        let files = [
            ("a JPEG of 4 gigapixels", small),
            ("a PNG of 4 gigapixels", png_claiming(65_500, 65_500)),
            ("a PNG of 2^62 pixels", png_claiming(0x7fff_ffff, 0x7fff_ffff)),
            ("a PNG of 2^64 pixels", png_claiming(0xffff_ffff, 0xffff_ffff)),
            ("a GIF of 4 gigapixels", gif_claiming(65_500, 65_500)),
            ("a WebP of 268 megapixels", webp_claiming(16_384, 16_384)),
            ("a PNG of 50 megapixels and one row", png_claiming(10_000, 5_001)),
            ("a JPEG without width", jpeg_claiming(0, 8)),
            ("a JPEG without height", jpeg_claiming(8, 0)),
            ("a PNG without width", png_claiming(0, 8)),
            ("a PNG without height", png_claiming(8, 0)),
            ("a GIF without size", gif_claiming(0, 0)),
        ];
        for (what, bytes) in files {
            assert_no_picture(&backend, &person, what, &bytes).await;
        }
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn what_is_no_picture_is_refused() {
    run(async {
        let (backend, person, before) = own().await;
        let files: [(&str, Vec<u8>); 16] = [
            ("nothing", vec![]),
            ("one byte", vec![0xff]),
            ("two bytes", b"\xff\xd8".to_vec()),
            ("a JPEG of nothing", b"\xff\xd8\xff\xd9".to_vec()),
            ("a page", b"<!DOCTYPE html><html><script>alert(1)</script></html>".to_vec()),
            ("a drawing", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
            ("a BMP", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0".to_vec()),
            ("a TIFF", b"II\x2a\0\x08\0\0\0\0\0".to_vec()),
            ("an icon", b"\0\0\x01\0\x01\0\x10\x10".to_vec()),
            ("the brand of a HEIC", b"\0\0\0\x18ftypheic\0\0\0\0".to_vec()),
            ("a voice note", b"#!AMR\n\x3c\x91".to_vec()),
            ("a film", b"\0\0\0\x18ftypmp42\0\0\0\0".to_vec()),
            ("a PDF", b"%PDF-1.7\n".to_vec()),
            ("a ZIP", b"PK\x03\x04\x14\0\0\0".to_vec()),
            ("zeroes", vec![0; 1000]),
            ("text", b"not a picture".to_vec()),
        ];
        for (what, bytes) in files {
            assert_no_picture(&backend, &person, what, &bytes).await;
        }
        for seed in 0..200 {
            let mut noise = Noise::new(seed);
            let length = usize::from(noise.byte()) * 8 + 1;
            assert_no_picture(&backend, &person, &format!("noise {seed}"), &noise.bytes(length)).await;
        }
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn noise_behind_the_signature_of_a_picture_is_refused() {
    run(async {
        let (backend, person, before) = own().await;
        let heads: [&[u8]; 4] = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\0\0\0WEBPVP8 "];
        for seed in 0..40 {
            for head in heads {
                let bytes = [head, &Noise::new(seed).bytes(300)[..]].concat();
                assert_no_picture(&backend, &person, &format!("noise {seed} behind {head:?}"), &bytes).await;
            }
        }
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn a_damaged_picture_is_refused_or_served_but_never_a_fault() {
    run(async {
        let (backend, person, _) = own().await;
        for (kind, whole) in pictures(40, 30) {
            for seed in 0..25 {
                let mut noise = Noise::new(seed + 1);
                let mut bytes = whole.clone();
                for _ in 0..=seed % 4 {
                    let at = (usize::from(noise.byte()) << 8 | usize::from(noise.byte())) % bytes.len();
                    bytes[at] = noise.byte();
                }
                let (status, body) = answer(backend.upload(&person, Method::POST, "/images", bytes)).await;
                assert!(matches!(status, 200 | 400), "{kind} {seed}: {status} {body}");
                if status == 400 {
                    assert_in_envelope(kind, status, &body);
                    continue;
                }
                // A file that passed the check of the container may still be damaged inside.
                let path = format!("{}@128w_128h_1c", body["src"].as_str().expect("src"));
                let response = backend.get(&path).send().await.expect("an answer");
                if response.status() != 200 {
                    let (status, body) = read(response).await;
                    assert_eq!(status, 400, "{kind} {seed}: {body}");
                    assert_in_envelope(kind, status, &body);
                }
            }
        }
    });
}

#[test]
fn what_hangs_on_a_picture_is_cut_off() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let page = b"<html><script>alert(document.domain)</script></html>";
        let archive = b"PK\x03\x04\x14\0\0\0\x08\0evil.jar";
        for (kind, _, whole) in one_of_each(20, 20) {
            for tail in [&page[..], archive] {
                let src = backend.post_image(&person, [&whole[..], tail].concat()).await;
                assert!(backend.bytes(&src).await == whole, "{kind}");
            }
        }
        // The same inside the file, in a comment.
        let mut bytes = jpeg(20, 20);
        bytes.splice(2..2, [segment(0xfe, page), segment(0xed, archive)].concat());
        let src = backend.post_image(&person, bytes).await;
        let kept = backend.bytes(&src).await;
        assert!(!holds(&kept, page) && !holds(&kept, archive));
        assert!(decoded(&kept).1 == decoded(&jpeg(20, 20)).1);
    });
}
