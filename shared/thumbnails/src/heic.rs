//! HEIC, the photo format of phones: one picture coded with HEVC, or a grid of them.
//!
//! The tiles of a grid are decoded two at a time and immediately averaged, as luma and colour differences, so a picture
//! of any size takes the memory of two tiles. The container says how to rotate the picture. The Exif block repeats this
//! and must be ignored (ISO/IEC 23008-12, 6.5.10). Alpha and depth maps are ignored too.

mod container;
mod single;
mod stated;
mod upright;

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use container::{Coded, Colours, Grid, Picture};
use heic_decoder::{DecodedImage, HeifError};
use media_formats::heic::{Part, Parts};
use media_formats::reader::Reader;
use stated::{Stated, stated};

use crate::geometry::Plan;
use crate::raster::{self, Decoded, Header, Raster};
use crate::shrink::{Order, Shrink};
use crate::ycbcr::Matrix;
use crate::{Error, Limits, icc};

/// Brands of files with a picture coded with HEVC (ISO/IEC 23008-12, annex B.4).
const BRANDS: [[u8; 4]; 4] = [*b"heic", *b"heix", *b"heim", *b"heis"];

/// The most brands of a file that are checked.
const MAX_BRANDS: usize = 32;

/// Decoding time on one core of a server, in nanoseconds: for a pixel of a tile, and for a byte of its code. The
/// measured pictures had from a seventh of a byte per pixel, as phones write, to more than one; none took longer.
const TIME: (u64, u64) = (25, 85);

/// The longest estimated decoding time in nanoseconds. It allows 8 MB of code for a photo of 48 million pixels, and 18
/// MB for one of 12 million.
const MOST_TIME: u64 = 1_900_000_000;

/// The most tiles decoded at the same time.
const THREADS: usize = 2;

/// The colours of a file that does not describe them (ISO/IEC 23000-22, 7.3.6.4).
const UNSAID: Colours = Colours { primaries: 1, transfer: 13, matrix: 5, full_range: true };

/// Whether `bytes` starts like a HEIC.
pub(crate) fn is_heic(bytes: &[u8]) -> bool {
    let Some(Part { kind, data }) = Parts(Reader(bytes)).next() else { return false };
    let brands = data.as_chunks::<4>().0.iter().take(MAX_BRANDS);
    // The second field is the version of the first brand.
    &kind == b"ftyp" && brands.enumerate().any(|(place, brand)| place != 1 && BRANDS.contains(brand))
}

/// A HEIC with a parsed container.
pub(crate) struct Heic<'a> {
    picture: Picture<'a>,
    grid: Grid,
    /// Properties of the first tile, which all tiles must have.
    tile: Stated,
    /// The visible part.
    window: upright::Window,
    header: Header,
}

impl<'a> Heic<'a> {
    /// Parses the container of `bytes`, and checks the picture and its tiles against `limits`.
    pub(crate) fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, Error> {
        let picture = container::picture(bytes).ok_or_else(|| broken("the HEIC has no picture that could be shown"))?;
        let first = picture.tiles.first().ok_or_else(|| broken("the HEIC has no tile"))?;
        let tile = judged(first, limits)?;
        let grid = picture.grid.unwrap_or(Grid { rows: 1, columns: 1, size: tile.shown });
        raster::judge(grid.size.0, grid.size.1, limits)?;
        // Tiles start inside the picture and reach its end, so their number is limited by the number of pixels.
        for (size, tile, count) in [(grid.size.0, tile.shown.0, grid.columns), (grid.size.1, tile.shown.1, grid.rows)] {
            let (begins, ends) = (tile.saturating_mul(count - 1), tile.saturating_mul(count));
            if begins >= size || ends < size {
                return Err(broken("the tiles of the HEIC do not make its picture"));
            }
        }
        let tiles = u64::from(grid.columns) * u64::from(grid.rows);
        let code = picture.tiles.iter().flat_map(|tile| &tile.data).map(|piece| piece.len() as u64).sum();
        if time(pixels(tile.coded) * tiles, code) > MOST_TIME {
            return Err(Error::Unsupported("a HEIC with so much code"));
        }
        let (window, orientation) = upright::upright(grid.size, &picture.changes)
            .ok_or_else(|| broken("the crop of the HEIC is impossible"))?;
        let profile = picture.profile.filter(|profile| profile.len() <= icc::MAX_PROFILE).map(<[u8]>::to_vec);
        let profile = profile.or_else(|| {
            let colours = picture.colours?;
            icc::numbered(colours.primaries, colours.transfer)
        });
        let header = Header { size: (window.width, window.height), orientation, profile };
        Ok(Self { picture, grid, tile, window, header })
    }
}

impl Raster for Heic<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(self, plans: &[Plan]) -> Result<Decoded, Error> {
        let next = AtomicUsize::new(0);
        let work = Mutex::new(Work { shrink: Shrink::new(plans, Order::Any), colours: self.picture.colours });
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let decode_some = || self.decode_some(&next, &work);
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads.min(self.picture.tiles.len())).map(|_| scope.spawn(decode_some)).collect();
            let own = decode_some();
            others
                .into_iter()
                .map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .fold(own, Result::and)
        })?;
        let Work { shrink, colours } = work.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Colours { matrix, full_range, .. } = colours.unwrap_or(UNSAID);
        let matrix = Matrix::new(matrix, full_range);
        Ok(Decoded { reduced: shrink.finish(), opaque: true, matrix: Some(matrix) })
    }
}

/// The state that the threads share.
struct Work {
    shrink: Shrink<3>,
    /// The colours from the container, otherwise from the first tile.
    colours: Option<Colours>,
}

impl Heic<'_> {
    /// Decodes tiles until every tile is taken.
    fn decode_some(&self, next: &AtomicUsize, work: &Mutex<Work>) -> Result<(), Error> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(coded) = self.picture.tiles.get(index) else { return Ok(()) };
            let tile =
                self.decode_tile(coded).inspect_err(|_| next.store(self.picture.tiles.len(), Ordering::Relaxed))?;
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let (width, height) = self.tile.shown;
            let place = (index % self.grid.columns * width, index / self.grid.columns * height);
            let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
            if index == 0 {
                work.colours = work.colours.or_else(|| tile.color_info.map(said));
            }
            self.add(&mut work.shrink, &tile, place);
        }
    }

    fn decode_tile(&self, coded: &Coded) -> Result<DecodedImage, Error> {
        let file = single::file(coded);
        // The first tile was checked; the others must not be larger.
        if stated(&file).map_err(translate)? != self.tile || said_otherwise(coded, self.tile) {
            return Err(broken("the tiles of the HEIC differ in size"));
        }
        heic_decoder::decode(&file).map_err(translate)
    }

    /// Adds the visible part of `tile`. Its upper left corner is at `x` and `y` of the picture.
    fn add(&self, shrink: &mut Shrink<3>, tile: &DecodedImage, (x, y): (u32, u32)) {
        let window = &self.window;
        // Pixels of the tile to the left of or above the window.
        let (skipped, above) = (window.x.saturating_sub(x), window.y.saturating_sub(y));
        let left = x.saturating_sub(window.x);
        let mut pixels = Vec::with_capacity(tile.width * 3);
        for (row, luma) in (0_u32..).zip(tile.y.chunks_exact(tile.width.max(1))).skip(above as usize) {
            let Some(top) = (y + row).checked_sub(window.y).filter(|top| *top < window.height) else { break };
            let chroma = Chroma::of(tile, row as usize);
            pixels.clear();
            for (column, luma) in luma.iter().enumerate().skip(skipped as usize) {
                let (blue, red) = chroma.at(column);
                pixels.extend([eight(*luma, tile.bit_depth_luma), blue, red]);
            }
            shrink.add((left, 1), top, &pixels);
        }
    }
}

/// The colour differences of one row.
struct Chroma<'t> {
    rows: Option<(&'t [i32], &'t [i32])>,
    /// Luma pixels per value: 1 or 2.
    step: usize,
    depth: u32,
}

impl<'t> Chroma<'t> {
    fn of(tile: &'t DecodedImage, row: usize) -> Self {
        let step = if tile.cb_width < tile.width { 2 } else { 1 };
        let row = if tile.cb_height < tile.height { row / 2 } else { row };
        let of = |plane: &'t [i32]| plane.get(row * tile.cb_width..)?.get(..tile.cb_width);
        // A grey picture has none.
        let rows = of(&tile.cb).zip(of(&tile.cr)).filter(|_| tile.cb_width > 0);
        Self { rows, step, depth: tile.bit_depth_chroma }
    }

    /// The colour differences for the luma pixel in this column.
    fn at(&self, column: usize) -> (u8, u8) {
        let Some((blue, red)) = self.rows else { return (128, 128) };
        let of = |row: &[i32]| row.get(column / self.step).map_or(128, |value| eight(*value, self.depth));
        (of(blue), of(red))
    }
}

/// The upper eight bits of a sample of `depth` bits.
fn eight(sample: i32, depth: u32) -> u8 {
    u8::try_from((sample >> depth.saturating_sub(8)).clamp(0, 255)).unwrap_or(u8::MAX)
}

/// Estimated time in nanoseconds to decode this many pixels from this many bytes of code.
fn time(pixels: u64, code: u64) -> u64 {
    pixels.saturating_mul(TIME.0).saturating_add(code.saturating_mul(TIME.1))
}

/// Reads the properties of a tile and checks them.
fn judged(coded: &Coded, limits: Limits) -> Result<Stated, Error> {
    let tile = stated(&single::file(coded)).map_err(translate)?;
    if said_otherwise(coded, tile) {
        return Err(broken("the HEIC says another size than its code"));
    }
    raster::judge(tile.coded.0, tile.coded.1, limits)?;
    // The decoder stores each sample, of all planes, in four bytes, and a copy while it crops.
    let samples = pixels(tile.coded).saturating_mul(tile.planes);
    if samples.saturating_mul(8) > limits.max_bytes { Err(Error::TooMuchMemory) } else { Ok(tile) }
}

/// Whether the container gives a tile another size than its code does. The container's size decides how much memory is
/// reserved.
fn said_otherwise(coded: &Coded, tile: Stated) -> bool {
    coded.size.is_some_and(|size| size != tile.shown)
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

fn said(colours: heic_decoder::ColorInfo) -> Colours {
    Colours {
        primaries: colours.color_primaries,
        transfer: colours.transfer_characteristics,
        matrix: colours.matrix_coefficients,
        full_range: colours.full_range,
    }
}

fn translate(error: HeifError) -> Error {
    match error {
        HeifError::LimitExceeded(_) => Error::TooMuchMemory,
        HeifError::Unsupported(_) => Error::Unsupported("this kind of HEIC"),
        error => Error::Broken(Box::new(error)),
    }
}

fn broken(reason: &'static str) -> Error {
    Error::Broken(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_of_telephones_may_be_decoded_and_hardly_more() {
        assert!(time(48_771_072, 8_000_000) <= MOST_TIME);
        assert!(time(12_192_768, 18_000_000) <= MOST_TIME);
        assert!(time(48_771_072, 9_000_000) > MOST_TIME);
        assert!(time(4 * 48_000_000, 0) > MOST_TIME);
        assert_eq!(time(u64::MAX, u64::MAX), u64::MAX);
    }
}
