//! Everything before the first scan.

use super::frame::{Claim, Frame, Process};
use super::segments::{Segment, Segments, marker};
use super::tables::Tables;
use super::{Damage, Scale};
use crate::Error;

/// The colour model of a JPEG's planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// One plane of luma.
    Grey,
    /// Luma, blue difference, red difference (ITU-T T.871, 7).
    Ycc,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black; 0 is full ink. Adobe's programs write them in this way, and browsers, libvips and
    /// Pillow read them in this way, with or without Adobe's marker.
    Cmyk,
    /// Luma and differences of how much cyan, magenta and yellow there is (red, green and blue in their places), and black
    /// as in `Cmyk`.
    Ycck,
}

/// The information that is known before a pixel is decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Width and height in pixels, as stored: not yet upright.
    pub size: (u32, u32),
    /// The first Exif block. It may contain the rotation that makes the stored pixels upright.
    pub exif: Option<Vec<u8>>,
    /// The colour model of the planes.
    pub colour: Colour,
    /// The embedded colour profile (ICC.1:2022, B.4), if it is complete.
    pub profile: Option<Vec<u8>>,
    /// Pixels of the picture that one sample of each component stands for, across and down.
    pub spacing: Vec<(f64, f64)>,
}

impl Header {
    /// Combines the contents of the segments.
    pub(super) fn new(frame: &Frame, applications: &Applications) -> Self {
        let spacing = |component: &super::frame::Component| component.spacing(frame);
        Self {
            size: frame.size,
            exif: applications.exif.clone(),
            colour: applications.colour(frame),
            profile: applications.profile.whole(),
            spacing: frame.components.iter().map(spacing).collect(),
        }
    }
}

/// The content of application segments. Only the first segment of each kind counts.
#[derive(Default)]
pub(super) struct Applications {
    exif: Option<Vec<u8>>,
    /// Whether there is a JFIF segment, which says that colours are luma and differences.
    jfif: bool,
    /// The transform that an Adobe segment names.
    adobe: Option<u8>,
    profile: Profile,
}

impl Applications {
    /// Reads a segment, if it is an application segment.
    pub(super) fn read(&mut self, segment: &Segment) {
        match (segment.marker, &*segment.content) {
            // Fourteen bytes (ITU-T T.871, 10.1); libjpeg ignores shorter ones.
            (marker::APP0, [b'J', b'F', b'I', b'F', 0, _, _, _, _, _, _, _, _, _, ..]) => self.jfif = true,
            (marker::APP1, exif @ [b'E', b'x', b'i', b'f', 0, 0, ..]) if self.exif.is_none() => {
                self.exif = Some(exif.to_vec());
            }
            (marker::APP2, segment) => self.profile.read(segment),
            // Version and two words of flags, then the transform (Adobe technical note 5116, 18).
            (marker::APP14, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.adobe = Some(*transform);
            }
            _ => {}
        }
    }

    /// The colour model of the planes, by the rules of libjpeg, because files are tested with libjpeg.
    fn colour(&self, frame: &Frame) -> Colour {
        let names: Vec<_> = frame.components.iter().map(|component| component.id).collect();
        match (names.as_slice(), self.adobe) {
            ([_], _) => Colour::Grey,
            ([_, _, _, _], None | Some(0)) => Colour::Cmyk,
            ([_, _, _, _], Some(_)) => Colour::Ycck,
            (_, _) if self.jfif => Colour::Ycc,
            (_, Some(0)) | ([b'R', b'G', b'B'], None) => Colour::Rgb,
            _ => Colour::Ycc,
        }
    }
}

/// A colour profile in pieces, because a segment can have only 64 KB.
#[derive(Default)]
struct Profile {
    pieces: Vec<(u8, Vec<u8>)>,
    count: u8,
}

impl Profile {
    fn read(&mut self, segment: &[u8]) {
        let Some([number, count, piece @ ..]) = segment.strip_prefix(b"ICC_PROFILE\0") else { return };
        if *number > 0 && number <= count && self.pieces.iter().all(|(other, _)| other != number) {
            self.count = *count;
            self.pieces.push((*number, piece.to_vec()));
        }
    }

    fn whole(&self) -> Option<Vec<u8>> {
        if self.pieces.is_empty() || self.pieces.len() != usize::from(self.count) {
            return None;
        }
        let mut pieces: Vec<_> = self.pieces.iter().collect();
        pieces.sort_by_key(|(number, _)| *number);
        Some(pieces.into_iter().flat_map(|(_, piece)| piece).copied().collect())
    }
}

/// Everything before the first scan.
pub(super) struct Preamble {
    /// The checked frame header.
    pub(super) frame: Frame,
    /// Tables for the first scan.
    pub(super) tables: Tables,
}

impl Preamble {
    /// Reads up to the header of the first scan, and returns that header too. Calls `see` with everything that it
    /// reads.
    pub(super) fn read<'a>(
        segments: &mut Segments<'a>,
        max_pixels: u64,
        mut see: impl FnMut(&Segment<'a>),
    ) -> Result<(Self, Segment<'a>), Error> {
        let mut frame = None;
        let mut tables = Tables::default();
        loop {
            let segment = segments.next()?;
            match segment.marker {
                marker::SOS => {
                    let frame = frame.ok_or(Damage::Scan)?;
                    return Ok((Self { frame, tables }, segment));
                }
                marker::EOI => return Err(Damage::Truncated.into()),
                _ if segment.is_frame() => {
                    if frame.replace(read_frame(&segment, max_pixels)?).is_some() {
                        return Err(Damage::Frame.into());
                    }
                }
                _ => tables.read(&segment)?,
            }
            see(&segment);
        }
    }
}

fn read_frame(segment: &Segment, max_pixels: u64) -> Result<Frame, Error> {
    let process = match segment.marker {
        marker::SOF0 | marker::SOF1 => Process::Sequential,
        marker::SOF2 => Process::Progressive,
        marker::SOF3 => return Err(Error::Unsupported("JPEG without loss")),
        // SOF5 to SOF7, and SOF13 to SOF15 with arithmetic codes.
        0xc5..=0xc7 | 0xcd..=marker::SOF15 => return Err(Error::Unsupported("hierarchical JPEG")),
        _ => return Err(Error::Unsupported("JPEG with arithmetic codes")),
    };
    let Claim { precision, size: (width, height) } = Claim::read(&segment.content)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > max_pixels {
        return Err(Error::TooManyPixels { width, height });
    }
    if precision != 8 {
        return Err(Error::Unsupported("JPEG of more than 8 bits a sample"));
    }
    Ok(Frame::read(process, (width, height), &segment.content)?)
}

impl Scale {
    /// Bytes that a block takes while it is decoded.
    pub(super) fn bytes_of_block(self, progressive: bool) -> u64 {
        let samples = self.side() as u64 * self.side() as u64;
        // Coefficients of two bytes, and a bit for each coefficient unless only DC counts.
        let kept = samples * 2 + if self == Self::Eighth { 0 } else { 8 };
        samples + if progressive { kept } else { 0 }
    }
}
