//! The first frame of a GIF, row by row.
//!
//! The frame may be smaller than its screen, or extend beyond it. The rest of the screen is transparent, as in every
//! browser, and so are the missing rows of a file that is cut short.

use std::io::Cursor;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use image::metadata::Orientation;

use crate::geometry::Plan;
use crate::raster::{self, Decoded, Header, Raster};
use crate::shrink::{Order, Shrink};
use crate::{Error, Limits};

/// The first row of each pass of an interlaced frame, and the step between its rows (`GIF89a`, appendix E).
const PASSES: [(u32, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

/// A GIF after its header and the header of its first frame were read.
pub(crate) struct Gif<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    header: Header,
    frame: Frame,
}

/// The first frame: a rectangle of the screen, and its colours.
struct Frame {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    interlaced: bool,
    /// Red, green, blue and alpha of each index.
    colours: Vec<[u8; 4]>,
}

impl<'a> Gif<'a> {
    /// Reads the headers of `bytes` and of the first frame, and checks them against `limits`.
    pub(crate) fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, Error> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        options.allow_unknown_blocks(true);
        if let Some(most) = NonZeroU64::new(limits.max_bytes) {
            options.set_memory_limit(MemoryLimit::Bytes(most));
        }
        let mut decoder = options.read_info(Cursor::new(bytes)).map_err(translate)?;
        let size = raster::judge(decoder.width().into(), decoder.height().into(), limits)?;
        let Some(frame) = decoder.next_frame_info().map_err(translate)? else {
            return Err(Error::Broken("the GIF has no frame".into()));
        };
        let transparent = frame.transparent.map(usize::from);
        let (x, y, interlaced) = (frame.left.into(), frame.top.into(), frame.interlaced);
        let (width, height) = raster::judge(frame.width.into(), frame.height.into(), limits)?;
        let palette = decoder.palette().map_err(translate)?.as_chunks().0;
        let colours = palette.iter().enumerate().map(|(index, [red, green, blue])| {
            if Some(index) == transparent { [0; 4] } else { [*red, *green, *blue, u8::MAX] }
        });
        let frame = Frame { x, y, width, height, interlaced, colours: colours.collect() };
        let profile = decoder.icc_profile().map(<[u8]>::to_vec);
        let header = Header { size, orientation: Orientation::NoTransforms, profile };
        Ok(Self { decoder, header, frame })
    }
}

impl Raster for Gif<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(mut self, plans: &[Plan]) -> Result<Decoded, Error> {
        let frame = self.frame;
        let (width, height) = self.header.size;
        let order = if frame.interlaced { Order::Any } else { Order::Rows };
        let mut shrink = Shrink::<4>::new(plans, order);
        let mut opaque = frame.x == 0 && frame.y == 0 && frame.width >= width && frame.height >= height;
        let passes = if frame.interlaced { &PASSES[..] } else { &[(0, 1)] };
        let mut indices = vec![0; frame.width as usize];
        let mut row = vec![0; 4 * indices.len()];
        'passes: for (first, step) in passes {
            for y in (*first..frame.height).step_by(*step) {
                match self.decoder.fill_buffer(&mut indices) {
                    Ok(true) => {}
                    Ok(false) => {
                        opaque = false;
                        break 'passes;
                    }
                    Err(error) if is_end(&error) => {
                        opaque = false;
                        break 'passes;
                    }
                    Err(error) => return Err(translate(error)),
                }
                for (pixel, index) in row.as_chunks_mut::<4>().0.iter_mut().zip(&indices) {
                    // An index without a colour is transparent.
                    *pixel = frame.colours.get(usize::from(*index)).copied().unwrap_or_default();
                    opaque &= pixel[3] == u8::MAX;
                }
                shrink.add((frame.x, 1), frame.y + y, &row);
            }
        }
        Ok(Decoded { reduced: shrink.finish(), opaque, matrix: None })
    }
}

/// Whether the data ended too early; the picture is then shown up to there. An undefined code is a different error.
fn is_end(error: &DecodingError) -> bool {
    matches!(error, DecodingError::UnexpectedEof | DecodingError::EndCodeNotFound | DecodingError::Io(_))
}

fn translate(error: DecodingError) -> Error {
    match error {
        DecodingError::OutOfMemory | DecodingError::MemoryLimit => Error::TooMuchMemory,
        error => Error::Broken(Box::new(error)),
    }
}
