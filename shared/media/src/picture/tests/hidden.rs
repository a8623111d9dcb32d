//! Every place of a file in which data can be hidden or missing, one by one.

use super::*;

/// A JPEG of three components, each with a scan of its own. `between` is put between the scans.
fn scans(between: &[u8]) -> Vec<u8> {
    let whole = jpeg_of(&[]);
    // The segments of the tables and the frame are from the encoder. Each scan has its code, declared as one component.
    let at = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let (head, scan) = whole.split_at(at);
    let code = &scan[14..scan.len() - 2];
    let mut bytes = head.to_vec();
    for component in 1..=3 {
        bytes.extend([&[0xff, 0xda, 0, 8, 1, component, 0, 0, 63, 0], code, between].concat());
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// A plain JPEG with these bytes before its tables.
fn jpeg_of(extra: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&rgb()).unwrap();
    let tables = bytes.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    bytes.splice(tables..tables, extra.iter().copied());
    bytes
}

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], payload].concat()
}

pub(super) fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let summed = [&kind[..], data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &summed, &crc32fast::hash(&summed).to_be_bytes()].concat()
}

/// A plain PNG with these bytes after its header.
pub(super) fn png_of(extra: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(pixels().as_raw(), SIZE.0, SIZE.1, ExtendedColorType::Rgba8).unwrap();
    bytes.splice(33..33, extra.iter().copied());
    bytes
}

/// A plain WebP with these bytes after its picture, inside the file or after it.
fn webp_of(extra: &[u8], after: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.write_image(pixels().as_raw(), SIZE.0, SIZE.1, ExtendedColorType::Rgba8).unwrap();
    bytes.extend(extra);
    let length = u32::try_from(bytes.len() - 8).unwrap();
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes.extend(after);
    bytes
}

/// A plain GIF with these bytes before its first frame.
fn gif_of(extra: &[u8]) -> Vec<u8> {
    let mut bytes = animation();
    let control = bytes.windows(3).position(|window| window == [0x21, 0xf9, 4]).unwrap();
    bytes.splice(control..control, extra.iter().copied());
    bytes
}

fn blocks(label: u8, blocks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0x21, label];
    for block in blocks {
        bytes.push(u8::try_from(block.len()).unwrap());
        bytes.extend(*block);
    }
    bytes.push(0);
    bytes
}

#[test]
fn whatever_is_hidden_goes_and_the_file_is_as_if_it_had_never_been_there() {
    let with = |head: &[u8]| [head, SECRET].concat();
    let riff = |kind: &[u8; 4], data: &[u8]| {
        let mut bytes = Vec::new();
        webp_chunk(&mut bytes, *kind, data);
        bytes
    };
    let mut jfif = jpeg_of(&[]);
    // A thumbnail of two by one pixels inside the JFIF segment, which is allowed.
    assert_eq!(&jfif[2..6], [0xff, 0xe0, 0, 16]);
    jfif.splice(4..20, [&[0, 22][..], &jfif[6..18], &[2, 1], b"SECRET"].concat());
    let exif = segment(0xe1, &[b"Exif\0\0", &exif(1)[..]].concat());
    let cases: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("Exif with a place", jpeg_of(&exif), jpeg_of(&[])),
        ("XMP", jpeg_of(&segment(0xe1, &with(b"http://ns.adobe.com/xap/1.0/\0"))), jpeg_of(&[])),
        ("longer XMP", jpeg_of(&segment(0xe1, &with(b"http://ns.adobe.com/xmp/extension/\0"))), jpeg_of(&[])),
        ("IPTC", jpeg_of(&segment(0xed, &with(b"Photoshop 3.0\x008BIM\x04\x04"))), jpeg_of(&[])),
        ("other pictures", jpeg_of(&segment(0xe2, &with(b"MPF\0"))), jpeg_of(&[])),
        ("FlashPix", jpeg_of(&segment(0xe2, &with(b"FPXR\0"))), jpeg_of(&[])),
        ("a JFIF thumbnail", jfif, jpeg_of(&[])),
        ("a JFXX thumbnail", jpeg_of(&segment(0xe0, &with(b"JFXX\0\x10"))), jpeg_of(&[])),
        ("a comment", jpeg_of(&segment(0xfe, SECRET)), jpeg_of(&[])),
        ("provenance", jpeg_of(&segment(0xeb, &with(b"JP\0\x01"))), jpeg_of(&[])),
        ("a segment between scans", scans(&segment(0xe5, SECRET)), scans(&[])),
        ("a comment between scans", scans(&segment(0xfe, SECRET)), scans(&[])),
        ("Exif between scans", scans(&exif), scans(&[])),
        ("fill bytes between scans", scans(&[0xff, 0xff, 0xff]), scans(&[])),
        ("another JPEG after the end", [jpeg_of(&[]), jpeg_of(&exif)].concat(), jpeg_of(&[])),
        ("a film after the end", [jpeg_of(&[]), with(b"\0\0\0\x18ftypmp42")].concat(), jpeg_of(&[])),
        ("an archive after the end", [jpeg_of(&[]), with(b"PK\x03\x04")].concat(), jpeg_of(&[])),
        ("text", png_of(&chunk(*b"tEXt", SECRET)), png_of(&[])),
        ("compressed text", png_of(&chunk(*b"zTXt", SECRET)), png_of(&[])),
        ("XMP as text", png_of(&chunk(*b"iTXt", &with(b"XML:com.adobe.xmp\0"))), png_of(&[])),
        ("a time", png_of(&chunk(*b"tIME", SECRET)), png_of(&[])),
        ("a palette's name", png_of(&chunk(*b"sPLT", SECRET)), png_of(&[])),
        ("what a maker adds", png_of(&chunk(*b"iDOT", SECRET)), png_of(&[])),
        ("provenance in a chunk", png_of(&chunk(*b"caBX", SECRET)), png_of(&[])),
        ("an upright Exif chunk", png_of(&chunk(*b"eXIf", &self::exif(1))), png_of(&[])),
        ("data after IEND", [png_of(&[]), SECRET.to_vec()].concat(), png_of(&[])),
        ("chunks after IEND", [png_of(&[]), chunk(*b"tEXt", SECRET)].concat(), png_of(&[])),
        ("a second picture after IEND", [png_of(&[]), png_of(&[])].concat(), png_of(&[])),
        ("an Exif chunk", webp_of(&riff(b"EXIF", SECRET), &[]), webp_of(&[], &[])),
        ("an XMP chunk", webp_of(&riff(b"XMP ", SECRET), &[]), webp_of(&[], &[])),
        ("an unknown chunk", webp_of(&riff(b"HIDE", SECRET), &[]), webp_of(&[], &[])),
        ("a second picture", webp_of(&riff(b"VP8L", SECRET), &[]), webp_of(&[], &[])),
        ("data after RIFF", webp_of(&[], SECRET), webp_of(&[], &[])),
        ("a chunk after RIFF", webp_of(&[], &riff(b"EXIF", SECRET)), webp_of(&[], &[])),
        ("a comment block", gif_of(&blocks(0xfe, &[SECRET, SECRET])), gif_of(&[])),
        ("an application's block", gif_of(&blocks(0xff, &[b"XMP DataXMP", SECRET])), gif_of(&[])),
        ("a profile nobody reads", gif_of(&blocks(0xff, &[b"ICCRGBG1012", SECRET])), gif_of(&[])),
        ("an unknown block", gif_of(&blocks(0x42, &[SECRET])), gif_of(&[])),
        ("plain text", gif_of(&blocks(0x01, &[&[0; 12], SECRET])), gif_of(&[])),
        ("data after the trailer", [gif_of(&[]), SECRET.to_vec()].concat(), gif_of(&[])),
        ("a GIF after the trailer", [gif_of(&[]), gif_of(&[])].concat(), gif_of(&[])),
    ];
    for (what, hiding, plain) in cases {
        assert!(hiding != plain, "{what}");
        let plain = clean(&plain, MAX).unwrap().bytes;
        let clean = clean(&hiding, MAX).unwrap_or_else(|error| panic!("{what}: {error}")).bytes;
        assert!(!holds(&clean, SECRET), "{what}");
        assert!(clean == plain, "{what}: {} bytes instead of {}", clean.len(), plain.len());
    }
    for plain in [jpeg_of(&[]), png_of(&[]), webp_of(&[], &[]), gif_of(&[])] {
        assert!(clean(&plain, MAX).unwrap().bytes == plain);
    }
}

/// Files with other data in place of their end: nothing, other files, and an end that comes too late.
fn without_end(whole: &[u8], end: usize) -> Vec<(&'static str, Vec<u8>)> {
    let open = &whole[..whole.len() - end];
    let closed = &whole[whole.len() - end..];
    let with = |behind: &[u8]| [open, behind].concat();
    vec![
        ("no end", with(b"")),
        ("a trailer", with(&[b"\0\0\x01\x0aSEFH", SECRET, b"SEFT"].concat())),
        ("an archive", with(&[b"PK\x03\x04", SECRET].concat())),
        ("a trailer before the end", with(&[b"SEFH", SECRET, b"SEFT", closed].concat())),
        ("zeros before the end", with(&[&[0; 100], closed].concat())),
    ]
}

#[test]
fn whatever_stands_in_the_place_of_the_end_goes_and_the_end_is_put_there() {
    for (whole, end) in [(jpeg_of(&[]), 2), (png_of(&[]), 12), (gif_of(&[]), 1)] {
        for (what, bytes) in without_end(&whole, end) {
            let clean = clean(&bytes, MAX).unwrap_or_else(|error| panic!("{what}: {error}")).bytes;
            assert!(clean == whole, "{what} of {:?}: {} bytes for {}", &whole[..4], clean.len(), whole.len());
        }
    }
    let whole = jpeg_of(&[]);
    let open = &whole[..whole.len() - 2];
    let exif = segment(0xe1, &[b"Exif\0\0", &exif(1)[..]].concat());
    for (what, behind) in [
        ("another picture", jpeg_of(&exif)),
        ("a film", [b"\0\0\0\x18ftypmp42\xff\xf1", SECRET].concat()),
        ("a comment", segment(0xfe, SECRET)),
        ("markers that are reserved", [b"\xff\x02\xff\xf3", SECRET].concat()),
        ("restart markers", [b"\xff\xd0\xff\xd1", SECRET].concat()),
    ] {
        let clean = clean(&[open, &behind].concat(), MAX).unwrap_or_else(|error| panic!("{what}: {error}")).bytes;
        assert!(clean == whole, "{what}: {} bytes for {}", clean.len(), whole.len());
    }
}

#[test]
fn bytes_between_the_parts_of_a_file_go() {
    let whole = jpeg_of(&[]);
    for stray in [&b"\0\xe1\x01\x92 stray"[..], &[0; 64], b"\xff\xff\xff", b"\xff\0\xff\0", b"\xff\xe1\0\0", SECRET] {
        assert!(clean(&jpeg_of(stray), MAX).unwrap().bytes == whole, "{stray:?}");
    }
    let whole = gif_of(&[]);
    assert!(clean(&gif_of(&[0; 7]), MAX).unwrap().bytes == whole);
    assert!(clean(&gif_of(SECRET), MAX).is_err(), "nothing is there before the first frame");
    let (frames, trailer) = whole.split_at(whole.len() - 1);
    for stray in [&[0; 9][..], SECRET] {
        assert!(clean(&[frames, stray, trailer].concat(), MAX).unwrap().bytes == whole, "{stray:?}");
    }
}

#[test]
fn a_jpeg_without_huffman_tables_gets_those_that_readers_lend_it() {
    let whole = jpeg_of(&[]);
    let mut without = whole.clone();
    while let Some(at) = without.windows(2).position(|pair| pair == [0xff, 0xc4]) {
        let length = usize::from(u16::from_be_bytes([without[at + 2], without[at + 3]]));
        without.drain(at..at + 2 + length);
    }
    let kept = clean(&without, MAX).unwrap();
    assert!(holds(&kept.bytes, &[0xff, 0xc4]) && !holds(&without, &[0xff, 0xc4]));
    // This reader adds no standard tables.
    assert_eq!(seen(&kept.bytes), seen(&whole));
    assert_eq!(clean(&kept.bytes, MAX).unwrap(), kept);
}

#[test]
fn an_animation_that_is_cut_short_keeps_its_whole_frames() {
    let whole = gif_of(&[]);
    let ends = (0..whole.len()).filter(|at| whole[*at..].starts_with(&[0, 0x21, 0xf9])).map(|at| at + 1);
    let ends: Vec<_> = ends.filter(|at| *at > 100).chain([whole.len() - 1]).collect();
    for pair in ends.windows(2) {
        let expected = [&whole[..pair[0]], &[0x3b]].concat();
        for length in [pair[0] + 1, pair[0] + 10, pair[1] - 1] {
            assert!(clean(&whole[..length], MAX).unwrap().bytes == expected, "{length}");
        }
    }
}

#[test]
fn what_a_frame_whose_end_is_damaged_takes_for_pixels_goes() {
    let whole = gif_of(&[]);
    let ends: Vec<_> = (0..whole.len()).filter(|at| *at > 100 && whole[*at..].starts_with(&[0, 0x21, 0xf9])).collect();
    let first = [&whole[..=ends[0]], &[0x3b]].concat();
    for (frame, end) in ends.iter().enumerate() {
        let hidden = blocks(0xfe, &[SECRET, SECRET]);
        for length in (1..=255).step_by(3) {
            // The rest of the file is there, or only the block after the frame, or that block without its end.
            for rest in [&whole[*end + 1..], &[0x3b], &[]] {
                for less in [0, 1, 30] {
                    let file = [&whole[..*end], &[length], &hidden[..hidden.len() - less], rest].concat();
                    let what = format!("frame {frame}, {length}, without {less} and with {}", rest.len());
                    let kept = clean(&file, MAX).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert!(!holds(&kept.bytes, b"GPS") && !holds(&kept.bytes, b"31.2"), "{what}");
                    assert!(kept.bytes.starts_with(&first[..first.len() - 1]), "{what}");
                    assert_eq!(seen(&kept.bytes), seen(&whole), "{what}");
                    assert_eq!(clean(&kept.bytes, MAX).unwrap(), kept, "{what}");
                }
            }
        }
    }
    // If the frame takes the rest of the file, no other block is read.
    let cut = [&whole[..ends[0]], &[0xff], SECRET, &[0x2c; 100]].concat();
    assert!(clean(&cut, MAX).unwrap().bytes == first);
}

#[test]
fn what_a_wrong_length_takes_for_pixels_goes() {
    let plain = png_of(&[]);
    let pixels = plain.windows(4).position(|window| window == b"IDAT").unwrap() - 4;
    let (before, end) = plain.split_at(plain.len() - 12);
    let length = before.len() - pixels - 12;
    for kind in [*b"eXIf", *b"tEXt", *b"zTXt", *b"iTXt", *b"tIME", *b"IEND", *b"caBX", *b"prVt"] {
        let hidden = chunk(kind, SECRET);
        let whole = [before, &hidden, end].concat();
        // The pixels claim to end at every place inside the following chunk, after it, at the end of the file, and
        // never.
        let behind = (4 + 8..=4 + hidden.len() + 16).map(|more| (length + more, whole.len()));
        let never = [1 << 20, 0x7fff_ffff, 0xffff_ffff].map(|length| (length, whole.len()));
        // The file is also cut inside the chunk; then only its name identifies it.
        let named = [b"caBX", b"prVt"].iter().all(|other| **other != kind);
        let cut = (0..SECRET.len() + 4).map(|less| (1 << 20, before.len() + hidden.len() - less)).filter(|_| named);
        for (length, file) in behind.chain(never).chain(cut) {
            let mut bytes = whole[..file].to_vec();
            bytes[pixels..pixels + 4].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
            let what = format!("{length} bytes of pixels before {}, {file} in all", kind.escape_ascii());
            let kept = clean(&bytes, MAX).unwrap_or_else(|error| panic!("{what}: {error}"));
            // The checksum of the pixels is taken for some of them.
            let mut expected = before.to_vec();
            let data = before[pixels + 8..].to_vec();
            expected.splice(pixels.., [chunk(*b"IDAT", &data), chunk(*b"IEND", &[])].concat());
            assert!(kept.bytes == expected, "{what}: {} bytes instead of {}", kept.bytes.len(), expected.len());
            assert_eq!(seen(&kept.bytes), seen(&plain), "{what}");
            assert_eq!(clean(&kept.bytes, MAX).unwrap(), kept, "{what}");
        }
    }
}

#[test]
fn pixels_that_look_like_many_chunks_are_not_summed_up_again_and_again() {
    let plain = png_of(&[]);
    let pixels = plain.windows(4).position(|window| window == b"IDAT").unwrap();
    // Every eighth byte begins a chunk of half the file, whose checksum is wrong.
    let many = [&[0, 0x10, 0, 0][..], b"teSt"].concat().repeat(1 << 18);
    let bytes = [&plain[..pixels - 4], &[0x7f, 0xff, 0xff, 0xff], b"IDAT", &many].concat();
    let kept = clean(&bytes, MAX).unwrap().bytes;
    // After a few dozen of them, the search stops.
    assert!(kept.len() < pixels + 1_000, "{}", kept.len());
}

#[test]
fn an_animated_png_that_is_damaged_becomes_still() {
    let (width, height) = SIZE;
    let control = |sequence: u32| {
        let fields = [sequence, width, height, 0, 0].map(u32::to_be_bytes).concat();
        chunk(*b"fcTL", &[&fields[..], &[0, 1, 0, 10, 0, 0]].concat())
    };
    let still = png_of(&[]);
    let start = [chunk(*b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]), control(0)].concat();
    let frame = [control(1), chunk(*b"fdAT", &[0, 0, 0, 2, 1, 2, 3])].concat();
    let with_start = png_of(&start);
    let (pixels, end) = with_start.split_at(with_start.len() - 12);
    let whole = [pixels, &frame, end].concat();
    assert!(clean(&whole, MAX).unwrap().bytes == whole);
    let data = whole.windows(4).position(|window| window == b"fdAT").unwrap();
    let mut damaged = whole.clone();
    damaged[data + 9] ^= 1;
    for bytes in [damaged, whole[..whole.len() - 20].to_vec(), [pixels, &frame, SECRET].concat()] {
        assert!(clean(&bytes, MAX).unwrap().bytes == still);
    }
}

#[test]
fn what_hides_in_parts_that_are_kept_goes() {
    let adobe = [&b"Adobe\0\x64\0\0\0\0\x01"[..], SECRET].concat();
    let clean_jpeg = clean(&jpeg_of(&segment(0xee, &adobe)), MAX).unwrap().bytes;
    assert!(clean_jpeg == jpeg_of(&segment(0xee, &adobe[..12])));
    // Blocks after the number of repetitions.
    let looping = blocks(0xff, &[b"NETSCAPE2.0", &[1, 0, 0], SECRET]);
    let clean_gif = clean(&gif_of(&looping), MAX).unwrap().bytes;
    assert!(!holds(&clean_gif, SECRET) && clean_gif == gif_of(&blocks(0xff, &[b"NETSCAPE2.0", &[1, 0, 0]])));
}

#[test]
fn an_orientation_is_kept_in_an_exif_of_our_own_and_nothing_else_of_it() {
    for orientation in 2..=8 {
        let ours = Orientation::of_tiff(&exif(orientation)).unwrap().tiff();
        let jpeg = jpeg_of(&segment(0xe1, &[b"Exif\0\0", &exif(orientation)[..]].concat()));
        // Our block is at the place that Exif requires, after the JFIF segment.
        let mut expected = jpeg_of(&[]);
        expected.splice(20..20, segment(0xe1, &[b"Exif\0\0", &ours[..]].concat()));
        assert!(clean(&jpeg, MAX).unwrap().bytes == expected);
        let png = png_of(&chunk(*b"eXIf", &exif(orientation)));
        assert!(clean(&png, MAX).unwrap().bytes == png_of(&chunk(*b"eXIf", &ours)));
        let webp = clean(&webp(orientation), MAX).unwrap().bytes;
        assert!(webp.ends_with(&[&b"EXIF\x1a\0\0\0"[..], &ours].concat()));
    }
}

#[test]
fn what_shows_nothing_or_is_cut_where_all_of_it_is_needed_is_refused() {
    let riff = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let length = u32::try_from(bytes.len() - 8).unwrap();
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let webp = webp_of(&[], &[]);
    let gif = gif_of(&[]);
    let frame = gif.windows(5).position(|window| window == [0x2c, 0, 0, 0, 0]).unwrap();
    let mut bad_code = gif.clone();
    // After a local table of 256 colours and the size of a code, the second code of nine bits is not defined yet.
    let data = frame + 10 + if gif[frame + 9] & 0x80 == 0 { 0 } else { 3 << ((gif[frame + 9] & 7) + 1) } + 2;
    bad_code[data + 1..data + 4].fill(0xff);
    let mut lossy = Vec::new();
    // A key frame of 16 by 16 whose first partition claims 100 bytes, but has 99.
    webp_chunk(&mut lossy, *b"VP8 ", &[&[0x90, 0x0c, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0][..], &[0; 99]].concat());
    let cut = [
        ("a JPEG without scans", [&jpeg_of(&[])[..200], &[0xff, 0xd9]].concat()),
        ("a PNG without pixels", [&png_of(&[])[..33], &chunk(*b"IEND", &[])].concat()),
        ("a GIF without frames", [&gif[..frame], &[0x3b]].concat()),
        ("a GIF whose codes have no meaning", bad_code),
        ("a WebP shorter than it says", webp[..webp.len() - 2].to_vec()),
        ("a WebP whose picture is longer than the file", riff(&webp[..webp.len() - 2])),
        ("a lossy WebP cut and closed", riff(&[b"RIFF\0\0\0\0WEBP", &lossy[..]].concat())),
    ];
    for (what, bytes) in cut {
        let refused = clean(&bytes, MAX);
        assert!(matches!(refused, Err(Broken(_))), "{what}: {:?}", refused.map(|clean| clean.facts));
    }
    let mut whole = Vec::new();
    webp_chunk(&mut whole, *b"VP8 ", &[&[0x90, 0x0c, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0][..], &[0; 100]].concat());
    assert!(clean(&riff(&[b"RIFF\0\0\0\0WEBP", &whole[..]].concat()), MAX).is_ok());
}

#[test]
fn jpegs_that_browsers_do_not_show_are_refused() {
    let jpeg = jpeg_of(&[]);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let changed = |at: usize, value: u8| {
        let mut bytes = jpeg.clone();
        bytes[frame + at] = value;
        bytes
    };
    // Lossless, hierarchical, arithmetic.
    let mut files: Vec<_> = [0xc3, 0xc5, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xcf].map(|kind| changed(1, kind)).into();
    files.extend([12, 16].map(|precision| changed(4, precision)));
    for bytes in files {
        let refused = clean(&bytes, MAX);
        assert!(matches!(refused, Err(Broken("a kind of JPEG that browsers do not show"))));
    }
    // Extended JPEG is kept. Progressive JPEG is kept too, but has different scans.
    assert!(clean(&changed(1, 0xc1), MAX).is_ok());
    assert!(clean(&changed(1, 0xc2), MAX).is_err());
}

#[test]
fn a_frame_of_an_animated_png_lies_within_the_picture() {
    let control = |width: u32, height: u32, x: u32, y: u32| {
        let fields = [0, width, height, x, y].map(u32::to_be_bytes).concat();
        chunk(*b"fcTL", &[&fields[..], &[0, 1, 0, 10, 0, 0]].concat())
    };
    let (width, height) = SIZE;
    let animation = chunk(*b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
    let kept = png_of(&[animation, control(width, height, 0, 0)].concat());
    assert!(clean(&kept, MAX).unwrap().bytes == kept);
    for control in
        [control(65_500, 65_500, 0, 0), control(width, height, 1, 0), control(0, 1, 0, 0), control(1, 1, u32::MAX, 0)]
    {
        assert!(clean(&png_of(&control), MAX).is_err());
    }
}
