//! Tests cleaning with real files of every format: the pixels stay, everything else is removed, and no bytes cause a
//! panic.

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{AnimationDecoder, Delay, ExtendedColorType, Frame, ImageDecoder, ImageEncoder, ImageReader, RgbaImage};

use super::*;

mod heic;
mod hidden;

const SECRET: &[u8] = b"GPS 31.2304N 121.4737E";
const MAX: u64 = 50_000_000;
const SIZE: (u32, u32) = (37, 23);

fn pixels() -> RgbaImage {
    let byte = |value: u32| u8::try_from(value % 256).unwrap();
    RgbaImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Rgba([x * 7, y * 11, x * y, 255 - x].map(byte)))
}

fn rgb() -> image::RgbImage {
    image::DynamicImage::ImageRgba8(pixels()).into_rgb8()
}

/// An Exif block with an orientation, followed by a secret.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = Orientation::UPRIGHT.tiff().to_vec();
    tiff[19] = orientation;
    tiff.extend(SECRET);
    tiff
}

fn jpeg(orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.set_icc_profile(b"a profile of colours".to_vec()).unwrap();
    encoder.encode_image(&rgb()).unwrap();
    let segment = |marker: u8, payload: &[u8]| {
        let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], &length[..], payload].concat()
    };
    let extra = [
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        segment(0xe2, &[b"MPF\0", SECRET].concat()),
        segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
        segment(0xfe, SECRET),
        vec![0xff, 0xff],
    ]
    .concat();
    // Before the tables; and a film after the end, as in motion photos.
    let tables = bytes.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    bytes.splice(tables..tables, extra);
    bytes.extend([b"\0\0\0\x18ftypmp42", SECRET].concat());
    bytes
}

fn png(orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.set_icc_profile(b"a profile of colours".to_vec()).unwrap();
    encoder.write_image(pixels().as_raw(), SIZE.0, SIZE.1, ExtendedColorType::Rgba8).unwrap();
    let chunk = |kind: &[u8; 4]| {
        let summed = [&kind[..], SECRET].concat();
        let length = u32::try_from(SECRET.len()).unwrap().to_be_bytes();
        [&length[..], &summed, &crc32fast::hash(&summed).to_be_bytes()].concat()
    };
    let extra = [chunk(b"tEXt"), chunk(b"iTXt"), chunk(b"zTXt"), chunk(b"tIME"), chunk(b"prVt")].concat();
    // Behind IHDR.
    bytes.splice(33..33, extra);
    bytes.extend(SECRET);
    bytes
}

fn webp(orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.set_icc_profile(b"a profile of colours!".to_vec()).unwrap();
    encoder.write_image(pixels().as_raw(), SIZE.0, SIZE.1, ExtendedColorType::Rgba8).unwrap();
    let length = u32::try_from(SECRET.len()).unwrap();
    for kind in [b"XMP ", b"JUNK"] {
        bytes.extend([kind, &length.to_le_bytes()[..], SECRET].concat());
    }
    let riff = u32::try_from(bytes.len() - 8).unwrap();
    bytes[4..8].copy_from_slice(&riff.to_le_bytes());
    // The flag of XMP.
    bytes[20] |= 0x04;
    bytes.extend(SECRET);
    bytes
}

/// Three frames that repeat for ever.
fn animation() -> Vec<u8> {
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new(&mut bytes);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for turn in 0..3 {
            let mut picture = pixels();
            picture.pixels_mut().for_each(|pixel| pixel.0 = [pixel.0[0] ^ (turn * 40), pixel.0[1], 0, 255]);
            encoder.encode_frame(Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(50, 1))).unwrap();
        }
    }
    bytes
}

fn gif(_: u8) -> Vec<u8> {
    let mut bytes = animation();
    let byte = |length: usize| u8::try_from(length).unwrap();
    let block = |label: u8, head: &[u8]| {
        let head = if head.is_empty() { vec![] } else { [&[byte(head.len())], head].concat() };
        [&[0x21, label], &head[..], &[byte(SECRET.len())], SECRET, &[0]].concat()
    };
    let extra = [block(0xfe, b""), block(0xff, b"XMP DataXMP"), block(0x01, &[0; 12]), block(0x99, b"")].concat();
    assert_eq!(bytes.pop(), Some(0x3b));
    bytes.extend(extra);
    bytes.push(0x3b);
    bytes.extend(SECRET);
    bytes
}

type Maker = fn(u8) -> Vec<u8>;

const MAKERS: [(Format, Maker); 5] = [
    (Format::Jpeg, jpeg),
    (Format::Png, png),
    (Format::WebP, webp),
    (Format::Gif, gif),
    (Format::Heic, heic::photograph),
];

/// The size of the test picture of a format.
fn size(format: Format) -> (u32, u32) {
    if format == Format::Heic { (128, 128) } else { SIZE }
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// The pixels, the profile and the orientation from a decoder. The decoder of HEIC turns the pixels itself.
fn seen(bytes: &[u8]) -> (Vec<u8>, Option<Vec<u8>>, u8) {
    if let Sniffed::Picture(Format::Heic) = sniff(bytes) {
        assert!(holds(bytes, b"colrprofa profile of colours"));
        return (heic::seen(bytes), None, 1);
    }
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap().into_decoder().unwrap();
    let (profile, orientation) = (decoder.icc_profile().unwrap(), decoder.orientation().unwrap().to_exif());
    let mut pixels = vec![0; usize::try_from(decoder.total_bytes()).unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    (pixels, profile, orientation)
}

#[test]
fn the_pixels_the_profile_and_the_orientation_stay() {
    for (format, make) in MAKERS {
        for orientation in 1..=8 {
            let original = make(orientation);
            let clean = clean(&original, MAX).unwrap();
            assert_eq!((clean.facts.format, (clean.facts.width, clean.facts.height)), (format, size(format)));
            assert!(seen(&clean.bytes) == seen(&original), "{format:?} {orientation}");
            let expected = if format == Format::Gif { 1 } else { orientation };
            assert_eq!(clean.facts.orientation.number(), expected, "{format:?}");
        }
    }
}

#[test]
fn everything_else_goes() {
    for (format, make) in MAKERS {
        let original = make(6);
        assert!(holds(&original, SECRET));
        let clean = clean(&original, MAX).unwrap().bytes;
        assert!(!holds(&clean, b"GPS") && !holds(&clean, b"Photoshop") && !holds(&clean, b"XMP"), "{format:?}");
        assert!(clean.len() < original.len());
    }
}

#[test]
fn cleaning_twice_is_cleaning_once() {
    for (format, make) in MAKERS {
        for orientation in [1, 6] {
            let once = clean(&make(orientation), MAX).unwrap();
            assert_eq!(clean(&once.bytes, MAX).unwrap(), once, "{format:?}");
        }
    }
}

#[test]
fn an_upright_picture_carries_no_exif_at_all() {
    for (format, make) in MAKERS {
        let clean = clean(&make(1), MAX).unwrap().bytes;
        assert!(!holds(&clean, b"Exif") && !holds(&clean, b"eXIf") && !holds(&clean, b"EXIF"), "{format:?}");
    }
}

/// The position of the first bytes of pixels in a clean file, if the bytes after them may be missing.
fn first_pixels(format: Format, bytes: &[u8]) -> Option<usize> {
    let at = |what: &[u8]| bytes.windows(what.len()).position(|window| window == what).unwrap();
    match format {
        // The last three bytes of the header have no meaning.
        Format::Jpeg => Some(at(&[0xff, 0xda]) + 11),
        Format::Png => Some(at(b"IDAT") + 4),
        // A sub-block begins after the descriptor, the colours and the size of a code.
        Format::Gif => {
            let frame = at(&[0x2c, 0, 0, 0, 0]);
            let colours = if bytes[frame + 9] & 0x80 == 0 { 0 } else { 3 << ((bytes[frame + 9] & 7) + 1) };
            Some(frame + 10 + colours + 3)
        }
        Format::WebP | Format::Heic => None,
    }
}

#[test]
fn a_file_cut_before_its_pixels_is_refused_and_one_cut_behind_is_closed() {
    for (format, make) in MAKERS {
        let whole = clean(&make(6), MAX).unwrap().bytes;
        let first = first_pixels(format, &whole).unwrap_or(whole.len());
        for length in 0..whole.len() {
            let answer = clean(&whole[..length], MAX);
            let what = format!("{format:?} cut to {length} of {}", whole.len());
            if length < first {
                assert!(matches!(answer, Err(Broken(_))), "{what}");
                continue;
            }
            let kept = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
            let end: &[u8] = match format {
                Format::Jpeg => b"\xff\xd9",
                Format::Png => b"\0\0\0\0IEND\xae\x42\x60\x82",
                _ => b"\0\x3b",
            };
            assert!(kept.bytes.ends_with(end), "{what}");
            assert_eq!(clean(&kept.bytes, MAX).unwrap(), kept, "{what}");
            assert_eq!(kept.facts, clean(&whole, MAX).unwrap().facts, "{what}");
        }
    }
}

#[test]
fn the_pixel_cap_is_judged_without_decoding() {
    for (format, make) in MAKERS {
        let bytes = make(1);
        let (width, height) = size(format);
        let pixels = u64::from(width * height);
        assert!(clean(&bytes, pixels).is_ok(), "{format:?}");
        let refused = clean(&bytes, pixels - 1);
        assert!(matches!(refused, Err(Broken("the picture has too many pixels"))), "{format:?}");
    }
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut png = png(1);
    png[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let sum = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());

    let mut jpeg = jpeg(1);
    let frame = jpeg.windows(2).rposition(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);

    let mut gif_frame = gif(1);
    let image = gif_frame.windows(5).position(|window| window == [0x2c, 0, 0, 0, 0]).unwrap();
    gif_frame[image + 5..image + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);

    for bytes in [png, jpeg, gif_frame] {
        let refused = clean(&bytes, MAX);
        assert!(matches!(refused, Err(Broken("the picture has too many pixels"))), "{refused:?}");
    }
}

/// The same PNG with the checksum of the first chunk of a kind damaged.
fn with_wrong_sum(mut bytes: Vec<u8>, kind: [u8; 4]) -> Vec<u8> {
    let at = bytes.windows(4).position(|window| window == kind).unwrap();
    let length = u32::from_be_bytes(*bytes[at - 4..].first_chunk().unwrap()) as usize;
    bytes[at + 4 + length] ^= 1;
    bytes
}

#[test]
fn a_wrong_checksum_of_what_the_pixels_need_is_put_right() {
    let whole = clean(&png(6), MAX).unwrap();
    for kind in [b"IHDR", b"IDAT", b"IEND"] {
        assert_eq!(clean(&with_wrong_sum(png(6), *kind), MAX).unwrap(), whole, "{kind:?}");
    }
}

#[test]
fn a_chunk_that_is_not_needed_goes_with_its_wrong_checksum() {
    let chunks: [(&[u8; 4], &[u8]); 6] = [
        (b"gAMA", &[0, 0, 0xb1, 0x8f]),
        (b"pHYs", &[0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1]),
        (b"sRGB", &[0]),
        (b"bKGD", &[0; 6]),
        (b"sBIT", &[8; 4]),
        (b"iCCP", b"name\0\0profile"),
    ];
    let plain = hidden::png_of(&[]);
    for (kind, data) in chunks {
        let with = hidden::png_of(&hidden::chunk(*kind, data));
        assert!(clean(&with, MAX).unwrap().bytes == with, "{kind:?}");
        assert!(clean(&with_wrong_sum(with, *kind), MAX).unwrap().bytes == plain, "{kind:?}");
    }
    // An orientation that may be wrong does not turn the picture.
    let turned = hidden::png_of(&hidden::chunk(*b"eXIf", &exif(6)));
    assert!(clean(&with_wrong_sum(turned, *b"eXIf"), MAX).unwrap().bytes == plain);
}

#[test]
fn an_animated_gif_keeps_its_frames_and_its_loop() {
    let clean = clean(&gif(1), MAX).unwrap().bytes;
    assert!(holds(&clean, b"NETSCAPE2.0"));
    let frames = |bytes: &[u8]| {
        let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(bytes.to_vec())).unwrap();
        decoder
            .into_frames()
            .collect_frames()
            .unwrap()
            .into_iter()
            .map(|frame| (frame.delay(), frame.into_buffer()))
            .collect::<Vec<_>>()
    };
    assert_eq!(frames(&clean).len(), 3);
    assert!(frames(&clean) == frames(&animation()));
}

/// An animation of two frames, with `hidden` chunks around the picture of each.
fn animated_webp(hidden: &[u8]) -> Vec<u8> {
    let still = webp(1);
    let picture = still.windows(4).position(|window| window == b"VP8L").unwrap();
    let length = u32::from_le_bytes(*still[picture + 4..].first_chunk().unwrap()) as usize;
    let picture = &still[picture..picture + 8 + length + length % 2];
    let side = |length: u32| (length - 1).to_le_bytes()[..3].to_vec();
    let frame = [&[0; 6], &side(SIZE.0)[..], &side(SIZE.1), &[100, 0, 0, 0], hidden, picture, hidden].concat();
    let mut chunks = b"WEBP".to_vec();
    webp_chunk(&mut chunks, *b"VP8X", &[&[0x12, 0, 0, 0], &side(SIZE.0)[..], &side(SIZE.1)].concat());
    webp_chunk(&mut chunks, *b"ANIM", &[0; 6]);
    webp_chunk(&mut chunks, *b"ANMF", &frame);
    webp_chunk(&mut chunks, *b"ANMF", &frame);
    let mut file = Vec::new();
    webp_chunk(&mut file, *b"RIFF", &chunks);
    file
}

#[test]
fn what_is_hidden_within_an_animated_webp_goes() {
    let mut secret = Vec::new();
    webp_chunk(&mut secret, *b"HIDE", SECRET);
    let plain = animated_webp(&[]);
    assert!(seen(&plain).0.len() == 4 * (SIZE.0 * SIZE.1) as usize);
    assert!(clean(&plain, MAX).unwrap().bytes == plain);
    assert!(clean(&animated_webp(&secret), MAX).unwrap().bytes == plain);
}

fn webp_chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    out.extend([&kind[..], &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat());
    out.extend(vec![0; data.len() % 2]);
}

#[test]
fn what_is_no_picture_is_refused() {
    let files: [&[u8]; 6] =
        [b"", b"<svg/>", b"BM", b"\xff\xd8\xff\xd9", b"GIF89a\x01\0\x01\0\0\0\0;", b"RIFF\x04\0\0\0WEBP"];
    for bytes in files {
        assert!(matches!(clean(bytes, MAX), Err(Broken(_))), "{bytes:?}");
    }
}

/// Damaged files of every format, each from a seed: bytes set, cut out and doubled.
#[test]
fn no_bytes_make_it_panic_and_whatever_passes_is_clean() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for (format, make) in MAKERS {
        let whole = make(6);
        for _ in 0..4_000 {
            let mut bytes = whole.clone();
            for _ in 0..=next(4) {
                // Most of the structure is at the start.
                let at = if next(2) == 0 { next(bytes.len()) } else { next(bytes.len().min(200)) };
                match next(4) {
                    0 => bytes[at] = u8::try_from(next(256)).unwrap(),
                    1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][next(5)],
                    2 => drop(bytes.drain(at..(at + next(40)).min(bytes.len()))),
                    _ => {
                        let part = bytes[at..(at + next(40)).min(bytes.len())].to_vec();
                        bytes.splice(at..at, part);
                    }
                }
                if bytes.is_empty() {
                    break;
                }
            }
            if let Ok(once) = clean(&bytes, MAX) {
                assert_eq!(clean(&once.bytes, MAX).unwrap(), once, "{format:?}");
            }
        }
    }
}
