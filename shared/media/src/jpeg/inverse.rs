//! From the lowest coefficients of a block to its samples at a reduced size (T.81, A.3.3).
//!
//! A block of 8 by 8 samples reduced to N by N is the inverse transform of N points over its N by N lowest
//! coefficients: the other coefficients have only the details that the smaller picture cannot show.

/// The positions of the zigzag's coefficients in a block, line by line (T.81, figure A.6).
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// The sample of a block that is reduced to its mean: an eighth of the DC coefficient.
#[inline(always)]
pub(super) fn mean(dc: i32) -> u8 {
    clamped((dc.saturating_add(4) >> 3).saturating_add(128))
}

fn clamped(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}

/// The samples of a line of blocks reduced to 2 by 2, from their coefficients of frequencies 0 and 1: flat, across,
/// down, both. It handles all blocks of a line at once, because compilers make fast code of that.
pub(super) fn two(coefficients: &[[i32; 4]], upper: &mut [u8], lower: &mut [u8]) {
    let samples = upper.as_chunks_mut::<2>().0.iter_mut().zip(lower.as_chunks_mut::<2>().0);
    for ([flat, across, down, both], (upper, lower)) in coefficients.iter().zip(samples) {
        // Damaged files may have any numbers, so the sums wrap around.
        let flat = flat.wrapping_add(128 * 8 + 4);
        let (left, right) = (flat.wrapping_add(*across), flat.wrapping_sub(*across));
        let (falling, rising) = (down.wrapping_add(*both), down.wrapping_sub(*both));
        *upper = [left.wrapping_add(falling), right.wrapping_add(rising)].map(|sum| clamped(sum >> 3));
        *lower = [left.wrapping_sub(falling), right.wrapping_sub(rising)].map(|sum| clamped(sum >> 3));
    }
}

/// The samples of a block reduced to 4 by 4. `block` has the coefficients line by line, 8 to a line.
pub(super) fn four(block: &[f32; 64]) -> [[u8; 4]; 4] {
    let mut columns = [[0.0; 4]; 4];
    let line = |line: usize| -> [f32; 4] { std::array::from_fn(|column| block[line * 8 + column]) };
    let lines = four_points([line(0), line(1), line(2), line(3)]);
    for (y, line) in lines.iter().enumerate() {
        for (x, value) in line.iter().enumerate() {
            columns[x][y] = *value;
        }
    }
    let columns = four_points(columns);
    std::array::from_fn(|y| std::array::from_fn(|x| (columns[x][y] + 128.5) as u8))
}

/// One direction of the transform of 4 points, for four vectors side by side.
fn four_points([a, b, c, d]: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    // cos(pi/8)/2, cos(3pi/8)/2 and 1/sqrt(8), by which DC is scaled.
    const NEAR: f32 = 0.461_939_77;
    const FAR: f32 = 0.191_341_72;
    const FLAT: f32 = 0.353_553_39;
    let mut out = [[0.0; 4]; 4];
    for index in 0..4 {
        let (sum, difference) = ((a[index] + c[index]) * FLAT, (a[index] - c[index]) * FLAT);
        let outer = b[index] * NEAR + d[index] * FAR;
        let inner = b[index] * FAR - d[index] * NEAR;
        out[0][index] = sum + outer;
        out[1][index] = difference + inner;
        out[2][index] = difference - inner;
        out[3][index] = sum - outer;
    }
    out
}

/// All samples of a block.
pub(super) fn eight(block: &[f32; 64]) -> [[u8; 8]; 8] {
    let lines: [[f32; 8]; 8] = std::array::from_fn(|y| std::array::from_fn(|x| block[y * 8 + x]));
    let lines = eight_points(&lines);
    let columns: [[f32; 8]; 8] = std::array::from_fn(|x| std::array::from_fn(|y| lines[y][x]));
    let columns = eight_points(&columns);
    std::array::from_fn(|y| std::array::from_fn(|x| (columns[x][y] + 128.5) as u8))
}

/// One direction of the transform of 8 points, for eight vectors side by side: the even coefficients are a transform
/// of 4 points, the odd ones are added to one half of its result and taken from the other.
fn eight_points(lines: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    // cos(k pi/16)/2 for odd k.
    const ODD: [f32; 4] = [0.490_392_64, 0.415_734_8, 0.277_785_12, 0.097_545_16];
    const NEAR: f32 = 0.461_939_77;
    const FAR: f32 = 0.191_341_72;
    const FLAT: f32 = 0.353_553_39;
    let mut out = [[0.0; 8]; 8];
    for index in 0..8 {
        let at = |line: usize| lines[line][index];
        let (sum, difference) = ((at(0) + at(4)) * FLAT, (at(0) - at(4)) * FLAT);
        let outer = at(2) * NEAR + at(6) * FAR;
        let inner = at(2) * FAR - at(6) * NEAR;
        let even = [sum + outer, difference + inner, difference - inner, sum - outer];
        let odd = [
            at(1) * ODD[0] + at(3) * ODD[1] + at(5) * ODD[2] + at(7) * ODD[3],
            at(1) * ODD[1] - at(3) * ODD[3] - at(5) * ODD[0] - at(7) * ODD[2],
            at(1) * ODD[2] - at(3) * ODD[0] + at(5) * ODD[3] + at(7) * ODD[1],
            at(1) * ODD[3] - at(3) * ODD[2] + at(5) * ODD[1] - at(7) * ODD[0],
        ];
        for half in 0..4 {
            out[half][index] = even[half] + odd[half];
            out[7 - half][index] = even[half] - odd[half];
        }
    }
    out
}
