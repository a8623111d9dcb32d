//! How a picture has to be turned, by its Exif block.

use image::metadata::Orientation;
use media_formats::exif;

/// The orientation in the block `exif`. A block that is damaged, or has an unknown value, does not turn the picture: it
/// is no reason to refuse complete pixels.
pub(crate) fn orientation(exif: &[u8]) -> Orientation {
    let shown = exif::Orientation::shown(exif).map(exif::Orientation::number);
    shown.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tag of the orientation (CIPA DC-008, table 4).
    const ORIENTATION: u16 = 0x0112;

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
