//! Pictures as containers: every byte of a file is accounted for without decoding a pixel.
//!
//! One walk over the file gives its size and orientation, refuses it when it is cut short or damaged, and rebuilds it
//! from the parts that say how the picture looks. Whatever else a file carries (where it was taken and by whom,
//! comments, thumbnails of what was cropped away, a film after the last byte) is not copied. The compressed pixels are
//! copied as they are, so nothing is lost, and a cleaned file is left as it is by a second cleaning.

mod exif;
mod gif;
mod heic;
mod jpeg;
mod png;
mod webp;

use super::sniff::{Format, Sniffed, sniff};
use crate::domain::{Error, Result};

pub use exif::Orientation;

/// What a picture's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The format.
    pub format: Format,
    /// Pixels from left to right, as stored.
    pub width: u32,
    /// Pixels from top to bottom, as stored.
    pub height: u32,
    /// How it has to be turned to be upright.
    pub orientation: Orientation,
}

/// A picture without anything but what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clean {
    /// What its header says.
    pub facts: Facts,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// Reads a whole picture of at most `max_pixels` (width times height) and leaves out its metadata. Anything that is
/// not a whole, undamaged picture of an accepted format is [`Error::UnsupportedMedia`].
pub fn clean(bytes: &[u8], max_pixels: u64) -> Result<Clean> {
    let Sniffed::Picture(format) = sniff(bytes) else {
        return Err(Error::UnsupportedMedia("not a JPEG, PNG, WebP, GIF or HEIC picture"));
    };
    let walk = match format {
        Format::Jpeg => jpeg::walk(bytes),
        Format::Png => png::walk(bytes),
        Format::WebP => webp::walk(bytes),
        Format::Gif => gif::walk(bytes),
        Format::Heic => heic::walk(bytes),
    };
    let Walk { width, height, largest_frame, orientation, clean } =
        walk.map_err(|Broken(reason)| Error::UnsupportedMedia(reason))?;
    let pixels = largest_frame.max(u64::from(width) * u64::from(height));
    if pixels == 0 {
        return Err(Error::UnsupportedMedia("the picture has no pixels"));
    }
    if pixels > max_pixels {
        return Err(Error::UnsupportedMedia("the picture has too many pixels"));
    }
    Ok(Clean { facts: Facts { format, width, height, orientation }, bytes: clean })
}

/// What a walk over a whole file gives.
struct Walk {
    width: u32,
    height: u32,
    /// Pixels of the largest frame, where frames may be larger than the picture.
    largest_frame: u64,
    orientation: Orientation,
    clean: Vec<u8>,
}

/// Why a file is not a whole picture, in words for the caller.
#[derive(Debug, PartialEq, Eq)]
struct Broken(&'static str);

type Walked<T> = std::result::Result<T, Broken>;

const CUT_SHORT: Broken = Broken("the picture is cut short");
const DAMAGED: Broken = Broken("the picture is damaged");

/// Bytes that are read from the front; reading past the end is [`CUT_SHORT`].
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Walked<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Walked<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Walked<u8> {
        self.array().map(|[byte]| byte)
    }
}

/// A length read from a file, as an index.
fn index(length: u32) -> Walked<usize> {
    usize::try_from(length).map_err(|_| CUT_SHORT)
}

#[cfg(test)]
mod tests;
