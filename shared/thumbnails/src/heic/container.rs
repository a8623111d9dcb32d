//! Finds the coded tiles of a HEIC, and how they form a picture (ISO/IEC 23008-12, 6.6).
//!
//! The decoder of the tiles could parse the container too, but it copies the data that the container points to, and a
//! small container can point to the same megabytes thousands of times. This parser copies nothing, and limits the data
//! that is pointed to, in total, to the size of the file.

use std::collections::BTreeMap;

use media_formats::heic::{Entry, Has, Location, MAX_ITEMS, Part, Parts, Reference, associations, full, id, locations};
use media_formats::picture::Broken;
use media_formats::reader::Reader;

/// The longest configuration of a tile. Each tile gets a copy; encoders write a few hundred bytes.
const MAX_CONFIG: usize = 16 << 10;

/// The longest description of a grid (ISO/IEC 23008-12, 6.6.2.3.2).
const MAX_GRID: usize = 12;

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
    let meta = Parts(Reader(file)).find(|part| &part.kind == b"meta")?;
    let items = Items::read(file, meta.data)?;
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
    let (primaries, transfer, matrix) = (reader.short().ok()?, reader.short().ok()?, reader.short().ok()?);
    Some(Colours { primaries, transfer, matrix, full_range: reader.byte().ok()? & 0x80 != 0 })
}

fn size(name: [u8; 4], content: &[u8]) -> Option<(u32, u32)> {
    let (_, _, mut reader) = full(content).ok().filter(|_| name == *b"ispe")?;
    Some((reader.long().ok()?, reader.long().ok()?))
}

/// The contents of a file's `meta` box.
struct Items<'a> {
    file: &'a [u8],
    /// Data stored in the `meta` box itself.
    inner: &'a [u8],
    /// Id of the primary item, the picture.
    primary: u32,
    kinds: BTreeMap<u32, [u8; 4]>,
    places: BTreeMap<u32, Location>,
    properties: Vec<Part<'a>>,
    /// The properties of each item.
    has: BTreeMap<u32, Vec<Has>>,
    /// The parts of the primary item.
    parts: Vec<u32>,
}

impl<'a> Items<'a> {
    fn read(file: &'a [u8], meta: &'a [u8]) -> Option<Self> {
        let (_, _, reader) = full(meta).ok()?;
        let find = |wanted: &[u8; 4]| Parts(reader).find(|part| &part.kind == wanted).map(|part| part.data);
        let (version, _, mut pitm) = full(find(b"pitm")?).ok()?;
        let primary = id(&mut pitm, version > 0).ok()?;
        let mut properties = Vec::new();
        let (mut has, mut places) = (BTreeMap::new(), BTreeMap::new());
        for part in Parts(Reader(find(b"iprp")?)) {
            match &part.kind {
                b"ipco" => properties.extend(Parts(Reader(part.data))),
                b"ipma" => associations(part.data, |item, list| {
                    has.insert(item, list);
                    Ok(())
                })
                .ok()?,
                _ => {}
            }
        }
        let kinds = kinds(find(b"iinf")?).ok()?;
        locations(find(b"iloc")?, |location| {
            // Method 2 builds items from parts of other items; no camera uses it.
            if location.method < 2 {
                places.insert(location.item, location);
            }
            Ok(())
        })
        .ok()?;
        let inner = find(b"idat").unwrap_or_default();
        let parts = find(b"iref").and_then(|iref| parts(iref, primary)).unwrap_or_default();
        Some(Self { file, inner, primary, kinds, places, properties, has, parts })
    }

    /// The result of `pick` for the first of an item's properties that it accepts.
    fn property<T>(&self, id: u32, pick: impl Fn([u8; 4], &'a [u8]) -> Option<T>) -> Option<T> {
        self.properties_of(id).find_map(|part| pick(part.kind, part.data))
    }

    fn properties_of(&self, id: u32) -> impl Iterator<Item = Part<'a>> {
        let has = self.has.get(&id).into_iter().flatten();
        has.filter_map(|has| self.properties.get(has.property).copied())
    }

    fn data(&self, id: u32) -> Option<Vec<&'a [u8]>> {
        let place = self.places.get(&id)?;
        let whole = if place.method == 1 { self.inner } else { self.file };
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
        let [_version, flags, rows, columns] = reader.array().ok()?;
        let (rows, columns, wide) = (u32::from(rows) + 1, u32::from(columns) + 1, flags & 1 != 0);
        let size = (id(&mut reader, wide).ok()?, id(&mut reader, wide).ok()?);
        (self.parts.len() == usize::try_from(rows * columns).ok()?).then_some(Grid { rows, columns, size })
    }

    fn changes(&self, id: u32) -> Vec<Change> {
        self.properties_of(id).filter_map(change).collect()
    }
}

fn change(Part { kind, data }: Part<'_>) -> Option<Change> {
    match &kind {
        b"irot" => Some(Change::Turn(data.first()? & 3)),
        b"imir" if data.first()? & 1 == 0 => Some(Change::FlipVertical),
        b"imir" => Some(Change::FlipHorizontal),
        b"clap" => {
            let mut reader = Reader(data);
            let mut fraction = || Some((reader.long().ok()?, reader.long().ok()?));
            Some(Change::Crop([fraction()?, fraction()?, fraction()?, fraction()?]))
        }
        _ => None,
    }
}

/// The type of each item.
fn kinds(iinf: &[u8]) -> Result<BTreeMap<u32, [u8; 4]>, Broken> {
    let (version, _, mut reader) = full(iinf)?;
    id(&mut reader, version > 0)?;
    let entries = Parts(reader).take(MAX_ITEMS).filter_map(|part| Entry::read(part).ok());
    Ok(entries.map(|entry| (entry.item, entry.kind)).collect())
}

/// The parts of an item.
fn parts(iref: &[u8], item: u32) -> Option<Vec<u32>> {
    let (version, _, reader) = full(iref).ok()?;
    let references = Parts(reader).filter(|part| &part.kind == b"dimg");
    let mut references = references.filter_map(|part| Reference::read(part, version).ok());
    let parts = references.find(|reference| reference.from == item && reference.to.len() <= MAX_ITEMS)?;
    Some(parts.to)
}
