//! Reads the containers of pictures. Every byte of a file is accounted for without decoding a pixel.
//!
//! A single walk over the file finds its size and orientation, refuses the file if it is cut short or damaged, and
//! rebuilds it from the parts that determine how the picture looks. Everything else in the file (where and by whom it
//! was taken, comments, thumbnails of the uncropped picture, a film after the last byte) is not copied. The compressed
//! pixels are copied unchanged, so there is no loss of quality. Cleaning a cleaned file again changes nothing.

mod gif;
mod heic;
mod jpeg;
mod lzw;
mod png;
mod webp;

pub use crate::exif::Orientation;
pub use crate::reader::Broken;
pub(crate) use crate::reader::{CUT_SHORT, DAMAGED, Walked};
use crate::reader::{Reader, index};
use crate::sniff::{Format, NOT_A_PICTURE, Sniffed, sniff};

/// The contents of a picture's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The format.
    pub format: Format,
    /// Pixels from left to right, as stored.
    pub width: u32,
    /// Pixels from top to bottom, as stored.
    pub height: u32,
    /// How to turn the picture so that it is upright.
    pub orientation: Orientation,
}

/// A picture that contains only what is needed to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clean {
    /// The contents of its header.
    pub facts: Facts,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// Reads a whole picture of at most `max_pixels` (width times height) and removes its metadata. Anything else than a
/// whole, undamaged picture of an accepted format is [`Broken`].
pub fn clean(bytes: &[u8], max_pixels: u64) -> Result<Clean, Broken> {
    let Sniffed::Picture(format) = sniff(bytes) else {
        return Err(Broken(NOT_A_PICTURE));
    };
    let walk = match format {
        Format::Jpeg => jpeg::walk(bytes, max_pixels),
        Format::Png => png::walk(bytes),
        Format::WebP => webp::walk(bytes),
        Format::Gif => gif::walk(bytes),
        Format::Heic => heic::walk(bytes),
    };
    let Walk { width, height, largest_frame, orientation, clean } = walk?;
    let pixels = largest_frame.max(u64::from(width) * u64::from(height));
    let refused = if pixels == 0 { Some(NO_PIXELS) } else { (pixels > max_pixels).then_some(TOO_MANY_PIXELS) };
    if let Some(refused) = refused {
        return Err(refused);
    }
    Ok(Clean { facts: Facts { format, width, height, orientation }, bytes: clean })
}

/// The result of a walk over a whole file.
struct Walk {
    width: u32,
    height: u32,
    /// Pixels of the largest frame, because frames may be larger than the picture.
    largest_frame: u64,
    orientation: Orientation,
    clean: Vec<u8>,
}

const NO_PIXELS: Broken = Broken("the picture has no pixels");
const TOO_MANY_PIXELS: Broken = Broken("the picture has too many pixels");

#[cfg(test)]
mod tests;
