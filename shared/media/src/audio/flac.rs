//! FLAC: metadata blocks (RFC 9639 §8). A cleared block becomes padding (§8.3).

const PADDING: u8 = 1;
const APPLICATION: u8 = 2;
const VORBIS_COMMENT: u8 = 4;
const CUESHEET: u8 = 5;
const PICTURE: u8 = 6;
const IS_LAST: u8 = 0x80;

/// Clears the blocks that hold metadata.
pub(super) fn clean(bytes: &mut [u8]) {
    let Some(mut rest) = bytes.get_mut(4..) else { return };
    while let Some([kind, high, middle, low]) = rest.first_chunk().copied() {
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let Some(block) = rest.split_off_mut(..4 + length) else { return };
        if let ([first, _, _, _, content @ ..], true) = (block, is_metadata(kind & !IS_LAST)) {
            *first = kind & IS_LAST | PADDING;
            content.fill(0);
        }
        if kind & IS_LAST != 0 {
            return;
        }
    }
}

/// Whether a block of this kind must be cleared. Padding must be too, because an editor may have turned another block
/// into padding without clearing it.
fn is_metadata(kind: u8) -> bool {
    matches!(kind, PADDING | APPLICATION | VORBIS_COMMENT | CUESHEET | PICTURE)
}
