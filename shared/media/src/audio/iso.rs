//! MP4, M4A and 3GP: boxes (ISO/IEC 14496-12, 4.2). A cleared box becomes free space (8.1.2).

use super::{index, overwrite};

/// `moov`, `trak`, `mdia`, `minf`: metadata is never nested deeper.
const DEPTH: usize = 4;

/// Clears the boxes that hold metadata.
pub(super) fn clean(bytes: &mut [u8]) {
    boxes(bytes, DEPTH);
}

fn boxes(mut rest: &mut [u8], depth: usize) {
    while let Some((kind, head, length)) = header(rest) {
        let Some(whole) = rest.split_off_mut(..length) else { return };
        let Some((head, content)) = whole.split_at_mut_checked(head) else { return };
        match &kind {
            // `loci` and `©xyz` are in `udta`, QuickTime's keys in `meta`, XMP in `uuid`. Free space is cleared too,
            // because an editor may have turned one of them into free space without clearing it.
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

/// The kind of the box that starts here, the length of its header and its total length; `None` if these are not
/// possible.
fn header(bytes: &[u8]) -> Option<([u8; 4], usize, usize)> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind = *bytes.get(4..)?.first_chunk()?;
    let (head, length) = match length {
        // The box lasts until the end of the box or file around it.
        0 => (8, bytes.len()),
        1 => (16, usize::try_from(u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)).ok()?),
        length => (8, index(length)?),
    };
    (head <= length && length <= bytes.len()).then_some((kind, head, length))
}
