//! HEIC: the items of the file's `meta` box (ISO/IEC 23008-12), of which only the visible ones are kept.
//!
//! A new file is written from the coded pictures, which are copied unchanged, and the properties that affect their
//! look. Exif, XMP, thumbnails, depth maps and other additions of phones are separate items. The new file does not list
//! them, so it does not contain their bytes either.

mod boxes;
mod items;
mod shown;
mod write;

use self::items::Items;
use self::shown::Shown;
use super::{CUT_SHORT, DAMAGED, Reader, Walk, Walked};
use crate::heic::part;

/// Walks a HEIC from its first box to the last one that the picture needs. The rest of the file is not part of the
/// picture.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let (brands, meta) = outer(bytes)?;
    let items = Items::read(bytes, meta)?;
    let shown = Shown::of(&items)?;
    let clean = write::file(brands, &items, &shown, bytes.len())?;
    let Shown { size: (width, height), pixels, orientation, .. } = shown;
    Ok(Walk { width, height, largest_frame: pixels, orientation, clean })
}

/// The contents of the boxes with the brands and with the items.
fn outer(bytes: &[u8]) -> Walked<(&[u8], &[u8])> {
    let mut reader = Reader(bytes);
    let brands = part(&mut reader)?;
    let mut meta = None;
    while !reader.0.is_empty() {
        let kind = reader.0.get(4..8);
        match part(&mut reader) {
            Ok(part) if &part.kind == b"meta" => {
                if meta.replace(part.data).is_some() {
                    return Err(DAMAGED);
                }
            }
            Ok(_) => {}
            Err(broken) if matches!(kind, Some(b"meta" | b"mdat")) => return Err(broken),
            // The rest of the file may not be boxes at all. The positions of the items are checked one by one.
            Err(_) => break,
        }
    }
    Ok((brands.data, meta.ok_or(CUT_SHORT)?))
}
