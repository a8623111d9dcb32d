//! Decodes PNG of every depth and kind, row by row.
//!
//! The `png` crate returns rows, so a picture of any size needs only the memory of its averages. Interlaced pictures
//! come in seven passes of scattered pixels, which can be averaged in any order.
//!
//! A picture that is cut short or damaged is decoded as far as possible. The rest is black, or transparent if the
//! picture has alpha, as in libvips. An interlaced picture must be complete.

mod parts;

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use image::metadata::Orientation;
use png::{ColorType, Decoder, DecodingError, Limits as DecoderLimits, Reader, Transformations};

use self::parts::{Parts, chunk};
use crate::geometry::Plan;
use crate::raster::{self, Decoded, Header, Raster};
use crate::shrink::{Order, Shrink};
use crate::{Error, Limits, exif, icc};

/// The pixels of each pass: first column and row, and the steps between them (PNG 3rd ed., 8.1).
const ADAM7: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

/// The largest damaged picture, in bytes of rows, that is decoded again to get the rows directly before the damage.
const AGAIN: u64 = 16 << 20;

/// A PNG after its header was read.
pub(crate) struct Png<'a> {
    parts: Parts<'a>,
    reader: Reader<Parts<'a>>,
    header: Header,
    limits: Limits,
    /// The number of bytes that the reader has read.
    taken: Rc<Cell<usize>>,
}

impl<'a> Png<'a> {
    /// Reads the header of `bytes` and checks it against `limits`.
    pub(crate) fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, Error> {
        let parts = Parts::of(bytes).ok_or_else(|| Error::Broken("the PNG has no pixels".into()))?;
        let taken = Rc::new(Cell::new(0));
        let reader = open(parts.reading(taken.clone(), usize::MAX), limits)?;
        let size = (reader.info().width, reader.info().height);
        let orientation = chunk(bytes, *b"eXIf").map_or(Orientation::NoTransforms, exif::orientation);
        let profile = chunk(bytes, *b"iCCP").and_then(inflate_profile);
        Ok(Self { parts, reader, header: Header { size, orientation, profile }, limits, taken })
    }

    fn shrink<const CHANNELS: usize>(mut self, plans: &[Plan]) -> Result<Decoded, Error> {
        let interlaced = self.reader.info().interlaced;
        let mut shrink = Shrink::<CHANNELS>::new(plans, if interlaced { Order::Any } else { Order::Rows });
        let mut opaque = true;
        let (width, height) = self.header.size;
        if interlaced {
            for (x, y, across, down) in ADAM7 {
                // A pass without columns has no rows either.
                for y in (y..height).step_by(down as usize).filter(|_| x < width) {
                    let row = next_row(&mut self.reader)?;
                    let row = row.ok_or_else(|| Error::Broken("the interlaced PNG is damaged".into()))?;
                    opaque = opaque && is_opaque::<CHANNELS>(row);
                    shrink.add((x, across), y, row);
                }
            }
        } else {
            let mut add = |y, row: &[u8]| {
                opaque = opaque && is_opaque::<CHANNELS>(row);
                shrink.add((0, 1), y, row);
            };
            let mut there = rows(&mut self.reader, 0..height, &mut add)?;
            let bytes = u64::from(there) * self.reader.output_line_size(width).unwrap_or_default() as u64;
            let again = (there < height && bytes <= AGAIN).then(|| self.damage()).transpose()?;
            // There may be no pixels before the damage.
            if let Some(Ok(mut reader)) = again.map(|damage| open(self.parts.ending(damage), self.limits)) {
                rows(&mut reader, 0..there, &mut |_, _| {})?;
                there = rows(&mut reader, there..height, &mut add)?;
            }
            opaque = opaque && there == height;
        }
        Ok(Decoded { reduced: shrink.finish(), opaque, matrix: None })
    }
}

/// Reads everything before the pixels.
fn open(parts: Parts<'_>, limits: Limits) -> Result<Reader<Parts<'_>>, Error> {
    let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new_with_limits(parts, DecoderLimits { bytes: most });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.ignore_checksums(true);
    let info = decoder.read_header_info().map_err(translate)?;
    let (width, _) = raster::judge(info.width, info.height, limits)?;
    let reader = decoder.read_info().map_err(translate)?;
    // `png` 0.18 panics if a palette ends inside a colour, or has more colours than an index can address.
    if reader.info().palette.as_ref().is_some_and(|palette| palette.len() % 3 != 0 || palette.len() > 3 * 256) {
        return Err(Error::Broken("the palette of the PNG is damaged".into()));
    }
    // The decoder also stores the previous row, and bytes that are not converted to rows yet.
    let row = reader.output_line_size(width).ok_or(Error::TooMuchMemory)?;
    if row.saturating_mul(4) > most {
        return Err(Error::TooMuchMemory);
    }
    Ok(reader)
}

/// Passes on the rows of this range that are available, and returns the end of these rows.
fn rows(reader: &mut Reader<Parts<'_>>, range: Range<u32>, add: &mut impl FnMut(u32, &[u8])) -> Result<u32, Error> {
    for y in range.clone() {
        match next_row(reader)? {
            Some(row) => add(y, row),
            None => return Ok(y),
        }
    }
    Ok(range.end)
}

impl Png<'_> {
    /// The number of bytes before the damage or the end of the data. The decoder holds back some thousands of bytes, to
    /// which later data may refer. It loses these at damage, but not at the end of the file.
    fn damage(&self) -> Result<usize, Error> {
        let taken = Rc::new(Cell::new(0));
        let mut reader = open(self.parts.reading(taken.clone(), self.taken.get()), self.limits)?;
        rows(&mut reader, 0..self.header.size.1, &mut |_, _| {})?;
        Ok(taken.get())
    }
}

impl Raster for Png<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(self, plans: &[Plan]) -> Result<Decoded, Error> {
        match self.reader.output_color_type().0 {
            ColorType::Grayscale => self.shrink::<1>(plans),
            ColorType::GrayscaleAlpha => self.shrink::<2>(plans),
            ColorType::Rgb => self.shrink::<3>(plans),
            ColorType::Rgba => self.shrink::<4>(plans),
            ColorType::Indexed => Err(Error::Broken("the palette of the PNG was not expanded".into())),
        }
    }
}

/// The next row; `None` where the data end or are damaged.
fn next_row<'r>(reader: &'r mut Reader<Parts<'_>>) -> Result<Option<&'r [u8]>, Error> {
    match reader.next_row() {
        Ok(row) => Ok(row.map(|row| row.data())),
        Err(DecodingError::LimitsExceeded) => Err(Error::TooMuchMemory),
        Err(_) => Ok(None),
    }
}

fn is_opaque<const CHANNELS: usize>(row: &[u8]) -> bool {
    !CHANNELS.is_multiple_of(2)
        || row.as_chunks::<CHANNELS>().0.iter().fold(u8::MAX, |all, p| all & p[CHANNELS - 1]) == u8::MAX
}

fn translate(error: DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => Error::TooMuchMemory,
        error => Error::Broken(Box::new(error)),
    }
}

/// A profile follows its name, a zero, and the number of the compression method, of which there is only zero (PNG 3rd
/// ed., 11.3.2.3).
fn inflate_profile(content: &[u8]) -> Option<Vec<u8>> {
    let name = content.iter().take(80).position(|byte| *byte == 0)?;
    let [0, deflated @ ..] = content.get(name + 1..)? else { return None };
    fdeflate::decompress_to_vec_bounded(deflated, icc::MAX_PROFILE).ok()
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use super::*;

    fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        // The checksum is not checked.
        [&length[..], &name, content, &[0; 4]].concat()
    }

    #[test]
    fn damage_behind_20_mb_that_say_nothing_is_found_in_few_steps() {
        const GOOD: u32 = 40;
        // A grey picture with forty rows, each a stored block. Empty blocks follow, and then a block of an invalid
        // kind.
        let header = [&[0, 0, 0, 100, 0, 0, 0, 100][..], &[8, 0, 0, 0, 0]].concat();
        let row = [&[0, 101, 0, !101, 0xff, 0][..], &[200; 100]].concat();
        let good = [&[0x78, 0x01][..], &row.repeat(GOOD as usize)].concat();
        let pixels = [&good[..], &[0, 0, 0, 0xff, 0xff].repeat(4 << 20), &[0xff; 100]].concat();
        let file = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(*b"IHDR", &header), &chunk(*b"IDAT", &pixels)].concat();

        let mut png = Png::open(&file, Limits::default()).unwrap();
        let there = rows(&mut png.reader, 0..100, &mut |_, _| {}).unwrap();
        assert!(there < GOOD && png.taken.get() < 10_000, "{there} rows in {} bytes", png.taken.get());
        // All empty blocks are read in small pieces.
        let (mut parts, mut steps) = (png.parts.reading(Rc::default(), png.taken.get()), 0);
        loop {
            let length = parts.fill_buf().unwrap().len();
            if length == 0 {
                break;
            }
            parts.consume(length);
            steps += 1;
        }
        assert!(steps < 100_000, "{steps}");
        let damage = png.damage().unwrap();
        assert!((file.len() - 8192..file.len()).contains(&damage), "{damage} of {}", file.len());
        let mut reader = open(png.parts.ending(damage), png.limits).unwrap();
        assert_eq!(rows(&mut reader, 0..100, &mut |_, row| assert_eq!(row, [200; 100])).unwrap(), GOOD);
    }
}
