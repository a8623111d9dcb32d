//! The content of the frame header, and the sizes that follow from it (T.81, A.1, A.2 and B.2.2).

use super::Damage;

/// The most blocks of all components that one unit of an interleaved scan may have (T.81, B.2.3).
pub(super) const MAX_BLOCKS: u32 = 10;

/// How the coefficients are distributed over the scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Each component in one scan: SOF0 and SOF1.
    Sequential,
    /// Coefficients in several scans, from coarse to fine: SOF2.
    Progressive,
}

/// One component: luma, a colour difference, a colour or an ink.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// The id of the component in scans.
    pub(super) id: u8,
    /// Sampling factor across, 1 to 4.
    pub(super) across: u32,
    /// Sampling factor down, 1 to 4.
    pub(super) down: u32,
    /// The quantisation table that it uses.
    pub(super) quantiser: usize,
    /// Width and height in samples.
    pub(super) size: (u32, u32),
    /// Number of blocks across and down for these samples.
    pub(super) blocks: (u32, u32),
    /// Blocks across and down of an interleaved scan, which codes whole units.
    pub(super) padded: (u32, u32),
}

impl Component {
    /// Pixels of the picture that one of its samples stands for, across and down.
    pub(super) fn spacing(&self, frame: &Frame) -> (f64, f64) {
        (f64::from(frame.most.0) / f64::from(self.across), f64::from(frame.most.1) / f64::from(self.down))
    }

    /// The number of its blocks in each unit of an interleaved scan.
    pub(super) fn blocks_of_unit(&self) -> u32 {
        self.across * self.down
    }
}

/// A picture's frame.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// How it is coded.
    pub(super) process: Process,
    /// Width and height in pixels, at least 1 each.
    pub(super) size: (u32, u32),
    /// The largest sampling factors across and down.
    pub(super) most: (u32, u32),
    /// Units of an interleaved scan of all components, across and down.
    pub(super) units: (u32, u32),
    /// One, three or four components.
    pub(super) components: Vec<Component>,
}

/// The values of a frame header that are checked before all others.
pub(super) struct Claim {
    /// Bits of a sample.
    pub(super) precision: u8,
    /// Width and height in pixels, not checked.
    pub(super) size: (u32, u32),
}

impl Claim {
    /// Reads the beginning of a frame header.
    pub(super) fn read(segment: &[u8]) -> Result<Self, Damage> {
        let [precision, y1, y0, x1, x0, ..] = segment else { return Err(Damage::Frame) };
        let size = (u32::from(u16::from_be_bytes([*x1, *x0])), u32::from(u16::from_be_bytes([*y1, *y0])));
        Ok(Self { precision: *precision, size })
    }
}

impl Frame {
    /// Reads a frame header whose size was checked.
    pub(super) fn read(process: Process, size: (u32, u32), segment: &[u8]) -> Result<Self, Damage> {
        let (count, listed) = segment.get(5..).and_then(<[u8]>::split_first).ok_or(Damage::Frame)?;
        let (listed, rest) = listed.as_chunks::<3>();
        if !matches!(count, 1 | 3 | 4) || listed.len() != usize::from(*count) || !rest.is_empty() {
            return Err(Damage::Frame);
        }
        let factors = || listed.iter().map(|[_, factors, _]| (u32::from(factors >> 4), u32::from(factors & 15)));
        if factors().any(|(across, down)| !(1..=4).contains(&across) || !(1..=4).contains(&down)) {
            return Err(Damage::Frame);
        }
        let most = factors().fold((1, 1), |most, (across, down)| (most.0.max(across), most.1.max(down)));
        let units = (size.0.div_ceil(8 * most.0), size.1.div_ceil(8 * most.1));
        let mut components: Vec<Component> = Vec::with_capacity(4);
        for ([id, _, quantiser], (across, down)) in listed.iter().zip(factors()) {
            if *quantiser > 3 {
                return Err(Damage::Frame);
            }
            let samples = ((size.0 * across).div_ceil(most.0), (size.1 * down).div_ceil(most.1));
            components.push(Component {
                id: *id,
                across,
                down,
                quantiser: usize::from(*quantiser),
                size: samples,
                blocks: (samples.0.div_ceil(8), samples.1.div_ceil(8)),
                padded: (units.0 * across, units.1 * down),
            });
        }
        Ok(Self { process, size, most, units, components })
    }

    /// Whether libjpeg shows it too: sides of at most 65,500 pixels, and samples that stand for whole pixels.
    pub(super) fn is_common(&self) -> bool {
        let whole = |part: &Component| self.most.0.is_multiple_of(part.across) && self.most.1.is_multiple_of(part.down);
        self.size.0.max(self.size.1) <= 65_500 && self.components.iter().all(whole)
    }
}
