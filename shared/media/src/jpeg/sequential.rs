//! Scans of whole blocks (T.81, annex F), decoded directly to the reduced size.

use std::rc::Rc;

use super::Damage;
use super::bits::Bits;
use super::frame::Frame;
use super::huffman::{AcTable, DcTable};
use super::inverse::{self, ZIGZAG};
use super::plane::Canvas;
use super::scan::{Part, Read, Restarts, Scan};
use super::tables::Tables;

/// A component of the scan, with the tables and the state to decode its blocks.
struct Lane<'a> {
    dc: Rc<DcTable>,
    ac: Rc<AcTable>,
    quantiser: [i32; 65],
    /// The quantisation step of the DC coefficient, from which the exact mean is computed.
    step: i32,
    /// The DC coefficient of the block before.
    before: i32,
    canvas: &'a mut Canvas,
    /// Blocks of each unit, across and down.
    blocks: (usize, usize),
    /// Coefficients of the unit's lines of blocks, where blocks are reduced to 2 by 2.
    twos: Vec<Vec<[i32; 4]>>,
}

/// Decodes the scan whose coded data begin at `at` into the canvases of its components, as far as the data are
/// available; the rest stays unchanged.
pub(super) fn decode(
    data: &[u8],
    at: usize,
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    canvases: &mut [Canvas],
) -> Result<Read, Damage> {
    let mut lanes = lanes(frame, scan, tables, canvases)?;
    let (across, down) = scan.units(frame);
    let mut restarts = Restarts::new(data, at, tables.restart);
    let mut bits = Bits::new(data, at);
    let flat = lanes.iter().all(|lane| lane.canvas.side() == 1);
    for row in 0..down as usize {
        for column in 0..across as usize {
            if restarts.due(&mut bits) {
                for lane in &mut lanes {
                    lane.before = 0;
                }
            }
            if restarts.is_short() {
                if restarts.is_over() {
                    break;
                }
                lanes.iter_mut().for_each(Lane::pass);
                continue;
            }
            if flat {
                unit::<true>(&mut bits, &mut lanes, column, row);
            } else {
                unit::<false>(&mut bits, &mut lanes, column, row);
            }
            restarts.look_at(&bits);
        }
        for lane in &mut lanes {
            lane.finish_twos(row);
        }
        if restarts.is_over() {
            break;
        }
    }
    Ok(restarts.finish(&bits))
}

impl Lane<'_> {
    /// Skips the blocks of a unit.
    fn pass(&mut self) {
        for twos in &mut self.twos {
            twos.extend(std::iter::repeat_n([0; 4], if self.canvas.side() == 2 { self.blocks.0 } else { 0 }));
        }
    }

    /// Stores the lines of blocks of a row of units, if blocks are reduced to 2 by 2.
    fn finish_twos(&mut self, row: usize) {
        for (line, twos) in (row * self.blocks.1..).zip(&mut self.twos) {
            self.canvas.set_twos(line, twos);
            twos.clear();
        }
    }
}

fn lanes<'a>(frame: &Frame, scan: &Scan, tables: &Tables, canvases: &'a mut [Canvas]) -> Result<Vec<Lane<'a>>, Damage> {
    let mut canvases: Vec<_> = canvases.iter_mut().map(Some).collect();
    let (mut dcs, mut acs) = ([const { None }; 4], [const { None }; 4]);
    let mut lane = |part: &Part| {
        let canvas = canvases[part.component].take().ok_or(Damage::Scan)?;
        let quantiser = tables.quantiser(frame.components[part.component].quantiser)?;
        let (across, down) = scan.blocks_of_unit(frame, part);
        let dc = built(&mut dcs, part.dc, || DcTable::new(&*tables.dc(part.dc, frame.process)?))?;
        let ac = built(&mut acs, part.ac, || AcTable::new(&*tables.ac(part.ac, frame.process)?))?;
        Ok(Lane {
            dc,
            ac,
            quantiser: std::array::from_fn(|index| quantiser.get(index).copied().map_or(0, i32::from)),
            step: i32::from(quantiser[0]),
            before: 0,
            canvas,
            blocks: (across as usize, down as usize),
            twos: vec![Vec::new(); down as usize],
        })
    };
    scan.parts.iter().map(&mut lane).collect()
}

/// The look-ups of the table `slot`, which several components may share.
fn built<T>(
    known: &mut [Option<Rc<T>>; 4],
    slot: usize,
    build: impl FnOnce() -> Result<T, Damage>,
) -> Result<Rc<T>, Damage> {
    let known = known.get_mut(slot).ok_or(Damage::HuffmanTable)?;
    if let Some(table) = known {
        return Ok(table.clone());
    }
    Ok(known.insert(Rc::new(build()?)).clone())
}

/// Decodes a unit of the scan; a `FLAT` one is of components that are all reduced to the means of their blocks.
#[inline(always)]
fn unit<const FLAT: bool>(bits: &mut Bits, lanes: &mut [Lane], column: usize, row: usize) {
    for lane in lanes {
        for down in 0..lane.blocks.1 {
            for across in 0..lane.blocks.0 {
                let (x, y) = (column * lane.blocks.0 + across, row * lane.blocks.1 + down);
                match lane.canvas.side() {
                    side if FLAT || side == 1 => {
                        let block = flat(bits, lane);
                        lane.canvas.set(x, y, &block);
                    }
                    2 => {
                        let [flat, across, below, _, both, _] = first::<6>(bits, lane);
                        lane.twos[down].push([flat, across, below, both]);
                    }
                    4 => {
                        let block = in_lines(&first::<26>(bits, lane));
                        lane.canvas.set(x, y, &inverse::four(&block));
                    }
                    _ => {
                        let block = in_lines(&first::<65>(bits, lane));
                        lane.canvas.set(x, y, &inverse::eight(&block));
                    }
                }
            }
        }
    }
}

/// Decodes the DC coefficient of a block, which gives its mean, and skips the rest.
#[inline(always)]
fn flat(bits: &mut Bits, lane: &mut Lane) -> [[u8; 1]; 1] {
    bits.refill();
    lane.before = lane.before.wrapping_add(lane.dc.difference(bits));
    lane.ac.step_over(bits, 63);
    [[inverse::mean(lane.before.wrapping_mul(lane.step))]]
}

/// Decodes the first coefficients of a block, in zigzag order, and skips the rest. The last place is for coefficients
/// that are not needed.
#[inline(always)]
fn first<const COUNT: usize>(bits: &mut Bits, lane: &mut Lane) -> [i32; COUNT] {
    let mut values = [0; COUNT];
    let mut index = 1;
    bits.refill();
    lane.before = lane.before.wrapping_add(lane.dc.difference(bits));
    values[0] = lane.before;
    // A code and its number take at most 25 bits, so the available bits suffice for two.
    let mut enough = true;
    while index < COUNT - 1 {
        if !enough {
            bits.refill();
        }
        let (run, value) = lane.ac.coefficient(bits);
        enough = !enough;
        index += run;
        values[index.min(COUNT - 1)] = value;
        index += 1;
    }
    // At the end of the block, by an end code or by a run that went too far, nothing is left.
    if index < 64 {
        lane.ac.step_over(bits, 64 - index as i32);
    }
    std::array::from_fn(|index| values[index].wrapping_mul(lane.quantiser[index]))
}

/// Coefficients of the zigzag line by line.
fn in_lines<const COUNT: usize>(values: &[i32; COUNT]) -> [f32; 64] {
    let mut block = [0.0; 64];
    for (at, value) in ZIGZAG.iter().zip(values) {
        block[usize::from(*at)] = *value as f32;
    }
    block
}
