//! WAV: chunks of an even length (Microsoft and IBM, Multimedia Programming Interface 1.0). A cleared chunk becomes
//! `JUNK`, the filler of the same document. Also RF64, whose long lengths are in `ds64` (EBU Tech 3306).

use super::{index, overwrite};

/// Clears the chunks that hold metadata. The length in the file's head is ignored, because recorders that were
/// interrupted never wrote it.
pub(super) fn clean(bytes: &mut [u8]) {
    let Some(mut rest) = bytes.get_mut(12..) else { return };
    let mut long = None;
    while let Some((kind, length)) = header(rest) {
        let Some(head) = rest.split_off_mut(..8) else { return };
        let length = match (&kind, length) {
            // The length was never written, so the sound lasts until the end; but RF64 has it in another place.
            (b"data", 0 | u32::MAX) => long,
            _ => index(length),
        };
        let Some(content) = length.and_then(|length| rest.split_off_mut(..length)) else { return };
        if &kind == b"ds64" {
            long = data_length(content);
        }
        if is_metadata(kind, content) {
            overwrite(head, b"JUNK");
            content.fill(0);
        }
        // A zero byte makes the length even. Some programs forget it, and no chunk's kind begins with a zero.
        if !content.len().is_multiple_of(2) && rest.first() == Some(&0) {
            let _ = rest.split_off_mut(..1);
        }
    }
}

fn header(bytes: &[u8]) -> Option<([u8; 4], u32)> {
    Some((*bytes.first_chunk()?, u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?)))
}

fn data_length(ds64: &[u8]) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*ds64.get(8..)?.first_chunk()?)).ok()
}

fn is_metadata(kind: [u8; 4], content: &[u8]) -> bool {
    match &kind {
        // A list may also contain sound.
        b"LIST" => [b"INFO", b"adtl", b"exif"].iter().any(|list| content.starts_with(*list)),
        // Filler is cleared too, because an editor may have turned another chunk into filler without clearing it.
        b"JUNK" | b"junk" | b"PAD " | b"id3 " | b"ID3 " | b"bext" | b"iXML" | b"axml" | b"_PMX" | b"cart" | b"DISP"
        | b"C2PA" => true,
        _ => false,
    }
}
