//! The tables that segments define for the scans after them (T.81, B.2.4).

use std::borrow::Cow;

use super::frame::Process;
use super::huffman::Spec;
use super::segments::{Segment, marker};
use super::{Damage, standard};

/// The tables at some position of the file.
#[derive(Default)]
pub(super) struct Tables {
    /// Quantisation tables, in zigzag order.
    pub(super) quantisers: [Option<[u16; 64]>; 4],
    /// Huffman tables of DC differences.
    pub(super) dc: [Option<Spec>; 4],
    /// Huffman tables of AC coefficients.
    pub(super) ac: [Option<Spec>; 4],
    /// Units between two restart markers, or 0 where there are none.
    pub(super) restart: u32,
}

impl Tables {
    /// The table for DC differences of this name. A sequential picture may leave out the standard tables.
    pub(super) fn dc(&self, slot: usize, process: Process) -> Result<Cow<'_, Spec>, Damage> {
        of_name(&self.dc, slot, process, standard::dc)
    }

    /// The same for AC coefficients.
    pub(super) fn ac(&self, slot: usize, process: Process) -> Result<Cow<'_, Spec>, Damage> {
        of_name(&self.ac, slot, process, standard::ac)
    }

    /// The quantisation table of this name.
    pub(super) fn quantiser(&self, slot: usize) -> Result<[u16; 64], Damage> {
        self.quantisers.get(slot).copied().flatten().ok_or(Damage::Quantiser)
    }

    /// Reads a segment, if it defines tables.
    pub(super) fn read(&mut self, segment: &Segment) -> Result<(), Damage> {
        match segment.marker {
            marker::DQT => self.quantisers(&segment.content),
            marker::DHT => self.huffman(&segment.content),
            marker::DRI => self.restart(&segment.content),
            _ => Ok(()),
        }
    }

    /// Reads a DQT segment.
    fn quantisers(&mut self, mut segment: &[u8]) -> Result<(), Damage> {
        while let Some((head, rest)) = segment.split_first() {
            let slot = self.quantisers.get_mut(usize::from(head & 15)).ok_or(Damage::Quantiser)?;
            let wide = if head >> 4 == 0 { 1 } else { 2 };
            let (bytes, rest) = rest.split_at_checked(64 * wide).ok_or(Damage::Quantiser)?;
            let mut table = [0; 64];
            for (value, bytes) in table.iter_mut().zip(bytes.chunks_exact(wide)) {
                *value = bytes.iter().fold(0, |value, byte| value << 8 | u16::from(*byte));
            }
            *slot = Some(table);
            segment = rest;
        }
        Ok(())
    }

    /// Reads a DHT segment.
    fn huffman(&mut self, mut segment: &[u8]) -> Result<(), Damage> {
        while let Some((head, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(Damage::HuffmanTable)?;
            let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
            if total > 256 {
                return Err(Damage::HuffmanTable);
            }
            let (symbols, rest) = rest.split_at_checked(total).ok_or(Damage::HuffmanTable)?;
            let class = match head >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(Damage::HuffmanTable),
            };
            let slot = class.get_mut(usize::from(head & 15)).ok_or(Damage::HuffmanTable)?;
            *slot = Some(Spec::new(*counts, symbols));
            segment = rest;
        }
        Ok(())
    }

    /// Reads a DRI segment.
    fn restart(&mut self, segment: &[u8]) -> Result<(), Damage> {
        let interval = segment.try_into().map_err(|_| Damage::Segment)?;
        self.restart = u32::from(u16::from_be_bytes(interval));
        Ok(())
    }
}

fn of_name(
    told: &[Option<Spec>; 4],
    slot: usize,
    process: Process,
    standard: fn(usize) -> Option<Spec>,
) -> Result<Cow<'_, Spec>, Damage> {
    if let Some(Some(spec)) = told.get(slot) {
        return Ok(Cow::Borrowed(spec));
    }
    let standard = (process == Process::Sequential).then(|| standard(slot)).flatten();
    standard.map(Cow::Owned).ok_or(Damage::HuffmanTable)
}
