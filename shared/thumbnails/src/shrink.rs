//! Averages whole blocks of pixels while a decoder returns rows, so that the original is never completely in memory.
//!
//! The result has at least two and a half times the size of each thumbnail and at most about twice that: enough for
//! Lanczos to keep edges sharp, and so little that Lanczos takes almost no time. Colours are weighted by their alpha,
//! because the average of "transparent black" and "opaque white" is not grey.

use crate::geometry::Plan;
use crate::small::{self, Area, Small};

/// The size of the averaged picture, as a multiple of the thumbnail's size, in quarters. With twice the size,
/// thumbnails of some photographs were further from a full decode and Lanczos than sharp's.
const HEADROOM: u32 = 10;

/// The longest side of a block: a sum of this many samples of 255 fits into 16 bits, and a sum of this many such sums
/// fits into a float.
const LONGEST: u32 = 255;

/// Up to this many pixels, one average serves all thumbnails. Above, each thumbnail has its own average, of its own
/// part only.
const SHARED: u64 = 1 << 20;

/// The widest picture for which rows are summed before pixels. This is the fastest way, but its memory grows with the
/// width of the picture.
const WIDEST: u32 = 1 << 15;

/// The order in which a decoder returns pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Row after row, downwards.
    Rows,
    /// In any order.
    Any,
}

/// The averages of one picture. With an even number of channels, the last is alpha.
pub(crate) struct Shrink<const CHANNELS: usize> {
    groups: Vec<Group<CHANNELS>>,
    /// The group from which each plan is cut.
    group_of: Vec<usize>,
}

impl<const CHANNELS: usize> Shrink<CHANNELS> {
    /// Reserves memory for the averages that `plans` need.
    pub(crate) fn new(plans: &[Plan], order: Order) -> Self {
        let needs: Vec<_> = plans.iter().map(Need::of).collect();
        let shared = needs.iter().copied().reduce(Need::and).filter(|shared| shared.pixels() <= SHARED);
        let group_of = (0..plans.len()).map(|plan| if shared.is_some() { 0 } else { plan }).collect();
        let needs = shared.map_or(needs, |shared| vec![shared]);
        let group = |need: Need| match order {
            Order::Rows if need.area.width <= WIDEST => Group::Rows(Rows::new(need)),
            _ => Group::Any(Sums::new(need)),
        };
        Self { groups: needs.into_iter().map(group).collect(), group_of }
    }

    /// Adds pixels of row `y`, from `x` on and `step` apart. Pixels that are never added count as transparent, or as
    /// black without alpha.
    pub(crate) fn add(&mut self, (x, step): (u32, u32), y: u32, pixels: &[u8]) {
        for group in &mut self.groups {
            match group {
                Group::Rows(rows) => rows.add(x, y, pixels.as_chunks().0),
                Group::Any(sums) => sums.add((x, step), y, pixels.as_chunks().0),
            }
        }
    }

    /// The averaged picture for each plan.
    pub(crate) fn finish(self) -> Reduced {
        let finish = |group| match group {
            Group::Rows(rows) => rows.finish(),
            Group::Any(sums) => sums.finish(),
        };
        Reduced { smalls: self.groups.into_iter().map(finish).collect(), small_of: self.group_of }
    }
}

/// The averaged pictures that thumbnails are cut from.
pub(crate) struct Reduced {
    smalls: Vec<Small>,
    small_of: Vec<usize>,
}

impl Reduced {
    /// An averaged picture for `plans` plans.
    pub(crate) fn one(small: Small, plans: usize) -> Self {
        Self { smalls: vec![small], small_of: vec![0; plans] }
    }

    /// The averaged picture of each plan, in the order of the plans.
    pub(crate) fn smalls(&self) -> impl Iterator<Item = &Small> {
        self.small_of.iter().filter_map(|index| self.smalls.get(*index))
    }
}

/// The needed part of the picture, and the sides of the blocks for averaging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Need {
    area: Area,
    block: (u32, u32),
}

impl Need {
    fn of(plan: &Plan) -> Self {
        let side = |window: u32, target: u32| {
            let longest = u64::from(window) * 4 / (u64::from(target) * u64::from(HEADROOM)).max(1);
            u32::try_from(longest).unwrap_or(LONGEST).clamp(1, LONGEST)
        };
        let (width, height) = plan.window;
        Self {
            area: Area { x: plan.x, y: plan.y, width, height },
            block: (side(width, plan.target.0), side(height, plan.target.1)),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            area: self.area.and(other.area),
            block: (self.block.0.min(other.block.0), self.block.1.min(other.block.1)),
        }
    }

    /// Width and height after averaging. Blocks at the right and lower edge may be cut off.
    fn size(self) -> (u32, u32) {
        (self.area.width.div_ceil(self.block.0), self.area.height.div_ceil(self.block.1))
    }

    fn pixels(self) -> u64 {
        u64::from(self.size().0) * u64::from(self.size().1)
    }

    /// The line of blocks of row `y` of the picture.
    fn line(self, y: u32) -> Option<u32> {
        y.checked_sub(self.area.y).filter(|y| *y < self.area.height).map(|y| y / self.block.1)
    }

    /// The number of rows in a line of blocks.
    fn rows(self, line: u32) -> u32 {
        self.block.1.min(self.area.height.saturating_sub(line * self.block.1))
    }

    fn small(self, channels: usize, samples: Vec<u8>) -> Small {
        let block = (f64::from(self.block.0), f64::from(self.block.1));
        Small { area: self.area, block, size: self.size(), channels, samples }
    }
}

/// An average that is being computed.
enum Group<const CHANNELS: usize> {
    Rows(Rows<CHANNELS>),
    Any(Sums<CHANNELS>),
}

/// An average of rows that come in their order: each line of blocks is finished before the next begins.
struct Rows<const CHANNELS: usize> {
    need: Need,
    /// Sums of the rows of the line so far, a sum for each sample of a row.
    columns: Vec<u16>,
    /// A row with its colours multiplied by alpha.
    multiplied: Vec<u8>,
    /// Sums of the blocks of a line.
    sums: Vec<[u32; CHANNELS]>,
    /// The line of blocks that is being added up.
    line: u32,
    /// The finished lines.
    samples: Vec<u8>,
}

impl<const CHANNELS: usize> Rows<CHANNELS> {
    fn new(need: Need) -> Self {
        let (width, height) = need.size();
        let row = need.area.width as usize * CHANNELS;
        Self {
            need,
            columns: vec![0; if need.block == (1, 1) { 0 } else { row }],
            multiplied: Vec::new(),
            sums: Vec::with_capacity(width as usize),
            line: 0,
            samples: Vec::with_capacity(width as usize * height as usize * CHANNELS),
        }
    }

    fn add(&mut self, x: u32, y: u32, row: &[[u8; CHANNELS]]) {
        let Area { x: left, width, .. } = self.need.area;
        let Some(line) = self.need.line(y).filter(|line| *line >= self.line) else { return };
        self.finish_lines(line);
        let row = row.get(left.saturating_sub(x) as usize..).unwrap_or_default();
        let start = x.saturating_sub(left).min(width) as usize;
        let row = row.get(..row.len().min(width as usize - start)).unwrap_or_default();
        if self.need.block == (1, 1) {
            let end = self.samples.len() + width as usize * CHANNELS;
            self.samples.resize(self.samples.len() + start * CHANNELS, 0);
            small::push_multiplied(&mut self.samples, row);
            self.samples.resize(end, 0);
            self.line += 1;
            return;
        }
        self.multiplied.clear();
        let row = if has_alpha::<CHANNELS>() {
            small::push_multiplied(&mut self.multiplied, row);
            &self.multiplied
        } else {
            row.as_flattened()
        };
        for (sum, sample) in self.columns.iter_mut().skip(start * CHANNELS).zip(row) {
            *sum += u16::from(*sample);
        }
    }

    /// Finishes the lines of blocks above `line`.
    fn finish_lines(&mut self, line: u32) {
        let (across, width) = (self.need.block.0 as usize, self.need.area.width as usize);
        while self.line < line {
            let rows = self.need.rows(self.line);
            self.line += 1;
            if self.columns.is_empty() {
                self.samples.resize(self.samples.len() + width * CHANNELS, 0);
                continue;
            }
            let columns = self.columns.as_chunks::<CHANNELS>().0.chunks(across);
            self.sums.clear();
            if rows as usize * across <= NARROW {
                self.sums.extend(columns.map(narrow_sum));
            } else {
                self.sums.extend(columns.map(wide_sum));
            }
            let (whole, cut_off) = self.sums.split_at(width / across);
            for (sums, columns) in [(whole, across), (cut_off, width % across)] {
                let share = share(rows * u32::try_from(columns).unwrap_or(1));
                self.samples.extend(sums.as_flattened().iter().map(|sum| mean(*sum, share)));
            }
            self.columns.fill(0);
        }
    }

    fn finish(mut self) -> Small {
        self.finish_lines(self.need.size().1);
        self.need.small(CHANNELS, self.samples)
    }
}

/// An average of pixels that come in any order: a sum for each of its pixels.
struct Sums<const CHANNELS: usize> {
    need: Need,
    sums: Vec<[u32; CHANNELS]>,
}

impl<const CHANNELS: usize> Sums<CHANNELS> {
    fn new(need: Need) -> Self {
        let (width, height) = need.size();
        Self { need, sums: vec![[0; CHANNELS]; width as usize * height as usize] }
    }

    fn add(&mut self, (x, step): (u32, u32), y: u32, pixels: &[[u8; CHANNELS]]) {
        let Some(line) = self.need.line(y) else { return };
        let width = self.need.size().0 as usize;
        let start = line as usize * width;
        let Some(sums) = self.sums.get_mut(start..start + width) else { return };
        let area = self.need.area;
        let inside = |x: u32| x.checked_sub(area.x).filter(|x| *x < area.width);
        for (x, pixel) in (x..).step_by(step.max(1) as usize).zip(pixels) {
            if let Some(sum) = inside(x).and_then(|x| sums.get_mut((x / self.need.block.0) as usize)) {
                add(sum, if has_alpha::<CHANNELS>() { small::multiplied(*pixel) } else { *pixel }.map(u32::from));
            }
        }
    }

    fn finish(self) -> Small {
        let (area, across) = (self.need.area, self.need.block.0);
        let mut samples = Vec::with_capacity(self.sums.len() * CHANNELS);
        for (line, sums) in (0..).zip(self.sums.chunks(self.need.size().0 as usize)) {
            let rows = self.need.rows(line);
            for (column, sum) in (0..).zip(sums) {
                let share = share(rows * across.min(area.width - column * across));
                samples.extend(sum.map(|sum| mean(sum, share)));
            }
        }
        self.need.small(CHANNELS, samples)
    }
}

const fn has_alpha<const CHANNELS: usize>() -> bool {
    CHANNELS.is_multiple_of(2)
}

fn add<const CHANNELS: usize>(sum: &mut [u32; CHANNELS], more: [u32; CHANNELS]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// The most bytes whose sum always fits into 16 bits.
const NARROW: usize = 257;

/// The sums of columns of at most `NARROW` samples in all. A processor adds twice as many of these narrow sums at once.
fn narrow_sum<const CHANNELS: usize>(columns: &[[u16; CHANNELS]]) -> [u32; CHANNELS] {
    let mut sum = [0_u16; CHANNELS];
    for column in columns {
        for (sum, more) in sum.iter_mut().zip(column) {
            *sum = sum.wrapping_add(*more);
        }
    }
    sum.map(u32::from)
}

fn wide_sum<const CHANNELS: usize>(columns: &[[u16; CHANNELS]]) -> [u32; CHANNELS] {
    let mut sum = [0; CHANNELS];
    for column in columns {
        add(&mut sum, column.map(u32::from));
    }
    sum
}

/// The weight of a pixel in a mean of `count`.
#[expect(clippy::cast_precision_loss, reason = "a block has at most 255 by 255 pixels")]
fn share(count: u32) -> f32 {
    1.0 / count.max(1) as f32
}

/// After this number is added to a smaller float, the lowest bits contain that float as a whole number, because floats
/// of this size have no fraction. Processors add several floats at once, but convert them to bytes one by one.
const WHOLE: f32 = 8_388_608.0;

/// The mean of a sum, rounded.
#[expect(
    clippy::cast_precision_loss,
    reason = "a block has at most 255 by 255 pixels of 255: sums are exact as floats"
)]
fn mean(sum: u32, share: f32) -> u8 {
    (sum.cast_signed() as f32 * share + WHOLE).to_bits().to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(x: u32, y: u32, window: (u32, u32), target: (u32, u32)) -> Plan {
        Plan { x, y, window, target }
    }

    fn shrunk<const CHANNELS: usize>(plan: Plan, row: impl Fn(u32) -> Vec<u8>, rows: u32) -> Small {
        let [rows, any] = [Order::Rows, Order::Any].map(|order| {
            let mut shrink = Shrink::<CHANNELS>::new(&[plan], order);
            for y in 0..rows {
                shrink.add((0, 1), y, &row(y));
            }
            shrink.finish().smalls.pop().unwrap()
        });
        assert!(rows.samples == any.samples, "rows and sums differ");
        rows
    }

    fn need(group: &Group<1>) -> Need {
        match group {
            Group::Rows(rows) => rows.need,
            Group::Any(sums) => sums.need,
        }
    }

    #[test]
    fn a_flat_colour_stays_that_colour_also_where_blocks_are_cut_off() {
        let small = shrunk::<3>(plan(0, 0, (23, 17), (3, 2)), |_| [200, 100, 50].repeat(23), 17);
        assert_eq!(small.size, (8, 6));
        assert!(small.samples.as_chunks::<3>().0.iter().all(|pixel| *pixel == [200, 100, 50]));
    }

    #[test]
    fn the_largest_blocks_do_not_overflow() {
        let small = shrunk::<4>(plan(0, 0, (600, 600), (1, 1)), |_| vec![255; 2400], 600);
        assert_eq!(small.size, (3, 3));
        assert!(small.samples.iter().all(|sample| *sample == 255));
    }

    #[test]
    fn transparent_pixels_weigh_nothing() {
        let row = |_| [[255, 255, 255, 255], [0, 0, 0, 0]].concat();
        let small = shrunk::<4>(plan(0, 0, (2, 2), (1, 1)), row, 2);
        assert_eq!(small.samples[..8], [255, 255, 255, 255, 0, 0, 0, 0]);
        let row = |_| [[255, 255, 255, 255], [0, 0, 0, 0]].concat().repeat(3);
        let small = shrunk::<4>(plan(0, 0, (6, 6), (1, 1)), row, 6);
        assert_eq!(small.samples, [128, 128, 128, 128].repeat(9));
    }

    #[test]
    fn a_frame_inside_the_picture_is_surrounded_by_nothing() {
        for (window, target) in [((6, 5), (6, 5)), ((12, 10), (3, 3))] {
            let plan = plan(0, 0, window, target);
            let [rows, any] = [Order::Rows, Order::Any].map(|order| {
                let mut shrink = Shrink::<4>::new(&[plan], order);
                for y in 2..4 {
                    shrink.add((3, 1), y, &[9, 8, 7, 255].repeat(2));
                }
                shrink.finish().smalls.pop().unwrap()
            });
            assert_eq!(rows.samples, any.samples);
            assert_eq!(rows.samples.len(), rows.size.0 as usize * rows.size.1 as usize * 4);
            assert!(rows.samples.contains(&255) || rows.size != window);
        }
    }

    #[test]
    fn spans_in_any_order_give_what_rows_give() {
        let row = |y: u32| (0..40).map(|x| u8::try_from((x * 37 + y * 11) % 256).unwrap()).collect::<Vec<_>>();
        let plan = plan(3, 2, (30, 21), (4, 3));
        let rows = shrunk::<1>(plan, row, 25);
        let mut shrink = Shrink::<1>::new(&[plan], Order::Any);
        for y in (0..25).rev() {
            for start in [1, 0, 2] {
                let pixels: Vec<_> = row(y).into_iter().skip(start).step_by(3).collect();
                shrink.add((u32::try_from(start).unwrap(), 3), y, &pixels);
            }
        }
        assert_eq!(shrink.finish().smalls[0].samples, rows.samples);
    }

    #[test]
    fn every_plan_keeps_the_headroom_whether_shared_or_not() {
        let plans = [plan(500, 0, (3000, 3000), (256, 256)), plan(0, 0, (4000, 3000), (128, 96))];
        let needs = |shrink: &Shrink<1>| shrink.groups.iter().map(need).collect::<Vec<_>>();
        let shrink = Shrink::<1>::new(&plans, Order::Rows);
        assert_eq!((shrink.groups.len(), needs(&shrink)[0].block), (1, (4, 4)));
        let plans = [plan(0, 0, (40_000, 1000), (256, 6)), plan(19_500, 0, (1000, 1000), (1000, 1000))];
        let shrink = Shrink::<1>::new(&plans, Order::Rows);
        assert_eq!(shrink.groups.len(), 2);
        for (need, plan) in needs(&shrink).into_iter().zip(plans) {
            assert!(need.size().0 >= plan.target.0 && need.size().1 >= plan.target.1);
        }
        assert!(Shrink::<4>::new(&[], Order::Any).finish().smalls().next().is_none());
    }
}
