//! Files made to break a decoder: each gets its result in time, and none causes a panic.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use thumbnails::{Error, Limits, thumbnails};

use crate::clock::in_time;
use crate::make::heic::{Code, Grid, named, resized};
use crate::make::png::{Kind, Png, chunk};
use crate::make::webp::{extended, frame, riff};
use crate::make::{CONTAIN, COVER, one};

/// The error for `bytes`, if they are refused.
fn refusal(bytes: &[u8]) -> Option<Error> {
    let what = format!("{} bytes that begin with {:?}", bytes.len(), &bytes[..bytes.len().min(40)]);
    in_time(&what, || thumbnails(bytes, &[COVER, CONTAIN], Limits::default())).err()
}

/// A picture of noise in a format.
fn good(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(160, 140, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 251;
        image::Rgb([noise, x % 256, y % 256].map(|value| u8::try_from(value).unwrap()))
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A picture of each format.
fn every_format() -> Vec<(&'static str, Vec<u8>)> {
    let formats = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];
    let mut files: Vec<_> = ["jpeg", "png", "webp", "gif"].into_iter().zip(formats.map(good)).collect();
    let (grid, tiles) = Grid::quarters();
    files.push(("heic", include_bytes!("../../../media/fixtures/quarters.heic").to_vec()));
    files.push(("heic of tiles", grid.file(&tiles)));
    files
}

/// A PNG that claims another size than it has, with a corrected checksum.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = good(ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// A JPEG that claims another size than it has.
fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = good(ImageFormat::Jpeg);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

/// A GIF whose logical screen is of another size than its picture.
fn gif_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = good(ImageFormat::Gif);
    bytes[6..8].copy_from_slice(&width.to_le_bytes());
    bytes[8..10].copy_from_slice(&height.to_le_bytes());
    bytes
}

/// A lossless WebP of 16384 by 16384 pixels in a few bytes.
fn webp_claiming_the_most() -> Vec<u8> {
    let mut bytes = good(ImageFormat::WebP);
    let at = bytes.windows(4).position(|word| word == b"VP8L").unwrap();
    bytes[at + 9..at + 13].copy_from_slice(&0x0fff_ffff_u32.to_le_bytes());
    bytes
}

#[test]
fn what_is_no_picture_is_called_so() {
    let files: [&[u8]; 8] = [
        b"",
        b"\xff",
        b"<html><script>alert(1)</script>",
        b"\x7fELF\x02\x01\x01",
        b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0",
        b"II\x2a\0\x08\0\0\0",
        b"%PDF-1.7",
        b"#!AMR\n",
    ];
    for file in files {
        assert!(matches!(refusal(file), Some(Error::NotAPicture)), "{file:?}");
    }
}

#[test]
fn claims_of_too_many_pixels_or_none_are_refused_before_decoding() {
    let files = [
        ("png bomb", png_claiming(65_500, 65_500)),
        ("png one line too many", png_claiming(50_000_001, 1)),
        ("jpeg bomb", jpeg_claiming(65_500, 65_500)),
        ("gif bomb", gif_claiming(65_500, 65_500)),
        ("gif without width", gif_claiming(0, 9)),
        ("gif without height", gif_claiming(9, 0)),
        ("webp bomb", webp_claiming_the_most()),
    ];
    for (name, file) in files {
        let error = refusal(&file);
        assert!(matches!(error, Some(Error::TooManyPixels { .. })), "{name}: {error:?}");
    }
    for (name, file) in [
        ("jpeg", jpeg_claiming(0, 9)),
        ("png", png_claiming(0, 9)),
        ("png of the most that its header holds", png_claiming(u32::MAX, u32::MAX)),
    ] {
        assert!(refusal(&file).is_some(), "{name}");
    }
}

#[test]
fn the_limits_are_arguments() {
    let file = good(ImageFormat::Png);
    let pixels = Limits { max_pixels: 160 * 140 - 1, ..Limits::default() };
    let error = thumbnails(&file, &[COVER], pixels).err();
    assert!(matches!(error, Some(Error::TooManyPixels { width: 160, height: 140 })));
    let memory = Limits { max_bytes: 1000, ..Limits::default() };
    let error = thumbnails(&file, &[COVER], memory).err();
    assert!(matches!(error, Some(Error::TooMuchMemory)), "{error:?}");
}

#[test]
fn a_file_cut_anywhere_is_shown_as_far_as_it_goes_or_refused_and_never_panics() {
    for (name, whole) in every_format() {
        assert!(refusal(&whole).is_none(), "{name}");
        // The number of bytes after which there may be pixels. The other formats need the whole file, except the bytes
        // after the last pixel (a trailer, a checksum, metadata).
        let first = match name {
            "jpeg" => whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 14,
            "png" => whole.windows(4).position(|word| word == b"IDAT").unwrap() + 4,
            "gif" => whole.windows(5).position(|word| word == [0x2c, 0, 0, 0, 0]).unwrap() + 10 + 768 + 3,
            _ => whole.len(),
        };
        let needed = if name.starts_with("heic") { whole.len() - 64 } else { first.min(whole.len() - 24) };
        for length in (0..needed).step_by(97).chain(0..needed.min(64)) {
            assert!(refusal(&whole[..length]).is_some(), "{name} cut to {length}");
        }
        for length in (first..whole.len()).step_by(97) {
            let refused = refusal(&whole[..length]);
            assert!(refused.is_none(), "{name} cut to {length}: {refused:?}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    for (_, whole) in every_format() {
        for at in (0..whole.len()).step_by(1 + whole.len() / 80).chain(0..400.min(whole.len())) {
            for value in [0x00, 0x7f, 0xff, whole[at] ^ 0x01] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                // Some damaged files still show a picture. The test only requires a result.
                let _ = refusal(&damaged);
            }
        }
    }
}

#[test]
fn only_the_signature_of_a_format_is_broken() {
    let files: [&[u8]; 4] = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x04\0\0\0WEBP"];
    for file in files {
        assert!(matches!(refusal(file), Some(Error::Broken(_))), "{file:?}");
    }
}

/// A PNG with only zeros, whose file has a thousandth of the size of its pixels.
fn png_of_zeros(kind: Kind, depth: u8, size: (u32, u32), interlaced: bool) -> Vec<u8> {
    let zeros = vec![0; kind.samples()];
    Png { kind, depth, size, interlaced, before: Vec::new(), after: Vec::new(), pixel: &|_, _| zeros.clone() }.file()
}

/// A small PNG with additional chunks.
fn png_with(chunks: Vec<([u8; 4], Vec<u8>)>) -> Vec<u8> {
    crate::make::png::rgb(&RgbImage::new(200, 200), chunks, Vec::new())
}

#[test]
fn the_largest_pictures_that_are_allowed_take_moments() {
    for (kind, depth, interlaced) in
        [(Kind::Rgba, 16, false), (Kind::Rgba, 8, true), (Kind::Grey, 1, true), (Kind::GreyAlpha, 8, false)]
    {
        assert!(refusal(&png_of_zeros(kind, depth, (7000, 7000), interlaced)).is_none(), "{kind:?}");
    }
    for size in [(50_000, 1000), (1000, 50_000), (2_000_000, 25), (25, 2_000_000)] {
        assert!(refusal(&png_of_zeros(Kind::Rgb, 8, size, false)).is_none(), "{size:?}");
    }
    // A row with so many bytes is larger than any picture needs.
    let _ = refusal(&png_of_zeros(Kind::Rgba, 16, (50_000_000, 1), false));
}

#[test]
fn metadata_that_unpacks_to_much_is_not_unpacked() {
    let bomb = [b"name\0\0".as_slice(), &fdeflate::compress_to_vec(&vec![0_u8; 400 << 20])].concat();
    for name in [*b"iCCP", *b"zTXt"] {
        assert!(refusal(&png_with(vec![(name, bomb.clone())])).is_none());
    }
    let international = [b"name\0\x01\0\0\0".as_slice(), &bomb[6..]].concat();
    assert!(refusal(&png_with(vec![(*b"iTXt", international)])).is_none());
    let many: Vec<_> = (0..1_000_000).map(|_| (*b"teSt", Vec::new())).collect();
    assert!(refusal(&png_with(many)).is_none());
}

#[test]
fn pngs_of_20_mb_that_say_nothing_are_shown_as_far_as_they_go() {
    let whole = good(ImageFormat::Png);
    let pixels = whole.windows(4).position(|word| word == b"IDAT").unwrap() + 4;
    let data = &whole[pixels..whole.len() - 16];
    let of = |parts: &[u8]| [&whole[..pixels - 8], parts].concat();
    // Empty blocks of a deflate stream, after some rows of stored blocks and before damage.
    let row = [&[0, 0xe1, 0x01, 0x1e, 0xfe][..], &[0; 481]].concat();
    let blocks = [&[0x78, 0x01][..], &row.repeat(50), &[0, 0, 0, 0xff, 0xff].repeat(4 << 20), &[0xff; 100]].concat();
    assert!(refusal(&of(&chunk(*b"IDAT", &blocks))).is_none());
    // Chunks without content, before the pixels, within them, and before damage.
    let nothing = chunk(*b"IDAT", &[]).repeat((20 << 20) / 12);
    let (first, second) = data.split_at(data.len() / 2);
    let [first, second, damage] = [first, second, &[0xff; 100]].map(|data| chunk(*b"IDAT", data));
    for parts in [[&nothing, &first, &second], [&first, &nothing, &second], [&first, &nothing, &damage]] {
        assert!(refusal(&of(&parts.map(|part| &part[..]).concat())).is_none());
    }
}

#[test]
fn palettes_that_end_within_a_colour_or_never_are_refused() {
    for length in [0, 1, 2, 4, 767, 769, 771, 3000] {
        for transparent in [0, 1, 300] {
            let before = vec![(*b"PLTE", vec![9; length]), (*b"tRNS", vec![9; transparent])];
            let (kind, depth, size, interlaced) = (Kind::Palette, 8, (9, 9), false);
            let bytes =
                Png { kind, depth, size, interlaced, before, after: Vec::new(), pixel: &|_, _| vec![255] }.file();
            assert!(refusal(&bytes).is_some(), "{length}");
        }
    }
}

#[test]
fn profiles_that_claim_much_take_moments() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    // Every table of every tag claims the largest possible length.
    for tag in [&b"curv"[..], b"para", b"XYZ ", b"mluc"] {
        let mut claims = p3.clone();
        for at in 0..claims.len() - 12 {
            if claims[at..].starts_with(tag) {
                claims[at + 8..at + 12].fill(0xff);
            }
        }
        claims.resize(3 << 20, 0x55);
        let _ = refusal(&png_with(vec![(*b"iCCP", crate::make::png::profile(&claims))]));
    }
}

#[test]
fn frames_that_are_larger_than_their_canvas_are_judged_too() {
    let screen = |width: u16, height: u16| {
        [b"GIF89a".as_slice(), &width.to_le_bytes(), &height.to_le_bytes(), &[0x80, 0, 0, 0, 0, 0, 9, 9, 9]].concat()
    };
    let place = [0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 8, 1, 0, 0, 0x3b];
    let error = refusal(&[screen(1, 1), place.to_vec()].concat());
    assert!(matches!(error, Some(Error::TooManyPixels { width: 65_535, height: 65_535 })), "{error:?}");
    let picture = good(ImageFormat::WebP);
    let code = crate::make::webp::content(&picture, *b"VP8L");
    let huge = frame((0, 0), (160, 140), &[(*b"VP8L", code)]);
    let flags = extended(0x02, (1 << 24, 1 << 24));
    let error = refusal(&riff(&[(*b"VP8X", &flags), (*b"ANMF", &huge)]));
    assert!(matches!(error, Some(Error::TooManyPixels { .. })), "{error:?}");
    let mut claims = code.to_vec();
    claims[1..5].copy_from_slice(&0x0fff_ffff_u32.to_le_bytes());
    let inner = frame((0, 0), (160, 140), &[(*b"VP8L", &claims)]);
    let flags = extended(0x02, (160, 140));
    let error = refusal(&riff(&[(*b"VP8X", &flags), (*b"ANMF", &inner)]));
    assert!(matches!(error, Some(Error::TooManyPixels { width: 16_384, height: 16_384 })), "{error:?}");
}

#[test]
fn gifs_of_many_blocks_and_few_pixels_take_moments() {
    let head = [b"GIF89a".as_slice(), &[9, 0, 9, 0, 0x80, 0, 0, 0, 0, 0, 9, 9, 9]].concat();
    let comments = [0x21, 0xfe, 1, b'x', 0].repeat(1_000_000);
    assert!(refusal(&[head.clone(), comments].concat()).is_some());
    let application = [b"\x21\xff\x0bICCRGBG1012".to_vec(), [255; 256].repeat(40_000), vec![0]].concat();
    let _ = refusal(&[head, application].concat());
}

#[test]
fn a_heic_that_points_at_the_same_data_often_is_refused() {
    let (grid, tiles) = Grid::quarters();
    let heavy = Code { config: tiles[0].config.clone(), data: [&tiles[0].data[..], &vec![0; 2 << 20]].concat() };
    let bytes = grid.file(&[heavy, tiles[1].clone(), tiles[2].clone(), tiles[3].clone()]);
    // Every tile is where the first is.
    let at = bytes.windows(4).position(|word| word == b"iloc").unwrap() + 12;
    let mut same = bytes;
    for tile in 1..4 {
        same.copy_within(at + 6..at + 14, at + 14 * tile + 6);
    }
    assert!(matches!(refusal(&same), Some(Error::Broken(_))));
}

#[test]
fn a_heic_with_more_code_than_can_be_decoded_in_time_is_refused_before_it_is() {
    let (grid, [first, second, third, fourth]) = Grid::quarters();
    let file = |bytes: u32| {
        // Filler, which decoders pass over (H.265, 7.3.2.8), behind its length.
        let filler = [&(bytes + 2).to_be_bytes()[..], &[0x4c, 0x01], &vec![0xff; bytes as usize]].concat();
        let heavy = Code { config: first.config.clone(), data: [&first.data[..], &filler].concat() };
        grid.file(&[heavy, second.clone(), third.clone(), fourth.clone()])
    };
    assert!(matches!(refusal(&file(23 << 20)), Some(Error::Unsupported("a HEIC with so much code"))));
    assert!(refusal(&file(1 << 20)).is_none());
}

#[test]
fn a_heic_that_codes_much_more_than_it_shows_is_refused_before_room_is_made_for_it() {
    let (grid, tiles) = Grid::quarters();
    let file = |coded| {
        let resized = |tile: &Code| Code { config: resized(&tile.config, coded, (64, 64)), data: tile.data.clone() };
        grid.file(&tiles.each_ref().map(resized))
    };
    assert!(refusal(&file((64, 64))).is_none());
    for coded in [(16_384, 64), (64, 128), (16_384, 16_256)] {
        let refusal = refusal(&file(coded));
        assert!(matches!(&refusal, Some(Error::Broken(error)) if error.to_string().contains("window")), "{refusal:?}");
    }
}

#[test]
fn a_heic_whose_container_gives_another_size_than_its_code_is_refused() {
    let mut bytes = include_bytes!("../../../media/fixtures/quarters.heic").to_vec();
    assert!(refusal(&bytes).is_none());
    let size = bytes.windows(4).position(|word| word == b"ispe").unwrap() + 8;
    bytes[size + 3] ^= 1;
    assert!(matches!(refusal(&bytes), Some(Error::Broken(_))));
}

#[test]
fn a_heic_whose_tiles_have_a_large_configuration_or_grid_is_refused() {
    let (mut grid, tiles) = Grid::quarters();
    let heavy = tiles.clone().map(|tile| Code { config: [tile.config, vec![0; 20_000]].concat(), data: tile.data });
    assert!(refusal(&grid.file(&heavy)).is_some());
    grid.rows = 1;
    assert!(refusal(&grid.file(&tiles)).is_some());
}

#[test]
fn a_heic_of_more_units_than_a_picture_has_is_refused() {
    let (grid, tiles) = Grid::quarters();
    // Filler without content.
    let filler = [0, 0, 0, 3, 0x4c, 0x01, 0x80].repeat(3000);
    let many = tiles.map(|tile| Code { config: tile.config, data: [filler.clone(), tile.data].concat() });
    assert!(matches!(refusal(&grid.file(&many)), Some(Error::TooMuchMemory)));
}

#[test]
fn heics_whose_boxes_lead_nowhere_are_refused() {
    let brands = named(*b"ftyp", &[b"heic\0\0\0\0heic"]);
    let primary = named(*b"pitm", &[&[0; 4], &[0, 1]]);
    let entry = named(*b"infe", &[&[2, 0, 0, 0], &[0, 1], &[0, 0], b"grid", &[0]]);
    let entries = named(*b"iinf", &[&[0; 4], &[0, 1], &entry]);
    let itself = named(*b"iref", &[&[0; 4], &named(*b"dimg", &[&[0, 1, 0, 1, 0, 1]])]);
    let properties = named(*b"iprp", &[]);
    // An item whose data are in 65535 empty pieces, 65535 times.
    let item = [0, 1, 0, 0, 0xff, 0xff];
    let places = named(*b"iloc", &[&[0; 4], &[0, 0, 0xff, 0xff], &item.repeat(0xffff)]);
    let meta = named(*b"meta", &[&[0; 4], &primary, &entries, &itself, &properties, &places]);
    assert!(refusal(&[brands.clone(), meta].concat()).is_some());
    let nested = (0..100_000).fold(Vec::new(), |_, _| b"\0\0\0\x08meta".to_vec());
    assert!(refusal(&[brands.clone(), nested.repeat(100_000)].concat()).is_some());
    assert!(refusal(&[brands, named(*b"meta", &[&[0; 4]])].concat()).is_some());
}

#[test]
fn jpegs_that_make_much_of_little_take_moments() {
    // 631 bytes that claim four thousand million pixels.
    let mut small = jpeg_claiming(65_500, 65_500);
    small.truncate(629);
    small.extend([0xff, 0xd9]);
    assert!(matches!(refusal(&small), Some(Error::TooManyPixels { width: 65_500, height: 65_500 })));
    // 49 million pixels, most of which have no data.
    assert!(refusal(&jpeg_claiming(7000, 7000)).is_none());
}

/// A progressive JPEG of 7000 by 7000 grey pixels, with so many empty scans.
fn jpeg_of_scans(scans: usize) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bytes.extend([16; 64]);
    bytes.extend([0xff, 0xc2, 0, 11, 8, 0x1b, 0x58, 0x1b, 0x58, 1, 1, 0x11, 0]);
    // DC: category 0 is `0`. AC: a run of 32767 ends of blocks is `0` and 14 bits.
    for (class, symbol) in [(0x00, 0x00), (0x10, 0xe0)] {
        bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
        bytes.extend([0; 15]);
        bytes.push(symbol);
    }
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 0, 0]);
    bytes.resize(bytes.len() + 875 * 875 / 8 + 1, 0);
    let mut runs = Vec::new();
    let bits: Vec<u8> = (0..=875 * 875 / 32_767).flat_map(|_| [0].into_iter().chain([1; 14])).collect();
    for bits in bits.chunks(8) {
        runs.push(bits.iter().enumerate().fold(0, |byte, (place, bit)| byte | bit << (7 - place)));
        if runs.last() == Some(&0xff) {
            runs.push(0);
        }
    }
    for scan in 0..scans {
        let band = u8::try_from(1 + scan % 63).unwrap();
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0x00, band, band, 0]);
        bytes.extend(&runs);
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn a_jpeg_of_many_scans_takes_moments() {
    for scans in [63, 1000, 100_000] {
        // The decoder may refuse such a file or not.
        let _ = refusal(&jpeg_of_scans(scans));
    }
}

#[test]
fn files_are_what_they_contain_and_nothing_of_it_is_passed_on() {
    let script = b"<script>alert(1)</script><?php system('id'); ?>";
    for (name, whole) in every_format().into_iter().filter(|(name, _)| !name.starts_with("heic")) {
        let polyglot = [whole.as_slice(), script].concat();
        let made = one(&polyglot, COVER);
        assert_eq!(made.content_type, "image/jpeg", "{name}");
        assert!(!made.bytes.windows(7).any(|word| word == b"<script" || word == b"<?php s"), "{name}");
    }
    let commented = png_with(vec![(*b"tEXt", [b"Comment\0".as_slice(), script].concat())]);
    assert!(!one(&commented, COVER).bytes.windows(7).any(|word| word == b"<script"));
    // A script that a server might take for one because it ends in .gif.
    let script = b"GIF89a=1;alert(1)//";
    assert!(refusal(script).is_some());
    assert!(matches!(refusal(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"), Some(Error::NotAPicture)));
    assert!(matches!(refusal(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"), Some(Error::NotAPicture)));
}

#[test]
fn chunks_of_impossible_lengths_are_survived() {
    let whole = good(ImageFormat::Png);
    for length in [0x7fff_ffff_u32, 0xffff_ffff, 0x8000_0000] {
        let mut bytes = whole[..33].to_vec();
        bytes.extend(length.to_be_bytes());
        bytes.extend(b"eXIf");
        bytes.extend(&whole[33..]);
        assert!(refusal(&bytes).is_some());
    }
    assert!(refusal(&[&whole[..33], &chunk(*b"IEND", &[])].concat()).is_some());
    for length in [0_u32, 1, 0xffff_ffff] {
        let mut bytes = good(ImageFormat::WebP);
        bytes[16..20].copy_from_slice(&length.to_le_bytes());
        // The pixels are complete; the decoder may find them or not.
        let _ = refusal(&bytes);
    }
}
