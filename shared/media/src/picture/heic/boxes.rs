//! Boxes of a HEIC that are all whole and come once, and writing them.

use super::super::{DAMAGED, Reader, Walked};
use crate::heic::{Part, part};

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

/// A box of this kind and content.
pub(super) fn named(kind: [u8; 4], content: &[&[u8]]) -> Walked<Vec<u8>> {
    let content = content.concat();
    Ok([&word(content.len() + 8)?, &kind[..], &content].concat())
}

/// A length as four bytes.
pub(super) fn word(length: usize) -> Walked<[u8; 4]> {
    u32::try_from(length).map(u32::to_be_bytes).map_err(|_| DAMAGED)
}
