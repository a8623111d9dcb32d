//! HEICs as phones write them, around the coded picture in a fixture of the codec.

use super::pictures::SECRET;

/// 512 by 512 pixels: red and lime at the top, blue and white at the bottom.
pub const QUARTERS: &[u8] = include_bytes!("../../../shared/media/fixtures/quarters.heic");

/// The colours of [`QUARTERS`] in reading order.
pub const COLOURS: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];

fn named(kind: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&long(content.len() + 8), &kind[..], &content].concat()
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a length").to_be_bytes()
}

/// The box of this kind in `bytes`, including its header.
fn find(bytes: &[u8], kind: [u8; 4]) -> &[u8] {
    let at = bytes.windows(4).position(|window| *window == kind).expect("a box") - 4;
    let length = u32::from_be_bytes(*bytes[at..].first_chunk().expect("a length"));
    &bytes[at..at + usize::try_from(length).expect("a length")]
}

/// The code of [`QUARTERS`], with counterclockwise quarter turns, and with its location in an Exif block, in XMP, in
/// the name of the picture and after the end. `claims` is the size in the container.
pub fn heic_of_a_place(quarter_turns: u8, claims: (u32, u32)) -> Vec<u8> {
    let code = &find(QUARTERS, *b"mdat")[8..];
    let exif = [b"\0\0\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", SECRET].concat();
    let xmp = [b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", SECRET].concat();
    let parts = [code, &exif, &xmp];
    let brands = named(*b"ftyp", &[b"heic\0\0\0\0mif1MiHEmiafheic"]);
    let meta = |mut start: usize| {
        let entry =
            |id: u8, kind: &[u8], name: &[u8]| named(*b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, name, b"\0"]);
        let entries = [entry(1, b"hvc1", SECRET), entry(2, b"Exif", b""), entry(3, b"mime", b"\0application/rdf+xml")];
        let mut places = vec![1, 0, 0, 0, 0x44, 0, 0, 3];
        for (id, part) in (1_u8..).zip(parts) {
            places.extend([&[0, id, 0, 0, 0, 0, 0, 1], &long(start)[..], &long(part.len())].concat());
            start += part.len();
        }
        let size = [[0; 4], claims.0.to_be_bytes(), claims.1.to_be_bytes()].concat();
        let properties = [find(QUARTERS, *b"hvcC"), &named(*b"ispe", &[&size]), &named(*b"irot", &[&[quarter_turns]])];
        let said = |id: u8| named(*b"cdsc", &[&[0, id, 0, 1, 0, 1]]);
        named(
            *b"meta",
            &[
                &[0; 4],
                &named(*b"hdlr", &[&[0; 8], b"pict", &[0; 13]]),
                &named(*b"pitm", &[&[0, 0, 0, 0, 0, 1]]),
                &named(*b"iinf", &[&[0, 0, 0, 0, 0, 3], &entries.concat()]),
                &named(*b"iref", &[&[0; 4], &said(2), &said(3)]),
                &named(
                    *b"iprp",
                    &[
                        &named(*b"ipco", &properties),
                        &named(*b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 3, 0x81, 2, 0x83]]),
                    ],
                ),
                &named(*b"iloc", &[&places]),
            ],
        )
    };
    let start = brands.len() + meta(0).len() + 8;
    [brands, meta(start), named(*b"mdat", &parts), named(*b"mpvd", &[SECRET])].concat()
}

/// The code of the picture in a file.
pub fn code(file: &[u8]) -> &[u8] {
    &find(file, *b"mdat")[8..]
}
