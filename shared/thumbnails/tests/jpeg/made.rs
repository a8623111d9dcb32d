//! Writes every kind of JPEG that the decoder reads, from invented coefficients, and computes the expected result with
//! the formulas of the standard. It shares no code with the codec.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "blocks have 64 samples and the pictures here are small"
)]

use media_formats::jpeg::{Plane, Scale};

/// Line and column of each coefficient of the zigzag.
pub fn zigzag() -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = (0..8).flat_map(|line| (0..8).map(move |column| (line, column))).collect();
    // Along each diagonal, upwards on even ones.
    places.sort_by_key(|(line, column)| {
        let diagonal = line + column;
        (diagonal, if diagonal % 2 == 0 { *column } else { *line })
    });
    places
}

/// A picture as coefficients.
#[derive(Clone)]
pub struct Made {
    pub size: (u32, u32),
    pub components: Vec<Component>,
    /// The step of each coefficient, in zigzag order.
    pub steps: [u16; 64],
}

#[derive(Clone)]
pub struct Component {
    pub id: u8,
    pub across: u32,
    pub down: u32,
    /// Blocks across, of an interleaved scan.
    pub width: u32,
    /// Quantised coefficients of each block in zigzag order.
    pub blocks: Vec<[i32; 64]>,
}

/// Numbers that look random (xorshift).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 33).unwrap() % limit
    }

    fn about(&mut self, reach: u32) -> i32 {
        i32::try_from(self.below(2 * reach + 1)).unwrap() - i32::try_from(reach).unwrap()
    }
}

impl Made {
    /// A picture of these sampling factors with coefficients of every kind: none, few, many, small and large.
    pub fn new(size: (u32, u32), factors: &[(u32, u32)], seed: u64) -> Self {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let most = factors.iter().fold((1, 1), |most, (across, down)| (most.0.max(*across), most.1.max(*down)));
        let units = (size.0.div_ceil(8 * most.0), size.1.div_ceil(8 * most.1));
        let components = (1..).zip(factors).map(|(id, (across, down))| {
            let blocks = (0..units.0 * across * units.1 * down).map(|_| block(&mut chance)).collect();
            Component { id, across: *across, down: *down, width: units.0 * across, blocks }
        });
        let components = components.collect();
        let steps = std::array::from_fn(|at| u16::try_from(3 + at / 4).unwrap());
        Self { size, components, steps }
    }

    /// A smooth picture with some texture, whose samples stay in their range at every quality.
    pub fn smooth(size: (u32, u32), factors: &[(u32, u32)], quality: u32) -> Self {
        let mut made = Self::new(size, factors, 0);
        made.steps = std::array::from_fn(|at| u16::try_from((10 + 2 * at as u32) * (101 - quality) / 50 + 1).unwrap());
        let transform = Transform::new(8);
        let wave = |at: u32, slow: u32| (at * 256 / slow % 120).abs_diff(60);
        for (component, slow) in made.components.iter_mut().zip([40, 57, 33, 29]) {
            let width = component.width;
            for (number, block) in (0..).zip(&mut component.blocks) {
                let samples: [f64; 64] = std::array::from_fn(|at| {
                    let (x, y) = (number % width * 8 + at as u32 % 8, number / width * 8 + at as u32 / 8);
                    f64::from(70 + wave(x, slow) + wave(x + y, slow + 17) / 2 + (x * 7919 + y * 104_729) % 13) - 128.0
                });
                *block = transform.coefficients(&samples, &made.steps);
            }
        }
        made
    }

    pub fn most(&self) -> (u32, u32) {
        let most = |factor: fn(&Component) -> u32| self.components.iter().map(factor).max().unwrap();
        (most(|component| component.across), most(|component| component.down))
    }

    /// Width and height of a component in samples.
    pub fn samples(&self, component: &Component) -> (u32, u32) {
        let most = self.most();
        ((self.size.0 * component.across).div_ceil(most.0), (self.size.1 * component.down).div_ceil(most.1))
    }

    /// Compares `plane`, decoded at `scale`, with the expected samples.
    pub fn judge(&self, index: usize, scale: Scale, plane: &Plane) -> Result<(), String> {
        let component = &self.components[index];
        let side = u32::try_from(scale.side()).unwrap();
        let (width, height) = self.samples(component);
        let size = ((width * side).div_ceil(8), (height * side).div_ceil(8));
        if (plane.width, plane.height) != size || plane.samples.len() != (size.0 * size.1) as usize {
            return Err(format!("component {index} at {scale:?} has {} by {}", plane.width, plane.height));
        }
        let transform = Transform::new(scale.side());
        let mut blocks = vec![None; component.blocks.len()];
        for (at, sample) in (0..).zip(&plane.samples) {
            let (x, y) = (at % size.0, at / size.0);
            let number = (y / side * component.width + x / side) as usize;
            let samples =
                blocks[number].get_or_insert_with(|| transform.samples(&component.blocks[number], &self.steps));
            let exact: f64 = samples[(y % side * side + x % side) as usize];
            if (f64::from(*sample) - exact.clamp(0.0, 255.0)).abs() > 0.51 {
                return Err(format!("component {index} at {scale:?} has {sample} for {exact} at {x}, {y}"));
            }
        }
        Ok(())
    }
}

fn block(chance: &mut Chance) -> [i32; 64] {
    let mut block = [0; 64];
    block[0] = chance.about(250);
    let (count, reach) = match chance.below(6) {
        0 => (0, 1),
        1 => (1, 40),
        2 => (64, 1),
        3 => (63, 3),
        _ => (6, 12),
    };
    for _ in 0..count {
        block[1 + chance.below(63) as usize] = chance.about(reach);
    }
    if chance.below(8) == 0 {
        // A block without an end code, and a block with the longest runs.
        block[63] = 1;
    }
    block
}

/// The transform of so many points in both directions, by the formulas of the standard (T.81, A.3.3).
pub struct Transform {
    points: usize,
    /// Line and column of each coefficient, and how much it adds to each sample.
    waves: Vec<((usize, usize), Vec<f64>)>,
}

impl Transform {
    pub fn new(points: usize) -> Self {
        let wave = |at: usize, frequency: usize| -> f64 {
            let scale = if frequency == 0 { 0.5_f64.sqrt() } else { 1.0 };
            let angle = ((2 * at + 1) * frequency) as f64 * std::f64::consts::PI / (2 * points) as f64;
            scale / 2.0 * angle.cos()
        };
        let waves = zigzag().into_iter().map(|(line, column)| {
            let weight = |at: usize| wave(at / points, line) * wave(at % points, column);
            ((line, column), (0..points * points).map(weight).collect())
        });
        Self { points, waves: waves.collect() }
    }

    /// The samples of a block of quantised coefficients.
    fn samples(&self, block: &[i32; 64], steps: &[u16; 64]) -> Vec<f64> {
        let coefficients = std::array::from_fn(|at| f64::from(block[at]) * f64::from(steps[at]));
        self.inverse(&coefficients).into_iter().map(|sample| sample + 128.0).collect()
    }

    /// The samples, less 128, of coefficients in zigzag order.
    pub fn inverse(&self, coefficients: &[f64; 64]) -> Vec<f64> {
        let mut samples = vec![0.0; self.points * self.points];
        for (value, ((line, column), wave)) in coefficients.iter().zip(&self.waves) {
            if *value != 0.0 && *line < self.points && *column < self.points {
                samples.iter_mut().zip(wave).for_each(|(sample, weight)| *sample += value * weight);
            }
        }
        samples
    }

    /// The coefficients of 8 by 8 samples in zigzag order.
    pub fn forward(&self, samples: &[f64; 64]) -> [f64; 64] {
        std::array::from_fn(|at| samples.iter().zip(&self.waves[at].1).map(|(sample, weight)| sample * weight).sum())
    }

    fn coefficients(&self, samples: &[f64; 64], steps: &[u16; 64]) -> [i32; 64] {
        let exact = self.forward(samples);
        std::array::from_fn(|at| (exact[at] / f64::from(steps[at])).round() as i32)
    }
}
