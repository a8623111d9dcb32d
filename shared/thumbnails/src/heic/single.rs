//! Wraps a coded tile in a file of its own, because the decoder reads only files.

use super::container::Coded;

/// Builds a HEIC with `coded` as its only picture.
pub(super) fn file(coded: &Coded) -> Vec<u8> {
    let length: usize = coded.data.iter().map(|piece| piece.len()).sum();
    let brands = named(*b"ftyp", &[b"heic\0\0\0\0mif1heic"]);
    // The start of the data depends on the length of the `meta` box that states it, but not on the stated value.
    let start = brands.len() + meta(coded.config, 0, length).len() + 8;
    let mut file = brands;
    file.reserve(start + length);
    file.extend(meta(coded.config, start, length));
    file.extend(word(length + 8));
    file.extend(b"mdat");
    for piece in &coded.data {
        file.extend(*piece);
    }
    file
}

/// Builds the `meta` box: item 1 is the picture, has the configuration `config`, and starts at `start`.
fn meta(config: &[u8], start: usize, length: usize) -> Vec<u8> {
    let handler = named(*b"hdlr", &[&[0; 8], b"pict", &[0; 13]]);
    let primary = named(*b"pitm", &[&[0; 4], &[0, 1]]);
    let entry = named(*b"infe", &[&[2, 0, 0, 0], &[0, 1], &[0, 0], b"hvc1", &[0]]);
    let entries = named(*b"iinf", &[&[0; 4], &[0, 1], &entry]);
    let property = named(*b"ipco", &[&named(*b"hvcC", &[config])]);
    let association = named(*b"ipma", &[&[0; 4], &[0, 0, 0, 1], &[0, 1], &[1, 0x81]]);
    let properties = named(*b"iprp", &[&property, &association]);
    let place = [[0, 1, 0, 0, 0, 1].as_slice(), &word(start), &word(length)].concat();
    let places = named(*b"iloc", &[&[0; 4], &[0x44, 0, 0, 1], &place]);
    named(*b"meta", &[&[0; 4], &handler, &primary, &entries, &properties, &places])
}

/// Builds a box with this name and content.
fn named(name: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&word(content.len() + 8), name.as_slice(), &content].concat()
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}
