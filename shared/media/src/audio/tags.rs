//! MP3 and AAC streams: frames of sound, with tags before and after them.
//!
//! `ID3v2` comes before the frames. Zeros in place of its own frames are padding (id3.org, `ID3v2.3.0` §3.1 and
//! `ID3v2.4.0` §3.3). `ID3v1`, its extension `TAG+` and `APEv2` come after the frames.

use super::{flac, index};

const ID3V2_HEAD: usize = 10;
const ID3V1: usize = 128;
const ID3V1_EXTENSION: usize = 227;
const APE_HEAD: usize = 32;

/// Clears the tags.
pub(super) fn clean(bytes: &mut [u8]) {
    let mut rest = bytes;
    while let Some(length) = id3v2(rest) {
        let Some(tag) = rest.split_off_mut(..length) else { return };
        empty_id3v2(tag);
    }
    // Some programs put this tag before streams of other formats too.
    if rest.starts_with(b"fLaC") {
        flac::clean(rest);
    }
    behind(rest);
}

/// The total length of the `ID3v2` tag that starts here.
fn id3v2(bytes: &[u8]) -> Option<usize> {
    let [b'I', b'D', b'3', _, _, flags, size @ ..] = *bytes.first_chunk::<ID3V2_HEAD>()? else { return None };
    if size.iter().any(|byte| *byte >= 0x80) {
        return None;
    }
    let size = size.iter().fold(0, |size, byte| size << 7 | usize::from(*byte));
    // The size field does not count the footer, which is as long as the head.
    let footer = if flags & 0x10 == 0 { 0 } else { ID3V2_HEAD };
    Some(ID3V2_HEAD + size + footer).filter(|length| *length <= bytes.len())
}

/// Leaves a head without flags, since the flags describe parts that no longer exist, and padding. A tag with a footer
/// may not have padding, so the footer becomes padding as well.
fn empty_id3v2(tag: &mut [u8]) {
    let Some(([.., flags, a, b, c, d], content)) = tag.split_first_chunk_mut::<ID3V2_HEAD>() else { return };
    let size = content.len();
    // With its footer included, the largest possible tag would be longer than a size field can express.
    if size >> 28 != 0 {
        return;
    }
    let seven_bits = |shift: u32| (size >> shift & 0x7f).to_le_bytes()[0];
    (*flags, *a, *b, *c, *d) = (0, seven_bits(21), seven_bits(14), seven_bits(7), seven_bits(0));
    content.fill(0);
}

/// Clears the tags after the sound, starting at the end of the file.
fn behind(mut rest: &mut [u8]) {
    while let Some((length, empty)) = last(rest) {
        let at = rest.len().saturating_sub(length);
        let Some(tag) = rest.split_off_mut(at..) else { return };
        empty(tag);
    }
}

/// A function that clears one kind of tag.
type Empty = fn(&mut [u8]);

/// The length of the tag that ends here, and the function that clears it.
fn last(bytes: &[u8]) -> Option<(usize, Empty)> {
    let begins = |length: usize, mark: &[u8]| {
        let tag = bytes.len().checked_sub(length).and_then(|at| bytes.get(at..));
        tag.is_some_and(|tag| tag.starts_with(mark))
    };
    if begins(ID3V1, b"TAG") {
        Some((ID3V1, empty_id3v1))
    } else if begins(ID3V1_EXTENSION, b"TAG+") {
        Some((ID3V1_EXTENSION, empty_extension))
    } else {
        ape(bytes).map(|length| (length, empty_ape as Empty))
    }
}

/// The genre, which is the last byte, is a number, so it is not set to zero.
fn empty_id3v1(tag: &mut [u8]) {
    if let [_, _, _, text @ .., _] = tag {
        text.fill(0);
    }
}

fn empty_extension(tag: &mut [u8]) {
    if let [_, _, _, _, text @ ..] = tag {
        text.fill(0);
    }
}

/// The total length of the `APEv2` tag that ends here. Its size field does not count a header; a flag shows whether
/// there is one.
fn ape(bytes: &[u8]) -> Option<usize> {
    let footer: &[u8; APE_HEAD] = bytes.last_chunk()?;
    let [size, _, flags] = *footer.strip_prefix(b"APETAGEX")?.get(4..)?.as_chunks::<4>().0.first_chunk()?;
    let has_header = u32::from_le_bytes(flags) >> 31 != 0;
    let size = index(u32::from_le_bytes(size)).filter(|size| *size >= APE_HEAD)?;
    let length = if has_header { size.checked_add(APE_HEAD)? } else { size };
    let start = bytes.get(bytes.len().checked_sub(length)?..)?;
    (!has_header || start.starts_with(b"APETAGEX")).then_some(length)
}

/// Leaves a tag without items: its footer, and its header if it has one.
fn empty_ape(tag: &mut [u8]) {
    const COUNT: std::ops::Range<usize> = 16..20;
    let Some(at) = tag.len().checked_sub(APE_HEAD) else { return };
    let Some((mut items, footer)) = tag.split_at_mut_checked(at) else { return };
    if items.starts_with(b"APETAGEX")
        && let Some(header) = items.split_off_mut(..APE_HEAD)
        && let Some(count) = header.get_mut(COUNT)
    {
        count.fill(0);
    }
    items.fill(0);
    if let Some(count) = footer.get_mut(COUNT) {
        count.fill(0);
    }
}
