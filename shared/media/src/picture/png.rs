//! PNG: chunks (W3C PNG third edition, §5 and §11).
//!
//! Everything that libvips shows is kept and repaired. The chunks up to the first pixels must be in order; after them,
//! the file may end or continue in any way. A wrong checksum is corrected if the pixels need the chunk; otherwise the
//! chunk is left out, because libpng ignores it too. If the pixel data are incomplete, they end where another chunk
//! begins inside them: their length may be wrong, and the supposed pixels may contain the place where the picture was
//! taken.

use super::{Broken, CUT_SHORT, DAMAGED, Orientation, Reader, Walk, Walked, index};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The chunks that affect the look of a picture. Other chunks are metadata.
const KEPT: [&[u8; 4]; 11] =
    [b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"pHYs"];

/// Chunks that are recognised within pixels by their name alone, because they may be damaged or cut short too: the
/// chunks with persons, places and times, and the end chunk, after which anything may follow.
const NAMED: [&[u8; 4]; 6] = [b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"IEND"];

/// The length in bytes that no chunk exceeds (§5.3).
const LONGEST: usize = 0x7fff_ffff;

/// Bytes of the longest chunk that is recognised within pixels by its checksum. Among 20 MB of pixels some twenty places
/// look by chance like the beginning of one, and each of them costs a checksum.
const SUMMED: usize = 4 << 20;

/// The most bytes that are summed up in search of such chunks, as a multiple of the file's length.
const SUMS: usize = 16;

/// Walks a PNG from its first chunk to its last, or to where no chunk follows.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let mut reader = Reader(bytes);
    if reader.array()? != SIGNATURE {
        return Err(DAMAGED);
    }
    let mut sums = SUMS * bytes.len();
    let first = chunk(&mut reader, &mut sums)?;
    let mut walker = Walker::new(Header::read(first)?);
    while walker.pixels.is_empty() {
        walker.before(chunk(&mut reader, &mut sums)?)?;
    }
    loop {
        match chunk(&mut reader, &mut sums) {
            Ok(chunk) if &chunk.kind == b"IEND" => break,
            Ok(chunk) => walker.behind(chunk)?,
            Err(_) => {
                walker.moves = false;
                break;
            }
        }
    }
    walker.finish(first)
}

/// A chunk. A chunk of pixels may be cut short by the end of the file.
#[derive(Clone, Copy)]
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// Whether its checksum is right.
    whole: bool,
    /// Whether the file ends before its checksum does.
    cut: bool,
}

/// Reads a chunk; `sums` is the number of bytes that may still be summed up in search of other chunks inside it.
fn chunk<'a>(reader: &mut Reader<'a>, sums: &mut usize) -> Walked<Chunk<'a>> {
    let (length, kind) = start(reader)?;
    let file = reader.0;
    let mut chunk = match reader.take(length) {
        Err(_) if &kind == b"IDAT" => Chunk { kind, data: std::mem::take(&mut reader.0), whole: false, cut: true },
        data => {
            let (data, sum) = (data?, reader.array().ok());
            Chunk { kind, data, whole: Some(checksum(kind, data)) == sum.map(u32::from_be_bytes), cut: sum.is_none() }
        }
    };
    if &kind == b"IDAT" && !chunk.whole {
        chunk.data = before_a_chunk(chunk.data, file, sums);
    }
    Ok(chunk)
}

/// The length and the kind with which a chunk starts.
fn start(reader: &mut Reader<'_>) -> Walked<(usize, [u8; 4])> {
    let (length, kind) = (reader.array()?, reader.array()?);
    // Four letters, of which the third is a capital (§5.4).
    if !kind.iter().all(u8::is_ascii_alphabetic) || kind[2].is_ascii_lowercase() {
        return Err(DAMAGED);
    }
    Ok((index(u32::from_be_bytes(length))?, kind))
}

fn checksum(kind: [u8; 4], data: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&kind);
    sum.update(data);
    sum.finalize()
}

/// The supposed pixel data up to the place where another chunk begins inside them. That chunk may end after them in the
/// `file`, which starts at the same place.
fn before_a_chunk<'a>(pixels: &'a [u8], file: &[u8], sums: &mut usize) -> &'a [u8] {
    let mut begins = |at: usize| -> Walked<bool> {
        let mut reader = Reader(&file[at..]);
        let (length, kind) = start(&mut reader)?;
        if NAMED.contains(&&kind) {
            return Ok(length <= LONGEST);
        }
        if length > SUMMED {
            return Ok(false);
        }
        let (data, sum) = (reader.take(length)?, reader.array()?);
        let Some(left) = sums.checked_sub(length) else {
            // Pixels do not look like so many chunks. The content is unknown, so none of it is kept.
            return Ok(true);
        };
        *sums = left;
        Ok(checksum(kind, data) == u32::from_be_bytes(sum))
    };
    let at = pixels.windows(8).enumerate().position(|(at, window)| {
        // Most places are skipped after a single comparison.
        window[6].is_ascii_uppercase() && begins(at) == Ok(true)
    });
    at.map_or(pixels, |at| &pixels[..at])
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
    colour: u8,
    interlaced: bool,
}

/// The kind of picture whose samples are indices of a palette (table 12).
const INDEXED: u8 = 3;

impl Header {
    /// Reads IHDR and refuses values that the standard does not define (table 12).
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
        if &chunk.kind != b"IHDR" || !known || (compression, filter) != (0, 0) || interlace > 1 {
            return Err(DAMAGED);
        }
        let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
        Ok(Self { width, height, colour, interlaced: interlace == 1 })
    }

    /// Whether the picture can use this palette.
    fn takes_palette(&self, data: &[u8]) -> bool {
        matches!(self.colour, 2 | INDEXED | 6) && data.len().is_multiple_of(3) && (1..=256).contains(&(data.len() / 3))
    }

    /// Whether this transparency chunk is valid (§11.3.1.1) with a palette of so many colours.
    fn takes_transparency(&self, data: &[u8], colours: usize) -> bool {
        match self.colour {
            0 => data.len() == 2,
            2 => data.len() == 6,
            INDEXED => (1..=colours).contains(&data.len()),
            _ => false,
        }
    }

    /// Whether the frame of an animation is inside the picture (§11.3.6.2).
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
    /// How many colours the palette has.
    colours: usize,
    /// The kinds of chunks that are kept once.
    known: Vec<[u8; 4]>,
    orientation: Option<Orientation>,
    /// Whether the animation, if there is one, is complete.
    moves: bool,
    /// The number of frames and of repetitions.
    animation: Option<Vec<u8>>,
    /// The chunks before the pixels that are kept.
    before: Vec<u8>,
    /// The chunks of the pixels, and whether the last chunk belonged to them.
    pixels: Vec<u8>,
    in_pixels: bool,
    /// The frames of the animation, each as a chunk.
    control: Vec<u8>,
    frames: Vec<u8>,
}

impl Walker {
    fn new(header: Header) -> Self {
        Self {
            header,
            colours: 0,
            known: Vec::new(),
            orientation: None,
            moves: true,
            animation: None,
            before: Vec::new(),
            pixels: Vec::new(),
            in_pixels: true,
            control: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Handles a chunk before the pixels, or the first chunk of the pixels.
    fn before(&mut self, chunk: Chunk<'_>) -> Walked<()> {
        let indexed = self.header.colour == INDEXED;
        match &chunk.kind {
            b"IDAT" if indexed && self.colours == 0 => return Err(DAMAGED),
            b"IDAT" => return self.pixels(chunk),
            b"IEND" => return Err(CUT_SHORT),
            b"PLTE" if self.header.takes_palette(chunk.data) && self.colours == 0 => {
                self.colours = chunk.data.len() / 3;
                return write(&mut self.before, chunk.kind, chunk.data);
            }
            b"PLTE" if indexed => return Err(DAMAGED),
            b"PLTE" => {}
            b"acTL" if chunk.whole && self.animation.is_none() => self.animation = Some(chunk.data.to_vec()),
            b"fcTL" => return self.control(chunk),
            kind if is_critical(*kind) => return Err(Broken("the PNG needs something that is not in the standard")),
            b"tRNS" if !self.header.takes_transparency(chunk.data, self.colours) => {}
            kind if KEPT.contains(&kind) && (chunk.whole || kind == b"tRNS") && !self.known.contains(kind) => {
                self.known.push(*kind);
                return write(&mut self.before, chunk.kind, chunk.data);
            }
            _ => self.aside(chunk),
        }
        Ok(())
    }

    /// Handles a chunk after the first chunk of the pixels.
    fn behind(&mut self, chunk: Chunk<'_>) -> Walked<()> {
        match &chunk.kind {
            b"IDAT" if self.in_pixels => return self.pixels(chunk),
            b"fcTL" => {
                self.in_pixels = false;
                return self.control(chunk);
            }
            b"fdAT" => {
                self.moves &= chunk.whole && chunk.data.len() > 4;
                self.in_pixels = false;
                return write(&mut self.frames, chunk.kind, chunk.data);
            }
            // No reader reads pixels after an interruption, and other chunks that they need would be too late.
            _ => self.aside(chunk),
        }
        self.in_pixels = false;
        Ok(())
    }

    fn pixels(&mut self, chunk: Chunk<'_>) -> Walked<()> {
        // A part of interlaced pixels does not show any complete area.
        if chunk.cut && self.header.interlaced {
            return Err(CUT_SHORT);
        }
        write(&mut self.pixels, chunk.kind, chunk.data)
    }

    /// The position of a frame. Damage does not produce a frame outside the picture, so such a file is refused.
    fn control(&mut self, chunk: Chunk<'_>) -> Walked<()> {
        self.moves &= chunk.whole;
        if chunk.whole && !self.header.holds(chunk.data) {
            return Err(DAMAGED);
        }
        let to = if self.pixels.is_empty() { &mut self.control } else { &mut self.frames };
        write(to, chunk.kind, chunk.data)
    }

    /// Handles a chunk that is not kept.
    fn aside(&mut self, chunk: Chunk<'_>) {
        if &chunk.kind == b"eXIf" && chunk.whole {
            self.orientation = self.orientation.or_else(|| Orientation::of_tiff(chunk.data));
        }
    }

    fn finish(self, first: Chunk<'_>) -> Walked<Walk> {
        let orientation = self.orientation.unwrap_or(Orientation::UPRIGHT);
        let mut clean = SIGNATURE.to_vec();
        write(&mut clean, first.kind, first.data)?;
        if orientation != Orientation::UPRIGHT {
            write(&mut clean, *b"eXIf", &orientation.tiff())?;
        }
        clean.extend(self.before);
        // If the animation is damaged, only the still picture is kept.
        let animation = self.animation.filter(|animation| self.moves && animation.len() == 8);
        if let Some(animation) = &animation {
            write(&mut clean, *b"acTL", animation)?;
            clean.extend(&self.control);
        }
        clean.extend(self.pixels);
        if animation.is_some() {
            clean.extend(&self.frames);
        }
        write(&mut clean, *b"IEND", &[])?;
        let Header { width, height, .. } = self.header;
        Ok(Walk { width, height, largest_frame: 0, orientation, clean })
    }
}

/// The fifth bit of the first letter: without this chunk the picture cannot be shown (§5.4).
fn is_critical(kind: [u8; 4]) -> bool {
    kind[0].is_ascii_uppercase()
}
