//! The boxes that a HEIC is made of (ISO/IEC 14496-12, 4.2), and the numbers in them.

use super::super::{DAMAGED, Reader, Walked, index};

/// A box: its kind and its content.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) kind: [u8; 4],
    pub(super) data: &'a [u8],
}

/// The next box.
pub(super) fn part<'a>(reader: &mut Reader<'a>) -> Walked<Part<'a>> {
    let length = u32::from_be_bytes(reader.array()?);
    let kind = reader.array()?;
    let length = match length {
        // The box extends to the end of its container.
        0 => reader.0.len(),
        1 => long(u64::from_be_bytes(reader.array()?))?.checked_sub(16).ok_or(DAMAGED)?,
        length => index(length)?.checked_sub(8).ok_or(DAMAGED)?,
    };
    Ok(Part { kind, data: reader.take(length)? })
}

/// All boxes of `data`.
pub(super) fn parts(data: &[u8]) -> Walked<Vec<Part<'_>>> {
    let (mut reader, mut found) = (Reader(data), Vec::new());
    while !reader.0.is_empty() {
        found.push(part(&mut reader)?);
    }
    Ok(found)
}

/// The only box of a kind, if there is one.
pub(super) fn only<'a>(parts: &[Part<'a>], kind: [u8; 4]) -> Walked<Option<&'a [u8]>> {
    let mut found = parts.iter().filter(|part| part.kind == kind).map(|part| part.data);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        _ => Err(DAMAGED),
    }
}

/// The version and the flags at the start of many boxes, and the rest of the box.
pub(super) fn full(data: &[u8]) -> Walked<(u8, u32, Reader<'_>)> {
    let mut reader = Reader(data);
    let [version, flags @ ..]: [u8; 4] = reader.array()?;
    let [high, middle, low] = flags;
    Ok((version, u32::from_be_bytes([0, high, middle, low]), reader))
}

/// The next `length` bytes, 8 at most, as a number.
pub(super) fn number(reader: &mut Reader<'_>, length: usize) -> Walked<u64> {
    Ok(reader.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A number of two bytes.
pub(super) fn short(reader: &mut Reader<'_>) -> Walked<u16> {
    reader.array().map(u16::from_be_bytes)
}

/// A number of two bytes, or of four if `wide`: later versions of the boxes have wider item ids.
pub(super) fn id(reader: &mut Reader<'_>, wide: bool) -> Walked<u32> {
    if wide { reader.array().map(u32::from_be_bytes) } else { short(reader).map(u32::from) }
}

/// A number of eight bytes as an index.
pub(super) fn long(number: u64) -> Walked<usize> {
    usize::try_from(number).map_err(|_| DAMAGED)
}

/// A box of this kind and content.
pub(super) fn named(kind: [u8; 4], content: &[&[u8]]) -> Walked<Vec<u8>> {
    let content = content.concat();
    Ok([&word(content.len() + 8)?, &kind[..], &content].concat())
}

/// A length as four bytes.
pub(super) fn word(length: usize) -> Walked<[u8; 4]> {
    u32::try_from(length).map(u32::to_be_bytes).map_err(|_| DAMAGED)
}
