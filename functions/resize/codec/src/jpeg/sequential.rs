//! Scans that tell whole blocks (T.81, annex F), decoded straight to the reduced size.

use super::Damage;
use super::bits::Bits;
use super::frame::Frame;
use super::huffman::{AcTable, DcTable, END};
use super::inverse::{self, ZIGZAG};
use super::plane::Canvas;
use super::scan::{Part, Restarts, Scan};
use super::tables::Tables;

/// A component of the scan with all that its blocks are decoded with.
struct Lane<'a> {
    dc: &'a DcTable,
    ac: &'a AcTable,
    quantiser: [i32; 65],
    /// The DC coefficient's, as the mean is exact.
    step: i32,
    /// The DC coefficient of the block before.
    before: i32,
    canvas: &'a mut Canvas,
    /// Blocks of each unit, across and down.
    blocks: (usize, usize),
    /// Coefficients of the unit's lines of blocks, where blocks are reduced to 2 by 2.
    twos: Vec<Vec<[i32; 4]>>,
}

/// Decodes the scan whose coded data begin at `at` into the canvases of its components, and says where they end.
pub(super) fn decode(
    data: &[u8],
    at: usize,
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    canvases: &mut [Canvas],
) -> Result<usize, Damage> {
    let dc = built(&tables.dc, scan.parts.iter().map(|part| part.dc), DcTable::new);
    let ac = built(&tables.ac, scan.parts.iter().map(|part| part.ac), AcTable::new);
    let mut lanes = lanes(frame, scan, tables, (&dc, &ac), canvases)?;
    let (across, down) = scan.units(frame);
    let mut restarts = Restarts::new(tables.restart);
    let mut bits = Bits::new(data, at);
    let flat = lanes.iter().all(|lane| lane.canvas.side() == 1);
    for row in 0..down as usize {
        for column in 0..across as usize {
            if restarts.due(data, &mut bits)? {
                for lane in &mut lanes {
                    lane.before = 0;
                }
            }
            if flat {
                unit::<true>(&mut bits, &mut lanes, column, row)?;
            } else {
                unit::<false>(&mut bits, &mut lanes, column, row)?;
            }
        }
        if bits.overran() {
            return Err(Damage::Truncated);
        }
        for lane in &mut lanes {
            lane.finish_twos(row);
        }
    }
    Ok(bits.position())
}

impl Lane<'_> {
    /// Puts down the lines of blocks of a row of units, where blocks are reduced to 2 by 2.
    fn finish_twos(&mut self, row: usize) {
        for (line, twos) in (row * self.blocks.1..).zip(&mut self.twos) {
            self.canvas.set_twos(line, twos);
            twos.clear();
        }
    }
}

/// Builds the look-ups of the tables `used`; the others stay empty.
fn built<S, T>(specs: &[Option<S>; 4], used: impl Iterator<Item = usize>, build: impl Fn(&S) -> T) -> [Option<T>; 4] {
    let mut tables = [const { None }; 4];
    for slot in used {
        if let (Some(spec), Some(table @ None)) = (&specs[slot], tables.get_mut(slot)) {
            *table = Some(build(spec));
        }
    }
    tables
}

fn lanes<'a>(
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    (dc, ac): (&'a [Option<DcTable>; 4], &'a [Option<AcTable>; 4]),
    canvases: &'a mut [Canvas],
) -> Result<Vec<Lane<'a>>, Damage> {
    let mut canvases: Vec<_> = canvases.iter_mut().map(Some).collect();
    let lane = |part: &Part| {
        let canvas = canvases[part.component].take().ok_or(Damage::Scan)?;
        let quantiser = tables.quantisers[frame.components[part.component].quantiser].ok_or(Damage::Quantiser)?;
        let (across, down) = scan.blocks_of_unit(frame, part);
        Ok(Lane {
            dc: dc[part.dc].as_ref().ok_or(Damage::HuffmanTable)?,
            ac: ac[part.ac].as_ref().ok_or(Damage::HuffmanTable)?,
            quantiser: std::array::from_fn(|index| quantiser.get(index).copied().map_or(0, i32::from)),
            step: i32::from(quantiser[0]),
            before: 0,
            canvas,
            blocks: (across as usize, down as usize),
            twos: vec![Vec::new(); down as usize],
        })
    };
    scan.parts.iter().map(lane).collect()
}

/// Decodes a unit of the scan; a `FLAT` one is of components that are all reduced to the means of their blocks.
#[inline(always)]
fn unit<const FLAT: bool>(bits: &mut Bits, lanes: &mut [Lane], column: usize, row: usize) -> Result<(), Damage> {
    for lane in lanes {
        for down in 0..lane.blocks.1 {
            for across in 0..lane.blocks.0 {
                let (x, y) = (column * lane.blocks.0 + across, row * lane.blocks.1 + down);
                match lane.canvas.side() {
                    side if FLAT || side == 1 => {
                        let block = flat(bits, lane)?;
                        lane.canvas.set(x, y, &block);
                    }
                    2 => {
                        let [flat, across, below, _, both, _] = first::<6>(bits, lane)?;
                        lane.twos[down].push([flat, across, below, both]);
                    }
                    4 => {
                        let block = in_lines(&first::<26>(bits, lane)?);
                        lane.canvas.set(x, y, &inverse::four(&block));
                    }
                    _ => {
                        let block = in_lines(&first::<65>(bits, lane)?);
                        lane.canvas.set(x, y, &inverse::eight(&block));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Decodes the DC coefficient of a block, which tells its mean, and steps over the rest.
#[inline(always)]
fn flat(bits: &mut Bits, lane: &mut Lane) -> Result<[[u8; 1]; 1], Damage> {
    bits.refill();
    lane.before = lane.before.wrapping_add(lane.dc.difference(bits)?);
    lane.ac.step_over(bits, 63)?;
    Ok([[inverse::mean(lane.before.wrapping_mul(lane.step))]])
}

/// Decodes the first coefficients of a block, in zigzag order, and steps over the rest. The last place is for those
/// that are not wanted.
#[inline(always)]
fn first<const COUNT: usize>(bits: &mut Bits, lane: &mut Lane) -> Result<[i32; COUNT], Damage> {
    let mut values = [0; COUNT];
    let mut index = 1;
    bits.refill();
    lane.before = lane.before.wrapping_add(lane.dc.difference(bits)?);
    values[0] = lane.before;
    // A code and its number take at most 25 bits, so what is there suffices for two.
    let mut enough = true;
    while index < COUNT - 1 {
        if !enough {
            bits.refill();
        }
        let (run, value) = lane.ac.coefficient(bits)?;
        enough = !enough;
        index += run;
        values[index.min(COUNT - 1)] = value;
        index += 1;
    }
    match index {
        0..64 => lane.ac.step_over(bits, 64 - index as i32)?,
        64 | ENDED.. => {}
        _ => return Err(Damage::Run),
    }
    Ok(std::array::from_fn(|index| values[index].wrapping_mul(lane.quantiser[index])))
}

/// Where the index of a coefficient is after a block's end was read.
const ENDED: usize = END as usize;

/// Coefficients of the zigzag line by line.
fn in_lines<const COUNT: usize>(values: &[i32; COUNT]) -> [f32; 64] {
    let mut block = [0.0; 64];
    for (at, value) in ZIGZAG.iter().zip(values) {
        block[usize::from(*at)] = *value as f32;
    }
    block
}
