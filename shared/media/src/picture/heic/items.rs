//! The content of a HEIC's `meta` box: the items with their kinds, positions, references and properties (ISO/IEC
//! 14496-12, 8.11; ISO/IEC 23008-12, 9.3).

use std::collections::BTreeMap;

use super::super::{CUT_SHORT, DAMAGED, Reader, Walked};
use super::boxes::{Part, full, id, long, number, only, part, parts, short};

/// The most items of a file. The largest phone photos have about 200.
const MAX_ITEMS: usize = 8192;
/// The most pieces of an item's data.
const MAX_PIECES: u16 = 64;

/// The kind of an item.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: [u8; 4],
    /// Whether the item is only shown as a part of another item.
    pub(super) hidden: bool,
}

/// The bytes of an item.
pub(super) struct Data<'a> {
    /// Whether the bytes are in the `meta` box itself.
    pub(super) inner: bool,
    pub(super) pieces: Vec<&'a [u8]>,
}

impl Data<'_> {
    pub(super) fn length(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }
}

/// A property that an item has.
#[derive(Clone, Copy)]
pub(super) struct Has {
    /// Its place in the list of properties, counted from 0.
    pub(super) property: usize,
    /// Whether a reader must understand the property to show the item.
    pub(super) essential: bool,
}

/// A reference from one item to others.
pub(super) struct Reference {
    pub(super) kind: [u8; 4],
    pub(super) from: u32,
    pub(super) to: Vec<u32>,
}

/// Everything that the `meta` box lists.
pub(super) struct Items<'a> {
    /// The item that is the picture.
    pub(super) primary: u32,
    pub(super) kinds: BTreeMap<u32, Kind>,
    pub(super) data: BTreeMap<u32, Data<'a>>,
    pub(super) properties: Vec<Part<'a>>,
    pub(super) has: BTreeMap<u32, Vec<Has>>,
    pub(super) references: Vec<Reference>,
    /// The length of the file. No item may have more bytes.
    pub(super) length: usize,
}

impl<'a> Items<'a> {
    /// Reads the content of a `meta` box. Every listed item, visible or not, must be inside the file.
    pub(super) fn read(file: &'a [u8], meta: &'a [u8]) -> Walked<Self> {
        let (_, _, reader) = full(meta)?;
        let meta = parts(reader.0)?;
        let needed = |kind| only(&meta, kind)?.ok_or(DAMAGED);
        let (version, _, mut reader) = full(needed(*b"pitm")?)?;
        let primary = id(&mut reader, version > 0)?;
        let (mut properties, mut has) = (Vec::new(), BTreeMap::new());
        for part in parts(needed(*b"iprp")?)? {
            match &part.kind {
                b"ipco" if properties.is_empty() => properties = parts(part.data)?,
                b"ipma" => associations(part.data, &mut has)?,
                _ => return Err(DAMAGED),
            }
        }
        let inner = only(&meta, *b"idat")?.unwrap_or_default();
        Ok(Self {
            primary,
            kinds: kinds(needed(*b"iinf")?)?,
            data: places(needed(*b"iloc")?, file, inner)?,
            properties,
            has,
            references: only(&meta, *b"iref")?.map_or(Ok(Vec::new()), references)?,
            length: file.len(),
        })
    }

    /// The properties of an item, in its order.
    pub(super) fn properties_of(&self, item: u32) -> impl Iterator<Item = (Has, Part<'a>)> {
        let has = self.has.get(&item).into_iter().flatten();
        has.filter_map(|has| Some((*has, *self.properties.get(has.property)?)))
    }

    /// The first property of this kind that an item has.
    pub(super) fn property(&self, item: u32, kind: [u8; 4]) -> Option<&'a [u8]> {
        self.properties_of(item).find(|(_, part)| part.kind == kind).map(|(_, part)| part.data)
    }
}

fn kinds(iinf: &[u8]) -> Walked<BTreeMap<u32, Kind>> {
    let (version, _, mut reader) = full(iinf)?;
    id(&mut reader, version > 0)?;
    let mut kinds = BTreeMap::new();
    while !reader.0.is_empty() {
        let entry = part(&mut reader)?;
        let (version, flags, mut reader) = full(entry.data)?;
        if &entry.kind != b"infe" || !(2..=3).contains(&version) || kinds.len() == MAX_ITEMS {
            return Err(DAMAGED);
        }
        let item = id(&mut reader, version > 2)?;
        let protection = short(&mut reader)?;
        let name = reader.array()?;
        // An encrypted item cannot be shown. It gets a kind of its own, which is never kept.
        let name = if protection == 0 { name } else { *b"\0\0\0\0" };
        if kinds.insert(item, Kind { name, hidden: flags & 1 != 0 }).is_some() {
            return Err(DAMAGED);
        }
    }
    Ok(kinds)
}

fn places<'a>(iloc: &[u8], file: &'a [u8], inner: &'a [u8]) -> Walked<BTreeMap<u32, Data<'a>>> {
    let (version, _, mut reader) = full(iloc)?;
    let sizes = short(&mut reader)?;
    let [of_start, of_length, of_base, of_index] = [12, 8, 4, 0].map(|shift| usize::from(sizes >> shift & 0xf));
    let count = long(id(&mut reader, version > 1)?.into())?;
    if version > 2 || count > MAX_ITEMS || [of_start, of_length, of_base, of_index].iter().any(|size| *size > 8) {
        return Err(DAMAGED);
    }
    let mut places = BTreeMap::new();
    for _ in 0..count {
        let item = id(&mut reader, version > 1)?;
        let method = if version > 0 { short(&mut reader)? & 0xf } else { 0 };
        let elsewhere = short(&mut reader)? != 0;
        let base = number(&mut reader, of_base)?;
        let count = short(&mut reader)?;
        if count > MAX_PIECES {
            return Err(DAMAGED);
        }
        let whole = if method == 1 { inner } else { file };
        let mut pieces = Vec::with_capacity(count.into());
        for _ in 0..count {
            number(&mut reader, if version > 0 { of_index } else { 0 })?;
            let start = base.checked_add(number(&mut reader, of_start)?).ok_or(DAMAGED)?;
            let length = number(&mut reader, of_length)?;
            if method < 2 && !elsewhere {
                pieces.push(piece(whole, start, length)?);
            }
        }
        // Method 2 builds items from parts of other items; no camera uses it.
        if method < 2 && !elsewhere && places.insert(item, Data { inner: method == 1, pieces }).is_some() {
            return Err(DAMAGED);
        }
    }
    Ok(places)
}

fn piece(whole: &[u8], start: u64, length: u64) -> Walked<&[u8]> {
    let rest = whole.get(long(start)?..).ok_or(CUT_SHORT)?;
    // A length of zero means all of it (ISO/IEC 14496-12, 8.11.3.3).
    if length == 0 { Ok(rest) } else { rest.get(..long(length)?).ok_or(CUT_SHORT) }
}

fn associations(ipma: &[u8], has: &mut BTreeMap<u32, Vec<Has>>) -> Walked<()> {
    let (version, flags, mut reader) = full(ipma)?;
    for _ in 0..u32::from_be_bytes(reader.array()?) {
        let item = id(&mut reader, version > 0)?;
        let count = reader.byte()?;
        let mut list = Vec::with_capacity(count.into());
        for _ in 0..count {
            // The highest bit says whether the property is essential. The other bits are its number, from 1; 0 means
            // none.
            let wide = flags & 1 != 0;
            let entry = if wide { short(&mut reader)? } else { reader.byte()?.into() };
            let essential = entry & if wide { 0x8000 } else { 0x80 } != 0;
            let index = usize::from(entry & if wide { 0x7fff } else { 0x7f });
            list.extend(index.checked_sub(1).map(|property| Has { property, essential }));
        }
        if has.insert(item, list).is_some() {
            return Err(DAMAGED);
        }
    }
    Ok(())
}

fn references(iref: &[u8]) -> Walked<Vec<Reference>> {
    let (version, _, mut reader) = full(iref)?;
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        let Part { kind, data } = part(&mut reader)?;
        let mut data = Reader(data);
        let from = id(&mut data, version > 0)?;
        let count = short(&mut data)?;
        let to = (0..count).map(|_| id(&mut data, version > 0)).collect::<Walked<_>>()?;
        found.push(Reference { kind, from, to });
    }
    Ok(found)
}
