//! A coded tile as a file of its own, which is what the decoder takes.

use super::container::Coded;

/// A HEIC whose only picture is `coded`.
pub(super) fn file(coded: &Coded) -> Vec<u8> {
    let length: usize = coded.data.iter().map(|piece| piece.len()).sum();
    let brands = named(*b"ftyp", &[b"heic\0\0\0\0mif1heic"]);
    // Where the data begins depends on how long what says so is, but not on what it says.
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

/// The `meta` box: item 1 is the picture, is coded as `config` says, and lies at `start`.
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

/// A box of this name and content.
fn named(name: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&word(content.len() + 8), name.as_slice(), &content].concat()
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}
