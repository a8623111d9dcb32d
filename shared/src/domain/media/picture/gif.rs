//! GIF: blocks and sub-blocks (`GIF89a` specification, §15 to §27).

use super::{DAMAGED, Orientation, Reader, Walk, Walked};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

/// Walks a GIF from its header to its trailer.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let mut reader = Reader(bytes);
    let mut walker = Walker { kept: Vec::with_capacity(bytes.len()), control: None, images: 0, largest: 0 };
    walker.kept.extend(reader.take(6)?);
    let screen: [u8; 7] = reader.array()?;
    let [width_0, width_1, height_0, height_1, packed, ..] = screen;
    walker.kept.extend(screen);
    walker.kept.extend(reader.take(table(packed))?);
    loop {
        match reader.byte()? {
            EXTENSION => walker.extension(&mut reader)?,
            IMAGE => walker.image(&mut reader)?,
            TRAILER if walker.images > 0 => break,
            _ => return Err(DAMAGED),
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

/// Reads sub-blocks up to the empty one and answers them as they are stored, with it.
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

struct Walker {
    kept: Vec<u8>,
    /// The graphic control that belongs to the next image or text, not written yet: it goes where that goes.
    control: Option<[u8; 8]>,
    images: u32,
    largest: u64,
}

impl Walker {
    fn extension(&mut self, reader: &mut Reader<'_>) -> Walked<()> {
        let label = reader.byte()?;
        let blocks = sub_blocks(reader)?;
        match label {
            0xf9 => {
                let Ok([4, fields @ .., 0]) = <[u8; 6]>::try_from(blocks) else { return Err(DAMAGED) };
                let [packed, delay_0, delay_1, transparent] = fields;
                self.control = Some([EXTENSION, label, 4, packed, delay_0, delay_1, transparent, 0]);
            }
            // Plain text is drawn by no browser; the control before it would otherwise reach the next image.
            0x01 => self.control = None,
            0xff => self.kept.extend(repetition(blocks).into_iter().flatten()),
            // Comments and what is unknown.
            _ => {}
        }
        Ok(())
    }

    fn image(&mut self, reader: &mut Reader<'_>) -> Walked<()> {
        let descriptor: [u8; 9] = reader.array()?;
        let [.., width_0, width_1, height_0, height_1, packed] = descriptor;
        let width = u16::from_le_bytes([width_0, width_1]);
        let height = u16::from_le_bytes([height_0, height_1]);
        let colours = reader.take(table(packed))?;
        let code_size = reader.byte()?;
        let pixels = sub_blocks(reader)?;
        if width == 0 || height == 0 || !(2..=8).contains(&code_size) || pixels.len() < 2 {
            return Err(DAMAGED);
        }
        self.largest = self.largest.max(u64::from(width) * u64::from(height));
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
