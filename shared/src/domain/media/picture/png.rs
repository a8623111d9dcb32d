//! PNG: chunks (W3C PNG third edition, §5 and §11).

use super::{Broken, CUT_SHORT, DAMAGED, Orientation, Reader, Walk, Walked, index};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// What is part of how a picture looks and moves. Other chunks say something about it.
const KEPT: [&[u8; 4]; 13] = [
    b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fdAT",
];

/// Walks a PNG from its first to its last chunk.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let mut reader = Reader(bytes);
    if reader.array()? != SIGNATURE {
        return Err(DAMAGED);
    }
    let first = chunk(&mut reader)?;
    let header = Header::read(first)?;
    let mut walker =
        Walker { header, last: *b"IHDR", palette: false, pixels: false, orientation: None, kept: Vec::new() };
    loop {
        let chunk = chunk(&mut reader)?;
        if &chunk.kind == b"IEND" {
            return walker.finish(first, chunk);
        }
        walker.chunk(chunk)?;
    }
}

/// A chunk, whole but not judged.
#[derive(Clone, Copy)]
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// The kind and the data, which the checksum is of.
    summed: &'a [u8],
    sum: u32,
}

impl Chunk<'_> {
    fn whole(&self) -> bool {
        crc32fast::hash(self.summed) == self.sum
    }
}

fn chunk<'a>(reader: &mut Reader<'a>) -> Walked<Chunk<'a>> {
    let length = index(u32::from_be_bytes(reader.array()?))?;
    let summed = reader.take(length.checked_add(4).ok_or(CUT_SHORT)?)?;
    let sum = u32::from_be_bytes(reader.array()?);
    let (kind, data) = summed.split_first_chunk().ok_or(CUT_SHORT)?;
    if !kind.iter().all(u8::is_ascii_alphabetic) {
        return Err(DAMAGED);
    }
    Ok(Chunk { kind: *kind, data, summed, sum })
}

fn write(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> Walked<()> {
    let length = u32::try_from(data.len()).map_err(|_| DAMAGED)?;
    out.extend(length.to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend(data);
    let sum = crc32fast::hash(&out[start..]);
    out.extend(sum.to_be_bytes());
    Ok(())
}

struct Header {
    width: u32,
    height: u32,
    needs_palette: bool,
}

impl Header {
    /// Reads IHDR and refuses what the standard does not know (table 12).
    fn read(chunk: Chunk<'_>) -> Walked<Self> {
        let Ok([w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, compression, filter, interlace]) =
            <[u8; 13]>::try_from(chunk.data)
        else {
            return Err(DAMAGED);
        };
        let known = match colour {
            0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
            3 => matches!(depth, 1 | 2 | 4 | 8),
            2 | 4 | 6 => matches!(depth, 8 | 16),
            _ => false,
        };
        if &chunk.kind != b"IHDR" || !chunk.whole() || !known || (compression, filter) != (0, 0) || interlace > 1 {
            return Err(DAMAGED);
        }
        let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
        Ok(Self { width, height, needs_palette: colour == 3 })
    }

    /// Whether the frame of an animation lies within the picture (§11.3.6.2).
    fn holds(&self, control: &[u8]) -> bool {
        let Ok(control) = <[u8; 26]>::try_from(control) else { return false };
        let field = |at: usize| {
            let [a, b, c, d] = [control[at], control[at + 1], control[at + 2], control[at + 3]];
            u64::from(u32::from_be_bytes([a, b, c, d]))
        };
        let (width, height) = (field(4), field(8));
        let within = field(12) + width <= self.width.into() && field(16) + height <= self.height.into();
        within && width > 0 && height > 0
    }
}

struct Walker {
    header: Header,
    /// The kind of the chunk before this one.
    last: [u8; 4],
    palette: bool,
    pixels: bool,
    orientation: Option<Orientation>,
    kept: Vec<u8>,
}

impl Walker {
    fn chunk(&mut self, chunk: Chunk<'_>) -> Walked<()> {
        let last = std::mem::replace(&mut self.last, chunk.kind);
        // The fifth bit of the first letter: without this chunk the picture cannot be shown (§5.4).
        let critical = chunk.kind[0].is_ascii_uppercase();
        match &chunk.kind {
            b"IDAT" if self.pixels && last != *b"IDAT" => return Err(DAMAGED),
            b"IDAT" => self.pixels = true,
            b"PLTE"
                if self.palette
                    || self.pixels
                    || chunk.data.is_empty()
                    || chunk.data.len() > 768
                    || !chunk.data.len().is_multiple_of(3) =>
            {
                return Err(DAMAGED);
            }
            b"PLTE" => self.palette = true,
            b"eXIf" => {
                self.orientation = self.orientation.or_else(|| Orientation::of_tiff(chunk.data));
                return Ok(());
            }
            b"fcTL" if !self.header.holds(chunk.data) => return Err(DAMAGED),
            b"fcTL" => {}
            _ if critical => return Err(Broken("the PNG needs something that is not in the standard")),
            kind if KEPT.contains(&kind) => {}
            _ => return Ok(()),
        }
        if !chunk.whole() {
            return Err(DAMAGED);
        }
        write(&mut self.kept, chunk.kind, chunk.data)
    }

    fn finish(self, first: Chunk<'_>, last: Chunk<'_>) -> Walked<Walk> {
        if !last.data.is_empty() || !last.whole() || !self.pixels || (self.header.needs_palette && !self.palette) {
            return Err(DAMAGED);
        }
        let orientation = self.orientation.unwrap_or(Orientation::UPRIGHT);
        let mut clean = SIGNATURE.to_vec();
        write(&mut clean, first.kind, first.data)?;
        if orientation != Orientation::UPRIGHT {
            write(&mut clean, *b"eXIf", &orientation.tiff())?;
        }
        clean.extend(self.kept);
        write(&mut clean, last.kind, &[])?;
        let Header { width, height, .. } = self.header;
        Ok(Walk { width, height, largest_frame: 0, orientation, clean })
    }
}
