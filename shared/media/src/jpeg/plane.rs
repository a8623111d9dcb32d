//! The reduced samples of one component.

use super::frame::{Component, Frame};
use super::inverse;

/// The samples of a component at a reduced size, during decoding. It has whole blocks, even if the picture ends inside
/// one.
pub(super) struct Canvas {
    samples: Vec<u8>,
    /// Samples in a line.
    stride: usize,
    scale: Scale,
    /// Samples of a block in each direction: 1, 2, 4 or 8.
    side: usize,
}

impl Canvas {
    /// Makes room for `component` at `scale`.
    pub(super) fn new(component: &Component, scale: Scale) -> Self {
        let side = scale.side();
        let stride = component.padded.0 as usize * side;
        Self { samples: vec![128; stride * component.padded.1 as usize * side], stride, scale, side }
    }

    /// Samples of a block in each direction.
    #[inline(always)]
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// Stores block `x` of line of blocks `y`.
    #[inline(always)]
    pub(super) fn set<const SIDE: usize>(&mut self, x: usize, y: usize, block: &[[u8; SIDE]; SIDE]) {
        let at = y * SIDE * self.stride + x * SIDE;
        for (line, samples) in block.iter().enumerate() {
            if let Some(to) = self.samples.get_mut(at + line * self.stride..).and_then(<[u8]>::first_chunk_mut) {
                *to = *samples;
            }
        }
    }

    /// Stores the start of line of blocks `y`, reduced to 2 by 2, from its coefficients.
    pub(super) fn set_twos(&mut self, y: usize, coefficients: &[[i32; 4]]) {
        let lines = self.samples.get_mut(2 * y * self.stride..).unwrap_or_default();
        if let Some((upper, lower)) = lines.split_at_mut_checked(self.stride) {
            inverse::two(coefficients, upper, lower);
        }
    }

    /// The samples of the component, without the padding of its blocks.
    pub(super) fn finish(self, frame: &Frame, component: &Component) -> Plane {
        let side = self.side as u32;
        let (width, height) = ((component.size.0 * side).div_ceil(8), (component.size.1 * side).div_ceil(8));
        let (across, down) = (width as usize, height as usize);
        let mut samples = self.samples;
        for line in 1..down {
            samples.copy_within(line * self.stride..line * self.stride + across, line * across);
        }
        samples.truncate(across * down);
        let spacing = component.spacing(frame);
        let reduction = self.scale.reduction();
        Plane { width, height, scale: self.scale, spacing: (spacing.0 * reduction, spacing.1 * reduction), samples }
    }
}

/// The scale at which a component is decoded, compared with its stored size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scale {
    /// A block of 8 by 8 samples becomes one.
    Eighth,
    /// A block becomes 2 by 2 samples.
    Quarter,
    /// A block becomes 4 by 4 samples.
    Half,
    /// The stored size.
    Whole,
}

impl Scale {
    /// All scales, smallest first.
    pub const ALL: [Self; 4] = [Self::Eighth, Self::Quarter, Self::Half, Self::Whole];

    /// Samples that a block becomes, in each direction.
    #[must_use]
    pub fn side(self) -> usize {
        1 << self as usize
    }

    /// Stored samples that a reduced one stands for, in each direction.
    #[must_use]
    pub fn reduction(self) -> f64 {
        8.0 / self.side() as f64
    }
}

/// The samples of one component at a reduced size.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Samples in a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// The scale of the plane, compared with the stored size.
    pub scale: Scale,
    /// Pixels of the picture that a sample stands for, across and down. The last of a line or column may stand for
    /// fewer.
    pub spacing: (f64, f64),
    /// The samples, line by line.
    pub samples: Vec<u8>,
}
