//! Apple's Core Audio Format: chunks, of which one becomes `free` (Apple Core Audio Format Specification 1.0).

use super::overwrite;

/// Empties the chunks that hold metadata.
pub(super) fn clean(bytes: &mut [u8]) {
    let Some(mut rest) = bytes.get_mut(8..) else { return };
    while let Some((kind, length)) = header(rest) {
        let Some(head) = rest.split_off_mut(..12) else { return };
        let Some(content) = rest.split_off_mut(..length) else { return };
        // Words, comments on edits, names of markers, what anybody defined for themselves, and where and when the
        // material was made (SMPTE 330M).
        if let b"info" | b"edct" | b"strg" | b"uuid" | b"umid" | b"free" = &kind {
            overwrite(head, b"free");
            content.fill(0);
        }
    }
}

/// A chunk's kind and its length. Sound of unknown length has -1 and goes on to the end.
fn header(bytes: &[u8]) -> Option<([u8; 4], usize)> {
    let length = i64::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    Some((*bytes.first_chunk()?, usize::try_from(length).ok()?))
}
