//! The parts of a JPEG, for callers that do not decode it.

use std::borrow::Cow;
use std::ops::Range;

use super::frame::{Frame, Process};
use super::header::Preamble;
use super::scan::Scan;
use super::segments::{Segment, Segments, marker};
use super::tables::Tables;
use super::{Damage, Picture, Scale, is_all, is_jpeg, standard};
use crate::{Error, Limits};

/// A JPEG as far as readers read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey<'a> {
    /// Width and height in pixels, as stored.
    pub size: (u32, u32),
    /// The segments and scans in the order of the file. No reader shows the bytes between them or after the last one.
    pub parts: Vec<Part<'a>>,
    /// The content of a DHT segment of the standard tables that scans need and the file leaves out, if there are any.
    pub lent: Option<Vec<u8>>,
}

/// A part of a JPEG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// A segment other than a scan.
    Segment {
        /// The byte behind 0xff.
        marker: u8,
        /// The content after the length.
        content: Cow<'a, [u8]>,
    },
    /// A scan.
    Scan {
        /// Its header, behind the length.
        header: Cow<'a, [u8]>,
        /// The ranges of the file with coded data of pixels, including restart markers.
        data: Vec<Range<usize>>,
    },
}

/// Splits a JPEG of at most `max_pixels` into its parts. It refuses files for which libjpeg returns an error, but not
/// files about which libjpeg only warns, so [`decode`](super::decode) shows every accepted file.
///
/// # Errors
/// As those of [`decode`](super::decode); and [`Error::Broken`] for pictures that libjpeg has no code for.
pub fn survey(bytes: &[u8], max_pixels: u64) -> Result<Survey<'_>, Error> {
    if !is_jpeg(bytes) {
        return Err(Error::NotAPicture);
    }
    let mut segments = Segments::new(bytes);
    let mut parts = Vec::new();
    let (preamble, first) = Preamble::read(&mut segments, max_pixels, |segment| parts.push(Part::of(segment)))?;
    let Preamble { frame, mut tables } = preamble;
    if !frame.is_common() {
        return Err(Damage::Frame.into());
    }
    // To walk through a progressive scan, it is enough to know which coefficients are not zero.
    let scale = if frame.process == Process::Progressive { Scale::Quarter } else { Scale::Eighth };
    let limits = Limits { max_pixels, max_bytes: u64::MAX };
    let mut picture = Picture::new(&frame, &vec![scale; frame.components.len()], limits)?;
    let (mut lent, mut scans) = (Lent::default(), 0);
    let mut segment = first;
    while segment.marker != marker::EOI {
        if segment.marker == marker::SOS {
            scans += 1;
            let (scan, read) = picture.read_scan(bytes, &segments, &frame, &segment.content, &tables, scans)?;
            lent.look_at(&frame, &scan, &tables);
            segments.go_on(read.position);
            parts.push(Part::Scan { header: header(&frame, segment.content), data: read.used });
            if is_all(&frame, &scan) {
                break;
            }
        } else if segment.is_frame() {
            return Err(Damage::Frame.into());
        } else {
            tables.read(&segment)?;
            parts.push(Part::of(&segment));
        }
        segment = segments.next()?;
    }
    Ok(Survey { size: frame.size, parts, lent: lent.segment() })
}

/// The corrected header of a scan. Readers ignore the band and the bits of a sequential scan, so they are set to all
/// coefficients and bits.
fn header<'a>(frame: &Frame, mut header: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    const ALL: [u8; 3] = [0, 63, 0];
    if frame.process == Process::Sequential
        && !header.ends_with(&ALL)
        && let Some(last) = header.to_mut().last_chunk_mut()
    {
        *last = ALL;
    }
    header
}

impl<'a> Part<'a> {
    fn of(segment: &Segment<'a>) -> Self {
        Self::Segment { marker: segment.marker, content: segment.content.clone() }
    }
}

/// The standard tables that were needed: two for DC differences, two for AC coefficients.
#[derive(Default)]
struct Lent([[bool; 2]; 2]);

impl Lent {
    fn look_at(&mut self, frame: &Frame, scan: &Scan, tables: &Tables) {
        if frame.process == Process::Progressive {
            return;
        }
        for part in &scan.parts {
            for (class, (slot, told)) in [(part.dc, &tables.dc), (part.ac, &tables.ac)].into_iter().enumerate() {
                if let (Some(lent), Some(None)) = (self.0[class].get_mut(slot), told.get(slot)) {
                    *lent = true;
                }
            }
        }
    }

    fn segment(&self) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        for slot in 0..2 {
            for (class, table) in [(0x00, standard::dc(slot)), (0x10, standard::ac(slot))] {
                let lent = self.0[usize::from(class >> 4)][slot];
                if let Some(table) = table.filter(|_| lent) {
                    content.extend(table.segment(class | slot as u8));
                }
            }
        }
        Some(content).filter(|content| !content.is_empty())
    }
}
