//! Bytes that are read from the front, and the numbers in them.

/// Why a file is not a whole picture of an accepted kind, as a message for the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub &'static str);

pub(crate) type Walked<T> = std::result::Result<T, Broken>;

pub(crate) const CUT_SHORT: Broken = Broken("the picture is cut short");
pub(crate) const DAMAGED: Broken = Broken("the picture is damaged");

/// Bytes that are read from the front. Reading past the end is an error, and takes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Broken> {
        self.array().map(|[byte]| byte)
    }

    /// A number of two bytes, the most significant first.
    pub fn short(&mut self) -> Result<u16, Broken> {
        self.array().map(u16::from_be_bytes)
    }

    /// A number of four bytes, the most significant first.
    pub fn long(&mut self) -> Result<u32, Broken> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of `length` bytes, 8 at most, the most significant first.
    pub fn number(&mut self, length: usize) -> Result<u64, Broken> {
        Ok(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// A length read from a file, as an index.
pub(crate) fn index(length: u32) -> Result<usize, Broken> {
    usize::try_from(length).map_err(|_| CUT_SHORT)
}
