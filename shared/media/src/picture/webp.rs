//! WebP: RIFF chunks (RFC 9649), and the start of the two bitstreams, which has their size.

use super::{CUT_SHORT, DAMAGED, Orientation, Reader, Walk, Walked, index};
use crate::riff::{Chunk, Chunks, webp, write};

const HAS_PROFILE: u8 = 0x20;
const HAS_ALPHA: u8 = 0x10;
const HAS_EXIF: u8 = 0x08;
const IS_ANIMATED: u8 = 0x02;

/// Walks a WebP from its RIFF header to the end that the header gives. The rest of the file is not part of the picture.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let mut reader = Reader(bytes);
    if reader.array()? != *b"RIFF" {
        return Err(DAMAGED);
    }
    let length = index(u32::from_le_bytes(reader.array()?))?;
    let mut reader = Reader(reader.take(length)?);
    if reader.array()? != *b"WEBP" {
        return Err(DAMAGED);
    }
    let mut chunks = Chunks(reader.0);
    let first = chunk(&mut chunks)?;
    if &first.kind == b"VP8X" { extended(first, chunks) } else { simple(first) }
}

/// The next chunk, which has to be whole.
fn chunk<'a>(chunks: &mut Chunks<'a>) -> Walked<Chunk<'a>> {
    chunks.next().ok_or(CUT_SHORT)
}

/// A file of one bitstream, which has no room for metadata: all following chunks are left out.
fn simple(picture: Chunk<'_>) -> Walked<Walk> {
    let (width, height) = bitstream(picture)?;
    let mut kept = Vec::with_capacity(picture.data.len() + 16);
    write(&mut kept, picture.kind, picture.data);
    Ok(Walk { width, height, largest_frame: 0, orientation: Orientation::UPRIGHT, clean: webp(&kept) })
}

/// A file with a canvas, and chunks in any number around the picture or the frames.
fn extended(header: Chunk<'_>, mut chunks: Chunks<'_>) -> Walked<Walk> {
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = *header.data.first_chunk().ok_or(DAMAGED)?;
    let (width, height) = (1 + u32::from_le_bytes([w0, w1, w2, 0]), 1 + u32::from_le_bytes([h0, h1, h2, 0]));
    let animated = flags & IS_ANIMATED != 0;
    let mut canvas = Canvas {
        size: (width, height),
        animated,
        profile: false,
        started: false,
        frames: 0,
        orientation: None,
        kept: Vec::new(),
    };
    while !chunks.0.is_empty() {
        canvas.chunk(chunk(&mut chunks)?)?;
    }
    if canvas.frames == 0 {
        return Err(CUT_SHORT);
    }
    let orientation = canvas.orientation.unwrap_or(Orientation::UPRIGHT);
    let turned = orientation != Orientation::UPRIGHT;
    let mut flags = flags & (HAS_ALPHA | IS_ANIMATED);
    flags |= if canvas.profile { HAS_PROFILE } else { 0 } | if turned { HAS_EXIF } else { 0 };
    let mut kept = Vec::with_capacity(canvas.kept.len() + 64);
    write(&mut kept, *b"VP8X", &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
    kept.extend(canvas.kept);
    if turned {
        write(&mut kept, *b"EXIF", &orientation.tiff());
    }
    Ok(Walk { width, height, largest_frame: 0, orientation, clean: webp(&kept) })
}

struct Canvas {
    size: (u32, u32),
    animated: bool,
    profile: bool,
    /// Whether the animation's parameters or the picture's alpha were read. There may be only one of them.
    started: bool,
    frames: u32,
    orientation: Option<Orientation>,
    kept: Vec<u8>,
}

impl Canvas {
    fn chunk(&mut self, chunk: Chunk<'_>) -> Walked<()> {
        match &chunk.kind {
            b"ICCP" if !self.profile && self.frames == 0 => self.profile = true,
            b"ANIM" if self.animated && !self.started && chunk.data.len() >= 6 => self.started = true,
            b"ALPH" if !self.animated && !self.started && self.frames == 0 => self.started = true,
            b"ANMF" if self.animated && self.started => {
                self.frames += 1;
                let frame = self.frame(chunk.data)?;
                write(&mut self.kept, chunk.kind, &frame);
                return Ok(());
            }
            b"VP8 " | b"VP8L" if !self.animated && self.frames == 0 => {
                self.frames += 1;
                if bitstream(chunk)? != self.size {
                    return Err(DAMAGED);
                }
            }
            b"EXIF" => {
                self.orientation = self.orientation.or_else(|| Orientation::of_tiff(chunk.data));
                return Ok(());
            }
            b"ANMF" | b"VP8 " | b"VP8L" | b"VP8X" => return Err(DAMAGED),
            _ => return Ok(()),
        }
        write(&mut self.kept, chunk.kind, chunk.data);
        Ok(())
    }

    /// A frame of an animation, with only its alpha and its picture.
    fn frame(&self, data: &[u8]) -> Walked<Vec<u8>> {
        let mut reader = Reader(data);
        let header: [u8; 16] = reader.array()?;
        let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]);
        let (x, y, size) = (2 * field(0), 2 * field(3), (1 + field(6), 1 + field(9)));
        if x + size.0 > self.size.0 || y + size.1 > self.size.1 {
            return Err(DAMAGED);
        }
        let (mut frame, mut parts) = (header.to_vec(), Chunks(reader.0));
        while !parts.0.is_empty() {
            let part = chunk(&mut parts)?;
            match &part.kind {
                b"ALPH" => write(&mut frame, part.kind, part.data),
                b"VP8 " | b"VP8L" if bitstream(part)? == size => {
                    write(&mut frame, part.kind, part.data);
                    return Ok(frame);
                }
                b"VP8 " | b"VP8L" => return Err(DAMAGED),
                _ => {}
            }
        }
        Err(CUT_SHORT)
    }
}

/// The size in pixels according to a bitstream.
fn bitstream(chunk: Chunk<'_>) -> Walked<(u32, u32)> {
    let mut reader = Reader(chunk.data);
    match &chunk.kind {
        // RFC 6386 §9.1: a key frame's tag, its start code, and 14 bits each of width and height.
        b"VP8 " => {
            let [tag_0, tag_1, tag_2, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = reader.array()? else { return Err(DAMAGED) };
            if tag_0 & 1 != 0 {
                return Err(DAMAGED);
            }
            // The tag's upper 19 bits: how long the first partition is, which follows.
            reader.take(index(u32::from_le_bytes([tag_0, tag_1, tag_2, 0]) >> 5)?)?;
            let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3fff);
            Ok((side([w0, w1]), side([h0, h1])))
        }
        // RFC 9649 §3.4: a signature, 14 bits each of width and height less one, alpha, and a version of 0.
        b"VP8L" => {
            let [0x2f, bits @ ..] = reader.array::<5>()? else { return Err(DAMAGED) };
            let bits = u32::from_le_bytes(bits);
            if bits >> 29 != 0 {
                return Err(DAMAGED);
            }
            Ok((1 + (bits & 0x3fff), 1 + ((bits >> 14) & 0x3fff)))
        }
        _ => Err(DAMAGED),
    }
}
