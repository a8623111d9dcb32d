//! JPEG: segments and scans (ITU-T T.81, annex B), as the reader that makes thumbnails takes a file apart.
//!
//! Readers show more than the standard allows, and cameras write more: files without their end, stray bytes between
//! segments, scans that are cut short or damaged. Everything that libjpeg shows is kept and repaired; a file that
//! libjpeg refuses is refused. Only the bytes of a scan that contain pixels are kept: the bytes after them, up to the
//! next marker, are not shown and may be another file.

use crate::Error;
use crate::jpeg::{Part, Survey, survey};

use super::{Broken, DAMAGED, Orientation, Walk, Walked};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const TABLES: u8 = 0xc4;

/// The kinds of JPEG that browsers do not show: arithmetic coding, lossless and hierarchical JPEG, 12 bits a sample.
const OTHER_KIND: Broken = Broken("a kind of JPEG that browsers do not show");

/// Splits a JPEG of at most `max_pixels` into its parts, and writes a new file from the visible ones.
pub(super) fn walk(bytes: &[u8], max_pixels: u64) -> Walked<Walk> {
    let Survey { size: (width, height), parts, lent } = survey(bytes, max_pixels).map_err(|error| refused(&error))?;
    let (waiting, kept) = (Vec::new(), Vec::with_capacity(bytes.len()));
    let mut walker = Walker { file: bytes, orientation: None, jfif: None, lent, waiting, kept };
    for part in &parts {
        match part {
            Part::Segment { marker, content } => walker.segment(*marker, content)?,
            Part::Scan { header, data } => walker.coded(header, data)?,
        }
    }
    let orientation = walker.orientation.unwrap_or(Orientation::UPRIGHT);
    let mut clean = vec![0xff, START];
    if let Some(jfif) = walker.jfif {
        write(&mut clean, 0xe0, &jfif)?;
    }
    if orientation != Orientation::UPRIGHT {
        write(&mut clean, 0xe1, &[b"Exif\0\0", &orientation.tiff()[..]].concat())?;
    }
    clean.extend(walker.kept);
    clean.extend([0xff, END]);
    Ok(Walk { width, height, largest_frame: 0, orientation, clean })
}

fn refused(error: &Error) -> Broken {
    match error {
        Error::Unsupported(_) => OTHER_KIND,
        Error::TooManyPixels { width: 0, .. } | Error::TooManyPixels { height: 0, .. } => super::NO_PIXELS,
        Error::TooManyPixels { .. } => super::TOO_MANY_PIXELS,
        _ => DAMAGED,
    }
}

struct Walker<'a> {
    file: &'a [u8],
    orientation: Option<Orientation>,
    /// The JFIF segment, which must be the first.
    jfif: Option<[u8; 14]>,
    /// Standard tables that the file leaves out. They are written into the file, because not every reader adds them.
    lent: Option<Vec<u8>>,
    /// Segments that are kept if a scan follows.
    waiting: Vec<u8>,
    /// The bytes that are kept, in their order.
    kept: Vec<u8>,
}

impl Walker<'_> {
    fn segment(&mut self, marker: u8, content: &[u8]) -> Walked<()> {
        match marker {
            // The frame, tables and restart intervals.
            0xc0..=0xc2 | TABLES | 0xdb | 0xdd => {}
            0xe0 => {
                self.jfif = self.jfif.or_else(|| jfif(content));
                return Ok(());
            }
            0xe1 => {
                if let Some(tiff) = content.strip_prefix(b"Exif\0\0") {
                    self.orientation = self.orientation.or_else(|| Orientation::of_tiff(tiff));
                }
                return Ok(());
            }
            // The colour profile, and Adobe's marker for the colour model: without them the picture looks different.
            0xe2 if content.starts_with(b"ICC_PROFILE\0") => {}
            0xee if content.starts_with(b"Adobe") => {
                // Adobe's marker has twelve bytes (Adobe's Technical Note 5116). The bytes after them have no meaning,
                // and a shorter marker is ignored.
                return content.get(..12).map_or(Ok(()), |adobe| write(&mut self.waiting, marker, adobe));
            }
            _ => return Ok(()),
        }
        write(&mut self.waiting, marker, content)
    }

    fn coded(&mut self, header: &[u8], data: &[std::ops::Range<usize>]) -> Walked<()> {
        self.kept.append(&mut self.waiting);
        if let Some(tables) = self.lent.take() {
            write(&mut self.kept, TABLES, &tables)?;
        }
        write(&mut self.kept, SCAN, header)?;
        for stretch in data {
            self.kept.extend(self.file.get(stretch.clone()).ok_or(DAMAGED)?);
        }
        Ok(())
    }
}

/// A JFIF segment without its thumbnail, if it has one.
fn jfif(content: &[u8]) -> Option<[u8; 14]> {
    let mut jfif = *content.first_chunk::<14>().filter(|start| start.starts_with(b"JFIF\0"))?;
    jfif[12..].fill(0);
    Some(jfif)
}

fn write(out: &mut Vec<u8>, marker: u8, content: &[u8]) -> Walked<()> {
    let length = u16::try_from(content.len() + 2).map_err(|_| DAMAGED)?;
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend(content);
    Ok(())
}
