//! Builds other files from the coded tiles of the fixtures.

/// A coded picture: its configuration and its code.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) config: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

/// A grid of tiles of 64 by 64 pixels, and its properties.
pub(crate) struct Grid {
    pub(crate) columns: u8,
    pub(crate) rows: u8,
    pub(crate) size: (u32, u32),
    /// Properties of the whole picture: name and content.
    pub(crate) properties: Vec<([u8; 4], Vec<u8>)>,
    /// An Exif block of the whole picture.
    pub(crate) exif: Vec<u8>,
}

/// The boxes of `bytes`.
fn boxes(mut bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= 8 {
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        found.push((bytes[4..8].try_into().unwrap(), &bytes[8..length]));
        bytes = &bytes[length..];
    }
    found
}

fn find(bytes: &[u8], name: [u8; 4]) -> &[u8] {
    boxes(bytes).into_iter().find(|(found, _)| *found == name).unwrap().1
}

/// The code of a fixture.
pub(crate) fn code(file: &[u8]) -> Code {
    let properties = find(find(&find(file, *b"meta")[4..], *b"iprp"), *b"ipco");
    Code { config: find(properties, *b"hvcC").to_vec(), data: find(file, *b"mdat").to_vec() }
}

/// A box.
pub(crate) fn named(name: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes(), name.as_slice(), &content].concat()
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap().to_be_bytes()
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_be_bytes()
}

impl Grid {
    /// Red and green tiles above, blue and white ones below.
    pub(crate) fn quarters() -> (Self, [Code; 4]) {
        let tiles: [&[u8]; 4] = [
            include_bytes!("../../../../media/fixtures/red.heic"),
            include_bytes!("../../../../media/fixtures/lime.heic"),
            include_bytes!("../../../../media/fixtures/blue.heic"),
            include_bytes!("../../../../media/fixtures/white.heic"),
        ];
        let grid = Self { columns: 2, rows: 2, size: (128, 128), properties: Vec::new(), exif: Vec::new() };
        (grid, tiles.map(code))
    }

    /// The file. Items 1 and on are tiles, the one after them the grid, the last the Exif block.
    pub(crate) fn file(&self, tiles: &[Code]) -> Vec<u8> {
        let brands = named(*b"ftyp", &[b"heic\0\0\0\0mif1heic"]);
        let grid =
            [&[0, 1, self.rows - 1, self.columns - 1], &self.size.0.to_be_bytes()[..], &self.size.1.to_be_bytes()];
        let (grid, exif) = (grid.concat(), [&[0; 4], self.exif.as_slice()].concat());
        let data: Vec<&[u8]> = tiles.iter().map(|tile| tile.data.as_slice()).chain([&grid[..], &exif]).collect();
        let start = brands.len() + self.meta(tiles, &data, 0).len() + 8;
        [brands, self.meta(tiles, &data, start), named(*b"mdat", &data)].concat()
    }

    fn meta(&self, tiles: &[Code], data: &[&[u8]], mut start: usize) -> Vec<u8> {
        let (grid, exif) = (tiles.len() + 1, tiles.len() + 2);
        let kinds = tiles.iter().map(|_| b"hvc1").chain([b"grid", b"Exif"]);
        let entries: Vec<u8> = (1..)
            .zip(kinds)
            .flat_map(|(id, kind)| named(*b"infe", &[&[2, 0, 0, 0], &short(id), &[0; 2], kind, &[0]]))
            .collect();
        let mut places = Vec::new();
        for (id, data) in (1..).zip(data) {
            places.extend([&short(id)[..], &[0, 0, 0, 1], &long(start), &long(data.len())].concat());
            start += data.len();
        }
        let parts: Vec<u8> = (1..grid).flat_map(short).collect();
        let references = [
            named(*b"dimg", &[&short(grid), &short(tiles.len()), &parts]),
            named(*b"cdsc", &[&short(exif), &[0, 1], &short(grid)]),
        ];
        let mut properties: Vec<u8> = tiles.iter().flat_map(|tile| named(*b"hvcC", &[&tile.config])).collect();
        properties.extend(self.properties.iter().flat_map(|(name, content)| named(*name, &[content])));
        let mut has: Vec<u8> = (1..grid).flat_map(|id| [short(id).as_slice(), &[1], &short(id)].concat()).collect();
        has.extend([&short(grid)[..], &[u8::try_from(self.properties.len()).unwrap()]].concat());
        has.extend((0..self.properties.len()).flat_map(|property| short(grid + property)));
        let primary = named(*b"pitm", &[&[0; 4], &short(grid)]);
        let items = named(*b"iinf", &[&[0; 4], &short(exif), &entries]);
        let has = named(*b"ipma", &[&[0, 0, 0, 1], &long(grid), &has]);
        let properties = named(*b"iprp", &[&named(*b"ipco", &[&properties]), &has]);
        let references = named(*b"iref", &[&[0; 4], &references.concat()]);
        let places = named(*b"iloc", &[&[0; 4], &[0x44, 0], &short(exif), &places]);
        named(*b"meta", &[&[0; 4], &primary, &items, &properties, &references, &places])
    }
}

/// The configuration of a tile with another size in its sequence parameter set: how large it is coded, and how much
/// less of it is shown (H.265, 7.3.2.2.1).
pub(crate) fn resized(config: &[u8], coded: (u32, u32), shown: (u32, u32)) -> Vec<u8> {
    let (mut out, mut rest) = (config[..23].to_vec(), &config[23..]);
    while let [kind, 0, 1, high, low, units @ ..] = rest {
        let (unit, after) = units.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        let unit = if kind & 0x3f == 33 { resized_set(unit, coded, shown) } else { unit.to_vec() };
        out.extend([&[*kind, 0, 1], &short(unit.len())[..], &unit].concat());
        rest = after;
    }
    assert!(rest.is_empty());
    out
}

fn resized_set(unit: &[u8], coded: (u32, u32), shown: (u32, u32)) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::new();
    for byte in unit {
        if !(*byte == 3 && plain.ends_with(&[0, 0])) {
            plain.push(*byte);
        }
    }
    let old: Vec<bool> = plain.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    // Two bytes of the unit, one of versions and twelve of the profile; then two numbers, and the two of the size.
    let skip = |at: usize| at + 2 * old[at..].iter().take_while(|bit| !**bit).count() + 1;
    let before = skip(skip(15 * 8));
    let behind = skip(skip(before));
    assert!(!old[behind], "the fixture shows all that is coded");
    let mut new = old[..before].to_vec();
    put(&mut new, coded.0);
    put(&mut new, coded.1);
    new.push(true);
    // Left, right, top and bottom, in samples of colour differences.
    for hidden in [0, (coded.0 - shown.0) / 2, 0, (coded.1 - shown.1) / 2] {
        put(&mut new, hidden);
    }
    new.extend(&old[behind + 1..]);
    let bytes =
        new.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at)));
    let mut out: Vec<u8> = Vec::new();
    for byte in bytes {
        if byte <= 3 && out.ends_with(&[0, 0]) {
            out.push(3);
        }
        out.push(byte);
    }
    out
}

/// Appends a number as Exp-Golomb has it (H.265, 9.2).
fn put(bits: &mut Vec<bool>, number: u32) {
    let length = 32 - (number + 1).leading_zeros();
    bits.extend((1..length).map(|_| false).chain((0..length).rev().map(|bit| (number + 1) >> bit & 1 == 1)));
}
