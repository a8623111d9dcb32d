//! The header of a scan (T.81, B.2.3), and the positions of the restart markers in the scan.

use std::ops::Range;

use super::Damage;
use super::bits::Bits;
use super::frame::{Frame, MAX_BLOCKS, Process};
use super::segments::{marker, next_marker};

/// The header of a scan.
#[derive(Debug)]
pub(super) struct Scan {
    /// The components of the scan, at least one.
    pub(super) parts: Vec<Part>,
    /// First and last coefficient, in zigzag order.
    pub(super) band: (usize, usize),
    /// The bit from which the coefficients are refined; 0 in their first scan.
    pub(super) high: u32,
    /// The lowest bit of the coefficients in this scan.
    pub(super) low: u32,
}

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Its index in the frame.
    pub(super) component: usize,
    /// The table of its DC differences.
    pub(super) dc: usize,
    /// The table of its AC coefficients.
    pub(super) ac: usize,
}

impl Scan {
    /// Reads the header of a scan of `frame`.
    pub(super) fn read(frame: &Frame, segment: &[u8]) -> Result<Self, Damage> {
        let (count, rest) = segment.split_first().ok_or(Damage::Scan)?;
        let (listed, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or(Damage::Scan)?;
        let [first, last, bits] = *rest else { return Err(Damage::Scan) };
        let mut parts: Vec<Part> = Vec::with_capacity(4);
        for (place, [id, tables]) in listed.as_chunks::<2>().0.iter().enumerate() {
            // Components come in the order of the frame (T.81, B.2.3). In some files all of them have the same id.
            let named = |index: &usize| frame.components.get(*index).is_some_and(|component| component.id == *id);
            let component = (place..frame.components.len()).find(named).ok_or(Damage::Scan)?;
            if parts.iter().any(|part| part.component == component) {
                return Err(Damage::Scan);
            }
            parts.push(Part { component, dc: usize::from(tables >> 4), ac: usize::from(tables & 15) });
        }
        let blocks: u32 = parts.iter().map(|part| frame.components[part.component].blocks_of_unit()).sum();
        if parts.is_empty() || (parts.len() > 1 && blocks > MAX_BLOCKS) {
            return Err(Damage::Scan);
        }
        let band = (usize::from(first), usize::from(last));
        let (high, low) = (u32::from(bits >> 4), u32::from(bits & 15));
        let scan = Self { parts, band, high, low };
        if frame.process == Process::Progressive && !scan.makes_sense() {
            return Err(Damage::Scan);
        }
        Ok(scan)
    }

    /// The rules of T.81, G.1.1.1.
    fn makes_sense(&self) -> bool {
        let (first, last) = self.band;
        let band = if first == 0 { last == 0 } else { first <= last && last <= 63 && self.parts.len() == 1 };
        band && self.low <= 13 && (self.high == 0 || self.high == self.low + 1)
    }

    /// Units across and down. In a scan of a single component, each block is a unit (T.81, A.2.2).
    pub(super) fn units(&self, frame: &Frame) -> (u32, u32) {
        match self.parts.as_slice() {
            [part] => frame.components[part.component].blocks,
            _ => frame.units,
        }
    }

    /// Blocks across and down that a part has in each unit.
    pub(super) fn blocks_of_unit(&self, frame: &Frame, part: &Part) -> (u32, u32) {
        let component = &frame.components[part.component];
        if self.parts.len() == 1 { (1, 1) } else { (component.across, component.down) }
    }
}

/// The coded data of a scan that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The ranges of bytes that the picture needs, including restart markers.
    pub(super) used: Vec<Range<usize>>,
    /// The position after the scan.
    pub(super) position: usize,
}

/// Counts the units to the next restart marker. If that marker is damaged or missing, the other markers are used to
/// resynchronise, as in libjpeg (`jpeg_resync_to_restart`).
pub(super) struct Restarts<'a> {
    data: &'a [u8],
    interval: u32,
    left: u32,
    next: u8,
    /// Whether the data ended, so that the units before the next restart marker have no data.
    short: bool,
    /// Whether no further restart marker follows.
    over: bool,
    used: Vec<Range<usize>>,
    /// The start of the range that is being read.
    start: usize,
}

impl<'a> Restarts<'a> {
    /// Starts the scan whose coded data begin at `at`.
    pub(super) fn new(data: &'a [u8], at: usize, interval: u32) -> Self {
        let over = interval == 0;
        Self { data, interval, left: interval, next: 0, short: false, over, used: Vec::new(), start: at }
    }

    /// Returns before each unit whether a restart is due. After a restart, the state of the decoder is reset.
    #[inline(always)]
    pub(super) fn due(&mut self, bits: &mut Bits<'a>) -> bool {
        if self.interval == 0 {
            return false;
        }
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        *bits = self.meet(*bits);
        true
    }

    /// Whether the unit has no data, because they ended inside an earlier unit.
    #[inline(always)]
    pub(super) fn is_short(&self) -> bool {
        self.short
    }

    /// Whether all following units have no data.
    #[inline(always)]
    pub(super) fn is_over(&self) -> bool {
        self.short && self.over
    }

    /// Notes whether the last unit used more bits than the data have.
    #[inline(always)]
    pub(super) fn look_at(&mut self, bits: &Bits) {
        self.short = bits.overran();
    }

    /// Finds the marker that is due, or the position of another marker from which to continue.
    #[cold]
    #[inline(never)]
    fn meet(&mut self, bits: Bits<'a>) -> Bits<'a> {
        self.left = self.interval - 1;
        let due = self.next;
        self.next = (due + 1) % 8;
        let (mut at, end) = (bits.position(), bits.end());
        let (found, taken) = loop {
            let Some((marker, behind)) = next_marker(self.data, at) else {
                self.over = true;
                break (self.data.len(), false);
            };
            at = behind;
            match marker {
                marker::RST0..=marker::RST7 => match (marker - marker::RST0).wrapping_sub(due) % 8 {
                    // One or two markers are missing, and the data before this marker too.
                    1 | 2 => break (behind - 2, false),
                    // The marker is an earlier one, or a repeated one.
                    6 | 7 => {}
                    // The right marker, or a marker so far off that only its number can be damaged.
                    _ => break (behind - 2, true),
                },
                ..marker::SOF0 => {}
                _ => {
                    self.over = true;
                    break (behind - 2, false);
                }
            }
        };
        self.note(end);
        self.start = found;
        if taken {
            self.short = false;
            return Bits::new(self.data, found + 2);
        }
        Bits::new(self.data, found)
    }

    /// Notes a range that ends at `end`. Most ranges follow each other without a gap.
    fn note(&mut self, end: usize) {
        if self.start >= end {
            return;
        }
        match self.used.last_mut() {
            Some(last) if last.end == self.start => last.end = end,
            _ => self.used.push(self.start..end),
        }
    }

    /// The result, after the last unit was read.
    pub(super) fn finish(mut self, bits: &Bits) -> Read {
        self.note(bits.end());
        Read { used: self.used, position: bits.position() }
    }
}

/// Skips a scan that is not read, whose coded data begin at `at`.
pub(super) fn pass_over(data: &[u8], mut at: usize, interval: u32) -> Read {
    let start = at;
    let end = loop {
        let Some((marker, behind)) = next_marker(data, at) else { break data.len() };
        let within = matches!(marker, marker::RST0..=marker::RST7) || (interval > 0 && marker < marker::SOF0);
        if !within {
            break behind - 2;
        }
        at = behind;
    };
    Read { used: std::iter::once(start..end).collect(), position: end }
}
