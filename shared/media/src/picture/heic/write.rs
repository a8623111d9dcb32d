//! Writes a new HEIC from the visible items. The same items give the same bytes, so a file that was written here does
//! not change when it is cleaned again.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Broken, CUT_SHORT, DAMAGED, Walked};
use super::boxes::{named, word};
use super::items::Items;
use super::shown::Shown;
use crate::heic::{Has, Part};
use crate::sniff::HEIC_BRANDS;

/// Brands that describe the coding and the layout of the picture, which stay unchanged.
const KEPT_BRANDS: [&[u8; 4]; 5] = [b"mif1", b"miaf", b"MiHB", b"MiHA", b"MiHE"];

/// The properties that affect the look of a picture. Other properties are metadata.
const KEPT: [&[u8; 4]; 13] = [
    b"hvcC", b"ispe", b"pixi", b"colr", b"pasp", b"irot", b"imir", b"clap", b"auxC", b"clli", b"mdcv", b"cclv", b"amve",
];

/// References between visible items: the tiles of a grid, transparency, and premultiplied transparency.
const KEPT_REFERENCES: [&[u8; 4]; 3] = [b"auxl", b"dimg", b"prem"];

/// The file of the `shown` items. It has at most `most` bytes of coded pictures.
pub(super) fn file(brands: &[u8], items: &Items<'_>, shown: &Shown, most: usize) -> Walked<Vec<u8>> {
    let ids: BTreeMap<u32, u16> = shown.items.iter().copied().zip(1..).collect();
    let mut copied = Copied { inner: Vec::new(), outer: Vec::new(), places: Vec::new() };
    for item in ids.keys() {
        copied.add(items, *item, most)?;
    }
    let properties = Properties::kept(items, shown)?;
    let brands = self::brands(brands)?;
    let meta = |start| meta(items, &ids, &properties, &copied, start);
    // The start of the code depends on the length of the `meta` box that states it, but not on the stated value.
    let start = brands.len() + meta(0)?.len() + 8;
    Ok([brands, meta(start)?, named(*b"mdat", &[&copied.outer])?].concat())
}

fn brands(content: &[u8]) -> Walked<Vec<u8>> {
    let [major, _, others @ ..] = content.as_chunks::<4>().0 else { return Err(DAMAGED) };
    let mut kept = [*major, [0; 4], *b"mif1"].concat();
    for brand in HEIC_BRANDS.iter().chain(&KEPT_BRANDS[1..]) {
        if others.contains(brand) || major == *brand {
            kept.extend(*brand);
        }
    }
    named(*b"ftyp", &[&kept])
}

/// The bytes of the items, and the position of each item.
struct Copied {
    inner: Vec<u8>,
    outer: Vec<u8>,
    /// Whether in the `meta` box, start and length.
    places: Vec<(bool, usize, usize)>,
}

impl Copied {
    fn add(&mut self, items: &Items<'_>, item: u32, most: usize) -> Walked<()> {
        let data = items.data.get(&item).ok_or(CUT_SHORT)?;
        // A small file may name the same bytes many times.
        if self.inner.len() + self.outer.len() + data.length() > most {
            return Err(DAMAGED);
        }
        let target = if data.inner { &mut self.inner } else { &mut self.outer };
        self.places.push((data.inner, target.len(), data.length()));
        data.pieces.iter().for_each(|piece| target.extend(*piece));
        Ok(())
    }
}

/// The properties of the visible items.
struct Properties<'a> {
    /// The content of each kept property, by its place in the original.
    kept: BTreeMap<usize, Part<'a>>,
    /// The properties of each item.
    has: BTreeMap<u32, Vec<Has>>,
}

impl<'a> Properties<'a> {
    fn kept(items: &Items<'a>, shown: &Shown) -> Walked<Self> {
        let mut properties = Self { kept: BTreeMap::new(), has: BTreeMap::new() };
        for item in &shown.items {
            let mut list = Vec::new();
            for (has, part) in items.properties_of(*item) {
                if let Some(part) = bare(part)? {
                    properties.kept.insert(has.property, part);
                    list.push(has);
                } else if has.essential {
                    return Err(Broken("the HEIC needs something that is not kept"));
                }
            }
            properties.has.insert(*item, list);
        }
        Ok(properties)
    }

    /// The box of all properties, and the box that assigns them to items.
    fn boxes(&self, ids: &BTreeMap<u32, u16>) -> Walked<Vec<u8>> {
        let mut all = Vec::new();
        for part in self.kept.values() {
            all.extend(named(part.kind, &[part.data])?);
        }
        let places: BTreeMap<_, _> = self.kept.keys().zip(1_u16..).collect();
        let mut had = word(ids.len())?.to_vec();
        for (item, id) in ids {
            let list = self.has.get(item).map(Vec::as_slice).unwrap_or_default();
            had.extend(id.to_be_bytes());
            had.push(u8::try_from(list.len()).map_err(|_| DAMAGED)?);
            for Has { property, essential } in list {
                let place = places.get(property).copied().filter(|place| *place < 0x8000).ok_or(DAMAGED)?;
                had.extend((place | u16::from(*essential) << 15).to_be_bytes());
            }
        }
        let (all, had) = (named(*b"ipco", &[&all])?, named(*b"ipma", &[&[0, 0, 0, 1], &had])?);
        named(*b"iprp", &[&all, &had])
    }
}

/// A kept property, without extra bytes after its defined content; `None` if it is not kept.
fn bare(part: Part<'_>) -> Walked<Option<Part<'_>>> {
    if !KEPT.contains(&&part.kind) {
        return Ok(None);
    }
    let room = match (&part.kind, part.data.first_chunk()) {
        (b"irot" | b"imir", _) => 1,
        (b"pasp", _) => 8,
        (b"ispe", _) => 12,
        (b"clap", _) => 32,
        (b"colr", Some(b"nclx")) => 11,
        (b"colr", Some(b"prof" | b"rICC")) => part.data.len(),
        (b"colr", _) => return Ok(None),
        _ => part.data.len(),
    };
    Ok(Some(Part { data: part.data.get(..room).ok_or(DAMAGED)?, ..part }))
}

fn meta(
    items: &Items<'_>,
    ids: &BTreeMap<u32, u16>,
    properties: &Properties<'_>,
    copied: &Copied,
    start: usize,
) -> Walked<Vec<u8>> {
    let handler = named(*b"hdlr", &[&[0; 8], b"pict", &[0; 13]])?;
    let primary = ids.get(&items.primary).ok_or(DAMAGED)?.to_be_bytes();
    let mut content = [&[0; 4][..], &handler, &named(*b"pitm", &[&[0; 4], &primary])?].concat();
    let count = u16::try_from(ids.len()).map_err(|_| DAMAGED)?.to_be_bytes();
    // Version 1, which has methods: four bytes for each position and four for each length.
    let mut places = [&[1, 0, 0, 0, 0x44, 0][..], &count].concat();
    for (id, (inner, at, length)) in ids.values().zip(&copied.places) {
        let at = if *inner { *at } else { start + at };
        places
            .extend([&id.to_be_bytes()[..], &[0, u8::from(*inner), 0, 0, 0, 1], &word(at)?, &word(*length)?].concat());
    }
    content.extend(named(*b"iloc", &[&places])?);
    let mut entries = Vec::new();
    for (item, id) in ids {
        let kind = items.kinds.get(item).ok_or(DAMAGED)?;
        let head = [2, 0, 0, u8::from(kind.hidden)];
        entries.extend(named(*b"infe", &[&head, &id.to_be_bytes(), &[0; 2], &kind.name, &[0]])?);
    }
    content.extend(named(*b"iinf", &[&[0; 4], &count, &entries])?);
    let references = references(items, ids)?;
    if !references.is_empty() {
        content.extend(named(*b"iref", &[&[0; 4], &references])?);
    }
    content.extend(properties.boxes(ids)?);
    if !copied.inner.is_empty() {
        content.extend(named(*b"idat", &[&copied.inner])?);
    }
    named(*b"meta", &[&content])
}

/// The references between items that are seen, each once.
fn references(items: &Items<'_>, ids: &BTreeMap<u32, u16>) -> Walked<Vec<u8>> {
    let (mut written, mut seen) = (Vec::new(), BTreeSet::new());
    for reference in items.references.iter().filter(|reference| KEPT_REFERENCES.contains(&&reference.kind)) {
        let to: Vec<u16> = reference.to.iter().filter_map(|item| ids.get(item).copied()).collect();
        let Some(from) = ids.get(&reference.from).filter(|_| !to.is_empty()) else { continue };
        if !seen.insert((reference.kind, *from)) {
            return Err(DAMAGED);
        }
        let count = u16::try_from(to.len()).map_err(|_| DAMAGED)?.to_be_bytes();
        let to: Vec<u8> = to.into_iter().flat_map(u16::to_be_bytes).collect();
        written.extend(named(reference.kind, &[&from.to_be_bytes(), &count, &to])?);
    }
    Ok(written)
}
