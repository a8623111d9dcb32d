//! The only part of Exif that a thumbnail needs: the orientation of the picture.
//!
//! Exif is a TIFF file inside another file (CIPA DC-008, 4.5). Only the orientation in the first directory is read,
//! never the place and the time that the camera wrote.

use image::metadata::Orientation;

/// Tag of the orientation (CIPA DC-008, table 4).
const ORIENTATION: u16 = 0x0112;

/// Bytes of a directory entry: tag, type, count, value.
const ENTRY: usize = 12;

/// The orientation in the block `exif`. A block that is damaged, or has an unknown value, does not turn the picture: it
/// is no reason to refuse complete pixels.
pub(crate) fn orientation(exif: &[u8]) -> Orientation {
    // JPEG writes this before the TIFF header; some writers do so in PNG and WebP as well.
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    find(tiff).and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

fn find(tiff: &[u8]) -> Option<u8> {
    let order = match tiff.get(..4)? {
        b"II\x2a\0" => Order::Little,
        b"MM\0\x2a" => Order::Big,
        _ => return None,
    };
    let directory = usize::try_from(order.long(tiff.get(4..8)?)?).ok()?;
    let count = usize::from(order.short(tiff.get(directory..)?)?);
    let entries = tiff.get(directory.checked_add(2)?..)?;
    let entry = entries.chunks_exact(ENTRY).take(count).find(|entry| order.short(entry) == Some(ORIENTATION))?;
    // The standard requires SHORT; some files have LONG.
    match order.short(entry.get(2..)?)? {
        3 => order.short(entry.get(8..)?).and_then(|value| u8::try_from(value).ok()),
        4 => order.long(entry.get(8..)?).and_then(|value| u8::try_from(value).ok()),
        _ => None,
    }
}

/// The byte order of numbers.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn short(self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn long(self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(tag: u16, kind: u16, value: [u8; 4]) -> Vec<u8> {
        let mut block = b"MM\0\x2a\0\0\0\x08\0\x01".to_vec();
        block.extend(tag.to_be_bytes());
        block.extend(kind.to_be_bytes());
        block.extend([0, 0, 0, 1]);
        block.extend(value);
        block.extend([0; 4]);
        block
    }

    #[test]
    fn all_eight_are_read_in_both_byte_orders_and_both_types() {
        for value in 1..=8_u8 {
            let expected = Orientation::from_exif(value).unwrap();
            assert_eq!(orientation(&big(ORIENTATION, 3, [0, value, 0, 0])), expected);
            assert_eq!(orientation(&big(ORIENTATION, 4, [0, 0, 0, value])), expected);
            let little = [b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[value, 0, 0, 0]].concat();
            assert_eq!(orientation(&little), expected);
            let prefixed = [b"Exif\0\0".as_slice(), &little].concat();
            assert_eq!(orientation(&prefixed), expected);
        }
    }

    #[test]
    fn what_does_not_exist_turns_nothing() {
        for block in [
            big(ORIENTATION, 3, [0, 0, 0, 0]),
            big(ORIENTATION, 3, [0, 9, 0, 0]),
            big(ORIENTATION, 3, [1, 6, 0, 0]),
            big(ORIENTATION, 2, [0, 6, 0, 0]),
            big(0x0110, 3, [0, 6, 0, 0]),
            b"MM\0\x2a\xff\xff\xff\xff".to_vec(),
            b"II\x2a\0\x08\0\0\0\xff\xff".to_vec(),
            b"MM".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(orientation(&block), Orientation::NoTransforms, "{block:?}");
        }
    }

    #[test]
    fn a_block_cut_anywhere_is_survived() {
        let block = big(ORIENTATION, 3, [0, 6, 0, 0]);
        for length in 0..block.len() {
            let _ = orientation(&block[..length]);
        }
    }
}
