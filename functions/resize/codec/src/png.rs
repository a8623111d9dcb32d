//! PNG of every depth and kind, row by row.
//!
//! The `png` crate hands out rows, so a picture of any size takes the memory of its averages. Interlaced pictures come
//! in seven passes of scattered pixels, which the averages take in any order.

use std::io::Cursor;

use image::metadata::Orientation;
use png::{ColorType, Decoder, DecodingError, Limits as DecoderLimits, Reader, Transformations};

use crate::geometry::Plan;
use crate::raster::{self, Decoded, Header, Raster};
use crate::shrink::{Order, Shrink};
use crate::{Error, Limits, exif, icc};

/// Where the pixels of each pass lie: first column and row, and the steps between them (PNG 3rd ed., 8.1).
const ADAM7: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

/// Bytes of the signature that every PNG begins with.
const SIGNATURE: usize = 8;

/// A PNG whose header has been read.
pub(crate) struct Png<'a> {
    reader: Reader<Cursor<&'a [u8]>>,
    header: Header,
}

impl<'a> Png<'a> {
    /// Reads the header of `bytes` and judges it by `limits`.
    pub(crate) fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, Error> {
        let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), DecoderLimits { bytes: most });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        decoder.set_ignore_text_chunk(true);
        // Profiles are inflated below instead, with a limit of their own.
        decoder.set_ignore_iccp_chunk(true);
        let info = decoder.read_header_info().map_err(translate)?;
        let size = raster::judge(info.width, info.height, limits)?;
        let reader = decoder.read_info().map_err(translate)?;
        // `png` 0.18 panics on a palette that ends within a colour, or has more than an index can name.
        if reader.info().palette.as_ref().is_some_and(|palette| palette.len() % 3 != 0 || palette.len() > 3 * 256) {
            return Err(Error::Broken("the palette of the PNG is damaged".into()));
        }
        // Besides the row itself the decoder holds the one before, and bytes not yet made into rows.
        let row = reader.output_line_size(size.0).ok_or(Error::TooMuchMemory)?;
        if row.saturating_mul(4) > most {
            return Err(Error::TooMuchMemory);
        }
        let orientation = chunk(bytes, *b"eXIf").map_or(Orientation::NoTransforms, exif::orientation);
        let profile = chunk(bytes, *b"iCCP").and_then(inflate_profile);
        Ok(Self { reader, header: Header { size, orientation, profile } })
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
                    opaque = opaque && is_opaque::<CHANNELS>(row);
                    shrink.add((x, across), y, row);
                }
            }
        } else {
            for y in 0..height {
                let row = next_row(&mut self.reader)?;
                opaque = opaque && is_opaque::<CHANNELS>(row);
                shrink.add((0, 1), y, row);
            }
        }
        Ok(Decoded { reduced: shrink.finish(), opaque, matrix: None })
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

fn next_row<'r>(reader: &'r mut Reader<Cursor<&[u8]>>) -> Result<&'r [u8], Error> {
    match reader.next_row().map_err(translate)? {
        Some(row) => Ok(row.data()),
        None => Err(Error::Broken("the PNG has fewer rows than it says".into())),
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

/// The content of the first chunk of a name, wherever it stands: Exif may come after the pixels.
fn chunk(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut rest = bytes.get(SIGNATURE..)?;
    loop {
        let (length, after) = rest.split_first_chunk()?;
        let (found, after) = after.split_first_chunk::<4>()?;
        let (content, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        if *found == name {
            return Some(content);
        }
        // Each chunk ends with a checksum of four bytes.
        rest = after.get(4..)?;
    }
}

/// A profile follows its name, a zero, and the number of the compression method, of which there is only zero (PNG 3rd
/// ed., 11.3.2.3).
fn inflate_profile(content: &[u8]) -> Option<Vec<u8>> {
    let name = content.iter().take(80).position(|byte| *byte == 0)?;
    let [0, deflated @ ..] = content.get(name + 1..)? else { return None };
    fdeflate::decompress_to_vec_bounded(deflated, icc::MAX_PROFILE).ok()
}
