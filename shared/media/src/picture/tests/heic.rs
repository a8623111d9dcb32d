//! HEICs as phones write them, built around the coded tiles of the fixtures, and files that only look similar.

use super::*;

/// An item of a file to be made.
#[derive(Clone)]
struct Item {
    id: u16,
    kind: [u8; 4],
    data: Vec<u8>,
    /// Whether the data are in the `meta` box.
    inner: bool,
    /// Its properties, counted from 1, and whether each is essential.
    has: Vec<(u8, bool)>,
}

/// A file to be made.
#[derive(Clone)]
struct File {
    brands: Vec<u8>,
    primary: u16,
    items: Vec<Item>,
    properties: Vec<([u8; 4], Vec<u8>)>,
    references: Vec<([u8; 4], u16, Vec<u16>)>,
    /// Between the data of two items.
    gap: Vec<u8>,
    /// The bytes after the last needed box.
    tail: Vec<u8>,
}

/// The changes in the container for each number of an orientation: turns counterclockwise, and the axis of a flip after
/// them. The codec's tests compare the same with pixels.
const CHANGES: [(Option<u8>, Option<u8>); 8] = [
    (None, None),
    (None, Some(1)),
    (Some(2), None),
    (None, Some(0)),
    (Some(1), Some(0)),
    (Some(3), None),
    (Some(1), Some(1)),
    (Some(1), None),
];

const EXIF: u16 = 300;
const GRID: u16 = 100;

fn named(kind: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes(), &kind[..], &content].concat()
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_be_bytes()
}

/// The content of the box at the end of a path of boxes.
fn content<'a>(mut bytes: &'a [u8], path: &[&[u8; 4]]) -> &'a [u8] {
    for kind in path {
        loop {
            let length = u32::from_be_bytes(*bytes.first_chunk().unwrap()) as usize;
            let (this, rest) = bytes.split_at(length);
            if &this[4..8] == *kind {
                bytes = &this[8..];
                break;
            }
            bytes = rest;
        }
        if *kind == b"meta" {
            bytes = &bytes[4..];
        }
    }
    bytes
}

/// The configuration and the code of tiles of 64 by 64 pixels: red, lime, blue, white.
fn tiles() -> [(Vec<u8>, Vec<u8>); 4] {
    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/", $name))
        };
    }
    let files: [&[u8]; 4] =
        [fixture!("red.heic"), fixture!("lime.heic"), fixture!("blue.heic"), fixture!("white.heic")];
    files.map(|file| {
        let config = content(file, &[b"meta", b"iprp", b"ipco", b"hvcC"]).to_vec();
        (config, content(file, &[b"mdat"]).to_vec())
    })
}

fn ispe(width: u32, height: u32) -> ([u8; 4], Vec<u8>) {
    (*b"ispe", [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
}

impl File {
    /// A photograph: a grid of four tiles, a thumbnail, a depth map, Exif and XMP.
    fn photograph(orientation: u8) -> Self {
        let (turn, flip) = CHANGES[usize::from(orientation) - 1];
        let tiles = tiles();
        let mut properties: Vec<_> = tiles.iter().map(|(config, _)| (*b"hvcC", config.clone())).collect();
        properties.extend([
            ispe(64, 64),
            ispe(128, 128),
            (*b"colr", b"profa profile of colours".to_vec()),
            (*b"pixi", vec![0, 0, 0, 0, 3, 8, 8, 8]),
            (*b"udes", [&[0; 4], SECRET, b"\0"].concat()),
            (*b"auxC", b"\0\0\0\0urn:mpeg:hevc:2015:auxid:2\0".to_vec()),
            (*b"irot", vec![turn.unwrap_or_default(), 0x31]),
            (*b"imir", vec![flip.unwrap_or_default()]),
        ]);
        let mut has = vec![(6, false), (7, false), (8, false), (9, false)];
        has.extend(turn.map(|_| (11, true)));
        has.extend(flip.map(|_| (12, true)));
        let item = |id, kind: &[u8; 4], data: &[u8], has: &[(u8, bool)]| Item {
            id,
            kind: *kind,
            data: data.to_vec(),
            inner: kind == b"grid",
            has: has.to_vec(),
        };
        let mut items = vec![item(EXIF, b"Exif", &[&[0; 4], &exif(orientation)[..]].concat(), &[])];
        for (place, (_, code)) in (0..).zip(&tiles) {
            items.push(item(1 + u16::from(place), b"hvc1", code, &[(place + 1, true), (5, false)]));
        }
        let grid = [&[0, 0, 1, 1, 0, 128, 0, 128][..]].concat();
        items.push(item(GRID, b"grid", &grid, &has));
        let coded_secret = [&long(SECRET.len())[..], SECRET].concat();
        items.push(item(200, b"hvc1", &coded_secret, &[(1, true), (5, false)]));
        items.push(item(201, b"hvc1", &coded_secret, &[(1, true), (5, false), (10, true)]));
        items.push(item(301, b"mime", &[b"<x:xmpmeta>", SECRET].concat(), &[]));
        let references = vec![
            (*b"cdsc", EXIF, vec![GRID]),
            (*b"dimg", GRID, vec![1, 2, 3, 4]),
            (*b"thmb", 200, vec![GRID]),
            (*b"auxl", 201, vec![GRID]),
            (*b"cdsc", 301, vec![GRID]),
        ];
        let tail = [named(*b"mpvd", &[b"ftypmp42", SECRET]), SECRET.to_vec()].concat();
        let brands = b"heic\0\0\0\0mif1miafMiHEheictmap".to_vec();
        Self { brands, primary: GRID, items, properties, references, gap: SECRET.to_vec(), tail }
    }

    fn item(&mut self, id: u16) -> &mut Item {
        self.items.iter_mut().find(|item| item.id == id).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        let brands = named(*b"ftyp", &[&self.brands]);
        let start = brands.len() + self.meta(0).len() + 8;
        let data = self.items.iter().filter(|item| !item.inner).flat_map(|item| [&item.data[..], &self.gap].concat());
        [brands, self.meta(start), named(*b"mdat", &[&data.collect::<Vec<_>>()]), self.tail.clone()].concat()
    }

    fn meta(&self, mut start: usize) -> Vec<u8> {
        let count = u16::try_from(self.items.len()).unwrap().to_be_bytes();
        let (mut entries, mut places, mut had, mut inner) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for Item { id, kind, data, inner: inside, has } in &self.items {
            let id = id.to_be_bytes();
            entries.extend(named(*b"infe", &[&[2, 0, 0, 1], &id, &[0; 2], kind, SECRET, b"\0"]));
            let at = if *inside { inner.len() } else { start };
            let place = [&id[..], &[0, u8::from(*inside), 0, 0, 0, 1], &long(at), &long(data.len())].concat();
            places.extend(place);
            if *inside {
                inner.extend([data, &self.gap[..]].concat());
            } else {
                start += data.len() + self.gap.len();
            }
            had.extend([&id[..], &[u8::try_from(has.len()).unwrap()]].concat());
            had.extend(has.iter().map(|(property, essential)| property | if *essential { 0x80 } else { 0 }));
        }
        let references: Vec<u8> = self
            .references
            .iter()
            .flat_map(|(kind, from, to)| {
                let list: Vec<u8> = to.iter().flat_map(|id| id.to_be_bytes()).collect();
                named(*kind, &[&from.to_be_bytes(), &u16::try_from(to.len()).unwrap().to_be_bytes(), &list])
            })
            .collect();
        let properties: Vec<u8> = self.properties.iter().flat_map(|(kind, data)| named(*kind, &[data])).collect();
        let properties = named(*b"ipco", &[&properties]);
        let had = named(*b"ipma", &[&[0; 4], &long(self.items.len()), &had]);
        named(
            *b"meta",
            &[
                &[0; 4],
                &named(*b"hdlr", &[&[0; 8], b"pict", &[0; 12], SECRET, b"\0"]),
                &named(*b"pitm", &[&[0; 4], &self.primary.to_be_bytes()]),
                &named(*b"iinf", &[&[0; 4], &count, &entries]),
                &named(*b"iref", &[&[0; 4], &references]),
                &named(*b"iprp", &[&properties, &had]),
                &named(*b"idat", &[&inner]),
                &named(*b"iloc", &[&[1, 0, 0, 0, 0x44, 0], &count, &places]),
                &named(*b"uuid", &[SECRET]),
            ],
        )
    }
}

/// A photo of a phone, with its place in every possible part of the file.
pub(super) fn photograph(orientation: u8) -> Vec<u8> {
    File::photograph(orientation).bytes()
}

/// The upright pixels, by another reader of HEIC.
pub(super) fn seen(bytes: &[u8]) -> Vec<u8> {
    let picture = heic_decoder::decode(bytes).unwrap();
    let planes = [picture.y, picture.cb, picture.cr].concat();
    planes.into_iter().map(|sample| u8::try_from(sample).unwrap()).collect()
}

fn refusal(file: &File) -> &'static str {
    match clean(&file.bytes(), MAX) {
        Err(Broken(reason)) => reason,
        other => panic!("{:?}", other.map(|clean| clean.facts)),
    }
}

#[test]
fn the_code_of_every_tile_is_copied_bit_for_bit() {
    let clean = clean(&photograph(6), MAX).unwrap().bytes;
    let code: Vec<u8> = tiles().into_iter().flat_map(|(_, code)| code).collect();
    assert!(content(&clean, &[b"mdat"]) == code);
    let grid = content(&clean, &[b"meta", b"idat"]);
    assert_eq!(grid, [0, 0, 1, 1, 0, 128, 0, 128]);
    let properties = content(&clean, &[b"meta", b"iprp", b"ipco"]);
    assert!(holds(properties, b"\0\0\0\x09irot\x03") && !holds(properties, b"irot\x03\x31"));
    // Only the brands about its coding, the hidden flag of the tiles, and the flags of essential properties stay.
    assert_eq!(content(&clean, &[b"ftyp"]), b"heic\0\0\0\0mif1heicmiafMiHE");
    let entries = content(&clean, &[b"meta", b"iinf"]);
    assert_eq!(entries.windows(8).filter(|window| window == b"infe\x02\0\0\x01").count(), 5);
    let had = content(&clean, &[b"meta", b"iprp", b"ipma"]);
    assert!(holds(had, &[0, 1, 2, 0x80, 1, 0, 5]) && had.ends_with(&[0, 5, 4, 0, 6, 0, 7, 0, 8, 0x80, 9]));
}

#[test]
fn nothing_says_who_or_where_to_another_reader_either() {
    let original = photograph(6);
    let told = heic_decoder::read_metadata(&original).unwrap();
    assert!(told.exif.is_some_and(|exif| holds(&exif, SECRET)));
    let clean = clean(&original, MAX).unwrap().bytes;
    assert!(heic_decoder::read_metadata(&clean).unwrap().exif.is_none());
    for word in [SECRET, b"Exif", b"mime", b"xmpmeta", b"thmb", b"cdsc", b"udes", b"uuid", b"tmap", b"mpvd", b"auxid"] {
        assert!(!holds(&clean, word), "{}", String::from_utf8_lossy(word));
    }
}

#[test]
fn transparency_is_part_of_the_picture() {
    for urn in [&b"urn:mpeg:hevc:2015:auxid:1\0"[..], b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"] {
        let mut file = File::photograph(1);
        file.properties[9].1 = [&[0; 4], urn].concat();
        file.item(201).data = tiles()[0].1.clone();
        file.primary = 1;
        file.references[3].2 = vec![1];
        let clean = clean(&file.bytes(), MAX).unwrap().bytes;
        assert!(holds(&clean, urn) && holds(&clean, b"auxl") && !holds(&clean, SECRET));
        let mut original = file.clone();
        original.tail.clear();
        assert!(heic_decoder::decode(&clean).unwrap().alpha.is_some());
        assert!(seen(&clean) == seen(&original.bytes()));
    }
}

#[test]
fn pieces_of_an_item_are_put_together_and_its_place_may_be_told_in_any_way() {
    // Version 0: no methods, and a base that every place is added to.
    let (config, code) = tiles()[0].clone();
    let (some, rest) = code.split_at(20);
    let meta = |start: usize| {
        let piece = |at: usize, length: usize| [long(at), long(length)].concat();
        let places = [
            &[0; 4][..],
            &[0x44, 0x40, 0, 1, 0, 7, 0, 0],
            &long(start),
            &[0, 2],
            &piece(5 + rest.len(), some.len()),
            &piece(0, rest.len()),
        ]
        .concat();
        let ispe = ispe(64, 64).1;
        named(
            *b"meta",
            &[
                &[0; 4],
                &named(*b"pitm", &[&[1, 0, 0, 0], &long(7)]),
                &named(
                    *b"iinf",
                    &[&[1, 0, 0, 0], &long(1), &named(*b"infe", &[&[3, 0, 0, 0], &long(7), &[0; 2], b"hvc1\0"])],
                ),
                &named(
                    *b"iprp",
                    &[
                        &named(*b"ipco", &[&named(*b"hvcC", &[&config]), &named(*b"ispe", &[&ispe])]),
                        &named(*b"ipma", &[&[1, 0, 0, 1], &long(1), &long(7), &[2, 0x80, 1, 0, 2]]),
                    ],
                ),
                &named(*b"iloc", &[&places]),
            ],
        )
    };
    let brands = named(*b"ftyp", &[b"mif1\0\0\0\0heic"]);
    let start = brands.len() + meta(0).len() + 16;
    let data = [rest, SECRET.get(..5).unwrap(), some].concat();
    // A box with a long length, which goes to the end.
    let head = [&[0, 0, 0, 1][..], b"mdat", &(16 + data.len() as u64).to_be_bytes()].concat();
    let file = [brands, meta(start), head, data].concat();
    let clean = clean(&file, MAX).unwrap();
    assert_eq!((clean.facts.width, clean.facts.height), (64, 64));
    assert!(content(&clean.bytes, &[b"mdat"]) == code);
    assert!(seen(&clean.bytes) == seen(&file));
}

#[test]
fn a_claim_of_too_many_pixels_is_refused_wherever_it_is_made() {
    const TOO_MANY: &str = "the picture has too many pixels";
    // A grid of one tile that claims four gigapixels.
    let mut single = File::photograph(1);
    single.primary = 1;
    single.properties[4] = ispe(65_500, 65_500);
    assert_eq!(refusal(&single), TOO_MANY);
    // Tiles that extend beyond the picture are decoded completely.
    let mut sticking = File::photograph(1);
    sticking.properties[4] = ispe(4000, 4000);
    sticking.properties[5] = ispe(4001, 4001);
    sticking.item(GRID).data = vec![0, 0, 1, 1, 0x0f, 0xa1, 0x0f, 0xa1];
    assert_eq!(refusal(&sticking), TOO_MANY);
    let mut nothing = File::photograph(1);
    nothing.primary = 1;
    nothing.properties[4] = ispe(0, 64);
    assert_eq!(refusal(&nothing), "the picture has no pixels");
}

#[test]
fn files_that_do_not_add_up_are_refused() {
    type Change = fn(&mut File);
    let cases: [(&str, Change); 20] = [
        ("no primary", |file| file.primary = 9),
        ("the primary is Exif", |file| file.primary = EXIF),
        ("no such kind", |file| file.item(GRID).kind = *b"av01"),
        ("an overlay", |file| file.item(GRID).kind = *b"iovl"),
        ("a tile that is a grid", |file| file.item(2).kind = *b"grid"),
        ("a tile that is not there", |file| file.references[1].2[3] = 77),
        ("a tile too few", |file| file.references[1].2.truncate(3)),
        ("a tile too many", |file| file.references[1].2.push(1)),
        ("two lists of tiles", |file| file.references.push((*b"dimg", GRID, vec![1, 2, 3, 4]))),
        ("a grid of no tiles", |file| file.references[1].2.clear()),
        ("another size than said", |file| file.properties[5] = ispe(127, 128)),
        ("tiles too small", |file| file.properties[4] = ispe(63, 64)),
        ("tiles that lie outside", |file| {
            file.properties[5] = ispe(64, 128);
            file.item(GRID).data = vec![0, 0, 1, 1, 0, 64, 0, 128];
        }),
        ("no size", |file| file.properties[5].0 = *b"free"),
        ("no configuration", |file| file.properties[2].0 = *b"free"),
        ("an essential property that nobody knows", |file| file.properties[8].0 = *b"what"),
        ("a unit longer than its item", |file| file.item(3).data[0] = 0xff),
        ("no code", |file| file.item(4).data.clear()),
        ("a short turn", |file| file.item(GRID).has[3] = (13, false)),
        ("the same item twice", |file| file.items[2].id = 1),
    ];
    for (what, change) in cases {
        let mut file = File::photograph(1);
        file.gap.clear();
        file.item(GRID).has[3] = (9, what.starts_with("an essential"));
        file.properties.push((*b"irot", Vec::new()));
        assert!(clean(&file.bytes(), MAX).is_ok() || what.starts_with("an essential"), "before {what}");
        change(&mut file);
        assert!(matches!(clean(&file.bytes(), MAX), Err(Broken(_))), "{what}");
    }
}

#[test]
fn films_and_avif_are_told_apart() {
    for brands in [&b"hevc\0\0\0\0msf1hevcheic"[..], b"avif\0\0\0\0mif1miaf", b"msf1\0\0\0\0heic", b"mif1\0\0\0\0avif"]
    {
        let mut file = File::photograph(1);
        file.brands = brands.to_vec();
        assert_eq!(refusal(&file), "not a JPEG, PNG, WebP, GIF or HEIC picture");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is the question")]
fn a_grid_that_names_one_tile_often_is_looked_at_once() {
    let mut file = File::photograph(1);
    // A unit of coded data after the other ones.
    file.item(1).data.extend([&long(4 << 20)[..], &vec![1; 4 << 20]].concat());
    file.item(GRID).data = vec![0, 0, 254, 254, 0, 255, 0, 255];
    (file.properties[4], file.properties[5]) = (ispe(1, 1), ispe(255, 255));
    let tiles = file.references.iter_mut().find(|(kind, ..)| kind == b"dimg").unwrap();
    tiles.2 = vec![1; 255 * 255];
    let start = std::time::Instant::now();
    let _ = clean(&file.bytes(), MAX);
    // To copy it for each reference would take half a minute.
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn what_a_tile_says_of_its_code_is_short() {
    let mut file = File::photograph(1);
    file.properties[0].1.extend(vec![0; 16_000]);
    assert!(clean(&file.bytes(), MAX).is_ok());
    file.properties[0].1.extend(vec![0; 1_000]);
    assert!(matches!(clean(&file.bytes(), MAX), Err(Broken("the picture is damaged"))));
}

#[test]
fn a_small_file_that_names_the_same_bytes_often_is_not_copied_often() {
    let mut file = File::photograph(1);
    file.item(1).data.extend(vec![0; 20_000]);
    let mut bytes = file.bytes();
    assert!(clean(&bytes, MAX).is_ok());
    // All tiles have the position of the first one. Before their positions are 12 bytes and the position of the Exif
    // block.
    let places = bytes.windows(4).position(|window| window == b"iloc").unwrap() + 12;
    for tile in 2..=4 {
        let first = bytes[places + 16 + 8..places + 16 + 16].to_vec();
        bytes[places + 16 * tile + 8..places + 16 * tile + 16].copy_from_slice(&first);
    }
    assert!(matches!(clean(&bytes, MAX), Err(Broken("the picture is damaged"))));
}
