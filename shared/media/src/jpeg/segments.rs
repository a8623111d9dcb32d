//! Markers and the segments behind them (T.81, B.1.1), read in the same way as by libjpeg: bytes between segments are
//! skipped, and after the end of the file there are endless end markers.

use std::borrow::Cow;

use super::Damage;

/// Markers, by the names of T.81, table B.1.
#[expect(missing_docs, reason = "the standard's own names")]
pub mod marker {
    pub const SOF0: u8 = 0xc0;
    pub const SOF1: u8 = 0xc1;
    pub const SOF2: u8 = 0xc2;
    pub const SOF3: u8 = 0xc3;
    pub const SOF15: u8 = 0xcf;
    pub const DHT: u8 = 0xc4;
    pub const JPG: u8 = 0xc8;
    pub const DAC: u8 = 0xcc;
    pub const RST0: u8 = 0xd0;
    pub const RST7: u8 = 0xd7;
    pub const SOI: u8 = 0xd8;
    pub const EOI: u8 = 0xd9;
    pub const SOS: u8 = 0xda;
    pub const DQT: u8 = 0xdb;
    pub const DNL: u8 = 0xdc;
    pub const DRI: u8 = 0xdd;
    pub const APP0: u8 = 0xe0;
    pub const APP1: u8 = 0xe1;
    pub const APP2: u8 = 0xe2;
    pub const APP14: u8 = 0xee;
    pub const APP15: u8 = 0xef;
    pub const COM: u8 = 0xfe;
    pub const TEM: u8 = 0x01;
}

/// The bytes that are read after the end of a file: end markers.
const BEHIND_THE_END: [u8; 2] = [0xff, marker::EOI];

/// A marker with the content of its segment.
pub(super) struct Segment<'a> {
    /// The byte behind 0xff.
    pub(super) marker: u8,
    /// The content after the length; empty for markers without content. If the file ends before the segment, end
    /// markers follow.
    pub(super) content: Cow<'a, [u8]>,
}

impl Segment<'_> {
    /// Whether this is a frame header. Three kinds are supported here, and ten are not.
    pub(super) fn is_frame(&self) -> bool {
        (marker::SOF0..=marker::SOF15).contains(&self.marker)
            && !matches!(self.marker, marker::DHT | marker::JPG | marker::DAC)
    }
}

/// Walks the segments of a file.
pub(super) struct Segments<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// Starts after the first marker of the file.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 2 }
    }

    /// The start of the next segment, or of the scan after the last one.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Continues at the first marker at or after `at`.
    pub(super) fn go_on(&mut self, at: usize) {
        self.at = at;
    }

    /// The next segment; the end marker if there is none. Markers without content are skipped, and so are restart
    /// markers after a scan without restarts.
    pub(super) fn next(&mut self) -> Result<Segment<'a>, Damage> {
        let alone = |marker| Segment { marker, content: Cow::Borrowed(&[]) };
        loop {
            let Some((marker, behind)) = next_marker(self.data, self.at) else { return Ok(alone(marker::EOI)) };
            self.at = behind;
            match marker {
                marker::EOI => return Ok(alone(marker)),
                marker::TEM | marker::RST0..=marker::RST7 => {}
                marker::JPG => return Err(Damage::Marker),
                marker::SOF0..=marker::SOF15
                | marker::SOS..=marker::DRI
                | marker::APP0..=marker::APP15
                | marker::COM => return self.content(marker),
                // A reserved marker, or a second start marker.
                _ => return Err(Damage::Marker),
            }
        }
    }

    /// Reads the content of the segment that begins here.
    fn content(&mut self, marker: u8) -> Result<Segment<'a>, Damage> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let length = match *rest {
            [] => BEHIND_THE_END,
            [only] => [only, 0xff],
            [high, low, ..] => [high, low],
        };
        let Some(length) = usize::from(u16::from_be_bytes(length)).checked_sub(2) else {
            // A segment that is not read needs no length.
            let needed = !matches!(marker, marker::APP0..=marker::APP15 | marker::COM | marker::DNL);
            self.at += 2;
            return if needed { Err(Damage::Segment) } else { Ok(Segment { marker, content: Cow::Borrowed(&[]) }) };
        };
        self.at += 2 + length;
        let content = rest.get(2..).unwrap_or_default();
        let content = match content.get(..length) {
            Some(whole) => Cow::Borrowed(whole),
            None => content.iter().chain(BEHIND_THE_END.iter().cycle()).take(length).copied().collect(),
        };
        Ok(Segment { marker, content })
    }
}

/// The first marker at or after `at`, and the position after it. A 0xff before 0x00 is a byte of a scan; before another
/// 0xff it is a fill byte.
pub(super) fn next_marker(data: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += memchr::memchr(0xff, data.get(at..)?)?;
        at += data.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        match *data.get(at)? {
            0x00 => at += 1,
            marker => return Some((marker, at + 1)),
        }
    }
}
