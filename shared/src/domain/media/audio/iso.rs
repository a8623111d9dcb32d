//! MP4, M4A and 3GP: boxes (ISO/IEC 14496-12, 4.2), of which one becomes free space (8.1.2).

use super::{index, overwrite};

/// `moov`, `trak`, `mdia`, `minf`: nothing that holds metadata lies deeper.
const DEPTH: usize = 4;

/// Empties the boxes that hold metadata.
pub(super) fn clean(bytes: &mut [u8]) {
    boxes(bytes, DEPTH);
}

fn boxes(mut rest: &mut [u8], depth: usize) {
    while let Some((kind, head, length)) = header(rest) {
        let Some(whole) = rest.split_off_mut(..length) else { return };
        let Some((head, content)) = whole.split_at_mut_checked(head) else { return };
        match &kind {
            // `loci` and `©xyz` lie in `udta`, the keys of QuickTime in `meta`, XMP in `uuid`. Free space may be what
            // an editor made of any of them without emptying it.
            b"udta" | b"meta" | b"uuid" | b"free" | b"skip" => {
                if let Some(kind) = head.get_mut(4..) {
                    overwrite(kind, b"free");
                }
                content.fill(0);
            }
            b"moov" | b"trak" | b"mdia" | b"minf" | b"moof" | b"traf" if depth > 0 => boxes(content, depth - 1),
            _ => {}
        }
    }
}

/// The kind of the box that starts here, the length of its header and its whole length, where that is possible.
fn header(bytes: &[u8]) -> Option<([u8; 4], usize, usize)> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind = *bytes.get(4..)?.first_chunk()?;
    let (head, length) = match length {
        // To the end of what holds it.
        0 => (8, bytes.len()),
        1 => (16, usize::try_from(u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)).ok()?),
        length => (8, index(length)?),
    };
    (head <= length && length <= bytes.len()).then_some((kind, head, length))
}
