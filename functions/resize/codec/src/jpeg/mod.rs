//! JPEG (ITU-T T.81): decoded at the size that is wanted, and written.
//!
//! A block of 8 by 8 samples is reduced to 4 by 4, 2 by 2 or 1 while it is decoded, which skips most of the work:
//! coefficients that only the full size needs are stepped over in the coded data, and scans of nothing else are not
//! read. The planes of luma and colour differences come out as they are stored; who needs other colours makes them of
//! the few samples that are left.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "codes, coefficients and samples are cut out of wider words, where T.81 bounds them"
)]
#![expect(clippy::inline_always, reason = "a call for each symbol would take as long as the symbol")]

mod bits;
pub(crate) mod encode;
mod frame;
mod header;
mod huffman;
mod inverse;
mod plane;
mod progressive;
mod scan;
mod segments;
mod sequential;
mod store;
mod tables;

pub use header::{Colour, Header};
pub use plane::{Plane, Scale};

use frame::{Frame, Process};
use header::Preamble;
use plane::Canvas;
use progressive::Progress;
use scan::Scan;
use segments::{Segment, Segments, marker};

use crate::{Error, Limits};

/// The most scans of a file. Encoders write about ten; each one more makes work that its bytes do not show.
const MAX_SCANS: u32 = 200;

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Damage {
    #[error("the JPEG ends too early")]
    Truncated,
    #[error("a segment of the JPEG is damaged")]
    Segment,
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
    #[error("the JPEG has a code that does not exist")]
    HuffmanCode,
    #[error("a run of the JPEG leaves its block")]
    Run,
    #[error("a restart marker of the JPEG is missing")]
    Restart,
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::Broken(Box::new(damage))
    }
}

/// Whether `bytes` begin as a JPEG does.
pub(crate) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, marker::SOI, 0xff])
}

/// Decodes the planes of a JPEG, each component at the scale that `choose` gives for it when it has seen the header.
///
/// # Errors
/// [`Error::NotAPicture`], [`Error::Unsupported`], [`Error::TooManyPixels`] and [`Error::TooMuchMemory`] before a
/// pixel is decoded; [`Error::Broken`] where the file is damaged or ends before the picture does.
pub fn decode(
    bytes: &[u8],
    limits: Limits,
    choose: impl FnOnce(&Header) -> Vec<Scale>,
) -> Result<(Header, Vec<Plane>), Error> {
    if !is_jpeg(bytes) {
        return Err(Error::NotAPicture);
    }
    let mut segments = Segments::new(bytes);
    let (mut preamble, first) = Preamble::read(&mut segments, limits)?;
    let frame = preamble.frame;
    let header = Header::new(&frame, &preamble.applications);
    let mut scales = choose(&header);
    scales.resize(frame.components.len(), Scale::Whole);
    let mut picture = Picture::new(&frame, &scales, limits)?;
    let mut segment = first;
    let mut scans = 0;
    loop {
        match segment.marker {
            marker::SOS => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(Damage::Scans.into());
                }
                let scan = Scan::read(&frame, segment.content)?;
                let at = picture.read_scan(bytes, segments.position(), &frame, &scan, &preamble.tables)?;
                if picture.is_complete() {
                    break;
                }
                segments.leave_scan(at);
            }
            marker::EOI => break,
            marker::SOF0..=marker::SOF15 if segment.is_frame() => return Err(Damage::Frame.into()),
            // The number of lines told late would be another than the one judged.
            marker::DNL => return Err(Damage::Frame.into()),
            _ => preamble.tables.read(&segment)?,
        }
        segment = segments.next()?;
    }
    let canvases = picture.finish()?;
    let planes = frame.components.iter().zip(canvases).map(|(component, canvas)| canvas.finish(&frame, component));
    Ok((header, planes.collect()))
}

/// The picture as far as it has been decoded.
enum Picture {
    /// The samples of each component, and whether it was told.
    Sequential(Vec<Canvas>, Vec<bool>),
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
        let canvases: Vec<_> = frame.components.iter().zip(scales).map(canvas).collect();
        let told = vec![false; canvases.len()];
        Ok(Self::Sequential(canvases, told))
    }

    fn read_scan(
        &mut self,
        data: &[u8],
        at: usize,
        frame: &Frame,
        scan: &Scan,
        tables: &tables::Tables,
    ) -> Result<usize, Damage> {
        match self {
            Self::Sequential(canvases, told) => {
                for part in &scan.parts {
                    if std::mem::replace(&mut told[part.component], true) {
                        return Err(Damage::Scan);
                    }
                }
                sequential::decode(data, at, frame, scan, tables, canvases)
            }
            Self::Progressive(progress) => progress.decode(data, at, frame, scan, tables),
        }
    }

    /// Whether nothing is left to tell. Of a progressive picture only its end says that.
    fn is_complete(&self) -> bool {
        matches!(self, Self::Sequential(_, told) if told.iter().all(|told| *told))
    }

    fn finish(self) -> Result<Vec<Canvas>, Damage> {
        match self {
            Self::Sequential(canvases, told) if told.iter().all(|told| *told) => Ok(canvases),
            Self::Sequential(..) => Err(Damage::Truncated),
            Self::Progressive(progress) => progress.finish(),
        }
    }
}

impl Segment<'_> {
    /// Whether this is a frame header, of which there are three kinds that are read here and ten that are not.
    fn is_frame(&self) -> bool {
        (marker::SOF0..=marker::SOF15).contains(&self.marker)
            && !matches!(self.marker, marker::DHT | marker::JPG | marker::DAC)
    }
}
