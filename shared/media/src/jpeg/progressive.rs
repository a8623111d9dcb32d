//! Scans that have the blocks bit by bit and band by band (T.81, annex G). Only the parts that the reduced size needs
//! are kept, and scans without such parts are not even read.

use super::Damage;
use super::bits::Bits;
use super::frame::Frame;
use super::huffman::{DcTable, Table};
use super::plane::{Canvas, Scale};
use super::scan::{self, Read, Restarts, Scan};
use super::store::Store;
use super::tables::Tables;

/// The picture as far as its scans have been read.
pub(super) struct Progress {
    stores: Vec<Store>,
}

impl Progress {
    /// Reserves memory for the coefficients that `scales` need of each component.
    pub(super) fn new(frame: &Frame, scales: &[Scale]) -> Self {
        Self {
            stores: frame
                .components
                .iter()
                .zip(scales)
                .map(|(component, scale)| Store::new(component, *scale))
                .collect(),
        }
    }

    /// Decodes the scan whose coded data begin at `at`, as far as it is needed and its data are available.
    pub(super) fn decode(
        &mut self,
        data: &[u8],
        at: usize,
        frame: &Frame,
        scan: &Scan,
        tables: &Tables,
    ) -> Result<Read, Damage> {
        for part in &scan.parts {
            let quantiser = tables.quantiser(frame.components[part.component].quantiser)?;
            self.stores[part.component].begin_scan(&quantiser);
        }
        let mut reader = Reader { bits: Bits::new(data, at), restarts: Restarts::new(data, at, tables.restart) };
        if scan.band.0 == 0 {
            self.dc(&mut reader, frame, scan, tables)?;
            return Ok(reader.restarts.finish(&reader.bits));
        }
        // The header was checked: there is one component.
        let [part] = scan.parts.as_slice() else { return Err(Damage::Scan) };
        let table = Table::new(&*tables.ac(part.ac, frame.process)?)?;
        let store = &mut self.stores[part.component];
        if store.is_flat() {
            return Ok(scan::pass_over(data, at, tables.restart));
        }
        let blocks = frame.components[part.component].blocks;
        if scan.high == 0 {
            first(&mut reader, scan, &table, store, blocks);
        } else {
            refine(&mut reader, scan, &table, store, blocks);
        }
        Ok(reader.restarts.finish(&reader.bits))
    }

    /// Decodes DC coefficients, which come first as differences and then bit by bit (T.81, G.1.2.1).
    fn dc(&mut self, reader: &mut Reader, frame: &Frame, scan: &Scan, tables: &Tables) -> Result<(), Damage> {
        let mut stores: Vec<_> = self.stores.iter_mut().map(Some).collect();
        let mut lanes = Vec::with_capacity(4);
        for part in &scan.parts {
            let table = if scan.high > 0 { None } else { Some(DcTable::new(&*tables.dc(part.dc, frame.process)?)?) };
            let (wide, high) = scan.blocks_of_unit(frame, part);
            let store = stores[part.component].take().ok_or(Damage::Scan)?;
            lanes.push(Lane { table, before: 0, store, wide: wide as usize, high: high as usize });
        }
        let (across, down) = scan.units(frame);
        for row in 0..down as usize {
            for column in 0..across as usize {
                if reader.restarts.due(&mut reader.bits) {
                    for lane in &mut lanes {
                        lane.before = 0;
                    }
                }
                if reader.restarts.is_short() {
                    if reader.restarts.is_over() {
                        return Ok(());
                    }
                    continue;
                }
                for lane in &mut lanes {
                    lane.unit(&mut reader.bits, (column, row), scan.low);
                }
                reader.restarts.look_at(&reader.bits);
            }
        }
        Ok(())
    }

    /// The samples of each component, in the order of the frame.
    pub(super) fn finish(self) -> Vec<Canvas> {
        self.stores.into_iter().map(Store::finish).collect()
    }
}

/// A component of a scan of DC coefficients.
struct Lane<'a> {
    /// The table of the codes for differences; `None` in scans that refine single bits.
    table: Option<DcTable>,
    /// The coefficient of the block before.
    before: i32,
    store: &'a mut Store,
    /// Blocks of each unit, across and down.
    wide: usize,
    high: usize,
}

impl Lane<'_> {
    /// Decodes the blocks that a unit has of the component.
    #[inline(always)]
    fn unit(&mut self, bits: &mut Bits, (column, row): (usize, usize), low: u32) {
        for down in 0..self.high {
            for across in 0..self.wide {
                bits.refill();
                let value = self.store.dc(column * self.wide + across, row * self.high + down);
                if let Some(table) = &self.table {
                    self.before = self.before.wrapping_add(table.difference(bits));
                    *value = (self.before << low) as i16;
                } else {
                    *value |= (bits.take(1) << low) as i16;
                }
            }
        }
    }
}

/// The position in the file at which a scan is being read.
struct Reader<'a> {
    bits: Bits<'a>,
    restarts: Restarts<'a>,
}

impl Reader<'_> {
    /// The length of a run of blocks in which the band ends (T.81, G.1.2.2), without the block with the symbol.
    fn run_of_ends(&mut self, size: u32) -> u32 {
        (1 << size) - 1 + self.bits.take(size).cast_unsigned()
    }
}

/// Decodes the first scan of a band (T.81, G.1.2.2).
fn first(reader: &mut Reader, scan: &Scan, table: &Table, store: &mut Store, (across, down): (u32, u32)) {
    let mut ended = 0;
    for y in 0..down as usize {
        for x in 0..across as usize {
            if reader.restarts.due(&mut reader.bits) {
                ended = 0;
            }
            if reader.restarts.is_short() {
                if reader.restarts.is_over() {
                    return;
                }
                continue;
            }
            if ended > 0 {
                ended -= 1;
                continue;
            }
            let mut block = store.block(x, y);
            let mut index = scan.band.0;
            while index <= scan.band.1 {
                reader.bits.refill();
                let symbol = table.symbol(&mut reader.bits);
                let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                if size == 0 && run < 15 {
                    ended = reader.run_of_ends(run);
                    break;
                }
                index += run as usize;
                if size > 0 {
                    block.tell(index, reader.bits.signed(size) << scan.low);
                }
                index += 1;
            }
            reader.restarts.look_at(&reader.bits);
        }
    }
}

/// Decodes one more bit of a band (T.81, G.1.2.3).
fn refine(reader: &mut Reader, scan: &Scan, table: &Table, store: &mut Store, (across, down): (u32, u32)) {
    let mut ended = 0;
    for y in 0..down as usize {
        for x in 0..across as usize {
            if reader.restarts.due(&mut reader.bits) {
                ended = 0;
            }
            if reader.restarts.is_short() {
                if reader.restarts.is_over() {
                    return;
                }
                continue;
            }
            let mut block = store.block(x, y);
            let mut index = scan.band.0;
            while ended == 0 && index <= scan.band.1 {
                reader.bits.refill();
                let symbol = table.symbol(&mut reader.bits);
                let (run, size) = (u32::from(symbol >> 4), symbol & 15);
                let value = match size {
                    0 if run < 15 => {
                        ended = reader.run_of_ends(run) + 1;
                        break;
                    }
                    0 => 0,
                    // The scan has only one bit of each coefficient, so a new coefficient always has the size 1.
                    _ => (reader.bits.take(1) * 2 - 1) << scan.low,
                };
                index = block.refine_run(&mut reader.bits, index..scan.band.1 + 1, run, scan.low);
                if value != 0 {
                    block.tell(index, value);
                }
                index += 1;
            }
            if ended > 0 {
                block.refine_rest(&mut reader.bits, index..scan.band.1 + 1, scan.low);
                ended -= 1;
            }
            reader.restarts.look_at(&reader.bits);
        }
    }
}
