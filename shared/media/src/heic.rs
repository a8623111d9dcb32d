//! The boxes that a HEIC is made of (ISO/IEC 14496-12, 4.2), and what those of its `meta` box say: what its items are,
//! where they lie and what belongs to them (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 9.3).

use crate::picture::{Broken, DAMAGED, Walked};
use crate::reader::{Reader, index};

/// The most items of a file. The largest photographs of telephones have about 200.
pub const MAX_ITEMS: usize = 8192;
/// The most pieces that an item may lie in.
const MAX_PIECES: u16 = 64;

/// A box: its kind and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Four letters that say what it is.
    pub kind: [u8; 4],
    /// Its content.
    pub data: &'a [u8],
}

/// The next box.
pub fn part<'a>(reader: &mut Reader<'a>) -> Result<Part<'a>, Broken> {
    let length = reader.long()?;
    let kind = reader.array()?;
    let length = match length {
        // To the end of what holds it.
        0 => reader.0.len(),
        1 => long(reader.number(8)?)?.checked_sub(16).ok_or(DAMAGED)?,
        length => index(length)?.checked_sub(8).ok_or(DAMAGED)?,
    };
    Ok(Part { kind, data: reader.take(length)? })
}

/// The boxes from here on, up to the first that is not whole.
#[derive(Clone, Debug)]
pub struct Parts<'a>(pub Reader<'a>);

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        part(&mut self.0).ok()
    }
}

/// The version and the flags that many boxes begin with, and what follows them.
pub fn full(data: &[u8]) -> Result<(u8, u32, Reader<'_>), Broken> {
    let mut reader = Reader(data);
    let word = reader.long()?;
    Ok((word.to_be_bytes()[0], word & 0x00ff_ffff, reader))
}

/// The identifier of an item: two bytes, or four if `wide`, as they grew with the boxes' versions.
pub fn id(reader: &mut Reader<'_>, wide: bool) -> Result<u32, Broken> {
    if wide { reader.long() } else { reader.short().map(u32::from) }
}

/// A number of eight bytes as an index.
pub(crate) fn long(number: u64) -> Walked<usize> {
    usize::try_from(number).map_err(|_| DAMAGED)
}

/// What `iinf` says of an item.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Version of the box that says so, at least 2.
    pub version: u8,
    /// The item.
    pub item: u32,
    /// Its kind.
    pub kind: [u8; 4],
    /// Whether it is encrypted.
    pub protected: bool,
    /// Whether it is only shown as a part of another.
    pub hidden: bool,
}

impl Entry {
    /// Reads a box of `iinf`, which has to be an `infe` of a version that has kinds.
    pub fn read(part: Part<'_>) -> Result<Self, Broken> {
        let (version, flags, mut reader) = full(part.data)?;
        if &part.kind != b"infe" || version < 2 {
            return Err(DAMAGED);
        }
        let item = id(&mut reader, version > 2)?;
        let protected = reader.short()? != 0;
        Ok(Self { version, item, kind: reader.array()?, protected, hidden: flags & 1 != 0 })
    }
}

/// Where the bytes of an item lie.
#[derive(Clone, Debug)]
pub struct Location {
    /// The item.
    pub item: u32,
    /// In the file (0), in the `meta` box (1), or in other items (2), which no camera does.
    pub method: u16,
    /// Whether it is in another file.
    pub elsewhere: bool,
    /// Where each piece begins, and how many bytes it has; 0 means all that follow (ISO/IEC 14496-12, 8.11.3.3).
    pub pieces: Vec<(u64, u64)>,
}

/// Reads an `iloc` box, and hands over each location.
pub fn locations(iloc: &[u8], mut each: impl FnMut(Location) -> Result<(), Broken>) -> Result<(), Broken> {
    let (version, _, mut reader) = full(iloc)?;
    let sizes = reader.short()?;
    let [of_start, of_length, of_base, of_index] = [12, 8, 4, 0].map(|shift| usize::from(sizes >> shift & 0xf));
    let count = id(&mut reader, version > 1)?;
    if index(count)? > MAX_ITEMS || [of_start, of_length, of_base, of_index].iter().any(|size| *size > 8) {
        return Err(DAMAGED);
    }
    for _ in 0..count {
        let item = id(&mut reader, version > 1)?;
        let method = if version > 0 { reader.short()? & 0xf } else { 0 };
        let elsewhere = reader.short()? != 0;
        let base = reader.number(of_base)?;
        let count = reader.short()?;
        if count > MAX_PIECES {
            return Err(DAMAGED);
        }
        let mut pieces = Vec::with_capacity(count.into());
        for _ in 0..count {
            reader.number(if version > 0 { of_index } else { 0 })?;
            let start = base.checked_add(reader.number(of_start)?).ok_or(DAMAGED)?;
            pieces.push((start, reader.number(of_length)?));
        }
        each(Location { item, method, elsewhere, pieces })?;
    }
    Ok(())
}

/// A property that an item has.
#[derive(Clone, Copy, Debug)]
pub struct Has {
    /// Its place in the list of properties, counted from 0.
    pub property: usize,
    /// Whether nobody may show the item without understanding it.
    pub essential: bool,
}

/// Reads an `ipma` box, and hands over each item with its properties.
pub fn associations(ipma: &[u8], mut each: impl FnMut(u32, Vec<Has>) -> Result<(), Broken>) -> Result<(), Broken> {
    let (version, flags, mut reader) = full(ipma)?;
    let wide = flags & 1 != 0;
    for _ in 0..reader.long()? {
        let item = id(&mut reader, version > 0)?;
        let count = reader.byte()?;
        let mut list = Vec::with_capacity(count.into());
        for _ in 0..count {
            // The highest bit says whether the property is essential, the others count from 1; 0 is none.
            let entry = if wide { reader.short()? } else { reader.byte()?.into() };
            let essential = entry & if wide { 0x8000 } else { 0x80 } != 0;
            let index = usize::from(entry & if wide { 0x7fff } else { 0x7f });
            list.extend(index.checked_sub(1).map(|property| Has { property, essential }));
        }
        each(item, list)?;
    }
    Ok(())
}

/// What one item is to others.
#[derive(Clone, Debug)]
pub struct Reference {
    /// How they belong together.
    pub kind: [u8; 4],
    /// The item.
    pub from: u32,
    /// The others, in their order.
    pub to: Vec<u32>,
}

impl Reference {
    /// Reads a box of an `iref` of this version.
    pub fn read(Part { kind, data }: Part<'_>, version: u8) -> Result<Self, Broken> {
        let mut reader = Reader(data);
        let from = id(&mut reader, version > 0)?;
        let count = reader.short()?;
        let to = (0..count).map(|_| id(&mut reader, version > 0)).collect::<Result<_, _>>()?;
        Ok(Self { kind, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_have_short_long_and_open_lengths() {
        let bytes = b"\0\0\0\x0aabcdxy\0\0\0\x01long\0\0\0\0\0\0\0\x11z\0\0\0\0openrest";
        let found: Vec<_> = Parts(Reader(bytes)).map(|part| (part.kind, part.data)).collect();
        let expected: [([u8; 4], &[u8]); 3] = [(*b"abcd", b"xy"), (*b"long", b"z"), (*b"open", b"rest")];
        assert_eq!(found, expected);
    }

    #[test]
    fn lengths_that_cannot_be_end_the_boxes() {
        for bytes in [&b"\0\0\0\x07abcd"[..], b"\0\0\0\x09abcd", b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x0f", b"\0\0\0"] {
            assert_eq!(Parts(Reader(bytes)).count(), 0, "{bytes:?}");
        }
    }
}
