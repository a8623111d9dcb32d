//! Markers and the segments behind them (T.81, B.1.1).

use super::Damage;

/// Markers, by the names of T.81, table B.1.
pub(super) mod marker {
    pub(in crate::jpeg) const SOF0: u8 = 0xc0;
    pub(in crate::jpeg) const SOF1: u8 = 0xc1;
    pub(in crate::jpeg) const SOF2: u8 = 0xc2;
    pub(in crate::jpeg) const SOF3: u8 = 0xc3;
    pub(in crate::jpeg) const SOF15: u8 = 0xcf;
    pub(in crate::jpeg) const DHT: u8 = 0xc4;
    pub(in crate::jpeg) const JPG: u8 = 0xc8;
    pub(in crate::jpeg) const DAC: u8 = 0xcc;
    pub(in crate::jpeg) const RST0: u8 = 0xd0;
    pub(in crate::jpeg) const RST7: u8 = 0xd7;
    pub(in crate::jpeg) const SOI: u8 = 0xd8;
    pub(in crate::jpeg) const EOI: u8 = 0xd9;
    pub(in crate::jpeg) const SOS: u8 = 0xda;
    pub(in crate::jpeg) const DQT: u8 = 0xdb;
    pub(in crate::jpeg) const DNL: u8 = 0xdc;
    pub(in crate::jpeg) const DRI: u8 = 0xdd;
    pub(in crate::jpeg) const APP0: u8 = 0xe0;
    pub(in crate::jpeg) const APP1: u8 = 0xe1;
    pub(in crate::jpeg) const APP2: u8 = 0xe2;
    pub(in crate::jpeg) const APP14: u8 = 0xee;
    pub(in crate::jpeg) const TEM: u8 = 0x01;
}

/// A marker with what its segment holds.
pub(super) struct Segment<'a> {
    /// The byte behind 0xff.
    pub(super) marker: u8,
    /// What follows the length; nothing for markers that stand alone.
    pub(super) content: &'a [u8],
}

/// Walks the segments of a file.
pub(super) struct Segments<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// Starts behind the first marker of the file.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 2 }
    }

    /// Where the next segment, or the scan behind the last, begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Goes on at the first marker at or behind `at` that does not belong to a scan.
    pub(super) fn leave_scan(&mut self, at: usize) {
        self.at = at;
        while let Some((marker, behind)) = next_marker(self.data, self.at) {
            if !(marker::RST0..=marker::RST7).contains(&marker) {
                return;
            }
            self.at = behind;
        }
    }

    /// The next segment. Bytes before it that belong to nothing are passed over, as every reader does.
    pub(super) fn next(&mut self) -> Result<Segment<'a>, Damage> {
        let (marker, behind) = next_marker(self.data, self.at).ok_or(Damage::Truncated)?;
        self.at = behind;
        if matches!(marker, marker::TEM | marker::RST0..=marker::EOI) {
            return Ok(Segment { marker, content: &[] });
        }
        let rest = self.data.get(behind..).unwrap_or_default();
        let length = rest.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
        let length = length.ok_or(Damage::Truncated)?;
        if length < 2 {
            return Err(Damage::Segment);
        }
        self.at = behind + length;
        let content = rest.get(2..length).ok_or(Damage::Truncated)?;
        Ok(Segment { marker, content })
    }
}

/// The first marker at or behind `at`, and where what follows it begins. 0xff before 0x00 is a byte of a scan, before
/// 0xff it fills up.
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
