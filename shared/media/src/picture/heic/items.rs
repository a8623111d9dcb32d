//! The content of a HEIC's `meta` box: the items with their kinds, positions, references and properties (ISO/IEC
//! 14496-12, 8.11; ISO/IEC 23008-12, 9.3).

use std::collections::BTreeMap;

use super::super::{CUT_SHORT, DAMAGED, Walked};
use super::boxes::{only, parts};
use crate::heic::{Entry, Has, Location, MAX_ITEMS, Part, Reference, associations, full, id, locations, long, part};

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
        let mut once = |item, list| if has.insert(item, list).is_some() { Err(DAMAGED) } else { Ok(()) };
        for part in parts(needed(*b"iprp")?)? {
            match &part.kind {
                b"ipco" if properties.is_empty() => properties = parts(part.data)?,
                b"ipma" => associations(part.data, &mut once)?,
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
        let Entry { version, item, kind, protected, hidden } = Entry::read(part(&mut reader)?)?;
        // What is encrypted cannot be shown; as a kind of its own it is never kept.
        let name = if protected { *b"\0\0\0\0" } else { kind };
        if version > 3 || kinds.len() == MAX_ITEMS || kinds.insert(item, Kind { name, hidden }).is_some() {
            return Err(DAMAGED);
        }
    }
    Ok(kinds)
}

fn places<'a>(iloc: &[u8], file: &'a [u8], inner: &'a [u8]) -> Walked<BTreeMap<u32, Data<'a>>> {
    if full(iloc)?.0 > 2 {
        return Err(DAMAGED);
    }
    let mut places = BTreeMap::new();
    locations(iloc, |Location { item, method, elsewhere, pieces }| {
        if method > 1 || elsewhere {
            return Ok(());
        }
        let whole = if method == 1 { inner } else { file };
        let pieces = pieces.into_iter().map(|(start, length)| piece(whole, start, length)).collect::<Walked<_>>()?;
        let twice = places.insert(item, Data { inner: method == 1, pieces }).is_some();
        if twice { Err(DAMAGED) } else { Ok(()) }
    })?;
    Ok(places)
}

fn piece(whole: &[u8], start: u64, length: u64) -> Walked<&[u8]> {
    let rest = whole.get(long(start)?..).ok_or(CUT_SHORT)?;
    // A length of zero means all of it (ISO/IEC 14496-12, 8.11.3.3).
    if length == 0 { Ok(rest) } else { rest.get(..long(length)?).ok_or(CUT_SHORT) }
}

fn references(iref: &[u8]) -> Walked<Vec<Reference>> {
    let (version, _, mut reader) = full(iref)?;
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        found.push(Reference::read(part(&mut reader)?, version)?);
    }
    Ok(found)
}
