//! Decodes JPEG (ITU-T T.81) at a reduced size.
//!
//! While a block of 8 by 8 samples is decoded, it is reduced to 4 by 4, 2 by 2 or 1. This skips most of the work: the
//! decoder steps over coefficients that only the full size needs, and does not read scans that contain nothing else.
//! The result is the stored planes of luma and colour differences; the caller converts the few remaining samples to
//! other colours.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "codes, coefficients and samples are cut out of wider words, where T.81 bounds them"
)]
#![expect(clippy::inline_always, reason = "a call for each symbol would take as long as the symbol")]

mod bits;
mod frame;
mod header;
mod huffman;
mod inverse;
mod plane;
mod progressive;
mod scan;
mod segments;
mod sequential;
mod standard;
mod store;
mod survey;
mod tables;

pub use header::{Colour, Header};
pub use inverse::ZIGZAG;
pub use plane::{Plane, Scale};
pub use segments::marker;
pub use survey::{Part, Survey, survey};

use frame::{Frame, Process};
use header::{Applications, Preamble};
use plane::Canvas;
use progressive::Progress;
use scan::{Read, Scan};
use segments::Segments;

use crate::{Error, Limits};

/// The most scans of a file. Encoders write about ten. Each additional scan takes work, even if it has only a few
/// bytes.
const MAX_SCANS: u32 = 100;

/// Damage for which libjpeg returns an error. Damage of which libjpeg only warns is not an error here either: the
/// picture is shown as far as it can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Damage {
    #[error("the JPEG ends before its first scan")]
    Truncated,
    #[error("a segment of the JPEG is damaged")]
    Segment,
    #[error("the JPEG has a marker that does not belong there")]
    Marker,
    #[error("the frame header of the JPEG is damaged")]
    Frame,
    #[error("a scan header of the JPEG is damaged")]
    Scan,
    #[error("the JPEG has too many scans")]
    Scans,
    #[error("a quantisation table of the JPEG is damaged or missing")]
    Quantiser,
    #[error("a Huffman table of the JPEG is damaged or missing")]
    HuffmanTable,
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::Broken(Box::new(damage))
    }
}

/// Whether `bytes` begin as a JPEG does.
#[must_use]
pub fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, marker::SOI, 0xff])
}

/// Decodes the planes of a JPEG, each component at the scale that `choose` gives for it when it has seen the header. A
/// file that is damaged after its headers is decoded as far as possible, as in libjpeg; missing parts are grey.
///
/// # Errors
/// [`Error::NotAPicture`], [`Error::Unsupported`], [`Error::TooManyPixels`] and [`Error::TooMuchMemory`] before a
/// pixel is decoded; [`Error::Broken`] where libjpeg refuses the file.
pub fn decode(
    bytes: &[u8],
    limits: Limits,
    choose: impl FnOnce(&Header) -> Vec<Scale>,
) -> Result<(Header, Vec<Plane>), Error> {
    if !is_jpeg(bytes) {
        return Err(Error::NotAPicture);
    }
    let mut segments = Segments::new(bytes);
    let mut applications = Applications::default();
    let (preamble, first) = Preamble::read(&mut segments, limits.max_pixels, |segment| applications.read(segment))?;
    let Preamble { frame, mut tables } = preamble;
    let header = Header::new(&frame, &applications);
    let mut scales = choose(&header);
    scales.resize(frame.components.len(), Scale::Whole);
    let mut picture = Picture::new(&frame, &scales, limits)?;
    let mut segment = first;
    let mut scans = 0;
    while segment.marker != marker::EOI {
        if segment.marker == marker::SOS {
            scans += 1;
            let (scan, read) = picture.read_scan(bytes, &segments, &frame, &segment.content, &tables, scans)?;
            segments.go_on(read.position);
            if is_all(&frame, &scan) {
                break;
            }
        } else if segment.is_frame() {
            return Err(Damage::Frame.into());
        } else {
            tables.read(&segment)?;
        }
        segment = segments.next()?;
    }
    let planes = frame.components.iter().zip(picture.finish());
    let planes = planes.map(|(component, canvas)| canvas.finish(&frame, component)).collect();
    Ok((header, planes))
}

/// Whether a scan has the whole picture, so that the rest of the file is not read.
fn is_all(frame: &Frame, scan: &Scan) -> bool {
    frame.process == Process::Sequential && scan.parts.len() == frame.components.len()
}

/// The picture as far as it has been decoded.
enum Picture {
    /// The samples of each component.
    Sequential(Vec<Canvas>),
    /// The coefficients of each component.
    Progressive(Progress),
}

impl Picture {
    fn new(frame: &Frame, scales: &[Scale], limits: Limits) -> Result<Self, Error> {
        let progressive = frame.process == Process::Progressive;
        let bytes_of = |(component, scale): (&frame::Component, &Scale)| {
            let blocks = u64::from(component.padded.0) * u64::from(component.padded.1);
            blocks * scale.bytes_of_block(progressive)
        };
        if frame.components.iter().zip(scales).map(bytes_of).sum::<u64>() > limits.max_bytes {
            return Err(Error::TooMuchMemory);
        }
        if progressive {
            return Ok(Self::Progressive(Progress::new(frame, scales)));
        }
        let canvas = |(component, scale): (&frame::Component, &Scale)| Canvas::new(component, *scale);
        Ok(Self::Sequential(frame.components.iter().zip(scales).map(canvas).collect()))
    }

    /// Decodes the scan that has `header` and begins where `segments` are; it is the `number`th.
    fn read_scan(
        &mut self,
        data: &[u8],
        segments: &Segments,
        frame: &Frame,
        header: &[u8],
        tables: &tables::Tables,
        number: u32,
    ) -> Result<(Scan, Read), Damage> {
        if number > MAX_SCANS {
            return Err(Damage::Scans);
        }
        let (scan, at) = (Scan::read(frame, header)?, segments.position());
        let read = match self {
            Self::Sequential(canvases) => sequential::decode(data, at, frame, &scan, tables, canvases)?,
            Self::Progressive(progress) => progress.decode(data, at, frame, &scan, tables)?,
        };
        Ok((scan, read))
    }

    fn finish(self) -> Vec<Canvas> {
        match self {
            Self::Sequential(canvases) => canvases,
            Self::Progressive(progress) => progress.finish(),
        }
    }
}
