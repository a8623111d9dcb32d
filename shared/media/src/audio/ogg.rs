//! Ogg: the comments of Opus (RFC 7845 §5.2), Vorbis (Vorbis I §5), Speex and FLAC (RFC 9639 §10.1). They are the
//! second packet of a stream.
//!
//! The packet keeps its length; afterwards it has no comments, and zeros follow. The checksums of its pages are
//! computed again. The vendor string (the name of a program) stays, and so do the pictures of FLAC in Ogg, which are
//! separate packets.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{index, overwrite};

const PAGE_HEAD: usize = 27;
/// A flag of a page: it is the first page of its stream.
const IS_FIRST: u8 = 2;
const CHECKSUM: Range<usize> = 22..26;
/// How many streams are followed at the same time. A voice note has one.
const MOST_STREAMS: usize = 16;

/// Clears the comments of every stream, whether the streams are interleaved or follow one another.
pub(super) fn clean(bytes: &mut [u8]) {
    let mut streams = BTreeMap::new();
    let mut at = 0;
    while let Some(page) = bytes.get(at..).and_then(page) {
        if page.is_first {
            streams.remove(&page.serial);
            if let Some(codec) = bytes.get(at + page.head..).and_then(codec).filter(|_| streams.len() < MOST_STREAMS) {
                streams.insert(page.serial, Comments { codec, pages: Vec::new(), parts: Vec::new() });
            }
        } else if let Some(comments) = streams.get_mut(&page.serial) {
            comments.pages.push(at..at + page.length);
            comments.parts.push(at + page.head..at + page.head + page.first_part);
            if page.ends_packet {
                comments.empty(bytes);
                streams.remove(&page.serial);
            }
        }
        at += page.length;
    }
}

/// The contents of a page's head (RFC 3533 §6).
struct Page {
    serial: u32,
    is_first: bool,
    /// Length of the head in bytes.
    head: usize,
    /// Length of the whole page in bytes.
    length: usize,
    /// Bytes of the packet that begins or continues on this page.
    first_part: usize,
    /// Whether that packet ends on the page.
    ends_packet: bool,
}

fn page(bytes: &[u8]) -> Option<Page> {
    let fixed: &[u8; PAGE_HEAD] = bytes.first_chunk()?;
    let [flags, numbers @ ..] = fixed.strip_prefix(b"OggS\0")? else { return None };
    let serial = u32::from_le_bytes(*numbers.get(8..)?.first_chunk()?);
    let head = PAGE_HEAD + usize::from(*numbers.last()?);
    let lacing = bytes.get(PAGE_HEAD..head)?;
    let sum = |lacing: &[u8]| lacing.iter().map(|length| usize::from(*length)).sum::<usize>();
    // A packet continues as long as its parts have the maximum length.
    let end = lacing.iter().position(|length| *length < 255);
    let first_part = end.and_then(|end| lacing.get(..=end)).unwrap_or(lacing);
    let length = head + sum(lacing);
    let page = Page {
        serial,
        is_first: flags & IS_FIRST != 0,
        head,
        length,
        first_part: sum(first_part),
        ends_packet: end.is_some(),
    };
    (length <= bytes.len()).then_some(page)
}

/// How the packet of comments begins, and whether a framing bit ends it.
#[derive(Clone, Copy)]
struct Codec {
    prefix: &'static [u8],
    /// Number of bytes before the comments, including the prefix.
    head: usize,
    framed: bool,
}

/// The codec of a stream, by its first packet.
fn codec(packet: &[u8]) -> Option<Codec> {
    const CODECS: [(&[u8], Codec); 4] = [
        (b"OpusHead", Codec { prefix: b"OpusTags", head: 8, framed: false }),
        (b"\x01vorbis", Codec { prefix: b"\x03vorbis", head: 7, framed: true }),
        (b"Speex   ", Codec { prefix: b"", head: 0, framed: false }),
        // A metadata block. A flag in its first byte marks the last block.
        (b"\x7fFLAC", Codec { prefix: b"", head: 4, framed: false }),
    ];
    CODECS.iter().find(|(mark, _)| packet.starts_with(mark)).map(|(_, codec)| *codec)
}

/// A packet of comments: the positions of its pages and its parts.
struct Comments {
    codec: Codec,
    pages: Vec<Range<usize>>,
    parts: Vec<Range<usize>>,
}

impl Comments {
    fn empty(&self, bytes: &mut [u8]) {
        let parts = self.parts.iter().filter_map(|part| bytes.get(part.clone()));
        let before = parts.collect::<Vec<_>>().concat();
        let mut packet = before.clone();
        // Pages that need no change stay as they are, checksum included.
        if self.codec.empty(&mut packet).is_none() || packet == before {
            return;
        }
        let mut rest = packet.as_slice();
        for part in &self.parts {
            if let (Some(part), Some(new)) = (bytes.get_mut(part.clone()), rest.split_off(..part.len())) {
                overwrite(part, new);
            }
        }
        for page in &self.pages {
            if let Some(page) = bytes.get_mut(page.clone()) {
                sign(page);
            }
        }
    }
}

impl Codec {
    /// Sets the number of comments and the bytes after it to zero; the framing bit stays 1.
    fn empty(self, packet: &mut [u8]) -> Option<()> {
        if !packet.starts_with(self.prefix) {
            return None;
        }
        let list = packet.get_mut(self.head..)?;
        let maker = index(u32::from_le_bytes(*list.first_chunk()?))?;
        let comments = list.get_mut(maker.checked_add(4)?..)?;
        let (count, rest) = comments.split_at_mut_checked(4)?;
        if self.framed {
            let (framing, rest) = rest.split_first_mut()?;
            *framing = 1;
            rest.fill(0);
        } else {
            rest.fill(0);
        }
        count.fill(0);
        Some(())
    }
}

/// Writes a page's checksum. It is computed with zeros in the checksum field.
fn sign(page: &mut [u8]) {
    if let Some(checksum) = page.get_mut(CHECKSUM) {
        checksum.fill(0);
    }
    let sum = page.iter().fold(0, |sum: u32, byte| {
        let [high, ..] = sum.to_be_bytes();
        sum << 8 ^ TABLE[usize::from(high ^ byte)]
    });
    if let Some(checksum) = page.get_mut(CHECKSUM) {
        overwrite(checksum, &sum.to_le_bytes());
    }
}

/// For each byte the remainder of the division by 0x04c11db7, most significant bit first, as in RFC 3533 §6 (other
/// CRC-32s reverse the bits).
const TABLE: [u32; 256] = {
    let (mut table, mut byte) = ([0; 256], 0_u32);
    while byte < 256 {
        let (mut remainder, mut bit) = (byte << 24, 0);
        while bit < 8 {
            let carry = remainder >> 31;
            remainder = (remainder << 1) ^ (carry * 0x04c1_1db7);
            bit += 1;
        }
        table[byte as usize] = remainder;
        byte += 1;
    }
    table
};
