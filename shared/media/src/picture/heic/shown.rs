//! The visible parts of a HEIC: its primary picture, the tiles of that picture, and its transparency.

use std::collections::BTreeSet;

use super::super::{Broken, CUT_SHORT, DAMAGED, Orientation, Reader, Walked, index};
use super::items::Items;
use crate::exif::Turns;
use crate::heic::{Part, id};

const OTHER: Broken = Broken("a kind of HEIC that is not kept");

/// The names of transparency in the two standards (ISO/IEC 23008-12, 6.5.8; ISO/IEC 23091-2).
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"];

/// The longest configuration of a coded picture; encoders write a few hundred bytes. A decoder that decodes the tiles
/// one by one copies it for each tile.
const MAX_CONFIG: usize = 16 << 10;

/// The visible parts.
pub(super) struct Shown {
    /// The items, tiles included.
    pub(super) items: BTreeSet<u32>,
    /// Width and height of the picture in pixels, before rotation.
    pub(super) size: (u32, u32),
    /// Pixels of all tiles, which may extend beyond the picture.
    pub(super) pixels: u64,
    pub(super) orientation: Orientation,
}

impl Shown {
    /// Finds the visible parts from the primary picture in `items`.
    pub(super) fn of(items: &Items<'_>) -> Walked<Self> {
        let mut shown = BTreeSet::new();
        let (size, mut pixels) = picture(items, items.primary, &mut shown)?;
        let extras = items.references.iter().filter(|reference| &reference.kind == b"auxl");
        let of_this = extras.filter(|extra| extra.to.contains(&items.primary) && extra.from != items.primary);
        // An item may be listed many times as part of the picture.
        let mut seen = BTreeSet::new();
        for extra in of_this.filter(|extra| seen.insert(extra.from)) {
            let auxiliary = items.property(extra.from, *b"auxC").and_then(|data| data.get(4..)).unwrap_or_default();
            if ALPHA.iter().any(|alpha| auxiliary.starts_with(alpha)) {
                pixels = pixels.max(picture(items, extra.from, &mut shown)?.1);
            }
        }
        Ok(Self { items: shown, size, pixels, orientation: orientation(items) })
    }
}

/// Adds a picture and its tiles to `shown`; returns its size and the number of pixels to decode for it.
fn picture(items: &Items<'_>, item: u32, shown: &mut BTreeSet<u32>) -> Walked<((u32, u32), u64)> {
    shown.insert(item);
    let size = size(items, item)?;
    match &items.kinds.get(&item).ok_or(DAMAGED)?.name {
        b"hvc1" => coded(items, item).map(|()| (size, pixels(size))),
        b"grid" => {
            let tiles = grid(items, item, size)?;
            shown.extend(&tiles);
            let pixels = pixels(self::size(items, *tiles.first().ok_or(DAMAGED)?)?);
            Ok((size, pixels.saturating_mul(tiles.len() as u64)))
        }
        _ => Err(OTHER),
    }
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// The size of an item according to the container.
fn size(items: &Items<'_>, item: u32) -> Walked<(u32, u32)> {
    let mut reader = Reader(items.property(item, *b"ispe").ok_or(DAMAGED)?);
    reader.take(4)?;
    Ok((id(&mut reader, true)?, id(&mut reader, true)?))
}

/// The tiles of a grid. They must have the same size and cover the picture without an extra tile (6.6.2.3).
fn grid(items: &Items<'_>, item: u32, size: (u32, u32)) -> Walked<Vec<u32>> {
    let data = items.data.get(&item).ok_or(CUT_SHORT)?;
    if data.length() > 16 {
        return Err(DAMAGED);
    }
    let data = data.pieces.concat();
    let mut reader = Reader(&data);
    let [_version, flags, rows, columns] = reader.array()?;
    let (rows, columns) = (u32::from(rows) + 1, u32::from(columns) + 1);
    let wide = flags & 1 != 0;
    let mut parts = items.references.iter().filter(|reference| &reference.kind == b"dimg" && reference.from == item);
    let (Some(tiles), None) = (parts.next(), parts.next()) else { return Err(DAMAGED) };
    if (id(&mut reader, wide)?, id(&mut reader, wide)?) != size || tiles.to.len() != index(rows * columns)? {
        return Err(DAMAGED);
    }
    let tile = self::size(items, *tiles.to.first().ok_or(DAMAGED)?)?;
    for (size, tile, count) in [(size.0, tile.0, columns), (size.1, tile.1, rows)] {
        let (size, tile, count) = (u64::from(size), u64::from(tile), u64::from(count));
        if tile * (count - 1) >= size || tile * count < size {
            return Err(DAMAGED);
        }
    }
    // A tile may be named many times, but is checked only once.
    let mut seen = BTreeSet::new();
    for part in tiles.to.iter().filter(|part| seen.insert(**part)) {
        let coded_alike = items.kinds.get(part).is_some_and(|kind| &kind.name == b"hvc1");
        if !coded_alike || self::size(items, *part)? != tile {
            return Err(OTHER);
        }
        coded(items, *part)?;
    }
    Ok(tiles.to.clone())
}

/// Checks that the code of an item is complete: units, each after its length (ISO/IEC 14496-15, 4.3.3).
fn coded(items: &Items<'_>, item: u32) -> Walked<()> {
    let config = items.property(item, *b"hvcC").ok_or(DAMAGED)?;
    let of_length = usize::from(config.get(21).ok_or(DAMAGED)? & 3) + 1;
    let data = items.data.get(&item).ok_or(CUT_SHORT)?;
    // Its pieces may be the same bytes many times.
    if config.len() > MAX_CONFIG || data.length() > items.length {
        return Err(DAMAGED);
    }
    let code = data.pieces.concat();
    if code.len() <= of_length {
        return Err(CUT_SHORT);
    }
    let mut reader = Reader(&code);
    // Some encoders pad the end with a few bytes.
    while reader.0.len() >= of_length {
        let length = reader.number(of_length)?;
        reader.take(usize::try_from(length).map_err(|_| DAMAGED)?).map_err(|_| DAMAGED)?;
    }
    Ok(())
}

/// The rotation of the picture. The Exif block repeats it and must be ignored (6.5.10).
fn orientation(items: &Items<'_>) -> Orientation {
    let mut turns = Turns::default();
    for (_, Part { kind, data }) in items.properties_of(items.primary) {
        match (&kind, data.first()) {
            (b"irot", Some(quarters)) => turns.against_the_clock(*quarters),
            (b"imir", Some(axis)) if axis & 1 == 0 => turns.upside_down(),
            (b"imir", Some(_)) => turns.left_to_right(),
            _ => {}
        }
    }
    turns.orientation()
}
