//! What the header of a scan says (T.81, B.2.3), and where restart markers stand in it.

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
    /// From which bit the coefficients are refined; 0 when they come for the first time.
    pub(super) high: u32,
    /// Down to which bit they are told.
    pub(super) low: u32,
}

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Its index in the frame.
    pub(super) component: usize,
    /// Which table its DC differences are coded with.
    pub(super) dc: usize,
    /// Which table its AC coefficients are coded with.
    pub(super) ac: usize,
}

impl Scan {
    /// Reads the header of a scan of `frame`.
    pub(super) fn read(frame: &Frame, segment: &[u8]) -> Result<Self, Damage> {
        let (count, rest) = segment.split_first().ok_or(Damage::Scan)?;
        let (listed, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or(Damage::Scan)?;
        let [first, last, bits, ..] = rest else { return Err(Damage::Scan) };
        let mut parts: Vec<Part> = Vec::with_capacity(4);
        for [id, tables] in listed.as_chunks::<2>().0 {
            let component = frame.components.iter().position(|component| component.id == *id).ok_or(Damage::Scan)?;
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            if dc > 3 || ac > 3 || parts.iter().any(|part| part.component == component) {
                return Err(Damage::Scan);
            }
            parts.push(Part { component, dc, ac });
        }
        let blocks: u32 = parts.iter().map(|part| frame.components[part.component].blocks_of_unit()).sum();
        if parts.is_empty() || (parts.len() > 1 && blocks > MAX_BLOCKS) {
            return Err(Damage::Scan);
        }
        let band = (usize::from(*first), usize::from(*last));
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

    /// Units across and down: a single component has no others to wait for, so its blocks are units (T.81, A.2.2).
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

/// Counts units down to the next restart marker.
pub(super) struct Restarts {
    interval: u32,
    left: u32,
    next: u8,
}

impl Restarts {
    /// Starts a scan.
    pub(super) fn new(interval: u32) -> Self {
        Self { interval, left: interval, next: 0 }
    }

    /// Tells before each unit whether a restart marker was due, and steps over it.
    #[inline(always)]
    pub(super) fn due<'a>(&mut self, data: &'a [u8], bits: &mut Bits<'a>) -> Result<bool, Damage> {
        if self.interval == 0 {
            return Ok(false);
        }
        if self.left > 0 {
            self.left -= 1;
            return Ok(false);
        }
        self.left = self.interval - 1;
        if bits.overran() {
            return Err(Damage::Truncated);
        }
        match next_marker(data, bits.position()) {
            Some((found, behind)) if found == marker::RST0 + self.next => {
                self.next = (self.next + 1) % 8;
                *bits = Bits::new(data, behind);
                Ok(true)
            }
            Some(_) => Err(Damage::Restart),
            None => Err(Damage::Truncated),
        }
    }
}
