//! Apple's Core Audio Format: a list of chunks. A cleared chunk becomes `free` (Apple Core Audio Format Specification
//! 1.0).

use super::overwrite;

/// Clears the chunks that hold metadata.
pub(super) fn clean(bytes: &mut [u8]) {
    let Some(mut rest) = bytes.get_mut(8..) else { return };
    while let Some((kind, length)) = header(rest) {
        let Some(head) = rest.split_off_mut(..12) else { return };
        let Some(content) = rest.split_off_mut(..length) else { return };
        // Texts, comments on edits, names of markers, data that programs define for themselves, and the place and time
        // of the recording (SMPTE 330M).
        if let b"info" | b"edct" | b"strg" | b"uuid" | b"umid" | b"free" = &kind {
            overwrite(head, b"free");
            content.fill(0);
        }
    }
}

/// A chunk's kind and its length. Sound of unknown length has the length -1 and lasts until the end of the file.
fn header(bytes: &[u8]) -> Option<([u8; 4], usize)> {
    let length = i64::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    Some((*bytes.first_chunk()?, usize::try_from(length).ok()?))
}
