//! Passes only those chunks of a PNG to the decoder that its pixels need.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::rc::Rc;

/// The length of the signature of every PNG.
const SIGNATURE: usize = 8;

/// The number of bytes that are passed on one at a time. The decoder reads the code of 8 KiB of pixels at once: at most
/// 15 KiB, with 15 bits for a byte, and the tables of its blocks. So the position of damage is known to the byte.
const SINGLE: usize = 64 << 10;

/// The size of the pieces after that. There may be twenty million bytes without pixels, such as empty blocks. One at a
/// time, they would take more than a second.
const COARSE: usize = 4 << 10;

/// Kinds of pictures (PNG 3rd ed., table 12) whose transparency is in a chunk.
const GREY: u8 = 0;
const RGB: u8 = 2;
const INDEXED: u8 = 3;

/// A PNG with only the needed chunks.
#[derive(Clone)]
pub(super) struct Parts<'a> {
    /// Complete chunks; the checksums are not checked. The first one begins with the signature.
    chunks: Rc<[Cow<'a, [u8]>]>,
    /// The part that is being read, and the number of its bytes that were read.
    part: usize,
    at: usize,
    /// The number of bytes read in total, visible to other owners of this value.
    taken: Rc<Cell<usize>>,
    /// The byte after which only a few bytes at a time are passed on.
    slow: usize,
    /// The supposed length of the file.
    end: usize,
}

impl<'a> Parts<'a> {
    /// Finds the chunks. Up to the first chunk of the pixels, they must be complete; there may be no pixels.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.get(SIGNATURE..)?;
        let (_, header, behind) = next(rest).filter(|(kind, header, _)| kind == b"IHDR" && header.len() == 13)?;
        let colour = *header.get(9)?;
        let mut parts = vec![Cow::Borrowed(bytes.get(..bytes.len() - behind.len())?)];
        rest = behind;
        let (mut palette, mut transparency) = (0, false);
        while let Some((kind, content, behind)) = next(rest) {
            let whole = rest.get(..rest.len() - behind.len())?;
            let needed = match &kind {
                b"IDAT" => {
                    parts.extend(pixels(rest));
                    parts.push(Cow::Borrowed(b"\0\0\0\0IEND\0\0\0\0"));
                    let (taken, slow, end) = (Rc::new(Cell::new(0)), usize::MAX, usize::MAX);
                    return Some(Self { chunks: parts.into(), part: 0, at: 0, taken, slow, end });
                }
                b"PLTE" => colour == INDEXED && palette == 0,
                b"tRNS" => {
                    let fits = match colour {
                        GREY => content.len() == 2,
                        RGB => content.len() == 6,
                        INDEXED => content.len() <= palette,
                        _ => false,
                    };
                    fits && !std::mem::replace(&mut transparency, fits)
                }
                _ => false,
            };
            if needed {
                palette = if &kind == b"PLTE" { content.len() / 3 } else { palette };
                parts.push(closed(kind, content, whole));
            }
            rest = behind;
        }
        None
    }

    /// Reads the file from its start, and counts the bytes in `taken`. After `slow` bytes it passes on one byte at a
    /// time, and later a few thousand.
    pub(super) fn reading(&self, taken: Rc<Cell<usize>>, slow: usize) -> Self {
        Self { taken, slow, ..self.clone() }
    }

    /// The file as if it ended after so many bytes.
    pub(super) fn ending(&self, end: usize) -> Self {
        Self { taken: Rc::new(Cell::new(0)), end, ..self.clone() }
    }
}

/// The chunks of the pixels, which follow each other from here on.
fn pixels(bytes: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let (mut rest, mut cut) = (bytes, None);
    while let Some((kind, content, behind)) = next(rest).filter(|(kind, ..)| kind == b"IDAT") {
        let whole = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        if whole.len() < content.len() + 12 {
            cut = Some(closed(kind, content, whole));
            break;
        }
        rest = behind;
    }
    let whole = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
    [Some(Cow::Borrowed(whole)).filter(|whole| !whole.is_empty()), cut].into_iter().flatten()
}

/// A chunk with its length and its checksum: `whole` if the chunk is complete.
fn closed<'a>(kind: [u8; 4], content: &'a [u8], whole: &'a [u8]) -> Cow<'a, [u8]> {
    if whole.len() == content.len() + 12 {
        return Cow::Borrowed(whole);
    }
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    Cow::Owned([&length.to_be_bytes(), &kind[..], content, &[0; 4]].concat())
}

/// The kind and the content of the first chunk, and the bytes after it. A chunk of pixels may be cut short.
fn next(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    match rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?) {
        // Each chunk ends with a checksum of four bytes.
        Some((content, behind)) => Some((*kind, content, behind.get(4..).unwrap_or_default())),
        None => (kind == b"IDAT").then_some((*kind, rest, &[])),
    }
}

/// The content of the first chunk with this name, at any position: Exif may come after the pixels.
pub(super) fn chunk(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut rest = bytes.get(SIGNATURE..)?;
    loop {
        let (kind, content, behind) = next(rest)?;
        if kind == name {
            return Some(content);
        }
        rest = behind;
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let there = self.fill_buf()?;
        let count = there.len().min(buffer.len());
        buffer.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Parts<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let part = self.chunks.get(self.part).and_then(|part| part.get(self.at..)).unwrap_or_default();
        let taken = self.taken.get();
        let most = match taken.checked_sub(self.slow) {
            None => self.slow - taken,
            Some(slowly) if slowly < SINGLE => 1,
            Some(_) => COARSE,
        };
        Ok(part.get(..most.min(self.end.saturating_sub(taken))).unwrap_or(part))
    }

    fn consume(&mut self, count: usize) {
        self.taken.set(self.taken.get() + count);
        self.at += count;
        if self.chunks.get(self.part).is_some_and(|part| part.len() <= self.at) {
            (self.part, self.at) = (self.part + 1, 0);
        }
    }
}

impl Seek for Parts<'_> {
    /// The decoder requires a type with `Seek`, but never seeks.
    fn seek(&mut self, _: SeekFrom) -> Result<u64> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}
