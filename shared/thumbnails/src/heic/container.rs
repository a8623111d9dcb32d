//! Finds the coded tiles of a HEIC, and how they form a picture (ISO/IEC 23008-12, 6.6).
//!
//! The decoder of the tiles could parse the container too, but it copies the data that the container points to, and a
//! small container can point to the same megabytes thousands of times. This parser copies nothing, and limits the data
//! that is pointed to, in total, to the size of the file.

use std::collections::BTreeMap;

use super::boxes::{Boxes, Reader};

/// The most items in a file. The largest phone photos have about 200.
const MAX_ITEMS: usize = 8192;

/// The longest configuration of a tile. Each tile gets a copy; encoders write a few hundred bytes.
const MAX_CONFIG: usize = 16 << 10;

/// The longest description of a grid (ISO/IEC 23008-12, 6.6.2.3.2).
const MAX_GRID: usize = 12;

/// The most pieces of one item's data.
const MAX_PIECES: u16 = 64;

/// A picture and its parts.
pub(super) struct Picture<'a> {
    /// The coded pictures of the grid, row by row.
    pub(super) tiles: Vec<Coded<'a>>,
    /// The layout of the grid; `None` for a single coded picture, which is the whole picture.
    pub(super) grid: Option<Grid>,
    /// Changes to the finished picture, in this order.
    pub(super) changes: Vec<Change>,
    /// The colour profile.
    pub(super) profile: Option<&'a [u8]>,
    /// The colours, as numbers.
    pub(super) colours: Option<Colours>,
}

/// A picture coded with HEVC.
pub(super) struct Coded<'a> {
    /// The content of its `hvcC` box.
    pub(super) config: &'a [u8],
    /// Width and height from its `ispe` box.
    pub(super) size: Option<(u32, u32)>,
    /// The coded data, in pieces.
    pub(super) data: Vec<&'a [u8]>,
}

/// The layout of the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// Number of rows.
    pub(super) rows: u32,
    /// Number of tiles in a row.
    pub(super) columns: u32,
    /// Width and height of the picture in pixels. The last tiles may extend beyond it.
    pub(super) size: (u32, u32),
}

/// A change to the finished picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Shows only a part: its size, and the distance of its centre from the picture's centre, as fractions.
    Crop([(u32, u32); 4]),
    /// Rotates by this number of quarter turns counterclockwise.
    Turn(u8),
    /// Swaps the upper and lower edges.
    FlipVertical,
    /// Swaps the left and right edges.
    FlipHorizontal,
}

/// Colours as numbers of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colours {
    /// Number of the colour primaries.
    pub(super) primaries: u16,
    /// Number of the transfer characteristics.
    pub(super) transfer: u16,
    /// Number of the matrix coefficients.
    pub(super) matrix: u16,
    /// Whether luma uses the full range from 0 to 255 instead of 16 to 235.
    pub(super) full_range: bool,
}

/// Finds the primary picture of `file`. Returns `None` if no picture can be shown.
pub(super) fn picture(file: &[u8]) -> Option<Picture<'_>> {
    let (_, meta) = Boxes::of(file).find(|(name, _)| name == b"meta")?;
    let items = Items::read(file, meta)?;
    let primary = items.primary;
    let changes = items.changes(primary);
    let (grid, tiles) = match items.kinds.get(&primary)? {
        b"hvc1" => (None, vec![primary]),
        b"grid" => (Some(items.grid()?), items.parts.clone()),
        _ => return None,
    };
    let mut left = file.len();
    let mut coded = Vec::with_capacity(tiles.len());
    for id in &tiles {
        let data = items.data(*id).filter(|_| items.kinds.get(id) == Some(b"hvc1"))?;
        left = left.checked_sub(data.iter().map(|piece| piece.len()).sum())?;
        let config = items.property(*id, |name, content| (name == *b"hvcC").then_some(content))?;
        if config.len() > MAX_CONFIG {
            return None;
        }
        coded.push(Coded { config, size: items.property(*id, size), data });
    }
    // Some encoders describe the colours of the tiles instead of the whole picture.
    let described = [Some(primary), tiles.first().copied()];
    let mut described = described.into_iter().flatten();
    let profile = described.clone().find_map(|id| items.property(id, profile));
    let colours = described.find_map(|id| items.property(id, colours));
    Some(Picture { tiles: coded, grid, changes, profile, colours })
}

fn profile(name: [u8; 4], content: &[u8]) -> Option<&[u8]> {
    let (kind, profile) = content.split_first_chunk()?;
    (name == *b"colr" && matches!(kind, b"prof" | b"rICC")).then_some(profile)
}

fn colours(name: [u8; 4], content: &[u8]) -> Option<Colours> {
    let mut reader = Reader(content.strip_prefix(b"nclx")?);
    (name == *b"colr").then_some(())?;
    let (primaries, transfer, matrix) = (reader.u16()?, reader.u16()?, reader.u16()?);
    Some(Colours { primaries, transfer, matrix, full_range: reader.u8()? & 0x80 != 0 })
}

fn size(name: [u8; 4], content: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader(content);
    (name == *b"ispe").then_some(())?;
    reader.version()?;
    Some((reader.u32()?, reader.u32()?))
}

/// The contents of a file's `meta` box.
struct Items<'a> {
    file: &'a [u8],
    /// Data stored in the `meta` box itself.
    inner: &'a [u8],
    /// Id of the primary item, the picture.
    primary: u32,
    kinds: BTreeMap<u32, [u8; 4]>,
    places: BTreeMap<u32, Place>,
    properties: Vec<([u8; 4], &'a [u8])>,
    /// The properties of each item, counted from 1.
    has: BTreeMap<u32, Vec<u16>>,
    /// The parts of the primary item.
    parts: Vec<u32>,
}

/// The location of an item's data.
struct Place {
    /// Whether the data is in the `meta` box instead of the file.
    inner: bool,
    /// Start and length of each piece.
    pieces: Vec<(u64, u64)>,
}

impl<'a> Items<'a> {
    fn read(file: &'a [u8], meta: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(meta);
        reader.version()?;
        let find = |wanted: &[u8; 4]| Boxes(reader).find(|(name, _)| name == wanted).map(|(_, content)| content);
        let mut pitm = Reader(find(b"pitm")?);
        let (version, _) = pitm.version()?;
        let primary = pitm.id(version > 0)?;
        let mut properties = Vec::new();
        let mut has = BTreeMap::new();
        for (name, content) in Boxes::of(find(b"iprp")?) {
            match &name {
                b"ipco" => properties.extend(Boxes::of(content)),
                b"ipma" => associations(content, &mut has)?,
                _ => {}
            }
        }
        Some(Self {
            file,
            inner: find(b"idat").unwrap_or_default(),
            primary,
            kinds: kinds(find(b"iinf")?)?,
            places: places(find(b"iloc")?)?,
            properties,
            has,
            parts: find(b"iref").and_then(|iref| parts(iref, primary)).unwrap_or_default(),
        })
    }

    /// The result of `pick` for the first of an item's properties that it accepts.
    fn property<T>(&self, id: u32, pick: impl Fn([u8; 4], &'a [u8]) -> Option<T>) -> Option<T> {
        self.properties_of(id).find_map(|(name, content)| pick(*name, content))
    }

    fn properties_of(&self, id: u32) -> impl Iterator<Item = &([u8; 4], &'a [u8])> {
        let indices = self.has.get(&id).into_iter().flatten();
        indices.filter_map(|index| self.properties.get(usize::from(*index).checked_sub(1)?))
    }

    fn data(&self, id: u32) -> Option<Vec<&'a [u8]>> {
        let place = self.places.get(&id)?;
        let whole = if place.inner { self.inner } else { self.file };
        let piece = |(start, length): &(u64, u64)| {
            let from = whole.get(usize::try_from(*start).ok()?..)?;
            // A length of zero means the rest of the data (ISO/IEC 14496-12, 8.11.3.3).
            if *length == 0 { Some(from) } else { from.get(..usize::try_from(*length).ok()?) }
        };
        place.pieces.iter().map(piece).collect()
    }

    fn grid(&self) -> Option<Grid> {
        let data = self.data(self.primary)?;
        if data.iter().map(|piece| piece.len()).sum::<usize>() > MAX_GRID {
            return None;
        }
        let data = data.concat();
        let mut reader = Reader(&data);
        let (_version, flags) = (reader.u8()?, reader.u8()?);
        let (rows, columns) = (u32::from(reader.u8()?) + 1, u32::from(reader.u8()?) + 1);
        let wide = flags & 1 != 0;
        let size = (reader.id(wide)?, reader.id(wide)?);
        (self.parts.len() == usize::try_from(rows * columns).ok()?).then_some(Grid { rows, columns, size })
    }

    fn changes(&self, id: u32) -> Vec<Change> {
        self.properties_of(id).filter_map(|(name, content)| change(*name, content)).collect()
    }
}

fn change(name: [u8; 4], content: &[u8]) -> Option<Change> {
    let mut reader = Reader(content);
    match &name {
        b"irot" => Some(Change::Turn(reader.u8()? & 3)),
        b"imir" if reader.u8()? & 1 == 0 => Some(Change::FlipVertical),
        b"imir" => Some(Change::FlipHorizontal),
        b"clap" => {
            let mut fraction = || Some((reader.u32()?, reader.u32()?));
            Some(Change::Crop([fraction()?, fraction()?, fraction()?, fraction()?]))
        }
        _ => None,
    }
}

/// The type of each item.
fn kinds(iinf: &[u8]) -> Option<BTreeMap<u32, [u8; 4]>> {
    let mut reader = Reader(iinf);
    let (version, _) = reader.version()?;
    reader.id(version > 0)?;
    let entry = |(name, content): ([u8; 4], &[u8])| {
        let mut reader = Reader(content);
        let (version, _) = reader.version().filter(|(version, _)| name == *b"infe" && *version >= 2)?;
        let id = reader.id(version > 2)?;
        let _protection = reader.u16()?;
        Some((id, *reader.bytes(4)?.first_chunk()?))
    };
    Some(Boxes(reader).take(MAX_ITEMS).filter_map(entry).collect())
}

/// The location of each item's data.
fn places(iloc: &[u8]) -> Option<BTreeMap<u32, Place>> {
    let mut reader = Reader(iloc);
    let (version, _) = reader.version()?;
    let sizes = reader.u16()?;
    let [of_start, of_length, of_base, of_index] = [12, 8, 4, 0].map(|shift| usize::from(sizes >> shift & 0xf));
    if [of_start, of_length, of_base, of_index].iter().any(|size| *size > 8) {
        return None;
    }
    let count = usize::try_from(reader.id(version > 1)?).ok().filter(|count| *count <= MAX_ITEMS)?;
    let mut places = BTreeMap::new();
    for _ in 0..count {
        let id = reader.id(version > 1)?;
        let method = if version > 0 { reader.u16()? & 0xf } else { 0 };
        let _reference = reader.u16()?;
        let base = reader.number(of_base)?;
        let count = reader.u16().filter(|count| *count <= MAX_PIECES)?;
        let mut pieces = Vec::with_capacity(count.into());
        for _ in 0..count {
            if version > 0 {
                reader.number(of_index)?;
            }
            let start = base.checked_add(reader.number(of_start)?)?;
            pieces.push((start, reader.number(of_length)?));
        }
        // Method 2 builds items from parts of other items; no camera uses it.
        if method < 2 {
            places.insert(id, Place { inner: method == 1, pieces });
        }
    }
    Some(places)
}

/// Adds the properties of each item.
fn associations(ipma: &[u8], has: &mut BTreeMap<u32, Vec<u16>>) -> Option<()> {
    let mut reader = Reader(ipma);
    let (version, flags) = reader.version()?;
    for _ in 0..reader.u32()? {
        let id = reader.id(version > 0)?;
        let count = reader.u8()?;
        let mut indices = Vec::with_capacity(count.into());
        for _ in 0..count {
            // The highest bit shows whether a reader must understand the property.
            let index = if flags & 1 != 0 { reader.u16()? & 0x7fff } else { u16::from(reader.u8()? & 0x7f) };
            indices.push(index);
        }
        has.insert(id, indices);
    }
    Some(())
}

/// The parts of item `id`.
fn parts(iref: &[u8], id: u32) -> Option<Vec<u32>> {
    let mut reader = Reader(iref);
    let (version, _) = reader.version()?;
    let wide = version > 0;
    Boxes(reader).find_map(|(name, content)| {
        let mut reader = Reader(content);
        reader.id(wide).filter(|from| name == *b"dimg" && *from == id)?;
        let count = usize::from(reader.u16()?);
        (count <= MAX_ITEMS).then_some(())?;
        (0..count).map(|_| reader.id(wide)).collect()
    })
}
