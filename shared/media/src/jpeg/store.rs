//! The coefficients of a component whose scans contain them piece by piece.

use std::ops::Range;

use super::bits::Bits;
use super::frame::Component;
use super::inverse::{self, ZIGZAG};
use super::plane::{Canvas, Scale};

/// The stored part of a component: the coefficients that its reduced size needs, and which of the other ones are not
/// zero, because the coding of later scans depends on that.
pub(super) struct Store {
    component: Component,
    scale: Scale,
    /// Samples of a block in each direction: 1, 2, 4 or 8; so many coefficients are kept.
    side: usize,
    /// The kept coefficients of each block, line by line.
    kept: Vec<i16>,
    /// A bit for each coefficient of each block that is not zero, by its place in the zigzag. Empty when only DC counts.
    marks: Vec<u64>,
    /// The position of each coefficient of the zigzag in its stored block.
    places: [Option<u8>; 64],
    /// The table of the first scan.
    quantiser: Option<[u16; 64]>,
}

/// A block of a store.
pub(super) struct Block<'a> {
    kept: &'a mut [i16],
    marks: &'a mut u64,
    places: &'a [Option<u8>; 64],
}

impl Store {
    /// Reserves memory for `component` at `scale`.
    pub(super) fn new(component: &Component, scale: Scale) -> Self {
        let side = scale.side();
        let blocks = component.padded.0 as usize * component.padded.1 as usize;
        let place = |at: u8| {
            let (line, column) = (at / 8, at % 8);
            (usize::from(line.max(column)) < side).then_some(line * side as u8 + column)
        };
        Self {
            component: component.clone(),
            scale,
            side,
            kept: vec![0; blocks * side * side],
            marks: vec![0; if side > 1 { blocks } else { 0 }],
            places: ZIGZAG.map(place),
            quantiser: None,
        }
    }

    /// Whether only the DC coefficients are kept.
    pub(super) fn is_flat(&self) -> bool {
        self.side == 1
    }

    /// Notes that a scan has this component, with this table.
    pub(super) fn begin_scan(&mut self, quantiser: &[u16; 64]) {
        self.quantiser.get_or_insert(*quantiser);
    }

    /// The DC coefficient of a block.
    #[inline(always)]
    pub(super) fn dc(&mut self, x: usize, y: usize) -> &mut i16 {
        let index = y * self.component.padded.0 as usize + x;
        &mut self.kept[index * self.side * self.side]
    }

    /// A block, of which more than the DC coefficient is kept.
    #[inline(always)]
    pub(super) fn block(&mut self, x: usize, y: usize) -> Block<'_> {
        let index = y * self.component.padded.0 as usize + x;
        let area = self.side * self.side;
        Block {
            kept: &mut self.kept[index * area..(index + 1) * area],
            marks: &mut self.marks[index],
            places: &self.places,
        }
    }

    /// The samples. Coefficients that no scan has are zero.
    pub(super) fn finish(self) -> Canvas {
        let mut canvas = Canvas::new(&self.component, self.scale);
        let Some(quantiser) = self.quantiser else { return canvas };
        let width = self.component.padded.0 as usize;
        let mut steps = [0; 64];
        for (at, step) in ZIGZAG.iter().zip(quantiser) {
            steps[usize::from(*at)] = i32::from(step);
        }
        let area = self.side * self.side;
        for (y, line) in self.kept.chunks_exact(width * area).enumerate() {
            if self.side == 2 {
                let step = [0, 1, 8, 9].map(|at: usize| steps[at]);
                let two = |kept: &[i16; 4]| std::array::from_fn(|at| i32::from(kept[at]) * step[at]);
                canvas.set_twos(y, &line.as_chunks().0.iter().map(two).collect::<Vec<_>>());
                continue;
            }
            for (x, kept) in line.chunks_exact(area).enumerate() {
                set(&mut canvas, (x, y), kept, &steps);
            }
        }
        canvas
    }
}

/// Stores a block from its stored coefficients `kept`.
fn set(canvas: &mut Canvas, (x, y): (usize, usize), kept: &[i16], steps: &[i32; 64]) {
    let side = canvas.side();
    if side == 1 {
        return canvas.set(x, y, &[[inverse::mean(i32::from(kept[0]) * steps[0])]]);
    }
    let mut block = [0.0; 64];
    for (line, values) in kept.chunks_exact(side).enumerate() {
        for (at, value) in (line * 8..).zip(values) {
            block[at] = (i32::from(*value) * steps[at]) as f32;
        }
    }
    match side {
        4 => canvas.set(x, y, &inverse::four(&block)),
        _ => canvas.set(x, y, &inverse::eight(&block)),
    }
}

impl Block<'_> {
    /// Notes the first value of a coefficient, which is not zero. A run that leaves the block ends at the last
    /// coefficient.
    #[inline(always)]
    pub(super) fn tell(&mut self, index: usize, value: i32) {
        let index = index.min(63);
        *self.marks |= 1 << index;
        if let Some(kept) = self.places[index].and_then(|place| self.kept.get_mut(usize::from(place))) {
            *kept = value as i16;
        }
    }

    /// Reads a bit more of the coefficients in `band` that are not zero, up to the zero after `run` other zeros, and
    /// returns its position.
    pub(super) fn refine_run(&mut self, bits: &mut Bits, band: Range<usize>, mut run: u32, low: u32) -> usize {
        let mut index = band.start;
        while index < band.end {
            let zeros = (*self.marks >> index).trailing_zeros();
            if zeros > run {
                return (index + run as usize).min(band.end);
            }
            run -= zeros;
            index += zeros as usize;
            if index >= band.end {
                break;
            }
            self.refine(bits, index, low);
            index += 1;
        }
        band.end
    }

    /// Reads a bit more of each coefficient in `band` that is not zero.
    #[inline(always)]
    pub(super) fn refine_rest(&mut self, bits: &mut Bits, band: Range<usize>, low: u32) {
        if band.is_empty() {
            return;
        }
        let mut rest = *self.marks & (u64::MAX << band.start) & (u64::MAX >> (64 - band.end));
        while rest != 0 {
            self.refine(bits, rest.trailing_zeros() as usize, low);
            rest &= rest - 1;
        }
    }

    #[inline(always)]
    fn refine(&mut self, bits: &mut Bits, index: usize, low: u32) {
        let more = bits.bit() << low;
        if let Some(kept) = self.places[index & 63].and_then(|place| self.kept.get_mut(usize::from(place))) {
            // The scans have the bits of magnitudes, each bit once.
            let change = match i32::from(*kept) & more {
                0 if *kept < 0 => -more,
                0 => more,
                _ => 0,
            };
            *kept = kept.wrapping_add(change as i16);
        }
    }
}
