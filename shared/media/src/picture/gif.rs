//! GIF: blocks and sub-blocks (`GIF89a` specification, §15 to §27).
//!
//! Everything that libvips shows is kept and repaired: zeros between blocks are left out, and a file that ends early,
//! or continues with other data, gets a trailer. Only the codes that a frame needs are kept: if its end is damaged, it
//! continues into the bytes after it, which may contain anything.

use super::lzw;
use super::{DAMAGED, Orientation, Reader, Walk, Walked};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

/// The positions of the screen's packed field, and of its colours.
const PACKED: usize = 10;
const SCREEN_END: usize = 13;

/// The colours that readers use for a file without a colour table: black and white.
const NO_COLOURS: [u8; 6] = [0, 0, 0, 255, 255, 255];

/// Walks a GIF from its header to its trailer, or to where no block follows.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let mut reader = Reader(bytes);
    let mut walker = Walker { kept: Vec::with_capacity(bytes.len()), control: None, images: 0, largest: 0 };
    walker.kept.extend(reader.take(6)?);
    let screen: [u8; 7] = reader.array()?;
    let [width_0, width_1, height_0, height_1, packed, ..] = screen;
    walker.kept.extend(screen);
    walker.kept.extend(reader.take(table(packed))?);
    loop {
        match walker.block(&mut reader) {
            Ok(true) => {}
            Ok(false) => break,
            // The picture is complete, and the bytes after it are not a block.
            Err(_) if walker.images > 0 => break,
            Err(broken) => return Err(broken),
        }
    }
    walker.kept.push(TRAILER);
    Ok(Walk {
        width: u16::from_le_bytes([width_0, width_1]).into(),
        height: u16::from_le_bytes([height_0, height_1]).into(),
        largest_frame: walker.largest,
        orientation: Orientation::UPRIGHT,
        clean: walker.kept,
    })
}

/// The length in bytes of the colour table that a packed field announces.
fn table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// Reads sub-blocks up to and including the empty one, and returns them as they are stored.
fn sub_blocks<'a>(reader: &mut Reader<'a>) -> Walked<&'a [u8]> {
    let start = reader.0;
    loop {
        let length = reader.byte()?;
        reader.take(length.into())?;
        if length == 0 {
            return Ok(&start[..start.len() - reader.0.len()]);
        }
    }
}

/// Reads sub-blocks up to the end of the file, and returns them closed: with and without the last one, which is cut
/// short.
fn cut_sub_blocks(reader: Reader<'_>) -> [Vec<u8>; 2] {
    let mut rest = reader;
    let mut whole = 0;
    while let Ok(length) = rest.byte() {
        if rest.take(length.into()).is_err() {
            break;
        }
        whole = reader.0.len() - rest.0.len();
    }
    let (whole, last) = reader.0.split_at(whole);
    let last = last.get(1..).unwrap_or_default();
    let length = u8::try_from(last.len()).ok().filter(|length| *length > 0);
    let with = [whole, length.as_slice(), last, &[0]].concat();
    [with, [whole, &[0]].concat()]
}

struct Walker {
    kept: Vec<u8>,
    /// The graphic control of the next image or text. It is written together with that block.
    control: Option<[u8; 8]>,
    images: u32,
    largest: u64,
}

impl Walker {
    /// Reads a block; returns whether another may follow.
    fn block(&mut self, reader: &mut Reader<'_>) -> Walked<bool> {
        match reader.byte()? {
            EXTENSION => self.extension(reader)?,
            IMAGE => self.image(reader)?,
            TRAILER if self.images > 0 => return Ok(false),
            // Some programs pad files with zeros.
            0 => {}
            _ => return Err(DAMAGED),
        }
        Ok(true)
    }

    fn extension(&mut self, reader: &mut Reader<'_>) -> Walked<()> {
        let label = reader.byte()?;
        let blocks = sub_blocks(reader)?;
        match label {
            0xf9 => {
                self.control = match <[u8; 6]>::try_from(blocks) {
                    Ok([4, packed, delay_0, delay_1, transparent, 0]) => {
                        Some([EXTENSION, label, 4, packed, delay_0, delay_1, transparent, 0])
                    }
                    _ => None,
                };
            }
            // No browser draws plain text. Without this, the control before it would apply to the next image.
            0x01 => self.control = None,
            0xff => self.kept.extend(repetition(blocks).into_iter().flatten()),
            // Comments and unknown extensions.
            _ => {}
        }
        Ok(())
    }

    /// Reads a frame. If an animation is cut short, its complete frames are kept, and at least the first one.
    fn image(&mut self, reader: &mut Reader<'_>) -> Walked<()> {
        let descriptor: [u8; 9] = reader.array()?;
        let [.., width_0, width_1, height_0, height_1, packed] = descriptor;
        let width = u16::from_le_bytes([width_0, width_1]);
        let height = u16::from_le_bytes([height_0, height_1]);
        let colours = reader.take(table(packed))?;
        let code_size = reader.byte()?;
        if width == 0 || height == 0 || !(1..=11).contains(&code_size) {
            return Err(DAMAGED);
        }
        let area = u64::from(width) * u64::from(height);
        let cut = *reader;
        let pixels = match sub_blocks(reader) {
            // Damage in the codes of a later frame does not affect the first one, so such a frame stays unchanged.
            Ok(pixels) => lzw::trimmed(pixels, code_size, area).or_else(|| (self.images > 0).then(|| pixels.to_vec())),
            Err(_) if self.images == 0 && cut.0.len() > 1 => {
                // The whole rest of the file belongs to this frame, so no other block follows.
                *reader = Reader(&[]);
                cut_sub_blocks(cut).into_iter().find_map(|pixels| lzw::trimmed(&pixels, code_size, area))
            }
            Err(broken) => return Err(broken),
        };
        let pixels = pixels.ok_or(DAMAGED)?;
        if self.images == 0 && table(self.kept[PACKED]) == 0 && colours.is_empty() {
            self.kept[PACKED] = self.kept[PACKED] & 0x70 | 0x80;
            self.kept.splice(SCREEN_END..SCREEN_END, NO_COLOURS);
        }
        self.largest = self.largest.max(area);
        self.images += 1;
        self.kept.extend(self.control.take().into_iter().flatten());
        self.kept.push(IMAGE);
        self.kept.extend(descriptor);
        self.kept.extend(colours);
        self.kept.push(code_size);
        self.kept.extend(pixels);
        Ok(())
    }
}

/// The application extension that says how often an animation repeats, without anything that was hidden behind it.
fn repetition(blocks: &[u8]) -> Option<[u8; 19]> {
    let (application, data) = blocks.strip_prefix(&[11])?.split_first_chunk::<11>()?;
    let loops = matches!(application, b"NETSCAPE2.0" | b"ANIMEXTS1.0");
    let [3, 1, low, high, ..] = *data else { return None };
    loops.then(|| {
        let mut block = [0; 19];
        block[..3].copy_from_slice(&[EXTENSION, 0xff, 11]);
        block[3..14].copy_from_slice(application);
        block[14..].copy_from_slice(&[3, 1, low, high, 0]);
        block
    })
}
