//! Parses the boxes of HEIF (ISO/IEC 14496-12, 4.2) and the numbers in them.

/// Reads numbers from the start of a slice. Each method returns `None` if the slice is too short.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// Reads the next `length` bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads the next `length` bytes, 8 at most, as a number.
    pub(super) fn number(&mut self, length: usize) -> Option<u64> {
        Some(self.bytes(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Reads a one-byte number.
    pub(super) fn u8(&mut self) -> Option<u8> {
        Some(*self.bytes(1)?.first()?)
    }

    /// Reads a two-byte number.
    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.bytes(2)?.first_chunk()?))
    }

    /// Reads a four-byte number.
    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.bytes(4)?.first_chunk()?))
    }

    /// Reads a two-byte number, or a four-byte number if `wide`: later versions of the boxes have wider item ids.
    pub(super) fn id(&mut self, wide: bool) -> Option<u32> {
        if wide { self.u32() } else { self.u16().map(u32::from) }
    }

    /// Reads the version and flags at the start of many boxes.
    pub(super) fn version(&mut self) -> Option<(u8, u32)> {
        let word = self.u32()?;
        Some((u8::try_from(word >> 24).ok()?, word & 0x00ff_ffff))
    }
}

/// The boxes in a slice: the name and content of each, until the first incomplete one.
pub(super) struct Boxes<'a>(pub(super) Reader<'a>);

impl<'a> Boxes<'a> {
    /// The boxes in `bytes`.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(Reader(bytes))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let reader = &mut self.0;
        let length = reader.u32()?;
        let name = *reader.bytes(4)?.first_chunk()?;
        let content = match length {
            // The box extends to the end of its container.
            0 => reader.bytes(reader.0.len()),
            1 => {
                let length = usize::try_from(reader.number(8)?).ok()?;
                reader.bytes(length.checked_sub(16)?)
            }
            length => reader.bytes(usize::try_from(length).ok()?.checked_sub(8)?),
        };
        content.map(|content| (name, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_have_short_long_and_open_lengths() {
        let bytes = b"\0\0\0\x0aabcdxy\0\0\0\x01long\0\0\0\0\0\0\0\x11z\0\0\0\0openrest";
        let found: Vec<_> = Boxes::of(bytes).collect();
        let expected: [([u8; 4], &[u8]); 3] = [(*b"abcd", b"xy"), (*b"long", b"z"), (*b"open", b"rest")];
        assert_eq!(found, expected);
    }

    #[test]
    fn lengths_that_cannot_be_end_the_boxes() {
        for bytes in [&b"\0\0\0\x07abcd"[..], b"\0\0\0\x09abcd", b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x0f", b"\0\0\0"] {
            assert_eq!(Boxes::of(bytes).count(), 0, "{bytes:?}");
        }
    }
}
